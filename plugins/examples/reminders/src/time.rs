//! Times as people say them: `in 20 minutes`, `tomorrow at 8:30`, `on friday at 14:00`, `every day at 9:00`.

const MINUTE: u64 = 60_000;
const DAY: u64 = 24 * 60 * MINUTE;
const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
/// When nobody said a time of day.
const MORNING: u64 = 9 * 60;

/// When, and of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct When {
    /// Milliseconds since 1970, UTC.
    pub at: u64,
    /// Then every so many seconds.
    pub period_seconds: Option<u32>,
    /// What is left of the text.
    pub what: String,
}

/// Reads a time from the beginning of a text. `offset` are minutes ahead of UTC.
pub fn read(text: &str, now: u64, offset: i64) -> Result<When, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let local = now.saturating_add_signed(offset * MINUTE as i64);
    let first = words.first().map(|word| word.to_lowercase()).unwrap_or_default();
    let (at, period_seconds, used) = match first.as_str() {
        "in" => {
            let (length, used) = length(&words[1..])?;
            return done(now + length, None, &words[1 + used..]);
        }
        "tomorrow" => on_day(local, local / DAY + 1, &words, 1)?,
        "today" | "at" => {
            let from = usize::from(first == "today");
            let (minutes, used) = clock(&words[from..]).ok_or_else(help)?;
            let at = local / DAY * DAY + minutes * MINUTE;
            (if at <= local { at + DAY } else { at }, None, from + used)
        }
        "on" | "next" => {
            let day = words.get(1).and_then(|word| weekday(word)).ok_or_else(help)?;
            on_day(local, next_weekday(local, day), &words, 2)?
        }
        "every" => every(local, &words)?,
        other => match weekday(other) {
            Some(day) => on_day(local, next_weekday(local, day), &words, 1)?,
            None => return Err(help()),
        },
    };
    done(at.saturating_add_signed(-offset * MINUTE as i64), period_seconds, &words[used..])
}

fn done(at: u64, period_seconds: Option<u32>, rest: &[&str]) -> Result<When, String> {
    let rest = match rest.first().map(|word| word.to_lowercase()).as_deref() {
        Some("to" | "that" | "of" | "about") => &rest[1..],
        _ => rest,
    };
    if rest.is_empty() {
        return Err("Say of what, too: /remind me in 20 minutes to look at the oven".into());
    }
    Ok(When { at, period_seconds, what: rest.join(" ") })
}

fn help() -> String {
    "Say when: in 20 minutes, in 2 hours, at 14:30, tomorrow at 9:00, on friday at 8:00, every day at 9:00, every monday at 9:00."
        .into()
}

type Found = (u64, Option<u32>, usize);

fn on_day(local: u64, day: u64, words: &[&str], used: usize) -> Result<Found, String> {
    let (minutes, more) = clock(&words[used..]).unwrap_or((MORNING, 0));
    let at = day * DAY + minutes * MINUTE;
    Ok((if at <= local { at + 7 * DAY } else { at }, None, used + more))
}

fn every(local: u64, words: &[&str]) -> Result<Found, String> {
    let word = words.get(1).map(|word| word.to_lowercase()).unwrap_or_default();
    let (minutes, more) = clock(words.get(2..).unwrap_or_default()).unwrap_or((MORNING, 0));
    let from_day = |day: u64| day * DAY + minutes * MINUTE;
    let today = from_day(local / DAY);
    let next_day = if today <= local { today + DAY } else { today };
    match word.as_str() {
        "hour" => Ok((local + 60 * MINUTE, Some(3_600), 2)),
        "day" | "morning" => Ok((next_day, Some(86_400), 2 + more)),
        "week" => Ok((next_day, Some(7 * 86_400), 2 + more)),
        other => {
            let day = weekday(other).ok_or_else(help)?;
            let at = from_day(next_weekday(local, day));
            Ok((if at <= local { at + 7 * DAY } else { at }, Some(7 * 86_400), 2 + more))
        }
    }
}

/// `at 9`, `at 9:30`, `at 2pm`: minutes since midnight, and how many words it took.
fn clock(words: &[&str]) -> Option<(u64, usize)> {
    let says_at = words.first().is_some_and(|word| word.eq_ignore_ascii_case("at"));
    let word = words.get(usize::from(says_at))?.to_lowercase();
    let (digits, noon) = match (word.strip_suffix("pm"), word.strip_suffix("am")) {
        (Some(digits), _) => (digits, Some(12)),
        (_, Some(digits)) => (digits, Some(0)),
        _ => (word.as_str(), None),
    };
    let (hour, minute) = digits.split_once(':').unwrap_or((digits, "0"));
    let (hour, minute): (u64, u64) = (hour.parse().ok()?, minute.parse().ok()?);
    // A bare number without `at` is part of what one is reminded of: every day 3 pills.
    if !says_at && noon.is_none() && !digits.contains(':') {
        return None;
    }
    let hour = match noon {
        Some(noon) if (1..=12).contains(&hour) => hour % 12 + noon,
        Some(_) => return None,
        None => hour,
    };
    (hour < 24 && minute < 60).then_some((hour * 60 + minute, 1 + usize::from(says_at)))
}

/// `20 minutes`, `an hour`, `1 hour 30 minutes`, `2h`.
fn length(words: &[&str]) -> Result<(u64, usize), String> {
    let (mut total, mut used) = (0, 0);
    while let Some(word) = words.get(used) {
        let word = word.to_lowercase();
        let digits = word.trim_end_matches(|it: char| it.is_ascii_alphabetic());
        let (number, unit, more): (u32, _, _) = if digits.is_empty() {
            match word.as_str() {
                "a" | "an" | "one" => (1, words.get(used + 1).map(|it| it.to_lowercase()), 2),
                "half" => break,
                "and" if used > 0 => {
                    used += 1;
                    continue;
                }
                _ => break,
            }
        } else if digits.len() < word.len() {
            (digits.parse().map_err(|_| help())?, Some(word[digits.len()..].to_owned()), 1)
        } else {
            (digits.parse().map_err(|_| help())?, words.get(used + 1).map(|it| it.to_lowercase()), 2)
        };
        let Some(unit) = unit.as_deref().and_then(unit_length) else { break };
        total += u64::from(number) * unit;
        used += more;
    }
    if total == 0 || total > 3_700 * DAY {
        return Err(help());
    }
    Ok((total, used))
}

fn unit_length(word: &str) -> Option<u64> {
    Some(match word.trim_end_matches('s') {
        "" | "sec" | "second" => 1_000,
        "m" | "min" | "minute" => MINUTE,
        "h" | "hour" => 60 * MINUTE,
        "d" | "day" => DAY,
        "w" | "week" => 7 * DAY,
        _ => return None,
    })
}

fn weekday(word: &str) -> Option<u64> {
    let word = word.to_lowercase();
    let found = WEEKDAYS.iter().position(|day| *day == word || (word.len() == 3 && day.starts_with(&word)));
    found.map(|day| day as u64)
}

/// The day (since 1970, a Thursday) on which the weekday comes next; today is one too.
fn next_weekday(local: u64, day: u64) -> u64 {
    let today = local / DAY;
    today + (day + 7 - (today + 3) % 7) % 7
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tuesday, 2023-11-14 22:13:20 UTC.
    const NOW: u64 = 1_700_000_000_000;

    fn at(text: &str) -> (u64, Option<u32>, String) {
        let when = read(text, NOW, 0).expect(text);
        (when.at - NOW, when.period_seconds, when.what)
    }

    fn midnight() -> u64 {
        NOW / DAY * DAY
    }

    #[test]
    fn lengths() {
        assert_eq!(at("in 20 minutes to look at the oven"), (20 * MINUTE, None, "look at the oven".into()));
        assert_eq!(at("in 1 hour and 30 minutes tea"), (90 * MINUTE, None, "tea".into()));
        assert_eq!(at("in 2h 3 cups"), (120 * MINUTE, None, "3 cups".into()));
        assert_eq!(at("in an hour that it rains"), (60 * MINUTE, None, "it rains".into()));
        assert_eq!(at("in 90s go"), (90_000, None, "go".into()));
    }

    #[test]
    fn days_and_clocks() {
        let days = |days: u64, minutes: u64| midnight() + days * DAY + minutes * MINUTE - NOW;
        assert_eq!(at("tomorrow at 8:30 call").0, days(1, 510));
        assert_eq!(at("tomorrow call").0, days(1, 540));
        assert_eq!(at("at 23:00 sleep").0, days(0, 23 * 60));
        assert_eq!(at("at 2pm eat").0, days(1, 14 * 60), "past today");
        assert_eq!(at("on friday at 8 ship").0, days(3, 480));
        assert_eq!(at("tuesday at 8 ship").0, days(7, 480), "this morning is past");
        assert_eq!(at("every monday at 9:00 stand-up"), (days(6, 540), Some(604_800), "stand-up".into()));
        assert_eq!(at("every day 3 pills"), (days(1, 540), Some(86_400), "3 pills".into()));
    }

    #[test]
    fn an_offset_moves_the_clock() {
        let when = read("tomorrow at 9:00 tea", NOW, 120).expect("a time");
        // It is past midnight there: tomorrow is the 16th.
        assert_eq!(when.at, midnight() + 2 * DAY + 7 * 60 * MINUTE);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "soon tea", "in tea", "in 0 minutes tea", "at 25:00 tea", "in 20 minutes"] {
            assert!(read(text, NOW, 0).is_err(), "{text}");
        }
    }
}
