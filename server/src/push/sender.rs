//! Sends one push, and notes what became of it.

use std::time::Duration;

use confab_core::push::{self, Due, Letter, Outcome};
use confab_core::{Fault, FutureExt, Result};
use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::{Pusher, sealed};
use crate::egress::Refusal;
use crate::state::App;

/// How long a service keeps what it cannot deliver.
const KEPT_SECONDS: u32 = 24 * 3_600;

/// Sends what was claimed. The record holds it until it is settled here: without that it is sent again. Answers whether more
/// is due for the same browser.
pub(super) async fn send(app: App, due: Due) -> bool {
    send_and_settle(&app, due).await.unwrap_or_else(|fault| {
        tracing::debug!(%fault, "a push is sent again when its time is over");
        false
    })
}

async fn send_and_settle(app: &App, due: Due) -> Result<bool> {
    let outcome = match push::letter(&mut app.db.read(), &due).await? {
        Some(letter) => deliver(&app.push, &letter).await,
        None => Outcome::Needless,
    };
    app.db.write(move |tx| async move { push::settle(tx, &due, outcome).await }.boxed()).await
}

async fn deliver(pusher: &Pusher, letter: &Letter) -> Outcome {
    let outcome = match prepared(pusher, letter) {
        Ok((headers, body)) => match pusher.postbox.post(&letter.endpoint, headers, body).await {
            Ok(answer) => of_status(answer.status, answer.retry_after),
            // Checked when it was noted; the rule, or the setting, has changed since.
            Err(Refusal::Address(_)) => Outcome::Refused,
            Err(_) => Outcome::Failed(None),
        },
        Err(fault) => {
            tracing::warn!(%fault, "a push cannot be made");
            Outcome::Refused
        }
    };
    let word = match outcome {
        Outcome::Sent => "sent",
        Outcome::Failed(_) => "failed",
        Outcome::Gone => "gone",
        Outcome::Refused | Outcome::Needless => "refused",
    };
    metrics::counter!("confab_pushes_total", "outcome" => word).increment(1);
    outcome
}

fn prepared(pusher: &Pusher, letter: &Letter) -> Result<(HeaderMap, Vec<u8>)> {
    let url = Url::parse(&letter.endpoint).map_err(Fault::internal)?;
    let is_urgent = matches!(letter.brief.kind.as_str(), "mention" | "direct_message" | "reminder");
    let value = |text: String| HeaderValue::try_from(text).map_err(Fault::internal);
    let headers = HeaderMap::from_iter([
        (HeaderName::from_static("ttl"), HeaderValue::from(KEPT_SECONDS)),
        (
            HeaderName::from_static("urgency"),
            HeaderValue::from_static(if is_urgent { "high" } else { "normal" }),
        ),
        // What a closed browser did not get yet is replaced by the newer of the same channel.
        (HeaderName::from_static("topic"), value(topic(letter))?),
        (CONTENT_ENCODING, HeaderValue::from_static("aes128gcm")),
        (CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (AUTHORIZATION, value(pusher.signature(&url)?)?),
    ]);
    Ok((headers, sealed(letter)?))
}

fn of_status(status: StatusCode, retry_after: Option<Duration>) -> Outcome {
    match status {
        it if it.is_success() => Outcome::Sent,
        StatusCode::NOT_FOUND | StatusCode::GONE => Outcome::Gone,
        it if it.is_server_error() || it == StatusCode::TOO_MANY_REQUESTS => Outcome::Failed(retry_after),
        status => {
            tracing::warn!(%status, "a push service refused a push");
            Outcome::Refused
        }
    }
}

/// At most 32 letters that a base64 for addresses has (RFC 8030 §5.4). A reminder was asked for by itself: nothing newer
/// replaces it.
fn topic(letter: &Letter) -> String {
    let channel = letter.brief.channel_id.filter(|_| letter.brief.kind != "reminder");
    channel.map_or(letter.brief.notification_id, |id| id.0).simple().to_string()
}
