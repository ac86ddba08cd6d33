-- Accounts at full strength: roles, two factors, personal and bot tokens, external identities, the audit log.

alter table users add column deleted_at bigint;
alter table users add column created_by_id uuid;
-- The address is known to be theirs: an administrator, a mailed link or an outside issuer vouched for it.
alter table users add column email_verified_at bigint;
-- What the name looks like (Unicode TS 39): a new name must not look like another's. Null: from before this was kept.
alter table users add column username_skeleton text;
create index users_by_skeleton on users (username_skeleton) where username_skeleton is not null;
create index users_by_picture on users (picture_url) where picture_url is not null;
create index users_by_activity on users (is_active, username_key);
create index users_superuser on users (username_key) where is_superuser = true;
create index users_bots on users (username_key) where is_bot = true;

-- `chosen`: what somebody wishes to show whatever their devices do. Null: what these do shows.
alter table presences add column chosen text;
alter table presences add column text text;
alter table presences add column text_expires_at bigint;

-- How a session began: password, registration, external, token. Null: before this was kept.
-- `external_key` is the hash of the external token that it stands for, so that a revoked token stays dead.
alter table sessions add column method text;
alter table sessions add column external_key text;
create unique index sessions_by_external_key on sessions (external_key) where external_key is not null;
create index sessions_live on sessions (user_id, last_used_at) where ended_at is null;
create index sessions_by_end on sessions (expires_at);
create index sessions_ended on sessions (ended_at) where ended_at is not null;

-- So that a list can name a ticket without knowing its secret.
alter table tickets add column id uuid;
alter table tickets add column issued_by_id uuid;
create index tickets_by_end on tickets (expires_at);
create unique index tickets_by_id on tickets (id) where id is not null;
create index tickets_of_session on tickets (session_id) where session_id is not null;
create index tickets_of_user on tickets (user_id, purpose) where user_id is not null;

-- Personal access tokens and bot tokens. Each stands on a session row, so that revoking, listing and closing sockets
-- is one thing for all ways in. `scopes` are words with spaces between.
create table api_tokens (
    session_id uuid primary key references sessions (id) on delete cascade,
    user_id uuid not null references users (id) on delete cascade,
    created_by_id uuid not null references users (id),
    name text not null,
    token_hash text not null unique,
    scopes text not null,
    created_at bigint not null
);
create index api_tokens_of_user on api_tokens (user_id, created_at);
create index api_tokens_made_by on api_tokens (created_by_id);

-- Named sets of permissions, as words with spaces between. The role `everyone` is everybody's.
create table roles (
    id uuid primary key,
    name text not null,
    name_key text not null unique,
    description text,
    permissions text not null,
    is_system boolean not null,
    created_at bigint not null,
    updated_at bigint not null
);
create table user_roles (
    user_id uuid not null references users (id) on delete cascade,
    role_id uuid not null references roles (id) on delete cascade,
    granted_by_id uuid references users (id),
    created_at bigint not null,
    primary key (user_id, role_id)
);
create index user_roles_of_role on user_roles (role_id, user_id);

-- What an administrator chose at run time, a row each. The row `accounts` is also the lock under which superusers change.
create table policies (
    name text primary key,
    value text not null,
    updated_at bigint not null
);

-- Time-based codes. `last_step` is the last time step used: a code that was read over a shoulder works for nobody else.
create table two_factors (
    user_id uuid primary key references users (id) on delete cascade,
    secret text not null,
    confirmed_at bigint,
    last_step bigint not null,
    created_at bigint not null
);
create table recovery_codes (
    code_hash text primary key,
    user_id uuid not null references users (id) on delete cascade,
    created_at bigint not null
);
create index recovery_codes_of_user on recovery_codes (user_id);

-- Who an outside issuer says somebody is.
create table identities (
    id uuid primary key,
    issuer text not null,
    subject text not null,
    user_id uuid not null references users (id) on delete cascade,
    email text,
    created_at bigint not null,
    last_used_at bigint not null
);
create unique index identities_by_subject on identities (issuer, subject);
create index identities_of_user on identities (user_id);

-- A sign-in at an outside issuer that is under way. `binding_hash` ties it to the browser that began it.
create table sign_in_attempts (
    state_hash text primary key,
    binding_hash text not null,
    nonce text not null,
    verifier text not null,
    return_to text not null,
    invitation text,
    user_id uuid references users (id) on delete cascade,
    session_id uuid references sessions (id) on delete cascade,
    expires_at bigint not null
);
create index sign_in_attempts_of_user on sign_in_attempts (user_id) where user_id is not null;
create index sign_in_attempts_of_session on sign_in_attempts (session_id) where session_id is not null;
create index sign_in_attempts_by_end on sign_in_attempts (expires_at);

-- A superuser's explicit, bounded access to a channel that they are no member of.
create table break_glass (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    channel_id uuid not null references channels (id) on delete cascade,
    reason text not null,
    created_at bigint not null,
    expires_at bigint not null,
    ended_at bigint
);
create index break_glass_open on break_glass (user_id, channel_id, expires_at);

-- Limits that hold across servers: when the next call would be in time (GCRA's theoretical arrival time).
create table rate_limits (
    key text primary key,
    arrival bigint not null
);
create index rate_limits_by_arrival on rate_limits (arrival);

-- What concerns security, append-only. Each row's hash covers the row and the hash before it: a changed, removed or
-- inserted row shows.
create table audit_log (
    number bigint primary key,
    at bigint not null,
    action text not null,
    actor_id uuid,
    actor_name text,
    session_id uuid,
    ip_address text,
    target_kind text,
    target_id text,
    detail text,
    hash text not null
);
create index audit_by_actor on audit_log (actor_id, number) where actor_id is not null;
create index audit_by_action on audit_log (action, number);
create index audit_by_target on audit_log (target_id, number) where target_id is not null;
create index audit_by_time on audit_log (at, number);
-- The chain's end; its row is also the lock that gives numbers.
create table audit_head (
    id bigint primary key,
    number bigint not null,
    hash text not null
);
insert into audit_head (id, number, hash) values (1, 0, '');
insert into policies (name, value, updated_at) values ('accounts', '{}', 0);

-- What is to be brought to somebody's attention: one row a person and message.
create table notifications (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    kind text not null,
    channel_id uuid not null references channels (id) on delete cascade,
    message_id uuid not null references messages (id) on delete cascade,
    actor_id uuid not null references users (id),
    created_at bigint not null,
    read_at bigint
);
create unique index notifications_once on notifications (message_id, user_id);
create index notifications_of_user on notifications (user_id, id);
create index notifications_by_time on notifications (created_at);
create index notifications_unread on notifications (user_id, id) where read_at is null;
