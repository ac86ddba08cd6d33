-- With these go keywords, hours of quiet, push subscriptions, what is still to be pushed, and who is here.
update roles set permissions = replace(replace(permissions, ' messages.mention_all', ''), 'messages.mention_all', '');
drop index presences_texts;
drop table connections;
drop table nodes;
drop table pushes;
drop table push_subscriptions;
alter table notifications drop column is_quiet;
delete from mentions where by_here = true;
alter table mentions drop column by_here;
drop table broadcasts;
drop table keywords;
drop index memberships_of_all;
drop table attention;
