//! Who may administer: [`ask`] is the one function that lets somebody, and [`Granted`] what it answers.

use confab_protocol::UserId;

use super::{Permission, Permissions, permissions_of};
use crate::audit::Actor;
use crate::db::Read;
use crate::fault::{Fault, Result};

/// What a user may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// May all of it.
    pub is_superuser: bool,
    /// From roles.
    pub permissions: Permissions,
}

impl Standing {
    /// Whether the permission is held.
    #[must_use]
    pub fn may(self, permission: Permission) -> bool {
        self.is_superuser || self.permissions.has(permission)
    }

    /// Everything that is held.
    #[must_use]
    pub fn all(self) -> Permissions {
        if self.is_superuser { Permissions::ALL } else { self.permissions }
    }
}

/// Proof that somebody may administer.
#[derive(Clone, Debug)]
pub struct Granted {
    by: Actor,
    standing: Standing,
}

impl Granted {
    /// Whoever runs commands on the server's machine: they hold the record itself.
    #[must_use]
    pub fn operator() -> Self {
        let standing = Standing { is_superuser: true, permissions: Permissions::ALL };
        Self { by: Actor::operator(), standing }
    }

    /// Who.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.by
    }

    /// What else they may.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// Lets superusers pass.
    ///
    /// # Errors
    /// [`Fault::Forbidden`] with code `superuser_only`.
    pub fn superuser(&self) -> Result<()> {
        if self.standing.is_superuser { Ok(()) } else { Err(superuser_only()) }
    }

    /// Nobody gives away what they do not hold, nor rules over those who hold more: else a permission to manage users
    /// would be a permission for everything.
    ///
    /// # Errors
    /// [`Fault::Forbidden`] with code `beyond_own_permissions`.
    pub(crate) fn covers(&self, theirs: Standing) -> Result<()> {
        if theirs.is_superuser {
            return self.superuser();
        }
        if self.standing.all().contain(theirs.permissions) {
            return Ok(());
        }
        Err(Fault::forbidden("beyond_own_permissions", "this would need permissions that you do not have"))
    }
}

fn superuser_only() -> Fault {
    Fault::forbidden("superuser_only", "only a superuser may do this")
}

/// Lets whoever holds the permission pass: the one function that does.
///
/// # Errors
/// [`Fault::Forbidden`] with code `permission_missing`.
pub fn ask(by: Actor, standing: Standing, permission: Permission) -> Result<Granted> {
    if standing.may(permission) {
        return Ok(Granted { by, standing });
    }
    Err(Fault::forbidden("permission_missing", format!("this needs the permission {}", permission.as_str())))
}

/// The same for someone who acted earlier and whose act counts only now.
///
/// # Errors
/// Those of [`ask`]; [`Fault::Forbidden`] for an account that may not sign in any more.
pub(crate) async fn ask_as(on: &mut impl Read, user: UserId, permission: Permission) -> Result<Granted> {
    let account = crate::users::find(on, user).await?;
    if !account.is_active {
        return Err(Fault::forbidden("account_disabled", "this account is disabled"));
    }
    let permissions = permissions_of(on, user).await?;
    ask(user.into(), Standing { is_superuser: account.is_superuser, permissions }, permission)
}

/// Lets superusers pass, for what no permission covers.
///
/// # Errors
/// [`Fault::Forbidden`] with code `superuser_only`.
pub fn ask_superuser(by: Actor, standing: Standing) -> Result<Granted> {
    if standing.is_superuser { Ok(Granted { by, standing }) } else { Err(superuser_only()) }
}
