alter table messages drop column html;
