//! Bookmarks: one's own, and nobody else's to see.

use confab_core::FutureExt;
use confab_core::bookmarks::{self, After};
use confab_protocol::{Message, MessageId, Timestamp};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use uuid::Uuid;

use super::auth::{Bearer, Done};
use super::{Answer, Area, app, cursor};
use crate::state::App;

#[derive(Object)]
struct Bookmark {
    message: Message,
    /// When it was kept.
    created_at: Timestamp,
}

#[derive(Object)]
struct BookmarkPage {
    /// The newest bookmark first; what may not be read any more is left out.
    items: Vec<Bookmark>,
    next_cursor: Option<String>,
}

pub struct Bookmarks(pub Option<App>);

#[OpenApi(tag = "Area::Messages")]
impl Bookmarks {
    /// Keeps a message that the caller may read. Twice is once; at most 5,000 are kept.
    #[oai(path = "/messages/:id/bookmark", method = "put")]
    async fn add(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Done> {
        let (user, id) = (caller.0.user_id, MessageId(id.0));
        app(&self.0)?.db.write(move |tx| async move { bookmarks::add(tx, user, id).await }.boxed()).await?;
        Ok(Done::NoContent)
    }

    /// Takes a bookmark off, also of what may not be read any more.
    #[oai(path = "/messages/:id/bookmark", method = "delete")]
    async fn remove(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Done> {
        let (user, id) = (caller.0.user_id, MessageId(id.0));
        app(&self.0)?
            .db
            .write(move |tx| async move { bookmarks::remove(tx, user, id).await }.boxed())
            .await?;
        Ok(Done::NoContent)
    }

    /// What the caller keeps.
    #[oai(path = "/users/me/bookmarks", method = "get")]
    async fn list(
        &self,
        caller: Bearer,
        limit: Query<Option<i64>>,
        cursor: Query<Option<String>>,
    ) -> Answer<Json<BookmarkPage>> {
        let limit = cursor::limit(limit.0)?;
        let after: Option<After> = cursor::decode(cursor.0.as_deref())?;
        let on = &mut app(&self.0)?.db.snapshot().await?;
        let (found, next) = bookmarks::list(on, caller.0.user_id, after, limit).await?;
        let items =
            found.into_iter().map(|it| Bookmark { message: it.message, created_at: it.created_at }).collect();
        Ok(Json(BookmarkPage { items, next_cursor: next.and_then(|place| cursor::encode(&place)) }))
    }
}
