-- Who has left a channel since a number of it: what they would read of then may have been written after they left.
create index memberships_ended on memberships (channel_id, to_seq) where to_seq is not null;
