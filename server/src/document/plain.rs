//! Plain text, and what every text is brought into.

use super::MOST_BYTES;

/// UTF-8, UTF-16 by its mark, and otherwise what can be read of it.
pub(super) fn text(document: &[u8]) -> String {
    let wide = |read: fn([u8; 2]) -> u16| {
        let units: Vec<u16> =
            document[2..].chunks_exact(2).take(MOST_BYTES).map(|pair| read([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    match document {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        _ => String::from_utf8_lossy(&document[..document.len().min(2 * MOST_BYTES)]).into_owned(),
    }
}

/// One space or line break between words, no control characters, at most [`MOST_BYTES`].
pub(super) fn bounded(text: &str) -> String {
    let mut kept = String::with_capacity(text.len().min(MOST_BYTES));
    let mut gap = None;
    for letter in text.chars() {
        if letter.is_whitespace() {
            gap = if letter == '\n' || gap == Some('\n') { Some('\n') } else { Some(' ') };
            continue;
        }
        if letter.is_control() || letter == '\u{feff}' {
            continue;
        }
        if kept.len() + letter.len_utf8() + 1 > MOST_BYTES {
            break;
        }
        if let Some(gap) = gap.take().filter(|_| !kept.is_empty()) {
            kept.push(gap);
        }
        kept.push(letter);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_brought_into_one_form() {
        assert_eq!(bounded(" a\0 \t b \n\n c\u{7}d "), "a b\ncd");
        assert_eq!(text(b"\xff\xfeh\0i\0"), "hi");
        assert_eq!(bounded(&text("\u{feff}Grüße".as_bytes())), "Grüße");
        assert!(bounded(&"wörter ".repeat(100_000)).len() <= MOST_BYTES);
    }
}
