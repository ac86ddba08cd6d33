-- Files against greed: people's documents are read in turns, and uploads in parts are given up in steps.

-- Set when words were read out of this file in a turn of its own. Equal bytes of somebody else give it none before: who
-- uploads a guess must not see by the time that the same document was here already.
alter table files add column words_at bigint;
update files set words_at = created_at where sha256 in (select sha256 from file_texts);

-- Documents that wait for their turn.
create table unread_files (
    file_id uuid primary key references files (id) on delete cascade,
    user_id uuid not null references users (id) on delete cascade,
    attempts bigint not null
);
create index unread_files_of_user on unread_files (user_id, file_id);

-- Whose turn comes when; `due_at` is null while nothing of theirs waits. `spent_ms` is what the readers worked for them
-- in the hour that began at `hour_began_at`.
create table reading_turns (
    user_id uuid primary key references users (id) on delete cascade,
    due_at bigint,
    hour_began_at bigint not null,
    spent_ms bigint not null
);
create index reading_turns_due on reading_turns (due_at, spent_ms) where due_at is not null;

insert into unread_files (file_id, user_id, attempts) select id, uploaded_by_id, 0 from files
    where deleted_at is null and sha256 in (select sha256 from file_objects where text_due_at is not null);
insert into reading_turns (user_id, due_at, hour_began_at, spent_ms) select distinct user_id, 0, 0, 0 from unread_files;
update file_objects set text_due_at = null where text_due_at is not null;

-- Set while parts are still to be given up: of an upload that was deleted, has expired or became a file.
alter table file_uploads add column given_up_at bigint;
create index file_uploads_given_up on file_uploads (given_up_at) where given_up_at is not null;
