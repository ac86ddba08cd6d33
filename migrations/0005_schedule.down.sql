-- Takes with it how long messages are kept, drafts, scheduled messages, reminders and the notifications that these became.

create table notifications_of_messages (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    kind text not null,
    channel_id uuid not null references channels (id) on delete cascade,
    message_id uuid not null references messages (id) on delete cascade,
    actor_id uuid not null references users (id),
    created_at bigint not null,
    read_at bigint
);
insert into notifications_of_messages (id, user_id, kind, channel_id, message_id, actor_id, created_at, read_at)
    select id, user_id, kind, channel_id, message_id, actor_id, created_at, read_at from notifications
    where kind <> 'reminder';
drop table notifications;
alter table notifications_of_messages rename to notifications;
create unique index notifications_once on notifications (message_id, user_id);
create index notifications_of_user on notifications (user_id, id);
create index notifications_by_time on notifications (created_at);
create index notifications_unread on notifications (user_id, id) where read_at is null;

drop table reminders;
drop table held_files;
drop table scheduled_messages;
drop table drafts;
delete from policies where name = 'retention';
drop index messages_by_age;
drop index channels_by_retention;
alter table channels drop column retention_days;
