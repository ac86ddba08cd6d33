-- Takes with it which messages are pinned.

alter table messages drop column pinned_at;
