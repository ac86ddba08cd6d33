-- What an administrator set, as JSON; and an update that asks for more than was granted and waits for a word.
alter table plugins add column settings text;
alter table plugins add column waiting_version text;
alter table plugins add column waiting_manifest text;
alter table plugins add column waiting_sha256 text;

-- Components that were uploaded, in pieces of base64: a row of tens of megabytes would hold everybody up.
create table plugin_parts (
    sha256 text not null,
    number bigint not null,
    content text not null,
    stored_at bigint not null,
    primary key (sha256, number)
);

create index plugin_parts_stored on plugin_parts (stored_at);

create table plugin_timers (
    plugin_id text not null references plugins (id) on delete cascade,
    name text not null,
    due_at bigint not null,
    period_seconds bigint,
    payload text not null,
    attempts bigint not null,
    held_until bigint,
    primary key (plugin_id, name)
);
create index plugin_timers_due on plugin_timers (due_at);

create table plugin_logs (
    id uuid primary key,
    plugin_id text not null references plugins (id) on delete cascade,
    level text not null,
    content text not null,
    created_at bigint not null
);
create index plugin_logs_of on plugin_logs (plugin_id, id);

-- What the buttons of messages and whispers mean to the plugin; people see their labels alone.
create table plugin_buttons (
    owner_id uuid not null,
    number bigint not null,
    plugin_id text not null references plugins (id) on delete cascade,
    action text not null,
    payload text not null,
    primary key (owner_id, number)
);
create index plugin_buttons_of on plugin_buttons (plugin_id);

-- What a plugin said to one person in a channel.
create table whispers (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    channel_id uuid not null references channels (id) on delete cascade,
    parent_id uuid,
    sender_id uuid not null references users (id) on delete cascade,
    plugin_id text not null,
    content text not null,
    html text not null,
    blocks text,
    created_at bigint not null,
    expires_at bigint not null
);
create index whispers_to on whispers (user_id, channel_id, created_at);
create index whispers_expiring on whispers (expires_at);
