//! How far one has read.

use confab_core::{FutureExt, read_state, threads};
use confab_protocol::ChannelId;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use uuid::Uuid;

use super::auth::{Bearer, Done};
use super::{Answer, Area, app};
use crate::state::App;

#[derive(Debug, Object)]
struct ReadTo {
    /// The last number that was read.
    seq: i64,
}

#[derive(Debug, Object)]
struct UnreadFrom {
    /// The first number that is to be unread again.
    seq: i64,
}

#[derive(Object)]
struct AllRead {
    /// Channels that had something unread.
    channel_count: u64,
}

#[derive(Object)]
struct UnreadChannel {
    channel_id: ChannelId,
    /// How far it was read.
    read_seq: i64,
    /// Messages after that.
    unread_count: i64,
    /// Those among them that mention the caller.
    mention_count: i64,
}

#[derive(Object)]
struct UnreadOverview {
    /// Channels in which something is unread: all of them, in one answer.
    items: Vec<UnreadChannel>,
    next_cursor: Option<String>,
    /// Of all channels.
    unread_count: i64,
    /// Of all channels.
    mention_count: i64,
    /// Followed threads in which something is unread, at most 1,000.
    unread_threads: i64,
}

pub struct ReadState(pub Option<App>);

#[OpenApi(tag = "Area::Channels")]
impl ReadState {
    /// Notes how far the caller has read; never backwards.
    #[oai(path = "/channels/:id/read", method = "put")]
    async fn read(&self, caller: Bearer, id: Path<Uuid>, body: Json<ReadTo>) -> Answer<Done> {
        let (user, id, seq) = (caller.0.user_id, ChannelId(id.0), body.0.seq);
        app(&self.0)?
            .db
            .write(move |tx| async move { read_state::mark_read(tx, user, id, seq).await }.boxed())
            .await?;
        Ok(Done::NoContent)
    }

    /// Makes everything from a number on unread again.
    #[oai(path = "/channels/:id/unread", method = "put")]
    async fn unread(&self, caller: Bearer, id: Path<Uuid>, body: Json<UnreadFrom>) -> Answer<Done> {
        let (user, id, seq) = (caller.0.user_id, ChannelId(id.0), body.0.seq);
        app(&self.0)?
            .db
            .write(move |tx| async move { read_state::mark_unread(tx, user, id, seq).await }.boxed())
            .await?;
        Ok(Done::NoContent)
    }

    /// Notes that the caller has read every channel of theirs to its end.
    #[oai(path = "/channels/read-all", method = "post")]
    async fn read_all(&self, caller: Bearer) -> Answer<Json<AllRead>> {
        let user = caller.0.user_id;
        let count = app(&self.0)?
            .db
            .write(move |tx| async move { read_state::mark_all_read(tx, user).await }.boxed())
            .await?;
        Ok(Json(AllRead { channel_count: count as u64 }))
    }

    /// What is unread in all of the caller's channels at once.
    #[oai(path = "/users/me/unread", method = "get")]
    async fn overview(&self, caller: Bearer) -> Answer<Json<UnreadOverview>> {
        let on = &mut app(&self.0)?.db.read();
        let found = read_state::unread(on, caller.0.user_id).await?;
        let unread_threads = threads::unread_threads(on, caller.0.user_id).await?;
        Ok(Json(UnreadOverview {
            unread_count: found.iter().map(|it| it.unread_count).sum(),
            mention_count: found.iter().map(|it| it.mention_count).sum(),
            unread_threads,
            next_cursor: None,
            items: found
                .into_iter()
                .map(|it| UnreadChannel {
                    channel_id: ChannelId(it.channel_id),
                    read_seq: it.read_seq,
                    unread_count: it.unread_count,
                    mention_count: it.mention_count,
                })
                .collect(),
        }))
    }
}
