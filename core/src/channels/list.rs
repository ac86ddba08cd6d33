//! Channels as one user sees them: a page in one query, whatever the length of their histories.

use confab_protocol::{Channel, ChannelId, ChannelKind, ChannelRole, Timestamp, UserId, UserRef};
use uuid::Uuid;

use crate::db::{Read, run, run_in};
use crate::fault::{Fault, Result};
use crate::{members, users};

// Unread is a difference of message counts; mentions are few and counted by their own index. A message that mentions the
// whole channel is one row for everybody, and counts once for whom it names too.
const COLUMNS: &str = "select c.id, c.kind, c.name, c.description, c.topic, c.owner_id, c.archived_at, c.last_seq,
    c.message_count, c.member_count, c.created_at, c.updated_at, c.retention_days, m.role, m.read_seq, m.read_number,
    m.starred, m.muted, m.notification_level,
    (select count(*) from mentions n where n.user_id = $1 and n.channel_id = c.id and n.seq > m.read_seq)
    + (select count(*) from broadcasts b where b.channel_id = c.id and b.seq > m.read_seq and b.word = 'channel'
    and b.sender_id <> $1 and not exists (select 1 from mentions n
    where n.user_id = $1 and n.channel_id = c.id and n.seq = b.seq)) as mention_count
    from channels c";
const ONE: &str =
    "left join memberships m on m.channel_id = c.id and m.user_id = $1 and m.to_seq is null where c.id = $2";
const OF_IDS: &str =
    "left join memberships m on m.channel_id = c.id and m.user_id = $1 and m.to_seq is null where c.id in";
// The page is found first and its columns read after: counts of two thousand channels would be made for fifty. `cross
// join` holds SQLite to beginning with the user's memberships, which are fewer than everybody's channels.
const MINE: &str = "join (select c.id from memberships o cross join channels c
        where o.user_id = $1 and o.to_seq is null and c.id = o.channel_id and c.deleted_at is null
        and (c.name, c.id) > ($2, $3) order by c.name, c.id limit $4) found on found.id = c.id
    left join memberships m on m.channel_id = c.id and m.user_id = $1 and m.to_seq is null order by c.name, c.id";
// Open channels are walked in order of name through their own index: conversations of others are in none of the two.
const READABLE: &str = "join (select id, name from (select c.id, c.name from memberships o cross join channels c
        where o.user_id = $1 and o.to_seq is null and c.id = o.channel_id and c.deleted_at is null
        and (c.name, c.id) > ($2, $3) order by c.name, c.id limit $4) found_mine
        union select id, name from (select id, name from channels
        where name_key is not null and (name, id) > ($2, $3) order by name, id limit $4) found_open
        order by 2, 1 limit $4) found on found.id = c.id
    left join memberships m on m.channel_id = c.id and m.user_id = $1 and m.to_seq is null order by c.name, c.id";
const NTH_MINE: &str = "select c.name, c.id from channels c
    join memberships m on m.channel_id = c.id and m.user_id = $1 and m.to_seq is null
    where c.deleted_at is null order by c.name, c.id limit 1 offset $2";
const NTH_READABLE: &str = "select c.name, c.id from channels c
    left join memberships m on m.channel_id = c.id and m.user_id = $1 and m.to_seq is null
    where c.deleted_at is null and (m.role is not null or c.kind in ('public', 'voice'))
    order by c.name, c.id limit 1 offset $2";
const PEOPLE: &str = "select channel_id, user_id from memberships where to_seq is null and channel_id in";

/// Which channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Those the user is a member of.
    Mine,
    /// Those and every public one.
    Readable,
}

#[derive(sqlx::FromRow)]
struct ChannelRow {
    id: Uuid,
    kind: String,
    name: String,
    description: Option<String>,
    topic: Option<String>,
    owner_id: Option<Uuid>,
    archived_at: Option<i64>,
    last_seq: i64,
    message_count: i64,
    member_count: i64,
    created_at: i64,
    updated_at: i64,
    retention_days: Option<i64>,
    role: Option<String>,
    read_seq: Option<i64>,
    read_number: Option<i64>,
    starred: Option<bool>,
    muted: Option<bool>,
    notification_level: Option<String>,
    mention_count: i64,
}

impl ChannelRow {
    fn into_view(self) -> Result<Channel> {
        let kind = ChannelKind::from_word(&self.kind)
            .ok_or_else(|| Fault::Internal(format!("channel kind {}", self.kind)))?;
        let role = self.role.as_deref().and_then(ChannelRole::from_word);
        Ok(Channel {
            id: ChannelId(self.id),
            kind,
            name: self.name,
            description: self.description,
            topic: self.topic,
            owner_id: self.owner_id.map(UserId),
            archived_at: self.archived_at.map(Timestamp),
            last_seq: self.last_seq,
            message_count: self.message_count,
            member_count: self.member_count,
            created_at: Timestamp(self.created_at),
            updated_at: Timestamp(self.updated_at),
            retention_days: self.retention_days,
            is_private: !kind.is_open(),
            is_public: kind.is_open(),
            is_direct_message: matches!(kind, ChannelKind::Direct | ChannelKind::Group),
            is_vc: kind == ChannelKind::Voice,
            role,
            read_seq: self.read_seq,
            unread_count: self.read_number.map(|read| (self.message_count - read).max(0)),
            mention_count: role.map(|_| self.mention_count),
            starred: role.map(|_| self.starred.unwrap_or(false)),
            muted: role.map(|_| self.muted.unwrap_or(false)),
            notification_level: role.map(|_| members::level_of(self.notification_level.as_deref())),
            people: None,
        })
    }
}

/// One channel as a user sees it. The caller has been admitted.
pub async fn get(on: &mut impl Read, user: UserId, id: ChannelId) -> Result<Channel> {
    let text = format!("{COLUMNS} {ONE}");
    let row: Option<ChannelRow> =
        run!(on, sqlx::query_as(sqlx::AssertSqlSafe(text)).bind(user.0).bind(id.0), fetch_optional)?;
    let mut page = vec![row.ok_or(Fault::NotFound("channel"))?.into_view()?];
    add_people(on, &mut page).await?;
    page.pop().ok_or(Fault::NotFound("channel"))
}

/// Channels as a user sees them, in no order. The caller knows that the user may read them.
pub(crate) async fn of_ids(on: &mut impl Read, user: UserId, ids: &[Uuid]) -> Result<Vec<Channel>> {
    let text = format!("{COLUMNS} {OF_IDS}");
    let rows: Vec<ChannelRow> = run_in!(on, ChannelRow, text, ids, "", bind user.0)?;
    let mut page = rows.into_iter().map(ChannelRow::into_view).collect::<Result<Vec<_>>>()?;
    add_people(on, &mut page).await?;
    Ok(page)
}

/// A channel for everyone who receives an event of it: without anyone's own counts.
pub async fn for_event(on: &mut impl Read, id: ChannelId) -> Result<Channel> {
    let mut channel = get(on, UserId(Uuid::nil()), id).await?;
    (channel.role, channel.read_seq, channel.unread_count, channel.mention_count) = (None, None, None, None);
    Ok(channel)
}

/// A page of channels in order of name, after the one named by `after`.
pub async fn list(
    on: &mut impl Read,
    user: UserId,
    scope: Scope,
    after: Option<(String, ChannelId)>,
    limit: u32,
) -> Result<Vec<Channel>> {
    let text = format!("{COLUMNS} {}", if scope == Scope::Mine { MINE } else { READABLE });
    let (name, id) = after.unwrap_or((String::new(), ChannelId(Uuid::nil())));
    let rows: Vec<ChannelRow> = run!(
        on,
        sqlx::query_as(sqlx::AssertSqlSafe(text)).bind(user.0).bind(name).bind(id.0).bind(i64::from(limit)),
        fetch_all
    )?;
    let mut page = rows.into_iter().map(ChannelRow::into_view).collect::<Result<Vec<_>>>()?;
    add_people(on, &mut page).await?;
    Ok(page)
}

/// The `number`th channel in order of name, counted from one: where a page begins that passes over so many.
pub async fn nth(
    on: &mut impl Read,
    user: UserId,
    scope: Scope,
    number: i64,
) -> Result<Option<(String, ChannelId)>> {
    let text = if scope == Scope::Mine { NTH_MINE } else { NTH_READABLE };
    let row: Option<(String, Uuid)> =
        run!(on, sqlx::query_as(text).bind(user.0).bind(number - 1), fetch_optional)?;
    Ok(row.map(|(name, id)| (name, ChannelId(id))))
}

/// A conversation is known by its people.
async fn add_people(on: &mut impl Read, page: &mut [Channel]) -> Result<()> {
    let ids: Vec<Uuid> = page.iter().filter(|it| it.is_direct_message).map(|it| it.id.0).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let pairs: Vec<(Uuid, Uuid)> = run_in!(on, (Uuid, Uuid), PEOPLE, &ids, "")?;
    let mut users: Vec<UserId> = pairs.iter().map(|pair| UserId(pair.1)).collect();
    users.sort_unstable();
    users.dedup();
    let refs = users::refs(on, &users).await?;
    for channel in page.iter_mut().filter(|it| it.is_direct_message) {
        let people: Vec<UserRef> =
            refs.iter().filter(|user| pairs.contains(&(channel.id.0, user.id.0))).cloned().collect();
        channel.people = Some(people);
    }
    Ok(())
}
