//! Messages that are to be posted later: chosen, changed and withdrawn by their author, who alone sees them. How they are
//! sent is in `scheduled_messages/send.rs`.

mod send;
mod shown;

use std::time::Duration;

use confab_protocol::{ChannelId, EventKind, FileId, MessageId, Timestamp, UserId};
use uuid::Uuid;

use crate::db::write::Emission;
use crate::db::{Tx, run};
use crate::fault::{Fault, Result};
use crate::{access, held_files, messages, text, users};

pub use send::{due, next_at, send_due, send_now, sweep};
pub use shown::{ScheduledMessage, State, find, list};

/// How far ahead (docs/limits.md).
pub const AHEAD: Duration = Duration::from_hours(120 * 24);
/// Waiting ones of one person (docs/limits.md).
pub const MOST_WAITING: i64 = 200;
/// Of one person in one channel within any [`WINDOW`] (docs/limits.md).
pub const MOST_IN_WINDOW: usize = 30;
/// See [`MOST_IN_WINDOW`].
pub const WINDOW: Duration = Duration::from_mins(5);
/// Clocks of clients and servers differ: what is no further back is due at once.
pub(crate) const CLOCKS_DIFFER: Duration = Duration::from_mins(1);

const INSERT: &str = "insert into scheduled_messages (id, user_id, channel_id, parent_id, content, send_at, state, reason,
    reason_text, message_id, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, 'waiting', null, null, null, $7, $7)";
const COUNT_WAITING: &str =
    "select count(*) from scheduled_messages where user_id = $1 and state = 'waiting'";
const NEAR: &str = "select send_at from scheduled_messages
    where user_id = $1 and channel_id = $2 and state <> 'failed' and send_at > $3 and send_at < $4 and id <> $5
    order by send_at limit 500";
const CHANGE: &str =
    "update scheduled_messages set content = $2, send_at = $3, state = 'waiting', reason = null,
    reason_text = null, updated_at = $4 where id = $1 and state <> 'sent'";
const WITHDRAW: &str = "delete from scheduled_messages where id = $1 and user_id = $2 and state <> 'sent'";
const RELEASE_ALL: &str =
    "delete from held_files where holder_id in (select id from scheduled_messages where user_id = $1)";
const DELETE_ALL: &str = "delete from scheduled_messages where user_id = $1";

/// What is to be posted, and when.
#[derive(Clone, Debug)]
pub struct NewScheduledMessage {
    /// Where to.
    pub channel_id: ChannelId,
    /// Any message of the thread that it answers in.
    pub parent_id: Option<MessageId>,
    /// Markdown, at most 16,000 characters.
    pub content: String,
    /// At most ten uploads of the author.
    pub file_ids: Vec<FileId>,
    /// From now to [`AHEAD`].
    pub send_at: Timestamp,
}

/// Keeps a message to be posted later. Its author must be able to post it now; whether they still are is asked again when
/// its time comes.
///
/// # Errors
/// [`Fault::Invalid`] for the form; [`Fault::Conflict`] with code `too_many_scheduled` or `scheduled_too_densely`; and those
/// of the channel's door.
pub async fn create(tx: &mut Tx, user: UserId, new: NewScheduledMessage) -> Result<ScheduledMessage> {
    text::content(&new.content, !new.file_ids.is_empty())?;
    check_time("send_at", new.send_at, AHEAD)?;
    let admitted = access::admit(tx, user, new.channel_id).await?;
    admitted.member()?;
    if admitted.is_archived() {
        return Err(Fault::conflict("channel_archived", "this channel is archived"));
    }
    let parent = match new.parent_id {
        Some(parent) => Some(messages::root_of(tx, new.channel_id, parent).await?.0),
        None => None,
    };
    // The limits are counted under the author's lock, or two at once would both be the last one.
    users::lock(tx, user).await?;
    let id = confab_protocol::fresh_id();
    check_count(tx, user).await?;
    check_window(tx, user, new.channel_id, id, new.send_at).await?;
    run!(
        tx,
        sqlx::query(INSERT)
            .bind(id)
            .bind(user.0)
            .bind(new.channel_id.0)
            .bind(parent)
            .bind(new.content.clone())
            .bind(new.send_at.0)
            .bind(Timestamp::now().0),
        execute
    )?;
    held_files::hold(tx, user, id, &new.file_ids).await?;
    tell(tx, user, id, State::Waiting.as_str());
    find(tx, user, id).await
}

/// A time from about now to `ahead` from now.
pub(crate) fn check_time(field: &'static str, at: Timestamp, ahead: Duration) -> Result<()> {
    let now = Timestamp::now();
    if at.plus(CLOCKS_DIFFER) < now {
        return Err(Fault::invalid(field, "must not be in the past"));
    }
    if at > now.plus(ahead) {
        let days = ahead.as_secs() / (24 * 3_600);
        return Err(Fault::invalid(field, format!("must be at most {days} days ahead")));
    }
    Ok(())
}

async fn check_count(tx: &mut Tx, user: UserId) -> Result<()> {
    let waiting: i64 = run!(tx, sqlx::query_scalar(COUNT_WAITING).bind(user.0), fetch_one)?;
    if waiting >= MOST_WAITING {
        let message = format!("{MOST_WAITING} messages wait already; withdraw some first");
        return Err(Fault::conflict("too_many_scheduled", message));
    }
    Ok(())
}

async fn check_window(
    tx: &mut Tx,
    user: UserId,
    channel: ChannelId,
    id: Uuid,
    send_at: Timestamp,
) -> Result<()> {
    let window = WINDOW.as_millis() as i64;
    let near: Vec<i64> = run!(
        tx,
        sqlx::query_scalar(NEAR)
            .bind(user.0)
            .bind(channel.0)
            .bind(send_at.0 - window)
            .bind(send_at.0 + window)
            .bind(id),
        fetch_all
    )?;
    if fullest_window(near, send_at.0, window) > MOST_IN_WINDOW {
        let message = format!("at most {MOST_IN_WINDOW} messages within five minutes go to one channel");
        return Err(Fault::conflict("scheduled_too_densely", message));
    }
    Ok(())
}

/// How many there are in the fullest window near `at`, itself counted. `times` are in order.
fn fullest_window(mut times: Vec<i64>, at: i64, window: i64) -> usize {
    let place = times.partition_point(|time| *time < at);
    times.insert(place, at);
    (0..times.len())
        .map(|from| times[from..].partition_point(|time| *time < times[from] + window))
        .max()
        .unwrap_or(0)
}

/// Changes of a scheduled message; absent fields stay as they are.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Other words.
    pub content: Option<String>,
    /// Other uploads.
    pub file_ids: Option<Vec<FileId>>,
    /// Another time.
    pub send_at: Option<Timestamp>,
}

/// Changes one's own. One that failed waits again, and needs a new time for it.
///
/// # Errors
/// [`Fault::NotFound`]; [`Fault::Conflict`] with code `already_sent`; and those of [`create`].
pub async fn update(tx: &mut Tx, user: UserId, id: Uuid, change: Change) -> Result<ScheduledMessage> {
    users::lock(tx, user).await?;
    let known = find(tx, user, id).await?;
    if known.state == State::Sent {
        return Err(already_sent());
    }
    let files = change.file_ids.unwrap_or(known.file_ids);
    let content = change.content.unwrap_or(known.content);
    text::content(&content, !files.is_empty())?;
    let send_at = change.send_at.unwrap_or(known.send_at);
    if known.state == State::Failed {
        check_count(tx, user).await?;
    }
    if known.state == State::Failed || send_at != known.send_at {
        check_time("send_at", send_at, AHEAD)?;
        check_window(tx, user, known.channel_id, id, send_at).await?;
    }
    let changed = run!(
        tx,
        sqlx::query(CHANGE).bind(id).bind(content.clone()).bind(send_at.0).bind(Timestamp::now().0),
        execute
    )?;
    if changed == 0 {
        return Err(already_sent());
    }
    held_files::hold(tx, user, id, &files).await?;
    tell(tx, user, id, State::Waiting.as_str());
    find(tx, user, id).await
}

/// Takes one's own back before it is sent.
///
/// # Errors
/// [`Fault::NotFound`]; [`Fault::Conflict`] with code `already_sent`.
pub async fn withdraw(tx: &mut Tx, user: UserId, id: Uuid) -> Result<()> {
    if run!(tx, sqlx::query(WITHDRAW).bind(id).bind(user.0), execute)? == 0 {
        find(tx, user, id).await?;
        return Err(already_sent());
    }
    held_files::release(tx, id).await?;
    tell(tx, user, id, "withdrawn");
    Ok(())
}

fn already_sent() -> Fault {
    Fault::conflict("already_sent", "this message was sent already")
}

/// Tells the author's devices, and nobody else.
fn tell(tx: &mut Tx, user: UserId, id: Uuid, state: &str) {
    tx.emit(Emission::new(EventKind::ScheduledMessageUpdated, id).only_for(user).by(user).detail(state));
}

/// Forgets all of an account that is being deleted.
pub(crate) async fn forget(tx: &mut Tx, user: UserId) -> Result<()> {
    run!(tx, sqlx::query(RELEASE_ALL).bind(user.0), execute)?;
    run!(tx, sqlx::query(DELETE_ALL).bind(user.0), execute)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::fullest_window;

    #[test]
    fn the_fullest_window_is_found_wherever_it_begins() {
        assert_eq!(fullest_window(vec![], 10, 5), 1);
        assert_eq!(fullest_window(vec![6, 7, 8, 12, 13, 14], 10, 5), 4, "6 to 10, or 10 to 14");
        assert_eq!(fullest_window(vec![6, 7, 13, 14], 10, 5), 3);
        assert_eq!(fullest_window(vec![10, 10, 10], 10, 5), 4);
        assert_eq!(fullest_window(vec![5, 15], 10, 5), 1, "five apart is not within five");
    }
}
