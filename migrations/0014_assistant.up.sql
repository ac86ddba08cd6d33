-- The assistant: who wants none of it, what it used in a day, which messages its answers rest on, and its own account.
alter table users add column ai_off boolean;
alter table channels add column ai_off boolean;
create index users_without_ai on users (id) where ai_off = true;
create index channels_without_ai on channels (id) where ai_off = true;
insert into policies (name, value, updated_at) values ('assistant', '{}', 0);

-- Days since 1970, in UTC.
create table ai_usage (
    day bigint not null,
    user_id uuid not null references users (id) on delete cascade,
    questions bigint not null,
    tokens bigint not null,
    primary key (day, user_id)
);
create index ai_usage_of_user on ai_usage (user_id);

-- What an answer quotes: it goes when one of these does, and comes back to nobody who may not read them any more.
create table conversation_sources (
    conversation_id uuid not null references conversations (id) on delete cascade,
    number bigint not null,
    message_id uuid not null references messages (id) on delete cascade,
    version bigint not null,
    primary key (conversation_id, number, message_id)
);
create index conversation_sources_of_message on conversation_sources (message_id);

-- The accounts of the server itself, by what they are for.
create table own_accounts (
    name text primary key,
    user_id uuid not null references users (id)
);
