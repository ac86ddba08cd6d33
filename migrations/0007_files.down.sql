alter table files drop column height;
alter table files drop column width;
