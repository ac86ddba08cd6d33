-- Who may put a plugin's own reaction, how often it stands under one message, and how often a person puts it in a day.
alter table reactions add column who text;
alter table reactions add column per_message bigint;
alter table reactions add column per_day bigint;

-- How often somebody put a reaction that has a daily limit, by day (of UTC).
create table reaction_uses (
    day bigint not null,
    user_id uuid not null references users (id) on delete cascade,
    code text not null,
    uses bigint not null,
    primary key (day, user_id, code)
);
create index reaction_uses_of on reaction_uses (user_id);

-- The pictures that a plugin's reaction has and had: messages were rendered with them, and go on showing them.
create table reaction_images (
    sha256 text not null,
    code text not null references reactions (code) on delete cascade,
    shown_at bigint not null,
    primary key (sha256, code)
);
create index reaction_images_of on reaction_images (code, shown_at);
