//! What a question says about who, where and when, in the words of the search field: `from:ada in:harbour after:2026-11-02`.
//! By rules, not by a model: it costs nothing, is the same each time, and names nobody to anyone.

use confab_protocol::Timestamp;

const DAY_MS: i64 = 24 * 3_600 * 1_000;
/// Words of one question that are looked at.
const MOST_WORDS: usize = 400;
/// Names that are looked up.
const MOST_NAMES: usize = 8;

const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
/// Behind a name they make it an author: "ada said".
const SAYING: [&str; 14] = [
    "said",
    "say",
    "says",
    "wrote",
    "write",
    "writes",
    "told",
    "mentioned",
    "suggested",
    "posted",
    "post",
    "asked",
    "think",
    "thinks",
];

/// A question, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Understood {
    /// What it is about, without who, where and when.
    pub about: String,
    /// The filters as one would type them.
    pub filters: String,
    /// Words that may be names of authors, with the filter that each would make.
    pub perhaps_people: Vec<String>,
    /// Words that may be names of channels.
    pub perhaps_channels: Vec<String>,
}

/// Takes a question apart. `now` in milliseconds since 1970; days are those of UTC.
pub(super) fn understand(question: &str, now: i64) -> Understood {
    let words: Vec<Word<'_>> = question.split_whitespace().take(MOST_WORDS).map(Word::of).collect();
    let mut taken = vec![false; words.len()];
    let mut found = Understood::default();
    let mut filters: Vec<String> = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let count = dates(&words[at..], now, &mut filters).max(typed(&words[at], &mut filters));
        for place in taken.iter_mut().skip(at).take(count) {
            *place = true;
        }
        at += count.max(1);
    }
    for at in 0..words.len() {
        if taken[at] {
            continue;
        }
        let before = at.checked_sub(1).map_or("", |at| words[at].folded.as_str());
        let after = words.get(at + 1).map_or("", |word| word.folded.as_str());
        let word = &words[at];
        let is_author = (matches!(before, "from" | "by") && !is_small(&word.folded))
            || (SAYING.contains(&after) && !is_small(&word.folded))
            || (matches!(before, "did" | "does" | "has") && word.raw.starts_with('@'));
        if is_author && found.perhaps_people.len() < MOST_NAMES {
            found.perhaps_people.push(word.name.to_owned());
        } else if (word.raw.starts_with('#') || (before == "in" && after == "channel"))
            && found.perhaps_channels.len() < MOST_NAMES
        {
            found.perhaps_channels.push(word.name.to_owned());
        }
    }
    let about = words.iter().zip(&taken).filter(|(_, taken)| !**taken).map(|(word, _)| word.raw);
    found.about = about.collect::<Vec<_>>().join(" ");
    found.filters = filters.join(" ");
    found
}

impl Understood {
    /// With those names as filters that somebody has. They are no longer what the question is about.
    pub fn with(mut self, people: &[String], channels: &[String]) -> Self {
        let filters = people.iter().map(|name| format!("from:\"{name}\""));
        let filters = filters.chain(channels.iter().map(|name| format!("in:\"{name}\"")));
        for filter in filters {
            if !self.filters.is_empty() {
                self.filters.push(' ');
            }
            self.filters.push_str(&filter);
        }
        let named: Vec<&String> = people.iter().chain(channels).collect();
        let is_named = |word: &str| named.iter().any(|name| **name == Word::of(word).name);
        let has_people = !people.is_empty();
        let rest = self.about.split_whitespace().filter(|raw| {
            let is_saying = has_people && SAYING.contains(&Word::of(raw).folded.as_str());
            !is_named(raw) && !is_saying
        });
        self.about = rest.collect::<Vec<_>>().join(" ");
        self
    }
}

struct Word<'t> {
    raw: &'t str,
    /// Without marks around it.
    name: &'t str,
    folded: String,
}

impl<'t> Word<'t> {
    fn of(raw: &'t str) -> Self {
        let name = raw.trim_matches(|letter: char| !letter.is_alphanumeric() && letter != '_');
        let name = name.strip_suffix("'s").or(name.strip_suffix("’s")).unwrap_or(name);
        Self { raw, name, folded: name.to_lowercase() }
    }
}

/// Too common to be taken for somebody.
fn is_small(word: &str) -> bool {
    word.is_empty() || super::is_stopword(word) || word == "channel" || word == "people"
}

/// What one typed as a filter. Answers how many words it took.
fn typed(word: &Word<'_>, filters: &mut Vec<String>) -> usize {
    let known = ["from:", "in:", "before:", "after:", "on:", "during:", "has:", "is:", "mentions:"];
    if known.iter().any(|name| word.raw.to_lowercase().starts_with(name) && word.raw.len() > name.len()) {
        filters.push(word.raw.trim_end_matches(['?', '!', ',', ';']).to_owned());
        return 1;
    }
    0
}

/// What says when, at the beginning of `words`. Answers how many words it took.
fn dates(words: &[Word<'_>], now: i64, filters: &mut Vec<String>) -> usize {
    let today = now.div_euclid(DAY_MS);
    // 1970 began on a Thursday.
    let monday = today - (today + 3).rem_euclid(7);
    let word = |at: usize| words.get(at).map_or("", |word| word.folded.as_str());
    let mut between = |from: i64, to: i64, count: usize| {
        filters.push(format!("after:{} before:{}", written(from - 1), written(to)));
        count
    };
    match (word(0), word(1), word(2)) {
        ("today", ..) => between(today, today + 1, 1),
        ("yesterday", ..) => between(today - 1, today, 1),
        ("this", "week", _) => between(monday, today + 1, 2),
        ("last" | "previous", "week", _) => between(monday - 7, monday, 2),
        ("this", "month", _) => between(month_begin(today), today + 1, 2),
        ("last" | "previous", "month", _) => {
            let end = month_begin(today);
            between(month_begin(end - 1), end, 2)
        }
        ("last" | "past", count, "days" | "weeks") => match count.parse::<i64>() {
            Ok(count) if (1..=1_000).contains(&count) => {
                let days = if word(2) == "weeks" { 7 * count } else { count };
                between(today - days, today + 1, 3)
            }
            _ => 0,
        },
        ("on" | "last", day, _) if WEEKDAYS.contains(&day) => {
            let day = last_weekday(day, today);
            between(day, day + 1, 2)
        }
        ("since", day, _) => match begin(day, today) {
            Some(day) => between(day, today + 1, 2),
            None => 0,
        },
        ("before" | "until", day, _) => match begin(day, today) {
            Some(day) => {
                filters.push(format!("before:{}", written(day)));
                2
            }
            None => 0,
        },
        ("in", month, _) if MONTHS.contains(&month) => {
            let from = last_month(month, today);
            between(from, month_begin(from + 31), 2)
        }
        ("on", day, _) => match day_of(day) {
            Some(day) => between(day, day + 1, 2),
            None => 0,
        },
        _ => 0,
    }
}

/// The day of a word such as `monday`, `yesterday` or `2026-11-02`.
fn begin(word: &str, today: i64) -> Option<i64> {
    match word {
        "today" => Some(today),
        "yesterday" => Some(today - 1),
        _ if WEEKDAYS.contains(&word) => Some(last_weekday(word, today)),
        _ => day_of(word),
    }
}

/// The last such day before today.
fn last_weekday(name: &str, today: i64) -> i64 {
    let wanted = WEEKDAYS.iter().position(|day| *day == name).unwrap_or(0) as i64;
    let back = ((today + 3).rem_euclid(7) - wanted).rem_euclid(7);
    today - if back == 0 { 7 } else { back }
}

/// The beginning of the last such month that has begun.
fn last_month(name: &str, today: i64) -> i64 {
    let wanted = MONTHS.iter().position(|month| *month == name).unwrap_or(0) + 1;
    let mut from = month_begin(today);
    for _ in 0..12 {
        if written(from).get(5..7).and_then(|month| month.parse().ok()) == Some(wanted) {
            break;
        }
        from = month_begin(from - 1);
    }
    from
}

fn month_begin(day: i64) -> i64 {
    let date = written(day);
    day_of(&format!("{}-01", &date[..date.len().min(7)])).unwrap_or(day)
}

/// `YYYY-MM-DD` of a day since 1970.
fn written(day: i64) -> String {
    Timestamp(day * DAY_MS).to_string().chars().take(10).collect()
}

fn day_of(text: &str) -> Option<i64> {
    let looks_right = text.len() == 10 && text.bytes().all(|it| it.is_ascii_digit() || it == b'-');
    let at = Timestamp::parse(&format!("{text}T00:00:00Z")).filter(|_| looks_right)?;
    Some(at.0.div_euclid(DAY_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Saturday.
    fn ask(question: &str) -> Understood {
        understand(question, day_of("2026-11-21").expect("a day") * DAY_MS + 5)
    }

    #[test]
    fn days_are_understood() {
        for (question, filters, about) in [
            ("what happened yesterday?", "after:2026-11-19 before:2026-11-21", "what happened"),
            ("what did we decide last week", "after:2026-11-08 before:2026-11-16", "what did we decide"),
            ("news this week", "after:2026-11-15 before:2026-11-22", "news"),
            ("releases last month", "after:2026-09-30 before:2026-11-01", "releases"),
            ("releases in October", "after:2026-09-30 before:2026-11-01", "releases"),
            ("releases in december?", "after:2025-11-30 before:2026-01-01", "releases"),
            ("outages since Monday", "after:2026-11-15 before:2026-11-22", "outages"),
            ("outages on saturday", "after:2026-11-13 before:2026-11-15", "outages"),
            ("outages in the last 3 days", "after:2026-11-17 before:2026-11-22", "outages in the"),
            ("outages before 2026-02-03", "before:2026-02-03", "outages"),
            ("in:harbour after:2026-01-01 cranes", "in:harbour after:2026-01-01", "cranes"),
            ("what may come before lunch", "", "what may come before lunch"),
        ] {
            let found = ask(question);
            assert_eq!((found.filters.as_str(), found.about.as_str()), (filters, about), "{question}");
        }
    }

    #[test]
    fn people_and_places_are_named() {
        let found = ask("What did @Ada say about cranes in #harbour?");
        assert_eq!(
            (found.perhaps_people.clone(), found.perhaps_channels.clone()),
            (vec!["Ada".into()], vec!["harbour".into()])
        );
        let found = found.with(&["Ada".into()], &["harbour".into()]);
        assert_eq!(
            (found.filters.as_str(), found.about.as_str()),
            ("from:\"Ada\" in:\"harbour\"", "What did about cranes in")
        );
        assert_eq!(ask("messages from bob by eve").perhaps_people, ["bob", "eve"]);
        assert!(ask("who said that we think so").perhaps_people.is_empty());
    }
}
