//! What a message said before it was edited.

use confab_protocol::{MessageId, Timestamp, UserId};

use super::view;
use crate::db::{Read, run};
use crate::fault::{Fault, Result};

const EARLIER: &str = "select version, content, created_at from message_versions
    where message_id = $1 and version > $2 order by version limit $3";

/// One wording.
#[derive(Clone, Debug)]
pub struct Version {
    /// From 1.
    pub version: i64,
    /// Markdown.
    pub content: String,
    /// Since when it read so.
    pub created_at: Timestamp,
}

/// A page of a message's wordings after version `after`, the present one last, for whoever may read the message.
///
/// # Errors
/// [`Fault::NotFound`]; [`Fault::Gone`] for a deleted message, whose wordings are gone too.
pub async fn history(
    on: &mut impl Read,
    user: UserId,
    id: MessageId,
    after: i64,
    limit: u32,
) -> Result<Vec<Version>> {
    let (_, message) = view::find(on, user, id).await?;
    if message.deleted_at.is_some() {
        return Err(Fault::Gone("message"));
    }
    let rows: Vec<(i64, String, i64)> =
        run!(on, sqlx::query_as(EARLIER).bind(id.0).bind(after).bind(i64::from(limit)), fetch_all)?;
    let mut versions: Vec<Version> = rows
        .into_iter()
        // An edit between the two reads may have put the present one among the earlier ones.
        .filter(|(version, ..)| *version < message.version)
        .map(|(version, content, at)| Version { version, content, created_at: Timestamp(at) })
        .collect();
    if versions.len() < limit as usize && message.version > after {
        let created_at = message.edited_at.unwrap_or(message.created_at);
        versions.push(Version { version: message.version, content: message.content, created_at });
    }
    Ok(versions)
}
