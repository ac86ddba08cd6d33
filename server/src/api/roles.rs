//! Roles and what they permit.

use confab_core::FutureExt;
use confab_core::roles::{self, Change, Permission, Role};
use confab_protocol::{RoleId, Timestamp};
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use uuid::Uuid;

use super::auth::{Bearer, Done};
use super::strict::Text;
use super::{Answer, Area, app};
use crate::state::App;

/// A named set of permissions.
#[derive(Object)]
#[oai(rename = "Role", skip_serializing_if_is_none)]
pub(super) struct RoleView {
    id: RoleId,
    name: String,
    description: Option<String>,
    permissions: Vec<String>,
    /// The role `everyone`: everybody has it, and it cannot be deleted.
    is_system: bool,
    /// How many users hold it.
    user_count: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Object)]
pub(super) struct RoleList {
    pub(super) items: Vec<RoleView>,
}

#[derive(Debug, Object)]
struct NewRole {
    /// 1 to 100 characters, unique.
    name: Text,
    description: Option<Text>,
    permissions: Vec<Text>,
}

/// Absent fields stay as they are.
#[derive(Debug, Object)]
struct RoleChange {
    name: Option<Text>,
    description: Option<Text>,
    /// All of them.
    permissions: Option<Vec<Text>>,
}

#[derive(ApiResponse)]
enum Made {
    /// The role was made.
    #[oai(status = 201)]
    Created(Json<RoleView>),
}

#[derive(Object)]
struct PermissionView {
    name: String,
    description: String,
}

#[derive(Object)]
struct PermissionList {
    items: Vec<PermissionView>,
}

pub struct Roles(pub Option<App>);

#[OpenApi(tag = "Area::Administration")]
impl Roles {
    /// What roles can permit.
    #[oai(path = "/auth/permissions", method = "get")]
    async fn permissions(&self, _caller: Bearer) -> Answer<Json<PermissionList>> {
        let items = Permission::EVERY
            .iter()
            .map(|it| PermissionView { name: it.as_str().into(), description: it.description().into() });
        Ok(Json(PermissionList { items: items.collect() }))
    }

    /// All roles, by name. Needs `roles.manage` or `users.manage`.
    #[oai(path = "/auth/roles", method = "get")]
    async fn list(&self, caller: Bearer) -> Answer<Json<RoleList>> {
        if caller.0.may(Permission::UsersManage).is_err() {
            caller.0.may(Permission::RolesManage)?;
        }
        let all = roles::all(&mut app(&self.0)?.db.read()).await?;
        Ok(Json(RoleList { items: all.iter().map(view).collect() }))
    }

    /// Makes a role. Needs `roles.manage`, and every permission of it.
    #[oai(path = "/auth/roles", method = "post")]
    async fn create(&self, caller: Bearer, body: Json<NewRole>) -> Answer<Made> {
        let by = caller.0.may(Permission::RolesManage)?;
        let NewRole { name, description, permissions } = body.0;
        let new = Change {
            name: Some(name.0),
            description: description.map(|it| it.0),
            permissions: Some(words(permissions)),
        };
        let made = app(&self.0)?
            .db
            .write(move |tx| async move { roles::create(tx, &by, new).await }.boxed())
            .await?;
        Ok(Made::Created(Json(view(&made))))
    }

    /// Changes a role; its holders have the new permissions within seconds. Needs `roles.manage`, and every permission
    /// that it had or shall have.
    #[oai(path = "/auth/roles/:id", method = "put")]
    async fn update(&self, caller: Bearer, id: Path<Uuid>, body: Json<RoleChange>) -> Answer<Json<RoleView>> {
        let (by, app) = (caller.0.may(Permission::RolesManage)?, app(&self.0)?);
        let change = Change {
            name: body.0.name.map(|it| it.0),
            description: body.0.description.map(|it| it.0),
            permissions: body.0.permissions.map(words),
        };
        let id = RoleId(id.0);
        let role =
            app.db.write(move |tx| async move { roles::update(tx, &by, id, change).await }.boxed()).await?;
        app.tokens.forget_all();
        Ok(Json(view(&role)))
    }

    /// Deletes a role that nobody holds. Needs `roles.manage`.
    #[oai(path = "/auth/roles/:id", method = "delete")]
    async fn delete(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Done> {
        let by = caller.0.may(Permission::RolesManage)?;
        let id = RoleId(id.0);
        app(&self.0)?.db.write(move |tx| async move { roles::delete(tx, &by, id).await }.boxed()).await?;
        Ok(Done::NoContent)
    }
}

fn words(list: Vec<Text>) -> Vec<String> {
    list.into_iter().map(|it| it.0).collect()
}

pub(super) fn view(role: &Role) -> RoleView {
    RoleView {
        id: role.id,
        name: role.name.clone(),
        description: role.description.clone(),
        permissions: role.permissions.words().into_iter().map(str::to_owned).collect(),
        is_system: role.is_system,
        user_count: role.user_count,
        created_at: role.created_at,
        updated_at: role.updated_at,
    }
}
