//! Mails what was not read, to those who wish it.

use std::fmt::Write as _;

use confab_core::digests::{self, Due, Mail};
use confab_core::notifications::Brief;
use confab_core::{Fault, FutureExt, Result};
use tokio_util::sync::CancellationToken;

use crate::errands::Rounds;
use crate::state::App;

/// Sends what is due until `stop`.
pub async fn send_all(app: App, stop: CancellationToken) {
    let mut rounds = Rounds::new(&app.db);
    while stop.run_until_cancelled(rounds.next()).await.is_some() {
        if let Err(fault) = send_due(&app, &stop).await {
            tracing::warn!(%fault, "mails of what is unread wait a moment");
        }
    }
}

/// One after the other: the mail server sets the pace, and a slow one is asked for no more at once.
async fn send_due(app: &App, stop: &CancellationToken) -> Result<()> {
    while !stop.is_cancelled() && digests::has_due(&mut app.db.read()).await? {
        let Some(due) = app.db.write(|tx| digests::claim(tx).boxed()).await? else { return Ok(()) };
        send(app, due).await?;
    }
    Ok(())
}

async fn send(app: &App, due: Due) -> Result<()> {
    let age = app.settings.digest_after;
    let mail = digests::mail(&mut app.db.read(), &due, age).await?;
    if let (Some(mail), Some(mailer)) = (mail.as_ref().filter(|it| !it.briefs.is_empty()), &app.mail) {
        let count = mail.briefs.len() + mail.more;
        let subject = if count == 1 { "1 unread message".into() } else { format!("{count} unread messages") };
        match mailer.send(&mail.address, &subject, text(app.public_url(), mail)).await {
            // An address that no mail can go to is not tried every few minutes.
            Ok(()) | Err(Fault::Invalid { .. }) => {}
            Err(fault) => {
                tracing::debug!(%fault, "a mail of what is unread is tried again later");
                return app.db.write(move |tx| async move { digests::failed(tx, &due).await }.boxed()).await;
            }
        }
    }
    app.db.write(move |tx| async move { digests::done(tx, &due, mail.as_ref()).await }.boxed()).await
}

fn text(server: &str, mail: &Mail) -> String {
    let mut text = format!("Hello {},\n\nthis was written for you and is not read yet:\n", mail.username);
    for brief in &mail.briefs {
        // Writing to a text does not fail.
        let _ = write!(text, "\n{}: {}\n{server}{}\n", heading(brief), brief.text, brief.url);
    }
    if mail.more > 0 {
        let _ = write!(text, "\nAnd {} more: {server}\n", mail.more);
    }
    let _ = write!(
        text,
        "\n-- \nYou get this mail since you chose it at {server}. No more of them: {server}/preferences/notifications\n"
    );
    text
}

fn heading(brief: &Brief) -> String {
    let sender = &brief.sender;
    match (brief.kind.as_str(), brief.channel_name.as_str()) {
        ("reminder", _) => "You asked to be reminded".to_owned(),
        (_, "") => format!("{sender} to you"),
        ("mention", channel) => format!("{sender} mentioned you in #{channel}"),
        ("thread_reply", channel) => format!("{sender} answered in a thread in #{channel}"),
        (_, channel) => format!("{sender} in #{channel}"),
    }
}
