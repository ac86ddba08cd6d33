-- Uploads in progress, extracted texts and pictures' measures are lost; thumbnails stay in the store, unused. Files that
-- were stored since lie under keys of their own and cannot be found any more.
drop table file_upload_parts;
drop table file_uploads;
drop table file_texts;
drop table stray_keys;
drop table file_objects;
drop index files_quota;
drop index files_unattached;
drop index files_deleted;
drop index files_of_bytes;
alter table files drop column released_at;
alter table files drop column updated_at;
alter table files drop column blurhash;
alter table files drop column height;
alter table files drop column width;
