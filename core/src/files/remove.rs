//! Deleting one's own file: from the message that carries it too.

use confab_protocol::{EventKind, FileId, Timestamp, UserId};

use super::find;
use crate::access::{self, Take};
use crate::db::write::Emission;
use crate::db::{Tx, run};
use crate::fault::{Fault, Result};
use crate::messages;

const DELETE: &str = "update files set deleted_at = $2, updated_at = $2 where id = $1 and deleted_at is null";
const TOUCH: &str = "update messages set updated_at = $2, has_attachments = (exists (select 1 from files f
    where f.message_id = $1 and f.deleted_at is null)) where id = $1 and deleted_at is null";

/// Deletes one's own file. A message that carries it is shown without it from now on.
///
/// # Errors
/// [`Fault::Forbidden`] with code `not_yours`; [`Fault::Gone`] for one that is deleted; those of the channel's door.
pub async fn delete(tx: &mut Tx, user: UserId, id: FileId) -> Result<()> {
    let file = find(tx, user, id).await?;
    if file.uploaded_by_id != user {
        return Err(Fault::forbidden("not_yours", "this file is not yours"));
    }
    let now = Timestamp::now().0;
    let Some(message) = file.message_id else {
        return match run!(tx, sqlx::query(DELETE).bind(id.0).bind(now), execute)? {
            // A message has taken it since, or another call was first.
            0 => Err(Fault::Gone("file")),
            _ => Ok(()),
        };
    };
    let channel = messages::door(tx, user, message).await?.admitted.channel_id();
    // In an archived channel too, as messages.
    let (place, _) = access::place_for_member(tx, user, channel, Take::Events(1)).await?;
    if run!(tx, sqlx::query(DELETE).bind(id.0).bind(now), execute)? == 0 {
        return Err(Fault::Gone("file"));
    }
    run!(tx, sqlx::query(TOUCH).bind(message.0).bind(now), execute)?;
    tx.emit(
        Emission::new(EventKind::MessageUpdate, message)
            .at(channel, place.first_seq)
            .by(user)
            .detail("files"),
    );
    Ok(())
}
