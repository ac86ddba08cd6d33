//! Invitations to one channel, by a code that is shown once: whoever holds it and has an account comes in, with the role
//! that it carries, as long as its maker may give that role.

use std::time::Duration;

use confab_protocol::{ChannelId, ChannelRole, Timestamp, UserId};
use serde_json::json;
use uuid::Uuid;

use crate::access::{self, Take};
use crate::audit::{self, Action, Actor, Target};
use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};
use crate::members;
use crate::text;

/// How often one code may be used.
pub const USES: std::ops::RangeInclusive<i64> = 1..=1_000;
/// Hours for which one code may be good.
pub const HOURS: std::ops::RangeInclusive<i64> = 1..=720;
/// Live invitations of a channel (docs/limits.md).
const LIVE: i64 = 100;

const MAKE: &str = "insert into channel_invitations (id, code_hash, channel_id, created_by_id, role, uses_left, created_at, expires_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8)";
const COUNT_LIVE: &str =
    "select count(*) from channel_invitations where channel_id = $1 and expires_at > $2 and uses_left > 0";
const FIND: &str = "select channel_id from channel_invitations
    where code_hash = $1 and expires_at > $2 and uses_left > 0";
// One statement reads and counts down: two who race for the last use cannot both win.
const USE: &str = "update channel_invitations set uses_left = uses_left - 1
    where code_hash = $1 and expires_at > $2 and uses_left > 0 returning id, created_by_id, role, created_at";
const LIST: &str =
    "select id, created_by_id, role, uses_left, created_at, expires_at from channel_invitations
    where channel_id = $1 and id < $2 and expires_at > $3 and uses_left > 0 order by id desc limit $4";
const REVOKE: &str =
    "delete from channel_invitations where id = $1 and channel_id = $2 and expires_at > $3 and uses_left > 0";
const SWEEP: &str = "delete from channel_invitations where expires_at <= $1";

/// An invitation without its code.
#[derive(Clone, Debug)]
pub struct ChannelInvitation {
    /// Which.
    pub id: Uuid,
    /// Who made it.
    pub created_by_id: UserId,
    /// What whoever uses it becomes.
    pub role: ChannelRole,
    /// How often it still works.
    pub uses_left: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// What an invitation shall be.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// What whoever uses it becomes.
    pub role: ChannelRole,
    /// How many people may use it.
    pub uses: i64,
    /// For how long.
    pub hours: i64,
}

impl Terms {
    fn check(self) -> Result<()> {
        if self.role == ChannelRole::Owner {
            return Err(Fault::invalid(
                "role",
                "must be guest, member or admin; owners are named, not invited",
            ));
        }
        if !USES.contains(&self.uses) {
            return Err(Fault::invalid("max_uses", "must be between 1 and 1,000"));
        }
        if !HOURS.contains(&self.hours) {
            return Err(Fault::invalid("expires_in_hours", "must be between 1 and 720"));
        }
        Ok(())
    }
}

/// Makes an invitation: an admin's or owner's doing. Answers it with its code, which is shown this once.
///
/// # Errors
/// [`Fault::Invalid`] in `role`, `max_uses` or `expires_in_hours`; [`Fault::Forbidden`] with code `role_too_low`;
/// [`Fault::Conflict`] with code `too_many_invitations`, `channel_archived`, or for conversations.
pub async fn make(
    tx: &mut Tx,
    by: &Actor,
    channel: ChannelId,
    terms: Terms,
) -> Result<(ChannelInvitation, String)> {
    terms.check()?;
    let admitted = access::admit_manager(tx, by.user_id, channel).await?;
    let user = admitted.user_id();
    if admitted.is_archived() {
        return Err(Fault::conflict("channel_archived", "this channel is archived"));
    }
    if !members::gives(admitted.member()?, terms.role) {
        return Err(Fault::forbidden("role_too_low", "only owners make admins"));
    }
    let now = Timestamp::now();
    let live: i64 = run!(tx, sqlx::query_scalar(COUNT_LIVE).bind(channel.0).bind(now.0), fetch_one)?;
    if live >= LIVE {
        return Err(Fault::conflict(
            "too_many_invitations",
            format!("a channel has at most {LIVE} invitations; revoke one first"),
        ));
    }
    let code = text::secret();
    let made = ChannelInvitation {
        id: confab_protocol::fresh_id(),
        created_by_id: user,
        role: terms.role,
        uses_left: terms.uses,
        created_at: now,
        expires_at: now.plus(Duration::from_secs(terms.hours.unsigned_abs() * 3_600)),
    };
    run!(
        tx,
        sqlx::query(MAKE)
            .bind(made.id)
            .bind(text::hash(&code))
            .bind(channel.0)
            .bind(user.0)
            .bind(made.role.as_str())
            .bind(made.uses_left)
            .bind(made.created_at.0)
            .bind(made.expires_at.0),
        execute
    )?;
    let detail =
        json!({ "channel_id": channel, "role": terms.role, "max_uses": terms.uses, "hours": terms.hours });
    let target = Some(Target::new("channel_invitation", made.id));
    audit::note(tx, by, Action::ChannelInvitationCreated, target, detail).await?;
    Ok((made, code))
}

/// Joins by a code. Whoever is a member already stays as they are, and uses nothing up.
///
/// # Errors
/// [`Fault::NotFound`] alike for a code that never was, is used up, revoked or has expired, whose maker may not give its
/// role any more, whose channel is archived or gone, and for who was removed since it was made: whoever guesses learns
/// nothing.
pub async fn join(tx: &mut Tx, by: &Actor, code: &str) -> Result<ChannelId> {
    let unknown = || Fault::NotFound("invitation");
    let user = by.user_id.ok_or_else(unknown)?;
    let (hash, now) = (text::hash(code), Timestamp::now().0);
    let found: Option<Uuid> =
        run!(tx, sqlx::query_scalar(FIND).bind(hash.clone()).bind(now), fetch_optional)?;
    let channel = ChannelId(found.ok_or_else(unknown)?);
    // The channel's lock before the invitation's row: the maker's role is the one of this moment, and everybody who takes
    // both takes them in this order.
    let gone = |fault: Fault| match fault {
        Fault::NotFound(_) => unknown(),
        other => other,
    };
    access::place_of_system(tx, channel, Take::Events(0)).await.map_err(gone)?;
    if members::role_of(tx, channel, user).await?.is_some() {
        return Ok(channel);
    }
    let taken: Option<(Uuid, Uuid, String, i64)> =
        run!(tx, sqlx::query_as(USE).bind(hash.clone()).bind(now), fetch_optional)?;
    let (id, maker, role, made_at) = taken.ok_or_else(unknown)?;
    // Who was shown out does not come back, perhaps as an admin, by the code that they kept.
    if members::was_removed_since(tx, channel, user, Timestamp(made_at)).await? {
        return Err(unknown());
    }
    let role = ChannelRole::from_word(&role).ok_or_else(unknown)?;
    let maker = access::admit(tx, UserId(maker), channel).await.map_err(gone)?;
    // What its maker may give now counts, not what they might when they made it.
    if maker.is_archived() || !maker.role().is_some_and(|own| members::gives(own, role)) {
        return Err(unknown());
    }
    members::add(tx, channel, &[(user, role)], Some(user)).await?;
    let detail = json!({ "channel_id": channel, "role": role });
    let target = Some(Target::new("channel_invitation", id));
    audit::note(tx, by, Action::ChannelInvitationUsed, target, detail).await?;
    Ok(channel)
}

/// A page of a channel's live invitations, the newest first: those before `before`. An admin's or owner's to see.
pub async fn list(
    on: &mut impl Read,
    user: UserId,
    channel: ChannelId,
    before: Option<Uuid>,
    limit: u32,
) -> Result<Vec<ChannelInvitation>> {
    access::admit(on, user, channel).await?.at_least(ChannelRole::Admin)?;
    let rows: Vec<(Uuid, Uuid, String, i64, i64, i64)> = run!(
        on,
        sqlx::query_as(LIST)
            .bind(channel.0)
            .bind(before.unwrap_or(Uuid::max()))
            .bind(Timestamp::now().0)
            .bind(i64::from(limit)),
        fetch_all
    )?;
    let invitation = |(id, maker, role, uses_left, created_at, expires_at): (_, _, String, _, _, _)| {
        Some(ChannelInvitation {
            id,
            created_by_id: UserId(maker),
            role: ChannelRole::from_word(&role)?,
            uses_left,
            created_at: Timestamp(created_at),
            expires_at: Timestamp(expires_at),
        })
    };
    Ok(rows.into_iter().filter_map(invitation).collect())
}

/// Makes an invitation void: an admin's or owner's doing.
///
/// # Errors
/// [`Fault::NotFound`] for one that is over already, or of another channel.
pub async fn revoke(tx: &mut Tx, by: &Actor, channel: ChannelId, id: Uuid) -> Result<()> {
    access::admit_manager(tx, by.user_id, channel).await?;
    let now = Timestamp::now().0;
    if run!(tx, sqlx::query(REVOKE).bind(id).bind(channel.0).bind(now), execute)? == 0 {
        return Err(Fault::NotFound("invitation"));
    }
    let target = Some(Target::new("channel_invitation", id));
    audit::note(tx, by, Action::ChannelInvitationRevoked, target, json!({ "channel_id": channel })).await
}

/// Drops what has expired.
pub async fn sweep(tx: &mut Tx) -> Result<()> {
    run!(tx, sqlx::query(SWEEP).bind(Timestamp::now().0), execute)?;
    Ok(())
}
