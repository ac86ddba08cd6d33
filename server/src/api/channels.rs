//! Channels.

use confab_core::channels::{self, After, Change, Found, NewChannel, Scope};
use confab_core::members::{self, Preferences};
use confab_core::roles::Permission;
use confab_core::{FutureExt, Result};
use confab_protocol::{Channel, ChannelId, ChannelKind, ChannelNotificationLevel, UserId};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use uuid::Uuid;

use super::auth::{Bearer, Done};
use super::strict::Text;
use super::{Answer, Area, app, cursor};
use crate::state::App;

#[derive(Debug, Object)]
struct Create {
    /// 1 to 80 characters, unique among public channels.
    name: Text,
    /// `public` when absent.
    kind: Option<ChannelKind>,
    description: Option<Text>,
}

/// Absent fields stay as they are; an empty description or topic is taken away.
#[derive(Debug, Object)]
struct Update {
    name: Option<Text>,
    description: Option<Text>,
    topic: Option<Text>,
}

#[derive(Debug, Object)]
struct OpenDirect {
    /// The others.
    user_ids: Vec<UserId>,
}

#[derive(Debug, Object)]
struct ChannelPrivacy {
    is_private: bool,
    /// To be said when a private channel becomes public: everyone may then read all that was said there.
    share_history: Option<bool>,
}

/// Absent fields stay as they are.
#[derive(Debug, Object)]
struct ChannelPreferences {
    starred: Option<bool>,
    muted: Option<bool>,
    /// `default`: as chosen for all channels.
    notification_level: Option<ChannelNotificationLevel>,
}

#[derive(Object)]
struct ChannelPage {
    items: Vec<Channel>,
    next_cursor: Option<String>,
}

#[derive(ApiResponse)]
enum Opened {
    /// It was there.
    #[oai(status = 200)]
    Found(Json<Channel>),
    /// It was made.
    #[oai(status = 201)]
    Created(Json<Channel>),
}

pub struct Channels(pub Option<App>);

#[OpenApi(tag = "Area::Channels")]
impl Channels {
    /// Makes a channel; the caller owns it. Needs `channels.create` or `channels.create_private`, which everyone has at first.
    #[oai(path = "/channels", method = "post")]
    async fn create(&self, caller: Bearer, body: Json<Create>) -> Answer<Opened> {
        let app = app(&self.0)?;
        let user = caller.0.user_id;
        let description = body.0.description.as_ref().map(|it| it.0.as_str());
        let new = NewChannel::check(&body.0.name.0, body.0.kind.unwrap_or(ChannelKind::Public), description)?;
        caller.0.may_in_chat(if new.kind.is_open() {
            Permission::ChannelsCreate
        } else {
            Permission::ChannelsCreatePrivate
        })?;
        // Seen in the same transaction: an answer that failed after the commit would let an idempotency key make another.
        let made = app.db.write(move |tx| {
            async move {
                let id = channels::create(tx, Some(user), new).await?;
                channels::view(tx, user, id).await
            }
            .boxed()
        });
        Ok(Opened::Created(Json(made.await?)))
    }

    /// Every channel that the caller may read, in order of name; with `q` those that it fits, the best first.
    #[oai(path = "/channels", method = "get")]
    async fn list(
        &self,
        caller: Bearer,
        /// Words of names and descriptions, at most 256 characters.
        q: Query<Option<String>>,
        limit: Query<Option<i64>>,
        cursor: Query<Option<String>>,
        /// Instead of a cursor: passes over so many, at most 10,000.
        skip: Query<Option<i64>>,
    ) -> Answer<Json<ChannelPage>> {
        if let Some(q) = q.0.filter(|q| !q.trim().is_empty()) {
            let app = app(&self.0)?;
            let (found, next_cursor) = found(app, caller.0.user_id, &q, limit.0, cursor.0.as_deref()).await?;
            let items = found.into_iter().map(|it| it.channel).collect();
            return Ok(Json(ChannelPage { items, next_cursor }));
        }
        self.page(&caller, Scope::Readable, limit.0, cursor.0.as_deref(), skip.0).await
    }

    /// The caller's channels, with counts of what is unread.
    #[oai(path = "/channels/me", method = "get")]
    async fn mine(
        &self,
        caller: Bearer,
        limit: Query<Option<i64>>,
        cursor: Query<Option<String>>,
        /// Instead of a cursor: passes over so many, at most 10,000.
        skip: Query<Option<i64>>,
    ) -> Answer<Json<ChannelPage>> {
        self.page(&caller, Scope::Mine, limit.0, cursor.0.as_deref(), skip.0).await
    }

    /// The conversation with these people; made when there is none.
    #[oai(path = "/channels/direct", method = "post")]
    async fn direct(&self, caller: Bearer, body: Json<OpenDirect>) -> Answer<Opened> {
        let app = app(&self.0)?;
        let user = caller.0.user_id;
        let others = body.0.user_ids;
        let (channel, is_new) = app
            .db
            .write(move |tx| {
                async move {
                    let (id, is_new) = channels::open_direct(tx, user, &others).await?;
                    Ok((channels::view(tx, user, id).await?, is_new))
                }
                .boxed()
            })
            .await?;
        Ok(if is_new { Opened::Created(Json(channel)) } else { Opened::Found(Json(channel)) })
    }

    /// One channel.
    #[oai(path = "/channels/:id", method = "get")]
    async fn get(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Json<Channel>> {
        Ok(Json(channels::view(&mut app(&self.0)?.db.read(), caller.0.user_id, ChannelId(id.0)).await?))
    }

    /// Changes name, description or topic; absent fields stay as they are.
    #[oai(path = "/channels/:id", method = "put")]
    async fn update(&self, caller: Bearer, id: Path<Uuid>, body: Json<Update>) -> Answer<Json<Channel>> {
        let app = app(&self.0)?;
        let (user, id) = (caller.0.user_id, ChannelId(id.0));
        let change = Change {
            name: body.0.name.map(|it| it.0),
            description: body.0.description.map(|it| it.0),
            topic: body.0.topic.map(|it| it.0),
        };
        app.db.write(move |tx| async move { channels::update(tx, user, id, change).await }.boxed()).await?;
        Ok(Json(channels::view(&mut app.db.read(), user, id).await?))
    }

    /// Deletes a channel: its owner's doing.
    #[oai(path = "/channels/:id", method = "delete")]
    async fn delete(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Done> {
        let (by, id) = (caller.0.actor(), ChannelId(id.0));
        app(&self.0)?.db.write(move |tx| async move { channels::delete(tx, &by, id).await }.boxed()).await?;
        app(&self.0)?.due.expire();
        Ok(Done::NoContent)
    }

    /// Closes a channel for new messages.
    #[oai(path = "/channels/:id/archive", method = "post")]
    async fn archive(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Json<Channel>> {
        self.set_archived(&caller, ChannelId(id.0), true).await
    }

    /// Opens an archived channel again.
    #[oai(path = "/channels/:id/unarchive", method = "post")]
    async fn unarchive(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Json<Channel>> {
        self.set_archived(&caller, ChannelId(id.0), false).await
    }

    /// Joins a public channel.
    #[oai(path = "/channels/:id/join", method = "post")]
    async fn join(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Json<Channel>> {
        let app = app(&self.0)?;
        let (user, id) = (caller.0.user_id, ChannelId(id.0));
        app.db.write(move |tx| async move { members::join(tx, user, id).await }.boxed()).await?;
        Ok(Json(channels::view(&mut app.db.read(), user, id).await?))
    }

    /// Leaves a channel.
    #[oai(path = "/channels/:id/leave", method = "post")]
    async fn leave(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Done> {
        let (user, id) = (caller.0.user_id, ChannelId(id.0));
        app(&self.0)?
            .db
            .write(move |tx| async move { members::remove(tx, user, id, user).await }.boxed())
            .await?;
        Ok(Done::NoContent)
    }

    /// Makes a channel private or public: its owner's doing. Public to private: members keep everything, everyone else
    /// loses it at once. Private to public: everyone may read all that was said, which `share_history` confirms.
    #[oai(path = "/channels/:id/privacy", method = "put")]
    async fn set_privacy(
        &self,
        caller: Bearer,
        id: Path<Uuid>,
        body: Json<ChannelPrivacy>,
    ) -> Answer<Json<Channel>> {
        let app = app(&self.0)?;
        let (by, user, id) = (caller.0.actor(), caller.0.user_id, ChannelId(id.0));
        let ChannelPrivacy { is_private, share_history } = body.0;
        caller.0.may_in_chat(if is_private {
            Permission::ChannelsCreatePrivate
        } else {
            Permission::ChannelsCreate
        })?;
        let shares = share_history.unwrap_or(false);
        app.db
            .write(move |tx| {
                async move { channels::set_private(tx, &by, id, is_private, shares).await }.boxed()
            })
            .await?;
        Ok(Json(channels::view(&mut app.db.read(), user, id).await?))
    }

    /// Says how the caller wants the channel: above the others, quiet, and what of it is brought to attention.
    #[oai(path = "/channels/:id/preferences", method = "put")]
    async fn prefer(
        &self,
        caller: Bearer,
        id: Path<Uuid>,
        body: Json<ChannelPreferences>,
    ) -> Answer<Json<Channel>> {
        let app = app(&self.0)?;
        let (user, id) = (caller.0.user_id, ChannelId(id.0));
        let ChannelPreferences { starred, muted, notification_level } = body.0;
        let preferences = Preferences { starred, muted, notification_level };
        app.db
            .write(move |tx| async move { members::prefer(tx, user, id, preferences).await }.boxed())
            .await?;
        Ok(Json(channels::view(&mut app.db.read(), user, id).await?))
    }
}

impl Channels {
    async fn page(
        &self,
        caller: &Bearer,
        scope: Scope,
        limit: Option<i64>,
        cursor: Option<&str>,
        skip: Option<i64>,
    ) -> Answer<Json<ChannelPage>> {
        let limit = cursor::limit(limit)?;
        let skip = cursor::skip(skip, cursor.is_some())?;
        let mut after: Option<(String, ChannelId)> = cursor::decode(cursor)?;
        if skip > 0 {
            after = channels::nth(&mut app(&self.0)?.db.read(), caller.0.user_id, scope, skip).await?;
            if after.is_none() {
                return Ok(Json(ChannelPage { items: Vec::new(), next_cursor: None }));
            }
        }
        let items =
            channels::list(&mut app(&self.0)?.db.read(), caller.0.user_id, scope, after, limit).await?;
        let last = items.last().filter(|_| items.len() == limit as usize);
        let next_cursor = last.and_then(|it| cursor::encode(&(it.name.as_str(), it.id)));
        Ok(Json(ChannelPage { items, next_cursor }))
    }

    async fn set_archived(&self, caller: &Bearer, id: ChannelId, archived: bool) -> Answer<Json<Channel>> {
        let app = app(&self.0)?;
        let user = caller.0.user_id;
        app.db
            .write(move |tx| async move { channels::archive(tx, user, id, archived).await }.boxed())
            .await?;
        Ok(Json(channels::view(&mut app.db.read(), user, id).await?))
    }
}

/// A page of the directory, and where the next one begins.
pub(super) async fn found(
    app: &App,
    user: UserId,
    q: &str,
    limit: Option<i64>,
    cursor: Option<&str>,
) -> Result<(Vec<Found>, Option<String>)> {
    // As many as words in messages may be looked for.
    app.limits.search(user)?;
    let limit = cursor::limit(limit)?;
    let after: Option<After> = cursor::decode(cursor)?;
    let page = channels::find(&mut app.db.read(), user, q, after, limit).await?;
    let last = page.last().filter(|_| page.len() == limit as usize);
    let next = last.and_then(|it| cursor::encode(&(it.rank, it.channel.name.as_str(), it.channel.id)));
    Ok((page, next))
}
