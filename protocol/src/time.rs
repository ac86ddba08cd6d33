//! Time as the record keeps it: whole milliseconds since 1970, UTC. In JSON it is RFC 3339.
//!
//! Milliseconds, because PostgreSQL keeps microseconds and SQLite whatever it is given: a value would differ from its
//! own re-read.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::Error as _};

use crate::clock;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The present, by the clock that this process goes by ([`crate::clock`]). Never used for order.
    #[must_use]
    pub fn now() -> Self {
        Self(clock::now())
    }

    /// This moment and a while more.
    #[must_use]
    pub fn plus(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Reads RFC 3339, with any offset. `None` when the text is something else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|at| Self(at.as_millisecond()))
    }
}

impl Timestamp {
    /// The text of [`std::fmt::Display`] from 1970 on, without a formatter: a page of messages has a hundred times.
    fn written(self) -> Option<[u8; 24]> {
        const DAY: u64 = 86_400_000;
        let is_shown = self.0 / 1_000 < jiff::Timestamp::MAX.as_second();
        let millis = u64::try_from(self.0).ok().filter(|_| is_shown)?;
        let (days, millis) = (millis / DAY, millis % DAY);
        // Counted from 0000-03-01, in eras of 400 years, so that a leap day is the last of its year.
        let days = days + 719_468;
        let (era, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = era * 400 + year + u64::from(month <= 2);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let parts = [
            (0, 4, year),
            (5, 2, month),
            (8, 2, day),
            (11, 2, millis / 3_600_000),
            (14, 2, millis / 60_000 % 60),
            (17, 2, millis / 1_000 % 60),
            (20, 3, millis % 1_000),
        ];
        for (start, length, mut value) in parts {
            for digit in text[start..start + length].iter_mut().rev() {
                *digit = b'0' + (value % 10) as u8;
                value /= 10;
            }
        }
        Some(text)
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Out of jiff's range (year ±9999) nothing sensible can be shown; the epoch is at least a valid date.
        let at = jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        write!(out, "{at:.3}")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.written() {
            Some(text) => to.serialize_str(std::str::from_utf8(&text).map_err(S::Error::custom)?),
            None => to.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        Self::parse(&text)
            .ok_or_else(|| D::Error::custom("a time is RFC 3339, such as 2026-01-31T12:00:00.000Z"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_survives_its_own_text() {
        let at = Timestamp(1_096_588_800_123);
        assert_eq!(at.to_string(), "2004-10-01T00:00:00.123Z");
        assert_eq!(Timestamp::parse(&at.to_string()), Some(at));
        assert_eq!(Timestamp::parse("yesterday"), None);
    }

    #[test]
    fn a_time_is_written_as_it_is_shown() {
        let last = jiff::Timestamp::MAX.as_second() * 1_000 - 1;
        let first_of_months = (0..120).map(|it| 951_782_400_000 + it * 30 * 86_400_000);
        // Not a multiple of anything in a calendar.
        let anywhere = (0..20_000).map(|it| it * 12_670_115_039 + 7);
        let edges = [0, 1, 951_868_799_999, 951_868_800_000, 4_107_542_399_999, 4_107_542_400_000, last];
        for millis in edges.into_iter().chain(first_of_months).chain(anywhere).filter(|it| *it <= last) {
            let at = Timestamp(millis);
            assert_eq!(serde_json::to_string(&at).unwrap(), format!("\"{at}\""));
        }
        for millis in [-1, last + 1, i64::MAX, i64::MIN] {
            let at = Timestamp(millis);
            assert_eq!(at.written(), None);
            assert_eq!(serde_json::to_string(&at).unwrap(), format!("\"{at}\""));
        }
    }
}
