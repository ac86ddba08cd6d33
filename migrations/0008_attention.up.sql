-- What brings something to somebody's attention: who is told of what, hours of quiet, keywords, @channel, web push, mail;
-- and who is here.

-- What one person wishes to be told of; no row: as it comes.
create table attention (
    user_id uuid primary key references users (id) on delete cascade,
    -- `all`, `mentions` or `nothing`; null: mentions.
    notification_level text,
    -- Minutes after midnight in `time_zone`, on days such as `mon tue`; null: no hours, every day.
    quiet_from bigint,
    quiet_to bigint,
    quiet_days text,
    time_zone text,
    quiet_until bigint,
    web_push boolean not null,
    -- `off`, `hourly` or `daily`.
    email_digest text not null,
    -- When the next mail is due; null: none is wanted. `digest_held_until`: a server is sending it.
    digest_due_at bigint,
    digest_held_until bigint,
    -- The newest notification that was mailed.
    digest_done_id uuid,
    updated_at bigint not null
);
create index attention_of_all on attention (user_id) where notification_level = 'all';
create index attention_digests on attention (digest_due_at) where digest_due_at is not null;
create index attention_quiet on attention (user_id) where quiet_from is not null or quiet_until is not null;
create index memberships_of_all on memberships (channel_id, user_id) where notification_level = 'all' and to_seq is null;

-- Words that somebody wishes to hear of, folded; `first_word` is what a message's words are looked up by.
create table keywords (
    user_id uuid not null references users (id) on delete cascade,
    phrase text not null,
    first_word text not null,
    -- As it was typed.
    label text not null,
    place bigint not null,
    primary key (user_id, phrase)
);
create index keywords_by_word on keywords (first_word, user_id);

-- Messages that mention a whole channel: one row, whatever the number of people. `told_to` is how far telling them has
-- come, in order of their ids; null: it is done.
create table broadcasts (
    channel_id uuid not null references channels (id) on delete cascade,
    seq bigint not null,
    message_id uuid not null references messages (id) on delete cascade,
    sender_id uuid not null references users (id),
    -- `channel` or `here`.
    word text not null,
    told_to uuid,
    created_at bigint not null,
    primary key (channel_id, seq)
);
create unique index broadcasts_of_message on broadcasts (message_id);
create index broadcasts_waiting on broadcasts (message_id) where told_to is not null;
create index broadcasts_by_sender on broadcasts (sender_id);

-- Set: mentioned by @here, being online, and not by name.
alter table mentions add column by_here boolean;
-- Made while its person wished not to be disturbed.
alter table notifications add column is_quiet boolean;

-- Browsers that are told over their makers' push services. They end with the session that made them.
create table push_subscriptions (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    session_id uuid not null references sessions (id) on delete cascade,
    endpoint text not null unique,
    p256dh text not null,
    auth text not null,
    created_at bigint not null,
    used_at bigint
);
create index push_subscriptions_of_user on push_subscriptions (user_id, id);
create index push_subscriptions_of_session on push_subscriptions (session_id);

-- What is still to be pushed. A server holds a row while it sends.
create table pushes (
    id uuid primary key,
    subscription_id uuid not null references push_subscriptions (id) on delete cascade,
    notification_id uuid not null references notifications (id) on delete cascade,
    attempts bigint not null,
    due_at bigint not null
);
create index pushes_due on pushes (due_at);
create index pushes_of_subscription on pushes (subscription_id);
create index pushes_of_notification on pushes (notification_id);

-- Servers with sockets, and the sockets of people: who is not renewed is gone, and its people with it.
create table nodes (
    id uuid primary key,
    alive_until bigint not null
);
create index nodes_by_end on nodes (alive_until);
create table connections (
    id uuid primary key,
    node_id uuid not null references nodes (id) on delete cascade,
    user_id uuid not null references users (id) on delete cascade,
    -- What this device says: online, away, busy or offline.
    status text not null
);
create index connections_of_user on connections (user_id);
create index connections_of_node on connections (node_id, id);
create index presences_texts on presences (text_expires_at) where text_expires_at is not null;

-- Everybody may mention a whole channel, on servers that exist too.
update roles set permissions = permissions || ' messages.mention_all' where is_system = true;
