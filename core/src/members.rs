//! Membership: an interval of the channel's numbers, so that joining and leaving have an exact place among messages.

use confab_protocol::{ChannelId, ChannelKind, ChannelRole, EventKind, Member, Timestamp, UserId, UserRef};
use serde_json::json;
use uuid::Uuid;

use crate::access::{self, Take};
use crate::audit::{self, Action, Actor, Target};
use crate::db::write::Emission;
use crate::db::{Read, Tx, insert_rows, run, run_in};
use crate::fault::{Fault, Result};
use crate::users;

const OPEN: &str = "insert into memberships (id, channel_id, user_id, from_seq, to_seq, role, read_seq, read_number, joined_at) ";
const CLOSE: &str =
    "update memberships set to_seq = $3 where channel_id = $1 and user_id = $2 and to_seq is null";
const COUNT: &str = "update channels set member_count = member_count + $2 where id = $1";
const PRESENT: &str =
    "select user_id from memberships where channel_id = $1 and to_seq is null and user_id in";
const PAGE: &str = "select m.user_id, m.role, m.joined_at, u.username, u.full_name, u.picture_url, u.is_bot
    from memberships m join users u on u.id = m.user_id
    where m.channel_id = $1 and m.to_seq is null and m.user_id > $2 order by m.user_id limit $3";
const DEFAULTS: &str = "select id from channels where is_default = true and deleted_at is null and archived_at is null order by id";
const OF_USER: &str = "select channel_id, from_seq from memberships where user_id = $1 and to_seq is null";
const OWNERS: &str =
    "select count(*) from memberships where channel_id = $1 and to_seq is null and role = 'owner'";
const NEXT_IN_RANK: &str = "select m.user_id from memberships m join users u on u.id = m.user_id
    where m.channel_id = $1 and m.to_seq is null and u.is_bot = false and u.is_active = true
    order by case m.role when 'admin' then 0 when 'member' then 1 else 2 end, m.joined_at limit 1";
const SET_ROLE: &str =
    "update memberships set role = $3 where channel_id = $1 and user_id = $2 and to_seq is null";
const SET_OWNER: &str = "update channels set owner_id = $2 where id = $1";
const READ_TO: &str = "update memberships set read_seq = $3,
    read_number = coalesce((select number from messages where channel_id = $1 and seq <= $3 order by seq desc limit 1), 0)
    where channel_id = $1 and user_id = $2 and to_seq is null and read_seq < $3";

/// Makes users members; who is one already stays as they are. Answers how many were added.
pub async fn add(
    tx: &mut Tx,
    channel: ChannelId,
    people: &[(UserId, ChannelRole)],
    by: Option<UserId>,
) -> Result<usize> {
    // The lock first: two who add the same person at once must not both find them absent.
    access::place_of_system(tx, channel, Take::Events(0)).await?;
    let present = present(tx, channel, people).await?;
    let new: Vec<(UserId, ChannelRole)> =
        people.iter().filter(|it| !present.contains(&it.0.0)).copied().collect();
    if new.is_empty() {
        return Ok(0);
    }
    let place = access::place_of_system(tx, channel, Take::Events(new.len() as i64)).await?;
    let now = Timestamp::now().0;
    let rows: Vec<(i64, UserId, ChannelRole)> =
        new.iter().zip(place.first_seq..).map(|((user, role), seq)| (seq, *user, *role)).collect();
    // Who joins has nothing unread: the past is there to read, not to catch up with.
    let read_number = place.first_number - 1;
    insert_rows!(
        tx,
        OPEN,
        rows,
        |values, row| values
            .push_bind(Uuid::now_v7())
            .push_bind(channel.0)
            .push_bind(row.1.0)
            .push_bind(row.0)
            .push_bind(None::<i64>)
            .push_bind(row.2.as_str())
            .push_bind(row.0)
            .push_bind(read_number)
            .push_bind(now),
        ""
    );
    run!(tx, sqlx::query(COUNT).bind(channel.0).bind(rows.len() as i64), execute)?;
    for (seq, user, role) in &rows {
        let mut emission =
            Emission::new(EventKind::MemberJoined, *user).at(channel, *seq).detail(role.as_str());
        (emission.actor_id, emission.created_at) = (by, Timestamp(now));
        tx.emit(emission);
    }
    Ok(rows.len())
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
    add(tx, channel, &[(user, ChannelRole::Member)], Some(user)).await?;
    Ok(())
}

/// Brings someone in: any member of a public channel, an admin of a private one.
pub async fn invite(tx: &mut Tx, by: impl Into<Actor>, channel: ChannelId, user: UserId) -> Result<bool> {
    let actor = by.into();
    let by = actor.user_id.ok_or(Fault::NotFound("channel"))?;
    // Their account first, then the channel: the order in which an account is deleted.
    users::lock(tx, user).await?;
    // Takes no number, but the lock: whoever lost their role a moment ago brings nobody in.
    access::place_of_system(tx, channel, Take::Events(0)).await?;
    let admitted = access::admit(tx, by, channel).await?;
    if admitted.kind() == ChannelKind::Direct {
        return Err(Fault::conflict("direct_is_for_two", "a direct conversation stays between its people"));
    }
    admitted.at_least(if admitted.kind().is_open() { ChannelRole::Member } else { ChannelRole::Admin })?;
    if !users::are_there(tx, &[user]).await? {
        return Err(Fault::invalid("user_id", "there is no such user"));
    }
    let is_new = add(tx, channel, &[(user, ChannelRole::Member)], Some(by)).await? > 0;
    if is_new && by != user {
        let detail = json!({ "channel_id": channel });
        audit::note(tx, &actor, Action::MemberAdded, Some(Target::user(user)), detail).await?;
    }
    Ok(is_new)
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
    if by != user && admitted.role() < Some(theirs) {
        return Err(Fault::forbidden("role_too_low", "an owner can only be removed by an owner"));
    }
    if theirs == ChannelRole::Owner {
        let owners: i64 = run!(tx, sqlx::query_scalar(OWNERS).bind(channel.0), fetch_one)?;
        if owners < 2 {
            return Err(Fault::conflict(
                "last_owner",
                "the last owner cannot leave; delete the channel instead",
            ));
        }
    }
    close(tx, channel, user, place.first_seq, by).await?;
    if by != user {
        let detail = json!({ "channel_id": channel });
        audit::note(tx, &actor, Action::MemberRemoved, Some(Target::user(user)), detail).await?;
    }
    Ok(())
}

async fn close(tx: &mut Tx, channel: ChannelId, user: UserId, seq: i64, by: UserId) -> Result<()> {
    if run!(tx, sqlx::query(CLOSE).bind(channel.0).bind(user.0).bind(seq), execute)? == 0 {
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
    let admitted = access::admit(tx, user, channel).await.ok().and_then(|it| it.role());
    let Some(role) = admitted else {
        // They were removed a moment ago.
        return access::give_back(tx, channel, Take::Events(1)).await;
    };
    let was_owner = role == ChannelRole::Owner;
    close(tx, channel, user, place.first_seq, user).await?;
    let owners: i64 = run!(tx, sqlx::query_scalar(OWNERS).bind(channel.0), fetch_one)?;
    if owners > 0 || !was_owner {
        return Ok(());
    }
    let next: Option<Uuid> = run!(tx, sqlx::query_scalar(NEXT_IN_RANK).bind(channel.0), fetch_optional)?;
    let Some(next) = next else { return Ok(()) };
    let place = access::place_of_system(tx, channel, Take::Events(1)).await?;
    run!(tx, sqlx::query(SET_ROLE).bind(channel.0).bind(next).bind(ChannelRole::Owner.as_str()), execute)?;
    run!(tx, sqlx::query(SET_OWNER).bind(channel.0).bind(next), execute)?;
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

#[derive(sqlx::FromRow)]
struct MemberRow {
    user_id: Uuid,
    role: String,
    joined_at: i64,
    username: String,
    full_name: Option<String>,
    picture_url: Option<String>,
    is_bot: bool,
}

/// A page of a channel's members by id. The caller has been admitted.
pub async fn list(
    on: &mut impl Read,
    channel: ChannelId,
    after: Option<UserId>,
    limit: u32,
) -> Result<Vec<Member>> {
    let after = after.map_or(Uuid::nil(), |id| id.0);
    let rows: Vec<MemberRow> =
        run!(on, sqlx::query_as(PAGE).bind(channel.0).bind(after).bind(i64::from(limit)), fetch_all)?;
    Ok(rows
        .into_iter()
        .map(|row| Member {
            user: UserRef {
                id: UserId(row.user_id),
                username: row.username,
                full_name: row.full_name,
                picture_url: row.picture_url,
                is_bot: row.is_bot,
            },
            role: ChannelRole::from_word(&row.role).unwrap_or(ChannelRole::Guest),
            joined_at: Timestamp(row.joined_at),
        })
        .collect())
}

/// One user's open memberships: channel, and since which number.
pub async fn of_user(on: &mut impl Read, user: UserId) -> Result<Vec<(ChannelId, i64)>> {
    let rows: Vec<(Uuid, i64)> = run!(on, sqlx::query_as(OF_USER).bind(user.0), fetch_all)?;
    Ok(rows.into_iter().map(|row| (ChannelId(row.0), row.1)).collect())
}

/// Notes how far a member has read; never backwards. Tells the member's other devices.
pub async fn mark_read(tx: &mut Tx, user: UserId, channel: ChannelId, seq: i64) -> Result<()> {
    let admitted = access::admit(tx, user, channel).await?;
    admitted.member()?;
    if seq < 0 || seq > admitted.last_seq() {
        return Err(Fault::invalid("seq", format!("must be between 0 and {}", admitted.last_seq())));
    }
    if read_to(tx, user, channel, seq).await? {
        let mut emission =
            Emission::new(EventKind::ReadUpdated, user).only_for(user).by(user).detail(seq.to_string());
        emission.place = Some((channel, 0));
        tx.emit(emission);
    }
    Ok(())
}

pub(crate) async fn read_to(tx: &mut Tx, user: UserId, channel: ChannelId, seq: i64) -> Result<bool> {
    Ok(run!(tx, sqlx::query(READ_TO).bind(channel.0).bind(user.0).bind(seq), execute)? > 0)
}
