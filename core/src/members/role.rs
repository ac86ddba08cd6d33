//! Roles in a channel: who gives them, and that somebody owns it.
//!
//! Nobody changes the role of somebody who is not below them, and nobody gives what they have not. Admins make members
//! and guests, owners make admins and owners; an owner is lowered by nobody but themselves.

use confab_protocol::{ChannelId, ChannelKind, ChannelRole, EventKind, UserId};
use serde_json::json;

use super::list;
use crate::access::{self, Admitted, Take};
use crate::audit::{self, Action, Actor, Target};
use crate::db::write::Emission;
use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};

const ROLE: &str = "select role from memberships where channel_id = $1 and user_id = $2 and to_seq is null";
// The digit before the name is the role's place in the list.
const WRITE: &str = "update memberships set role = $3, list_key = $4 || substr(list_key, 2)
    where channel_id = $1 and user_id = $2 and to_seq is null";
// Bots and accounts that are shut hand nothing over: an owner is a person who can come.
const OTHER_OWNERS: &str = "select count(*) from memberships m join users u on u.id = m.user_id
    where m.channel_id = $1 and m.to_seq is null and m.role = 'owner' and m.user_id <> $2
    and u.is_active = true and u.is_bot = false";
const ANY_OWNER: &str =
    "select count(*) from memberships where channel_id = $1 and to_seq is null and role = 'owner'";
const CAN_COME: &str = "select count(*) from users where id = $1 and is_active = true and is_bot = false";
const FOLLOW_OWNER: &str = "update channels set owner_id = coalesce((select m.user_id from memberships m
    where m.channel_id = $1 and m.to_seq is null and m.role = 'owner' order by m.joined_at, m.user_id limit 1), owner_id)
    where id = $1 and (owner_id = $2 or owner_id is null)";

/// Who gives a role.
#[derive(Clone, Debug)]
pub struct Appointer {
    /// Who, for the audit log.
    pub actor: Actor,
    /// A superuser names the first owner of an open channel that has none, such as those of a fresh server.
    pub is_superuser: bool,
}

/// The role of a member; none is no member.
pub async fn role_of(on: &mut impl Read, channel: ChannelId, user: UserId) -> Result<Option<ChannelRole>> {
    let word: Option<String> =
        run!(on, sqlx::query_scalar(ROLE).bind(channel.0).bind(user.0), fetch_optional)?;
    Ok(word.as_deref().and_then(ChannelRole::from_word))
}

/// Gives a member a role. Answers whether it is another one than before.
///
/// # Errors
/// [`Fault::Forbidden`] with code `role_too_low`; [`Fault::Conflict`] with code `last_owner`, `cannot_own` or
/// `no_roles_here`; [`Fault::NotFound`] for who is no member.
pub async fn set_role(
    tx: &mut Tx,
    by: &Appointer,
    channel: ChannelId,
    user: UserId,
    role: ChannelRole,
) -> Result<bool> {
    let actor_id = by.actor.user_id.ok_or(Fault::NotFound("channel"))?;
    // The number first: under the channel's lock the roles read below are those of this place in its history.
    let place = access::place_of_system(tx, channel, Take::Events(1)).await?;
    let admitted = access::admit(tx, actor_id, channel).await?;
    if matches!(admitted.kind(), ChannelKind::Direct | ChannelKind::Group) {
        return Err(Fault::conflict("no_roles_here", "in a conversation everyone may the same"));
    }
    let is_first_owner = names_first_owner(tx, by, &admitted, role).await?;
    if !is_first_owner {
        admitted.at_least(ChannelRole::Admin)?;
    }
    let theirs = role_of(tx, channel, user).await?.ok_or(Fault::NotFound("member"))?;
    if !is_first_owner {
        may_give(&admitted, user, theirs, role)?;
    }
    if theirs == role {
        access::give_back(tx, channel, Take::Events(1)).await?;
        return Ok(false);
    }
    if theirs == ChannelRole::Owner {
        keep_an_owner(tx, channel, user).await?;
    }
    if role == ChannelRole::Owner {
        can_own(tx, user).await?;
    }
    write(tx, channel, user, role).await?;
    if theirs == ChannelRole::Owner || role == ChannelRole::Owner {
        follow_owner(tx, channel, user).await?;
    }
    let emission = Emission::new(EventKind::RoleUpdated, user).at(channel, place.first_seq);
    tx.emit(emission.by(actor_id).detail(role.as_str()));
    let detail = json!({ "channel_id": channel, "role": role, "before": theirs });
    audit::note(tx, &by.actor, Action::MemberRoleChanged, Some(Target::user(user)), detail).await?;
    Ok(true)
}

/// Whether whoever has `own` role may give `role` to others: by hand and by invitation alike.
pub(crate) fn gives(own: ChannelRole, role: ChannelRole) -> bool {
    match own {
        ChannelRole::Owner => true,
        ChannelRole::Admin => role < ChannelRole::Admin,
        ChannelRole::Member | ChannelRole::Guest => false,
    }
}

fn may_give(by: &Admitted, user: UserId, theirs: ChannelRole, role: ChannelRole) -> Result<()> {
    let own = by.member()?;
    if by.user_id() == user {
        // Whoever steps down needs nobody's leave; up leads nobody by themselves.
        return if role <= own { Ok(()) } else { Err(too_low("nobody raises themselves")) };
    }
    if theirs >= own {
        return Err(too_low("only somebody of a higher role may change it"));
    }
    if gives(own, role) { Ok(()) } else { Err(too_low("only owners make admins and owners")) }
}

fn too_low(message: &'static str) -> Fault {
    Fault::forbidden("role_too_low", message)
}

async fn names_first_owner(
    tx: &mut Tx,
    by: &Appointer,
    admitted: &Admitted,
    role: ChannelRole,
) -> Result<bool> {
    if !by.is_superuser || role != ChannelRole::Owner || !admitted.kind().is_open() {
        return Ok(false);
    }
    let owners: i64 = run!(tx, sqlx::query_scalar(ANY_OWNER).bind(admitted.channel_id().0), fetch_one)?;
    Ok(owners == 0)
}

async fn can_own(tx: &mut Tx, user: UserId) -> Result<()> {
    let found: i64 = run!(tx, sqlx::query_scalar(CAN_COME).bind(user.0), fetch_one)?;
    if found > 0 {
        return Ok(());
    }
    Err(Fault::conflict("cannot_own", "a channel is owned by a person who can sign in"))
}

/// Refuses what would leave a channel without an owner. Under the channel's lock, so that of two owners who go at the
/// same time one stays.
pub(super) async fn keep_an_owner(tx: &mut Tx, channel: ChannelId, goes: UserId) -> Result<()> {
    if has_another_owner(tx, channel, goes).await? {
        return Ok(());
    }
    Err(Fault::conflict(
        "last_owner",
        "the last owner cannot go; make somebody else an owner first, or delete the channel",
    ))
}

pub(super) async fn has_another_owner(tx: &mut Tx, channel: ChannelId, than: UserId) -> Result<bool> {
    let others: i64 = run!(tx, sqlx::query_scalar(OTHER_OWNERS).bind(channel.0).bind(than.0), fetch_one)?;
    Ok(others > 0)
}

/// The channel is named after the owner who is longest there, once the one before is none any more.
pub(super) async fn follow_owner(tx: &mut Tx, channel: ChannelId, gone: UserId) -> Result<()> {
    run!(tx, sqlx::query(FOLLOW_OWNER).bind(channel.0).bind(gone.0), execute)?;
    Ok(())
}

pub(super) async fn write(tx: &mut Tx, channel: ChannelId, user: UserId, role: ChannelRole) -> Result<()> {
    let rank = list::rank(role).to_string();
    run!(
        tx,
        sqlx::query(WRITE).bind(channel.0).bind(user.0).bind(role.as_str()).bind(rank.clone()),
        execute
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_gives_what_they_have_not() {
        use ChannelRole::{Admin, Guest, Member, Owner};
        for role in [Guest, Member, Admin, Owner] {
            assert!(gives(Owner, role));
            assert_eq!(gives(Admin, role), role < Admin);
            assert!(!gives(Member, role) && !gives(Guest, role));
        }
    }
}
