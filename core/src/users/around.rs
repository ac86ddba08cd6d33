//! Whom one may look up: everybody, but for guests the people of their channels.

use confab_protocol::{UserId, UserRef};

use super::RefRow;
use crate::db::{Read, run};
use crate::fault::Result;
use crate::text;

// Whoever is more than a guest anywhere is found at the first row.
const IS_MORE: &str =
    "select count(*) from (select 1 from memberships m join channels c on c.id = m.channel_id
    where m.user_id = $1 and m.to_seq is null and m.role <> 'guest' and c.deleted_at is null
    and c.kind not in ('direct', 'group') limit 1) as found";
const IS_GUEST: &str = "select count(*) from (select 1 from memberships m join channels c on c.id = m.channel_id
    where m.user_id = $1 and m.to_seq is null and m.role = 'guest' and c.deleted_at is null limit 1) as found";
const KNOWS: &str = "select count(*) from (select 1 from memberships mine
    join memberships theirs on theirs.channel_id = mine.channel_id and theirs.user_id = $2 and theirs.to_seq is null
    where mine.user_id = $1 and mine.to_seq is null limit 1) as found";
const SEARCH: &str = "select id, username, full_name, picture_url, is_bot from users
    where is_active = true and username_key > $1 and username_key >= $2 and username_key < $3
    and exists (select 1 from memberships mine
    join memberships theirs on theirs.channel_id = mine.channel_id and theirs.user_id = users.id and theirs.to_seq is null
    where mine.user_id = $4 and mine.to_seq is null)
    order by username_key limit $5";

/// Whether somebody was only ever invited as a guest: a guest in channels, and nowhere more than that.
pub async fn is_guest(on: &mut impl Read, user: UserId) -> Result<bool> {
    let more: i64 = run!(on, sqlx::query_scalar(IS_MORE).bind(user.0), fetch_one)?;
    if more > 0 {
        return Ok(false);
    }
    let guest: i64 = run!(on, sqlx::query_scalar(IS_GUEST).bind(user.0), fetch_one)?;
    Ok(guest > 0)
}

/// Whether `user` may look `other` up.
pub async fn may_look_up(on: &mut impl Read, user: UserId, other: UserId) -> Result<bool> {
    if user == other || !is_guest(on, user).await? {
        return Ok(true);
    }
    let shared: i64 = run!(on, sqlx::query_scalar(KNOWS).bind(user.0).bind(other.0), fetch_one)?;
    Ok(shared > 0)
}

/// Active users whom `user` may look up and whose names begin with `prefix`, after the folded name `after`, in order of
/// their folded names.
pub async fn look_up(
    on: &mut impl Read,
    user: UserId,
    prefix: &str,
    after: &str,
    limit: u32,
) -> Result<Vec<UserRef>> {
    if !is_guest(on, user).await? {
        return super::search(on, prefix, after, limit).await;
    }
    let from = text::key(prefix);
    let to = format!("{from}\u{10FFFF}");
    let rows: Vec<RefRow> = run!(
        on,
        sqlx::query_as(SEARCH)
            .bind(after.to_owned())
            .bind(from.clone())
            .bind(to.clone())
            .bind(user.0)
            .bind(i64::from(limit)),
        fetch_all
    )?;
    Ok(rows.into_iter().map(UserRef::from).collect())
}
