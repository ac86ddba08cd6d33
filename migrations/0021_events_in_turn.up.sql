-- Events of one person have no number of a channel: they are given their positions in the order in which the record took them, and
-- not by the clocks of the servers that wrote them. Microseconds; on SQLite positions are given at commit, and it stays empty.
alter table events add column stored_at bigint;
