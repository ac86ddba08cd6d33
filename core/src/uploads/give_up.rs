//! What is left of uploads that were deleted, have expired or became files: parts, given up a few at a time. Everybody
//! who writes would wait for a transaction that gives up all parts of a large one.

use confab_protocol::Timestamp;
use uuid::Uuid;

use crate::db::{Tx, run};
use crate::fault::Result;
use crate::files::objects;

const EXPIRE: &str = "update file_uploads set given_up_at = $1 where id in (select id from file_uploads
    where expires_at < $1 and claimed_until < $1 and given_up_at is null order by expires_at limit $2)
    and expires_at < $1 and given_up_at is null";
const GIVEN_UP: &str = "select id, file_id, expires_at from file_uploads where given_up_at is not null
    order by given_up_at limit 1";
const PARTS: &str = "select number, key from file_upload_parts where upload_id = $1 order by number limit $2";
const FORGET_PARTS: &str = "delete from file_upload_parts where upload_id = $1 and number <= $2";
const KEEP: &str = "update file_uploads set given_up_at = null where id = $1";
const FORGET: &str = "delete from file_uploads where id = $1";

/// Gives up what has expired; answers how many uploads.
pub(crate) async fn expire(tx: &mut Tx, most: i64) -> Result<u64> {
    Ok(run!(tx, sqlx::query(EXPIRE).bind(Timestamp::now().0).bind(most), execute)?)
}

/// Removes up to `most` parts and uploads that are given up; answers whether there may be more.
pub(crate) async fn give_up_parts(tx: &mut Tx, most: i64) -> Result<bool> {
    let (now, mut left) = (Timestamp::now().0, most);
    while left > 0 {
        let next: Option<(Uuid, Option<Uuid>, i64)> = run!(tx, sqlx::query_as(GIVEN_UP), fetch_optional)?;
        let Some((id, file, expires_at)) = next else { return Ok(false) };
        let parts: Vec<(i64, String)> = run!(tx, sqlx::query_as(PARTS).bind(id).bind(left), fetch_all)?;
        for (_, key) in &parts {
            objects::give_up(tx, key).await?;
        }
        if let Some((last, _)) = parts.last() {
            run!(tx, sqlx::query(FORGET_PARTS).bind(id).bind(*last), execute)?;
        }
        left -= parts.len() as i64 + 1;
        if left < 0 {
            break;
        }
        // Whoever completes an upload once more is told which file it became, until it expires.
        let is_asked_for = file.is_some() && expires_at > now;
        run!(tx, sqlx::query(if is_asked_for { KEEP } else { FORGET }).bind(id), execute)?;
    }
    Ok(true)
}
