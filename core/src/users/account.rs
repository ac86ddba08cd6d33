//! What administrators do with accounts.

use confab_protocol::{EventKind, Timestamp, User, UserId};
use serde_json::json;

use super::{NewUser, covered, create, find};
use crate::audit::{self, Action, Target};
use crate::db::write::Emission;
use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};
use crate::roles::Granted;
use crate::sessions::{self, Spare};
use crate::{break_glass, policies, tickets};

const SET_ACTIVE: &str =
    "update users set is_active = $2, updated_at = $3 where id = $1 and deleted_at is null";
const SET_SUPERUSER: &str = "update users set is_superuser = $2, updated_at = $3 where id = $1";
const OTHER_PEOPLE: &str = "select count(*) from
    (select 1 from users where is_bot = false and id <> $1 limit 1) as found";
const OTHER_SUPERUSERS: &str =
    "select count(*) from users where is_superuser = true and is_active = true and id <> $1";

/// Whether anybody else has an account, or had one; bots are nobody.
pub async fn has_others(on: &mut impl Read, id: UserId) -> Result<bool> {
    let found: i64 = run!(on, sqlx::query_scalar(OTHER_PEOPLE).bind(id.0), fetch_one)?;
    Ok(found > 0)
}

/// Makes an account for someone else. A superuser vouches for its address.
///
/// # Errors
/// [`Fault::Conflict`] with code `name_taken`; [`Fault::Forbidden`] for a superuser made by none.
pub async fn create_account(tx: &mut Tx, by: &Granted, mut user: NewUser) -> Result<User> {
    // With an address, its person would sign in at an outside issuer as this bot, whose tokens somebody holds.
    if user.is_bot && (user.password_hash.is_some() || user.is_superuser || user.email.is_some()) {
        return Err(Fault::invalid(
            "is_bot",
            "a bot has tokens, no password and no address, and is no superuser",
        ));
    }
    if user.is_superuser {
        by.superuser()?;
    }
    // A manager of users could make an account in wait for somebody; a superuser needs no such way.
    user.email_is_verified = user.email.is_some() && by.standing().is_superuser;
    user.created_by_id = by.actor().user_id;
    let (is_bot, is_superuser) = (user.is_bot, user.is_superuser);
    let made = create(tx, user).await?;
    let detail = json!({ "username": made.username, "is_bot": is_bot, "is_superuser": is_superuser });
    audit::note(tx, by.actor(), Action::AccountCreated, Some(Target::user(made.id)), detail).await?;
    Ok(made)
}

/// Keeps somebody out: their sessions end, their tokens rest, their sockets close.
///
/// # Errors
/// [`Fault::Conflict`] with code `last_superuser` or `own_account`; [`Fault::Forbidden`] for who may more.
pub async fn disable(tx: &mut Tx, by: &Granted, id: UserId) -> Result<User> {
    policies::lock(tx).await?;
    let user = covered(tx, by, id).await?;
    refuse_own(by, id)?;
    keep_one_superuser(tx, &user).await?;
    set_active(tx, id, false).await?;
    sessions::end_all(tx, id, Spare { session: None, tokens: true }).await?;
    sessions::interrupt(tx, id).await?;
    sessions::end_made_by(tx, id).await?;
    tickets::void_links(tx, id).await?;
    audit::note(tx, by.actor(), Action::AccountDisabled, Some(Target::user(id)), json!(null)).await?;
    find(tx, id).await
}

/// Lets somebody in again.
pub async fn enable(tx: &mut Tx, by: &Granted, id: UserId) -> Result<User> {
    covered(tx, by, id).await?;
    set_active(tx, id, true).await?;
    audit::note(tx, by.actor(), Action::AccountEnabled, Some(Target::user(id)), json!(null)).await?;
    find(tx, id).await
}

/// Puts a bot to rest whose work is done: nobody acts as it any more, and what it wrote keeps its name.
pub(crate) async fn rest(tx: &mut Tx, id: UserId) -> Result<()> {
    set_active(tx, id, false).await?;
    sessions::interrupt(tx, id).await
}

async fn set_active(tx: &mut Tx, id: UserId, is_active: bool) -> Result<()> {
    run!(tx, sqlx::query(SET_ACTIVE).bind(id.0).bind(is_active).bind(Timestamp::now().0), execute)?;
    tx.emit(Emission::new(EventKind::UserUpdated, id));
    Ok(())
}

/// Makes a superuser, or makes one a plain user again; `None` turns it over.
///
/// # Errors
/// [`Fault::Conflict`] with code `last_superuser`, or `not_for_bots`.
pub async fn set_superuser(tx: &mut Tx, by: &Granted, id: UserId, wanted: Option<bool>) -> Result<User> {
    by.superuser()?;
    policies::lock(tx).await?;
    let user = covered(tx, by, id).await?;
    let wanted = wanted.unwrap_or(!user.is_superuser);
    if wanted && (user.is_bot || !user.is_active) {
        return Err(Fault::conflict("not_for_bots", "a bot or a disabled account cannot be a superuser"));
    }
    if !wanted {
        keep_one_superuser(tx, &user).await?;
    }
    if wanted != user.is_superuser {
        run!(tx, sqlx::query(SET_SUPERUSER).bind(id.0).bind(wanted).bind(Timestamp::now().0), execute)?;
        tx.emit(Emission::new(EventKind::UserUpdated, id));
        tx.emit(Emission::new(EventKind::AccessChanged, id));
        // A link that a lesser administrator made must not open a superuser's account, nor a glass that was broken once
        // stay broken for when they are superuser again.
        tickets::void_links(tx, id).await?;
        break_glass::end_all(tx, id).await?;
        let detail = json!({ "is_superuser": wanted });
        audit::note(tx, by.actor(), Action::SuperuserChanged, Some(Target::user(id)), detail).await?;
    }
    find(tx, id).await
}

/// Nobody shuts themselves out by mistake; another superuser can.
pub(crate) fn refuse_own(by: &Granted, id: UserId) -> Result<()> {
    if by.actor().user_id == Some(id) {
        return Err(Fault::conflict(
            "own_account",
            "this is your own account; another administrator can do this",
        ));
    }
    Ok(())
}

/// Under [`policies::lock`]: a server that nobody administers can only be mended at its command line.
pub(super) async fn keep_one_superuser(tx: &mut Tx, user: &User) -> Result<()> {
    if !user.is_superuser || !user.is_active {
        return Ok(());
    }
    let others: i64 = run!(tx, sqlx::query_scalar(OTHER_SUPERUSERS).bind(user.id.0), fetch_one)?;
    if others == 0 {
        return Err(Fault::conflict("last_superuser", "the last superuser cannot be removed"));
    }
    Ok(())
}
