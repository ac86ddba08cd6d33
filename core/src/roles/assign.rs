//! Who holds which role.

use confab_protocol::{EventKind, RoleId, RoleRef, Timestamp, UserId};
use serde_json::json;
use uuid::Uuid;

use super::{EVERYONE, Granted, Role, Standing, all};
use crate::audit::{self, Action, Target};
use crate::db::write::Emission;
use crate::db::{Read, Tx, insert_rows, run, run_in};
use crate::fault::{Fault, Result};
use crate::{policies, tickets};

const OF_USERS: &str =
    "select g.user_id, r.id, r.name from user_roles g join roles r on r.id = g.role_id where g.user_id in";
const CLEAR: &str = "delete from user_roles where user_id = $1";

/// The roles of one user, besides `everyone`.
pub async fn of_user(on: &mut impl Read, user: UserId) -> Result<Vec<RoleRef>> {
    Ok(of_users(on, &[user]).await?.into_iter().map(|(_, role)| role).collect())
}

/// The roles of several users, in order of name.
pub async fn of_users(on: &mut impl Read, users: &[UserId]) -> Result<Vec<(UserId, RoleRef)>> {
    let ids: Vec<Uuid> = users.iter().map(|id| id.0).collect();
    let rows: Vec<(Uuid, Uuid, String)> =
        run_in!(on, (Uuid, Uuid, String), OF_USERS, &ids, "order by r.name_key")?;
    Ok(rows.into_iter().map(|(user, id, name)| (UserId(user), RoleRef { id: RoleId(id), name })).collect())
}

/// Gives a user these roles and no others.
///
/// # Errors
/// [`Fault::Invalid`] in `role_ids`; [`Fault::Forbidden`] for roles, given or taken, that permit what the giver may not.
pub async fn assign(tx: &mut Tx, by: &Granted, user: UserId, ids: &[RoleId]) -> Result<Vec<Role>> {
    // Roles change one after the other: what is given here must not be deleted meanwhile.
    policies::lock(tx).await?;
    crate::users::covered(tx, by, user).await?;
    // A link that a lesser administrator made must not open what the account may from now on.
    tickets::void_links(tx, user).await?;
    let known = all(tx).await?;
    let mut given = Vec::with_capacity(ids.len());
    for id in ids {
        let role = known.iter().find(|role| role.id == *id && *id != EVERYONE);
        let role = role.ok_or_else(|| Fault::invalid("role_ids", "holds an id that is no role to give"))?;
        by.covers(Standing { is_superuser: false, permissions: role.permissions })?;
        if !given.iter().any(|it: &Role| it.id == role.id) {
            given.push(role.clone());
        }
    }
    run!(tx, sqlx::query(CLEAR).bind(user.0), execute)?;
    let now = Timestamp::now().0;
    insert_rows!(
        tx,
        "insert into user_roles (user_id, role_id, granted_by_id, created_at) ",
        given,
        |place, role| place
            .push_bind(user.0)
            .push_bind(role.id.0)
            .push_bind(by.actor().user_id.map(|id| id.0))
            .push_bind(now),
        ""
    );
    tx.emit(Emission::new(EventKind::AccessChanged, user));
    tx.emit(Emission::new(EventKind::UserUpdated, user));
    let names: Vec<&str> = given.iter().map(|role| role.name.as_str()).collect();
    audit::note(tx, by.actor(), Action::RolesAssigned, Some(Target::user(user)), json!({ "roles": names }))
        .await?;
    Ok(given)
}
