//! `confab plugin logs`: read beside the server, which may be running, and with `-f` until somebody interrupts it or reads no more.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::time::Duration;

use confab_core::db::{self, Db};
use confab_core::plugins::logs::{self, Line};
use confab_core::{Fault, Result, Settings, plugins};
use confab_worker::startup;
use rustix::event::{PollFd, PollFlags, Timespec};
use serde_json::json;
use uuid::Uuid;

use super::super::{Common, worded};

/// Between two looks for new lines.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Lines shown at first.
const LINES: u32 = 50;
/// Lines read at once.
const PART: u32 = 200;
/// Several workers write down lines, each a while after they were said: one may come to stand before one that was shown.
const LATE_MS: u128 = 10_000;

/// Shows the newest lines and, with `follows`, what comes.
///
/// # Errors
/// [`Fault::NotFound`] for a plugin that is not there, or not any more; those of the record.
pub async fn run(id: &str, follows: bool, common: &Common, settings: &Settings) -> Result<()> {
    let stop = startup::stop_on_signal()?;
    let db = db::open_to_read(settings).await?;
    let shown = tokio::select! {
        () = stop.cancelled() => Ok(()),
        shown = show(&db, id, follows, common) => shown,
    };
    db.close().await;
    shown
}

async fn show(db: &Db, id: &str, follows: bool, common: &Common) -> Result<()> {
    plugins::find(&mut db.read(), id).await?;
    let (mut log, mut lines) = Log::begin(db, id).await?;
    loop {
        for line in &lines {
            if !write(line, common)? {
                return Ok(());
            }
        }
        if !follows || !is_read() {
            return Ok(());
        }
        tokio::time::sleep(LOOK_AGAIN).await;
        lines = match log.more(db).await {
            Err(fault) if fault.is_retryable() => Vec::new(),
            more => more?,
        };
    }
}

/// What was shown of a plugin's log.
struct Log<'l> {
    id: &'l str,
    /// What stands before it was there at the beginning, and was not asked for.
    begin: Uuid,
    /// Lines that a look finds again.
    seen: BTreeSet<Uuid>,
}

impl<'l> Log<'l> {
    /// The newest lines, in order.
    async fn begin(db: &Db, id: &'l str) -> Result<(Self, Vec<Line>)> {
        let mut lines = logs::page(&mut db.read(), id, None, LINES).await?;
        lines.reverse();
        let seen = lines.iter().map(|line| line.id).collect();
        let begin = lines.first().map_or(Uuid::nil(), |line| line.id);
        Ok((Self { id, begin, seen }, lines))
    }

    /// Those that came since, each once. The log keeps so many lines of a plugin that one look has an end.
    async fn more(&mut self, db: &Db) -> Result<Vec<Line>> {
        plugins::find(&mut db.read(), self.id).await?;
        let from = self.seen.last().map_or(Uuid::nil(), |newest| some_time_before(*newest)).max(self.begin);
        let (mut after, mut new) = (from, Vec::new());
        loop {
            let page = logs::after(&mut db.read(), self.id, after, PART).await?;
            let is_last = page.len() < PART as usize;
            after = page.last().map_or(after, |line| line.id);
            new.extend(page.into_iter().filter(|line| self.seen.insert(line.id)));
            if is_last || new.len() >= logs::LINES as usize {
                break;
            }
        }
        self.seen = self.seen.split_off(&from);
        Ok(new)
    }
}

/// The first id of a moment before this one: the upper 48 bits of an id are its time in milliseconds.
fn some_time_before(id: Uuid) -> Uuid {
    Uuid::from_u128((id.as_u128() >> 80).saturating_sub(LATE_MS) << 80)
}

/// Whether somebody still reads.
fn write(line: &Line, common: &Common) -> Result<bool> {
    let shown = json!({ "level": line.level, "content": line.content, "created_at": line.created_at });
    let mut out = io::stdout().lock();
    let written = writeln!(out, "{}", worded(common, &shown, || told(line))).and_then(|()| out.flush());
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Fault::internal(error)),
    }
}

fn told(line: &Line) -> String {
    let at = serde_json::to_value(confab_protocol::Timestamp(line.created_at)).unwrap_or_default();
    format!("{} {:5} {}", at.as_str().unwrap_or_default(), line.level, line.content)
}

/// Whether standard output leads somewhere still: a plugin that says nothing would keep this running behind `| head` for ever.
fn is_read() -> bool {
    let out = io::stdout();
    let mut watched = [PollFd::new(&out, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    match rustix::event::poll(&mut watched, Some(&now)) {
        Ok(_) => !watched[0].revents().intersects(PollFlags::ERR | PollFlags::HUP),
        // What cannot be asked is found out by writing.
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_begins_some_time_before_the_newest_line() {
        let newest = confab_protocol::fresh_id();
        let from = some_time_before(newest);
        assert!(from < newest);
        assert_eq!((newest.as_u128() >> 80) - (from.as_u128() >> 80), LATE_MS);
        assert_eq!(some_time_before(Uuid::nil()), Uuid::nil());
    }
}
