//! Conversations: direct and group channels as a list of who said what last.

use confab_core::direct_messages::{self, After};
use confab_protocol::{Channel, ChannelId, ChannelKind, Message, Timestamp, UserId};
use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use super::auth::Bearer;
use super::{Answer, Area, app, cursor};
use crate::state::App;

#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct DirectConversation {
    /// The channel's own id.
    conversation_id: ChannelId,
    /// The other one, where there are two.
    recipient_id: Option<UserId>,
    /// With its people and counts.
    channel: Channel,
    /// Absent: nobody said anything yet. A deleted one comes without content.
    last_message: Option<Message>,
    unread_count: i64,
    /// When the last message came, or the conversation was opened.
    active_at: Timestamp,
}

#[derive(Object)]
struct DirectConversationPage {
    /// The most active first.
    items: Vec<DirectConversation>,
    next_cursor: Option<String>,
}

pub struct DirectMessages(pub Option<App>);

#[OpenApi(tag = "Area::Messages")]
impl DirectMessages {
    /// The caller's conversations.
    #[oai(path = "/users/me/conversations", method = "get")]
    async fn list(
        &self,
        caller: Bearer,
        limit: Query<Option<i64>>,
        cursor: Query<Option<String>>,
    ) -> Answer<Json<DirectConversationPage>> {
        let limit = cursor::limit(limit.0)?;
        let after: Option<After> = cursor::decode(cursor.0.as_deref())?;
        let user = caller.0.user_id;
        let on = &mut app(&self.0)?.db.snapshot().await?;
        let (found, next) = direct_messages::conversations(on, user, after, limit).await?;
        let items = found
            .into_iter()
            .map(|it| {
                let people = it.channel.people.as_deref().unwrap_or_default();
                let other = people.iter().find(|person| person.id != user).or(people.first());
                DirectConversation {
                    conversation_id: it.channel.id,
                    recipient_id: other.filter(|_| it.channel.kind == ChannelKind::Direct).map(|it| it.id),
                    unread_count: it.channel.unread_count.unwrap_or(0),
                    channel: it.channel,
                    last_message: it.last_message,
                    active_at: it.active_at,
                }
            })
            .collect();
        Ok(Json(DirectConversationPage { items, next_cursor: next.and_then(|place| cursor::encode(&place)) }))
    }
}
