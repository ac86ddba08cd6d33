//! Users, channels, messages as the API shows them. REST, gateway, plugins and the assistant all show these.

use serde::{Deserialize, Serialize};

use crate::gateway::PresenceStatus;
use crate::{ChannelId, RoleId, Timestamp, UserId};

macro_rules! view {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident : $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(poem_openapi::Object))]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        pub struct $name { $($(#[$field_doc])* pub $field: $type),* }
    };
}

// After the macro, which it uses too.
mod message;

pub use message::{File, Forwarded, LinkPreview, Message, Quoted, ReactionCount};

view!(
    /// Enough of a user to show beside what they did.
    UserRef {
        /// Who.
        id: UserId,
        /// Unique under case folding, at most 100 characters.
        username: String,
        /// As the person writes it.
        #[serde(skip_serializing_if = "Option::is_none")]
        full_name: Option<String>,
        /// Where the picture is.
        #[serde(skip_serializing_if = "Option::is_none")]
        picture_url: Option<String>,
        /// Not a person: a plugin, a webhook or an imported bot.
        is_bot: bool,
    }
);

view!(
    /// A role by its name.
    RoleRef {
        /// Which.
        id: RoleId,
        /// At most 100 characters, unique under case folding.
        name: String,
    }
);

view!(
    /// A user. `email` and what follows `updated_at` are shown to the user and to administrators only.
    User {
        /// Who.
        id: UserId,
        /// Unique under case folding, at most 100 characters.
        username: String,
        /// At most 255 characters, unique under case folding.
        #[serde(skip_serializing_if = "Option::is_none")]
        email: Option<String>,
        /// As the person writes it.
        #[serde(skip_serializing_if = "Option::is_none")]
        full_name: Option<String>,
        /// A few words about the person.
        #[serde(skip_serializing_if = "Option::is_none")]
        bio: Option<String>,
        /// Where the picture is.
        #[serde(skip_serializing_if = "Option::is_none")]
        picture_url: Option<String>,
        /// False: may not sign in.
        is_active: bool,
        /// May administer the server. Reads no private channel by it.
        is_superuser: bool,
        /// Not a person.
        is_bot: bool,
        /// When the account was made.
        created_at: Timestamp,
        /// When the account last changed.
        updated_at: Timestamp,
        /// Set: the account is gone and its messages stay.
        #[serde(skip_serializing_if = "Option::is_none")]
        deleted_at: Option<Timestamp>,
        /// What the user may do beyond what everybody may in their own channels; of one's own account only.
        #[serde(skip_serializing_if = "Option::is_none")]
        permissions: Option<Vec<String>>,
        /// The roles that were assigned.
        #[serde(skip_serializing_if = "Option::is_none")]
        roles: Option<Vec<RoleRef>>,
        /// Whether signing in by password is possible.
        #[serde(skip_serializing_if = "Option::is_none")]
        has_password: Option<bool>,
        /// Whether codes are asked for at sign-in.
        #[serde(skip_serializing_if = "Option::is_none")]
        two_factor_enabled: Option<bool>,
        /// Whether this server asks everyone for a second factor; of one's own account only.
        #[serde(skip_serializing_if = "Option::is_none")]
        two_factor_required: Option<bool>,
        /// When a session of the account was last used; for administrators.
        #[serde(skip_serializing_if = "Option::is_none")]
        last_seen_at: Option<Timestamp>,
    }
);

view!(
    /// Whether somebody is here, and what they say of it.
    UserStatus {
        /// Who.
        user_id: UserId,
        /// Their dot.
        status: PresenceStatus,
        /// A few words of theirs.
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// When the words go by themselves.
        #[serde(skip_serializing_if = "Option::is_none")]
        expires_at: Option<Timestamp>,
        /// When the dot last changed.
        #[serde(skip_serializing_if = "Option::is_none")]
        last_seen: Option<Timestamp>,
    }
);

/// What a channel is for, and so who may find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Enum), oai(rename_all = "lowercase"))]
#[serde(rename_all = "lowercase")]
pub enum ChannelKind {
    /// Anyone with an account finds, reads and joins it.
    Public,
    /// Only members know that it exists.
    Private,
    /// Two people.
    Direct,
    /// A conversation of several people without a name.
    Group,
    /// A place to talk aloud; found like a public channel.
    Voice,
}

/// What a member may do in one channel; a later one may all that an earlier one may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Enum), oai(rename_all = "lowercase"))]
#[serde(rename_all = "lowercase")]
pub enum ChannelRole {
    /// Reads and writes where invited.
    Guest,
    /// Reads and writes.
    Member,
    /// Manages members and settings.
    Admin,
    /// May delete the channel.
    Owner,
}

/// What of a channel is brought to one member's attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Enum), oai(rename_all = "lowercase"))]
#[serde(rename_all = "lowercase")]
pub enum ChannelNotificationLevel {
    /// Every message.
    All,
    /// What mentions them.
    Mentions,
    /// None of it.
    Nothing,
    /// As they chose for all channels.
    Default,
}

macro_rules! words {
    ($name:ident { $($variant:ident = $word:literal),* $(,)? }) => {
        impl $name {
            /// The word in SQL and JSON.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// Reads the word; `None` for any other.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}
words!(ChannelKind { Public = "public", Private = "private", Direct = "direct", Group = "group", Voice = "voice" });
words!(ChannelNotificationLevel { All = "all", Mentions = "mentions", Nothing = "nothing", Default = "default" });
words!(ChannelRole { Guest = "guest", Member = "member", Admin = "admin", Owner = "owner" });

impl ChannelKind {
    /// Whether everyone with an account may find, read and join such a channel.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Public | Self::Voice)
    }
}

view!(
    /// A channel. `role`, `read_seq` and the counts of unread appear in what is made for one user.
    Channel {
        /// Which.
        id: ChannelId,
        /// What it is for.
        kind: ChannelKind,
        /// At most 80 characters; empty for direct and group conversations.
        name: String,
        /// What belongs here.
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// What is talked about at the moment.
        #[serde(skip_serializing_if = "Option::is_none")]
        topic: Option<String>,
        /// Who made it or took it over.
        #[serde(skip_serializing_if = "Option::is_none")]
        owner_id: Option<UserId>,
        /// Set: nobody may write here any more.
        #[serde(skip_serializing_if = "Option::is_none")]
        archived_at: Option<Timestamp>,
        /// The number of the last durable event here.
        last_seq: i64,
        /// Messages ever posted here, deleted ones too.
        message_count: i64,
        /// People and bots in it now.
        member_count: i64,
        /// When it was made.
        created_at: Timestamp,
        /// When it last changed.
        updated_at: Timestamp,
        /// For how many days messages are kept; absent: as long as the server's rule says.
        #[serde(skip_serializing_if = "Option::is_none")]
        retention_days: Option<i64>,
        /// Derived from `kind`.
        is_private: bool,
        /// Derived from `kind`.
        is_public: bool,
        /// Derived from `kind`.
        is_direct_message: bool,
        /// Derived from `kind`.
        is_vc: bool,
        /// The reader's role; absent when the reader is not a member.
        #[serde(skip_serializing_if = "Option::is_none")]
        role: Option<ChannelRole>,
        /// How far the reader has read.
        #[serde(skip_serializing_if = "Option::is_none")]
        read_seq: Option<i64>,
        /// Messages after `read_seq`.
        #[serde(skip_serializing_if = "Option::is_none")]
        unread_count: Option<i64>,
        /// Messages after `read_seq` that mention the reader.
        #[serde(skip_serializing_if = "Option::is_none")]
        mention_count: Option<i64>,
        /// Whether the reader wants it above the others.
        #[serde(skip_serializing_if = "Option::is_none")]
        starred: Option<bool>,
        /// Whether the reader wants to hear as little of it as may be.
        #[serde(skip_serializing_if = "Option::is_none")]
        muted: Option<bool>,
        /// What of it is brought to the reader's attention.
        #[serde(skip_serializing_if = "Option::is_none")]
        notification_level: Option<ChannelNotificationLevel>,
        /// The people of a direct or group conversation.
        #[serde(skip_serializing_if = "Option::is_none")]
        people: Option<Vec<UserRef>>,
    }
);

view!(
    /// One person's place in a channel.
    Member {
        /// Who.
        user: UserRef,
        /// What they may do.
        role: ChannelRole,
        /// Since when.
        joined_at: Timestamp,
    }
);
