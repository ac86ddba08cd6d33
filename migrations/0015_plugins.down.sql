-- Uploaded components, timers, logs, buttons and whispers go with their tables; settings with their column.
drop table whispers;
drop table plugin_buttons;
drop table plugin_logs;
drop table plugin_timers;
drop table plugin_parts;
alter table plugins drop column waiting_sha256;
alter table plugins drop column waiting_manifest;
alter table plugins drop column waiting_version;
alter table plugins drop column settings;
