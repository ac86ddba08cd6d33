//! Uploaded files: what is known of them. The bytes lie in a store under keys of ours, never under a name that someone
//! sent; [`objects`] knows which.

mod quota;
mod remove;
mod sweep;
mod texts;
mod turns;

pub mod objects;
pub mod pictures;

use std::collections::HashMap;

use confab_protocol::{File, FileId, MessageId, Timestamp, UserId};
use uuid::Uuid;

pub(crate) use quota::take as take_quota;
pub use quota::{Usage, exceeded as quota_exceeded, usage};
pub use remove::delete;
pub use sweep::{STRAYS_AT_ONCE, removed, strays, sweep};
pub use texts::{readable, texts};
pub use turns::{Due, READING_IN_AN_HOUR, announce_text, due_text, give_back_turn, keep_text};

use crate::db::{Read, Tx, run, run_in};
use crate::fault::{Fault, Result};
use crate::{messages, text};
use objects::Keys;

/// Longest name shown.
const NAME_CHARACTERS: usize = 255;

const INSERT: &str =
    "insert into files (id, filename, file_type, file_size, sha256, uploaded_by_id, message_id, created_at,
    deleted_at, width, height, blurhash, updated_at, released_at)
    values ($1, $2, $3, $4, $5, $6, null, $7, null, $8, $9, $10, $7, null)";
const BY_ID: &str =
    "select id, filename, file_type, file_size, sha256, uploaded_by_id, message_id, created_at, deleted_at,
    width, height, blurhash, updated_at from files where id = $1";
const OF_MESSAGES: &str =
    "select id, filename, file_type, file_size, sha256, uploaded_by_id, message_id, created_at, deleted_at,
    width, height, blurhash, updated_at from files where deleted_at is null and message_id in";
const OWN: &str =
    "select id, filename, file_type, file_size, sha256, uploaded_by_id, message_id, created_at, deleted_at,
    width, height, blurhash, updated_at from files where uploaded_by_id = $1 and deleted_at is null
    and (created_at, id) < ($2, $3) order by created_at desc, id desc limit $4";
const ELSEWHERE: &str = "select id from files where (message_id is null or message_id <> $1) and id in";
const ATTACH: &str =
    "update files set message_id = $2, updated_at = $4 where id = $1 and uploaded_by_id = $3 and message_id is null
    and deleted_at is null";

#[derive(sqlx::FromRow)]
struct FileRow {
    id: Uuid,
    filename: String,
    file_type: String,
    file_size: i64,
    sha256: String,
    uploaded_by_id: Uuid,
    message_id: Option<Uuid>,
    created_at: i64,
    deleted_at: Option<i64>,
    width: Option<i64>,
    height: Option<i64>,
    blurhash: Option<String>,
    updated_at: Option<i64>,
}

impl From<FileRow> for File {
    fn from(row: FileRow) -> Self {
        Self {
            thumbnail_url: row.width.map(|_| format!("/api/v1/files/{}/thumbnail", row.id)),
            id: FileId(row.id),
            filename: row.filename,
            file_type: row.file_type,
            file_size: row.file_size,
            sha256: row.sha256,
            uploaded_by_id: UserId(row.uploaded_by_id),
            message_id: row.message_id.map(MessageId),
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at.unwrap_or(row.created_at)),
            width: row.width,
            height: row.height,
            blurhash: row.blurhash,
        }
    }
}

/// A picture that was decoded and encoded anew.
#[derive(Clone, Debug)]
pub struct Measures {
    /// In pixels.
    pub width: i64,
    /// In pixels.
    pub height: i64,
    /// See blurha.sh.
    pub blurhash: String,
}

/// A file whose bytes are stored already.
#[derive(Clone, Debug)]
pub struct NewFile {
    /// As the uploader called it.
    pub filename: String,
    /// Found from the bytes.
    pub file_type: String,
    /// In bytes.
    pub file_size: i64,
    /// Of the bytes, in hex.
    pub sha256: String,
    /// Set for a picture that may be shown.
    pub measures: Option<Measures>,
    /// Where this upload put its bytes; `None`: equal ones were there already.
    pub keys: Option<Keys>,
    /// Whether words can be read out of it.
    pub has_text: bool,
}

/// A name that is safe to show and to save under: no path, no control or direction-changing characters, and none that
/// Windows takes for a device.
#[must_use]
pub fn display_name(sent: &str) -> String {
    let last = sent.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last
        .chars()
        .filter(|it| text::line("filename", &it.to_string(), 1).is_ok() || *it == ' ')
        .filter(|it| !matches!(it, '"' | '<' | '>' | '|' | ':' | '*' | '?'))
        .take(NAME_CHARACTERS)
        .collect();
    let clean = clean.trim().trim_start_matches('.').trim_end_matches(['.', ' ']).to_owned();
    match clean {
        empty if empty.is_empty() => "file".into(),
        device if is_device(&device) => format!("_{device}").chars().take(NAME_CHARACTERS).collect(),
        name => name,
    }
}

/// `CON`, `NUL.txt`, `com1`: saved under such a name on Windows, bytes go to a device.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    match stem.as_str() {
        "CON" | "PRN" | "AUX" | "NUL" => true,
        port => ["COM", "LPT"].iter().any(|kind| {
            port.strip_prefix(kind).is_some_and(|number| matches!(number.as_bytes(), [b'0'..=b'9']))
        }),
    }
}

/// Records an upload within `quota_bytes` of all that its owner keeps.
///
/// # Errors
/// [`Fault::TooLarge`] with code `quota_exceeded`; [`Fault::Conflict`] with code [`objects::BYTES_GONE`] when the bytes
/// have to be stored again.
pub async fn create(tx: &mut Tx, by: UserId, file: NewFile, quota_bytes: i64) -> Result<File> {
    quota::take(tx, by, file.file_size, quota_bytes).await?;
    objects::refer(tx, &file).await?;
    let id = FileId::new();
    let measures = file.measures.as_ref();
    run!(
        tx,
        sqlx::query(INSERT)
            .bind(id.0)
            .bind(display_name(&file.filename))
            .bind(file.file_type.clone())
            .bind(file.file_size)
            .bind(file.sha256.clone())
            .bind(by.0)
            .bind(Timestamp::now().0)
            .bind(measures.map(|it| it.width))
            .bind(measures.map(|it| it.height))
            .bind(measures.map(|it| it.blurhash.clone())),
        execute
    )?;
    if file.has_text {
        turns::wait(tx, by, id).await?;
    }
    Ok(row(tx, id).await?.into())
}

async fn row(on: &mut impl Read, id: FileId) -> Result<FileRow> {
    let row: Option<FileRow> = run!(on, sqlx::query_as(BY_ID).bind(id.0), fetch_optional)?;
    row.ok_or(Fault::NotFound("file"))
}

/// A file for someone who may read its message, or who uploaded it.
///
/// # Errors
/// [`Fault::NotFound`] for what the user may not know, [`Fault::Gone`] for a deleted one.
pub async fn find(on: &mut impl Read, user: UserId, id: FileId) -> Result<File> {
    let row = row(on, id).await?;
    let is_own = row.uploaded_by_id == user.0;
    match row.message_id {
        Some(message) => {
            messages::door(on, user, MessageId(message)).await.map_err(|fault| match fault {
                Fault::NotFound(_) => Fault::NotFound("file"),
                other => other,
            })?;
        }
        None if is_own => {}
        None => return Err(Fault::NotFound("file")),
    }
    if row.deleted_at.is_some() {
        return Err(Fault::Gone("file"));
    }
    Ok(row.into())
}

/// One's own files before a place in the list, the newest first: all that counts against the quota. A file whose message
/// one may not read any more is named here too, since one brought it, and nothing of the message is.
pub async fn own(
    on: &mut impl Read,
    user: UserId,
    before: Option<(Timestamp, FileId)>,
    limit: u32,
) -> Result<Vec<File>> {
    let (at, id) = before.map_or((i64::MAX, Uuid::max()), |(at, id)| (at.0, id.0));
    let rows: Vec<FileRow> =
        run!(on, sqlx::query_as(OWN).bind(user.0).bind(at).bind(id).bind(i64::from(limit)), fetch_all)?;
    Ok(rows.into_iter().map(File::from).collect())
}

/// Ties uploads to the message that carries them: only the sender's own, and each once.
pub(crate) async fn attach(
    tx: &mut Tx,
    user: UserId,
    message: MessageId,
    ids: &[FileId],
) -> Result<Vec<File>> {
    let mut files = Vec::with_capacity(ids.len());
    let now = Timestamp::now().0;
    for id in ids {
        if run!(tx, sqlx::query(ATTACH).bind(id.0).bind(message.0).bind(user.0).bind(now), execute)? == 0 {
            return Err(Fault::invalid("file_ids", "names a file that is not yours or is in use"));
        }
        files.push(row(tx, *id).await?.into());
    }
    Ok(files)
}

/// One of the files that is loose, or another message's.
pub(crate) async fn brought_elsewhere(
    on: &mut impl Read,
    message: MessageId,
    ids: &[FileId],
) -> Result<Option<FileId>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    if ids.is_empty() {
        return Ok(None);
    }
    let found: Vec<(Uuid,)> = run_in!(on, (Uuid,), ELSEWHERE, &ids, "limit 1", bind message.0)?;
    Ok(found.first().map(|row| FileId(row.0)))
}

pub(crate) async fn of_messages(on: &mut impl Read, ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<File>>> {
    let mut found: HashMap<Uuid, Vec<File>> = HashMap::new();
    let rows: Vec<FileRow> = run_in!(on, FileRow, OF_MESSAGES, ids, "order by id")?;
    for row in rows {
        if let Some(message) = row.message_id {
            found.entry(message).or_default().push(row.into());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::display_name;

    #[test]
    fn names_cannot_lead_anywhere() {
        for (sent, shown) in [
            ("..\\..\\x.txt", "x.txt"),
            ("/etc/passwd", "passwd"),
            ("a\r\nb\0.png", "ab.png"),
            ("evil\u{202E}gpj.exe", "evilgpj.exe"),
            ("..", "file"),
            ("Grüße 1.pdf", "Grüße 1.pdf"),
            ("CON", "_CON"),
            ("nul.txt", "_nul.txt"),
            ("COM7.log", "_COM7.log"),
            ("console.log", "console.log"),
            ("trailing. .", "trailing"),
        ] {
            assert_eq!(display_name(sent), shown);
        }
        assert_eq!(display_name(&"x".repeat(4_000)).len(), 255);
    }
}
