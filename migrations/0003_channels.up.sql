-- Channels complete: what each member prefers, invitations, privacy.

-- What one member prefers; null: as it comes.
alter table memberships add column starred boolean;
alter table memberships add column muted boolean;
-- `all`, `mentions` or `nothing`.
alter table memberships add column notification_level text;
