//! Users, channels, messages as the API shows them. REST, gateway, plugins and the assistant all show these.

use serde::{Deserialize, Serialize};

use crate::gateway::PresenceStatus;
use crate::{ChannelId, FileId, MessageId, RoleId, Timestamp, UserId};

macro_rules! view {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident : $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(poem_openapi::Object))]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        pub struct $name { $($(#[$field_doc])* pub $field: $type),* }
    };
}

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

view!(
    /// How often one reaction stands under a message.
    ReactionCount {
        /// An emoji, or the code of a custom reaction.
        code: String,
        /// By how many people.
        count: i64,
        /// The first fifty of them.
        user_ids: Vec<UserId>,
        /// Whether the reader is among them; only in what is made for one reader, never in events.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        me: Option<bool>,
    }
);

view!(
    /// What a page on the web says of itself, of a link in a message. Its pictures are left out: loading them would tell
    /// their host who reads.
    LinkPreview {
        /// As the message has it.
        url: String,
        /// At most 200 characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// At most 300 characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// At most 100 characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        site_name: Option<String>,
    }
);

view!(
    /// An uploaded file, without its bytes.
    File {
        /// Which.
        id: FileId,
        /// The name to show; never a path.
        filename: String,
        /// Found from the bytes, not from what the uploader said.
        file_type: String,
        /// In bytes.
        file_size: i64,
        /// Of the bytes, in hex.
        sha256: String,
        /// Who uploaded it.
        uploaded_by_id: UserId,
        /// The message that carries it, once one does.
        #[serde(skip_serializing_if = "Option::is_none")]
        message_id: Option<MessageId>,
        /// When it came.
        created_at: Timestamp,
        /// When it was attached, or came.
        updated_at: Timestamp,
        /// Of a picture, in pixels.
        #[serde(skip_serializing_if = "Option::is_none")]
        width: Option<i64>,
        /// Of a picture, in pixels.
        #[serde(skip_serializing_if = "Option::is_none")]
        height: Option<i64>,
        /// A picture's colours in a few letters (blurha.sh), to show while it loads.
        #[serde(skip_serializing_if = "Option::is_none")]
        blurhash: Option<String>,
        /// Path of a picture in at most 480 pixels; it needs the token, as the file does.
        #[serde(skip_serializing_if = "Option::is_none")]
        thumbnail_url: Option<String>,
    }
);

view!(
    /// The beginning of a message that another one quotes, as it is now.
    Quoted {
        /// Which.
        message_id: MessageId,
        /// By whom.
        sender: UserRef,
        /// At most 200 characters; empty once the message is deleted.
        excerpt: String,
        /// It was deleted.
        is_deleted: bool,
    }
);

view!(
    /// What a message brings from elsewhere, as it was when it was forwarded.
    Forwarded {
        /// Which; absent when it stands where not everybody may look.
        #[serde(skip_serializing_if = "Option::is_none")]
        message_id: Option<MessageId>,
        /// Where it stands; absent for the same reason.
        #[serde(skip_serializing_if = "Option::is_none")]
        channel_id: Option<ChannelId>,
        /// Who wrote it.
        sender: UserRef,
        /// Markdown; empty once the original is deleted.
        content: String,
        /// Its files stay where they are.
        has_attachments: bool,
        /// When it was written.
        created_at: Timestamp,
        /// The original was deleted, and its text is gone here too.
        is_deleted: bool,
    }
);

view!(
    /// A message. A deleted one keeps its place with empty content and `deleted_at`.
    Message {
        /// Which.
        id: MessageId,
        /// Where.
        channel_id: ChannelId,
        /// Its number in the channel: dense with all durable events, ascending.
        seq: i64,
        /// By whom.
        sender_id: UserId,
        /// The same, ready to show.
        sender: UserRef,
        /// Markdown, at most 16,000 characters.
        content: String,
        /// The same as sanitised HTML, to be shown as it is; absent where there is no text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        html: Option<String>,
        /// The root of the thread it answers in.
        #[serde(skip_serializing_if = "Option::is_none")]
        parent_id: Option<MessageId>,
        /// Rises with each edit, from 1.
        version: i64,
        /// When it was written.
        created_at: Timestamp,
        /// When anything of it last changed.
        updated_at: Timestamp,
        /// When its content last changed.
        #[serde(skip_serializing_if = "Option::is_none")]
        edited_at: Option<Timestamp>,
        /// When it was deleted.
        #[serde(skip_serializing_if = "Option::is_none")]
        deleted_at: Option<Timestamp>,
        /// Whether `files` has any.
        has_attachments: bool,
        /// Written by a bot.
        is_bot: bool,
        /// The sender's own id for it, by which a retry is recognised.
        #[serde(skip_serializing_if = "Option::is_none")]
        nonce: Option<String>,
        /// Answers in the thread that it roots.
        reply_count: i64,
        /// The first five people who answered there.
        participants: Vec<UserId>,
        /// When the last answer came.
        #[serde(skip_serializing_if = "Option::is_none")]
        last_reply_at: Option<Timestamp>,
        /// In the order of their first use.
        reactions: Vec<ReactionCount>,
        /// At most ten.
        files: Vec<File>,
        /// Who is mentioned.
        mentions: Vec<UserId>,
        /// `channel` where everybody there is mentioned, `here` where those are who were online.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mentions_all: Option<String>,
        /// What the links in it lead to, at most three; they come a moment after the message.
        #[serde(default)]
        previews: Vec<LinkPreview>,
        /// Buttons and fields made by plugins.
        blocks: Vec<serde_json::Value>,
        /// Where a browser finds it: a path of the web client.
        url: String,
        /// Since when it is pinned.
        #[serde(skip_serializing_if = "Option::is_none")]
        pinned_at: Option<Timestamp>,
        /// Who pinned it.
        #[serde(skip_serializing_if = "Option::is_none")]
        pinned_by_id: Option<UserId>,
        /// The message of this channel that it quotes.
        #[serde(skip_serializing_if = "Option::is_none")]
        quoted: Option<Quoted>,
        /// The message that it brings from elsewhere.
        #[serde(skip_serializing_if = "Option::is_none")]
        forwarded: Option<Forwarded>,
        /// In a direct or group conversation: the conversation, which is the channel.
        #[serde(skip_serializing_if = "Option::is_none")]
        conversation_id: Option<ChannelId>,
        /// In a conversation of two: the other one.
        #[serde(skip_serializing_if = "Option::is_none")]
        recipient_id: Option<UserId>,
        /// In a conversation of two: whether the other one has read it.
        #[serde(skip_serializing_if = "Option::is_none")]
        is_read: Option<bool>,
    }
);
