-- Drafts, scheduled messages, reminders, retention.

alter table channels add column retention_days bigint;
