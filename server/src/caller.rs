//! Who is calling, and what they may: the server's side of `core::roles`.

use confab_core::api_tokens::Scopes;
use confab_core::audit::Actor;
use confab_core::roles::{self, Granted, Permission};
use confab_core::sessions::{Live, Method};
use confab_core::{Fault, Result};
use confab_protocol::{SessionId, Timestamp, UserId};

/// Who is calling.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Which user.
    pub user_id: UserId,
    /// On which device, or by which token.
    pub session_id: SessionId,
    /// When the token ends.
    pub expires_at: Timestamp,
    /// What the session is worth now.
    pub live: Live,
    address: Option<String>,
}

impl Caller {
    /// The holder of something that stands for a live session until `expires_at`.
    #[must_use]
    pub fn of(live: Live, expires_at: Timestamp, address: Option<String>) -> Self {
        Self { user_id: live.user_id, session_id: live.session_id, expires_at, live, address }
    }

    /// Who does it, for the audit log.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::user(self.user_id, Some(self.session_id), self.address.clone())
    }

    /// Lets whoever holds the permission pass.
    ///
    /// # Errors
    /// [`Fault::Forbidden`] with code `permission_missing` or `scope_missing`.
    pub fn may(&self, permission: Permission) -> Result<Granted> {
        self.has_scope("admin", |scopes| scopes.admin)?;
        roles::ask(self.actor(), self.live.standing, permission)
    }

    /// The same for what is part of chatting, where a token needs no scope `admin`.
    ///
    /// # Errors
    /// [`Fault::Forbidden`] with code `permission_missing`.
    pub fn may_in_chat(&self, permission: Permission) -> Result<Granted> {
        roles::ask(self.actor(), self.live.standing, permission)
    }

    /// Lets superusers pass.
    ///
    /// # Errors
    /// [`Fault::Forbidden`] with code `superuser_only` or `scope_missing`.
    pub fn superuser(&self) -> Result<Granted> {
        self.has_scope("admin", |scopes| scopes.admin)?;
        roles::ask_superuser(self.actor(), self.live.standing)
    }

    /// Refuses personal and bot tokens: what one steals from a script must not change the locks.
    ///
    /// # Errors
    /// [`Fault::Forbidden`] with code `sign_in_required`.
    pub fn in_person(&self) -> Result<()> {
        if self.live.method != Method::Token {
            return Ok(());
        }
        Err(Fault::forbidden("sign_in_required", "a token cannot do this; sign in"))
    }

    /// Refuses a token that was not made for this.
    ///
    /// # Errors
    /// [`Fault::Forbidden`] with code `scope_missing`.
    pub fn has_scope(&self, name: &'static str, held: impl FnOnce(Scopes) -> bool) -> Result<()> {
        if self.live.scopes.is_none_or(held) {
            return Ok(());
        }
        Err(Fault::forbidden("scope_missing", format!("this token lacks the scope {name}")))
    }

    /// Refuses everything to who has to set up a second factor first.
    ///
    /// # Errors
    /// [`Fault::Forbidden`] with code `two_factor_setup_required`.
    pub fn has_second_factor(&self) -> Result<()> {
        if !self.live.must_set_up_two_factor {
            return Ok(());
        }
        Err(Fault::forbidden(
            "two_factor_setup_required",
            "this server asks for a second factor; set one up first",
        ))
    }
}
