-- Takes with it what members prefer and all invitations to channels. Words and order are made again from the names.

drop table channel_invitations;
drop index channels_unlisted;
alter table channels drop column words_listed_at;
drop table channel_words;
drop index channels_open;
drop index memberships_unlisted;
drop index memberships_in_order;
alter table memberships drop column list_key;
alter table memberships drop column notification_level;
alter table memberships drop column muted;
alter table memberships drop column starred;
