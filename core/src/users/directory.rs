//! Accounts as administrators list them.

use confab_protocol::{Timestamp, User, UserId};

use super::UserRow;
use crate::db::{Read, run};
use crate::fault::{Fault, Result};
use crate::{roles, text};

const COLUMNS: &str = "select u.id, u.username, u.email, u.full_name, u.bio, u.picture_url, u.is_active, u.is_superuser, u.is_bot,
    u.created_at, u.updated_at, u.deleted_at, u.password_hash is not null as has_password, f.confirmed_at,
    (select max(s.last_used_at) from sessions s where s.user_id = u.id) as last_seen_at
    from users u left join two_factors f on f.user_id = u.id";
const ACTIVE: &str =
    "where u.is_active = true and u.username_key > $1 and u.username_key >= $2 and u.username_key < $3
    order by u.username_key limit $4";
const INACTIVE: &str = "where u.is_active = false and (u.deleted_at is not null) = $5
    and u.username_key > $1 and u.username_key >= $2 and u.username_key < $3
    order by u.username_key limit $4";
const BOTS: &str = "where u.is_bot = true and u.deleted_at is null
    and u.username_key > $1 and u.username_key >= $2 and u.username_key < $3
    order by u.username_key limit $4";
const SUPERUSERS: &str =
    "where u.is_superuser = true and u.username_key > $1 and u.username_key >= $2 and u.username_key < $3
    order by u.username_key limit $4";
const EVERYONE: &str =
    "where u.deleted_at is null and u.username_key > $1 and u.username_key >= $2 and u.username_key < $3
    order by u.username_key limit $4";
const ONE: &str = "where u.id = $1";

/// Which accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listed {
    /// All but the deleted.
    #[default]
    Everyone,
    /// Who may sign in.
    Active,
    /// Who may not.
    Disabled,
    /// Whose messages stay.
    Deleted,
    /// Who are no persons.
    Bots,
    /// Who may all.
    Superusers,
}

#[derive(sqlx::FromRow)]
struct AccountRow {
    #[sqlx(flatten)]
    user: UserRow,
    has_password: bool,
    confirmed_at: Option<i64>,
    last_seen_at: Option<i64>,
}

impl From<AccountRow> for User {
    fn from(row: AccountRow) -> Self {
        Self {
            roles: Some(Vec::new()),
            has_password: Some(row.has_password),
            two_factor_enabled: Some(row.confirmed_at.is_some()),
            last_seen_at: row.last_seen_at.map(Timestamp),
            ..row.user.into()
        }
    }
}

/// A page of accounts whose names begin with `prefix`, after the folded name `after`.
pub async fn accounts(
    on: &mut impl Read,
    listed: Listed,
    prefix: &str,
    after: &str,
    limit: u32,
) -> Result<Vec<User>> {
    let (after, from) = (after.to_owned(), text::key(prefix));
    let (to, limit) = (format!("{from}\u{10FFFF}"), i64::from(limit));
    macro_rules! page {
        ($text:expr $(, $bind:expr)*) => {{
            let text = sqlx::AssertSqlSafe(format!("{COLUMNS} {}", $text));
            run!(on, sqlx::query_as(text).bind(after).bind(from).bind(to).bind(limit)$(.bind($bind))*, fetch_all)?
        }};
    }
    let rows: Vec<AccountRow> = match listed {
        Listed::Everyone => page!(EVERYONE),
        Listed::Active => page!(ACTIVE),
        Listed::Disabled => page!(INACTIVE, false),
        Listed::Deleted => page!(INACTIVE, true),
        Listed::Bots => page!(BOTS),
        Listed::Superusers => page!(SUPERUSERS),
    };
    with_roles(on, rows.into_iter().map(User::from).collect()).await
}

/// One account.
///
/// # Errors
/// [`Fault::NotFound`].
pub async fn find_account(on: &mut impl Read, id: UserId) -> Result<User> {
    let text = sqlx::AssertSqlSafe(format!("{COLUMNS} {ONE}"));
    let row: Option<AccountRow> = run!(on, sqlx::query_as(text).bind(id.0), fetch_optional)?;
    let user = row.map(User::from).ok_or(Fault::NotFound("user"))?;
    with_roles(on, vec![user]).await?.pop().ok_or(Fault::NotFound("user"))
}

async fn with_roles(on: &mut impl Read, mut users: Vec<User>) -> Result<Vec<User>> {
    let ids: Vec<UserId> = users.iter().map(|user| user.id).collect();
    for (holder, role) in roles::of_users(on, &ids).await? {
        for user in users.iter_mut().filter(|user| user.id == holder) {
            user.roles.get_or_insert_default().push(role.clone());
        }
    }
    Ok(users)
}
