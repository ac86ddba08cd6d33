//! A Slack export's people, channels, messages, threads and reactions.
//!
//! In reading order: [`archive`] is the zip, [`shapes`] what its files hold, [`survey`] the first look that writes
//! nothing; then [`people`], [`places`], and [`history`] with [`reading`], [`content`] in our
//! [`markup`], and [`reactions`]; [`report`] says what came and what did not.
//!
//! Every row goes in together with its Slack id. So a second run adds nothing, and a run that was killed anywhere is
//! taken up again by running it again.

mod archive;
mod content;
mod history;
mod markup;
mod people;
mod places;
mod reactions;
mod reading;
mod report;
mod shapes;
mod survey;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use confab_core::{Db, Fault, Result};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

pub(crate) use markup::markdown_of;
pub use report::Report;

use crate::progress::Progress;
use archive::Archive;
use markup::Texts;
use people::People;
use places::Place;
use survey::Survey;

/// Whose ids these are in the table of imported things.
const SOURCE: &str = "slack";
/// The file by which an export of ours is known: its texts are Markdown.
pub(crate) const OURS: &str = "confab.json";
/// Rows of one transaction.
pub const BATCH: usize = 500;
/// Conversations at once: while one is being committed another is being translated. Within one, order is kept.
const AT_ONCE: usize = 3;

/// What to do.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Read everything and say what would be done, but write nothing.
    pub dry_run: bool,
    /// Leave private channels and conversations alone that an earlier run finished: who sends the archive may have written themselves into
    /// it, and unlike an operator may not read everything.
    pub closed_stay: bool,
}

/// What all conversations need.
struct Shared {
    db: Db,
    archive: Arc<Archive>,
    people: People,
    /// Names of channels by Slack id, as they are here.
    channel_names: HashMap<String, String>,
    texts: Texts,
    is_dry: bool,
    closed_stay: bool,
    batch: usize,
    progress: Progress,
}

/// An archive that was looked through.
pub struct Looked {
    archive: Arc<Archive>,
    survey: Survey,
    report: Report,
}

#[cfg(test)]
/// Imports an export.
///
/// # Errors
/// [`Fault::Invalid`] in `zip`, before anything is written, for what is no export or is damaged; the record's own
/// otherwise. Whatever was written before a failure stays, and the next run goes on from there.
pub async fn run(db: &Db, zip: &Path, options: Options, progress: &Progress) -> Result<Report> {
    run_in_batches(db, zip, options, progress, BATCH).await
}

#[cfg(test)]
async fn run_in_batches(
    db: &Db,
    zip: &Path,
    options: Options,
    progress: &Progress,
    batch: usize,
) -> Result<Report> {
    bring(db, look(zip, options, progress).await?, options, progress, batch).await
}

/// Brings in what was looked through.
///
/// # Errors
/// Those of the record; whatever was written before stays, and the next run goes on from there.
pub async fn bring(
    db: &Db,
    looked: Looked,
    options: Options,
    progress: &Progress,
    batch: usize,
) -> Result<Report> {
    let begun = Instant::now();
    let Looked { archive, survey, mut report } = looked;
    let Survey { users, strangers, conversations, messages, texts } = survey;
    (report.messages.found, report.has_markup) = (messages, texts != Texts::Plain);
    let people = people::bring(db, users, strangers, &mut report, progress).await?;
    let places = places::open(db, conversations, &people, &mut report).await?;
    let channel_names =
        places.iter().map(|it| (it.conversation.slack_id.clone(), it.conversation.name.clone())).collect();
    let shared = Shared {
        db: db.clone(),
        archive,
        people,
        channel_names,
        texts,
        is_dry: options.dry_run,
        closed_stay: options.closed_stay,
        batch,
        progress: progress.clone(),
    };
    progress.begin("Messages", messages);
    let shared = &shared;
    let mut parts =
        stream::iter(places).map(|place| async move { one(shared, &place).await }).buffer_unordered(AT_ONCE);
    while let Some(part) = parts.try_next().await? {
        report.add(part);
    }
    progress.end();
    report.seconds = begun.elapsed().as_secs_f64();
    report.messages_per_second = messages as f64 / report.seconds.max(0.001);
    Ok(report)
}

/// The first look, on a thread where it may take its time. Nothing is written.
///
/// # Errors
/// [`Fault::Invalid`] in `zip` for what is no export or is damaged.
pub async fn look(zip: &Path, options: Options, progress: &Progress) -> Result<Looked> {
    let (zip, progress) = (zip.to_owned(), progress.clone());
    tokio::task::spawn_blocking(move || {
        let archive = Archive::open(&zip)?;
        let mut report = Report { dry_run: options.dry_run, ..Report::default() };
        let survey = survey::survey(&archive, &mut report, &progress)?;
        archive.read_again();
        Ok(Looked { archive: Arc::new(archive), survey, report })
    })
    .await
    .map_err(Fault::internal)?
}

/// One conversation: its messages, then its members; at last a mark that it is complete.
async fn one(shared: &Shared, place: &Place) -> Result<Report> {
    if shared.closed_stay && places::is_closed_and_complete(&shared.db, place).await? {
        let mut tally = Report::default();
        tally.leave_out("private conversations that came before", || place.conversation.slack_id.clone());
        return Ok(tally);
    }
    let mut tally = match history::bring(shared, place).await {
        // Somebody deleted the channel since an earlier run: that is a decision, not a fault.
        Err(Fault::NotFound("channel")) if !place.is_new => {
            let mut tally = Report::default();
            let name = &place.conversation.name;
            tally.notes.push(format!("channel {name} was left out: it has been deleted here"));
            return Ok(tally);
        }
        done => done?,
    };
    tally.channels.memberships = match places::let_in(&shared.db, place, &shared.people, shared.is_dry).await
    {
        Err(Fault::NotFound("channel")) => 0,
        done => done?,
    };
    if !shared.is_dry {
        places::mark_read(&shared.db, place, &shared.people).await?;
    }
    Ok(tally)
}
