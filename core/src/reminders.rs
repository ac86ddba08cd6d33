//! What somebody wants to be told later: of a message, of a channel, or in words of their own. Nobody else sees it. When
//! its time comes it becomes a notification, in one transaction, and its row goes.

use std::time::Duration;

use confab_protocol::{ChannelId, EventKind, Message, MessageId, Timestamp, UserId};
use uuid::Uuid;

use crate::db::write::Emission;
use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};
use crate::scheduled_messages::check_time;
use crate::{access, messages, notifications, text, users};

/// How far ahead (docs/limits.md).
pub const AHEAD: Duration = Duration::from_hours(5 * 366 * 24);
/// Waiting ones of one person (docs/limits.md).
pub const MOST: i64 = 500;
/// Longest words.
pub const TEXT_CHARACTERS: usize = 500;

const INSERT: &str =
    "insert into reminders (id, user_id, message_id, channel_id, text, remind_at, created_at)
    values ($1, $2, $3, $4, $5, $6, $7)";
const LIST: &str = "select id, user_id, message_id, channel_id, text, remind_at, created_at from reminders
    where user_id = $1 and (remind_at, id) > ($2, $3) order by remind_at, id limit $4";
const COUNT: &str = "select count(*) from (select 1 from reminders where user_id = $1 limit 501) as found";
const DELETE: &str = "delete from reminders where id = $1 and user_id = $2";
const DELETE_ALL: &str = "delete from reminders where user_id = $1";
const DUE: &str = "select id, user_id, message_id, channel_id, text, remind_at, created_at from reminders
    where remind_at <= $1 order by remind_at, id limit $2";
// The row's lock decides between two servers: the second one finds nothing.
const TAKE: &str = "delete from reminders where id = $1";
const NEXT: &str = "select remind_at from reminders order by remind_at, id limit 1";

/// A reminder whose time has not come.
#[derive(Clone, Debug)]
pub struct Reminder {
    /// Which.
    pub id: Uuid,
    /// What it is about.
    pub message_id: Option<MessageId>,
    /// Where that is, or the channel that it is about.
    pub channel_id: Option<ChannelId>,
    /// In the person's own words.
    pub text: Option<String>,
    /// When.
    pub remind_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// What it is about, as long as that may be read.
    pub message: Option<Message>,
}

#[derive(sqlx::FromRow)]
struct ReminderRow {
    id: Uuid,
    user_id: Uuid,
    message_id: Option<Uuid>,
    channel_id: Option<Uuid>,
    text: Option<String>,
    remind_at: i64,
    created_at: i64,
}

/// What somebody wants to be told, and when.
#[derive(Clone, Debug)]
pub struct NewReminder {
    /// A message that they may read.
    pub message_id: Option<MessageId>,
    /// A channel that they may read.
    pub channel_id: Option<ChannelId>,
    /// One line of at most 500 characters.
    pub text: Option<String>,
    /// From now to [`AHEAD`].
    pub remind_at: Timestamp,
}

/// Keeps a reminder: of a message, of a channel, or of words.
///
/// # Errors
/// [`Fault::NotFound`] for what may not be read, [`Fault::Gone`] for a deleted message, [`Fault::Invalid`] for the form,
/// [`Fault::Conflict`] with code `too_many_reminders`.
pub async fn create(tx: &mut Tx, user: UserId, new: NewReminder) -> Result<Reminder> {
    let words = text::optional_line("text", new.text.as_deref(), TEXT_CHARACTERS)?;
    check_time("remind_at", new.remind_at, AHEAD)?;
    let (channel_id, message) = subject(tx, user, &new).await?;
    if channel_id.is_none() && words.is_none() {
        return Err(Fault::invalid("text", "say what it is about: a message, a channel or words"));
    }
    users::lock(tx, user).await?;
    let count: i64 = run!(tx, sqlx::query_scalar(COUNT).bind(user.0), fetch_one)?;
    if count >= MOST {
        return Err(Fault::conflict("too_many_reminders", format!("{MOST} reminders wait already")));
    }
    let reminder = Reminder {
        id: confab_protocol::fresh_id(),
        message_id: new.message_id,
        channel_id,
        text: words,
        remind_at: new.remind_at,
        created_at: Timestamp::now(),
        message,
    };
    run!(
        tx,
        sqlx::query(INSERT)
            .bind(reminder.id)
            .bind(user.0)
            .bind(reminder.message_id.map(|id| id.0))
            .bind(reminder.channel_id.map(|id| id.0))
            .bind(reminder.text.clone())
            .bind(reminder.remind_at.0)
            .bind(reminder.created_at.0),
        execute
    )?;
    tell(tx, user, reminder.id, "waiting");
    Ok(reminder)
}

async fn subject(
    tx: &mut Tx,
    user: UserId,
    new: &NewReminder,
) -> Result<(Option<ChannelId>, Option<Message>)> {
    let Some(id) = new.message_id else {
        if let Some(channel) = new.channel_id {
            access::admit(tx, user, channel).await?;
        }
        return Ok((new.channel_id, None));
    };
    let (_, message) = messages::find(tx, user, id).await?;
    if message.deleted_at.is_some() {
        return Err(Fault::Gone("message"));
    }
    if new.channel_id.is_some_and(|channel| channel != message.channel_id) {
        return Err(Fault::invalid("channel_id", "is not where the message is"));
    }
    Ok((Some(message.channel_id), Some(message)))
}

/// A page of one's own in order of their times, after the one that `after` names. Messages that may not be read any more
/// are not shown with them.
pub async fn list(
    on: &mut impl Read,
    user: UserId,
    after: Option<(i64, Uuid)>,
    limit: u32,
) -> Result<Vec<Reminder>> {
    let (at, id) = after.unwrap_or((i64::MIN, Uuid::nil()));
    let rows: Vec<ReminderRow> =
        run!(on, sqlx::query_as(LIST).bind(user.0).bind(at).bind(id).bind(i64::from(limit)), fetch_all)?;
    let visible = access::visible_channels(on, user).await?;
    let ids: Vec<MessageId> = rows.iter().filter_map(|row| row.message_id.map(MessageId)).collect();
    let known = messages::readable(on, &visible, &ids).await?;
    let shown = rows.into_iter().map(|row| Reminder {
        id: row.id,
        // Of a place that was left only the words are shown, as in the notification that it becomes.
        message_id: row.message_id.filter(|_| is_visible(&visible, row.channel_id)).map(MessageId),
        channel_id: row.channel_id.filter(|_| is_visible(&visible, row.channel_id)).map(ChannelId),
        text: row.text,
        remind_at: Timestamp(row.remind_at),
        created_at: Timestamp(row.created_at),
        message: known.iter().find(|it| Some(it.id.0) == row.message_id).cloned(),
    });
    Ok(shown.collect())
}

fn is_visible(visible: &[ChannelId], channel: Option<Uuid>) -> bool {
    channel.is_some_and(|channel| visible.contains(&ChannelId(channel)))
}

/// Takes one's own back.
///
/// # Errors
/// [`Fault::NotFound`] alike for one of somebody else, one that came due, and none.
pub async fn delete(tx: &mut Tx, user: UserId, id: Uuid) -> Result<()> {
    if run!(tx, sqlx::query(DELETE).bind(id).bind(user.0), execute)? == 0 {
        return Err(Fault::NotFound("reminder"));
    }
    tell(tx, user, id, "withdrawn");
    Ok(())
}

/// When the next one is due. `None`: none waits.
pub async fn next_at(on: &mut impl Read) -> Result<Option<Timestamp>> {
    let at: Option<i64> = run!(on, sqlx::query_scalar(NEXT), fetch_optional)?;
    Ok(at.map(Timestamp))
}

/// Turns reminders whose time has come into notifications, at most `limit`, each once whoever else does the same. Answers
/// how many were due.
pub async fn fire(tx: &mut Tx, limit: u32) -> Result<usize> {
    let now = Timestamp::now().0;
    let due: Vec<ReminderRow> = run!(tx, sqlx::query_as(DUE).bind(now).bind(i64::from(limit)), fetch_all)?;
    let count = due.len();
    for row in due {
        if run!(tx, sqlx::query(TAKE).bind(row.id), execute)? == 0 {
            continue;
        }
        let user = UserId(row.user_id);
        let (channel, message) = still_readable(tx, user, &row).await?;
        notifications::remind(tx, user, channel, message, row.text).await?;
        tell(tx, user, row.id, "due");
    }
    Ok(count)
}

/// What of its subject its owner may still read.
async fn still_readable(
    tx: &mut Tx,
    user: UserId,
    row: &ReminderRow,
) -> Result<(Option<ChannelId>, Option<MessageId>)> {
    let Some(channel) = row.channel_id.map(ChannelId) else { return Ok((None, None)) };
    match access::admit(tx, user, channel).await {
        Ok(_) => Ok((Some(channel), row.message_id.map(MessageId))),
        Err(Fault::NotFound(_)) => Ok((None, None)),
        Err(fault) => Err(fault),
    }
}

/// Tells the person's devices, and nobody else.
fn tell(tx: &mut Tx, user: UserId, id: Uuid, state: &str) {
    tx.emit(Emission::new(EventKind::ReminderUpdated, id).only_for(user).by(user).detail(state));
}

/// Forgets all of an account that is being deleted.
pub(crate) async fn forget(tx: &mut Tx, user: UserId) -> Result<()> {
    run!(tx, sqlx::query(DELETE_ALL).bind(user.0), execute)?;
    Ok(())
}
