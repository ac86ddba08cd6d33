//! Uploaded files: what is known of them. The bytes lie in the data folder under their own hash, never under a name
//! that someone sent.

use std::collections::HashMap;

use confab_protocol::{File, FileId, MessageId, Timestamp, UserId};
use uuid::Uuid;

use crate::db::{Read, Tx, run, run_in};
use crate::fault::{Fault, Result};
use crate::{messages, text};

/// Longest name shown.
const NAME_CHARACTERS: usize = 255;

const INSERT: &str =
    "insert into files (id, filename, file_type, file_size, sha256, uploaded_by_id, message_id, created_at,
    deleted_at) values ($1, $2, $3, $4, $5, $6, null, $7, null)";
const BY_ID: &str =
    "select id, filename, file_type, file_size, sha256, uploaded_by_id, message_id, created_at, deleted_at
    from files where id = $1";
const OF_MESSAGES: &str =
    "select id, filename, file_type, file_size, sha256, uploaded_by_id, message_id, created_at, deleted_at
    from files where deleted_at is null and message_id in";
const ATTACH: &str =
    "update files set message_id = $2 where id = $1 and uploaded_by_id = $3 and message_id is null
    and deleted_at is null";
const DELETE: &str = "update files set deleted_at = $2 where id = $1 and deleted_at is null";

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
}

impl From<FileRow> for File {
    fn from(row: FileRow) -> Self {
        Self {
            id: FileId(row.id),
            filename: row.filename,
            file_type: row.file_type,
            file_size: row.file_size,
            sha256: row.sha256,
            uploaded_by_id: UserId(row.uploaded_by_id),
            message_id: row.message_id.map(MessageId),
            created_at: Timestamp(row.created_at),
        }
    }
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
}

/// A name that is safe to show and to save under: no path, no control or direction-changing characters.
#[must_use]
pub fn display_name(sent: &str) -> String {
    let last = sent.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last
        .chars()
        .filter(|it| text::line("filename", &it.to_string(), 1).is_ok() || *it == ' ')
        .filter(|it| !matches!(it, '"' | '<' | '>' | '|' | ':' | '*' | '?'))
        .take(NAME_CHARACTERS)
        .collect();
    let clean = clean.trim().trim_start_matches('.').to_owned();
    if clean.is_empty() { "file".into() } else { clean }
}

/// Records an upload.
pub async fn create(tx: &mut Tx, by: UserId, file: NewFile) -> Result<File> {
    let id = FileId::new();
    run!(
        tx,
        sqlx::query(INSERT)
            .bind(id.0)
            .bind(display_name(&file.filename))
            .bind(file.file_type.clone())
            .bind(file.file_size)
            .bind(file.sha256.clone())
            .bind(by.0)
            .bind(Timestamp::now().0),
        execute
    )?;
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
            messages::find(on, user, MessageId(message)).await.map_err(|fault| match fault {
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

/// Deletes one's own file.
pub async fn delete(tx: &mut Tx, user: UserId, id: FileId) -> Result<()> {
    let file = find(tx, user, id).await?;
    if file.uploaded_by_id != user {
        return Err(Fault::forbidden("not_yours", "this file is not yours"));
    }
    run!(tx, sqlx::query(DELETE).bind(id.0).bind(Timestamp::now().0), execute)?;
    Ok(())
}

/// Ties uploads to the message that carries them: only the sender's own, and each once.
pub(crate) async fn attach(
    tx: &mut Tx,
    user: UserId,
    message: MessageId,
    ids: &[FileId],
) -> Result<Vec<File>> {
    let mut files = Vec::with_capacity(ids.len());
    for id in ids {
        if run!(tx, sqlx::query(ATTACH).bind(id.0).bind(message.0).bind(user.0), execute)? == 0 {
            return Err(Fault::invalid("file_ids", "names a file that is not yours or is in use"));
        }
        files.push(row(tx, *id).await?.into());
    }
    Ok(files)
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
        ] {
            assert_eq!(display_name(sent), shown);
        }
        assert_eq!(display_name(&"x".repeat(4_000)).len(), 255);
    }
}
