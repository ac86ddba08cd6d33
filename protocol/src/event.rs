//! What happened, as the log keeps it: thin rows that name things and hold no text of theirs.
//!
//! A body is read again when the event is delivered, so that what was edited or deleted since is never replayed.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{ChannelId, EventId, Timestamp, UserId};

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),* $(,)?) => {
        /// The name of a durable event, as the gateway says it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum EventKind { $($(#[$doc])* #[serde(rename = $name)] $variant),* }

        impl EventKind {
            /// Every kind, for tests and documents.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name in the log and on the socket.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// Reads a name; `None` for one of a newer server.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

kinds!(
    /// A message was posted; `ref_id` is the message.
    NewMessage = "new_message",
    /// Its content changed, or with a `detail` (`thread`, `forward`, `previews`, `files`) what is shown beside it; `ref_id` is the message.
    MessageUpdate = "message_update",
    /// It was deleted; `ref_id` is the message.
    MessageDelete = "message_delete",
    /// `actor_id` put reaction `detail` under message `ref_id`.
    ReactionAdded = "reaction_added",
    /// `actor_id` took reaction `detail` from message `ref_id`.
    ReactionRemoved = "reaction_removed",
    /// A channel came to be; `ref_id` is the channel.
    ChannelCreated = "channel_created",
    /// Name, topic, description or archive state changed.
    ChannelUpdate = "channel_update",
    /// The channel is gone.
    ChannelDeleted = "channel_deleted",
    /// User `ref_id` is a member from this `seq` on; `detail` is the role.
    MemberJoined = "member_joined",
    /// User `ref_id` is no longer a member from this `seq` on.
    MemberLeft = "member_left",
    /// The role of member `ref_id` became `detail`.
    RoleUpdated = "role_updated",
    /// The channel became public or private.
    PrivacyUpdated = "privacy_updated",
    /// User `ref_id` has read the channel up to `detail`; for their own devices, unread and mentions follow.
    ReadUpdated = "read_updated",
    /// Open channel `ref_id` came to be open, or is it no more: private, or deleted; `detail` is `listed` or `unlisted`.
    DirectoryUpdated = "directory_updated",
    /// `actor_id` pinned message `ref_id`.
    PinAdded = "pin_added",
    /// `actor_id` took the pin from message `ref_id`.
    PinRemoved = "pin_removed",
    /// Message `ref_id` is among the user's bookmarks; for their other devices.
    BookmarkAdded = "bookmark_added",
    /// Message `ref_id` is no longer among them.
    BookmarkRemoved = "bookmark_removed",
    /// The user follows thread `ref_id` or not, or has read it further; `detail` is the JSON.
    ThreadUpdated = "thread_updated",
    /// The user starred, muted or tuned channel `ref_id`; `detail` is the JSON.
    PreferencesUpdated = "preferences_updated",
    /// The user's draft in channel `ref_id` changed; `detail` is the thread's root, or empty.
    DraftUpdated = "draft_updated",
    /// Scheduled message `ref_id` was made, changed, sent or withdrawn; `detail` is its state.
    ScheduledMessageUpdated = "scheduled_message_updated",
    /// Reminder `ref_id` was made, came due or was taken back; `detail` is its state.
    ReminderUpdated = "reminder_updated",
    /// The user has read notifications; `detail` is the JSON.
    NotificationsRead = "notifications_read",
    /// The catalogue of custom reactions changed; `detail` is the code.
    ReactionCatalogueUpdated = "reaction_catalogue_updated",
    /// User `ref_id` changed: name, picture, or may no longer sign in.
    UserUpdated = "user_updated",
    /// Something for the attention of one user; `detail` says why and names the message.
    Notification = "notification",
    /// Session `ref_id` of user `actor_id` ended, so its sockets must close.
    SessionEnded = "session_ended",
    /// What users may do changed, by roles or policies: servers forget what they know of it.
    AccessChanged = "access_changed",
    /// A plugin said something to one user in channel `detail`, or changed or took away what it said; `ref_id` is the whisper.
    CommandResult = "command_result",
    /// A plugin was enabled, disabled or changed; `detail` is its id.
    PluginChanged = "plugin_changed",
    /// Dead letter `ref_id` is to be handled again; `detail` is `CONSUMER POS`.
    RetryRequested = "retry_requested",
    /// The text of a file of message `ref_id` was extracted: indexes read the message again.
    FileTextStored = "file_text_stored",
    /// Every process that keeps an index builds it anew.
    ReindexRequested = "reindex_requested",
);

/// One row of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Which.
    pub id: EventId,
    /// Its place in the whole log: dense, ascending, given once.
    pub pos: i64,
    /// What happened.
    pub kind: EventKind,
    /// The channel it happened in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<ChannelId>,
    /// Its number in that channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<i64>,
    /// Set: for this user alone, whatever the channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// What it happened to; which kind of thing follows from `kind`.
    pub ref_id: Uuid,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<UserId>,
    /// A short word that belongs to the kind; never a message's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// When.
    pub created_at: Timestamp,
}

/// Who may see an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The members of the channel at that place of the log.
    Channel(ChannelId),
    /// One user.
    User(UserId),
    /// Everyone who is signed in.
    Everyone,
    /// No client: the servers only.
    Servers,
}

impl Event {
    /// The one place that decides who an event is for. Callers never choose recipients.
    #[must_use]
    pub fn audience(&self) -> Audience {
        match (self.kind, self.user_id, self.channel_id) {
            (
                EventKind::SessionEnded
                | EventKind::AccessChanged
                | EventKind::FileTextStored
                | EventKind::RetryRequested
                | EventKind::ReindexRequested,
                ..,
            ) => Audience::Servers,
            (_, Some(user), _) => Audience::User(user),
            (_, None, Some(channel)) => Audience::Channel(channel),
            (
                EventKind::UserUpdated
                | EventKind::PluginChanged
                | EventKind::ReactionCatalogueUpdated
                | EventKind::DirectoryUpdated,
                None,
                None,
            ) => Audience::Everyone,
            // A kind that names neither a user nor a channel reaches nobody rather than everybody.
            (_, None, None) => Audience::Servers,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_reads_its_own_name() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::from_name(kind.as_str()), Some(*kind));
            assert_eq!(serde_json::to_value(kind).ok(), Some(serde_json::json!(kind.as_str())));
        }
        assert_eq!(EventKind::from_name("NEW_MESSAGE"), None);
    }

    #[test]
    fn an_event_that_names_nobody_reaches_nobody() {
        let mut event = Event {
            id: EventId::new(),
            pos: 1,
            kind: EventKind::NewMessage,
            channel_id: None,
            seq: None,
            user_id: None,
            ref_id: Uuid::nil(),
            actor_id: None,
            detail: None,
            created_at: Timestamp(0),
        };
        assert_eq!(event.audience(), Audience::Servers);
        let channel = ChannelId::new();
        event.channel_id = Some(channel);
        assert_eq!(event.audience(), Audience::Channel(channel));
        let user = UserId::new();
        event.user_id = Some(user);
        assert_eq!(event.audience(), Audience::User(user));
    }
}
