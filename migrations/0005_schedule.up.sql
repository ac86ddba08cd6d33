-- Drafts, scheduled messages, reminders, retention.

-- How long messages of this channel are kept. Null: as long as the server's rule says.
alter table channels add column retention_days bigint;
create index channels_by_retention on channels (id) where retention_days is not null;
-- What is too old, whatever its number: an imported history is older than what stands before it.
create index messages_by_age on messages (channel_id, created_at) where deleted_at is null;
insert into policies (name, value, updated_at) values ('retention', '{}', 0);

-- What somebody has begun to write. `place_id` is the root of the thread, or the channel itself.
create table drafts (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    channel_id uuid not null references channels (id) on delete cascade,
    place_id uuid not null,
    content text not null,
    updated_at bigint not null
);
create unique index drafts_by_place on drafts (user_id, place_id);
create index drafts_of_user on drafts (user_id, updated_at, id);

-- What is to be posted later. `state` is `waiting`, `sent` or `failed`; `reason` and `reason_text` say why it failed. A sent
-- one is emptied: its text lives in the message alone, or deleting that would leave a copy.
create table scheduled_messages (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    channel_id uuid not null references channels (id) on delete cascade,
    parent_id uuid references messages (id),
    content text not null,
    send_at bigint not null,
    state text not null,
    reason text,
    reason_text text,
    message_id uuid references messages (id),
    created_at bigint not null,
    updated_at bigint not null
);
create index scheduled_messages_due on scheduled_messages (send_at, id) where state = 'waiting';
create index scheduled_messages_of_user on scheduled_messages (user_id, send_at, id);
create index scheduled_messages_done on scheduled_messages (updated_at) where state <> 'waiting';

-- Uploads that a draft or a scheduled message will carry: nobody may take them for forgotten meanwhile.
create table held_files (
    holder_id uuid not null,
    file_id uuid not null references files (id) on delete cascade,
    place bigint not null,
    primary key (holder_id, file_id)
);
create index held_files_by_file on held_files (file_id);

-- What somebody wants to be told later. The row goes when its time has come.
create table reminders (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    message_id uuid references messages (id) on delete cascade,
    channel_id uuid references channels (id) on delete cascade,
    text text,
    remind_at bigint not null,
    created_at bigint not null
);
create index reminders_due on reminders (remind_at, id);
create index reminders_of_user on reminders (user_id, remind_at, id);

-- A reminder may be about a text alone, and about a message that somebody is told of anyway.
create table notifications_of_all_kinds (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    kind text not null,
    channel_id uuid references channels (id) on delete cascade,
    message_id uuid references messages (id) on delete cascade,
    actor_id uuid not null references users (id),
    text text,
    created_at bigint not null,
    read_at bigint
);
insert into notifications_of_all_kinds (id, user_id, kind, channel_id, message_id, actor_id, text, created_at, read_at)
    select id, user_id, kind, channel_id, message_id, actor_id, null, created_at, read_at from notifications;
drop table notifications;
alter table notifications_of_all_kinds rename to notifications;
create unique index notifications_once on notifications (message_id, user_id) where kind <> 'reminder';
create index notifications_of_user on notifications (user_id, id);
create index notifications_by_time on notifications (created_at);
create index notifications_unread on notifications (user_id, id) where read_at is null;
