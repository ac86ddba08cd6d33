//! Rules for texts that people give: names, descriptions, messages.

use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

use crate::fault::{Fault, Result};

/// The form in which names are compared: compatibility-composed, lower case. "Ada", "ADA" and "Ａda" are one name.
#[must_use]
pub fn key(name: &str) -> String {
    name.trim().nfkc().collect::<String>().to_lowercase().nfkc().collect()
}

/// What a name looks like: "аda" with a Cyrillic а, "ada1" and "adal" look alike (Unicode TS 39 §4, skeletons).
#[must_use]
pub fn skeleton(name: &str) -> String {
    unicode_security::confusable_detection::skeleton(&key(name)).collect()
}

/// A one-line text of 1 to `most` characters without control or direction-changing characters.
///
/// # Errors
/// [`Fault::Invalid`] in `field`.
pub fn line(field: &'static str, text: &str, most: usize) -> Result<String> {
    let text = text.trim();
    let count = text.chars().count();
    if count == 0 {
        return Err(Fault::invalid(field, "must not be empty"));
    }
    if count > most {
        return Err(Fault::invalid(field, format!("has {count} characters, at most {most} are allowed")));
    }
    if text.chars().any(is_deceptive) {
        return Err(Fault::invalid(field, "must not hold control or direction-changing characters"));
    }
    Ok(text.to_owned())
}

/// Like [`line`], but may be absent; an empty text is the same as none.
pub fn optional_line(field: &'static str, text: Option<&str>, most: usize) -> Result<Option<String>> {
    match text.map(str::trim) {
        None | Some("") => Ok(None),
        Some(text) => line(field, text, most).map(Some),
    }
}

/// Control characters break logs and terminals; overrides let "nda.gpj" look like "adn.jpg".
fn is_deceptive(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}' | '\u{FEFF}')
}

/// A message's content: 1 to 16,000 characters, not only white space, no NUL.
///
/// # Errors
/// [`Fault::Invalid`] in `content`.
pub fn content(text: &str, may_be_empty: bool) -> Result<()> {
    if text.trim().is_empty() && !may_be_empty {
        return Err(Fault::invalid("content", "must not be empty"));
    }
    // Bytes first: counting the characters of a megabyte to refuse it would be work for nothing.
    if text.len() > confab_protocol::MESSAGE_CHARACTERS * 4
        || text.chars().count() > confab_protocol::MESSAGE_CHARACTERS
    {
        return Err(Fault::invalid(
            "content",
            format!("has more than {} characters", confab_protocol::MESSAGE_CHARACTERS),
        ));
    }
    if text.contains('\0') {
        // PostgreSQL stores no NUL in text, and nothing shows one.
        return Err(Fault::invalid("content", "must not hold the NUL character"));
    }
    Ok(())
}

/// A fresh secret of 256 bits, in URL-safe letters.
#[must_use]
pub fn secret() -> String {
    use base64::Engine as _;
    let bytes: [u8; 32] = rand::random();
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// The form in which secrets are stored: a stolen database opens nothing.
#[must_use]
pub fn hash(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

/// Bytes in hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        use std::fmt::Write as _;
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_the_same_have_one_key() {
        assert_eq!(key("Ada"), key(" ADA "));
        assert_eq!(key("Ａda"), key("ada"));
        assert_ne!(key("ada"), key("ada_"));
        assert_eq!(skeleton("аdа"), skeleton("ADA"), "Cyrillic letters");
        assert_eq!(skeleton("paypal"), skeleton("paypa1"));
        assert_ne!(skeleton("ada"), skeleton("adah"));
    }

    #[test]
    fn texts_are_allowed_or_refused() {
        assert!(line("name", "Grüße 👋", 80).is_ok());
        for bad in ["", "  ", "a\nb", "a\u{202E}b", "a\0"] {
            assert!(line("name", bad, 80).is_err(), "{bad:?}");
        }
        assert!(content(&"é".repeat(16_000), false).is_ok());
        for bad in ["", " \n", "a\0b", &"é".repeat(16_001)] {
            assert!(content(bad, false).is_err());
        }
        assert!(content("", true).is_ok());
    }
}
