//! An incident: what happened when, and what it looks like.

use confab_plugin_sdk::prelude::*;
use serde::{Deserialize, Serialize};

/// Entries of a timeline, and characters of each: all of it is one value of the plugin's storage.
const MOST_ENTRIES: usize = 100;
const ENTRY_CHARACTERS: usize = 200;
const SLUG_LETTERS: usize = 40;
/// Of what is said of an incident, and of a whole summary: a message holds 16,000.
const SAID_CHARACTERS: usize = 6_000;
const SUMMARY_CHARACTERS: usize = 15_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    at: u64,
    by: String,
    text: String,
    /// The message that it quotes.
    of: Option<String>,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Counted from one.
    pub number: i64,
    title: String,
    channel_name: String,
    opened_by: String,
    opened: u64,
    taken_by: Option<String>,
    /// When it ended.
    pub closed: Option<u64>,
    /// The card in its channel.
    pub message: String,
    entries: Vec<Entry>,
}

impl Incident {
    /// One that has just begun.
    pub fn new(number: i64, title: String, channel_name: String, opened_by: String, now: u64) -> Self {
        let mut incident = Self {
            number,
            title,
            channel_name,
            opened_by: opened_by.clone(),
            opened: now,
            taken_by: None,
            closed: None,
            message: String::new(),
            entries: Vec::new(),
        };
        incident.note(now, &opened_by, "opened the incident");
        incident
    }

    /// Notes what happened.
    pub fn note(&mut self, at: u64, by: &str, text: &str) {
        self.put(at, by, text, None);
    }

    /// Notes what somebody said, at the time when they did; the same message once.
    pub fn quote(&mut self, at: u64, by: &str, text: &str, message: &str) {
        if !self.entries.iter().any(|it| it.of.as_deref() == Some(message)) {
            self.put(at, by, &format!("“{}”", text.trim()), Some(message.to_owned()));
        }
    }

    fn put(&mut self, at: u64, by: &str, text: &str, of: Option<String>) {
        if self.entries.len() >= MOST_ENTRIES {
            return;
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        // Nobody is called by what is only told again.
        let text: String = words.join(" ").replace('@', "@\u{200b}").chars().take(ENTRY_CHARACTERS).collect();
        self.entries.push(Entry { at, by: by.to_owned(), text, of });
        self.entries.sort_by_key(|it| it.at);
    }

    /// Somebody takes it on.
    pub fn take(&mut self, now: u64, by: &str) {
        if self.taken_by.as_deref() != Some(by) {
            self.taken_by = Some(by.to_owned());
            self.note(now, by, "took it on");
        }
    }

    /// Ends it.
    pub fn close(&mut self, now: u64, by: &str, how: &str) {
        let text = if how.is_empty() {
            "closed the incident".to_owned()
        } else {
            format!("closed the incident: {how}")
        };
        if self.entries.len() >= MOST_ENTRIES {
            self.entries.pop();
        }
        self.note(now, by, &text);
        self.closed = Some(now);
    }

    /// As it stands on top of its channel.
    pub fn card(&self, channel: &str) -> Draft {
        let state = match (&self.closed, &self.taken_by) {
            (Some(_), _) => "✅ closed".to_owned(),
            (None, Some(by)) => format!("🚨 open, {by} is on it"),
            (None, None) => "🚨 open, nobody is on it yet".to_owned(),
        };
        let text = format!(
            "### Incident {}: {}\n\n{state}. Opened by {} at {}.\n\n`/incident note …` or the reaction 📝 \
             (`:timeline:`) put something into the timeline.",
            self.number,
            self.title,
            self.opened_by,
            clock(self.opened)
        );
        let draft = Draft::text(text);
        if self.closed.is_some() {
            return draft.button(Button::new("summary", channel, "Summary"));
        }
        draft
            .button(Button::new("take", channel, "I am on it").primary())
            .button(Button::new("summary", channel, "Summary"))
            .button(Button::new("close", channel, "Close the incident").danger())
    }

    /// What happened, in order, below what somebody `said` of all of it.
    pub fn summary(&self, now: u64, said: Option<&str>) -> String {
        let end = self.closed.unwrap_or(now);
        let state = if self.closed.is_some() { "closed after" } else { "open for" };
        let mut people: Vec<&str> = self.entries.iter().map(|it| it.by.as_str()).collect();
        people.sort_unstable();
        people.dedup();
        let mut text = format!(
            "### Incident {}: {}\n\n**{state} {}** · {} involved: {}\n",
            self.number,
            self.title,
            length(end.saturating_sub(self.opened)),
            people.len(),
            people.join(", ")
        );
        if let Some(said) = said {
            let said: String = said.trim().chars().take(SAID_CHARACTERS).collect();
            text.push_str(&format!("\n{said}\n"));
        }
        let mut day = u64::MAX;
        for entry in &self.entries {
            if entry.at / 86_400_000 != day {
                day = entry.at / 86_400_000;
                text.push_str(&format!("\n**{}** (UTC)\n", date(entry.at)));
            }
            let time = clock(entry.at);
            text.push_str(&format!("- {} **{}** {}\n", time.trim_end_matches(" UTC"), entry.by, entry.text));
        }
        if text.chars().count() > SUMMARY_CHARACTERS {
            text = text.chars().take(SUMMARY_CHARACTERS).chain(['…']).collect();
        }
        text
    }

    /// In a list.
    pub fn line(&self, now: u64) -> String {
        let since = length(now.saturating_sub(self.opened));
        format!("**{}: {}** in #{}, open for {since}", self.number, self.title, self.channel_name)
    }

    /// As it is stored.
    pub fn written(&self) -> Result<Vec<u8>, String> {
        serde_json::to_vec(self).map_err(|error| error.to_string())
    }
}

/// `incident-3-the-database-is-slow`.
pub fn channel_name(number: i64, title: &str) -> String {
    let mut slug = String::new();
    for letter in title.to_lowercase().chars() {
        if letter.is_alphanumeric() {
            slug.push(letter);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.chars().count() >= SLUG_LETTERS {
            break;
        }
    }
    format!("incident-{number}-{slug}").trim_end_matches('-').to_owned()
}

fn length(ms: u64) -> String {
    let minutes = ms / 60_000;
    match minutes {
        0 => "less than a minute".into(),
        1 => "a minute".into(),
        2..120 => format!("{minutes} minutes"),
        120..2880 => format!("{} h {} min", minutes / 60, minutes % 60),
        _ => format!("{} days", minutes / 1440),
    }
}

fn clock(at: u64) -> String {
    let minutes = at / 60_000 % 1_440;
    format!("{:02}:{:02} UTC", minutes / 60, minutes % 60)
}

/// The day in the calendar (Howard Hinnant's `civil_from_days`).
fn date(at: u64) -> String {
    let days = at / 86_400_000 + 719_468;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeline_is_in_order_and_summed_up() {
        let begin = 1_763_107_200_000;
        let mut incident = Incident::new(3, "Slow".into(), "incident-3-slow".into(), "Ada".into(), begin);
        incident.note(begin + 600_000, "Bob", "disk is full, @ada");
        incident.quote(begin + 60_000, "Cyd", "it hangs\nfor me", "m1");
        incident.quote(begin + 60_000, "Cyd", "it hangs\nfor me", "m1");
        incident.take(begin + 120_000, "Bob");
        incident.take(begin + 130_000, "Bob");
        incident.close(begin + 3_600_000, "Bob", "made room");
        let summary = incident.summary(0, None);
        let lines: Vec<&str> = summary.lines().collect();
        assert_eq!(lines[2], "**closed after 60 minutes** · 3 involved: Ada, Bob, Cyd");
        assert_eq!(lines[4], "**2025-11-14** (UTC)");
        assert_eq!(
            lines[5..8],
            [
                "- 08:00 **Ada** opened the incident",
                "- 08:01 **Cyd** “it hangs for me”",
                "- 08:02 **Bob** took it on"
            ]
        );
        assert_eq!(lines[9], "- 09:00 **Bob** closed the incident: made room");
        assert_eq!(lines.len(), 10);
        assert!(!summary.contains("@ada"));
        let said = incident.summary(0, Some(" It was the disk \\[1\\].\n\n> 1: full "));
        let expected = format!(
            "{}\n\nIt was the disk \\[1\\].\n\n> 1: full\n\n{}",
            lines[..3].join("\n"),
            lines[4..].join("\n")
        );
        assert_eq!(said.trim_end(), expected);
    }

    #[test]
    fn a_summary_fits_into_a_message() {
        let mut incident = Incident::new(1, "Slow".into(), "incident-1-slow".into(), "Ada".into(), 0);
        for number in 0..200 {
            incident.note(number, "somebody with a long name", &"x".repeat(500));
        }
        let summary = incident.summary(0, Some(&"y".repeat(20_000)));
        assert!(summary.chars().count() <= SUMMARY_CHARACTERS + 1 && summary.ends_with('…'));
    }

    #[test]
    fn a_channel_has_a_short_name() {
        assert_eq!(channel_name(12, "The  DB (eu-1) is slow!"), "incident-12-the-db-eu-1-is-slow");
        assert_eq!(channel_name(1, "!!!"), "incident-1");
        assert!(channel_name(1, &"x".repeat(100)).len() <= 80);
    }
}
