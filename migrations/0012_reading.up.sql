-- Reading a channel looks for what one was told of it, not through everything that one was told.
create index notifications_unread_of_channel on notifications (user_id, channel_id) where read_at is null;
-- What came to stand beside a message in the moment in which it was deleted.
delete from message_reactions where message_id in (select id from messages where deleted_at is not null);
delete from bookmarks where message_id in (select id from messages where deleted_at is not null);
update messages set reaction_count = 0 where deleted_at is not null and reaction_count <> 0;
update forwards set content = '', has_attachments = false
    where source_id in (select id from messages where deleted_at is not null);
