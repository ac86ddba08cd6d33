-- Files complete: pictures' measures, bytes that are shared by equal files, text for search, quota, uploads in parts.

-- `width` is set for pictures that were encoded anew; only those are shown inline. `released_at`: the sweep has
-- looked after the bytes of a deleted file.
alter table files add column width bigint;
alter table files add column height bigint;
alter table files add column blurhash text;
alter table files add column updated_at bigint;
alter table files add column released_at bigint;
create index files_of_bytes on files (sha256) where deleted_at is null;
create index files_deleted on files (deleted_at) where deleted_at is not null and released_at is null;
create index files_unattached on files (created_at) where message_id is null and deleted_at is null;
create index files_quota on files (uploaded_by_id, file_size) where deleted_at is null;

-- What lies in the store, once for equal bytes. `key` is never used twice, so that a sweep that removes old bytes cannot
-- meet new ones. `version` rises with each use. `text_due_at` is set while text is to be extracted.
create table file_objects (
    sha256 text primary key,
    key text not null,
    thumbnail_key text,
    file_type text not null,
    file_size bigint not null,
    version bigint not null,
    text_due_at bigint,
    text_attempts bigint not null,
    created_at bigint not null
);
create index file_objects_due on file_objects (text_due_at) where text_due_at is not null;
insert into file_objects (sha256, key, thumbnail_key, file_type, file_size, version, text_due_at, text_attempts, created_at)
    select sha256, 'files/' || substr(sha256, 1, 2) || '/' || sha256, null, min(file_type), max(file_size), 0, min(created_at), 0,
    min(created_at) from files group by sha256;

-- Keys that nothing uses: promised to an upload in progress, or waiting to be removed from the store.
create table stray_keys (key text primary key, remove_at bigint not null);
create index stray_keys_due on stray_keys (remove_at);

-- The words of documents, at most 200 KB each.
create table file_texts (
    sha256 text primary key references file_objects (sha256) on delete cascade,
    content text not null,
    created_at bigint not null
);

-- Uploads in parts. `received` is the offset at which the next part begins.
create table file_uploads (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    filename text not null,
    file_size bigint not null,
    sha256 text,
    received bigint not null,
    parts bigint not null,
    file_id uuid,
    claimed_until bigint not null,
    created_at bigint not null,
    expires_at bigint not null
);
create index file_uploads_of_user on file_uploads (user_id, file_size) where file_id is null;
create index file_uploads_expired on file_uploads (expires_at);
create table file_upload_parts (
    upload_id uuid not null references file_uploads (id) on delete cascade,
    number bigint not null,
    key text not null,
    primary key (upload_id, number)
);
