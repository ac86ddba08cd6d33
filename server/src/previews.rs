//! Link previews: what a linked page says of itself, fetched a moment after the message. Off unless an operator wants
//! them, since they make this server call addresses that people write.

mod page;

use std::sync::Arc;
use std::time::Duration;

use confab_core::{Fault, FutureExt, Result, log, messages};
use confab_protocol::{EventKind, LinkPreview, Message, MessageId};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::state::App;

/// Messages whose links are looked at at once. Above it messages stay without: a flood of links to slow pages must not
/// pile up here, nor turn this server against somebody.
const UNDER_WAY: usize = 16;
/// Between two looks at the log.
const APART: Duration = Duration::from_millis(50);
/// The only type that is read.
const KINDS: &[&str] = &["text/html"];

/// Follows the log from its present end and looks at the links of what is posted and edited, until `stop`.
pub async fn follow(app: App, stop: CancellationToken) -> Result<()> {
    let head = log::head(&mut app.db.read()).await?;
    let mut tail = app.bus.tail(&app.db, head).await.unhurried(APART);
    let places = Arc::new(Semaphore::new(UNDER_WAY));
    while let Some(events) = stop.run_until_cancelled(tail.next()).await {
        let mut ids: Vec<MessageId> = events
            .iter()
            // With a detail its text is the same, so its links are.
            .filter(|event| match event.kind {
                EventKind::NewMessage => true,
                EventKind::MessageUpdate => event.detail.is_none(),
                _ => false,
            })
            .map(|event| MessageId(event.ref_id))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        let found = match messages::unrendered(&app.db, &ids).await {
            Ok(found) => found,
            Err(fault) => {
                tracing::debug!(%fault, "messages stay without previews");
                continue;
            }
        };
        for message in found.into_iter().filter(|message| may_have_links(message)) {
            let Ok(place) = places.clone().try_acquire_owned() else { break };
            tokio::spawn(stop.clone().run_until_cancelled_owned(look(
                app.clone(),
                Arc::unwrap_or_clone(message),
                place,
            )));
        }
    }
    Ok(())
}

/// Most messages have none, and need no more than this.
fn may_have_links(message: &Message) -> bool {
    let content = message.content.to_ascii_lowercase();
    !message.is_bot && (content.contains("http") || content.contains("www."))
}

async fn look(app: App, message: Message, _place: OwnedSemaphorePermit) {
    if let Err(fault) = try_look(&app, message).await {
        tracing::debug!(%fault, "a message stays without previews");
    }
}

async fn try_look(app: &App, message: Message) -> Result<()> {
    let claimed = message.clone();
    let links =
        app.db.write(move |tx| async move { messages::claim_links(tx, &claimed).await }.boxed()).await?;
    let mut previews = Vec::new();
    for link in links {
        match app.egress.get(&link, KINDS).await {
            Ok(fetched) => previews.extend(page::preview(link, &fetched.body)),
            // Why is for the log: told to people it would map the server's network.
            Err(refusal) => tracing::debug!(message_id = %message.id, ?refusal, "a link has no preview"),
        }
    }
    if previews.is_empty() {
        return Ok(());
    }
    keep(app, message, previews).await
}

async fn keep(app: &App, message: Message, previews: Vec<LinkPreview>) -> Result<()> {
    let kept = app
        .db
        .write(move |tx| async move { messages::keep_previews(tx, &message, &previews).await }.boxed())
        .await;
    match kept {
        // The channel was deleted meanwhile.
        Err(Fault::NotFound(_)) => Ok(()),
        other => other.map(drop),
    }
}
