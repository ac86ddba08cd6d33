//! Components that were uploaded, kept in the record so that every worker has them: in pieces, named by their hash. And
//! the pictures of plugins' reactions, encoded by us and named by the hash of the file that they were made of, which the
//! plugin's manifest names: they come with their plugin, wherever it was installed from, and stay as long as a plugin or a
//! reaction names them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use confab_protocol::Timestamp;

use crate::FutureExt;
use crate::db::{Db, Read, Tx, insert_rows, run};
use crate::fault::{Fault, Result};

/// Largest component, in bytes (docs/limits.md).
pub const COMPONENT_BYTES: usize = 32 << 20;
/// One piece, in bytes before base64: a row that no driver minds.
const PART_BYTES: usize = 192 * 1_024;
/// Pieces written in one transaction: others wait no longer than for a few posts.
const AT_ONCE: usize = 8;
/// What nobody installed in this time is forgotten.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

const PUT: &str = "insert into plugin_parts (sha256, number, content, stored_at) ";
const GET: &str = "select content from plugin_parts where sha256 = $1 order by number";
const IS_HERE: &str = "select number from plugin_parts where sha256 = $1 and number = 0";
const PICTURE: &str = "select content from plugin_parts where sha256 = $1 and number = 0";
// Uploaded and never installed, or of a version that another has replaced. A manifest names all that belongs to it; a
// reaction may outlive its plugin; and a picture that a reaction had stands in messages that were rendered then.
const SWEEP: &str = "delete from plugin_parts where stored_at < $1
    and not exists (select 1 from plugins where plugins.sha256 = plugin_parts.sha256 or plugins.waiting_sha256 = plugin_parts.sha256
        or plugins.manifest like '%' || plugin_parts.sha256 || '%' or plugins.waiting_manifest like '%' || plugin_parts.sha256 || '%')
    and not exists (select 1 from reactions where reactions.image_sha256 = plugin_parts.sha256)
    and not exists (select 1 from reaction_images where reaction_images.sha256 = plugin_parts.sha256)";
/// What a picture begins with: we encode them as PNG.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Keeps a component. Doing it again costs nothing but time.
///
/// # Errors
/// [`Fault::TooLarge`] beyond [`COMPONENT_BYTES`].
pub async fn keep(db: &Db, sha256: &str, component: &[u8]) -> Result<()> {
    if component.len() > COMPONENT_BYTES {
        return Err(Fault::invalid("component", format!("has at most {COMPONENT_BYTES} bytes")));
    }
    let parts: Vec<(i64, String)> = (0_i64..)
        .zip(component.chunks(PART_BYTES))
        .map(|(number, part)| (number, STANDARD.encode(part)))
        .collect();
    for several in parts.chunks(AT_ONCE) {
        let (sha256, rows) = (sha256.to_owned(), several.to_vec());
        db.write(move |tx| async move { put(tx, &sha256, &rows).await }.boxed()).await?;
    }
    Ok(())
}

async fn put(tx: &mut Tx, sha256: &str, rows: &[(i64, String)]) -> Result<()> {
    let now = Timestamp::now().0;
    insert_rows!(
        tx,
        PUT,
        rows,
        |values, row| values
            .push_bind(sha256.to_owned())
            .push_bind(row.0)
            .push_bind(row.1.clone())
            .push_bind(now),
        "on conflict (sha256, number) do update set stored_at = excluded.stored_at"
    );
    Ok(())
}

/// Whether a component is here.
pub async fn is_here(on: &mut impl Read, sha256: &str) -> Result<bool> {
    let found: Option<i64> = run!(on, sqlx::query_scalar(IS_HERE).bind(sha256.to_owned()), fetch_optional)?;
    Ok(found.is_some())
}

/// A component, if it is here. Whether it is whole, its hash tells.
pub async fn component(on: &mut impl Read, sha256: &str) -> Result<Option<Vec<u8>>> {
    let parts: Vec<String> = run!(on, sqlx::query_scalar(GET).bind(sha256.to_owned()), fetch_all)?;
    if parts.is_empty() {
        return Ok(None);
    }
    let mut whole = Vec::with_capacity(parts.len() * PART_BYTES);
    for part in parts {
        let bytes = STANDARD.decode(part);
        whole.extend(bytes.map_err(|_| Fault::Internal("a piece of a component is no base64".into()))?);
    }
    Ok(Some(whole))
}

/// The picture of that name, if it is here. Never a component: their bytes are for workers alone.
pub async fn picture(on: &mut impl Read, sha256: &str) -> Result<Option<Vec<u8>>> {
    let part: Option<String> = run!(on, sqlx::query_scalar(PICTURE).bind(sha256.to_owned()), fetch_optional)?;
    let bytes = part.map(|part| STANDARD.decode(part)).transpose();
    let bytes = bytes.map_err(|_| Fault::Internal("a piece of a picture is no base64".into()))?;
    Ok(bytes.filter(|bytes| bytes.starts_with(PNG)))
}

/// Forgets what nobody uses.
pub async fn sweep(tx: &mut Tx) -> Result<u64> {
    Ok(run!(tx, sqlx::query(SWEEP).bind(Timestamp::now().0 - DAY_MS), execute)?)
}
