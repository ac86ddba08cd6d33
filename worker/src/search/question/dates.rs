//! When a message was written, as people type it: a day, a month, a year, or a word for a day. All in UTC.

use std::ops::Range;

use confab_core::{Fault, Result};
use confab_protocol::Timestamp;

const DAY_MS: i64 = 24 * 3_600 * 1_000;
const LONGEST_YEAR_MS: i64 = 366 * DAY_MS;

/// From the first moment of what `text` names to the first one after it, in milliseconds since 1970.
///
/// # Errors
/// [`Fault::Invalid`] in `q`.
pub(super) fn span(text: &str, now: i64) -> Result<Range<i64>> {
    let today = now.div_euclid(DAY_MS) * DAY_MS;
    let of_day = |start: i64| start..start + DAY_MS;
    let read = match text.to_ascii_lowercase().as_str() {
        "today" => Some(of_day(today)),
        "yesterday" => Some(of_day(today - DAY_MS)),
        _ if !text.bytes().all(|it| it.is_ascii_digit() || it == b'-') => None,
        date => match date.len() {
            4 => year(date),
            7 => month(date),
            10 => start(date).map(of_day),
            _ => None,
        },
    };
    read.ok_or_else(|| {
        Fault::invalid(
            "q",
            "a date is written YYYY-MM-DD, YYYY-MM, YYYY, today or yesterday: before:2026-01-31",
        )
    })
}

fn start(day: &str) -> Option<i64> {
    Timestamp::parse(&format!("{day}T00:00:00Z")).map(|at| at.0)
}

fn year(text: &str) -> Option<Range<i64>> {
    let number: u32 = text.parse().ok()?;
    let from = start(&format!("{text}-01-01"))?;
    // After the last year that has four digits nothing was written.
    let to = start(&format!("{:04}-01-01", number + 1)).unwrap_or(from + LONGEST_YEAR_MS);
    Some(from..to)
}

fn month(text: &str) -> Option<Range<i64>> {
    let (year, month) = text.split_once('-')?;
    let (year_number, number): (u32, u32) = (year.parse().ok()?, month.parse().ok()?);
    let from = start(&format!("{text}-01"))?;
    let next = if number == 12 { (year_number + 1, 1) } else { (year_number, number + 1) };
    let to = start(&format!("{:04}-{:02}-01", next.0, next.1)).unwrap_or(from + 31 * DAY_MS);
    Some(from..to)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fourth of March 1970, at noon.
    const NOW: i64 = 62 * DAY_MS + DAY_MS / 2;

    fn days(text: &str) -> Option<(i64, i64)> {
        span(text, NOW).ok().map(|span| (span.start / DAY_MS, span.end / DAY_MS))
    }

    #[test]
    fn days_months_and_years_end_where_the_next_begins() {
        assert_eq!(days("1970-03-04"), Some((62, 63)));
        assert_eq!(days("today"), Some((62, 63)));
        assert_eq!(days("Yesterday"), Some((61, 62)));
        assert_eq!(days("1970-02"), Some((31, 59)));
        assert_eq!(days("1972-02"), Some((365 + 365 + 31, 365 + 365 + 60)));
        assert_eq!(days("1970-12"), Some((334, 365)));
        assert_eq!(days("1970"), Some((0, 365)));
        assert!(days("9999").is_some() && days("9999-12").is_some());
        for bad in [
            "tomorrow",
            "1970-13",
            "1970-00",
            "1970-2",
            "70",
            "-970",
            "1970-02-30",
            "1970-3-4",
            "--------",
            "",
        ] {
            assert_eq!(days(bad), None, "{bad}");
        }
    }
}
