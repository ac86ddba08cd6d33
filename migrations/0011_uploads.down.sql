-- With these go the turns of people's documents; those that still wait are due again. Uploads that were being given up
-- go when they expire.
drop index file_uploads_given_up;
update file_uploads set expires_at = 0 where given_up_at is not null and file_id is null;
alter table file_uploads drop column given_up_at;
update file_objects set text_due_at = 0
    where sha256 in (select f.sha256 from files f join unread_files u on u.file_id = f.id where f.deleted_at is null);
drop table reading_turns;
drop table unread_files;
alter table files drop column words_at;
