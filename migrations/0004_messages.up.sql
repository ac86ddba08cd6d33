-- Pins, bookmarks, threads that are followed and read, quotes.

alter table messages add column pinned_at bigint;
