-- Channels complete: what each member prefers, the order of members, the words by which channels are found, invitations
-- by code.

-- What one member prefers; null: as it comes.
alter table memberships add column starred boolean;
alter table memberships add column muted boolean;
-- `all`, `mentions` or `nothing`.
alter table memberships add column notification_level text;

-- The place in the list of members: a digit for the role, then the folded user name. A page of ten thousand members is a
-- step in an index.
alter table memberships add column list_key text;
update memberships set list_key = (select
    case memberships.role when 'owner' then '0' when 'admin' then '1' when 'member' then '2' else '3' end || u.username_key
    from users u where u.id = memberships.user_id);
create index memberships_in_order on memberships (channel_id, list_key) where to_seq is null;
create index memberships_unlisted on memberships (id) where list_key is null and to_seq is null;

-- A channel that everyone finds has a folded name; others and deleted ones have none.
create index channels_open on channels (name, id) where name_key is not null;

-- Words of names and descriptions, and their endings, in hex: its order is the same whatever the database's collation.
-- `rank`: 0 the name begins with it, 1 a word of the name, 2 it stands inside a word, 3 in the description.
create table channel_words (
    channel_id uuid not null references channels (id) on delete cascade,
    word text not null,
    rank bigint not null,
    primary key (channel_id, word)
);
create index channel_words_by_word on channel_words (word, channel_id, rank);
-- When that was done; channels of before are done at the next start.
alter table channels add column words_listed_at bigint;
create index channels_unlisted on channels (id) where words_listed_at is null and name <> '';

-- Invitations to one channel. Only hashes of their codes are kept.
create table channel_invitations (
    id uuid primary key,
    code_hash text not null unique,
    channel_id uuid not null references channels (id) on delete cascade,
    created_by_id uuid not null references users (id) on delete cascade,
    role text not null,
    uses_left bigint not null,
    created_at bigint not null,
    expires_at bigint not null
);
create index channel_invitations_of_channel on channel_invitations (channel_id, id);
create index channel_invitations_by_end on channel_invitations (expires_at);
