-- Channels that are deleted and whose messages still have to go.
create index channels_deleted on channels (id) where deleted_at is not null;

-- What ended memberships still mean: who comes back, and who was shown out by whom.
alter table memberships add column left_at bigint;
alter table memberships add column removed_by_id uuid;
create index memberships_of_person on memberships (channel_id, user_id);

-- The oldest of the log leaves it: up to which position.
alter table log_meta add column trimmed_pos bigint;
