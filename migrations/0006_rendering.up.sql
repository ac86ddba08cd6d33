-- Messages as they are shown, links' previews, images of custom reactions.

-- Sanitised HTML made from `content`; null: from before this was kept, or imported. Those wait in an index of their own,
-- which is empty most of the time.
alter table messages add column html text;
create index messages_unrendered on messages (id) where html is null and deleted_at is null;
-- JSON; null: nobody looked at the links yet; empty: somebody does, or found nothing.
alter table messages add column previews text;

-- Of the picture that is shown for the code. Null: a plugin's, which has a symbol.
alter table reactions add column image_sha256 text;
create index reactions_by_image on reactions (image_sha256) where image_sha256 is not null;
-- Which of many reactions are somebody's own.
create index message_reactions_of_user on message_reactions (user_id, message_id);

-- Whoever has an account may add reactions, as on new servers.
update roles set permissions = permissions || ' reactions.create' where name_key = 'everyone' and is_system = true;
