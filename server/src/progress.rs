//! How far a long command has come: a bar on a terminal, a line every few seconds in a log, or nothing.

use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Between two lines in a log.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// How often a terminal is drawn, per second: more would only cost.
const DRAWS_PER_SECOND: u8 = 8;

/// See the module. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Progress(Option<Arc<Shown>>);

struct Shown {
    bar: ProgressBar,
    /// `None`: the bar itself is visible.
    log: Option<Mutex<Log>>,
}

struct Log {
    what: String,
    last: Instant,
}

impl Progress {
    /// A bar on standard error when it is a terminal; otherwise lines in the log.
    #[must_use]
    pub fn visible() -> Self {
        let on_terminal = std::io::stderr().is_terminal();
        let target = if on_terminal {
            ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND)
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        let log = (!on_terminal).then(|| Mutex::new(Log { what: String::new(), last: Instant::now() }));
        Self(Some(Arc::new(Shown { bar, log })))
    }

    /// Says nothing: for `--json` and for tests.
    #[must_use]
    pub fn hidden() -> Self {
        Self(None)
    }

    /// Says nothing by itself: whoever wants to know asks with [`Progress::state`].
    #[must_use]
    pub fn watched() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        Self(Some(Arc::new(Shown { bar, log: None })))
    }

    /// The part of the work that was begun last, its steps that are done, and all of them. Nothing for one that is hidden.
    #[must_use]
    pub fn state(&self) -> Option<(String, u64, u64)> {
        let bar = &self.0.as_ref()?.bar;
        Some((bar.message(), bar.position(), bar.length().unwrap_or_default()))
    }

    /// Begins a part of the work, of `total` steps.
    pub fn begin(&self, what: &str, total: u64) {
        let Some(shown) = &self.0 else { return };
        if let Ok(style) = ProgressStyle::with_template(
            "{msg:<12} {wide_bar} {human_pos}/{human_len} {per_sec:>12} {eta:>4} left",
        ) {
            shown.bar.set_style(style);
        }
        shown.bar.reset();
        shown.bar.set_length(total);
        shown.bar.set_message(what.to_owned());
        if let Some(log) = &shown.log {
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            what.clone_into(&mut log.what);
            log.last = Instant::now();
        }
    }

    /// Some steps are done.
    pub fn add(&self, steps: u64) {
        let Some(shown) = &self.0 else { return };
        shown.bar.inc(steps);
        let Some(log) = &shown.log else { return };
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        if log.last.elapsed() >= LINE_EVERY {
            log.last = Instant::now();
            let (done, total) = (shown.bar.position(), shown.bar.length().unwrap_or_default());
            let left_seconds = shown.bar.eta().as_secs();
            tracing::info!(
                done,
                total,
                left_seconds,
                "{}: {done} of {total}, {left_seconds} s left",
                log.what
            );
        }
    }

    /// Takes the bar away, so that a report stands alone.
    pub fn end(&self) {
        if let Some(shown) = &self.0 {
            shown.bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Progress;

    #[test]
    fn it_counts_on_a_terminal_and_off_it() {
        for progress in [Progress::visible(), Progress::hidden()] {
            progress.begin("Messages", 10);
            progress.add(4);
            progress.clone().add(6);
            if let Some(shown) = &progress.0 {
                assert_eq!((shown.bar.position(), shown.bar.length()), (10, Some(10)));
            }
            progress.begin("People", 3);
            if let Some(shown) = &progress.0 {
                assert_eq!(shown.bar.position(), 0);
            }
            progress.end();
        }
        let watched = Progress::watched();
        watched.begin("Messages", 10);
        watched.add(4);
        assert_eq!(watched.state(), Some(("Messages".into(), 4, 10)));
    }
}
