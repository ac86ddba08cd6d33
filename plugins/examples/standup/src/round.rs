//! One stand-up: what is asked, who answered what, and when the next one is.

use confab_plugin_sdk::prelude::*;
use serde::{Deserialize, Serialize};

const ANSWER_CHARACTERS: usize = 600;
const MOST_ANSWERS: usize = 60;
const MINUTE: u64 = 60_000;
const DAY: u64 = 86_400_000;

/// How rounds of a channel begin.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Schedule {
    /// How long answers are collected.
    pub minutes: u64,
    /// What is asked.
    pub question: String,
    /// Who asked for it.
    pub by: String,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// What is asked.
    pub question: String,
    /// When it was due.
    pub at: u64,
    /// When it ends by itself.
    pub closes: u64,
    /// The message that shows it.
    pub message: String,
    /// Nobody answers any more.
    pub is_closed: bool,
    asked: usize,
    /// By whom (id, name), and what.
    answers: Vec<(String, String, String)>,
}

impl Round {
    /// One that nobody answered yet.
    pub fn new(schedule: &Schedule, at: u64, now: u64, asked: usize) -> Self {
        Self {
            question: schedule.question.clone(),
            at,
            closes: now + schedule.minutes * MINUTE,
            message: String::new(),
            is_closed: false,
            asked,
            answers: Vec::new(),
        }
    }

    /// Notes an answer; another of the same person takes its place.
    pub fn answer(&mut self, user: &User, text: &str) {
        let text: String = text.trim().chars().take(ANSWER_CHARACTERS).collect();
        match self.answers.iter().position(|(id, ..)| *id == user.id) {
            Some(known) => self.answers[known].2 = text,
            None if self.answers.len() < MOST_ANSWERS => {
                self.answers.push((user.id.clone(), user.display_name.clone(), text));
            }
            None => {}
        }
    }

    /// As it stands in the channel while it is open, and after.
    pub fn draft(&self, channel: &str) -> Draft {
        let mut text = format!("🧍 **Stand-up.** {}\n\n{}", self.question, self.count());
        if self.is_closed {
            text.push_str(" **Closed.**");
            return Draft::text(text);
        }
        if !self.answers.is_empty() {
            let names: Vec<&str> = self.answers.iter().map(|it| it.1.as_str()).collect();
            text.push_str(&format!(" Answers are in of {}.", names.join(", ")));
        }
        text.push_str(" Answer with `/did …`.");
        Draft::text(text).button(Button::new("nothing", channel, "Nothing to report")).button(Button::new(
            "close",
            channel,
            "Close the stand-up",
        ))
    }

    fn count(&self) -> String {
        format!("{} of {} answered.", self.answers.len(), self.asked.max(self.answers.len()))
    }

    /// What was answered.
    pub fn summary(&self) -> String {
        let mut text = format!("🧍 **Stand-up: {}**\n\n{}", self.question, self.count());
        for (_, name, answer) in &self.answers {
            let quoted: Vec<String> = answer.lines().map(|line| format!("> {line}")).collect();
            text.push_str(&format!("\n\n**{name}**\n{}", quoted.join("\n")));
        }
        text
    }
}

/// Minutes of the day of a clock time such as `9:30`.
pub fn clock(text: &str) -> Result<u64, String> {
    let wrong = || "Say when, such as /standup daily 9:30.".to_owned();
    let (hour, minute) = text.trim().split_once(':').unwrap_or((text.trim(), "0"));
    let (hour, minute): (u64, u64) =
        (hour.parse().map_err(|_| wrong())?, minute.parse().map_err(|_| wrong())?);
    if hour > 23 || minute > 59 {
        return Err(wrong());
    }
    Ok(hour * 60 + minute)
}

/// The next time that clocks show so many minutes of the day, `offset` minutes ahead of UTC.
pub fn next(now: u64, at: u64, offset: i64) -> u64 {
    let ahead = offset.rem_euclid(1_440).unsigned_abs() * MINUTE;
    let local = now + ahead;
    let today = local / DAY * DAY + at * MINUTE;
    let local_next = if today > local { today } else { today + DAY };
    local_next - ahead
}

/// Whether it is Monday to Friday then.
pub fn is_working_day(at: u64, offset: i64) -> bool {
    let local = at.saturating_add_signed(offset * MINUTE as i64);
    // 1 January 1970 was a Thursday.
    !matches!((local / DAY + 3) % 7, 5 | 6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: &str) -> User {
        User { id: id.into(), username: id.into(), display_name: id.to_uppercase(), bot: false }
    }

    #[test]
    fn answers_are_collected_and_replaced() {
        let schedule = Schedule { minutes: 1, question: "How?".into(), by: "a".into() };
        let mut round = Round::new(&schedule, 0, 0, 3);
        round.answer(&user("a"), "well");
        round.answer(&user("b"), "so so\nagain");
        round.answer(&user("a"), "better");
        assert_eq!(
            round.summary(),
            "🧍 **Stand-up: How?**\n\n2 of 3 answered.\n\n**A**\n> better\n\n**B**\n> so so\n> again"
        );
        assert_eq!(round.draft("c").buttons.len(), 2);
        let read: Round =
            serde_json::from_slice(&serde_json::to_vec(&round).expect("JSON")).expect("a round");
        assert_eq!(read, round);
        round.is_closed = true;
        assert!(round.draft("c").buttons.is_empty());
    }

    #[test]
    fn the_next_time_is_ahead_and_working_days_are_five() {
        // Friday, 14 November 2025, 08:00 UTC.
        let friday = 1_763_107_200_000;
        assert_eq!(next(friday, clock("9:30").expect("a time"), 0), friday + 90 * MINUTE);
        assert_eq!(next(friday, clock("9:30").expect("a time"), 60), friday + 30 * MINUTE);
        assert_eq!(next(friday, clock("8").expect("a time"), 0), friday + DAY);
        let days: Vec<bool> = (0..7).map(|day| is_working_day(friday + day * DAY, 0)).collect();
        assert_eq!(days, [true, false, false, true, true, true, true]);
        assert!(clock("25:00").is_err() && clock("soon").is_err() && clock("").is_err());
    }
}
