-- Takes with it how long channels keep their messages.

alter table channels drop column retention_days;
