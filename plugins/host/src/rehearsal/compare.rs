//! Whether what happened is what was written.

/// Stands for any text in a line, and alone for any number of lines.
const DOTS: &str = "…";

/// Whether these lines, in which dots stand for anything, describe those.
pub(super) fn fits(expected: &[String], happened: &[String]) -> bool {
    match expected.split_first() {
        None => happened.is_empty(),
        Some((first, rest)) if first == DOTS => {
            (0..=happened.len()).any(|skipped| fits(rest, &happened[skipped..]))
        }
        Some((first, rest)) => {
            happened.split_first().is_some_and(|(line, others)| line_fits(first, line) && fits(rest, others))
        }
    }
}

fn line_fits(expected: &str, line: &str) -> bool {
    let mut parts = expected.split(DOTS);
    let Some(mut left) = parts.next().and_then(|start| line.strip_prefix(start)) else { return false };
    let mut rest: Vec<&str> = parts.collect();
    let Some(end) = rest.pop() else { return left.is_empty() };
    // Each part as early as it can be: whatever comes later finds as much room as there is.
    for part in rest {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.split('|').filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }

    #[test]
    fn dots_stand_for_what_differs() {
        for (expected, happened) in [
            ("", ""),
            ("public: 7", "public: 7"),
            ("public: …", "public: 7"),
            ("public: 🎲 …: **…**", "public: 🎲 2d6: **9**"),
            ("…", ""),
            ("…", "a|b"),
            ("a|…|d", "a|b|c|d"),
            ("…b…b", "abb"),
        ] {
            assert!(fits(&lines(expected), &lines(happened)), "{expected} {happened}");
        }
        for (expected, happened) in [
            ("", "public: 7"),
            ("public: 7", ""),
            ("public: 7", "public: 77"),
            ("public: …!", "public: 7"),
            ("ab…bc", "abc"),
            ("a|…|d", "a|b"),
            ("a|b", "b|a"),
        ] {
            assert!(!fits(&lines(expected), &lines(happened)), "{expected} {happened}");
        }
    }
}
