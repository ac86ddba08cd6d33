//! Conversations: the direct and group channels of somebody, as a list of who said what last.

use confab_protocol::{Channel, ChannelId, Message, MessageId, Timestamp, UserId};
use uuid::Uuid;

use crate::db::{Read, run};
use crate::fault::Result;
use crate::{channels, messages};

// The last message is the one whose number is the count: no walk through the history.
const LIST: &str =
    "select c.id, m.id as last_id, coalesce(m.created_at, c.created_at) as active_at from memberships s
    join channels c on c.id = s.channel_id and c.deleted_at is null and c.kind in ('direct', 'group')
    left join messages m on m.channel_id = c.id and m.number = c.message_count
    where s.user_id = $1 and s.to_seq is null and (coalesce(m.created_at, c.created_at), c.id) < ($2, $3)
    order by active_at desc, c.id desc limit $4";

/// Where a page ends: when that conversation was active, and which.
pub type After = (i64, ChannelId);

/// A conversation and its last message.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// As the user sees it, with its people and what is unread.
    pub channel: Channel,
    /// `None`: nobody said anything yet. A deleted one comes without content.
    pub last_message: Option<Message>,
    /// When that was.
    pub active_at: Timestamp,
}

/// A page of a user's conversations, the most active first, and where the next one begins.
pub async fn conversations(
    on: &mut impl Read,
    user: UserId,
    after: Option<After>,
    limit: u32,
) -> Result<(Vec<Conversation>, Option<After>)> {
    let (at, id) = after.unwrap_or((i64::MAX, ChannelId(Uuid::max())));
    let rows: Vec<(Uuid, Option<Uuid>, i64)> =
        run!(on, sqlx::query_as(LIST).bind(user.0).bind(at).bind(id.0).bind(i64::from(limit)), fetch_all)?;
    let next = rows.last().filter(|_| rows.len() == limit as usize).map(|row| (row.2, ChannelId(row.0)));
    let ids: Vec<Uuid> = rows.iter().map(|row| row.0).collect();
    let last: Vec<MessageId> = rows.iter().filter_map(|row| row.1).map(MessageId).collect();
    let channels = channels::of_ids(on, user, &ids).await?;
    let mut messages = messages::views(on, &last).await?;
    let mut shown = Vec::with_capacity(rows.len());
    for (id, _, active_at) in rows {
        // Left a moment ago: it is nobody's to show.
        let Some(channel) = channels.iter().find(|it| it.id.0 == id && it.role.is_some()) else { continue };
        let place = messages.iter().position(|message| message.channel_id.0 == id);
        let last_message = place.map(|place| messages.swap_remove(place));
        shown.push(Conversation { channel: channel.clone(), last_message, active_at: Timestamp(active_at) });
    }
    Ok((shown, next))
}
