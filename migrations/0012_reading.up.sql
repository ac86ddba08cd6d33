-- Reading a channel looks for what one was told of it, not through everything that one was told.
create index notifications_unread_of_channel on notifications (user_id, channel_id) where read_at is null;
