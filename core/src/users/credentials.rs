//! What somebody signs in with, and how all of it ends.

use confab_protocol::{Timestamp, UserId};
use uuid::Uuid;

use super::set_password;
use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};
use crate::sessions::{self, Spare};
use crate::{text, two_factor};

const BY_NAME: &str = "select id, username, email, password_hash, is_active, email_verified_at from users where username_key = $1";
const BY_ADDRESS: &str =
    "select id, username, email, password_hash, is_active, email_verified_at from users where email_key = $1";
const BY_USER: &str =
    "select id, username, email, password_hash, is_active, email_verified_at from users where id = $1";
const LOCK: &str = "update users set updated_at = updated_at where id = $1";
const DROP_TICKETS: &str = "delete from tickets where user_id = $1";
const DROP_IDENTITIES: &str = "delete from identities where user_id = $1";
const DROP_ATTEMPTS: &str = "delete from sign_in_attempts where user_id = $1";
const VERIFY_ADDRESS: &str = "update users set email_verified_at = $2 where id = $1 and email is not null";

/// What a sign-in needs to know of an account.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Whose.
    pub user_id: UserId,
    /// The stored hash; `None`: nobody can sign in with a password.
    pub password_hash: Option<String>,
    /// May sign in.
    pub is_active: bool,
    /// Somebody vouched that the address is theirs.
    pub email_is_verified: bool,
    /// User name and address: words that make no password.
    pub about: Vec<String>,
}

#[derive(sqlx::FromRow)]
struct CredentialsRow {
    id: Uuid,
    username: String,
    email: Option<String>,
    password_hash: Option<String>,
    is_active: bool,
    email_verified_at: Option<i64>,
}

impl From<CredentialsRow> for Credentials {
    fn from(row: CredentialsRow) -> Self {
        Self {
            user_id: UserId(row.id),
            password_hash: row.password_hash,
            is_active: row.is_active,
            email_is_verified: row.email_verified_at.is_some(),
            about: std::iter::once(row.username).chain(row.email).collect(),
        }
    }
}

/// What a sign-in needs to know, by id.
///
/// # Errors
/// [`Fault::NotFound`].
pub async fn credentials_of(on: &mut impl Read, id: UserId) -> Result<Credentials> {
    let row: Option<CredentialsRow> = run!(on, sqlx::query_as(BY_USER).bind(id.0), fetch_optional)?;
    row.map(Credentials::from).ok_or(Fault::NotFound("user"))
}

/// What a sign-in needs, by user name or e-mail address.
pub async fn credentials(on: &mut impl Read, login: &str) -> Result<Option<Credentials>> {
    let key = text::key(login);
    // No name holds an @, so a login is one or the other and never someone else's.
    let query = if key.contains('@') { BY_ADDRESS } else { BY_NAME };
    let row: Option<CredentialsRow> = run!(on, sqlx::query_as(query).bind(key.clone()), fetch_optional)?;
    Ok(row.map(Credentials::from))
}

/// Holds an account's row until the transaction ends: who signs in, who changes the password and who takes the account
/// away come one after the other.
pub(crate) async fn lock(tx: &mut Tx, id: UserId) -> Result<()> {
    run!(tx, sqlx::query(LOCK).bind(id.0), execute)?;
    Ok(())
}

/// Ends everything by which somebody could get into an account as of now, but not the account: its password, second
/// factor, identities, links, sessions and tokens, and the tokens that it made for bots.
pub(crate) async fn void_credentials(tx: &mut Tx, id: UserId) -> Result<()> {
    set_password(tx, id, None).await?;
    two_factor::remove(tx, id).await?;
    for statement in [DROP_TICKETS, DROP_IDENTITIES, DROP_ATTEMPTS] {
        run!(tx, sqlx::query(statement).bind(id.0), execute)?;
    }
    sessions::end_all(tx, id, Spare::default()).await?;
    sessions::end_made_by(tx, id).await
}

/// Notes that the address of an account is known to be its user's.
pub(crate) async fn verify_address(tx: &mut Tx, id: UserId) -> Result<()> {
    run!(tx, sqlx::query(VERIFY_ADDRESS).bind(id.0).bind(Timestamp::now().0), execute)?;
    Ok(())
}
