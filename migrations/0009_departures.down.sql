alter table log_meta drop column trimmed_pos;
-- When memberships ended, and who ended them, is forgotten.
drop index memberships_of_person;
alter table memberships drop column removed_by_id;
alter table memberships drop column left_at;
drop index channels_deleted;
