alter table events drop column stored_at;
