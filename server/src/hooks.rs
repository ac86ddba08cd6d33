//! `POST /hooks/{secret}`: where other programs write into a channel, in the words that they use for Slack and Mattermost
//! (and at Slack's own path, `/services/…/{secret}`: `http/aliases.rs`).
//! [`payload`] reads what they send, [`card`] writes it as Markdown; who may, and where it goes, is core's. Below
//! `/hooks/plugins/` they reach [`plugins`].

mod card;
mod payload;
pub mod plugins;

use confab_core::messages::Draft;
use confab_core::{Fault, FutureExt, Result, text, webhooks};
use confab_protocol::Message;
use poem::http::{HeaderMap, StatusCode, header};
use poem::web::{Data, Path};
use poem::{Request, Response, handler};
use sha2::{Digest, Sha256};

use crate::http::{idempotent, problem};
use crate::state::App;
use payload::Payload;

/// Longer than any secret of ours.
const TOKEN_BYTES: usize = 200;

/// Takes one message. Says `ok`, and nothing else, as plain text: that is what Alertmanager and others look for. Who asks
/// for JSON is told which message it became. With an `Idempotency-Key`, a program that had no answer may ask again: it is
/// the same message.
#[handler]
pub async fn receive(request: &Request, token: Path<String>, body: Vec<u8>, app: Data<&App>) -> Response {
    let wants_json =
        request.header(header::ACCEPT).is_some_and(|accepted| accepted.contains("application/json"));
    match take(&app, &token, request, &body).await {
        Ok(message) if wants_json => {
            // Slack's word for what a later message may answer.
            let said = serde_json::json!({ "ok": true, "ts": message.id, "channel": message.channel_id });
            Response::builder().content_type("application/json").body(said.to_string())
        }
        Ok(_) => Response::builder().content_type("text/plain; charset=utf-8").body("ok"),
        Err(fault) => problem::response(fault),
    }
}

/// Somebody looks at the address in a browser.
#[handler]
pub fn explain() -> Response {
    Response::builder()
        .status(StatusCode::METHOD_NOT_ALLOWED)
        .header(header::ALLOW, "POST")
        .content_type("text/plain; charset=utf-8")
        .body("programs write here: POST {\"text\": \"…\"} as JSON")
}

async fn take(app: &App, token: &str, request: &Request, body: &[u8]) -> Result<Message> {
    if token.len() > TOKEN_BYTES {
        return Err(Fault::NotFound("webhook"));
    }
    // Who it is comes first: what a stranger sends is not read.
    let webhook = webhooks::of_token(&mut app.db.read(), token).await?;
    app.limits.hook(webhook.id)?;
    let payload = Payload::read(request.content_type().unwrap_or_default(), body)?;
    let draft = Draft {
        content: card::markdown(&payload, &webhook.name)?,
        nonce: nonce(request.headers())?,
        parent_id: payload.answers(),
        ..Draft::default()
    };
    let token = token.to_owned();
    let posted =
        app.db.write(move |tx| async move { webhooks::post(tx, &token, draft).await }.boxed()).await?;
    metrics::counter!("confab_messages_posted_total").increment(u64::from(posted.is_new));
    Ok(posted.message)
}

/// Stands for the key: a nonce is shown to everybody who reads the message, and what the program calls its calls is its own.
fn nonce(headers: &HeaderMap) -> Result<Option<String>> {
    if !headers.contains_key(idempotent::KEY) {
        return Ok(None);
    }
    Ok(Some(format!("hook:{}", text::hex(&Sha256::digest(idempotent::key(headers)?)))))
}
