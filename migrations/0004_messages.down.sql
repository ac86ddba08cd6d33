-- Takes with it pins, bookmarks, follows and read states of threads, quotes and what was forwarded.

drop table idempotency_keys;
drop table thread_follows;
drop table bookmarks;
drop table forwards;
alter table messages drop column is_forward;
alter table messages drop column quoted_id;
drop index messages_pinned;
alter table messages drop column pinned_by_id;
alter table messages drop column pinned_at;
alter table messages drop column last_reply_at;
alter table messages drop column participants;
