//! What the index holds of a message and of a file: enough to find it, nothing to show it with. Texts stay in the record.
//!
//! A file's words stand in fields of their own, so a question for messages cannot meet a file, nor the other way round.

use confab_protocol::{ChannelId, File, Message, MessageId, UserId};
use tantivy::schema::{
    BytesOptions, FAST, Field, INDEXED, IndexRecordOption, STRING, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::{TantivyDocument, Term};

use super::analysis::{EXACT, GRAMS, STEMMED};

/// Changes whenever the same message would be indexed differently, or an older version may have left there what must not be found:
/// an older index is then built anew.
pub const FORMAT: u32 = 6;
/// The message holds a link.
pub const LINK: &str = "link";
/// The message carries a file.
pub const FILE: &str = "file";
/// One of them is a picture.
pub const IMAGE: &str = "image";
/// Somebody put a reaction under it.
pub const REACTION: &str = "reaction";
/// It is an answer, or was answered.
pub const THREAD: &str = "thread";
/// Its channel keeps it in view.
pub const PINNED: &str = "pinned";
/// It mentions everybody in its channel, or everybody who was online.
pub const EVERYONE: &str = "everyone";

/// The fields of the index.
#[derive(Clone, Copy, Debug)]
pub struct Fields {
    /// The message's id; also stored, as it is what a hit answers.
    pub message: Field,
    /// The channel's id: what a query is confined to.
    pub channel: Field,
    /// The author's id.
    pub sender: Field,
    /// Milliseconds since 1970.
    pub created_at: Field,
    /// [`LINK`], [`FILE`] and the others.
    pub has: Field,
    /// Ids of people whom it mentions by name.
    pub mentioned: Field,
    /// Stemmed words.
    pub body: Field,
    /// Words as written.
    pub exact: Field,
    /// Characters and pairs of scripts without spaces.
    pub grams: Field,
    /// The same of a file.
    pub file: FileFields,
}

/// The fields of a file that a message carries.
#[derive(Clone, Copy, Debug)]
pub struct FileFields {
    /// The file's id; also stored.
    id: Field,
    /// The message that carries it.
    message: Field,
    channel: Field,
    sender: Field,
    body: Field,
    exact: Field,
    grams: Field,
    /// The words of its name alone.
    name: Field,
}

/// A file and the words that it is found by.
#[derive(Clone, Debug)]
pub struct FileWords {
    /// Carried by a message.
    pub file: File,
    /// Where that message stands.
    pub channel_id: ChannelId,
    /// What was read out of it.
    pub text: String,
}

/// Whether a text is found by [`LINK`].
pub fn has_link(text: &str) -> bool {
    text.contains("http://") || text.contains("https://")
}

/// The schema and its fields.
pub fn schema() -> (Schema, Fields) {
    let text = |tokenizer: &str| {
        TextOptions::default().set_indexing_options(
            TextFieldIndexing::default()
                .set_tokenizer(tokenizer)
                .set_index_option(IndexRecordOption::WithFreqsAndPositions),
        )
    };
    let id = || BytesOptions::default().set_indexed();
    let mut schema = Schema::builder();
    let fields = Fields {
        message: schema.add_bytes_field("message_id", id().set_stored()),
        channel: schema.add_bytes_field("channel_id", id()),
        sender: schema.add_bytes_field("sender_id", id()),
        created_at: schema.add_i64_field("created_at", INDEXED | FAST),
        has: schema.add_text_field("has", STRING),
        mentioned: schema.add_bytes_field("mentioned_id", id()),
        body: schema.add_text_field("body", text(STEMMED)),
        exact: schema.add_text_field("body_exact", text(EXACT)),
        grams: schema.add_text_field("body_grams", text(GRAMS)),
        file: FileFields {
            id: schema.add_bytes_field("file_id", id().set_stored()),
            message: schema.add_bytes_field("file_message_id", id()),
            channel: schema.add_bytes_field("file_channel_id", id()),
            sender: schema.add_bytes_field("file_sender_id", id()),
            body: schema.add_text_field("file_body", text(STEMMED)),
            exact: schema.add_text_field("file_body_exact", text(EXACT)),
            grams: schema.add_text_field("file_body_grams", text(GRAMS)),
            name: schema.add_text_field("file_name", text(EXACT)),
        },
    };
    (schema.build(), fields)
}

impl Fields {
    /// A message as the index keeps it.
    pub fn document(&self, message: &Message) -> TantivyDocument {
        let mut document = TantivyDocument::default();
        document.add_bytes(self.message, message.id.0.as_bytes());
        document.add_bytes(self.channel, message.channel_id.0.as_bytes());
        document.add_bytes(self.sender, message.sender_id.0.as_bytes());
        document.add_i64(self.created_at, message.created_at.0);
        for (holds, word) in [
            (has_link(&message.content), LINK),
            (message.has_attachments, FILE),
            (message.files.iter().any(|file| file.file_type.starts_with("image/")), IMAGE),
            (!message.reactions.is_empty(), REACTION),
            (message.parent_id.is_some() || message.reply_count > 0, THREAD),
            (message.pinned_at.is_some(), PINNED),
            (message.mentions_all.is_some(), EVERYONE),
        ] {
            if holds {
                document.add_text(self.has, word);
            }
        }
        for id in &message.mentions {
            document.add_bytes(self.mentioned, id.0.as_bytes());
        }
        document.add_text(self.body, &message.content);
        document.add_text(self.exact, &message.content);
        if !message.content.is_ascii() {
            document.add_text(self.grams, &message.content);
        }
        document
    }

    /// A file as the index keeps it: its name is the first of its words.
    pub fn file_document(&self, words: &FileWords) -> TantivyDocument {
        let FileWords { file, channel_id, text } = words;
        let body = format!("{}\n{text}", file.filename);
        let mut document = TantivyDocument::default();
        document.add_bytes(self.file.id, file.id.0.as_bytes());
        if let Some(message) = file.message_id {
            document.add_bytes(self.file.message, message.0.as_bytes());
        }
        document.add_bytes(self.file.channel, channel_id.0.as_bytes());
        document.add_bytes(self.file.sender, file.uploaded_by_id.0.as_bytes());
        document.add_i64(self.created_at, file.created_at.0);
        document.add_text(self.file.body, &body);
        document.add_text(self.file.exact, &body);
        document.add_text(self.file.name, &file.filename);
        if !body.is_ascii() {
            document.add_text(self.file.grams, &body);
        }
        document
    }

    /// The fields to ask for files as one asks for messages.
    #[must_use]
    pub fn of_files(self) -> Self {
        let FileFields { id, channel, sender, body, exact, grams, .. } = self.file;
        Self { message: id, channel, sender, body, exact, grams, ..self }
    }

    /// The words of files' names.
    pub fn file_name(&self) -> Field {
        self.file.name
    }

    /// The term of the files that a message carries.
    pub fn files_of_message(&self, id: MessageId) -> Term {
        Term::from_field_bytes(self.file.message, id.0.as_bytes())
    }

    /// The term of the files in a channel.
    pub fn files_of_channel(&self, id: ChannelId) -> Term {
        Term::from_field_bytes(self.file.channel, id.0.as_bytes())
    }

    /// The term of one message.
    pub fn of_message(&self, id: MessageId) -> Term {
        Term::from_field_bytes(self.message, id.0.as_bytes())
    }

    /// The terms of several channels' messages: what a search is confined to.
    pub fn of_channels(&self, ids: &[ChannelId]) -> Vec<Term> {
        ids.iter().map(|id| self.of_channel(*id)).collect()
    }

    /// The term of a channel's messages.
    pub fn of_channel(&self, id: ChannelId) -> Term {
        Term::from_field_bytes(self.channel, id.0.as_bytes())
    }

    /// The term of messages that mention somebody by name.
    pub fn of_mentioned(&self, id: UserId) -> Term {
        Term::from_field_bytes(self.mentioned, id.0.as_bytes())
    }

    /// The term of an author's messages.
    pub fn of_sender(&self, id: UserId) -> Term {
        Term::from_field_bytes(self.sender, id.0.as_bytes())
    }
}
