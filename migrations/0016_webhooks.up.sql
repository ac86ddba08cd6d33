-- Ways in for other programs: whoever holds the secret of one writes into its channel as its bot. Only hashes are kept.
create table webhooks (
    id uuid primary key,
    channel_id uuid not null references channels (id) on delete cascade,
    bot_id uuid not null references users (id) on delete cascade,
    created_by_id uuid not null references users (id) on delete cascade,
    name text not null,
    token_hash text not null unique,
    created_at bigint not null,
    last_used_at bigint
);
create index webhooks_of on webhooks (channel_id, id);
