//! What people were told of a message that is gone.

use confab_protocol::{ChannelId, EventKind, MessageId, UserId};
use uuid::Uuid;

use crate::db::write::Emission;
use crate::db::{Tx, run};
use crate::fault::Result;

/// People outside of a channel who are told that a message of it is gone.
const MOST_OUTSIDE: i64 = 1_000;

// Mentioned in an open channel that they are no member of, or left since, or who keep a message of it.
const OUTSIDE: &str = "select found.user_id from
    (select user_id from notifications where message_id = $1 and kind <> 'reminder'
        union select user_id from bookmarks where message_id = $1) found
    join channels c on c.id = $2 and c.kind in ('public', 'voice') and c.deleted_at is null
    left join memberships s on s.channel_id = $2 and s.user_id = found.user_id and s.to_seq is null
    where s.user_id is null limit $3";
// A reminder stays: its own words may be all that it is about.
const FORGET: &str = "delete from notifications where message_id = $1 and kind <> 'reminder'";

/// Drops what people were told of a message, and tells those who do not hear its channel that the message is gone: they
/// would keep a badge for it, or show it among their bookmarks. Whoever was removed from a private channel hears nothing more of it, not even this.
pub(crate) async fn withdraw(tx: &mut Tx, channel: ChannelId, message: MessageId) -> Result<()> {
    let outside: Vec<Uuid> =
        run!(tx, sqlx::query_scalar(OUTSIDE).bind(message.0).bind(channel.0).bind(MOST_OUTSIDE), fetch_all)?;
    for user in outside {
        let mut emission = Emission::new(EventKind::MessageDelete, message).only_for(UserId(user));
        emission.place = Some((channel, 0));
        tx.emit(emission);
    }
    run!(tx, sqlx::query(FORGET).bind(message.0), execute)?;
    Ok(())
}
