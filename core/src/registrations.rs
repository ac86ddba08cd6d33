//! Making one's own account: whom the settings let in, and what it costs.

use confab_protocol::User;
use serde_json::json;

use crate::audit::{self, Action, Actor, Target};
use crate::config::Registration;
use crate::db::Tx;
use crate::fault::{Fault, Result};
use crate::sessions::{self, Device, Method, Started};
use crate::tickets::{self, Purpose};
use crate::users::{self, NewUser};
use crate::{text, workspace};

/// What an account costs. A secret is used up in the transaction that makes the account, or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cost {
    /// Anyone may.
    Nothing,
    /// The secret of an invitation.
    Invitation(String),
    /// The secret of the set-up link, for the first administrator.
    SetUp(String),
}

/// Whether the settings let somebody with this address make an account, and what it costs them.
///
/// # Errors
/// [`Fault::Forbidden`] with code `registration_closed`.
pub fn ask(mode: &Registration, email: &str, invitation: Option<String>) -> Result<Cost> {
    let closed = |message| Err(Fault::forbidden("registration_closed", message));
    match mode {
        Registration::Open => Ok(Cost::Nothing),
        Registration::Invite => match invitation {
            Some(secret) => Ok(Cost::Invitation(secret)),
            None => closed("an invitation is needed to make an account here"),
        },
        Registration::Domain(domains) => {
            let of = email.rsplit_once('@').map(|(_, host)| host.to_lowercase()).unwrap_or_default();
            if domains.contains(&of) {
                Ok(Cost::Nothing)
            } else {
                closed("accounts are for certain e-mail domains only")
            }
        }
        Registration::Off => closed("nobody can make an account here"),
    }
}

/// Makes an account and signs it in.
///
/// # Errors
/// [`Fault::NotFound`] for a secret that is not good any more; those of [`users::create`].
pub async fn register(tx: &mut Tx, user: NewUser, cost: Cost, device: Device) -> Result<Started> {
    let by = Actor::user(user.id, None, device.ip_address.clone());
    let made = create(tx, &by, user, cost, Method::Registration).await?;
    sessions::start(tx, made.id, device, Method::Registration).await
}

/// Makes the first administrator and signs them in; with `workspace` it is called so from now on.
///
/// # Errors
/// [`Fault::Invalid`] in `workspace_name`; those of [`register`].
pub async fn set_up(
    tx: &mut Tx,
    user: NewUser,
    secret: String,
    workspace: Option<String>,
    device: Device,
) -> Result<Started> {
    let by = Actor::user(user.id, None, device.ip_address.clone());
    let name = text::optional_line("workspace_name", workspace.as_deref(), workspace::NAME_CHARACTERS)?;
    let started = register(tx, user, Cost::SetUp(secret), device).await?;
    if let Some(name) = name {
        workspace::set(tx, &by, &name).await?;
    }
    Ok(started)
}

/// Makes an account, for the cost that was asked.
pub(crate) async fn create(
    tx: &mut Tx,
    by: &Actor,
    user: NewUser,
    cost: Cost,
    method: Method,
) -> Result<User> {
    match cost {
        Cost::Nothing => {}
        Cost::Invitation(secret) => tickets::use_invitation(tx, by, &secret).await?,
        Cost::SetUp(secret) => {
            tickets::redeem(tx, Purpose::SetUp, &secret).await?;
            // A second server may have printed a link while the first made its administrator.
            if users::has_superuser(tx).await? {
                return Err(Fault::NotFound("set-up link"));
            }
        }
    }
    let is_superuser = user.is_superuser;
    let made = users::create(tx, user).await?;
    let detail =
        json!({ "username": made.username, "is_superuser": is_superuser, "method": method.as_str() });
    audit::note(tx, by, Action::Registered, Some(Target::user(made.id)), detail).await?;
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mode_lets_in_whom_it_says() {
        let domains = Registration::Domain(vec!["example.org".into()]);
        let secret = || Some("secret".to_owned());
        assert_eq!(ask(&Registration::Open, "a@b", secret()).ok(), Some(Cost::Nothing));
        assert_eq!(ask(&Registration::Invite, "", secret()).ok(), Some(Cost::Invitation("secret".into())));
        assert!(ask(&Registration::Invite, "a@example.org", None).is_err());
        assert_eq!(ask(&domains, "ada@EXAMPLE.org", None).ok(), Some(Cost::Nothing));
        for address in ["ada@sub.example.org", "ada@example.org.evil.example", "ada", ""] {
            assert!(ask(&domains, address, secret()).is_err(), "{address}");
        }
        assert!(ask(&Registration::Off, "a@b", secret()).is_err());
    }
}
