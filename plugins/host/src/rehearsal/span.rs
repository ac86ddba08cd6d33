//! Spans of time as people write them: `1d 2h`, `20m`, `90s`.

const UNITS: [(u64, char); 4] = [(86_400, 'd'), (3600, 'h'), (60, 'm'), (1, 's')];

/// Seconds of what is written; none if it is no span.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let words = text.split_whitespace().map(|word| {
        let unit = word.chars().last()?;
        let (size, _) = UNITS.iter().find(|(_, name)| *name == unit)?;
        word.strip_suffix(unit)?.parse::<u64>().ok()?.checked_mul(*size)
    });
    let sum = words.collect::<Option<Vec<u64>>>()?;
    if sum.is_empty() { None } else { sum.into_iter().try_fold(0_u64, u64::checked_add) }
}

/// Seconds as people write them.
pub(super) fn written(mut seconds: u64) -> String {
    if seconds == 0 {
        return "0s".into();
    }
    let mut words = Vec::new();
    for (size, name) in UNITS {
        if seconds >= size {
            words.push(format!("{}{name}", seconds / size));
            seconds %= size;
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_they_are_written() {
        for (text, expected) in [("20m", 1200), ("1d 2h", 93_600), ("90s", 90), ("1h 1s", 3601)] {
            assert_eq!(seconds(text), Some(expected), "{text}");
            assert_eq!(seconds(&written(expected)), Some(expected), "{text}");
        }
        assert_eq!(written(90), "1m 30s");
        for text in ["", "m", "20", "20 m", "-1h", "1w", "99999999999999999999d", "999999999999999999d"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
