//! Who an outside issuer says somebody is. An identity is issuer and subject, never an address: addresses change hands.

mod attempts;

use confab_protocol::{Timestamp, User, UserId};
use serde_json::json;
use uuid::Uuid;

pub use attempts::{Attempt, begin, sweep, take};

use crate::audit::{self, Action, Actor, Target};
use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};
use crate::registrations::{self, Cost};
use crate::sessions::{self, Method};
use crate::text;
use crate::users::{self, NewUser, Profile};

/// Longest issuer and subject that are kept.
const LONGEST: usize = 512;
/// Identities of one user.
const MOST: usize = 10;

const FIND: &str = "select user_id from identities where issuer = $1 and subject = $2";
const INSERT: &str = "insert into identities (id, issuer, subject, user_id, email, created_at, last_used_at)
    values ($1, $2, $3, $4, $5, $6, $6) on conflict (issuer, subject) do nothing";
const TOUCH: &str = "update identities set last_used_at = $3, email = $4 where issuer = $1 and subject = $2";
const LIST: &str = "select id, issuer, subject, email, created_at, last_used_at from identities
    where user_id = $1 order by created_at";
const DELETE: &str = "delete from identities where id = $1 and user_id = $2";

/// What a verified token says of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// Who says it.
    pub issuer: String,
    /// Who it is to them.
    pub subject: String,
    /// Their address.
    pub email: Option<String>,
    /// The issuer knows that the address is theirs. Absent counts as no: Zulip's CVE-2026-102893 did not ask.
    pub email_verified: bool,
    /// As they write it.
    pub full_name: Option<String>,
    /// What they like to be called.
    pub username: Option<String>,
}

/// An identity of a user.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Which.
    pub id: Uuid,
    /// Who says it.
    pub issuer: String,
    /// Who it is to them.
    pub subject: String,
    /// The address that the issuer knows.
    pub email: Option<String>,
    /// Since when it is linked.
    pub created_at: Timestamp,
    /// When it last signed in or synced.
    pub last_used_at: Timestamp,
}

/// The user that an identity belongs to.
pub async fn user_of(on: &mut impl Read, issuer: &str, subject: &str) -> Result<Option<UserId>> {
    let id: Option<Uuid> =
        run!(on, sqlx::query_scalar(FIND).bind(issuer.to_owned()).bind(subject.to_owned()), fetch_optional)?;
    Ok(id.map(UserId))
}

/// Finds or makes the account of a verified identity, and copies what the issuer says of the person.
///
/// An account that has the identity's verified address is linked. Was its address never verified here, somebody else
/// may have made it in wait (a pre-hijacked account): then its password, second factor, sessions and tokens end.
///
/// `cost` is what a new account costs this person, where registration lets them in.
///
/// # Errors
/// [`Fault::Forbidden`] with code `account_disabled`, `email_not_verified` or that of `cost`.
pub async fn sync(tx: &mut Tx, by: &Actor, claims: Claims, cost: Result<Cost>) -> Result<User> {
    check(&claims)?;
    if let Some(id) = user_of(tx, &claims.issuer, &claims.subject).await? {
        let user = users::find(tx, id).await?;
        if !user.is_active {
            return Err(Fault::forbidden("account_disabled", "this account is disabled"));
        }
        touch(tx, &claims).await?;
        return copy(tx, by, user, &claims).await;
    }
    let known = match &claims.email {
        Some(email) => users::credentials(tx, email).await?,
        None => None,
    };
    if let Some(known) = known {
        users::lock(tx, known.user_id).await?;
        let account = users::find(tx, known.user_id).await?;
        // Folding makes one of "K" and the Kelvin sign; to an issuer they are two addresses of two people.
        let is_same = claims.email.as_deref().is_some_and(|said| {
            account.email.as_deref().is_some_and(|kept| said.is_ascii() && said.eq_ignore_ascii_case(kept))
        });
        if !claims.email_verified || !is_same || account.is_bot {
            return Err(Fault::forbidden(
                "email_not_verified",
                "an account has this address, and the issuer does not vouch for it; sign in and link it there",
            ));
        }
        if !known.is_active {
            return Err(Fault::forbidden("account_disabled", "this account is disabled"));
        }
        if !known.email_is_verified {
            users::void_credentials(tx, known.user_id).await?;
            let target = Some(Target::user(known.user_id));
            audit::note(tx, by, Action::CredentialsVoided, target, json!({ "for": claims.issuer })).await?;
        }
        link(tx, by, known.user_id, &claims).await?;
        users::verify_address(tx, known.user_id).await?;
        let user = users::find(tx, known.user_id).await?;
        return copy(tx, by, user, &claims).await;
    }
    let cost = cost?;
    create(tx, by, claims, cost).await
}

/// Links an identity to a signed-in user who has just proven it.
///
/// # Errors
/// [`Fault::Conflict`] with code `identity_taken` when it is another's.
pub async fn link(tx: &mut Tx, by: &Actor, user: UserId, claims: &Claims) -> Result<()> {
    check(claims)?;
    if !users::find(tx, user).await?.is_active {
        return Err(Fault::forbidden("account_disabled", "this account is disabled"));
    }
    if list(tx, user).await?.len() >= MOST {
        return Err(Fault::conflict(
            "too_many_identities",
            format!("there can be at most {MOST} identities"),
        ));
    }
    let added = run!(
        tx,
        sqlx::query(INSERT)
            .bind(confab_protocol::fresh_id())
            .bind(claims.issuer.clone())
            .bind(claims.subject.clone())
            .bind(user.0)
            .bind(claims.email.clone())
            .bind(Timestamp::now().0),
        execute
    )?;
    if added == 0 {
        if user_of(tx, &claims.issuer, &claims.subject).await? == Some(user) {
            return Ok(());
        }
        return Err(Fault::conflict("identity_taken", "this identity belongs to another account"));
    }
    let detail = json!({ "issuer": claims.issuer, "subject": claims.subject });
    audit::note(tx, by, Action::IdentityLinked, Some(Target::user(user)), detail).await
}

/// The identities of a user.
pub async fn list(on: &mut impl Read, user: UserId) -> Result<Vec<Identity>> {
    let rows: Vec<(Uuid, String, String, Option<String>, i64, i64)> =
        run!(on, sqlx::query_as(LIST).bind(user.0), fetch_all)?;
    Ok(rows
        .into_iter()
        .map(|(id, issuer, subject, email, created_at, last_used_at)| Identity {
            id,
            issuer,
            subject,
            email,
            created_at: Timestamp(created_at),
            last_used_at: Timestamp(last_used_at),
        })
        .collect())
}

/// Takes an identity from one's own account.
///
/// # Errors
/// [`Fault::NotFound`]; [`Fault::Conflict`] with code `last_way_in` when the account has no password either.
pub async fn unlink(tx: &mut Tx, by: &Actor, user: UserId, id: Uuid) -> Result<()> {
    let mine = list(tx, user).await?;
    let Some(gone) = mine.iter().find(|it| it.id == id) else { return Err(Fault::NotFound("identity")) };
    if mine.len() == 1 && users::credentials_of(tx, user).await?.password_hash.is_none() {
        return Err(Fault::conflict(
            "last_way_in",
            "choose a password first, or nobody could sign in any more",
        ));
    }
    run!(tx, sqlx::query(DELETE).bind(id).bind(user.0), execute)?;
    sessions::end_external(tx, user, by.session_id).await?;
    let detail = json!({ "issuer": gone.issuer, "subject": gone.subject });
    audit::note(tx, by, Action::IdentityUnlinked, Some(Target::user(user)), detail).await
}

fn check(claims: &Claims) -> Result<()> {
    let fits = |text: &str| !text.is_empty() && text.len() <= LONGEST && !text.contains('\0');
    if fits(&claims.issuer) && fits(&claims.subject) {
        return Ok(());
    }
    Err(Fault::Unauthenticated { code: "invalid_token", message: "the token names nobody that can be kept" })
}

async fn touch(tx: &mut Tx, claims: &Claims) -> Result<()> {
    run!(
        tx,
        sqlx::query(TOUCH)
            .bind(claims.issuer.clone())
            .bind(claims.subject.clone())
            .bind(Timestamp::now().0)
            .bind(claims.email.clone()),
        execute
    )?;
    Ok(())
}

/// Takes over the name that the issuer says. The address only where the account has none, it is verified and nobody
/// else's.
async fn copy(tx: &mut Tx, by: &Actor, user: User, claims: &Claims) -> Result<User> {
    let full_name = claims.full_name.clone().filter(|name| user.full_name.as_ref() != Some(name));
    let full_name = full_name.filter(|name| text::line("full_name", name, users::LINE_CHARACTERS).is_ok());
    let email = claims.email.clone().filter(|_| claims.email_verified && user.email.is_none());
    let email = match email {
        Some(email) if users::credentials(tx, &email).await?.is_none() => Some(email),
        _ => None,
    };
    if full_name.is_none() && email.is_none() {
        return Ok(user);
    }
    let has_address = email.is_some();
    let user = users::update(tx, by, user.id, Profile { full_name, email, ..Profile::default() }).await?;
    if has_address {
        users::verify_address(tx, user.id).await?;
    }
    Ok(user)
}

async fn create(tx: &mut Tx, by: &Actor, claims: Claims, cost: Cost) -> Result<User> {
    let name = free_name(tx, &claims).await?;
    let email = claims.email.as_deref().filter(|_| claims.email_verified);
    let full_name = claims.full_name.as_deref();
    let full_name = full_name.filter(|name| text::line("full_name", name, users::LINE_CHARACTERS).is_ok());
    let mut user = NewUser::check(&name, email, full_name)?;
    user.email_is_verified = email.is_some();
    let actor = Actor::user(user.id, None, by.ip_address.clone());
    let user = registrations::create(tx, &actor, user, cost, Method::External).await?;
    link(tx, &actor, user.id, &claims).await?;
    Ok(user)
}

/// A user name near the one that the issuer says and not taken.
async fn free_name(on: &mut impl Read, claims: &Claims) -> Result<String> {
    let wished = claims.username.as_deref().or(claims.email.as_deref()).unwrap_or("member");
    let wished = wished.split('@').next().unwrap_or_default();
    let plain: String = wished
        .chars()
        .filter(|it| it.is_alphanumeric() || matches!(it, '.' | '-' | '_'))
        .take(users::USERNAME_CHARACTERS - 5)
        .collect();
    let base = if plain.is_empty() { "member".to_owned() } else { plain };
    let candidates: Vec<String> = std::iter::once(base.clone())
        .chain((2..100).map(|number| format!("{base}-{number}")))
        .chain(std::iter::once(format!("member-{}", Uuid::new_v4().simple())))
        .collect();
    let taken = users::by_names(on, &candidates).await?;
    let free = candidates.into_iter().find(|name| !taken.iter().any(|(_, key)| *key == text::key(name)));
    free.ok_or_else(|| Fault::conflict("name_taken", "no user name is free"))
}
