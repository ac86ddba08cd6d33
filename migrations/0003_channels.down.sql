-- Takes with it what members prefer.

alter table memberships drop column notification_level;
alter table memberships drop column muted;
alter table memberships drop column starred;
