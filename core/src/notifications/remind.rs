//! What somebody asked to be told now.

use confab_protocol::{ChannelId, EventKind, MessageId, Timestamp, UserId};

use super::Kind;
use crate::db::write::Emission;
use crate::db::{Tx, run};
use crate::fault::Result;
use crate::push;

const REMIND: &str =
    "insert into notifications (id, user_id, kind, channel_id, message_id, actor_id, text, created_at, read_at, is_quiet)
    values ($1, $2, 'reminder', $3, $4, $2, $5, $6, null, false)";

/// Tells somebody what they asked to be told now, whatever hours are quiet: they chose this one. The caller names only what
/// they may still read.
pub(crate) async fn remind(
    tx: &mut Tx,
    user: UserId,
    channel: Option<ChannelId>,
    message: Option<MessageId>,
    text: Option<String>,
) -> Result<()> {
    let id = confab_protocol::fresh_id();
    run!(
        tx,
        sqlx::query(REMIND)
            .bind(id)
            .bind(user.0)
            .bind(channel.map(|id| id.0))
            .bind(message.map(|id| id.0))
            .bind(text.clone())
            .bind(Timestamp::now().0),
        execute
    )?;
    let message = message.map(|id| id.to_string()).unwrap_or_default();
    let detail = format!("{} {message}", Kind::Reminder.as_str());
    let mut emission = Emission::new(EventKind::Notification, id).only_for(user).by(user).detail(detail);
    emission.place = channel.map(|channel| (channel, 0));
    tx.emit(emission);
    push::queue(tx, &[(user, id)]).await
}
