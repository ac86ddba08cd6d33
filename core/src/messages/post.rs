//! Posting: the one path that REST, gateway, commands, plugins and imports share.

use confab_protocol::{
    ChannelId, ChannelKind, FILES_PER_MESSAGE, FileId, Message, MessageId, Timestamp, UserId,
};
use uuid::Uuid;

use super::append::{NewMessage, append};
use super::beside::Beside;
use super::{forward, mentions, render, view};
use crate::access::{self, Place, Take};
use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};
use crate::{broadcasts, drafts, files, notifications, read_state, text, threads};

/// Longest nonce, in bytes.
const NONCE_BYTES: usize = 100;

const BY_NONCE: &str = "select id from messages where sender_id = $1 and channel_id = $2 and nonce = $3";
const QUOTABLE: &str = "select channel_id from messages where id = $1 and deleted_at is null";
const QUOTE: &str = "update messages set quoted_id = $2 where id = $1";
const ROOT: &str = "select channel_id, parent_id, deleted_at from messages where id = $1";

/// What someone wants to say.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// Markdown, at most 16,000 characters.
    pub content: String,
    /// The sender's own id: a second draft with the same one is the same message.
    pub nonce: Option<String>,
    /// The thread's root, or any message in the thread.
    pub parent_id: Option<MessageId>,
    /// Files that the sender uploaded and did not use yet.
    pub file_ids: Vec<FileId>,
    /// A message of the same channel that it quotes.
    pub quoted_id: Option<MessageId>,
    /// A message of any channel that it brings here.
    pub forwarded_id: Option<MessageId>,
}

/// The message in the record.
#[derive(Clone, Debug)]
pub struct Posted {
    /// As everyone sees it.
    pub message: Message,
    /// False: it was there already, by its nonce.
    pub is_new: bool,
}

impl Draft {
    pub(super) fn check(&self) -> Result<()> {
        text::content(&self.content, !self.file_ids.is_empty() || self.forwarded_id.is_some())?;
        if let Some(nonce) = &self.nonce
            && (nonce.is_empty() || nonce.len() > NONCE_BYTES || nonce.chars().any(char::is_control))
        {
            return Err(Fault::invalid(
                "nonce",
                format!("has 1 to {NONCE_BYTES} bytes without control characters"),
            ));
        }
        if self.file_ids.len() > FILES_PER_MESSAGE {
            return Err(Fault::invalid(
                "file_ids",
                format!("at most {FILES_PER_MESSAGE} files go with a message"),
            ));
        }
        Ok(())
    }
}

/// Posts a message as `user`.
///
/// # Errors
/// [`Fault::Invalid`] for the draft's form, [`Fault::Conflict`] with code `nonce_reused` when the nonce stands for
/// another text, and those of the channel's door.
pub async fn post(tx: &mut Tx, user: UserId, channel: ChannelId, draft: Draft) -> Result<Posted> {
    let posted = post_beside_draft(tx, user, channel, draft).await?;
    if posted.is_new {
        drafts::posted(tx, user, channel, posted.message.parent_id).await?;
    }
    Ok(posted)
}

/// The same, and what its author is writing there stays: they did not send this just now.
pub(crate) async fn post_beside_draft(
    tx: &mut Tx,
    user: UserId,
    channel: ChannelId,
    draft: Draft,
) -> Result<Posted> {
    draft.check()?;
    let (place, writer) = access::place_for(tx, user, channel, Take::Messages(1)).await?;
    if let Some(nonce) = &draft.nonce {
        // Under the channel's lock, or two retries at once would both find nothing.
        let known: Option<Uuid> = run!(
            tx,
            sqlx::query_scalar(BY_NONCE).bind(user.0).bind(channel.0).bind(nonce.clone()),
            fetch_optional
        )?;
        if let Some(known) = known {
            access::give_back(tx, channel, Take::Messages(1)).await?;
            return known_message(tx, MessageId(known), &draft).await;
        }
    }
    let parent_id = match draft.parent_id {
        Some(parent) => Some(root_of(tx, channel, parent).await?),
        None => None,
    };
    if let Some(quoted) = draft.quoted_id {
        check_quoted(tx, channel, quoted).await?;
    }
    let forwarded = match draft.forwarded_id {
        Some(id) => Some(forward::source(tx, user, id).await?),
        None => None,
    };
    let texts = mentions::texts(&draft.content);
    let mentions = mentions::mentioned(tx, channel, place.kind, &texts).await?;
    let broadcast = mentions::broadcast(tx, user, writer.role, channel, &texts).await?;
    let html = render::one(tx, &draft.content, &mentions, writer.user.is_bot).await?;
    let message = NewMessage {
        id: MessageId::new(),
        sender_id: user,
        content: draft.content,
        html: Some(html),
        parent_id,
        nonce: draft.nonce,
        mentions,
        has_attachments: !draft.file_ids.is_empty(),
        created_at: Timestamp::now(),
    };
    append(tx, &place, std::slice::from_ref(&message)).await?;
    if let Some(quoted) = draft.quoted_id {
        run!(tx, sqlx::query(QUOTE).bind(message.id.0).bind(quoted.0), execute)?;
    }
    let is_special = draft.quoted_id.is_some() || forwarded.is_some();
    if let Some(source) = forwarded {
        forward::keep(tx, message.id, source).await?;
    }
    if let Some(root) = parent_id {
        threads::take_part(tx, channel, root, &message, place.first_seq).await?;
    }
    if let Some(word) = broadcast {
        broadcasts::mark(tx, &place, message.id, user, word).await?;
    }
    notifications::tell(tx, &place, &message, broadcast).await?;
    let files = files::attach(tx, user, message.id, &draft.file_ids).await?;
    let id = message.id;
    let mut posted = view::of_new(message, &place, writer.user, files);
    if place.kind == ChannelKind::Direct {
        Beside::of_direct(tx, channel).await?.add_to_posted(tx, &mut posted);
    } else if place.kind == ChannelKind::Group {
        posted.conversation_id = Some(channel);
    }
    read_state::read_own(tx, user, channel, (place.first_seq, place.first_number)).await?;
    posted.mentions_all = broadcast.map(|word| word.as_str().to_owned());
    if is_special {
        posted = view::views(tx, &[id]).await?.pop().ok_or(Fault::NotFound("message"))?;
    }
    Ok(Posted { message: posted, is_new: true })
}

/// A message of another channel is quoted like one that does not exist: it may be private.
async fn check_quoted(tx: &mut Tx, channel: ChannelId, quoted: MessageId) -> Result<()> {
    let found: Option<Uuid> = run!(tx, sqlx::query_scalar(QUOTABLE).bind(quoted.0), fetch_optional)?;
    if found == Some(channel.0) {
        return Ok(());
    }
    Err(Fault::invalid("quoted_id", "there is no such message in this channel"))
}

async fn known_message(tx: &mut Tx, id: MessageId, draft: &Draft) -> Result<Posted> {
    let message = view::views(tx, &[id]).await?.pop().ok_or(Fault::NotFound("message"))?;
    let quoted_id = message.quoted.as_ref().map(|it| it.message_id);
    let brings_same = match draft.forwarded_id {
        Some(asked) => forward::is_of(tx, id, asked).await?,
        None => message.forwarded.is_none(),
    };
    let parent_id = match draft.parent_id {
        Some(parent) => Some(root_of(tx, message.channel_id, parent).await?),
        None => None,
    };
    // One that was deleted since is missing and no difference; one that was never brought is.
    let has_same_files = message.files.iter().all(|file| draft.file_ids.contains(&file.id))
        && files::brought_elsewhere(tx, message.id, &draft.file_ids).await?.is_none();
    let is_same = message.content == draft.content
        && quoted_id == draft.quoted_id
        && parent_id == message.parent_id
        && has_same_files
        && brings_same;
    if !is_same && message.edited_at.is_none() && message.deleted_at.is_none() {
        return Err(Fault::conflict("nonce_reused", "this nonce belongs to another message of yours"));
    }
    Ok(Posted { message, is_new: false })
}

/// Threads have one level: an answer to an answer goes to the root.
pub(crate) async fn root_of(on: &mut impl Read, channel: ChannelId, parent: MessageId) -> Result<MessageId> {
    let row: Option<(Uuid, Option<Uuid>, Option<i64>)> =
        run!(on, sqlx::query_as(ROOT).bind(parent.0), fetch_optional)?;
    match row {
        // A message of another channel is answered like one that does not exist: it may be private.
        Some((of, root, _)) if of == channel.0 => Ok(root.map_or(parent, MessageId)),
        _ => Err(Fault::invalid("parent_id", "there is no such message in this channel")),
    }
}

/// The message that somebody posted under a nonce, if they did.
pub async fn by_nonce(
    on: &mut impl Read,
    user: UserId,
    channel: ChannelId,
    nonce: &str,
) -> Result<Option<MessageId>> {
    let found: Option<Uuid> = run!(
        on,
        sqlx::query_scalar(BY_NONCE).bind(user.0).bind(channel.0).bind(nonce.to_owned()),
        fetch_optional
    )?;
    Ok(found.map(MessageId))
}

/// Stores imported messages in order, at most a few hundred at once. The caller acts for an operator; texts were
/// checked by the importer, which says what it left out.
pub async fn import(tx: &mut Tx, channel: ChannelId, messages: &[NewMessage]) -> Result<()> {
    if messages.is_empty() {
        return Ok(());
    }
    let place: Place = access::place_of_system(tx, channel, Take::Messages(messages.len() as i64)).await?;
    append(tx, &place, messages).await
}
