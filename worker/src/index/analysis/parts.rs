//! What names of code are made of: `parseHTTPResponse2` of "parse", "HTTP", "Response" and "2".
//!
//! A part ends where small letters are followed by a capital one, where a row of capital ones is followed by a word
//! (`HTTPServer`; but the "s" of `URLs` belongs to what stands before it), and between letters and digits.

/// Made of more, it is no name: what was encoded, keys, noise.
const MOST_PARTS: usize = 12;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Digit,
    Capital,
    /// Small, or of a script that knows no other.
    Small,
}

impl Kind {
    fn of(letter: char) -> Self {
        if letter.is_numeric() {
            Self::Digit
        } else if letter.is_uppercase() {
            Self::Capital
        } else {
            Self::Small
        }
    }
}

/// Whether a word has parts to be found by. Made for a word after the other: nearly all of them have none.
pub(super) fn has_parts(word: &str) -> bool {
    let Some((first, rest)) = word.as_bytes().split_first() else { return false };
    if !first.is_ascii_digit() && rest.iter().all(u8::is_ascii_lowercase) {
        return false;
    }
    let (mut rest, mut parts) = (word, 0);
    while !rest.is_empty() && parts <= MOST_PARTS {
        rest = &rest[first_part(rest)..];
        parts += 1;
    }
    (2..=MOST_PARTS).contains(&parts)
}

/// Where the first part of a run of letters and digits ends, in bytes; 0 of an empty one only.
pub(super) fn first_part(word: &str) -> usize {
    let mut letters = word.char_indices();
    let Some((_, first)) = letters.next() else { return 0 };
    let mut before = Kind::of(first);
    while let Some((at, letter)) = letters.next() {
        let kind = Kind::of(letter);
        let is_end = match (before, kind) {
            (Kind::Digit, Kind::Digit) | (Kind::Small | Kind::Capital, Kind::Small) => false,
            (Kind::Capital, Kind::Capital) => begins_word(letters.as_str()),
            (Kind::Digit, _) | (_, Kind::Digit) | (Kind::Small, Kind::Capital) => true,
        };
        if is_end {
            return at;
        }
        before = kind;
    }
    word.len()
}

/// Whether a capital letter before `rest` begins a word of its own, and does not end a row of capital ones.
fn begins_word(rest: &str) -> bool {
    let mut letters = rest.chars();
    let is_small = |letter: Option<char>| letter.is_some_and(|letter| Kind::of(letter) == Kind::Small);
    match letters.next() {
        Some('s') => is_small(letters.next()),
        next => is_small(next),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(word: &str) -> Vec<&str> {
        let (mut rest, mut parts) = (word, Vec::new());
        while !rest.is_empty() {
            let (part, behind) = rest.split_at(first_part(rest));
            parts.push(part);
            rest = behind;
        }
        parts
    }

    #[test]
    fn names_are_taken_apart() {
        for (word, expected) in [
            ("parseHTTPResponse2", vec!["parse", "HTTP", "Response", "2"]),
            ("HTTPServer", vec!["HTTP", "Server"]),
            ("PascalCase", vec!["Pascal", "Case"]),
            ("listOfURLs", vec!["list", "Of", "URLs"]),
            ("IDsOfPDFsOnly", vec!["IDs", "Of", "PDFs", "Only"]),
            ("aB", vec!["a", "B"]),
            ("utf8mb4", vec!["utf", "8", "mb", "4"]),
            ("E0658", vec!["E", "0658"]),
            ("sha256Sum", vec!["sha", "256", "Sum"]),
            ("éléphantÉtoilé", vec!["éléphant", "Étoilé"]),
            ("найтиЧеловека", vec!["найти", "Человека"]),
            ("GB", vec!["GB"]),
            ("URLs", vec!["URLs"]),
            ("2026", vec!["2026"]),
            ("Hello", vec!["Hello"]),
            ("مرحبا", vec!["مرحبا"]),
        ] {
            assert_eq!(parts(word), expected, "{word}");
            assert_eq!(has_parts(word), expected.len() > 1, "{word}");
        }
    }

    #[test]
    fn what_is_encoded_has_no_parts() {
        assert!(!has_parts(""));
        assert!(!has_parts("aGVsbG8gd29ybGQhIFRoaXMgaXMgYmFzZTY0"));
        assert!(!has_parts("3f2a9bc01d4e5f6a7b8c9d0e"));
        assert!(!has_parts(&"aB".repeat(100_000)));
    }
}
