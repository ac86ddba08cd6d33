//! Roles: named sets of permissions. The role `everyone` is everybody's; superusers may all of it without any.
//!
//! [`ask`] is the one function that lets someone administer. What it answers, a [`Granted`], is what the functions that
//! administer ask for.

mod assign;
mod granted;
mod permission;

use confab_protocol::{EventKind, RoleId, RoleRef, Timestamp, UserId};
use uuid::Uuid;

pub use assign::{assign, of_user, of_users};
pub(crate) use granted::ask_as;
pub use granted::{Granted, Standing, ask, ask_superuser};
pub use permission::{Permission, Permissions};

use crate::audit::{self, Action, Target};
use crate::db::write::Emission;
use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};
use crate::{policies, text};

/// Longest role name, and the width other chat servers know (docs/limits.md).
pub const NAME_CHARACTERS: usize = 100;
/// Most roles: the list is read whole.
const MOST: i64 = 200;
/// The id of the role `everyone`.
pub const EVERYONE: RoleId = RoleId(Uuid::from_u128(1));

const ALL: &str = "select r.id, r.name, r.description, r.permissions, r.is_system, r.created_at, r.updated_at,
    (select count(*) from user_roles g where g.role_id = r.id) as user_count from roles r order by r.name_key";
const BY_ID: &str =
    "select r.id, r.name, r.description, r.permissions, r.is_system, r.created_at, r.updated_at,
    (select count(*) from user_roles g where g.role_id = r.id) as user_count from roles r where r.id = $1";
const COUNT_ROLES: &str = "select count(*) from roles";
const INSERT: &str =
    "insert into roles (id, name, name_key, description, permissions, is_system, created_at, updated_at)
    values ($1, $2, $3, $4, $5, $6, $7, $7) on conflict do nothing";
const UPDATE: &str =
    "update roles set name = $2, name_key = $3, description = $4, permissions = $5, updated_at = $6
    where id = $1";
const DELETE: &str = "delete from roles where id = $1";
const OF_STANDING: &str = "select permissions from roles where id = $2
    union all select r.permissions from user_roles g join roles r on r.id = g.role_id where g.user_id = $1";

/// A user's permissions from all their roles.
pub async fn permissions_of(on: &mut impl Read, user: UserId) -> Result<Permissions> {
    let rows: Vec<String> =
        run!(on, sqlx::query_scalar(OF_STANDING).bind(user.0).bind(EVERYONE.0), fetch_all)?;
    Ok(rows.iter().fold(Permissions::default(), |all, words| all.and(Permissions::from_words(words))))
}

/// A role.
#[derive(Clone, Debug)]
pub struct Role {
    /// Which.
    pub id: RoleId,
    /// Unique under case folding.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What its holders may.
    pub permissions: Permissions,
    /// Cannot be deleted or assigned.
    pub is_system: bool,
    /// How many users hold it.
    pub user_count: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct RoleRow {
    id: Uuid,
    name: String,
    description: Option<String>,
    permissions: String,
    is_system: bool,
    created_at: i64,
    updated_at: i64,
    user_count: i64,
}

impl From<RoleRow> for Role {
    fn from(row: RoleRow) -> Self {
        Self {
            id: RoleId(row.id),
            name: row.name,
            description: row.description,
            permissions: Permissions::from_words(&row.permissions),
            is_system: row.is_system,
            user_count: row.user_count,
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
        }
    }
}

impl From<&Role> for RoleRef {
    fn from(role: &Role) -> Self {
        Self { id: role.id, name: role.name.clone() }
    }
}

/// All roles, by name.
pub async fn all(on: &mut impl Read) -> Result<Vec<Role>> {
    let rows: Vec<RoleRow> = run!(on, sqlx::query_as(ALL), fetch_all)?;
    Ok(rows.into_iter().map(Role::from).collect())
}

/// One role.
///
/// # Errors
/// [`Fault::NotFound`].
pub async fn find(on: &mut impl Read, id: RoleId) -> Result<Role> {
    let row: Option<RoleRow> = run!(on, sqlx::query_as(BY_ID).bind(id.0), fetch_optional)?;
    row.map(Role::from).ok_or(Fault::NotFound("role"))
}

/// What a role shall be. Absent fields stay as they are.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// 1 to 100 characters.
    pub name: Option<String>,
    /// Empty: none.
    pub description: Option<String>,
    /// All of them, as words.
    pub permissions: Option<Vec<String>>,
}

/// Makes the role that is everybody's, at first start: whoever has an account may make channels, and
/// mention all of one.
pub async fn create_defaults(tx: &mut Tx) -> Result<()> {
    let permissions = Permissions::of(&[
        Permission::ChannelsCreate,
        Permission::ChannelsCreatePrivate,
        Permission::MessagesMentionAll,
        Permission::ReactionsCreate,
    ]);
    let description = "What everybody with an account may do.";
    insert(tx, EVERYONE, "everyone", Some(description.into()), permissions, true).await?;
    Ok(())
}

/// Makes a role.
///
/// # Errors
/// [`Fault::Conflict`] with code `name_taken`; [`Fault::Invalid`].
pub async fn create(tx: &mut Tx, by: &Granted, new: Change) -> Result<Role> {
    policies::lock(tx).await?;
    let name = text::line("name", new.name.as_deref().unwrap_or_default(), NAME_CHARACTERS)?;
    let description = text::optional_line("description", new.description.as_deref(), 255)?;
    let permissions = Permissions::parse(&new.permissions.unwrap_or_default())?;
    by.covers(Standing { is_superuser: false, permissions })?;
    let count: i64 = run!(tx, sqlx::query_scalar(COUNT_ROLES), fetch_one)?;
    if count >= MOST {
        return Err(Fault::conflict("too_many_roles", format!("there can be at most {MOST} roles")));
    }
    let id = RoleId::new();
    if insert(tx, id, &name, description, permissions, false).await? == 0 {
        return Err(name_taken());
    }
    let detail = serde_json::json!({ "name": name, "permissions": permissions.words() });
    audit::note(tx, by.actor(), Action::RoleCreated, Some(Target::new("role", id)), detail).await?;
    find(tx, id).await
}

fn name_taken() -> Fault {
    Fault::conflict("name_taken", "another role has this name")
}

async fn insert(
    tx: &mut Tx,
    id: RoleId,
    name: &str,
    description: Option<String>,
    permissions: Permissions,
    is_system: bool,
) -> Result<u64> {
    Ok(run!(
        tx,
        sqlx::query(INSERT)
            .bind(id.0)
            .bind(name.to_owned())
            .bind(text::key(name))
            .bind(description.clone())
            .bind(permissions.text())
            .bind(is_system)
            .bind(Timestamp::now().0),
        execute
    )?)
}

/// Changes a role; its holders have the new permissions within seconds. The name of `everyone` stays.
pub async fn update(tx: &mut Tx, by: &Granted, id: RoleId, change: Change) -> Result<Role> {
    policies::lock(tx).await?;
    let known = find(tx, id).await?;
    // Also what is taken away must be one's own: else the lesser could disarm the greater.
    by.covers(Standing { is_superuser: false, permissions: known.permissions })?;
    let name = match change.name {
        Some(name) if !known.is_system => text::line("name", &name, NAME_CHARACTERS)?,
        Some(name) if name != known.name => return Err(system_role("the name of this role is fixed")),
        _ => known.name,
    };
    let description = match change.description {
        Some(text) => text::optional_line("description", Some(&text), 255)?,
        None => known.description,
    };
    let permissions = match change.permissions {
        Some(words) => Permissions::parse(&words)?,
        None => known.permissions,
    };
    by.covers(Standing { is_superuser: false, permissions })?;
    let changed = run!(
        tx,
        sqlx::query(UPDATE)
            .bind(id.0)
            .bind(name.clone())
            .bind(text::key(&name))
            .bind(description.clone())
            .bind(permissions.text())
            .bind(Timestamp::now().0),
        execute
    );
    match changed {
        Err(error) if Fault::is_duplicate(&error) => return Err(name_taken()),
        other => other?,
    };
    tx.emit(Emission::new(EventKind::AccessChanged, id).detail(policies::FOR_EVERYBODY));
    let detail = serde_json::json!({ "name": name, "permissions": permissions.words() });
    audit::note(tx, by.actor(), Action::RoleUpdated, Some(Target::new("role", id)), detail).await?;
    find(tx, id).await
}

fn system_role(message: &'static str) -> Fault {
    Fault::conflict("system_role", message)
}

/// Deletes a role that nobody holds.
///
/// # Errors
/// [`Fault::Conflict`] with code `role_in_use` or `system_role`.
pub async fn delete(tx: &mut Tx, by: &Granted, id: RoleId) -> Result<()> {
    policies::lock(tx).await?;
    let known = find(tx, id).await?;
    if known.is_system {
        return Err(system_role("this role is everybody's and cannot be deleted"));
    }
    by.covers(Standing { is_superuser: false, permissions: known.permissions })?;
    if known.user_count > 0 {
        return Err(Fault::conflict(
            "role_in_use",
            format!("this role is still given to people ({}); take it from them first", known.user_count),
        ));
    }
    run!(tx, sqlx::query(DELETE).bind(id.0), execute)?;
    let detail = serde_json::json!({ "name": known.name });
    audit::note(tx, by.actor(), Action::RoleDeleted, Some(Target::new("role", id)), detail).await
}
