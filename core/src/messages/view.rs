//! Messages as everyone sees them: one query for a page, one more each where it has files or reactions.

use std::collections::HashMap;
use std::sync::Arc;

use confab_protocol::{
    ChannelId, ChannelKind, File, Message, MessageId, ReactionCount, Timestamp, UserId, UserRef,
};
use uuid::Uuid;

use super::append::{NewMessage, mentions_of};
use super::beside::Beside;
use super::{previews, render};
use crate::access::bots::Bot;
use crate::access::{self, Admitted, Place};
use crate::db::{Db, Read, Tx, from_columns, run, run_in};
use crate::fault::{Fault, Result};
use crate::{broadcasts, files, reactions};

/// What a row holds, and the sender beside it. A deleted channel shows nothing any more, on no path.
pub(super) const COLUMNS: &str = "select m.id, m.channel_id, m.seq, m.sender_id, m.content, m.parent_id, m.version, m.nonce,
    m.mentions, m.blocks, m.reply_count, m.reaction_count, m.has_attachments, m.created_at, m.updated_at, m.edited_at,
    m.deleted_at, m.html, m.previews, u.username, u.full_name, u.picture_url, u.is_bot, m.participants, m.last_reply_at, m.pinned_at,
    m.pinned_by_id, m.quoted_id, m.is_forward, c.kind
    from messages m join users u on u.id = m.sender_id
    join channels c on c.id = m.channel_id and c.deleted_at is null";
const BY_IDS: &str = "where m.id in";
const HOLD: &str = "update messages set version = version where id = $1 and deleted_at is null";
const PLACE: &str = "select channel_id, parent_id, deleted_at from messages where id = $1";

pub(super) struct MessageRow {
    pub id: Uuid,
    pub channel_id: Uuid,
    pub seq: i64,
    sender_id: Uuid,
    content: String,
    parent_id: Option<Uuid>,
    version: i64,
    nonce: Option<String>,
    mentions: Option<String>,
    blocks: Option<String>,
    reply_count: i64,
    reaction_count: i64,
    has_attachments: bool,
    created_at: i64,
    updated_at: i64,
    edited_at: Option<i64>,
    pub deleted_at: Option<i64>,
    html: Option<String>,
    previews: Option<String>,
    username: String,
    full_name: Option<String>,
    picture_url: Option<String>,
    is_bot: bool,
    participants: Option<String>,
    last_reply_at: Option<i64>,
    pinned_at: Option<i64>,
    pinned_by_id: Option<Uuid>,
    pub quoted_id: Option<Uuid>,
    pub is_forward: Option<bool>,
    kind: String,
}

// As in COLUMNS.
from_columns!(MessageRow {
    id,
    channel_id,
    seq,
    sender_id,
    content,
    parent_id,
    version,
    nonce,
    mentions,
    blocks,
    reply_count,
    reaction_count,
    has_attachments,
    created_at,
    updated_at,
    edited_at,
    deleted_at,
    html,
    previews,
    username,
    full_name,
    picture_url,
    is_bot,
    participants,
    last_reply_at,
    pinned_at,
    pinned_by_id,
    quoted_id,
    is_forward,
    kind,
});

/// Messages by id, in the order asked; unknown ids are left out. Deleted ones come without content.
pub async fn views(on: &mut impl Read, ids: &[MessageId]) -> Result<Vec<Message>> {
    let mut rows: Vec<MessageRow> = Vec::with_capacity(ids.len());
    let wanted: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    for part in wanted.chunks(500) {
        rows.extend(run_in!(on, MessageRow, format!("{COLUMNS} {BY_IDS}"), part, "")?);
    }
    let mut by_id: HashMap<Uuid, Message> =
        of_rows(on, rows).await?.into_iter().map(|message| (message.id.0, message)).collect();
    Ok(wanted.iter().filter_map(|id| by_id.remove(id)).collect())
}

/// The same for those who are told of news: what this process posted and nobody changed since is at hand.
pub async fn shown(db: &Db, ids: &[MessageId]) -> Result<HashMap<MessageId, Arc<Message>>> {
    let mut shown = db.recent.messages(ids);
    let missing: Vec<MessageId> = ids.iter().filter(|id| !shown.contains_key(id)).copied().collect();
    if !missing.is_empty() {
        let read = views(&mut db.read(), &missing).await?;
        shown.extend(read.into_iter().map(|message| (message.id, Arc::new(message))));
    }
    Ok(shown)
}

/// The same for those who read texts and show none: what is read has no `html`, as an index need not render an imported
/// history.
pub async fn unrendered(db: &Db, ids: &[MessageId]) -> Result<Vec<Arc<Message>>> {
    let recent = db.recent.messages(ids);
    let wanted: Vec<Uuid> = ids.iter().filter(|id| !recent.contains_key(id)).map(|id| id.0).collect();
    let mut found: Vec<Arc<Message>> = recent.into_values().collect();
    let mut on = db.read();
    for part in wanted.chunks(500) {
        let rows: Vec<MessageRow> = run_in!(&mut on, MessageRow, format!("{COLUMNS} {BY_IDS}"), part, "")?;
        found.extend(plain_of_rows(&mut on, rows).await?.into_iter().map(Arc::new));
    }
    Ok(found)
}

/// Rows as everyone sees them. What is not kept as HTML yet is rendered here.
pub(super) async fn of_rows(on: &mut impl Read, mut rows: Vec<MessageRow>) -> Result<Vec<Message>> {
    let waits = |row: &&MessageRow| row.html.is_none() && row.deleted_at.is_none();
    let waiting: Vec<render::Row<'_>> = rows
        .iter()
        .filter(waits)
        .map(|row| render::Row {
            id: MessageId(row.id),
            content: &row.content,
            mentions: mentions_of(row.mentions.as_deref()),
            by_bot: row.is_bot,
        })
        .collect();
    if !waiting.is_empty() {
        let mut made = render::of_rows(on, &waiting).await?;
        for row in &mut rows {
            row.html = row.html.take().or_else(|| made.remove(&MessageId(row.id)));
        }
    }
    plain_of_rows(on, rows).await
}

pub(super) async fn plain_of_rows(on: &mut impl Read, rows: Vec<MessageRow>) -> Result<Vec<Message>> {
    let with_reactions: Vec<(Uuid, i64)> =
        rows.iter().filter(|row| row.reaction_count > 0).map(|row| (row.id, row.reaction_count)).collect();
    let with_files: Vec<Uuid> =
        rows.iter().filter(|row| row.has_attachments && row.deleted_at.is_none()).map(|row| row.id).collect();
    let mut reactions = reactions::of_messages(on, &with_reactions).await?;
    let mut files = files::of_messages(on, &with_files).await?;
    let beside = Beside::of_rows(on, &rows).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let (reactions, files) = (reactions.remove(&row.id), files.remove(&row.id));
            let (kind, quoted_id) = (row.kind(), row.quoted_id);
            let mut message = row.into_view(reactions.unwrap_or_default(), files.unwrap_or_default());
            beside.add_to(&mut message, kind, quoted_id);
            message
        })
        .collect())
}

/// Where the web client shows a message: it routes this path.
fn url(channel: Uuid, seq: i64) -> String {
    format!("/channels/{channel}?seq={seq}")
}

/// Ids that one text holds.
fn ids(text: Option<&str>) -> Vec<UserId> {
    text.unwrap_or_default().split(' ').filter_map(|id| id.parse().ok()).collect()
}

impl MessageRow {
    /// What its channel is for.
    pub fn kind(&self) -> ChannelKind {
        // An unknown word, of a newer server, shows nothing more than a private channel does.
        ChannelKind::from_word(&self.kind).unwrap_or(ChannelKind::Private)
    }

    fn into_view(self, reactions: Vec<ReactionCount>, files: Vec<File>) -> Message {
        let deleted = self.deleted_at.is_some();
        Message {
            id: MessageId(self.id),
            channel_id: ChannelId(self.channel_id),
            seq: self.seq,
            sender_id: UserId(self.sender_id),
            sender: UserRef {
                id: UserId(self.sender_id),
                username: self.username,
                full_name: self.full_name,
                picture_url: self.picture_url,
                is_bot: self.is_bot,
            },
            // The row of a deleted message is emptied too; this makes sure that nothing shows it while it is not.
            content: if deleted { String::new() } else { self.content },
            html: self.html.filter(|html| !deleted && !html.is_empty()),
            parent_id: self.parent_id.map(MessageId),
            version: self.version,
            created_at: Timestamp(self.created_at),
            updated_at: Timestamp(self.updated_at),
            edited_at: self.edited_at.map(Timestamp),
            deleted_at: self.deleted_at.map(Timestamp),
            has_attachments: !files.is_empty(),
            is_bot: self.is_bot,
            // Ours tell when something was scheduled, which is its author's alone.
            nonce: self.nonce.filter(|nonce| !nonce.starts_with("scheduled:")),
            reply_count: self.reply_count,
            participants: ids(self.participants.as_deref()),
            last_reply_at: self.last_reply_at.map(Timestamp),
            reactions: if deleted { Vec::new() } else { reactions },
            files,
            mentions_all: broadcasts::in_mentions(self.mentions.as_deref().unwrap_or_default()),
            mentions: ids(self.mentions.as_deref()),
            previews: if deleted { Vec::new() } else { previews::of_text(self.previews.as_deref()) },
            blocks: self.blocks.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
            url: url(self.channel_id, self.seq),
            pinned_at: self.pinned_at.map(Timestamp),
            pinned_by_id: self.pinned_by_id.map(UserId),
            quoted: None,
            forwarded: None,
            conversation_id: None,
            recipient_id: None,
            is_read: None,
        }
    }
}

pub(super) fn of_new(message: NewMessage, place: &Place, sender: UserRef, files: Vec<File>) -> Message {
    Message {
        id: message.id,
        channel_id: place.channel_id,
        seq: place.first_seq,
        sender_id: message.sender_id,
        content: message.content,
        html: message.html.filter(|html| !html.is_empty()),
        parent_id: message.parent_id,
        version: 1,
        created_at: message.created_at,
        updated_at: message.created_at,
        edited_at: None,
        deleted_at: None,
        has_attachments: !files.is_empty(),
        is_bot: sender.is_bot,
        sender,
        nonce: message.nonce,
        reply_count: 0,
        participants: Vec::new(),
        last_reply_at: None,
        reactions: Vec::new(),
        files,
        mentions: message.mentions,
        mentions_all: None,
        previews: Vec::new(),
        blocks: Vec::new(),
        url: url(place.channel_id.0, place.first_seq),
        pinned_at: None,
        pinned_by_id: None,
        quoted: None,
        forwarded: None,
        conversation_id: None,
        recipient_id: None,
        is_read: None,
    }
}

/// One message for someone who may read its channel.
///
/// # Errors
/// [`Fault::NotFound`] alike for no message and for one in a channel that the user may not read.
pub async fn find(on: &mut impl Read, user: UserId, id: MessageId) -> Result<(Admitted, Message)> {
    let Door { admitted, .. } = door(on, user, id).await?;
    let mut found = views(on, &[id]).await?;
    reactions::mark_own(on, user, &mut found).await?;
    let message = found.pop().ok_or(Fault::NotFound("message"))?;
    Ok((admitted, message))
}

/// Where a message stands that somebody may read: what it says is not asked for.
pub struct Door {
    /// To its channel.
    pub admitted: Admitted,
    /// The root of the thread that it answers in.
    pub parent_id: Option<MessageId>,
    /// Only its place is left.
    pub is_deleted: bool,
}

/// Admits a user to one message without reading it.
///
/// # Errors
/// Those of [`find`].
pub async fn door(on: &mut impl Read, user: UserId, id: MessageId) -> Result<Door> {
    let spot = spot_of(on, id).await?;
    let admitted = access::admit(on, user, spot.channel_id).await;
    spot.opened(admitted)
}

/// The same for a plugin's bot, as far as its plugin reaches.
///
/// # Errors
/// Those of [`find`]; [`Fault::Forbidden`] with code `not_a_member` in a channel that everybody else may read.
pub async fn door_for_bot(on: &mut impl Read, bot: Bot, id: MessageId) -> Result<Door> {
    let spot = spot_of(on, id).await?;
    let admitted = access::bots::admit_bot(on, bot, spot.channel_id).await;
    spot.opened(admitted)
}

/// Where a message stands, for whoever may know.
struct Spot {
    channel_id: ChannelId,
    parent_id: Option<MessageId>,
    is_deleted: bool,
}

async fn spot_of(on: &mut impl Read, id: MessageId) -> Result<Spot> {
    let found: Option<(Uuid, Option<Uuid>, Option<i64>)> =
        run!(on, sqlx::query_as(PLACE).bind(id.0), fetch_optional)?;
    let (channel, parent, deleted_at) = found.ok_or(Fault::NotFound("message"))?;
    Ok(Spot {
        channel_id: ChannelId(channel),
        parent_id: parent.map(MessageId),
        is_deleted: deleted_at.is_some(),
    })
}

impl Spot {
    /// A channel that may not be known hides its messages too.
    fn opened(self, admitted: Result<Admitted>) -> Result<Door> {
        let admitted = admitted.map_err(|fault| match fault {
            Fault::NotFound(_) => Fault::NotFound("message"),
            other => other,
        })?;
        Ok(Door { admitted, parent_id: self.parent_id, is_deleted: self.is_deleted })
    }
}

/// Holds a message until the transaction ends: it is either forwarded or kept first, and the copy emptied when it is
/// deleted, or deleted first, and neither.
///
/// # Errors
/// [`Fault::Gone`] for a deleted one.
pub(crate) async fn hold(tx: &mut Tx, id: MessageId) -> Result<()> {
    match run!(tx, sqlx::query(HOLD).bind(id.0), execute)? {
        0 => Err(Fault::Gone("message")),
        _ => Ok(()),
    }
}

/// Of messages that an index found, those that exist, are not deleted and stand in `channels`. The index may be behind
/// the record; what it says is shown only after this.
pub async fn readable(on: &mut impl Read, channels: &[ChannelId], ids: &[MessageId]) -> Result<Vec<Message>> {
    let allowed: std::collections::HashSet<ChannelId> = channels.iter().copied().collect();
    let found = views(on, ids).await?;
    Ok(found
        .into_iter()
        .filter(|message| message.deleted_at.is_none() && allowed.contains(&message.channel_id))
        .collect())
}
