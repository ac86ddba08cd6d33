//! Invented people who talk: to look at a server that is alive, and to test with. From one seed come the same people,
//! channels, texts, threads, reactions and files; only ids and times differ.

mod picture;
mod plan;
mod store;
#[cfg(test)]
mod tests;
mod words;

use std::fmt;
use std::time::{Duration, Instant};

use confab_core::{Db, Fault, FutureExt as _, Result, imports};
use confab_protocol::UserId;
use serde::Serialize;

use crate::progress::Progress;
use crate::storage::Storage;

/// Everybody's password. It is no secret, so demo data has no place on a server that strangers reach.
pub const PASSWORD: &str = "confab-demo";
/// How far back the oldest message lies.
const SPAN: Duration = Duration::from_hours(30 * 24);
/// Whose rows these are in the table of imported things.
const SOURCE: &str = "demo";
/// What stands there for all that came from a seed.
const SEED: &str = "seed";

const USERS: usize = 5_000;
const CHANNELS: usize = 500;
const MESSAGES: usize = 1_000_000;

/// How much of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// People, 2 to 5,000. From 5 on the last one is a bot.
    pub users: usize,
    /// Channels, 1 to 500. Direct conversations come on top.
    pub channels: usize,
    /// Messages, at most 1,000,000.
    pub messages: usize,
    /// What everything is made from.
    pub seed: u64,
    /// Whether one can sign in as them, with [`PASSWORD`].
    pub can_sign_in: bool,
    /// Somebody who is there already, and is to be in all channels.
    pub beside: Option<UserId>,
}

impl Default for Options {
    fn default() -> Self {
        Self { users: 20, channels: 8, messages: 2_000, seed: 1, can_sign_in: true, beside: None }
    }
}

impl Options {
    fn check(&self) -> Result<()> {
        for (field, value, least, most) in [
            ("users", self.users, 2, USERS),
            ("channels", self.channels, 1, CHANNELS),
            ("messages", self.messages, 0, MESSAGES),
        ] {
            if !(least..=most).contains(&value) {
                return Err(Fault::invalid(field, format!("must be between {least} and {most}")));
            }
        }
        Ok(())
    }
}

/// What was made.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// What it was made from.
    pub seed: u64,
    /// People and bots.
    pub users: u64,
    /// Of those, bots.
    pub bots: u64,
    /// Channels, public and private.
    pub channels: u64,
    /// Direct and group conversations.
    pub direct_conversations: u64,
    /// Messages of all sorts.
    pub messages: u64,
    /// Of those, replies in threads.
    pub replies: u64,
    /// Threads.
    pub threads: u64,
    /// Reactions.
    pub reactions: u64,
    /// Files.
    pub files: u64,
    /// People with a presence.
    pub presences: u64,
    /// Someone to sign in as, where one can.
    pub username: String,
    /// Everybody's password; nobody's where one cannot sign in.
    pub password: &'static str,
    /// How long it took, in seconds.
    pub seconds: f64,
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "{} people ({} bots), {} channels, {} direct conversations",
            self.users, self.bots, self.channels, self.direct_conversations
        )?;
        writeln!(
            out,
            "{} messages ({} replies in {} threads), {} reactions, {} files, {} presences",
            self.messages, self.replies, self.threads, self.reactions, self.files, self.presences
        )?;
        writeln!(out, "Made from seed {} in {:.1} s.", self.seed, self.seconds)?;
        writeln!(out, "Sign in as {} with the password {}.", self.username, self.password)?;
        write!(out, "Everyone made here has this password: keep such a server to yourself.")
    }
}

/// Makes demo data.
///
/// # Errors
/// [`Fault::Invalid`] for too much or too little, [`Fault::Conflict`] with code `demo_exists` when this seed's data is
/// there.
pub async fn run(db: &Db, storage: &Storage, options: &Options, progress: &Progress) -> Result<Report> {
    options.check()?;
    let begun = Instant::now();
    // Before anything of it is here, so that of several at once one makes it.
    let seed = options.seed.to_string();
    let (of, id) = (seed.clone(), confab_protocol::fresh_id());
    let is_first =
        db.write(move |tx| async move { imports::claim(tx, SOURCE, SEED, &of, id).await }.boxed()).await?;
    if !is_first {
        return Err(Fault::conflict(
            "demo_exists",
            format!("demo data of seed {seed} is here already, whole or in part: name another seed"),
        ));
    }
    progress.begin("Messages", options.messages as u64);
    let mut report = Report { seed: options.seed, password: PASSWORD, ..Report::default() };
    store::all(db, storage, options, progress, &mut report).await?;
    progress.end();
    report.seconds = begun.elapsed().as_secs_f64();
    Ok(report)
}
