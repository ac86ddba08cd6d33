//! The words of documents: kept once for equal bytes, and who may find them.

use std::collections::HashMap;

use confab_protocol::{ChannelId, File, FileId};
use uuid::Uuid;

use super::FileRow;
use crate::db::{Read, run_in};
use crate::fault::Result;

// A file has words from its own turn on, whoever has equal bytes.
const TEXTS: &str = "select f.id, t.content from files f join file_texts t on t.sha256 = f.sha256
    where f.words_at is not null and f.id in";
const READABLE: &str =
    "select f.id, f.filename, f.file_type, f.file_size, f.sha256, f.uploaded_by_id, f.message_id,
    f.created_at, f.deleted_at, f.width, f.height, f.blurhash, f.updated_at, m.channel_id, t.content
    from files f join messages m on m.id = f.message_id and m.deleted_at is null
    join channels c on c.id = m.channel_id and c.deleted_at is null
    left join file_texts t on t.sha256 = f.sha256 and f.words_at is not null where f.deleted_at is null and f.id in";

/// The words that were read out of these files.
pub async fn texts(on: &mut impl Read, ids: &[FileId]) -> Result<HashMap<FileId, String>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows: Vec<(Uuid, String)> = run_in!(on, (Uuid, String), TEXTS, &ids, "")?;
    Ok(rows.into_iter().map(|(id, text)| (FileId(id), text)).collect())
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
