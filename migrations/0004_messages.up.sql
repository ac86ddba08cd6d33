-- Pins, bookmarks, threads that are followed and read, quotes and forwards, answers kept for a retry.

-- The first five people who answered, as ids with spaces between, and when the last answer came: a page of roots needs
-- no query for either.
alter table messages add column participants text;
alter table messages add column last_reply_at bigint;
-- Null: not pinned.
alter table messages add column pinned_at bigint;
alter table messages add column pinned_by_id uuid;
create index messages_pinned on messages (channel_id, pinned_at, id) where pinned_at is not null;
-- Another message of the channel that this one quotes. No reference: that one may be erased.
alter table messages add column quoted_id uuid;
-- True: `forwards` has what it brings from elsewhere.
alter table messages add column is_forward boolean;

-- What was forwarded, as it was then. Emptied with its source, whose row stays while anything may be deleted by it.
create table forwards (
    message_id uuid primary key references messages (id) on delete cascade,
    source_id uuid not null,
    sender_id uuid not null references users (id),
    content text not null,
    has_attachments boolean not null,
    created_at bigint not null
);
create index forwards_of_source on forwards (source_id, message_id);

create table bookmarks (
    user_id uuid not null references users (id) on delete cascade,
    message_id uuid not null references messages (id) on delete cascade,
    created_at bigint not null,
    primary key (user_id, message_id)
);
create index bookmarks_by_time on bookmarks (user_id, created_at, message_id);
create index bookmarks_of_message on bookmarks (message_id);

-- Who follows a thread and how far they have read it. A row with `is_following` false remembers what was read, and that
-- somebody does not wish to follow. `updated_at` is when they last took part, read or followed.
create table thread_follows (
    user_id uuid not null references users (id) on delete cascade,
    root_id uuid not null references messages (id) on delete cascade,
    channel_id uuid not null references channels (id) on delete cascade,
    is_following boolean not null,
    read_seq bigint not null,
    updated_at bigint not null,
    primary key (user_id, root_id)
);
create index thread_follows_of_root on thread_follows (root_id, user_id) where is_following = true;
create index thread_follows_recent on thread_follows (user_id, updated_at) where is_following = true;

-- Answers of calls with an `Idempotency-Key`. Only hashes of keys and bodies are kept. `status` null: it is being done.
create table idempotency_keys (
    key_hash text primary key,
    user_id uuid not null references users (id) on delete cascade,
    request_hash text not null,
    status bigint,
    content_type text,
    body text,
    created_at bigint not null
);
create index idempotency_keys_of_user on idempotency_keys (user_id, created_at);
create index idempotency_keys_by_time on idempotency_keys (created_at);
