//! The words of documents: extracted once for equal bytes, and who may find them.

use std::collections::HashMap;
use std::time::Duration;

use confab_protocol::{ChannelId, EventKind, File, FileId, Timestamp};
use uuid::Uuid;

use super::FileRow;
use crate::db::write::Emission;
use crate::db::{Read, Tx, run, run_in};
use crate::fault::Result;

/// Whoever extracts a text has it alone for this long.
const CLAIMED_MS: i64 = Duration::from_mins(5).as_millis() as i64;
/// Tries of a document that kills its reader.
const ATTEMPTS: i64 = 3;
/// Messages that are told of one text: more carry the same bytes only when somebody floods.
const TOLD: i64 = 1_000;

const DUE: &str = "select sha256, key, file_type, file_size, text_due_at, text_attempts from file_objects
    where text_due_at is not null and text_due_at <= $1 order by text_due_at limit 1";
const CLAIM: &str = "update file_objects set text_due_at = $3, text_attempts = text_attempts + 1
    where sha256 = $1 and text_due_at = $2";
const DONE: &str = "update file_objects set text_due_at = null where sha256 = $1";
const KEEP: &str =
    "insert into file_texts (sha256, content, created_at) select sha256, $2, $3 from file_objects
    where sha256 = $1 on conflict do nothing";
const CARRIERS: &str = "select distinct message_id from files where sha256 = $1 and deleted_at is null
    and message_id is not null limit $2";
const TEXTS: &str = "select sha256, content from file_texts where sha256 in";
const READABLE: &str =
    "select f.id, f.filename, f.file_type, f.file_size, f.sha256, f.uploaded_by_id, f.message_id,
    f.created_at, f.deleted_at, f.width, f.height, f.blurhash, f.updated_at, m.channel_id, t.content
    from files f join messages m on m.id = f.message_id and m.deleted_at is null
    join channels c on c.id = m.channel_id and c.deleted_at is null
    left join file_texts t on t.sha256 = f.sha256 where f.deleted_at is null and f.id in";

/// A document whose words are to be read.
#[derive(Clone, Debug)]
pub struct Due {
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
struct DueRow {
    sha256: String,
    key: String,
    file_type: String,
    file_size: i64,
    text_due_at: i64,
    text_attempts: i64,
}

/// Claims the next document. One at which three readers died is given up. `None`: nothing is to be done.
pub async fn due_text(tx: &mut Tx) -> Result<Option<Due>> {
    loop {
        let now = Timestamp::now().0;
        let row: Option<DueRow> = run!(tx, sqlx::query_as(DUE).bind(now), fetch_optional)?;
        let Some(row) = row else { return Ok(None) };
        if row.text_attempts >= ATTEMPTS {
            tracing::warn!(
                sha256 = row.sha256,
                file_type = row.file_type,
                "no words can be read out of a file"
            );
            run!(tx, sqlx::query(DONE).bind(row.sha256), execute)?;
            continue;
        }
        if run!(
            tx,
            sqlx::query(CLAIM).bind(row.sha256.clone()).bind(row.text_due_at).bind(now + CLAIMED_MS),
            execute
        )? > 0
        {
            let DueRow { sha256, key, file_type, file_size, .. } = row;
            return Ok(Some(Due { sha256, key, file_type, file_size }));
        }
    }
}

/// Keeps what was read; nothing, when there are no words. [`announce_text`] follows in a transaction of its own: a
/// message that takes the file between the two finds the text, and one that took it before is told.
pub async fn keep_text(tx: &mut Tx, sha256: String, content: String) -> Result<()> {
    if !content.is_empty() {
        let now = Timestamp::now().0;
        run!(tx, sqlx::query(KEEP).bind(sha256.clone()).bind(content.clone()).bind(now), execute)?;
    }
    run!(tx, sqlx::query(DONE).bind(sha256), execute)?;
    Ok(())
}

/// Tells the indexes which messages can be found by these words now.
pub async fn announce_text(tx: &mut Tx, sha256: String) -> Result<()> {
    let carriers: Vec<Uuid> = run!(tx, sqlx::query_scalar(CARRIERS).bind(sha256).bind(TOLD), fetch_all)?;
    for message in carriers {
        tx.emit(Emission::new(EventKind::FileTextStored, message));
    }
    Ok(())
}

/// The words of documents, by the hash of their bytes.
pub async fn texts(on: &mut impl Read, hashes: &[&str]) -> Result<HashMap<String, String>> {
    let rows: Vec<(String, String)> = run_in!(on, (String, String), TEXTS, hashes, "")?;
    Ok(rows.into_iter().collect())
}

#[derive(sqlx::FromRow)]
struct FoundRow {
    #[sqlx(flatten)]
    file: FileRow,
    channel_id: Uuid,
    content: Option<String>,
}

/// Of files that an index found, in its order, those that exist in `channels`, with the words that they were found by.
/// The index may be behind the record; what it says is shown only after this.
pub async fn readable(
    on: &mut impl Read,
    channels: &[ChannelId],
    ids: &[FileId],
) -> Result<Vec<(File, ChannelId, String)>> {
    let wanted: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows: Vec<FoundRow> = run_in!(on, FoundRow, READABLE, &wanted, "")?;
    let mut found: HashMap<Uuid, (File, ChannelId, String)> = rows
        .into_iter()
        .map(|row| (row.file.id, ChannelId(row.channel_id), row.content, row.file))
        .filter(|(_, channel, ..)| channels.contains(channel))
        .map(|(id, channel, content, file)| (id, (file.into(), channel, content.unwrap_or_default())))
        .collect();
    Ok(wanted.iter().filter_map(|id| found.remove(id)).collect())
}
