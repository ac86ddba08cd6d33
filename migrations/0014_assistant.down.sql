-- With these goes who wanted no assistant, what it used, and what answers rest on. Its account stays, as a bot like others.
drop table own_accounts;
drop table conversation_sources;
drop table ai_usage;
delete from policies where name = 'assistant';
drop index channels_without_ai;
drop index users_without_ai;
alter table channels drop column ai_off;
alter table users drop column ai_off;
