//! What one has begun to write.

use confab_core::{FutureExt, drafts};
use confab_protocol::{ChannelId, FileId, MessageId, Timestamp};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use uuid::Uuid;

use super::auth::{Bearer, Done};
use super::strict::Text;
use super::{Answer, Area, app, cursor};
use crate::state::App;

#[derive(Debug, Object)]
struct NewDraft {
    /// Markdown, at most 16,000 characters.
    content: Text,
    /// Any message of the thread that it is to answer in; the query's `parent_id` does the same.
    parent_id: Option<MessageId>,
    /// At most ten uploads of one's own that stand in no message.
    file_ids: Option<Vec<FileId>>,
}

/// A text that is not posted yet.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct Draft {
    channel_id: ChannelId,
    /// The root of the thread that it is to answer in.
    parent_id: Option<MessageId>,
    content: String,
    file_ids: Vec<FileId>,
    updated_at: Timestamp,
}

#[derive(Object)]
struct DraftPage {
    items: Vec<Draft>,
    next_cursor: Option<String>,
}

pub struct Drafts(pub Option<App>);

#[OpenApi(tag = "Area::Messages")]
impl Drafts {
    /// One's own drafts, the last changed first. Those in channels that one may not read any more are left out.
    #[oai(path = "/users/me/drafts", method = "get")]
    async fn list(
        &self,
        caller: Bearer,
        limit: Query<Option<i64>>,
        cursor: Query<Option<String>>,
    ) -> Answer<Json<DraftPage>> {
        let limit = cursor::limit(limit.0)?;
        let after: Option<(i64, Uuid)> = cursor::decode(cursor.0.as_deref())?;
        let (found, next) =
            drafts::list(&mut app(&self.0)?.db.read(), caller.0.user_id, after, limit).await?;
        let next_cursor = next.and_then(|place| cursor::encode(&place));
        Ok(Json(DraftPage { items: found.into_iter().map(Draft::from).collect(), next_cursor }))
    }

    /// One's own draft for the channel, or for a thread of it.
    #[oai(path = "/channels/:id/draft", method = "get")]
    async fn get(
        &self,
        caller: Bearer,
        id: Path<Uuid>,
        parent_id: Query<Option<MessageId>>,
    ) -> Answer<Json<Draft>> {
        let (on, user) = (&mut app(&self.0)?.db.read(), caller.0.user_id);
        Ok(Json(drafts::get(on, user, ChannelId(id.0), parent_id.0).await?.into()))
    }

    /// Keeps a draft; it takes the place of an older one. At most 500 are kept. Posting there takes it away.
    #[oai(path = "/channels/:id/draft", method = "put")]
    async fn put(
        &self,
        caller: Bearer,
        id: Path<Uuid>,
        parent_id: Query<Option<MessageId>>,
        body: Json<NewDraft>,
    ) -> Answer<Json<Draft>> {
        let (user, channel) = (caller.0.user_id, ChannelId(id.0));
        let parent = body.0.parent_id.or(parent_id.0);
        let (content, files) = (body.0.content.0, body.0.file_ids.unwrap_or_default());
        let kept = app(&self.0)?
            .db
            .write(move |tx| {
                async move { drafts::put(tx, user, channel, parent, &content, &files).await }.boxed()
            })
            .await?;
        Ok(Json(kept.into()))
    }

    /// Forgets a draft. Without one it does nothing.
    #[oai(path = "/channels/:id/draft", method = "delete")]
    async fn delete(
        &self,
        caller: Bearer,
        id: Path<Uuid>,
        parent_id: Query<Option<MessageId>>,
    ) -> Answer<Done> {
        let (user, channel, parent) = (caller.0.user_id, ChannelId(id.0), parent_id.0);
        app(&self.0)?
            .db
            .write(move |tx| async move { drafts::delete(tx, user, channel, parent).await }.boxed())
            .await?;
        Ok(Done::NoContent)
    }
}

impl From<drafts::Draft> for Draft {
    fn from(it: drafts::Draft) -> Self {
        Self {
            channel_id: it.channel_id,
            parent_id: it.parent_id,
            content: it.content,
            file_ids: it.file_ids,
            updated_at: it.updated_at,
        }
    }
}
