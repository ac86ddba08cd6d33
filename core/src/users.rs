//! People and bots.

mod account;
mod around;
mod credentials;
mod directory;
mod own;
mod remove;

use confab_protocol::{Timestamp, User, UserId, UserRef};
use uuid::Uuid;

use crate::db::{Read, Tx, insert_rows, run, run_in};
use crate::fault::{Fault, Result};
use crate::roles::{Granted, Standing, permissions_of};
use crate::{members, text};

pub use account::{create_account, disable, enable, has_others, set_superuser};
pub use around::{is_guest, look_up, may_look_up, near, nth};
pub use credentials::{Credentials, credentials, credentials_of};
pub use directory::{Listed, accounts, find_account};
pub use own::{Profile, own, set_password, set_picture, update, update_other};
pub use remove::remove;

pub(crate) use account::{refuse_own, rest};
pub(crate) use credentials::{lock, verify_address, void_credentials};

/// Longest user name (docs/limits.md).
pub const USERNAME_CHARACTERS: usize = 100;
/// Longest e-mail address and full name.
pub const LINE_CHARACTERS: usize = 255;

const INSERT: &str =
    "insert into users (id, username, username_key, email, email_key, full_name, bio, picture_url,
    password_hash, is_active, is_superuser, is_bot, created_at, updated_at, email_verified_at, created_by_id, username_skeleton) ";
const BY_ID: &str =
    "select id, username, email, full_name, bio, picture_url, is_active, is_superuser, is_bot,
    created_at, updated_at, deleted_at from users where id = $1";
const LOOKALIKES: &str = "select count(*) from users where username_skeleton = $1 and id <> $2";
const CREATED_BY: &str = "select created_by_id from users where id = $1";
const REFS: &str = "select id, username, full_name, picture_url, is_bot from users where id in";
const THERE: &str = "select id from users where deleted_at is null and id in";
const SEARCH: &str = "select id, username, full_name, picture_url, is_bot from users
    where is_active = true and username_key > $1 and username_key >= $2 and username_key < $3
    order by username_key limit $4";
const BY_KEYS: &str = "select id, username_key from users where username_key in";
const ANY_SUPERUSER: &str =
    "select count(*) from (select 1 from users where is_superuser = true limit 1) as found";
const COUNT: &str = "select count(*) from users";

/// A new account. Build it with [`NewUser::check`].
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // each is a column
pub struct NewUser {
    /// Set by an import that must know it beforehand.
    pub id: UserId,
    /// 1 to 100 characters.
    pub username: String,
    /// Absent for bots and placeholders.
    pub email: Option<String>,
    /// As the person writes it.
    pub full_name: Option<String>,
    /// A stored hash, not a password. Absent: nobody can sign in.
    pub password_hash: Option<String>,
    /// May administer.
    pub is_superuser: bool,
    /// Not a person.
    pub is_bot: bool,
    /// False for placeholders of an import.
    pub is_active: bool,
    /// Somebody vouched that the address is theirs.
    pub email_is_verified: bool,
    /// Who made the account; only they and superusers handle a bot's tokens.
    pub created_by_id: Option<UserId>,
    /// When the account began.
    pub created_at: Timestamp,
}

impl NewUser {
    /// Checks the form of names and address.
    ///
    /// # Errors
    /// [`Fault::Invalid`] in `username`, `email` or `full_name`.
    pub fn check(username: &str, email: Option<&str>, full_name: Option<&str>) -> Result<Self> {
        let username = check_username(username)?;
        let email = check_email(email)?;
        let full_name = text::optional_line("full_name", full_name, LINE_CHARACTERS)?;
        Ok(Self {
            id: UserId::new(),
            username,
            email,
            full_name,
            password_hash: None,
            is_superuser: false,
            is_bot: false,
            is_active: true,
            email_is_verified: false,
            created_by_id: None,
            created_at: Timestamp::now(),
        })
    }
}

fn check_username(username: &str) -> Result<String> {
    let username = text::line("username", username, USERNAME_CHARACTERS)?;
    // The folded form counts: a full-width @ becomes a plain one there, and the name someone else's e-mail address.
    if text::key(&username).contains(['@', ' ', '/', '<', '>', '"']) {
        return Err(Fault::invalid("username", "must not hold spaces or any of @ / < > \""));
    }
    Ok(username)
}

fn check_email(email: Option<&str>) -> Result<Option<String>> {
    let email = text::optional_line("email", email, LINE_CHARACTERS)?;
    if let Some(address) = &email {
        let (name, host) = address.split_once('@').unwrap_or_default();
        if name.is_empty() || host.is_empty() || host.contains('@') || address.contains(' ') {
            return Err(Fault::invalid("email", "is no e-mail address"));
        }
    }
    Ok(email)
}

/// Stores a new account and lets it join the default channels.
///
/// # Errors
/// [`Fault::Conflict`] with code `name_taken` when user name or address belong to someone.
pub async fn create(tx: &mut Tx, user: NewUser) -> Result<User> {
    let id = user.id;
    let joins = user.is_active && !user.is_bot;
    refuse_lookalike(tx, id, &user.username).await?;
    insert(tx, &[user]).await?;
    if joins {
        members::join_defaults(tx, id).await?;
    }
    find(tx, id).await
}

/// Nobody takes a name that looks like another's, to be taken for them. Imports bring whatever names there were.
async fn refuse_lookalike(on: &mut impl Read, id: UserId, username: &str) -> Result<()> {
    let alike: i64 =
        run!(on, sqlx::query_scalar(LOOKALIKES).bind(text::skeleton(username)).bind(id.0), fetch_one)?;
    if alike > 0 {
        return Err(Fault::conflict("name_taken", "this user name is taken, or looks like one that is"));
    }
    Ok(())
}

/// Stores accounts of an import: placeholders and bots, which join nothing by themselves.
pub async fn insert(tx: &mut Tx, users: &[NewUser]) -> Result<u64> {
    let added = insert_rows!(
        tx,
        INSERT,
        users,
        |place, user| place
            .push_bind(user.id.0)
            .push_bind(user.username.clone())
            .push_bind(text::key(&user.username))
            .push_bind(user.email.clone())
            .push_bind(user.email.as_deref().map(text::key))
            .push_bind(user.full_name.clone())
            .push_bind(None::<String>)
            .push_bind(None::<String>)
            .push_bind(user.password_hash.clone())
            .push_bind(user.is_active)
            .push_bind(user.is_superuser)
            .push_bind(user.is_bot)
            .push_bind(user.created_at.0)
            .push_bind(user.created_at.0)
            .push_bind(user.email_is_verified.then_some(user.created_at.0))
            .push_bind(user.created_by_id.map(|id| id.0))
            .push_bind(text::skeleton(&user.username)),
        "on conflict do nothing"
    );
    if added < users.len() as u64 {
        return Err(Fault::conflict("name_taken", "this user name or e-mail address is taken"));
    }
    Ok(added)
}

#[derive(sqlx::FromRow)]
struct UserRow {
    id: Uuid,
    username: String,
    email: Option<String>,
    full_name: Option<String>,
    bio: Option<String>,
    picture_url: Option<String>,
    is_active: bool,
    is_superuser: bool,
    is_bot: bool,
    created_at: i64,
    updated_at: i64,
    deleted_at: Option<i64>,
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self {
            id: UserId(row.id),
            username: row.username,
            email: row.email,
            full_name: row.full_name,
            bio: row.bio,
            picture_url: row.picture_url,
            is_active: row.is_active,
            is_superuser: row.is_superuser,
            is_bot: row.is_bot,
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
            deleted_at: row.deleted_at.map(Timestamp),
            permissions: None,
            roles: None,
            has_password: None,
            two_factor_enabled: None,
            two_factor_required: None,
            last_seen_at: None,
        }
    }
}

/// One account, with its address: the caller hides it from others.
pub async fn find(on: &mut impl Read, id: UserId) -> Result<User> {
    let row: Option<UserRow> = run!(on, sqlx::query_as(BY_ID).bind(id.0), fetch_optional)?;
    row.map(User::from).ok_or(Fault::NotFound("user"))
}

/// Who made an account for somebody else; of a bot, whose it is.
pub async fn created_by(on: &mut impl Read, id: UserId) -> Result<Option<UserId>> {
    let found: Option<Option<Uuid>> = run!(on, sqlx::query_scalar(CREATED_BY).bind(id.0), fetch_optional)?;
    Ok(found.flatten().map(UserId))
}

/// An account that the holder of `by` may rule over.
///
/// # Errors
/// [`Fault::Forbidden`] for one that may more; [`Fault::NotFound`] for a deleted one.
pub(crate) async fn covered(on: &mut impl Read, by: &Granted, id: UserId) -> Result<User> {
    let user = find(on, id).await?;
    if user.deleted_at.is_some() {
        return Err(Fault::NotFound("user"));
    }
    let permissions = permissions_of(on, id).await?;
    by.covers(Standing { is_superuser: user.is_superuser, permissions })?;
    Ok(user)
}

#[derive(sqlx::FromRow)]
struct RefRow {
    id: Uuid,
    username: String,
    full_name: Option<String>,
    picture_url: Option<String>,
    is_bot: bool,
}

impl From<RefRow> for UserRef {
    fn from(row: RefRow) -> Self {
        Self {
            id: UserId(row.id),
            username: row.username,
            full_name: row.full_name,
            picture_url: row.picture_url,
            is_bot: row.is_bot,
        }
    }
}

/// Several users, in no order; unknown ids are left out.
pub async fn refs(on: &mut impl Read, ids: &[UserId]) -> Result<Vec<UserRef>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let mut found = Vec::with_capacity(ids.len());
    for part in ids.chunks(500) {
        let rows: Vec<RefRow> = run_in!(on, RefRow, REFS, part, "")?;
        found.extend(rows.into_iter().map(UserRef::from));
    }
    Ok(found)
}

/// Whether none of these accounts was deleted, or never was.
pub(crate) async fn are_there(on: &mut impl Read, ids: &[UserId]) -> Result<bool> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows: Vec<(Uuid,)> = run_in!(on, (Uuid,), THERE, &ids, "")?;
    Ok(ids.iter().all(|id| rows.iter().any(|row| row.0 == *id)))
}

/// Active users whose names begin with `prefix`, after the name `after`, in order of their folded names.
pub async fn search(on: &mut impl Read, prefix: &str, after: &str, limit: u32) -> Result<Vec<UserRef>> {
    let from = text::key(prefix);
    let to = format!("{from}\u{10FFFF}");
    let rows: Vec<RefRow> = run!(
        on,
        sqlx::query_as(SEARCH).bind(after.to_owned()).bind(from).bind(to).bind(i64::from(limit)),
        fetch_all
    )?;
    Ok(rows.into_iter().map(UserRef::from).collect())
}

/// Which of these user names exist, folded, with their ids.
pub async fn by_names(on: &mut impl Read, names: &[String]) -> Result<Vec<(UserId, String)>> {
    let keys: Vec<String> = names.iter().map(|name| text::key(name)).collect();
    let mut found = Vec::new();
    for part in keys.chunks(500) {
        let part: Vec<&str> = part.iter().map(String::as_str).collect();
        let rows: Vec<(Uuid, String)> = run_in!(on, (Uuid, String), BY_KEYS, &part, "")?;
        found.extend(rows.into_iter().map(|(id, key)| (UserId(id), key)));
    }
    Ok(found)
}

/// Whether anyone can administer this server; if not, the set-up link is still to be used.
pub async fn has_superuser(on: &mut impl Read) -> Result<bool> {
    let found: i64 = run!(on, sqlx::query_scalar(ANY_SUPERUSER), fetch_one)?;
    Ok(found > 0)
}

/// How many accounts there are, bots and placeholders too.
pub async fn count(on: &mut impl Read) -> Result<i64> {
    Ok(run!(on, sqlx::query_scalar(COUNT), fetch_one)?)
}
