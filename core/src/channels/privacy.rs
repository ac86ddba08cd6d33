//! Public becomes private and private public, with an explicit rule for what was said before.

use confab_protocol::{ChannelId, ChannelKind, ChannelRole, EventKind, Timestamp, UserId};
use serde_json::json;

use super::{or_name_taken, tell_directory};
use crate::access::{self, Take};
use crate::audit::{self, Action, Actor, Target};
use crate::db::write::Emission;
use crate::db::{Tx, run};
use crate::fault::{Fault, Result};
use crate::text;

const NAME: &str = "select name from channels where id = $1";
// What only members know of is nothing that new accounts are let into by themselves.
const CLOSE: &str = "update channels set kind = 'private', name_key = null, is_default = false, updated_at = $2 where id = $1";
const OPEN: &str = "update channels set kind = 'public', name_key = $2, updated_at = $3 where id = $1";

/// Makes a channel private or public: its owner's doing. Answers whether anything changed.
///
/// Public to private: members keep all of it, everyone else loses all of it at once. Private to public: everyone may read
/// all that was ever said there, which the owner confirms by `shares_history`.
///
/// # Errors
/// [`Fault::Conflict`] with code `history_confirmation_required`, `name_taken`, or `no_privacy_here` for conversations and
/// voice channels; those of the channel's door.
pub async fn set_private(
    tx: &mut Tx,
    by: &Actor,
    id: ChannelId,
    is_private: bool,
    shares_history: bool,
) -> Result<bool> {
    let user: UserId = by.user_id.ok_or(Fault::NotFound("channel"))?;
    let (place, _) = access::place_for_member(tx, user, id, Take::Events(1)).await?;
    if !matches!(place.kind, ChannelKind::Public | ChannelKind::Private) {
        let text = "conversations stay private and voice channels public";
        return Err(Fault::conflict("no_privacy_here", text));
    }
    access::admit(tx, user, id).await?.at_least(ChannelRole::Owner)?;
    if is_private != place.kind.is_open() {
        access::give_back(tx, id, Take::Events(1)).await?;
        return Ok(false);
    }
    let now = Timestamp::now().0;
    if is_private {
        run!(tx, sqlx::query(CLOSE).bind(id.0).bind(now), execute)?;
    } else {
        if !shares_history {
            let text =
                "everyone will be able to read all that was said here; confirm it with share_history: true";
            return Err(Fault::conflict("history_confirmation_required", text));
        }
        let name: String = run!(tx, sqlx::query_scalar(NAME).bind(id.0), fetch_one)?;
        let done = run!(tx, sqlx::query(OPEN).bind(id.0).bind(text::key(&name)).bind(now), execute);
        done.map_err(or_name_taken)?;
    }
    tx.emit(Emission::new(EventKind::PrivacyUpdated, id).at(id, place.first_seq).by(user));
    tell_directory(tx, id, !is_private);
    let detail = json!({ "is_private": is_private, "share_history": shares_history });
    audit::note(tx, by, Action::ChannelPrivacyChanged, Some(Target::new("channel", id)), detail).await?;
    Ok(true)
}
