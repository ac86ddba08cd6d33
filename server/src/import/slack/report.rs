//! What an import did or would do, and everything that did not come over as it was.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// Examples kept of each thing that was left out.
const EXAMPLES: usize = 5;
/// Of an example, in characters: an archive may hold names of any length.
const EXAMPLE_CHARACTERS: usize = 200;
/// Renamed people and channels, and notes, that are told over HTTP.
const MOST_LISTED: usize = 500;
/// Changed names shown in the text; `--json` has all.
const RENAMED_SHOWN: usize = 20;
/// Different unknown reactions kept apart; above it they are counted together.
const REACTION_NAMES: usize = 1_000;

/// See the module. The text form is for people, the serialised form for programs.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Nothing was written.
    pub dry_run: bool,
    /// People and bots.
    pub people: People,
    /// Conversations of all kinds.
    pub channels: Channels,
    /// Messages.
    pub messages: Messages,
    /// Threads with at least one reply.
    pub threads: Threads,
    /// Reactions.
    pub reactions: Reactions,
    /// What was left out, by reason.
    pub left_out: BTreeMap<&'static str, LeftOut>,
    /// Names that could not stay as they were.
    pub renamed: Vec<Renamed>,
    /// Whether texts were read as Slack's markup or, from another origin, as plain text.
    pub has_markup: bool,
    /// What else there is to know.
    pub notes: Vec<String>,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Messages a second, those already known too.
    pub messages_per_second: f64,
}

/// People and bots.
#[derive(Clone, Debug, Default, Serialize)]
pub struct People {
    /// Accounts made, of every sort.
    pub new: u64,
    /// Brought in by an earlier run.
    pub known: u64,
    /// Had an account here already, by e-mail address.
    pub matched: u64,
    /// Of the new: people without an e-mail address. They keep their messages and cannot sign in.
    pub placeholders: u64,
    /// Of the new: bots.
    pub bots: u64,
    /// Of the new: deactivated in Slack, and so here.
    pub deactivated: u64,
    /// E-mail addresses that were dropped because someone has them or they are none.
    pub emails_dropped: u64,
}

/// Conversations of all kinds.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Channels {
    /// Made.
    pub new: u64,
    /// Brought in by an earlier run.
    pub known: u64,
    /// Of the new: archived.
    pub archived: u64,
    /// Memberships made, beside those of direct conversations.
    pub memberships: u64,
}

/// Messages.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Messages {
    /// In the export.
    pub found: u64,
    /// Brought in.
    pub imported: u64,
    /// Brought in by an earlier run.
    pub known: u64,
    /// Of the imported: replies in a thread.
    pub replies: u64,
    /// Of the imported: replies whose thread is not in the export; they are messages of the channel now.
    pub orphans: u64,
    /// Of the imported: longer than a message may be, so that each became several.
    pub split: u64,
    /// How many messages more there are because of that.
    pub split_parts: u64,
    /// Of the imported: texts that read differently now (mentions, links, entities, bold, joins and leaves by name).
    pub changed: u64,
    /// Of the imported: without any text; they say `[no text]` now.
    pub without_text: u64,
    /// Of the imported: second messages of the same time in the same channel. Both were kept.
    pub same_time: u64,
    /// Of the imported: edited in Slack. The newest text was kept, the mark was not.
    pub edited: u64,
    /// Files named in texts; their bytes are not in an export.
    pub files_named: u64,
    /// Mentions above the most that a message may have: the names stay in the text, nobody is told.
    pub mentions_dropped: u64,
    /// NUL characters and halves of characters that were removed.
    pub characters_removed: u64,
}

/// Threads with at least one reply.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Threads {
    /// Their first message came with this run.
    pub new: u64,
    /// It came with an earlier one.
    pub known: u64,
}

/// Reactions.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Reactions {
    /// Brought in.
    pub imported: u64,
    /// Not an emoji and not a reaction of this server, by name.
    pub unknown: BTreeMap<String, u64>,
}

/// Something left out for one reason.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LeftOut {
    /// How often.
    pub count: u64,
    /// Where, a few times.
    pub examples: Vec<String>,
}

/// A name that could not stay.
#[derive(Clone, Debug, Serialize)]
pub struct Renamed {
    /// `person` or `channel`.
    pub kind: &'static str,
    /// Slack's id.
    pub slack_id: String,
    /// The name in Slack.
    pub from: String,
    /// The name here.
    pub to: String,
    /// Why.
    pub reason: &'static str,
}

impl Report {
    /// No longer than it can be kept and shown: names in it are as long as an archive has them, and as many.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        let cut = |text: &mut String| *text = text.chars().take(EXAMPLE_CHARACTERS).collect();
        self.renamed.truncate(MOST_LISTED);
        self.notes.truncate(MOST_LISTED);
        self.renamed.iter_mut().for_each(|it| cut(&mut it.from));
        self.notes.iter_mut().for_each(cut);
        self
    }

    /// Notes that something was left out.
    pub(super) fn leave_out(&mut self, reason: &'static str, example: impl FnOnce() -> String) {
        let kept = self.left_out.entry(reason).or_default();
        kept.count += 1;
        if kept.examples.len() < EXAMPLES {
            kept.examples.push(example().chars().take(EXAMPLE_CHARACTERS).collect());
        }
    }

    /// Notes a reaction that nobody here knows.
    pub(super) fn unknown_reaction(&mut self, name: &str, count: u64) {
        let unknown = &mut self.reactions.unknown;
        let name =
            if unknown.len() < REACTION_NAMES || unknown.contains_key(name) { name } else { "(others)" };
        *unknown.entry(name.to_owned()).or_default() += count;
    }

    /// Adds what happened in one conversation.
    pub(super) fn add(&mut self, other: Report) {
        let (all, new) = (&mut self.messages, other.messages);
        for (sum, part) in [
            (&mut all.imported, new.imported),
            (&mut all.known, new.known),
            (&mut all.replies, new.replies),
            (&mut all.orphans, new.orphans),
            (&mut all.split, new.split),
            (&mut all.split_parts, new.split_parts),
            (&mut all.changed, new.changed),
            (&mut all.without_text, new.without_text),
            (&mut all.same_time, new.same_time),
            (&mut all.edited, new.edited),
            (&mut all.files_named, new.files_named),
            (&mut all.mentions_dropped, new.mentions_dropped),
            (&mut all.characters_removed, new.characters_removed),
            (&mut self.channels.memberships, other.channels.memberships),
            (&mut self.threads.new, other.threads.new),
            (&mut self.threads.known, other.threads.known),
            (&mut self.reactions.imported, other.reactions.imported),
        ] {
            *sum += part;
        }
        for (name, count) in other.reactions.unknown {
            self.unknown_reaction(&name, count);
        }
        for (reason, part) in other.left_out {
            let kept = self.left_out.entry(reason).or_default();
            kept.count += part.count;
            let room = EXAMPLES.saturating_sub(kept.examples.len());
            kept.examples.extend(part.examples.into_iter().take(room));
        }
        self.notes.extend(other.notes);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (people, channels, messages) = (&self.people, &self.channels, &self.messages);
        if self.dry_run {
            writeln!(out, "A dry run: nothing was written. This is what an import would do.")?;
        }
        writeln!(
            out,
            "People    {} new ({} placeholders without e-mail, {} bots, {} deactivated), {} matched by e-mail, {} known",
            people.new, people.placeholders, people.bots, people.deactivated, people.matched, people.known
        )?;
        writeln!(
            out,
            "Channels  {} new ({} archived), {} known, {} memberships",
            channels.new, channels.archived, channels.known, channels.memberships
        )?;
        writeln!(
            out,
            "Messages  {} imported of {}, {} known, {} replies",
            messages.imported, messages.found, messages.known, messages.replies
        )?;
        writeln!(out, "Threads   {} new, {} known", self.threads.new, self.threads.known)?;
        writeln!(out, "Reactions {} imported", self.reactions.imported)?;
        writeln!(out, "Time      {:.1} s, {:.0} messages/s", self.seconds, self.messages_per_second)?;
        self.write_changes(out)?;
        self.write_left_out(out)
    }
}

impl Report {
    fn write_changes(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let messages = &self.messages;
        if !self.has_markup {
            writeln!(out, "Texts are not in Slack's markup: only mentions in them were translated.")?;
        }
        for (count, what) in [
            (messages.changed, "texts read differently now (mentions, links, entities, bold)"),
            (messages.without_text, "messages had no text and say [no text]"),
            (messages.split, "messages were too long and became several"),
            (messages.orphans, "replies had no thread in the export and are messages of the channel"),
            (messages.same_time, "messages had the same time as another in their channel; both were kept"),
            (messages.edited, "messages were edited in Slack; the newest text was kept, without the mark"),
            (messages.files_named, "files are named in texts; their bytes are not in an export"),
            (messages.mentions_dropped, "mentions were too many for one message; the names stay in the text"),
            (messages.characters_removed, "characters that no text can hold were removed"),
            (self.people.emails_dropped, "e-mail addresses were dropped: taken, or no address"),
        ] {
            if count > 0 {
                writeln!(out, "  {count} {what}")?;
            }
        }
        if !self.renamed.is_empty() {
            writeln!(out, "{} names were changed:", self.renamed.len())?;
            for renamed in self.renamed.iter().take(RENAMED_SHOWN) {
                let Renamed { kind, slack_id, from, to, reason } = renamed;
                writeln!(out, "  {kind} {slack_id}: {from:?} is {to:?} ({reason})")?;
            }
            if self.renamed.len() > RENAMED_SHOWN {
                writeln!(out, "  and {} more; --json lists all", self.renamed.len() - RENAMED_SHOWN)?;
            }
        }
        Ok(())
    }

    fn write_left_out(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (reason, left) in &self.left_out {
            writeln!(out, "Left out: {} {reason} ({})", left.count, left.examples.join(", "))?;
        }
        if !self.reactions.unknown.is_empty() {
            let total: u64 = self.reactions.unknown.values().sum();
            let names: Vec<&str> =
                self.reactions.unknown.keys().take(RENAMED_SHOWN).map(String::as_str).collect();
            writeln!(
                out,
                "Left out: {total} reactions that this server does not have ({})",
                names.join(", ")
            )?;
        }
        for note in &self.notes {
            writeln!(out, "Note: {note}")?;
        }
        Ok(())
    }
}
