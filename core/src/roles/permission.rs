//! What roles can permit.

use crate::fault::{Fault, Result};

macro_rules! permissions {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal),* $(,)?) => {
        /// One permission.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Permission { $($(#[doc = $doc])* $variant),* }

        impl Permission {
            /// Every permission.
            pub const EVERY: &[Self] = &[$(Self::$variant),*];

            /// The word in SQL and JSON.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// What it permits, for people who give it away.
            #[must_use]
            pub fn description(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),*).trim_ascii()),* }
            }
        }
    };
}

permissions!(
    /// Make public and voice channels.
    ChannelsCreate = "channels.create",
    /// Make private channels.
    ChannelsCreatePrivate = "channels.create_private",
    /// Add reactions of one's own to the catalogue.
    ReactionsCreate = "reactions.create",
    /// Delete reactions that others added.
    ReactionsManage = "reactions.manage",
    /// Make, list and revoke invitation links.
    UsersInvite = "users.invite",
    /// See, make, disable, enable and delete accounts, and help people back in.
    UsersManage = "users.manage",
    /// Make bots, and tokens for the bots one made.
    BotsManage = "bots.manage",
    /// Make and change roles, and give them to people.
    RolesManage = "roles.manage",
    /// Read, check and export the audit log.
    AuditRead = "audit.read",
    /// See installed plugins and what they may do.
    PluginsManage = "plugins.manage",
    /// See figures of the server and events that its workers could not digest, retry these, and rebuild the index.
    ServerWatch = "server.watch",
    /// Mention a whole channel: @channel, @all and @here.
    MessagesMentionAll = "messages.mention_all",
);

/// A set of permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions(u32);

impl Permissions {
    /// Every permission.
    pub const ALL: Self = Self((1 << Permission::EVERY.len()) - 1);

    /// These.
    #[must_use]
    pub fn of(list: &[Permission]) -> Self {
        Self(list.iter().fold(0, |bits, it| bits | 1 << *it as u32))
    }

    /// Whether `permission` is among them.
    #[must_use]
    pub fn has(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u32) != 0
    }

    /// Whether all of `others` are among them.
    #[must_use]
    pub fn contain(self, others: Self) -> bool {
        others.0 & !self.0 == 0
    }

    /// Both together.
    #[must_use]
    pub fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// As words, in a fixed order.
    #[must_use]
    pub fn words(self) -> Vec<&'static str> {
        Permission::EVERY.iter().filter(|it| self.has(**it)).map(|it| it.as_str()).collect()
    }

    /// Reads what a caller wrote.
    ///
    /// # Errors
    /// [`Fault::Invalid`] in `permissions` for a word that is none.
    pub fn parse(words: &[String]) -> Result<Self> {
        let mut set = Self::default();
        for word in words {
            let known = Permission::EVERY.iter().find(|it| it.as_str() == word);
            let known = known.ok_or_else(|| {
                let every: Vec<&str> = Permission::EVERY.iter().map(|it| it.as_str()).collect();
                Fault::invalid("permissions", format!("must be among {}", every.join(", ")))
            })?;
            set = set.and(Self::of(&[*known]));
        }
        Ok(set)
    }

    /// As SQL keeps them: words with spaces between. Words of a newer server are passed over.
    pub(crate) fn from_words(text: &str) -> Self {
        let words: Vec<&str> = text.split(' ').collect();
        let known: Vec<Permission> =
            Permission::EVERY.iter().copied().filter(|it| words.contains(&it.as_str())).collect();
        Self::of(&known)
    }

    pub(crate) fn text(self) -> String {
        self.words().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_survives_its_own_text() {
        for permission in Permission::EVERY {
            let set = Permissions::of(&[*permission]);
            assert_eq!(Permissions::from_words(&set.text()), set);
            assert!(set.has(*permission) && Permissions::ALL.contain(set));
            assert!(!permission.description().is_empty());
            // The manual names every one of them.
            let manual = include_str!("../../../docs/accounts.md");
            assert!(manual.contains(&format!("`{}`", permission.as_str())), "{permission:?}");
        }
        assert_eq!(Permissions::from_words("users.invite of.tomorrow").words(), ["users.invite"]);
        assert!(Permissions::parse(&["everything".into()]).is_err());
        assert!(!Permissions::default().contain(Permissions::of(&[Permission::AuditRead])));
    }
}
