//! How much one person keeps.

use confab_protocol::UserId;

use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};
use crate::users;

const FILES: &str = "select cast(coalesce(sum(file_size), 0) as bigint), count(*) from files where uploaded_by_id = $1 and deleted_at is null";
const UPLOADS: &str = "select cast(coalesce(sum(file_size), 0) as bigint) from file_uploads where user_id = $1 and file_id is null and given_up_at is null";

/// What one person keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Of files, and of uploads in progress with the size that they declared.
    pub used_bytes: i64,
    /// Files.
    pub files: i64,
}

/// How much a person keeps now.
pub async fn usage(on: &mut impl Read, user: UserId) -> Result<Usage> {
    let (bytes, files): (i64, i64) = run!(on, sqlx::query_as(FILES).bind(user.0), fetch_one)?;
    let waiting: i64 = run!(on, sqlx::query_scalar(UPLOADS).bind(user.0), fetch_one)?;
    Ok(Usage { used_bytes: bytes + waiting, files })
}

/// Refuses what would be more than `quota_bytes` with what is kept already.
///
/// # Errors
/// [`Fault::TooLarge`] with code `quota_exceeded`.
pub(crate) async fn take(tx: &mut Tx, user: UserId, bytes: i64, quota_bytes: i64) -> Result<()> {
    // Two uploads that end at once would each see room for itself alone.
    users::lock(tx, user).await?;
    if usage(tx, user).await?.used_bytes.saturating_add(bytes) > quota_bytes {
        return Err(exceeded(quota_bytes.unsigned_abs()));
    }
    Ok(())
}

/// The refusal of what is more than the quota with what is kept, or on its way, already.
#[must_use]
pub fn exceeded(quota_bytes: u64) -> Fault {
    let message = format!("you may keep {quota_bytes} bytes of files; delete some first");
    Fault::too_large("quota_exceeded", message)
}
