create index events_unstamped on events (seq, id) where pos is null;
drop index events_in_turn;
alter table events drop column stored_at;
