//! An answer at once or in pieces, as the caller accepts it.

use std::pin::pin;
use std::time::Duration;

use confab_core::bus::Answers;
use confab_core::{Fault, Result};
use confab_protocol::SessionId;
use confab_worker::services::complete;
use futures_util::stream::{self, BoxStream, StreamExt};
use poem::http::{HeaderValue, header};
use poem::web::sse::Event;
use poem::{IntoResponse, Response};
use poem_openapi::payload::{EventStream, Json, Payload};
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::ToJSON;
use poem_openapi::{ApiResponse, Object};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::Answered;
use crate::caller::Caller;
use crate::state::App;

/// So that no proxy takes a thinking model for a dead one; and a client that is gone is noticed by it: the framework goes on
/// with an answer until a write fails.
const KEEP_ALIVE: Duration = Duration::from_secs(1);
/// What a client that wants pieces accepts.
const EVENTS: &str = "text/event-stream";

/// Named in the document; the stream carries any of its kinds.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct News {
    /// Of `step`: `searching`, `reading` or `answering`.
    step: Option<String>,
    /// Of `step` `searching`: messages in the channels that the answer may be made of.
    messages: Option<i64>,
    /// Of `step` `searching`: files in them.
    files: Option<i64>,
    /// Of `step` `reading`: conversations that were found.
    passages: Option<i64>,
    /// Of `step` `reading`: channels that these stand in.
    channels: Option<i64>,
    /// Of `text`: the next sentences.
    text: Option<String>,
}

/// Who reads an answer while it is made.
pub struct Reader {
    app: App,
    session: SessionId,
}

impl Reader {
    /// The caller.
    pub fn of(app: &App, caller: &Caller) -> Self {
        Self { app: app.clone(), session: caller.session_id }
    }

    /// Fails once the session has ended: what was begun under it is not told to its end. A record that does not answer for
    /// a moment ends nothing.
    async fn check(&self) -> Result<()> {
        match self.app.tokens.live(&self.app.db, self.session).await {
            Err(fault @ Fault::Unauthenticated { .. }) => Err(fault),
            _ => Ok(()),
        }
    }

    /// The next piece, unless the session ends before it comes.
    async fn next(&self, answers: &mut Answers) -> Option<Result<Value>> {
        // One future over all looks: it knows for how long nothing came.
        let mut next = pin!(answers.next());
        loop {
            tokio::select! {
                piece = &mut next => {
                    let piece = piece?;
                    return Some(self.check().await.and(piece));
                }
                () = sleep(KEEP_ALIVE) => {
                    if let Err(fault) = self.check().await {
                        return Some(Err(fault));
                    }
                }
            }
        }
    }
}

/// See the module.
pub enum Told {
    /// All of it.
    Whole(Json<Answered>),
    /// `step`, `citation` and `text`, then `done` with all of it, or `error`.
    Pieces(EventStream<BoxStream<'static, Value>>),
}

impl Told {
    /// As the caller accepts it.
    ///
    /// # Errors
    /// What the worker says before it begins; of an answer that is wanted whole, also later.
    pub async fn of(mut answers: Answers, accepts: Option<&str>, reader: Reader) -> Result<Self> {
        let first = answers.next().await.ok_or(Fault::Unavailable("the worker"))??;
        if accepts.is_some_and(|accepts| accepts.contains(EVENTS)) {
            return Ok(Self::Pieces(pieces(first, answers, reader)));
        }
        let mut piece = first;
        while piece["type"] != "done" {
            piece = reader.next(&mut answers).await.ok_or(Fault::Unavailable("the worker"))??;
        }
        complete(&mut piece, reader.app.public_url());
        Ok(Self::Whole(Json(serde_json::from_value(piece).map_err(Fault::internal)?)))
    }
}

fn pieces(first: Value, answers: Answers, reader: Reader) -> EventStream<BoxStream<'static, Value>> {
    let url = reader.app.public_url().to_owned();
    let rest = stream::unfold(Some((answers, reader)), |from| async move {
        let (mut answers, reader) = from?;
        match reader.next(&mut answers).await? {
            Ok(piece) => Some((piece, Some((answers, reader)))),
            Err(fault) => Some((told(&fault), None)),
        }
    });
    let all = stream::once(async move { first }).chain(rest);
    let completed = all.map(move |mut piece| {
        complete(&mut piece, &url);
        piece
    });
    EventStream::new(completed.boxed()).keep_alive(KEEP_ALIVE).to_event(|mut piece| {
        let kind = piece.as_object_mut().and_then(|it| it.remove("type"));
        let kind = kind.as_ref().and_then(Value::as_str).unwrap_or("message").to_owned();
        Event::message(piece.to_json_string()).event_type(kind)
    })
}

/// A fault as a piece: the answer has begun, so no status can tell of it.
fn told(fault: &Fault) -> Value {
    if let Fault::Internal(source) = fault {
        tracing::error!(source, "an answer failed");
        return json!({ "type": "error", "code": "internal", "message": "something went wrong on the server" });
    }
    json!({ "type": "error", "code": fault.code(), "message": fault.to_string() })
}

impl IntoResponse for Told {
    fn into_response(self) -> Response {
        match self {
            Self::Whole(answer) => answer.into_response(),
            Self::Pieces(pieces) => {
                let mut response = pieces.into_response();
                // Like every answer to somebody who is signed in; the framework says something weaker.
                response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
                response
            }
        }
    }
}

impl ApiResponse for Told {
    fn meta() -> MetaResponses {
        let content = vec![
            MetaMediaType {
                content_type: Json::<Answered>::CONTENT_TYPE,
                schema: Json::<Answered>::schema_ref(),
            },
            MetaMediaType {
                content_type: EVENTS,
                schema: EventStream::<BoxStream<'static, News>>::schema_ref(),
            },
        ];
        let description = "The answer, or with `Accept: text/event-stream` events while it is made: `step`, `citation`, `text`, \
             then `done` with all of the answer, or `error`.";
        let response =
            MetaResponse { description, status: Some(200), status_range: None, content, headers: vec![] };
        MetaResponses { responses: vec![response] }
    }

    fn register(registry: &mut Registry) {
        <Json<Answered> as Payload>::register(registry);
        <EventStream<BoxStream<'static, News>> as Payload>::register(registry);
    }
}
