//! What a message shows beside its own row: what it quotes or forwards, and in a conversation of two whether the other
//! one has read it. One query each for a page, and none where no message has any.

use std::collections::HashMap;

use confab_protocol::{
    ChannelId, ChannelKind, Forwarded, Message, MessageId, Quoted, Timestamp, UserId, UserRef,
};
use uuid::Uuid;

use super::view::MessageRow;
use crate::db::{Read, Tx, run_in};
use crate::fault::Result;
use crate::read_state;

// Cut by the database: a page of quotes would otherwise read fifty whole texts to show their beginnings.
const QUOTED: &str =
    "select m.id, substr(m.content, 1, 200) as excerpt, m.deleted_at, m.sender_id, u.username, u.full_name,
    u.picture_url, u.is_bot from messages m join users u on u.id = m.sender_id where m.id in";
// The original is looked at again each time: whatever deletes it, its copies are gone at once.
const FORWARDED: &str = "select f.message_id, f.source_id, f.content, f.has_attachments, f.created_at, f.sender_id, u.username,
    u.full_name, u.picture_url, u.is_bot, s.channel_id, c.kind from forwards f join users u on u.id = f.sender_id
    left join messages s on s.id = f.source_id and s.deleted_at is null
    left join channels c on c.id = s.channel_id and c.deleted_at is null where f.message_id in";
const PEOPLE: &str =
    "select channel_id, user_id, read_seq from memberships where to_seq is null and channel_id in";

#[derive(sqlx::FromRow)]
struct QuotedRow {
    id: Uuid,
    excerpt: String,
    deleted_at: Option<i64>,
    sender_id: Uuid,
    username: String,
    full_name: Option<String>,
    picture_url: Option<String>,
    is_bot: bool,
}

#[derive(sqlx::FromRow)]
struct ForwardedRow {
    message_id: Uuid,
    source_id: Uuid,
    content: String,
    has_attachments: bool,
    created_at: i64,
    sender_id: Uuid,
    username: String,
    full_name: Option<String>,
    picture_url: Option<String>,
    is_bot: bool,
    channel_id: Option<Uuid>,
    kind: Option<String>,
}

/// One person of a conversation of two, and how far they have read.
#[derive(Clone, Copy)]
struct Reader {
    user_id: UserId,
    read_seq: i64,
}

/// Everything that a page shows beside its rows.
#[derive(Default)]
pub(super) struct Beside {
    quoted: HashMap<Uuid, Quoted>,
    forwarded: HashMap<Uuid, ForwardedRow>,
    readers: HashMap<Uuid, Vec<Reader>>,
}

impl Beside {
    /// Reads what these rows need.
    pub async fn of_rows(on: &mut impl Read, rows: &[MessageRow]) -> Result<Self> {
        let shown = || rows.iter().filter(|row| row.deleted_at.is_none());
        let mut quoted: Vec<Uuid> = shown().filter_map(|row| row.quoted_id).collect();
        let forwarded: Vec<Uuid> =
            shown().filter(|row| row.is_forward == Some(true)).map(|row| row.id).collect();
        let mut channels: Vec<Uuid> =
            rows.iter().filter(|row| row.kind() == ChannelKind::Direct).map(|row| row.channel_id).collect();
        for ids in [&mut quoted, &mut channels] {
            ids.sort_unstable();
            ids.dedup();
        }
        Ok(Self {
            quoted: quotes(on, &quoted).await?,
            forwarded: forwards(on, &forwarded).await?,
            readers: readers(on, &channels).await?,
        })
    }

    /// What a message that is being posted into a conversation of two needs.
    pub async fn of_direct(on: &mut impl Read, channel: ChannelId) -> Result<Self> {
        Ok(Self { readers: readers(on, &[channel.0]).await?, ..Self::default() })
    }

    /// Shows it in a new message of a conversation of two. Whoever answers has read what they answer: the other one is
    /// told, unless they were told before.
    pub fn add_to_posted(&self, tx: &mut Tx, message: &mut Message) {
        self.add_to(message, ChannelKind::Direct, None);
        let (author, channel) = (message.sender_id, message.channel_id);
        let readers = self.readers.get(&channel.0).map(Vec::as_slice).unwrap_or_default();
        let had_read = readers.iter().find(|it| it.user_id == author).map_or(0, |it| it.read_seq);
        if let Some(partner) = message.recipient_id.filter(|it| *it != author && had_read < message.seq - 1) {
            read_state::tell(tx, author, partner, channel, message.seq);
        } else if message.recipient_id == Some(author) {
            message.is_read = Some(true);
        }
    }

    /// Shows it in a message.
    pub fn add_to(&self, message: &mut Message, kind: ChannelKind, quoted_id: Option<Uuid>) {
        if message.deleted_at.is_none() {
            message.quoted = quoted_id.and_then(|id| self.quoted.get(&id)).cloned();
            message.forwarded = self.forwarded.get(&message.id.0).map(|row| row.shown(message.channel_id));
        }
        if matches!(kind, ChannelKind::Direct | ChannelKind::Group) {
            message.conversation_id = Some(message.channel_id);
        }
        if let Some(readers) = self.readers.get(&message.channel_id.0) {
            // Who writes to themselves is the only one there.
            let other = readers.iter().find(|it| it.user_id != message.sender_id).or(readers.first());
            message.recipient_id = other.map(|it| it.user_id);
            message.is_read = other.map(|it| it.read_seq >= message.seq);
        }
    }
}

impl ForwardedRow {
    /// As everybody in `channel` may see it: of a place that not all of them may know nothing is named.
    fn shown(&self, channel: ChannelId) -> Forwarded {
        let kind = self.kind.as_deref().and_then(ChannelKind::from_word);
        let is_deleted = kind.is_none();
        let is_known = kind.is_some_and(ChannelKind::is_open) || self.channel_id == Some(channel.0);
        Forwarded {
            message_id: is_known.then_some(MessageId(self.source_id)),
            channel_id: self.channel_id.filter(|_| is_known).map(ChannelId),
            sender: UserRef {
                id: UserId(self.sender_id),
                username: self.username.clone(),
                full_name: self.full_name.clone(),
                picture_url: self.picture_url.clone(),
                is_bot: self.is_bot,
            },
            content: if is_deleted { String::new() } else { self.content.clone() },
            has_attachments: self.has_attachments && !is_deleted,
            created_at: Timestamp(self.created_at),
            is_deleted,
        }
    }
}

async fn quotes(on: &mut impl Read, ids: &[Uuid]) -> Result<HashMap<Uuid, Quoted>> {
    let rows: Vec<QuotedRow> = run_in!(on, QuotedRow, QUOTED, ids, "")?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let sender = UserRef {
                id: UserId(row.sender_id),
                username: row.username,
                full_name: row.full_name,
                picture_url: row.picture_url,
                is_bot: row.is_bot,
            };
            let is_deleted = row.deleted_at.is_some();
            let excerpt = if is_deleted { String::new() } else { row.excerpt };
            (row.id, Quoted { message_id: MessageId(row.id), sender, excerpt, is_deleted })
        })
        .collect())
}

async fn forwards(on: &mut impl Read, ids: &[Uuid]) -> Result<HashMap<Uuid, ForwardedRow>> {
    let rows: Vec<ForwardedRow> = run_in!(on, ForwardedRow, FORWARDED, ids, "")?;
    Ok(rows.into_iter().map(|row| (row.message_id, row)).collect())
}

async fn readers(on: &mut impl Read, channels: &[Uuid]) -> Result<HashMap<Uuid, Vec<Reader>>> {
    let rows: Vec<(Uuid, Uuid, i64)> = run_in!(on, (Uuid, Uuid, i64), PEOPLE, channels, "")?;
    let mut found: HashMap<Uuid, Vec<Reader>> = HashMap::new();
    for (channel, user, read_seq) in rows {
        found.entry(channel).or_default().push(Reader { user_id: UserId(user), read_seq });
    }
    Ok(found)
}
