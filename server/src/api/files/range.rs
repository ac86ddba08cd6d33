//! Which bytes a client wants (RFC 9110, section 14).

use std::ops::Range;

/// What a `Range` header asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Everything: no header, or one that cannot be read.
    Whole,
    /// These.
    Part(Range<u64>),
    /// Nothing that there is, or several ranges: many small ones at once have been an attack on servers.
    Nothing,
}

/// Reads a `Range` header for a file of `size` bytes.
#[must_use]
pub fn wanted(header: Option<&str>, size: u64) -> Wanted {
    let Some(ranges) = header.and_then(|it| it.trim().strip_prefix("bytes=")) else { return Wanted::Whole };
    if ranges.contains(',') {
        return Wanted::Nothing;
    }
    let Some((first, last)) = ranges.trim().split_once('-') else { return Wanted::Whole };
    match (number(first), number(last)) {
        (Some(first), Some(last)) if first > last => Wanted::Whole,
        (Some(first), _) if first >= size => Wanted::Nothing,
        (Some(first), Some(last)) => Wanted::Part(first..size.min(last.saturating_add(1))),
        (Some(first), None) if last.is_empty() => Wanted::Part(first..size),
        (None, Some(0)) if first.is_empty() => Wanted::Nothing,
        (None, Some(count)) if first.is_empty() => Wanted::Part(size.saturating_sub(count)..size),
        _ => Wanted::Whole,
    }
}

fn number(text: &str) -> Option<u64> {
    text.bytes().all(|it| it.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// Whether a list of tags, as in `If-None-Match`, names `tag`.
#[must_use]
pub fn names(header: &str, tag: &str) -> bool {
    header.split(',').map(str::trim).any(|it| it == "*" || it.strip_prefix("W/").unwrap_or(it) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_read_and_everything_else_is_whole_or_nothing() {
        for (header, expected) in [
            ("bytes=0-3", Wanted::Part(0..4)),
            ("bytes=4-", Wanted::Part(4..10)),
            ("bytes=-3", Wanted::Part(7..10)),
            ("bytes=-300", Wanted::Part(0..10)),
            ("bytes=8-99999999999", Wanted::Part(8..10)),
            ("bytes=8-18446744073709551615", Wanted::Part(8..10)),
            ("bytes=10-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=0-1,3-4", Wanted::Nothing),
            ("bytes=5-2", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("lines=1-2", Wanted::Whole),
            ("bytes=1-99999999999999999999999", Wanted::Whole),
        ] {
            assert_eq!(wanted(Some(header), 10), expected, "{header}");
        }
        assert_eq!(wanted(None, 10), Wanted::Whole);
        assert!(names("\"a\", W/\"b\"", "\"b\"") && names("*", "\"b\"") && !names("\"a\"", "\"b\""));
    }
}
