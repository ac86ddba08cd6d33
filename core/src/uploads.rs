//! Uploads in parts, for what is too large to be sent anew when a connection breaks. Each part is an object of the store,
//! so the next one may reach another server.

mod give_up;

use std::time::Duration;

use confab_protocol::{FileId, Timestamp, UserId};
use uuid::Uuid;

use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};
use crate::files::{self, objects};

pub(crate) use give_up::{expire, give_up_parts};

/// Smallest part but the last one: the parts of an upload are rows and objects, and must not be as many as its bytes.
pub const LEAST_PART_BYTES: i64 = 256 << 10;
/// Uploads of one person at once.
const OPEN: i64 = 20;
/// An upload that gets no part is kept this long.
const KEPT_MS: i64 = Duration::from_hours(24).as_millis() as i64;
/// Whoever puts the parts together has the upload alone for this long.
const CLAIMED_MS: i64 = Duration::from_mins(10).as_millis() as i64;

const COUNT: &str =
    "select count(*) from file_uploads where user_id = $1 and file_id is null and given_up_at is null";
const INSERT: &str =
    "insert into file_uploads (id, user_id, filename, file_size, sha256, received, parts, file_id,
    claimed_until, created_at, expires_at) values ($1, $2, $3, $4, $5, 0, 0, null, 0, $6, $7)";
const FIND: &str =
    "select id, filename, file_size, sha256, received, parts, file_id, claimed_until, expires_at
    from file_uploads where id = $1 and user_id = $2 and expires_at > $3";
const APPEND: &str = "update file_uploads set received = received + $4, parts = parts + 1, expires_at = $5
    where id = $1 and user_id = $2 and received = $3 and file_id is null and given_up_at is null
    and claimed_until < $6";
const PART: &str = "insert into file_upload_parts (upload_id, number, key) values ($1, $2, $3)";
const PARTS: &str = "select key from file_upload_parts where upload_id = $1 order by number";
const CLAIM: &str =
    "update file_uploads set claimed_until = $3 where id = $1 and user_id = $2 and file_id is null
    and received = file_size and claimed_until < $4";
const UNCLAIM: &str = "update file_uploads set claimed_until = 0 where id = $1 and file_id is null";
const COMPLETE: &str =
    "update file_uploads set file_id = $2, given_up_at = $3 where id = $1 and file_id is null
    and given_up_at is null and claimed_until > 0";
const NO_ROOM: &str = "update file_uploads set file_size = 0 where id = $1 and file_id is null";
const DELETE: &str = "update file_uploads set given_up_at = $2, expires_at = 0, claimed_until = 0
    where id = $1 and given_up_at is null";

/// An upload in progress.
#[derive(Clone, Debug)]
pub struct Progress {
    /// Which.
    pub id: Uuid,
    /// Cleaned.
    pub filename: String,
    /// What was declared, in bytes.
    pub file_size: i64,
    /// What was declared, in hex.
    pub sha256: Option<String>,
    /// Where the next part begins.
    pub received: i64,
    /// When it goes unless another part comes.
    pub expires_at: Timestamp,
    /// What came of it.
    pub file_id: Option<FileId>,
    is_claimed: bool,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    filename: String,
    file_size: i64,
    sha256: Option<String>,
    received: i64,
    parts: i64,
    file_id: Option<Uuid>,
    claimed_until: i64,
    expires_at: i64,
}

/// Begins an upload. Its whole size counts against the quota at once: better refused now than after an hour.
///
/// # Errors
/// [`Fault::Invalid`] in `size` or `sha256`; [`Fault::TooLarge`]; [`Fault::Conflict`] with code `too_many_uploads`.
pub async fn begin(
    tx: &mut Tx,
    user: UserId,
    filename: &str,
    size: i64,
    sha256: Option<String>,
    (most, quota_bytes): (i64, i64),
) -> Result<Progress> {
    if size < 1 {
        return Err(Fault::invalid("size", "is at least 1 byte"));
    }
    if size > most {
        return Err(Fault::too_large("too_large", format!("a file has at most {most} bytes")));
    }
    let sha256 = sha256.map(|it| it.to_ascii_lowercase());
    if sha256.as_ref().is_some_and(|it| it.len() != 64 || !it.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        return Err(Fault::invalid("sha256", "has 64 hexadecimal digits"));
    }
    files::take_quota(tx, user, size, quota_bytes).await?;
    let open: i64 = run!(tx, sqlx::query_scalar(COUNT).bind(user.0), fetch_one)?;
    if open >= OPEN {
        return Err(Fault::conflict(
            "too_many_uploads",
            format!("{OPEN} uploads are in progress; finish or delete one first"),
        ));
    }
    let (id, now) = (confab_protocol::fresh_id(), Timestamp::now().0);
    run!(
        tx,
        sqlx::query(INSERT)
            .bind(id)
            .bind(user.0)
            .bind(files::display_name(filename))
            .bind(size)
            .bind(sha256.clone())
            .bind(now)
            .bind(now + KEPT_MS),
        execute
    )?;
    find(tx, user, id).await
}

/// How far an upload of one's own is.
///
/// # Errors
/// [`Fault::NotFound`] alike for none, another's and an expired one.
pub async fn find(on: &mut impl Read, user: UserId, id: Uuid) -> Result<Progress> {
    let row = row(on, user, id).await?;
    Ok(Progress {
        id: row.id,
        filename: row.filename,
        file_size: row.file_size,
        sha256: row.sha256,
        received: row.received,
        expires_at: Timestamp(row.expires_at),
        file_id: row.file_id.map(FileId),
        is_claimed: row.claimed_until >= Timestamp::now().0,
    })
}

async fn row(on: &mut impl Read, user: UserId, id: Uuid) -> Result<Row> {
    let now = Timestamp::now().0;
    let row: Option<Row> = run!(on, sqlx::query_as(FIND).bind(id).bind(user.0).bind(now), fetch_optional)?;
    row.ok_or(Fault::NotFound("upload"))
}

/// Whether a part of so many bytes may follow what is there.
///
/// # Errors
/// [`Fault::Invalid`] in `body` for one that is smaller than [`LEAST_PART_BYTES`] and not the last.
pub fn check_part(before: &Progress, bytes: i64) -> Result<()> {
    if bytes >= LEAST_PART_BYTES || before.received + bytes >= before.file_size {
        return Ok(());
    }
    let message = format!("has less than {LEAST_PART_BYTES} bytes, as only the last part may");
    Err(Fault::invalid("body", message))
}

/// Records a part that was stored under `key` and begins at `offset`. `None`: another part was first.
pub async fn append(
    tx: &mut Tx,
    user: UserId,
    id: Uuid,
    offset: i64,
    bytes: i64,
    key: String,
) -> Result<Option<Progress>> {
    let before = row(tx, user, id).await?;
    let now = Timestamp::now().0;
    if run!(
        tx,
        sqlx::query(APPEND).bind(id).bind(user.0).bind(offset).bind(bytes).bind(now + KEPT_MS).bind(now),
        execute
    )? == 0
    {
        objects::withdraw(tx, &[key]).await?;
        return Ok(None);
    }
    objects::keep_promise(tx, &key).await?;
    // Read before the update, so right only because the update asked for the same offset.
    run!(tx, sqlx::query(PART).bind(id).bind(before.parts).bind(key), execute)?;
    find(tx, user, id).await.map(Some)
}

/// What completing an upload finds.
pub enum Completing {
    /// The keys of its parts, in order, for the one who puts them together now.
    Parts(Progress, Vec<String>),
    /// It was completed before.
    Done(FileId),
}

/// Claims an upload whose parts are all there.
///
/// # Errors
/// [`Fault::Conflict`] with code `incomplete`, or `in_progress` while another call puts it together.
pub async fn claim(tx: &mut Tx, user: UserId, id: Uuid) -> Result<Completing> {
    let progress = find(tx, user, id).await?;
    if let Some(file) = progress.file_id {
        return Ok(Completing::Done(file));
    }
    if progress.received < progress.file_size {
        return Err(Fault::conflict(
            "incomplete",
            format!("{} of {} bytes are there", progress.received, progress.file_size),
        ));
    }
    let now = Timestamp::now().0;
    if progress.is_claimed
        || run!(tx, sqlx::query(CLAIM).bind(id).bind(user.0).bind(now + CLAIMED_MS).bind(now), execute)? == 0
    {
        return Err(Fault::conflict("in_progress", "this upload is being completed"));
    }
    let parts = run!(tx, sqlx::query_scalar(PARTS).bind(id), fetch_all)?;
    Ok(Completing::Parts(progress, parts))
}

/// Lets an upload be completed again later.
pub async fn unclaim(tx: &mut Tx, id: Uuid) -> Result<()> {
    run!(tx, sqlx::query(UNCLAIM).bind(id), execute)?;
    Ok(())
}

/// Ends an upload that became `file`. The sweep removes its parts.
///
/// # Errors
/// [`Fault::NotFound`] when it was deleted meanwhile.
pub async fn complete(tx: &mut Tx, id: Uuid, file: FileId) -> Result<()> {
    if run!(tx, sqlx::query(COMPLETE).bind(id).bind(file.0).bind(Timestamp::now().0), execute)? == 0 {
        return Err(Fault::NotFound("upload"));
    }
    Ok(())
}

/// What is kept for an upload no longer counts: its file takes its place within the same transaction.
pub async fn make_room(tx: &mut Tx, id: Uuid) -> Result<()> {
    run!(tx, sqlx::query(NO_ROOM).bind(id), execute)?;
    Ok(())
}

/// Deletes an upload of one's own: nobody finds it any more, and it counts for nothing. The sweep removes its parts.
///
/// # Errors
/// [`Fault::NotFound`].
pub async fn delete(tx: &mut Tx, user: UserId, id: Uuid) -> Result<()> {
    row(tx, user, id).await?;
    run!(tx, sqlx::query(DELETE).bind(id).bind(Timestamp::now().0), execute)?;
    Ok(())
}
