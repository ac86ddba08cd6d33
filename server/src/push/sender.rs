//! Sends what is queued: a few at once, each within its time, tried again where the push service asks for it.

use std::sync::Arc;
use std::time::Duration;

use confab_core::push::{self, ATTEMPTS, Due, Letter};
use confab_core::{Fault, FutureExt, Result};
use futures_util::StreamExt;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use tokio_util::sync::CancellationToken;

use super::address::{self, Guard};
use super::{Pusher, sealed};
use crate::errands::Rounds;
use crate::state::App;

/// Sent at once.
const UNDER_WAY: usize = 8;
/// A push service that takes longer has failed. Two rounds of this fit into the time for which a row is held.
const WITHIN: Duration = Duration::from_secs(10);
/// How long a service keeps what it cannot deliver.
const KEPT_SECONDS: u32 = 24 * 3_600;
/// Before each further try.
const WAITS: [u64; 7] = [2, 10, 60, 300, 900, 1_800, 3_600];
/// A service may ask for more, up to this.
const LONGEST_WAIT: u64 = 3_600;

/// The client for it. Redirects and proxies would lead past the check of addresses.
pub(super) fn client(allows_loopback: bool) -> Result<Client> {
    let builder = || {
        Client::builder()
            .user_agent(concat!("confab/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .no_proxy()
            .dns_resolver(Arc::new(Guard { allows_loopback }))
            .https_only(!allows_loopback)
            .timeout(WITHIN)
    };
    // A machine that trusts no authority reaches no push service, and serves people all the same.
    builder().build().or_else(|_| builder().tls_certs_only([]).build()).map_err(Fault::internal)
}

enum Outcome {
    Sent,
    /// Tried again, if it was not tried too often.
    Failed(Option<Duration>),
    /// The browser is known no more.
    Gone,
    /// It will never be taken.
    Refused,
}

/// Sends what is due until `stop`.
pub async fn send_all(app: App, stop: CancellationToken) {
    let mut rounds = Rounds::new(&app.db);
    while stop.run_until_cancelled(rounds.next()).await.is_some() {
        if let Err(fault) = send_due(&app, &stop).await {
            tracing::debug!(%fault, "what is to be pushed waits a moment");
        }
    }
}

async fn send_due(app: &App, stop: &CancellationToken) -> Result<()> {
    while !stop.is_cancelled() && push::has_due(&mut app.db.read()).await? {
        let due = app.db.write(|tx| push::claim(tx).boxed()).await?;
        if due.is_empty() {
            // Another server took them.
            return Ok(());
        }
        futures_util::stream::iter(due)
            .for_each_concurrent(UNDER_WAY, |due| async move {
                if let Err(fault) = settle(app, due).await {
                    tracing::debug!(%fault, "a push is sent again when its time is over");
                }
            })
            .await;
    }
    Ok(())
}

async fn settle(app: &App, due: Due) -> Result<()> {
    let outcome = match push::letter(&mut app.db.read(), &due).await? {
        Some(letter) => deliver(&app.push, &letter).await,
        None => Outcome::Refused,
    };
    let db = &app.db;
    match outcome {
        Outcome::Sent => db.write(move |tx| async move { push::done(tx, &due, true).await }.boxed()).await,
        Outcome::Failed(asked) if due.attempts < ATTEMPTS => {
            let at = usize::try_from(due.attempts - 1).unwrap_or_default().min(WAITS.len() - 1);
            let wait = asked.unwrap_or(Duration::from_secs(WAITS[at]));
            db.write(move |tx| async move { push::later(tx, &due, wait).await }.boxed()).await
        }
        Outcome::Gone => {
            let browser = due.subscription_id;
            db.write(move |tx| async move { push::gone(tx, browser).await }.boxed()).await
        }
        Outcome::Refused | Outcome::Failed(_) => {
            db.write(move |tx| async move { push::done(tx, &due, false).await }.boxed()).await
        }
    }
}

async fn deliver(pusher: &Pusher, letter: &Letter) -> Outcome {
    // Checked when it was noted too; the rule, or the setting, may have changed since.
    let Some(url) = address::admitted(&letter.endpoint, pusher.allows_loopback) else {
        return Outcome::Refused;
    };
    let prepared = sealed(letter).and_then(|body| Ok((body, pusher.signature(&url)?)));
    let (body, signature) = match prepared {
        Ok(prepared) => prepared,
        Err(fault) => {
            tracing::warn!(%fault, "a push cannot be made");
            return Outcome::Refused;
        }
    };
    let is_urgent = matches!(letter.brief.kind.as_str(), "mention" | "direct_message" | "reminder");
    let request = pusher
        .client
        .post(url)
        .header("ttl", KEPT_SECONDS.to_string())
        .header("urgency", if is_urgent { "high" } else { "normal" })
        // What a closed browser did not get yet is replaced by the newer of the same channel.
        .header("topic", topic(letter))
        .header(CONTENT_ENCODING, "aes128gcm")
        .header(CONTENT_TYPE, "application/octet-stream")
        .header(AUTHORIZATION, signature)
        .body(body);
    let outcome = match request.send().await {
        Ok(answer) => {
            let asked = answer.headers().get(RETRY_AFTER).and_then(|it| it.to_str().ok()?.parse().ok());
            of_status(answer.status(), asked)
        }
        Err(error) => {
            // Without the address: it is a secret of the browser's.
            tracing::debug!(error = %error.without_url(), "a push service was not reached");
            Outcome::Failed(None)
        }
    };
    let word = match outcome {
        Outcome::Sent => "sent",
        Outcome::Failed(_) => "failed",
        Outcome::Gone => "gone",
        Outcome::Refused => "refused",
    };
    metrics::counter!("confab_pushes_total", "outcome" => word).increment(1);
    outcome
}

fn of_status(status: StatusCode, asked_seconds: Option<u64>) -> Outcome {
    match status {
        it if it.is_success() => Outcome::Sent,
        StatusCode::NOT_FOUND | StatusCode::GONE => Outcome::Gone,
        it if it.is_server_error() || it == StatusCode::TOO_MANY_REQUESTS => {
            Outcome::Failed(asked_seconds.map(|it| Duration::from_secs(it.min(LONGEST_WAIT))))
        }
        status => {
            tracing::warn!(%status, "a push service refused a push");
            Outcome::Refused
        }
    }
}

/// At most 32 letters that a base64 for addresses has (RFC 8030 §5.4).
fn topic(letter: &Letter) -> String {
    letter.brief.channel_id.map_or(letter.brief.notification_id, |id| id.0).simple().to_string()
}
