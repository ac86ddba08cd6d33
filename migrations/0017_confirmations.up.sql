-- What the assistant was asked to do with a plugin's tool and does only once the asker, in the session that asked, says yes.
create table assistant_confirmations (
    id uuid primary key,
    conversation_id uuid not null references conversations (id) on delete cascade,
    session_id uuid not null references sessions (id) on delete cascade,
    plugin_id text not null,
    tool text not null,
    arguments text not null,
    expires_at bigint not null
);
create index assistant_confirmations_of on assistant_confirmations (conversation_id);
create index assistant_confirmations_of_session on assistant_confirmations (session_id);
create index assistant_confirmations_expiring on assistant_confirmations (expires_at);
