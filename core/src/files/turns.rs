//! Whose document is read next. People take turns: one document of each, whoever has waited longest first, and everyone
//! has so much of the readers' time in an hour. One person with a thousand documents keeps nobody from being found.
//!
//! Every file has a turn of its own, and is read in it, whether equal bytes were read before or not. The words of a
//! stranger's document, there at once, would tell whoever uploads a guess that the stranger has it too.

use std::time::Duration;

use confab_protocol::{EventKind, FileId, Timestamp, UserId};
use uuid::Uuid;

use crate::db::write::Emission;
use crate::db::{Tx, run};
use crate::fault::Result;

/// Time of readers for one person in an hour (docs/limits.md); what exceeds it waits for the next one.
pub const READING_IN_AN_HOUR: Duration = Duration::from_mins(5);
const HOUR_MS: i64 = Duration::from_hours(1).as_millis() as i64;
const BUDGET_MS: i64 = READING_IN_AN_HOUR.as_millis() as i64;
/// Whoever reads a document has its owner's turn for this long.
const CLAIMED_MS: i64 = Duration::from_mins(5).as_millis() as i64;
/// Tries of a document that kills its reader.
const ATTEMPTS: i64 = 3;
/// Turns looked at in one transaction: files that were deleted while they waited are passed over.
const LOOKED_AT: usize = 100;

const WAIT: &str = "insert into unread_files (file_id, user_id, attempts) values ($1, $2, 0)";
const LINE_UP: &str =
    "insert into reading_turns (user_id, due_at, hour_began_at, spent_ms) values ($1, $2, 0, 0)
    on conflict (user_id) do update set due_at = case when reading_turns.spent_ms >= $3
    and reading_turns.hour_began_at > $4 then reading_turns.hour_began_at + $5 else $2 end
    where reading_turns.due_at is null";
const NEXT: &str = "select user_id, due_at from reading_turns where due_at is not null and due_at <= $1
    order by due_at, spent_ms limit 1";
const CLAIM: &str = "update reading_turns set due_at = $3 where user_id = $1 and due_at = $2";
const OLDEST: &str =
    "select u.file_id, u.attempts, f.sha256, f.file_type, f.file_size, f.deleted_at, o.key from unread_files u
    join files f on f.id = u.file_id left join file_objects o on o.sha256 = f.sha256
    where u.user_id = $1 order by u.file_id limit 1";
const TRY: &str = "update unread_files set attempts = attempts + 1 where file_id = $1";
const UNTRY: &str = "update unread_files set attempts = attempts - 1 where file_id = $1 and attempts > 0";
const PASS_OVER: &str = "delete from unread_files where file_id = $1";
const SET_DUE: &str = "update reading_turns set due_at = $2 where user_id = $1";
const SPEND: &str =
    "update reading_turns set spent_ms = case when hour_began_at > $3 then spent_ms + $2 else $2 end,
    hour_began_at = case when hour_began_at > $3 then hour_began_at else $4 end where user_id = $1";
const WAITS: &str = "select attempts from unread_files where user_id = $1 limit 1";
const LINE_UP_AGAIN: &str =
    "update reading_turns set due_at = case when spent_ms >= $3 then hour_began_at + $4 else $2 end
    where user_id = $1";
const KEEP: &str =
    "insert into file_texts (sha256, content, created_at) select sha256, $2, $3 from file_objects
    where sha256 = $1 on conflict do nothing";
const HAS_WORDS: &str = "update files set words_at = $2 where id = $1";
const CARRIER: &str =
    "select message_id from files where id = $1 and deleted_at is null and message_id is not null";

/// A document whose words are to be read now.
#[derive(Clone, Debug)]
pub struct Due {
    /// Which file.
    pub id: FileId,
    /// Whose turn it is.
    pub user_id: UserId,
    /// Of its bytes.
    pub sha256: String,
    /// Where they lie.
    pub key: String,
    /// What they are.
    pub file_type: String,
    /// In bytes.
    pub file_size: i64,
}

#[derive(sqlx::FromRow)]
struct OldestRow {
    file_id: Uuid,
    attempts: i64,
    sha256: String,
    file_type: String,
    file_size: i64,
    deleted_at: Option<i64>,
    key: Option<String>,
}

/// Puts a new document at the end of its owner's own line.
pub(super) async fn wait(tx: &mut Tx, user: UserId, id: FileId) -> Result<()> {
    let now = Timestamp::now().0;
    run!(tx, sqlx::query(WAIT).bind(id.0).bind(user.0), execute)?;
    run!(
        tx,
        sqlx::query(LINE_UP).bind(user.0).bind(now).bind(BUDGET_MS).bind(now - HOUR_MS).bind(HOUR_MS),
        execute
    )?;
    Ok(())
}

/// Claims the next document, and its owner's turn with it: no two of one person are read at once. One at which three
/// readers died is given up. `None`: nothing is to be done now.
pub async fn due_text(tx: &mut Tx) -> Result<Option<Due>> {
    for _ in 0..LOOKED_AT {
        let now = Timestamp::now().0;
        let next: Option<(Uuid, i64)> = run!(tx, sqlx::query_as(NEXT).bind(now), fetch_optional)?;
        let Some((user, due_at)) = next else { return Ok(None) };
        let until = now + CLAIMED_MS;
        if run!(tx, sqlx::query(CLAIM).bind(user).bind(due_at).bind(until), execute)? == 0 {
            continue;
        }
        let row: Option<OldestRow> = run!(tx, sqlx::query_as(OLDEST).bind(user), fetch_optional)?;
        let Some(row) = row else {
            run!(tx, sqlx::query(SET_DUE).bind(user).bind(None::<i64>), execute)?;
            continue;
        };
        if let Some(due) = take(tx, UserId(user), row).await? {
            return Ok(Some(due));
        }
        // Nothing was read for them: they keep their place.
        run!(tx, sqlx::query(SET_DUE).bind(user).bind(due_at), execute)?;
    }
    Ok(None)
}

/// `None`: it was deleted while it waited, or is given up.
async fn take(tx: &mut Tx, user_id: UserId, row: OldestRow) -> Result<Option<Due>> {
    let OldestRow { file_id, attempts, sha256, file_type, file_size, deleted_at, key } = row;
    let is_given_up = attempts >= ATTEMPTS;
    if let Some(key) = key.filter(|_| deleted_at.is_none() && !is_given_up) {
        run!(tx, sqlx::query(TRY).bind(file_id), execute)?;
        return Ok(Some(Due { id: FileId(file_id), user_id, sha256, key, file_type, file_size }));
    }
    if is_given_up {
        tracing::warn!(sha256, file_type, "no words can be read out of a file");
    }
    run!(tx, sqlx::query(PASS_OVER).bind(file_id), execute)?;
    Ok(None)
}

/// Keeps what was read in `spent`; nothing, when there are no words. Its owner goes to the end of the line, or waits for
/// the next hour. [`announce_text`] follows in a transaction of its own: a message that takes the file between the two
/// finds the text, and one that took it before is told.
pub async fn keep_text(tx: &mut Tx, due: Due, content: String, spent: Duration) -> Result<()> {
    let (now, user) = (Timestamp::now().0, due.user_id.0);
    let spent_ms = i64::try_from(spent.as_millis()).unwrap_or(BUDGET_MS).max(1);
    // First, since whoever lines up meanwhile waits for this row and then sees that nobody waits for them.
    run!(tx, sqlx::query(SPEND).bind(user).bind(spent_ms).bind(now - HOUR_MS).bind(now), execute)?;
    if !content.is_empty() {
        run!(tx, sqlx::query(KEEP).bind(due.sha256.clone()).bind(content.clone()).bind(now), execute)?;
        run!(tx, sqlx::query(HAS_WORDS).bind(due.id.0).bind(now), execute)?;
    }
    run!(tx, sqlx::query(PASS_OVER).bind(due.id.0), execute)?;
    let waits: Option<i64> = run!(tx, sqlx::query_scalar(WAITS).bind(user), fetch_optional)?;
    if waits.is_some() {
        run!(tx, sqlx::query(LINE_UP_AGAIN).bind(user).bind(now).bind(BUDGET_MS).bind(HOUR_MS), execute)?;
    } else {
        run!(tx, sqlx::query(SET_DUE).bind(user).bind(None::<i64>), execute)?;
    }
    Ok(())
}

/// Gives a turn back in which nothing could be read, for a fault of ours: its owner's line goes on in `pause`. Otherwise it
/// would stand still for as long as a turn may take. `untried`: its document was not looked at, and this was no try.
pub async fn give_back_turn(
    tx: &mut Tx,
    user: UserId,
    untried: Option<FileId>,
    pause: Duration,
) -> Result<()> {
    if let Some(id) = untried {
        run!(tx, sqlx::query(UNTRY).bind(id.0), execute)?;
    }
    let then = Timestamp::now().plus(pause).0;
    run!(tx, sqlx::query(SET_DUE).bind(user.0).bind(then), execute)?;
    Ok(())
}

/// Tells the indexes that the message which carries the file can be found by its words now.
pub async fn announce_text(tx: &mut Tx, id: FileId) -> Result<()> {
    let carrier: Option<Uuid> = run!(tx, sqlx::query_scalar(CARRIER).bind(id.0), fetch_optional)?;
    if let Some(message) = carrier {
        tx.emit(Emission::new(EventKind::FileTextStored, message));
    }
    Ok(())
}
