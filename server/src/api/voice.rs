//! Who is in voice channels. Coming and going is the socket's affair.

use confab_core::access;
use confab_protocol::{ChannelId, VoiceRoom};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use uuid::Uuid;

use super::auth::Bearer;
use super::{Answer, Area, app, cursor};
use crate::state::App;
use crate::voice;

#[derive(Object)]
struct VoiceRoomPage {
    /// Rooms with people in them.
    items: Vec<VoiceRoom>,
    next_cursor: Option<String>,
}

pub struct Voice(pub Option<App>);

#[OpenApi(tag = "Area::Channels")]
impl Voice {
    /// Who is in a voice channel now. To come in, see `GET /ws/voice/{id}` in docs/voice.md.
    #[oai(path = "/channels/:id/voice", method = "get")]
    async fn room(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Json<VoiceRoom>> {
        let app = app(&self.0)?;
        let admitted = voice::see(app, caller.0.user_id, ChannelId(id.0)).await?;
        Ok(Json(app.voice.room(admitted.channel_id())))
    }

    /// The voice channels in which somebody is, of those that the caller may see.
    #[oai(path = "/voice", method = "get")]
    async fn rooms(
        &self,
        caller: Bearer,
        limit: Query<Option<i64>>,
        cursor: Query<Option<String>>,
    ) -> Answer<Json<VoiceRoomPage>> {
        let app = app(&self.0)?;
        let limit = cursor::limit(limit.0)? as usize;
        let after: Option<ChannelId> = cursor::decode(cursor.0.as_deref())?;
        let mut channels = app.voice.occupied();
        if !channels.is_empty() {
            let visible = access::visible_channels(&mut app.db.read(), caller.0.user_id).await?;
            channels
                .retain(|channel| visible.contains(channel) && after.is_none_or(|after| *channel > after));
            channels.sort_unstable();
        }
        let has_more = channels.len() > limit;
        channels.truncate(limit);
        let next_cursor = channels.last().filter(|_| has_more).and_then(cursor::encode);
        Ok(Json(VoiceRoomPage {
            items: channels.into_iter().map(|channel| app.voice.room(channel)).collect(),
            next_cursor,
        }))
    }
}
