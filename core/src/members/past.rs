//! What an ended membership still means: whoever comes back is no more than they were, and what shut them out holds.

use std::collections::HashMap;

use confab_protocol::{ChannelId, ChannelRole, Timestamp, UserId};
use uuid::Uuid;

use crate::db::{Read, Tx, fetch_rows, run, run_in};
use crate::fault::Result;

const ROLES: &str = "select user_id, from_seq, role from memberships where channel_id = $1 and user_id in";
const REMOVED: &str =
    "select left_at from memberships where channel_id = $1 and user_id = $2 and removed_by_id is not null
    and left_at >= $3 limit 1";
const LEFT: &str = "with asked (channel_id, seq) as (";
const LEFT_SINCE: &str = ") select m.channel_id, m.user_id, m.to_seq from asked a
    join memberships m on m.channel_id = a.channel_id and m.to_seq > a.seq where m.to_seq is not null";

/// Who has left channels since numbers of them, and at which number; whoever came back is among them.
pub async fn left_since(
    on: &mut impl Read,
    since: &[(ChannelId, i64)],
) -> Result<HashMap<ChannelId, Vec<(UserId, i64)>>> {
    let rows = fetch_rows!(
        on,
        (Uuid, Uuid, i64),
        LEFT,
        since,
        |values, pair| values.push_bind(pair.0.0).push_bind(pair.1),
        LEFT_SINCE
    );
    let mut left: HashMap<ChannelId, Vec<(UserId, i64)>> = HashMap::new();
    for (channel, user, seq) in rows {
        left.entry(ChannelId(channel)).or_default().push((UserId(user), seq));
    }
    Ok(left)
}

/// The roles in which people come into a channel by themselves or by another member: who left it as a guest is one
/// again, since leaving and joining would otherwise do what only an admin may.
pub(super) async fn as_they_left(
    tx: &mut Tx,
    channel: ChannelId,
    people: Vec<UserId>,
) -> Result<Vec<(UserId, ChannelRole)>> {
    let ids: Vec<Uuid> = people.iter().map(|user| user.0).collect();
    let past: Vec<(Uuid, i64, String)> = run_in!(tx, (Uuid, i64, String), ROLES, &ids, "", bind channel.0)?;
    let role_of = |user: UserId| {
        let last = past.iter().filter(|it| it.0 == user.0).max_by_key(|it| it.1);
        match last.and_then(|it| ChannelRole::from_word(&it.2)) {
            Some(ChannelRole::Guest) => ChannelRole::Guest,
            _ => ChannelRole::Member,
        }
    };
    Ok(people.into_iter().map(|user| (user, role_of(user))).collect())
}

/// Whether somebody was removed from a channel at `since` or after: what was given before does not bring them back.
pub(crate) async fn was_removed_since(
    tx: &mut Tx,
    channel: ChannelId,
    user: UserId,
    since: Timestamp,
) -> Result<bool> {
    let found: Option<i64> =
        run!(tx, sqlx::query_scalar(REMOVED).bind(channel.0).bind(user.0).bind(since.0), fetch_optional)?;
    Ok(found.is_some())
}
