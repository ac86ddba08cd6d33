//! Finding channels.

use confab_core::Fault;
use confab_protocol::Channel;
use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use super::auth::Bearer;
use super::channels::found;
use super::{Answer, Area, app};
use crate::state::App;

/// A found channel.
#[derive(Object)]
struct FoundChannel {
    channel: Channel,
    /// Between 0 and 1: 1 when the name begins with what was asked for, then words of the name, what stands inside them,
    /// and the description; last come names that are nearly so.
    score: f64,
}

#[derive(Object)]
struct FoundChannelPage {
    items: Vec<FoundChannel>,
    next_cursor: Option<String>,
}

pub struct Directory(pub Option<App>);

#[OpenApi(tag = "Area::Search")]
impl Directory {
    /// Channels that the caller may read, by words of their names and descriptions, the best first. Where none fits, those whose
    /// names are nearly what was asked for.
    #[oai(path = "/search/channels", method = "get")]
    async fn channels(
        &self,
        caller: Bearer,
        /// At most 256 characters; the four longest words count.
        q: Query<String>,
        limit: Query<Option<i64>>,
        cursor: Query<Option<String>>,
    ) -> Answer<Json<FoundChannelPage>> {
        if q.0.trim().is_empty() {
            return Err(Fault::invalid("q", "must not be empty").into());
        }
        let (page, next_cursor) =
            found(app(&self.0)?, caller.0.user_id, &q.0, limit.0, cursor.0.as_deref()).await?;
        let items =
            page.into_iter().map(|it| FoundChannel { score: it.score(), channel: it.channel }).collect();
        Ok(Json(FoundChannelPage { items, next_cursor }))
    }
}
