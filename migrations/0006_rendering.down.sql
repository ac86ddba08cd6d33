-- Takes with it previews, and which pictures custom reactions have. What is shown is made again from the texts.

update roles set permissions = replace(permissions, ' reactions.create', '') where name_key = 'everyone' and is_system = true;
drop index message_reactions_of_user;
drop index reactions_by_image;
alter table reactions drop column image_sha256;
alter table messages drop column previews;
drop index messages_unrendered;
alter table messages drop column html;
