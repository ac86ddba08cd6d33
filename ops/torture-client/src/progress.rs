//! How far a run is: a bar on a terminal, a line for each fault anywhere.

use std::io::IsTerminal as _;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often a terminal is drawn, per second.
const DRAWS_PER_SECOND: u8 = 8;

/// See the module. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Progress {
    bar: ProgressBar,
    on_terminal: bool,
    started: Instant,
}

impl Progress {
    /// Of a run of so many messages.
    pub fn new(messages: u64) -> Self {
        let on_terminal = std::io::stderr().is_terminal();
        let target = if on_terminal {
            ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND)
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(messages), target);
        let template = "{msg:<14} {wide_bar} {human_pos}/{human_len} {per_sec:>12} {eta:>4} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar, on_terminal, started: Instant::now() }
    }

    /// Begins another part of the run.
    pub fn begin(&self, what: &'static str) {
        self.bar.set_message(what);
        self.bar.tick();
        if !self.on_terminal {
            eprintln!("{what}, {:.1} s after the start", self.started.elapsed().as_secs_f64());
        }
    }

    /// So many messages are acknowledged.
    pub fn at(&self, messages: u64) {
        self.bar.set_position(messages);
    }

    /// A line that stays.
    pub fn say(&self, line: &str) {
        if self.on_terminal {
            self.bar.println(line);
        } else {
            eprintln!("{line}");
        }
    }

    /// The bar goes.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}
