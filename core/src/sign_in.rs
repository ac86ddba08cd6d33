//! Signing in with a password, and what a new password means. The one flow for every way that has a password in it.

use std::time::Duration;

use confab_protocol::{SessionId, Timestamp, User, UserId};
use serde_json::json;

use crate::audit::{self, Action, Actor, Target};
use crate::db::Tx;
use crate::fault::{Fault, Result};
use crate::passwords::{self, Tried};
use crate::rate_limits::{self, Quota};
use crate::roles::{self, Granted, Permission};
use crate::sessions::{self, Device, Method, Spare, Started};
use crate::tickets::{self, Holder, Purpose};
use crate::two_factor::{self, Code};
use crate::users::{self, Credentials, NewUser};
use crate::{Db, FutureExt};

/// A one-time link that an administrator hands over.
pub const LINK_LASTS: Duration = Duration::from_hours(24);
/// One that was mailed.
const MAILED_LASTS: Duration = Duration::from_hours(1);
/// Codes that may be tried for one account, wherever from: three of a million are good at a time, so that guessing one
/// takes more than half a year.
const CODES: Quota = Quota { count: 10, per: Duration::from_mins(10) };
/// Passwords that a signed-in session may try on its own account: a stolen one must not be a way to guess.
const PROOFS: Quota = Quota { count: 10, per: Duration::from_mins(10) };

/// What a sign-in came to.
#[derive(Debug)]
enum Outcome {
    Done(Started),
    /// Committed with what was noted of it, so it is no error yet.
    Refused(Fault),
}

/// Signs in with a password, and a code where a second factor is set up.
///
/// One answer for no such user, a wrong password and a disabled account, and one price: a hash and a row in the audit log.
///
/// # Errors
/// [`Fault::Unauthenticated`] with code `wrong_credentials`, `two_factor_required` (the password was right) or
/// `wrong_code`; [`Fault::RateLimited`] for codes, unless limits are off.
pub async fn with_password(
    db: &Db,
    login: &str,
    password: String,
    code: Option<String>,
    device: Device,
    is_limited: bool,
) -> Result<Started> {
    let known = users::credentials(&mut db.read(), login).await?;
    let stored = known.as_ref().and_then(|it| it.password_hash.clone());
    let tried = passwords::verify(password.clone(), stored).await?;
    let passed = known.clone().filter(|it| tried != Tried::Wrong && it.is_active);
    let Some(passed) = passed else {
        let actor = Actor::stranger(device.ip_address);
        db.write(move |tx| async move { note_refusal(tx, &actor, known).await }.boxed()).await?;
        return Err(wrong());
    };
    let renewed = if tried == Tried::RightButOld { Some(passwords::hash(password).await?) } else { None };
    let outcome = db
        .write(move |tx| {
            async move { second_step(tx, passed, code, renewed, device, is_limited).await }.boxed()
        })
        .await?;
    match outcome {
        Outcome::Done(started) => Ok(started),
        Outcome::Refused(fault) => Err(fault),
    }
}

fn wrong() -> Fault {
    Fault::Unauthenticated { code: "wrong_credentials", message: "user name or password is wrong" }
}

/// Also for nobody: a row less would be an answer sooner.
async fn note_refusal(tx: &mut Tx, actor: &Actor, known: Option<Credentials>) -> Result<()> {
    let reason = match &known {
        None => "unknown_account",
        Some(it) if !it.is_active => "disabled",
        Some(_) => "wrong_password",
    };
    let target = known.map(|it| Target::user(it.user_id));
    audit::note(tx, actor, Action::SignInFailed, target, json!({ "reason": reason })).await
}

async fn second_step(
    tx: &mut Tx,
    account: Credentials,
    code: Option<String>,
    renewed: Option<String>,
    device: Device,
    is_limited: bool,
) -> Result<Outcome> {
    let id = account.user_id;
    // The hash took its time, and others may have waited before it: whoever changed the password meanwhile is not to find
    // a session of the old one afterwards.
    users::lock(tx, id).await?;
    let now = users::credentials_of(tx, id).await?;
    if now.password_hash != account.password_hash || !now.is_active {
        return Ok(Outcome::Refused(wrong()));
    }
    if two_factor::is_enabled(tx, id).await? {
        let Some(code) = code else {
            let actor = Actor::stranger(device.ip_address.clone());
            audit::note(tx, &actor, Action::CodeAsked, Some(Target::user(id)), json!(null)).await?;
            return Ok(Outcome::Refused(Fault::Unauthenticated {
                code: "two_factor_required",
                message: "the code of your device is needed too",
            }));
        };
        let actor = Actor::user(id, None, device.ip_address.clone());
        if let Err(fault) = prove_code(tx, &actor, id, &code, is_limited).await? {
            return Ok(Outcome::Refused(fault));
        }
    }
    if let Some(hash) = renewed {
        users::set_password(tx, id, Some(hash)).await?;
    }
    Ok(Outcome::Done(sessions::start(tx, id, device, Method::Password).await?))
}

/// Tries a code. The inner result is an answer to commit: a try that is rolled back would not have been counted.
async fn prove_code(
    tx: &mut Tx,
    by: &Actor,
    user: UserId,
    code: &str,
    is_limited: bool,
) -> Result<Result<()>> {
    if is_limited {
        match rate_limits::take(tx, &format!("code:{user}"), CODES).await {
            Err(limited @ Fault::RateLimited { .. }) => return Ok(Err(limited)),
            other => other?,
        }
    }
    if two_factor::check(tx, by, user, code).await? != Code::Wrong {
        return Ok(Ok(()));
    }
    let detail = json!({ "reason": "wrong_code" });
    audit::note(
        tx,
        &Actor::stranger(by.ip_address.clone()),
        Action::SignInFailed,
        Some(Target::user(user)),
        detail,
    )
    .await?;
    Ok(Err(Fault::Unauthenticated { code: "wrong_code", message: "the code is wrong or was used before" }))
}

/// Asks a signed-in user for their password again, before what a stolen session must not do.
///
/// # Errors
/// [`Fault::Invalid`] in `field`; [`Fault::RateLimited`], unless limits are off.
pub async fn prove_password(
    db: &Db,
    user: UserId,
    password: String,
    field: &'static str,
    is_limited: bool,
) -> Result<()> {
    if is_limited {
        let key = format!("proof:{user}");
        db.write(move |tx| async move { rate_limits::take(tx, &key, PROOFS).await }.boxed()).await?;
    }
    let known = users::credentials_of(&mut db.read(), user).await?;
    if passwords::verify(password, known.password_hash).await? == Tried::Wrong {
        return Err(Fault::invalid(field, "is not your password"));
    }
    Ok(())
}

/// Asks a signed-in user for a code again.
///
/// # Errors
/// [`Fault::Invalid`] in `code`; [`Fault::RateLimited`].
pub async fn prove_second_factor(
    db: &Db,
    by: Actor,
    user: UserId,
    code: String,
    is_limited: bool,
) -> Result<()> {
    let proven =
        db.write(move |tx| async move { prove_code(tx, &by, user, &code, is_limited).await }.boxed()).await?;
    proven.map_err(|fault| match fault {
        Fault::Unauthenticated { message, .. } => Fault::invalid("code", message),
        other => other,
    })
}

/// Chooses another password. All other sessions end, and links to choose one are void.
///
/// # Errors
/// [`Fault::Invalid`] in `current_password` or `new_password`.
pub async fn change_password(
    db: &Db,
    by: Actor,
    kept: SessionId,
    current: Option<String>,
    new: String,
    is_limited: bool,
) -> Result<()> {
    let user = by.user_id.ok_or(Fault::NotFound("user"))?;
    let known = users::credentials_of(&mut db.read(), user).await?;
    if known.password_hash.is_some() {
        prove_password(db, user, current.unwrap_or_default(), "current_password", is_limited).await?;
    }
    let hash = passwords::accept("new_password", new, known.about).await?;
    db.write(move |tx| {
        async move {
            users::set_password(tx, user, Some(hash)).await?;
            tickets::void_links(tx, user).await?;
            sessions::end_all(tx, user, Spare { session: Some(kept), tokens: true }).await?;
            audit::note(tx, &by, Action::PasswordChanged, Some(Target::user(user)), json!(null)).await
        }
        .boxed()
    })
    .await
}

/// Makes an account for someone else. Where a person gets no password with it, the answer has the secret of a link by
/// which they choose one.
pub async fn create_account(tx: &mut Tx, by: &Granted, user: NewUser) -> Result<(User, Option<String>)> {
    let wants_link = user.password_hash.is_none() && !user.is_bot;
    let made = users::create_account(tx, by, user).await?;
    let secret = if wants_link { Some(link_password_reset(tx, by, made.id).await?.0) } else { None };
    Ok((made, secret))
}

/// A one-time secret by which somebody chooses a new password: an administrator's doing. Earlier ones are void.
pub async fn link_password_reset(tx: &mut Tx, by: &Granted, user: UserId) -> Result<(String, Timestamp)> {
    let account = users::covered(tx, by, user).await?;
    // One's own password is changed with the present one, or a stolen session would choose it.
    users::refuse_own(by, user)?;
    if account.is_bot {
        return Err(Fault::conflict("not_for_bots", "a bot has tokens, not a password"));
    }
    tickets::void_links(tx, user).await?;
    let issued_by_id = by.actor().user_id;
    let holder = Holder { user_id: Some(user), issued_by_id, ..Holder::default() };
    let secret = tickets::issue(tx, Purpose::PasswordReset, holder, 1, LINK_LASTS).await?;
    audit::note(
        tx,
        by.actor(),
        Action::PasswordResetLinked,
        Some(Target::user(user)),
        json!({ "by": "link" }),
    )
    .await?;
    Ok((secret, Timestamp::now().plus(LINK_LASTS)))
}

/// The same by mail, for someone who says that they forgot: answers address and secret when there is such an account.
/// The caller must answer alike either way.
pub async fn mail_password_reset(tx: &mut Tx, by: &Actor, login: &str) -> Result<Option<(String, String)>> {
    let Some(known) = users::credentials(tx, login).await? else { return Ok(None) };
    let user = users::find(tx, known.user_id).await?;
    let Some(address) = user.email.filter(|_| user.is_active && !user.is_bot) else { return Ok(None) };
    // A stranger may ask: the link that an administrator made stays good.
    tickets::withdraw_of_user(tx, Purpose::PasswordResetByMail, user.id).await?;
    let holder = Holder { user_id: Some(user.id), ..Holder::default() };
    let secret = tickets::issue(tx, Purpose::PasswordResetByMail, holder, 1, MAILED_LASTS).await?;
    audit::note(tx, by, Action::PasswordResetLinked, Some(Target::user(user.id)), json!({ "by": "mail" }))
        .await?;
    Ok(Some((address, secret)))
}

/// Chooses a new password by a one-time secret. Every session and personal token ends: whoever needs this may have been
/// robbed.
///
/// # Errors
/// [`Fault::NotFound`] alike for a secret that never was, is used or has expired; [`Fault::Invalid`] in `password`,
/// which does not use it up.
pub async fn reset_password(db: &Db, by: Actor, secret: String, password: String) -> Result<()> {
    passwords::check_length("password", &password)?;
    let mut found = None;
    for purpose in [Purpose::PasswordReset, Purpose::PasswordResetByMail] {
        let holder = tickets::holder_of(&mut db.read(), purpose, &secret).await?;
        found = found.or(holder.and_then(|it| it.user_id).map(|user| (purpose, user)));
    }
    let (purpose, user) = found.ok_or(Fault::NotFound("reset link"))?;
    let about = users::credentials_of(&mut db.read(), user).await?.about;
    let hash = passwords::accept("password", password, about).await?;
    db.write(move |tx| {
        async move {
            let holder = tickets::redeem(tx, purpose, &secret).await.map_err(|fault| match fault {
                Fault::NotFound(_) => Fault::NotFound("reset link"),
                other => other,
            })?;
            let user = holder.user_id.ok_or(Fault::NotFound("reset link"))?;
            users::lock(tx, user).await?;
            if let Some(issuer) = holder.issued_by_id {
                still_covered(tx, issuer, user).await.map_err(|_| Fault::NotFound("reset link"))?;
            }
            users::set_password(tx, user, Some(hash)).await?;
            if purpose == Purpose::PasswordResetByMail {
                users::verify_address(tx, user).await?;
            }
            tickets::void_links(tx, user).await?;
            sessions::end_all(tx, user, Spare::default()).await?;
            audit::note(tx, &by, Action::PasswordReset, Some(Target::user(user)), json!(null)).await
        }
        .boxed()
    })
    .await
}

/// A link is worth no more than the administrator who made it may when it is used.
async fn still_covered(tx: &mut Tx, issuer: UserId, user: UserId) -> Result<()> {
    let granted = roles::ask_as(tx, issuer, Permission::UsersManage).await?;
    users::covered(tx, &granted, user).await.map(drop)
}
