//! Ids: UUIDs of version 7, each kind a type of its own so that one cannot stand where another belongs.
//!
//! They sort by the time of their making in one process and are never used for order across machines: order is
//! `seq` in a channel and `pos` in the log.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(poem_openapi::NewType))]
        pub struct $name(pub Uuid);

        impl $name {
            /// A fresh id.
            #[allow(clippy::new_without_default)]
            #[must_use]
            pub fn new() -> Self {
                Self(crate::fresh_id())
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(out)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }
    };
}

id!(
    /// A person or a bot.
    UserId
);
id!(
    /// A channel of any kind; for a direct message it is the conversation's id.
    ChannelId
);
id!(
    /// A message.
    MessageId
);
id!(
    /// An uploaded file.
    FileId
);
id!(
    /// A signed-in device.
    SessionId
);
id!(
    /// One row of the event log.
    EventId
);
id!(
    /// A named set of permissions.
    RoleId
);
id!(
    /// One person's stay in a voice channel.
    ParticipantId
);
