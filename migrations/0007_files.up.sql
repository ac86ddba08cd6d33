-- Files complete: thumbnails, text, quota, uploads in parts.

alter table files add column width bigint;
alter table files add column height bigint;
