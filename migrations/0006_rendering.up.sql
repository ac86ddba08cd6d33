-- Messages as they are shown, links' previews, images of custom reactions.

-- Sanitised HTML made from `content`; null: from before this was kept.
alter table messages add column html text;
