-- With these go how long browsers that fail are left alone, and the hosts that are counted.
create index pushes_of_subscription on pushes (subscription_id);
drop index pushes_in_order;
alter table push_subscriptions drop column failing_since;
alter table push_subscriptions drop column failures;
alter table push_subscriptions drop column next_at;
alter table push_subscriptions drop column host;
