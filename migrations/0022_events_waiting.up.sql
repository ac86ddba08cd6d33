-- For the relay, which finds what waits for its position. Servers of the version before go by their own clock, in milliseconds.
-- Apart from the column, so that readers of the table do not wait while it is made. `events_unstamped` goes one version later.
create index events_waiting on events (coalesce(seq, 0), coalesce(stored_at, created_at * 1000), id) where pos is null;
