//! Who is in a channel, a page at a time: a step in an index, however many there are.

use confab_protocol::{ChannelId, ChannelRole, Member, Timestamp, UserId, UserRef};
use uuid::Uuid;

use crate::db::{Read, Tx, run};
use crate::fault::Result;
use crate::text;

const PAGE: &str = "select m.user_id, m.role, m.joined_at, m.list_key as key, u.username, u.full_name, u.picture_url, u.is_bot
    from memberships m join users u on u.id = m.user_id
    where m.channel_id = $1 and m.to_seq is null and m.list_key > $2 order by m.list_key limit $3";
// Few names begin with what somebody typed: they lead, and each is looked up in the channel.
const NAMED: &str = "select m.user_id, m.role, m.joined_at, u.username_key as key, u.username, u.full_name, u.picture_url, u.is_bot
    from users u cross join memberships m
    where u.username_key > $2 and u.username_key >= $3 and u.username_key < $4
    and m.channel_id = $1 and m.user_id = u.id and m.to_seq is null order by u.username_key limit $5";
const ONE: &str = "select m.user_id, m.role, m.joined_at, u.username_key as key, u.username, u.full_name, u.picture_url, u.is_bot
    from memberships m join users u on u.id = m.user_id
    where m.channel_id = $1 and m.user_id = $2 and m.to_seq is null";
const LIST_MISSING: &str = "update memberships set list_key = (select case memberships.role
    when 'owner' then '0' when 'admin' then '1' when 'member' then '2' else '3' end || u.username_key
    from users u where u.id = memberships.user_id) where list_key is null and to_seq is null";
const RENAME: &str =
    "update memberships set list_key = substr(list_key, 1, 1) || $2 where user_id = $1 and to_seq is null";

#[derive(sqlx::FromRow)]
struct MemberRow {
    user_id: Uuid,
    role: String,
    joined_at: i64,
    key: String,
    username: String,
    full_name: Option<String>,
    picture_url: Option<String>,
    is_bot: bool,
}

/// The place in the list: owners, admins, members, guests, each in order of name.
pub(super) fn key_of(role: ChannelRole, username_key: &str) -> String {
    format!("{}{username_key}", rank(role))
}

/// The first letter of the place.
pub(super) fn rank(role: ChannelRole) -> char {
    match role {
        ChannelRole::Owner => '0',
        ChannelRole::Admin => '1',
        ChannelRole::Member => '2',
        ChannelRole::Guest => '3',
    }
}

/// A page of a channel's members: owners first, then admins, members and guests, each in order of name. The second value
/// is where the next page begins. The caller has been admitted.
pub async fn list(
    on: &mut impl Read,
    channel: ChannelId,
    after: &str,
    limit: u32,
) -> Result<(Vec<Member>, Option<String>)> {
    let rows: Vec<MemberRow> = run!(
        on,
        sqlx::query_as(PAGE).bind(channel.0).bind(after.to_owned()).bind(i64::from(limit)),
        fetch_all
    )?;
    Ok(page(rows, limit))
}

/// A page of the members whose user names begin with `prefix`, in order of name. The caller has been admitted.
pub async fn search(
    on: &mut impl Read,
    channel: ChannelId,
    prefix: &str,
    after: &str,
    limit: u32,
) -> Result<(Vec<Member>, Option<String>)> {
    let from = text::key(prefix);
    let to = format!("{from}\u{10FFFF}");
    let rows: Vec<MemberRow> = run!(
        on,
        sqlx::query_as(NAMED)
            .bind(channel.0)
            .bind(after.to_owned())
            .bind(from.clone())
            .bind(to.clone())
            .bind(i64::from(limit)),
        fetch_all
    )?;
    Ok(page(rows, limit))
}

/// One member. The caller has been admitted.
pub async fn one(on: &mut impl Read, channel: ChannelId, user: UserId) -> Result<Option<Member>> {
    let row: Option<MemberRow> = run!(on, sqlx::query_as(ONE).bind(channel.0).bind(user.0), fetch_optional)?;
    Ok(row.map(Member::from))
}

impl From<MemberRow> for Member {
    fn from(row: MemberRow) -> Self {
        Self {
            user: UserRef {
                id: UserId(row.user_id),
                username: row.username,
                full_name: row.full_name,
                picture_url: row.picture_url,
                is_bot: row.is_bot,
            },
            role: ChannelRole::from_word(&row.role).unwrap_or(ChannelRole::Guest),
            joined_at: Timestamp(row.joined_at),
        }
    }
}

fn page(rows: Vec<MemberRow>, limit: u32) -> (Vec<Member>, Option<String>) {
    let next = rows.last().filter(|_| rows.len() == limit as usize).map(|row| row.key.clone());
    (rows.into_iter().map(Member::from).collect(), next)
}

/// Gives those a place whom a server of before let in, as while an update rolls over several servers. Asked at start.
pub async fn list_missing(tx: &mut Tx) -> Result<()> {
    run!(tx, sqlx::query(LIST_MISSING), execute)?;
    Ok(())
}

/// Whoever takes another name has another place in every list.
pub(crate) async fn rename(tx: &mut Tx, user: UserId, username: &str) -> Result<()> {
    run!(tx, sqlx::query(RENAME).bind(user.0).bind(text::key(username)), execute)?;
    Ok(())
}
