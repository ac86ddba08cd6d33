//! What the links of a message lead to, kept with it. Fetching is the server's; here is which links, by whom, and once.

use std::time::Duration;

use confab_protocol::{EventKind, LinkPreview, Message, Timestamp};

use crate::access::{self, Take};
use crate::db::write::Emission;
use crate::db::{Tx, run};
use crate::fault::{Fault, Result};
use crate::markdown;

/// Most links of one message that are looked at.
pub const LINKS: usize = 3;
/// Older messages are not looked at: an import brings thousands of links, and a server that was down has others to do.
const FRESH: Duration = Duration::from_mins(10);

const CLAIM: &str = "update messages set previews = '' where id = $1 and version = $2 and previews is null and deleted_at is null";
const KEEP: &str = "update messages set previews = $3 where id = $1 and version = $2 and previews = '' and deleted_at is null";

/// The links of a message that this caller, and nobody else, shall look at: at most [`LINKS`]. None for bots: what a
/// model wrote must not make this server call an address.
pub async fn claim_links(tx: &mut Tx, message: &Message) -> Result<Vec<String>> {
    let changed_at = message.edited_at.unwrap_or(message.created_at);
    let is_fresh = changed_at.plus(FRESH) > Timestamp::now();
    if message.is_bot || message.deleted_at.is_some() || !is_fresh {
        return Ok(Vec::new());
    }
    let links = markdown::links(&message.content, LINKS);
    if links.is_empty() {
        return Ok(Vec::new());
    }
    // Several servers hear of each message: the update decides which of them looks.
    let claimed = run!(tx, sqlx::query(CLAIM).bind(message.id.0).bind(message.version), execute)?;
    Ok(if claimed == 0 { Vec::new() } else { links })
}

/// Keeps what the links of this version say, and tells the channel. An edited or deleted message keeps none of it.
pub async fn keep_previews(tx: &mut Tx, message: &Message, previews: &[LinkPreview]) -> Result<bool> {
    let text = serde_json::to_string(previews).map_err(Fault::internal)?;
    let place = access::place_of_system(tx, message.channel_id, Take::Events(1)).await?;
    let kept =
        run!(tx, sqlx::query(KEEP).bind(message.id.0).bind(message.version).bind(text.clone()), execute)?;
    if kept == 0 || previews.is_empty() {
        access::give_back(tx, message.channel_id, Take::Events(1)).await?;
        return Ok(false);
    }
    tx.emit(
        Emission::new(EventKind::MessageUpdate, message.id)
            .at(message.channel_id, place.first_seq)
            .detail("previews"),
    );
    Ok(true)
}

pub(super) fn of_text(text: Option<&str>) -> Vec<LinkPreview> {
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}
