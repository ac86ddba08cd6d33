//! What a plugin says to one person in a channel. Nobody else hears or finds it: it is no message, no index reads it, and
//! it is gone after a day.

use confab_protocol::{ChannelId, EventKind, MessageId, Timestamp, UserId, UserRef};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::access;
use crate::db::write::Emission;
use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};
use crate::plugins::buttons::{self, NewButton};
use crate::{messages, text, users};

/// How long one stays.
const KEPT_MS: i64 = 24 * 60 * 60 * 1_000;
/// Shown of one channel.
const SHOWN: i64 = 50;

const ADD: &str =
    "insert into whispers (id, user_id, channel_id, parent_id, sender_id, plugin_id, content, html, blocks,
    created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (id) do nothing";
const CHANGE: &str =
    "update whispers set content = $3, html = $4, blocks = $5 where id = $1 and user_id = $2";
const FIND: &str =
    "select id, user_id, channel_id, parent_id, sender_id, plugin_id, content, html, blocks, created_at
    from whispers where id = $1 and user_id = $2 and expires_at > $3";
const IN_CHANNEL: &str = "select id, user_id, channel_id, parent_id, sender_id, plugin_id, content, html, blocks, created_at
    from whispers where user_id = $1 and channel_id = $2 and expires_at > $3 order by created_at desc limit $4";
const DROP: &str = "delete from whispers where id = $1 and user_id = $2";
const FORGET: &str = "delete from whispers where user_id = $1";
const FORGET_BUTTONS: &str =
    "delete from plugin_buttons where owner_id in (select id from whispers where expires_at <= $1)";
const SWEEP: &str = "delete from whispers where expires_at <= $1";

/// Something that one person sees.
#[derive(Clone, Debug, Serialize)]
pub struct Whisper {
    /// Which.
    pub id: Uuid,
    /// Where it is shown.
    pub channel_id: ChannelId,
    /// In which thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<MessageId>,
    /// The plugin's bot.
    pub sender: UserRef,
    /// Whose.
    pub plugin_id: String,
    /// Markdown.
    pub content: String,
    /// As it is shown.
    pub html: String,
    /// Its buttons.
    pub blocks: Vec<Value>,
    /// When.
    pub created_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    channel_id: Uuid,
    parent_id: Option<Uuid>,
    sender_id: Uuid,
    plugin_id: String,
    content: String,
    html: String,
    blocks: Option<String>,
    created_at: i64,
}

/// What is to be said, and to whom.
#[derive(Clone, Debug)]
pub struct NewWhisper {
    /// What it is said once by: who says it again with this changes nothing.
    pub nonce: String,
    /// Who sees it.
    pub to: UserId,
    /// Where.
    pub channel_id: ChannelId,
    /// In which thread.
    pub parent_id: Option<MessageId>,
    /// The plugin's bot.
    pub sender_id: UserId,
    /// Whose.
    pub plugin_id: String,
    /// Markdown.
    pub content: String,
    /// Below it.
    pub buttons: Vec<NewButton>,
}

/// Says something to one member of a channel; what was said already is answered again.
///
/// # Errors
/// [`Fault::NotFound`] or [`Fault::Forbidden`] for somebody who is no member.
pub async fn say(tx: &mut Tx, new: NewWhisper) -> Result<Whisper> {
    text::content(&new.content, false)?;
    access::admit(tx, new.to, new.channel_id).await?.member()?;
    let html = messages::rendered(tx, &new.content).await?;
    let (id, now) = (new.id(), Timestamp::now().0);
    let added = run!(
        tx,
        sqlx::query(ADD)
            .bind(id)
            .bind(new.to.0)
            .bind(new.channel_id.0)
            .bind(new.parent_id.map(|it| it.0))
            .bind(new.sender_id.0)
            .bind(new.plugin_id.clone())
            .bind(new.content.clone())
            .bind(html.clone())
            .bind(blocks_text(&new.buttons))
            .bind(now)
            .bind(now + KEPT_MS),
        execute
    )?;
    if added > 0 {
        buttons::put(tx, id, &new.plugin_id, &new.buttons).await?;
        tell(tx, new.to, new.channel_id, id);
    }
    find(tx, new.to, id).await
}

impl NewWhisper {
    /// Of the nonce, and of whom it is for: nobody takes another's by naming it first.
    fn id(&self) -> Uuid {
        let mut hash = Sha256::new();
        for part in [self.plugin_id.as_bytes(), self.to.0.as_bytes(), self.nonce.as_bytes()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.finalize()[..16]);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }
}

/// Puts something else into the place of a whisper.
pub async fn change(
    tx: &mut Tx,
    user: UserId,
    id: Uuid,
    content: &str,
    new: &[NewButton],
) -> Result<Whisper> {
    text::content(content, false)?;
    let before = find(tx, user, id).await?;
    let html = messages::rendered(tx, content).await?;
    run!(
        tx,
        sqlx::query(CHANGE)
            .bind(id)
            .bind(user.0)
            .bind(content.to_owned())
            .bind(html.clone())
            .bind(blocks_text(new)),
        execute
    )?;
    buttons::put(tx, id, &before.plugin_id, new).await?;
    tell(tx, user, before.channel_id, id);
    find(tx, user, id).await
}

/// One of a person's own.
///
/// # Errors
/// [`Fault::NotFound`] alike for none and for somebody else's.
pub async fn find(on: &mut impl Read, user: UserId, id: Uuid) -> Result<Whisper> {
    let now = Timestamp::now().0;
    let row: Option<Row> = run!(on, sqlx::query_as(FIND).bind(id).bind(user.0).bind(now), fetch_optional)?;
    shown(on, row.into_iter().collect()).await?.pop().ok_or(Fault::NotFound("whisper"))
}

/// A person's own in a channel, in order of time.
pub async fn of_channel(on: &mut impl Read, user: UserId, channel: ChannelId) -> Result<Vec<Whisper>> {
    access::admit(on, user, channel).await?;
    let now = Timestamp::now().0;
    let mut rows: Vec<Row> =
        run!(on, sqlx::query_as(IN_CHANNEL).bind(user.0).bind(channel.0).bind(now).bind(SHOWN), fetch_all)?;
    rows.reverse();
    shown(on, rows).await
}

/// Takes one away.
pub async fn dismiss(tx: &mut Tx, user: UserId, id: Uuid) -> Result<()> {
    let known = find(tx, user, id).await?;
    buttons::clear(tx, id).await?;
    run!(tx, sqlx::query(DROP).bind(id).bind(user.0), execute)?;
    tell(tx, user, known.channel_id, id);
    Ok(())
}

/// Forgets those of an account.
pub(crate) async fn forget(tx: &mut Tx, user: UserId) -> Result<()> {
    run!(tx, sqlx::query(FORGET).bind(user.0), execute)?;
    Ok(())
}

/// Forgets what is older than a day.
pub async fn sweep(tx: &mut Tx) -> Result<u64> {
    let now = Timestamp::now().0;
    run!(tx, sqlx::query(FORGET_BUTTONS).bind(now), execute)?;
    Ok(run!(tx, sqlx::query(SWEEP).bind(now), execute)?)
}

async fn shown(on: &mut impl Read, rows: Vec<Row>) -> Result<Vec<Whisper>> {
    let mut senders: Vec<UserId> = rows.iter().map(|row| UserId(row.sender_id)).collect();
    senders.sort_unstable();
    senders.dedup();
    let senders = users::refs(on, &senders).await?;
    let with_sender = |row: Row| {
        let sender = senders.iter().find(|it| it.id.0 == row.sender_id)?.clone();
        Some(Whisper {
            id: row.id,
            channel_id: ChannelId(row.channel_id),
            parent_id: row.parent_id.map(MessageId),
            sender,
            plugin_id: row.plugin_id,
            content: row.content,
            html: row.html,
            blocks: row.blocks.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
            created_at: Timestamp(row.created_at),
        })
    };
    Ok(rows.into_iter().filter_map(with_sender).collect())
}

fn blocks_text(new: &[NewButton]) -> Option<String> {
    (!new.is_empty()).then(|| Value::from(buttons::blocks(new)).to_string())
}

fn tell(tx: &mut Tx, user: UserId, channel: ChannelId, id: Uuid) {
    tx.emit(Emission::new(EventKind::CommandResult, id).only_for(user).detail(channel.to_string()));
}
