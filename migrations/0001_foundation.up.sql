-- The record's first shape. One text for both engines: uuid, text, bigint and boolean columns, no defaults, no identity
-- columns; times are milliseconds since 1970. Ids are made by the application.

-- The log's own state: one row. `epoch` changes when a backup is restored, so that clients drop their positions.
create table log_meta (
    id bigint primary key,
    epoch uuid not null,
    last_pos bigint not null,
    published_pos bigint not null
);

-- Keys that several servers must share (scaled mode keeps the token key here when none is set).
create table server_keys (name text primary key, value text not null, created_at bigint not null);

-- People and bots. `username_key` and `email_key` are case-folded: that is what must be unique.
create table users (
    id uuid primary key,
    username text not null,
    username_key text not null unique,
    email text,
    email_key text unique,
    full_name text,
    bio text,
    picture_url text,
    password_hash text,
    is_active boolean not null,
    is_superuser boolean not null,
    is_bot boolean not null,
    created_at bigint not null,
    updated_at bigint not null
);

-- A signed-in device.
create table sessions (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    device_info text,
    ip_address text,
    created_at bigint not null,
    last_used_at bigint not null,
    expires_at bigint not null,
    ended_at bigint
);
create index sessions_of_user on sessions (user_id);

-- Only hashes are kept. A session's tokens form one family: using a used one ends the session.
create table refresh_tokens (
    token_hash text primary key,
    session_id uuid not null references sessions (id) on delete cascade,
    created_at bigint not null,
    expires_at bigint not null,
    used_at bigint
);
create index refresh_tokens_of_session on refresh_tokens (session_id);

-- One-time and few-time secrets: the set-up link, invitations, gateway tickets.
create table tickets (
    token_hash text primary key,
    purpose text not null,
    user_id uuid references users (id) on delete cascade,
    session_id uuid references sessions (id) on delete cascade,
    uses_left bigint not null,
    created_at bigint not null,
    expires_at bigint not null
);
create index tickets_by_purpose on tickets (purpose, expires_at);

-- `last_seq` numbers every durable event of the channel, `message_count` every message: unread is a difference of the
-- latter, never a count of rows.
create table channels (
    id uuid primary key,
    kind text not null,
    name text not null,
    name_key text unique,
    description text,
    topic text,
    owner_id uuid references users (id),
    is_default boolean not null,
    direct_key text unique,
    archived_at bigint,
    deleted_at bigint,
    last_seq bigint not null,
    message_count bigint not null,
    member_count bigint not null,
    created_at bigint not null,
    updated_at bigint not null
);
create index channels_by_kind on channels (kind, name);
create index channels_by_name on channels (name, id);

-- An interval of the channel's seq: who was a member from where to where. At most one is open.
create table memberships (
    id uuid primary key,
    channel_id uuid not null references channels (id) on delete cascade,
    user_id uuid not null references users (id) on delete cascade,
    from_seq bigint not null,
    to_seq bigint,
    role text not null,
    read_seq bigint not null,
    read_number bigint not null,
    joined_at bigint not null
);
create unique index memberships_open on memberships (channel_id, user_id) where to_seq is null;
create index memberships_of_user on memberships (user_id) where to_seq is null;

-- `number` counts messages of the channel without holes.
create table messages (
    id uuid primary key,
    channel_id uuid not null references channels (id) on delete cascade,
    seq bigint not null,
    number bigint not null,
    sender_id uuid not null references users (id),
    content text not null,
    parent_id uuid references messages (id),
    version bigint not null,
    nonce text,
    mentions text,
    blocks text,
    reply_count bigint not null,
    reaction_count bigint not null,
    has_attachments boolean not null,
    created_at bigint not null,
    updated_at bigint not null,
    edited_at bigint,
    deleted_at bigint
);
create unique index messages_in_channel on messages (channel_id, seq);
create unique index messages_by_number on messages (channel_id, number);
create unique index messages_by_nonce on messages (sender_id, channel_id, nonce) where nonce is not null;
create index messages_in_thread on messages (parent_id, seq) where parent_id is not null;

-- What a message said before an edit.
create table message_versions (
    message_id uuid not null references messages (id) on delete cascade,
    version bigint not null,
    content text not null,
    created_at bigint not null,
    primary key (message_id, version)
);

create table mentions (
    user_id uuid not null references users (id) on delete cascade,
    channel_id uuid not null references channels (id) on delete cascade,
    seq bigint not null,
    message_id uuid not null references messages (id) on delete cascade,
    primary key (user_id, channel_id, seq)
);
create index mentions_of_message on mentions (message_id);

-- The catalogue of custom reactions; system emoji are not listed.
create table reactions (
    code text primary key,
    name text not null,
    symbol text,
    is_system boolean not null,
    plugin_id text,
    created_by_id uuid references users (id),
    created_at bigint not null
);

create table message_reactions (
    message_id uuid not null references messages (id) on delete cascade,
    code text not null,
    user_id uuid not null references users (id) on delete cascade,
    created_at bigint not null,
    primary key (message_id, code, user_id)
);

create table files (
    id uuid primary key,
    filename text not null,
    file_type text not null,
    file_size bigint not null,
    sha256 text not null,
    uploaded_by_id uuid not null references users (id),
    message_id uuid references messages (id),
    created_at bigint not null,
    deleted_at bigint
);
create index files_of_message on files (message_id) where message_id is not null;
create index files_of_uploader on files (uploaded_by_id, created_at);

create table presences (
    user_id uuid primary key references users (id) on delete cascade,
    status text not null,
    last_seen bigint not null
);
create index presences_present on presences (user_id) where status <> 'offline';

-- The event log: thin rows, no bodies. `pos` is given at commit (SQLite) or by the relay (PostgreSQL), dense and once.
create table events (
    id uuid primary key,
    pos bigint,
    kind text not null,
    channel_id uuid,
    seq bigint,
    user_id uuid,
    ref_id uuid not null,
    actor_id uuid,
    detail text,
    created_at bigint not null
);
create unique index events_by_pos on events (pos);
create unique index events_in_channel on events (channel_id, seq) where seq is not null;
create index events_unstamped on events (seq, id) where pos is null;

-- How far each durable consumer has come, and what it could not digest.
create table cursors (
    name text primary key,
    pos bigint not null,
    held_by uuid,
    held_until bigint not null,
    updated_at bigint not null
);
create table dead_letters (
    id uuid primary key,
    consumer text not null,
    pos bigint not null,
    kind text not null,
    error text not null,
    attempts bigint not null,
    created_at bigint not null,
    retried_at bigint
);
create index dead_letters_open on dead_letters (created_at, id) where retried_at is null;

create table plugins (
    id text primary key,
    bot_id uuid references users (id),
    version text not null,
    manifest text not null,
    sha256 text not null,
    grants text not null,
    is_enabled boolean not null,
    disabled_reason text,
    installed_at bigint not null,
    updated_at bigint not null
);
create table plugin_storage (
    plugin_id text not null references plugins (id) on delete cascade,
    key text not null,
    value text not null,
    revision bigint not null,
    expires_at bigint,
    primary key (plugin_id, key)
);

-- What an import made of what, so that a second run adds nothing.
create table external_refs (
    source text not null,
    kind text not null,
    external_id text not null,
    local_id uuid not null,
    primary key (source, kind, external_id)
);

-- The assistant's conversations; questions belong to the asker alone.
create table conversations (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    created_at bigint not null,
    updated_at bigint not null
);
create index conversations_of_user on conversations (user_id, updated_at);
create table conversation_turns (
    conversation_id uuid not null references conversations (id) on delete cascade,
    number bigint not null,
    question text not null,
    answer text not null,
    created_at bigint not null,
    primary key (conversation_id, number)
);
