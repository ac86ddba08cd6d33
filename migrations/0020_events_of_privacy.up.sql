-- Whether a channel was opened or closed since is asked for each event that a plugin hears of. With the kind in its key it
-- answers more of the question than events_in_channel, and is what either engine takes. Alone in its migration: servers that run
-- wait for one table, and nobody holds one while waiting for another.
create index events_of_privacy on events (channel_id, kind, seq) where kind = 'privacy_updated';
