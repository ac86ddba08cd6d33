//! Whom one may look up: everybody, but for guests the people of their channels.

use confab_protocol::{UserId, UserRef};
use uuid::Uuid;

use super::RefRow;
use crate::db::{Read, run};
use crate::fault::Result;
use crate::text;
use crate::typos::{self, Near};

// Whoever is more than a guest anywhere is found at the first row.
const IS_MORE: &str =
    "select count(*) from (select 1 from memberships m join channels c on c.id = m.channel_id
    where m.user_id = $1 and m.to_seq is null and m.role <> 'guest' and c.deleted_at is null
    and c.kind not in ('direct', 'group') limit 1) as found";
// A guest of a channel that was deleted stays one: else whose only channel goes would learn who all the others are.
const IS_GUEST: &str = "select count(*) from (select 1 from memberships
    where user_id = $1 and to_seq is null and role = 'guest' limit 1) as found";
const KNOWS: &str = "select count(*) from (select 1 from memberships mine
    join memberships theirs on theirs.channel_id = mine.channel_id and theirs.user_id = $2 and theirs.to_seq is null
    join channels c on c.id = mine.channel_id and c.deleted_at is null
    where mine.user_id = $1 and mine.to_seq is null limit 1) as found";
const SEARCH: &str = "select id, username, full_name, picture_url, is_bot from users
    where is_active = true and username_key > $1 and username_key >= $2 and username_key < $3
    and exists (select 1 from memberships mine
    join memberships theirs on theirs.channel_id = mine.channel_id and theirs.user_id = users.id and theirs.to_seq is null
    join channels c on c.id = mine.channel_id and c.deleted_at is null
    where mine.user_id = $4 and mine.to_seq is null)
    order by username_key limit $5";

const NTH: &str = "select username_key from users
    where is_active = true and username_key >= $1 and username_key < $2
    order by username_key limit 1 offset $3";
const NTH_KNOWN: &str = "select username_key from users
    where is_active = true and username_key >= $1 and username_key < $2
    and exists (select 1 from memberships mine
    join memberships theirs on theirs.channel_id = mine.channel_id and theirs.user_id = users.id and theirs.to_seq is null
    join channels c on c.id = mine.channel_id and c.deleted_at is null
    where mine.user_id = $4 and mine.to_seq is null) order by username_key limit 1 offset $3";

const NAMES: &str =
    "select id, username, full_name from users where is_active = true order by username_key limit $1";
// Beginning with the guest's own channels, so that it costs what they share and not how many people there are.
const NAMES_KNOWN: &str = "select u.id, u.username, u.full_name from
    (select distinct theirs.user_id from memberships mine cross join channels c cross join memberships theirs
    where c.id = mine.channel_id and c.deleted_at is null and mine.user_id = $2 and mine.to_seq is null and theirs.channel_id = mine.channel_id and theirs.to_seq is null) found
    cross join users u where u.id = found.user_id and u.is_active = true order by u.username_key limit $1";

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

/// The folded name of the `number`th of those whom `user` may look up and whose names begin with `prefix`, counted from
/// one: where a page begins that passes over so many.
pub async fn nth(on: &mut impl Read, user: UserId, prefix: &str, number: i64) -> Result<Option<String>> {
    let from = text::key(prefix);
    let to = format!("{from}\u{10FFFF}");
    let passed = number - 1;
    // A guest who could pass over strangers would learn by it whether a name exists.
    Ok(if is_guest(on, user).await? {
        run!(
            on,
            sqlx::query_scalar(NTH_KNOWN).bind(from.clone()).bind(to.clone()).bind(passed).bind(user.0),
            fetch_optional
        )?
    } else {
        run!(on, sqlx::query_scalar(NTH).bind(from.clone()).bind(to.clone()).bind(passed), fetch_optional)?
    })
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

/// Whom each of `names` may mean, which nobody has: people whom `user` may look up and whose name is near to it, the nearest
/// first, with their user names. Nobody where too many ask at once.
pub async fn near(on: &mut impl Read, user: UserId, names: &[String]) -> Result<Near<UserId>> {
    let Some(turn) = typos::turn().await else { return Ok(Near::none(names)) };
    let most = typos::MOST_COMPARED;
    // A guest to whom a stranger were suggested would learn a name.
    let rows: Vec<(Uuid, String, Option<String>)> = if is_guest(on, user).await? {
        run!(on, sqlx::query_as(NAMES_KNOWN).bind(most).bind(user.0), fetch_all)?
    } else {
        run!(on, sqlx::query_as(NAMES).bind(most), fetch_all)?
    };
    let is_all = (rows.len() as i64) < most;
    let mut known = Vec::with_capacity(rows.len() * 2);
    for (id, username, full_name) in rows {
        known.extend(full_name.map(|name| (name, (UserId(id), username.clone()))));
        known.push((username.clone(), (UserId(id), username)));
    }
    turn.compare(names, known, is_all).await
}
