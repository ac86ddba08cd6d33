//! Threads: read, followed, and those that one follows.

use confab_core::messages::Replies;
use confab_core::threads::{self, After};
use confab_core::{Fault, FutureExt, messages};
use confab_protocol::{ChannelId, Message, MessageId, Timestamp};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use uuid::Uuid;

use super::auth::{Bearer, Done};
use super::{Answer, Area, app, cursor};
use crate::state::App;

#[derive(Object)]
struct Thread {
    /// The root, then replies, ascending.
    items: Vec<Message>,
    /// Always null: pages go on by `after_seq` and `before_seq`.
    next_cursor: Option<String>,
    /// Whether more replies exist on the side that was asked for: newer ones, or with `before_seq` older ones.
    has_more: bool,
    /// Whether the caller is told of what is new.
    following: bool,
    /// How far the caller has read it.
    read_seq: i64,
    /// Replies after that, at most 1,000; none of a thread without a state.
    unread_count: i64,
    /// Those among them that mention the caller.
    mention_count: i64,
}

#[derive(Object)]
struct FollowedThread {
    /// The root.
    message: Message,
    channel_id: ChannelId,
    following: bool,
    read_seq: i64,
    /// At most 1,000.
    unread_count: i64,
    mention_count: i64,
    /// When something was last said in it.
    active_at: Timestamp,
}

#[derive(Object)]
struct ThreadPage {
    /// The most active first.
    items: Vec<FollowedThread>,
    next_cursor: Option<String>,
}

#[derive(Debug, Object)]
struct ReadThread {
    /// The last number that was read.
    seq: i64,
}

pub struct Threads(pub Option<App>);

#[OpenApi(tag = "Area::Messages")]
impl Threads {
    /// A thread: its root, then a page of its replies, and what it is to the caller.
    #[oai(path = "/messages/:id/thread", method = "get")]
    async fn get(
        &self,
        caller: Bearer,
        id: Path<Uuid>,
        limit: Query<Option<i64>>,
        after_seq: Query<Option<i64>>,
        before_seq: Query<Option<i64>>,
    ) -> Answer<Json<Thread>> {
        let app = app(&self.0)?;
        let limit = cursor::limit(limit.0)?;
        let user = caller.0.user_id;
        let side = side_of(after_seq.0, before_seq.0)?;
        let on = &mut app.db.snapshot().await?;
        // One more than asked tells whether more is there.
        let mut items = messages::thread(on, user, MessageId(id.0), side, limit + 1).await?;
        let has_more = items.len() > limit as usize + 1;
        if has_more {
            match side {
                Replies::After(_) => items.truncate(limit as usize + 1),
                Replies::Before(_) => drop(items.remove(1)),
            }
        }
        let root = items.first().map_or(MessageId(id.0), |root| root.id);
        let state = threads::states(on, user, &[root]).await?.remove(&root).unwrap_or_default();
        Ok(Json(Thread {
            items,
            next_cursor: None,
            has_more,
            following: state.is_following,
            read_seq: state.read_seq,
            unread_count: state.unread_count,
            mention_count: state.mention_count,
        }))
    }

    /// Follows the thread of a message, its root or any reply: what is new in it is told.
    #[oai(path = "/messages/:id/follow", method = "put")]
    async fn follow(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Done> {
        self.set_following(&caller, MessageId(id.0), true).await
    }

    /// Follows the thread no more, until the caller answers or is mentioned in it again.
    #[oai(path = "/messages/:id/follow", method = "delete")]
    async fn unfollow(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Done> {
        self.set_following(&caller, MessageId(id.0), false).await
    }

    /// Notes how far the caller has read a thread; never backwards.
    #[oai(path = "/messages/:id/thread/read", method = "put")]
    async fn read(&self, caller: Bearer, id: Path<Uuid>, body: Json<ReadThread>) -> Answer<Done> {
        let (user, id, seq) = (caller.0.user_id, MessageId(id.0), body.0.seq);
        app(&self.0)?
            .db
            .write(move |tx| async move { threads::mark_read(tx, user, id, seq).await }.boxed())
            .await?;
        Ok(Done::NoContent)
    }

    /// The threads that the caller follows: of those they took part in last, at most a thousand.
    #[oai(path = "/users/me/threads", method = "get")]
    async fn mine(
        &self,
        caller: Bearer,
        limit: Query<Option<i64>>,
        cursor: Query<Option<String>>,
    ) -> Answer<Json<ThreadPage>> {
        let limit = cursor::limit(limit.0)?;
        let after: Option<After> = cursor::decode(cursor.0.as_deref())?;
        let on = &mut app(&self.0)?.db.snapshot().await?;
        let (found, next) = threads::list(on, caller.0.user_id, after, limit).await?;
        let items = found
            .into_iter()
            .map(|it| FollowedThread {
                channel_id: it.root.channel_id,
                message: it.root,
                following: it.state.is_following,
                read_seq: it.state.read_seq,
                unread_count: it.state.unread_count,
                mention_count: it.state.mention_count,
                active_at: it.active_at,
            })
            .collect();
        Ok(Json(ThreadPage { items, next_cursor: next.and_then(|place| cursor::encode(&place)) }))
    }
}

impl Threads {
    async fn set_following(&self, caller: &Bearer, id: MessageId, following: bool) -> Answer<Done> {
        let user = caller.0.user_id;
        app(&self.0)?
            .db
            .write(move |tx| async move { threads::follow(tx, user, id, following).await }.boxed())
            .await?;
        Ok(Done::NoContent)
    }
}

/// The page of a thread that was asked for: without either number the earliest replies.
fn side_of(after: Option<i64>, before: Option<i64>) -> confab_core::Result<Replies> {
    match (after, before) {
        (Some(_), Some(_)) => Err(Fault::invalid("before_seq", "give one of before_seq and after_seq")),
        (_, Some(seq)) if seq < 0 => Err(Fault::invalid("before_seq", "must not be negative")),
        (Some(seq), _) if seq < 0 => Err(Fault::invalid("after_seq", "must not be negative")),
        (_, Some(seq)) => Ok(Replies::Before(seq)),
        (after, None) => Ok(Replies::After(after.unwrap_or(0))),
    }
}
