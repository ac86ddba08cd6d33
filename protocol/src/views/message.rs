//! Messages and what they carry.

use serde::{Deserialize, Serialize};

use super::UserRef;
use crate::{ChannelId, FileId, MessageId, Timestamp, UserId};

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
