//! Membership: an interval of the channel's numbers, so that joining and leaving have an exact place among messages.

mod list;
mod past;
mod preferences;
mod role;

use std::collections::HashMap;

use confab_protocol::{ChannelId, ChannelKind, ChannelRole, EventKind, Timestamp, UserId};
use serde_json::json;
use uuid::Uuid;

use crate::access::{self, Take};
use crate::audit::{self, Action, Actor, Target};
use crate::db::write::Emission;
use crate::db::{Read, Tx, insert_rows, run, run_in};
use crate::fault::{Fault, Result};
use crate::users;

pub(crate) use list::rename;
pub use list::{list, list_missing, one, search};
pub use past::left_since;
pub(crate) use past::was_removed_since;
pub(crate) use preferences::level_of;
pub use preferences::{Preferences, prefer};
pub(crate) use role::gives;
pub use role::{Appointer, role_of, set_role};

/// Most people who are brought in by one call (docs/limits.md).
pub const AT_ONCE: usize = 100;
/// A server that is further behind than this begins anew.
const DELETION_HEARD_MS: i64 = 3_600_000;

const OPEN: &str = "insert into memberships (id, channel_id, user_id, from_seq, to_seq, role, read_seq, read_number, joined_at, list_key) ";
const CLOSE: &str = "update memberships set to_seq = $3, left_at = $4, removed_by_id = $5
    where channel_id = $1 and user_id = $2 and to_seq is null";
const COUNT: &str = "update channels set member_count = member_count + $2 where id = $1";
const PRESENT: &str =
    "select user_id from memberships where channel_id = $1 and to_seq is null and user_id in";
const KEYS: &str = "select id, username_key from users where id in";
const DEFAULTS: &str = "select id from channels where is_default = true and deleted_at is null and archived_at is null order by id";
const OF_USER: &str = "select channel_id, from_seq from memberships where user_id = $1 and to_seq is null";
const HEARD: &str =
    "select m.channel_id, m.from_seq, c.deleted_at from memberships m join channels c on c.id = m.channel_id
    where m.user_id = $1 and m.to_seq is null and (c.deleted_at is null or c.deleted_at > $2)";
const NEXT_IN_RANK: &str = "select m.user_id from memberships m join users u on u.id = m.user_id
    where m.channel_id = $1 and m.to_seq is null and u.is_bot = false and u.is_active = true
    order by case m.role when 'admin' then 0 when 'member' then 1 else 2 end, m.joined_at limit 1";

/// Makes users members; who is one already stays as they are. Answers how many were added.
pub async fn add(
    tx: &mut Tx,
    channel: ChannelId,
    people: &[(UserId, ChannelRole)],
    by: Option<UserId>,
) -> Result<usize> {
    Ok(add_new(tx, channel, people, by).await?.len())
}

/// The same; answers who was added.
async fn add_new(
    tx: &mut Tx,
    channel: ChannelId,
    people: &[(UserId, ChannelRole)],
    by: Option<UserId>,
) -> Result<Vec<UserId>> {
    // The lock first: two who add the same person at once must not both find them absent.
    access::place_of_system(tx, channel, Take::Events(0)).await?;
    let present = present(tx, channel, people).await?;
    let new: Vec<(UserId, ChannelRole)> =
        people.iter().filter(|it| !present.contains(&it.0.0)).copied().collect();
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let place = access::place_of_system(tx, channel, Take::Events(new.len() as i64)).await?;
    let now = Timestamp::now().0;
    let keys = keys(tx, &new).await?;
    let rows: Vec<(i64, UserId, ChannelRole, String)> = new
        .iter()
        .zip(place.first_seq..)
        .map(|((user, role), seq)| {
            let key = keys.get(&user.0).map(String::as_str).unwrap_or_default();
            (seq, *user, *role, list::key_of(*role, key))
        })
        .collect();
    // Who joins has nothing unread: the past is there to read, not to catch up with.
    let read_number = place.first_number - 1;
    insert_rows!(
        tx,
        OPEN,
        rows,
        |values, row| values
            .push_bind(confab_protocol::fresh_id())
            .push_bind(channel.0)
            .push_bind(row.1.0)
            .push_bind(row.0)
            .push_bind(None::<i64>)
            .push_bind(row.2.as_str())
            .push_bind(row.0)
            .push_bind(read_number)
            .push_bind(now)
            .push_bind(row.3.clone()),
        ""
    );
    run!(tx, sqlx::query(COUNT).bind(channel.0).bind(rows.len() as i64), execute)?;
    for (seq, user, role, _) in &rows {
        let mut emission =
            Emission::new(EventKind::MemberJoined, *user).at(channel, *seq).detail(role.as_str());
        (emission.actor_id, emission.created_at) = (by, Timestamp(now));
        tx.emit(emission);
    }
    Ok(new.into_iter().map(|it| it.0).collect())
}

/// The folded names of these people.
async fn keys(tx: &mut Tx, people: &[(UserId, ChannelRole)]) -> Result<HashMap<Uuid, String>> {
    let ids: Vec<Uuid> = people.iter().map(|it| it.0.0).collect();
    let mut keys = HashMap::with_capacity(ids.len());
    for part in ids.chunks(500) {
        let rows: Vec<(Uuid, String)> = run_in!(tx, (Uuid, String), KEYS, part, "")?;
        keys.extend(rows);
    }
    Ok(keys)
}

async fn present(tx: &mut Tx, channel: ChannelId, people: &[(UserId, ChannelRole)]) -> Result<Vec<Uuid>> {
    let ids: Vec<Uuid> = people.iter().map(|it| it.0.0).collect();
    let mut present = Vec::new();
    for part in ids.chunks(500) {
        let rows: Vec<(Uuid,)> = run_in!(tx, (Uuid,), PRESENT, part, "", bind channel.0)?;
        present.extend(rows.into_iter().map(|row| row.0));
    }
    Ok(present)
}

/// Joins a public channel. Joining twice does nothing.
pub async fn join(tx: &mut Tx, user: UserId, channel: ChannelId) -> Result<()> {
    access::place_of_system(tx, channel, Take::Events(0)).await?;
    let admitted = access::admit(tx, user, channel).await?;
    // A superuser who broke the glass reads, and does no more.
    if !admitted.kind().is_open() && admitted.role().is_none() {
        return Err(Fault::NotFound("channel"));
    }
    if admitted.is_archived() {
        return Err(Fault::conflict("channel_archived", "this channel is archived"));
    }
    let people = past::as_they_left(tx, channel, vec![user]).await?;
    add(tx, channel, &people, Some(user)).await?;
    Ok(())
}

/// Brings someone in: any member of a public channel but a guest, an admin of a private one.
pub async fn invite(tx: &mut Tx, by: impl Into<Actor>, channel: ChannelId, user: UserId) -> Result<bool> {
    Ok(!invite_all(tx, by, channel, &[user]).await?.is_empty())
}

/// Brings up to a hundred people in at once, all or none. Answers who was no member before.
///
/// # Errors
/// [`Fault::Invalid`] in `user_id` or `user_ids` for nobody, too many, or one who has no account;
/// [`Fault::Conflict`] for conversations and archived channels; those of the channel's door.
pub async fn invite_all(
    tx: &mut Tx,
    by: impl Into<Actor>,
    channel: ChannelId,
    people: &[UserId],
) -> Result<Vec<UserId>> {
    let actor = by.into();
    let by = actor.user_id.ok_or(Fault::NotFound("channel"))?;
    let mut people = people.to_vec();
    // In order: two who bring the same people in must not wait for each other.
    people.sort_unstable();
    people.dedup();
    if people.is_empty() || people.len() > AT_ONCE {
        return Err(Fault::invalid("user_ids", format!("name 1 to {AT_ONCE} people")));
    }
    // Their accounts first, then the channel: the order in which an account is deleted.
    for user in &people {
        users::lock(tx, *user).await?;
    }
    // Takes no number, but the lock: whoever lost their role a moment ago brings nobody in.
    access::place_of_system(tx, channel, Take::Events(0)).await?;
    let admitted = access::admit(tx, by, channel).await?;
    refuse_conversation(admitted.kind())?;
    admitted.at_least(if admitted.kind().is_open() { ChannelRole::Member } else { ChannelRole::Admin })?;
    if admitted.is_archived() {
        return Err(Fault::conflict("channel_archived", "this channel is archived"));
    }
    if !users::are_there(tx, &people).await? {
        let field = if people.len() == 1 { "user_id" } else { "user_ids" };
        return Err(Fault::invalid(field, "names someone who does not exist"));
    }
    let people = past::as_they_left(tx, channel, people).await?;
    let added = add_new(tx, channel, &people, Some(by)).await?;
    for user in added.iter().filter(|user| **user != by) {
        let detail = json!({ "channel_id": channel });
        audit::note(tx, &actor, Action::MemberAdded, Some(Target::user(*user)), detail).await?;
    }
    Ok(added)
}

/// A conversation is known by its people: with others it is another one.
fn refuse_conversation(kind: ChannelKind) -> Result<()> {
    match kind {
        ChannelKind::Direct => {
            Err(Fault::conflict("direct_is_for_two", "a direct conversation stays between its people"))
        }
        ChannelKind::Group => Err(Fault::conflict(
            "group_is_fixed",
            "a group conversation stays between its people; open another one with more",
        )),
        _ => Ok(()),
    }
}

/// Leaves, or is removed by an admin. From this place on the user receives nothing more of the channel.
pub async fn remove(tx: &mut Tx, by: impl Into<Actor>, channel: ChannelId, user: UserId) -> Result<()> {
    let actor = by.into();
    let by = actor.user_id.ok_or(Fault::NotFound("channel"))?;
    // The number first: under the channel's lock the roles read below are those of this place in its history.
    let place = access::place_of_system(tx, channel, Take::Events(1)).await?;
    let admitted = access::admit(tx, by, channel).await?;
    if admitted.kind() == ChannelKind::Direct {
        return Err(Fault::conflict("direct_is_for_two", "a direct conversation stays between its people"));
    }
    if by != user {
        admitted.at_least(ChannelRole::Admin)?;
    }
    let theirs = access::admit(tx, user, channel)
        .await
        .ok()
        .and_then(|it| it.role())
        .ok_or(Fault::NotFound("member"))?;
    if by != user && admitted.role() <= Some(theirs) {
        return Err(Fault::forbidden("role_too_low", "only somebody of a higher role may remove a member"));
    }
    if theirs == ChannelRole::Owner {
        role::keep_an_owner(tx, channel, user).await?;
    }
    close(tx, channel, user, place.first_seq, by).await?;
    if theirs == ChannelRole::Owner {
        role::follow_owner(tx, channel, user).await?;
    }
    if by != user {
        let detail = json!({ "channel_id": channel });
        audit::note(tx, &actor, Action::MemberRemoved, Some(Target::user(user)), detail).await?;
    }
    Ok(())
}

async fn close(tx: &mut Tx, channel: ChannelId, user: UserId, seq: i64, by: UserId) -> Result<()> {
    let (now, removed_by) = (Timestamp::now().0, (by != user).then_some(by.0));
    if run!(
        tx,
        sqlx::query(CLOSE).bind(channel.0).bind(user.0).bind(seq).bind(now).bind(removed_by),
        execute
    )? == 0
    {
        return Err(Fault::NotFound("member"));
    }
    run!(tx, sqlx::query(COUNT).bind(channel.0).bind(-1_i64), execute)?;
    tx.emit(Emission::new(EventKind::MemberLeft, user).at(channel, seq).by(by));
    Ok(())
}

/// Takes someone out whose account is being deleted. A channel that they alone owned passes to the next in rank, then
/// in time: nobody could manage it otherwise.
pub(crate) async fn withdraw(tx: &mut Tx, channel: ChannelId, user: UserId) -> Result<()> {
    let place = match access::place_of_system(tx, channel, Take::Events(1)).await {
        // A deleted channel has nobody to tell.
        Err(Fault::NotFound(_)) => return Ok(()),
        other => other?,
    };
    let role = match access::admit(tx, user, channel).await {
        Ok(admitted) => admitted.role(),
        Err(Fault::NotFound(_)) => None,
        // Taken for "no member", it would leave a deleted person in the channel.
        Err(fault) => return Err(fault),
    };
    let Some(role) = role else {
        // They were removed a moment ago.
        return access::give_back(tx, channel, Take::Events(1)).await;
    };
    let was_owner = role == ChannelRole::Owner;
    close(tx, channel, user, place.first_seq, user).await?;
    if !was_owner {
        return Ok(());
    }
    if role::has_another_owner(tx, channel, user).await? {
        return role::follow_owner(tx, channel, user).await;
    }
    let next: Option<Uuid> = run!(tx, sqlx::query_scalar(NEXT_IN_RANK).bind(channel.0), fetch_optional)?;
    let Some(next) = next else { return Ok(()) };
    let place = access::place_of_system(tx, channel, Take::Events(1)).await?;
    role::write(tx, channel, UserId(next), ChannelRole::Owner).await?;
    role::follow_owner(tx, channel, user).await?;
    let role = ChannelRole::Owner.as_str();
    tx.emit(Emission::new(EventKind::RoleUpdated, next).at(channel, place.first_seq).detail(role));
    Ok(())
}

/// Lets a new user into the channels that are everyone's.
pub(crate) async fn join_defaults(tx: &mut Tx, user: UserId) -> Result<()> {
    let channels: Vec<Uuid> = run!(tx, sqlx::query_scalar(DEFAULTS), fetch_all)?;
    for channel in channels {
        add(tx, ChannelId(channel), &[(user, ChannelRole::Member)], Some(user)).await?;
    }
    Ok(())
}

/// Which channels somebody hears, and since which number.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// Their channels.
    pub channels: Vec<(ChannelId, i64)>,
    /// Some of them are deleted. It is heard of them that they are, and nobody shows around one by them.
    pub has_deleted: bool,
}

/// What one user hears: the channels that they are in, and of those that were deleted within the last hour the deletion
/// itself, which a server may not have come to yet.
pub async fn heard_by(on: &mut impl Read, user: UserId) -> Result<Heard> {
    let since = Timestamp::now().0 - DELETION_HEARD_MS;
    let rows: Vec<(Uuid, i64, Option<i64>)> =
        run!(on, sqlx::query_as(HEARD).bind(user.0).bind(since), fetch_all)?;
    let has_deleted = rows.iter().any(|row| row.2.is_some());
    Ok(Heard { channels: rows.into_iter().map(|row| (ChannelId(row.0), row.1)).collect(), has_deleted })
}

/// One user's open memberships, of deleted channels too: channel, and since which number.
pub async fn of_user(on: &mut impl Read, user: UserId) -> Result<Vec<(ChannelId, i64)>> {
    let rows: Vec<(Uuid, i64)> = run!(on, sqlx::query_as(OF_USER).bind(user.0), fetch_all)?;
    Ok(rows.into_iter().map(|row| (ChannelId(row.0), row.1)).collect())
}
