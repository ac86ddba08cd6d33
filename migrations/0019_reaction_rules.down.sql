-- Who may put which reaction, and how often, goes with it: everybody may put each again. So does which pictures plugins'
-- reactions had: a day later old messages show those by their codes.
drop table reaction_images;
drop table reaction_uses;
alter table reactions drop column per_day;
alter table reactions drop column per_message;
alter table reactions drop column who;
