-- Web push that one slow service cannot stall: whose host a browser's is, and when its next turn comes.

-- The host of its address; null: noted by an older version, and filled in when something is to be sent.
alter table push_subscriptions add column host text;
-- Nothing is sent before: a server is sending, or it failed and is left alone for a while. Null: at once.
alter table push_subscriptions add column next_at bigint;
-- Failures in a row, and since when; null: none.
alter table push_subscriptions add column failures bigint;
alter table push_subscriptions add column failing_since bigint;

-- What waits for one browser, in order.
create index pushes_in_order on pushes (subscription_id, id);
drop index pushes_of_subscription;
