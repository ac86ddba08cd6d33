//! Hours in which somebody is not to be disturbed, by the clock of where they are.

use confab_protocol::Timestamp;
use confab_protocol::gateway::PresenceStatus;
use jiff::tz::TimeZone;

use crate::fault::{Fault, Result};

/// The days of the week as words, Monday first.
pub const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// Longest name of a time zone, such as `America/Argentina/ComodRivadavia`.
const ZONE_CHARACTERS: usize = 64;

/// From one time of day to another; over midnight where the second is earlier.
#[derive(Clone, Debug, PartialEq)]
pub struct Hours {
    /// Minutes after midnight.
    from: u16,
    to: u16,
    /// On which days they begin; `None`: every day.
    days: Option<[bool; 7]>,
    name: String,
    zone: TimeZone,
}

/// The columns of them.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct HoursRow {
    quiet_from: Option<i64>,
    quiet_to: Option<i64>,
    quiet_days: Option<String>,
    time_zone: Option<String>,
}

impl HoursRow {
    pub(crate) fn hours(&self) -> Option<Hours> {
        let minute = |value: Option<i64>| value.and_then(|it| u16::try_from(it).ok());
        let name = self.time_zone.clone()?;
        // A zone that a newer server knew: rather no quiet than at the wrong time.
        let zone = TimeZone::get(&name).ok()?;
        let days = self.quiet_days.as_deref().map(|text| {
            let words: Vec<&str> = text.split(' ').collect();
            DAYS.map(|day| words.contains(&day))
        });
        Some(Hours { from: minute(self.quiet_from)?, to: minute(self.quiet_to)?, days, name, zone })
    }
}

impl Hours {
    /// Reads what a caller wrote: `22:00`, `07:00`, an IANA time zone, and days such as `mon`.
    ///
    /// # Errors
    /// [`Fault::Invalid`] in `do_not_disturb`.
    pub fn check(from: &str, to: &str, zone: &str, days: Option<&[String]>) -> Result<Self> {
        let wrong = |text: &'static str| Fault::invalid("do_not_disturb", text);
        let minute = |text: &str| minute_of(text).ok_or_else(|| wrong("from and to are times such as 22:00"));
        let (from, to) = (minute(from)?, minute(to)?);
        if from == to {
            return Err(wrong("from and to must differ"));
        }
        let unknown = || wrong("time_zone must be an IANA name such as Europe/Berlin");
        // A name of ours, whatever the letters: nothing that the library would look for as a file.
        if zone.len() > ZONE_CHARACTERS || !zone.bytes().all(is_of_zone) {
            return Err(unknown());
        }
        let found = TimeZone::get(zone).map_err(|_| unknown())?;
        let name = found.iana_name().unwrap_or(zone).to_owned();
        let days = match days {
            None => None,
            Some(words) => {
                if words.is_empty() || words.iter().any(|word| !DAYS.contains(&word.as_str())) {
                    return Err(wrong("days must be among mon, tue, wed, thu, fri, sat, sun"));
                }
                Some(DAYS.map(|day| words.iter().any(|word| word == day)))
            }
        };
        Ok(Self { from, to, days, name, zone: found })
    }

    /// Whether a moment lies in them.
    #[must_use]
    pub fn cover(&self, at: Timestamp) -> bool {
        let Ok(at) = jiff::Timestamp::from_millisecond(at.0) else { return false };
        let local = at.to_zoned(self.zone.clone());
        let minute = u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
        let today = local.weekday().to_monday_zero_offset().unsigned_abs() as usize % 7;
        let on = |day: usize| self.days.is_none_or(|days| days[day]);
        if self.from < self.to {
            return on(today) && (self.from..self.to).contains(&minute);
        }
        (on(today) && minute >= self.from) || (on((today + 6) % 7) && minute < self.to)
    }

    /// Such as `22:00`.
    #[must_use]
    pub fn begin(&self) -> String {
        text_of(self.from)
    }

    /// Such as `07:00`.
    #[must_use]
    pub fn end(&self) -> String {
        text_of(self.to)
    }

    /// The IANA name.
    #[must_use]
    pub fn time_zone(&self) -> &str {
        &self.name
    }

    /// The days on which they begin; `None`: every day.
    #[must_use]
    pub fn days(&self) -> Option<Vec<String>> {
        let days = self.days?;
        Some(DAYS.iter().zip(days).filter(|(_, on)| *on).map(|(day, _)| (*day).to_owned()).collect())
    }

    pub(super) fn first_minute(&self) -> i64 {
        i64::from(self.from)
    }

    pub(super) fn last_minute(&self) -> i64 {
        i64::from(self.to)
    }

    pub(super) fn days_text(&self) -> Option<String> {
        self.days().map(|days| days.join(" "))
    }
}

fn is_of_zone(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-' | b'+')
}

fn minute_of(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| {
        (text.len() == 2 && text.bytes().all(|it| it.is_ascii_digit())).then(|| text.parse::<u16>().ok())?
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

fn text_of(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// When one person is not to be disturbed.
#[derive(Clone, Debug, Default)]
pub struct Quiet {
    hours: Option<Hours>,
    until: Option<Timestamp>,
    is_busy: bool,
}

impl Quiet {
    pub(crate) fn new(hours: &HoursRow, until: Option<i64>, chosen: Option<&str>) -> Self {
        let is_busy = chosen == Some(PresenceStatus::Busy.as_str());
        Self { hours: hours.hours(), until: until.map(Timestamp), is_busy }
    }

    /// Whether it is now: listed, but neither pushed nor mailed nor made heard.
    #[must_use]
    pub fn is_now(&self) -> bool {
        let now = Timestamp::now();
        self.is_busy
            || self.until.is_some_and(|until| until > now)
            || self.hours.as_ref().is_some_and(|hours| hours.cover(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a time")
    }

    #[test]
    fn hours_follow_the_clock_of_their_zone_over_midnight_and_summer_time() {
        let night = Hours::check("22:00", "07:30", "Europe/Berlin", None).expect("hours");
        // In winter Berlin is an hour ahead of UTC, in summer two.
        assert!(night.cover(at("2026-01-15T21:00:00Z")) && !night.cover(at("2026-01-15T20:59:00Z")));
        assert!(night.cover(at("2026-07-15T20:00:00Z")) && !night.cover(at("2026-07-15T19:59:00Z")));
        assert!(night.cover(at("2026-01-15T06:29:00Z")) && !night.cover(at("2026-01-15T06:30:00Z")));
        let noon = Hours::check("12:00", "13:00", "Asia/Kolkata", None).expect("hours");
        assert!(noon.cover(at("2026-01-15T06:30:00Z")) && !noon.cover(at("2026-01-15T07:30:00Z")));
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_begins() {
        let days = ["fri".to_owned()];
        let friday = Hours::check("22:00", "07:00", "UTC", Some(&days)).expect("hours");
        assert!(friday.cover(at("2026-01-16T23:00:00Z")), "Friday evening");
        assert!(friday.cover(at("2026-01-17T06:00:00Z")), "the morning after");
        assert!(!friday.cover(at("2026-01-16T06:00:00Z")), "the morning before");
        assert!(!friday.cover(at("2026-01-17T23:00:00Z")), "Saturday evening");
        assert_eq!(friday.days(), Some(vec!["fri".to_owned()]));
        assert_eq!((friday.begin(), friday.end()), ("22:00".into(), "07:00".into()));
    }

    #[test]
    fn what_is_no_time_zone_day_or_time_is_refused() {
        let none: Option<&[String]> = None;
        for (from, to, zone) in [
            ("22:00", "22:00", "UTC"),
            ("24:00", "07:00", "UTC"),
            ("9:00", "10:00", "UTC"),
            ("+9:00", "10:00", "UTC"),
            ("09:00", "10:60", "UTC"),
            ("09:00", "10:00", "Mars/Olympus"),
            ("09:00", "10:00", "../../etc/passwd"),
            ("09:00", "10:00", ""),
        ] {
            assert!(Hours::check(from, to, zone, none).is_err(), "{from} {to} {zone}");
        }
        assert!(Hours::check("09:00", "10:00", "UTC", Some(&[])).is_err());
        assert!(Hours::check("09:00", "10:00", "UTC", Some(&["someday".into()])).is_err());
    }
}
