//! Bytes as text (RFC 4648 §4, padded).

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Four letters for each three bytes.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for part in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, at| bits << 8 | u32::from(part.get(at).copied().unwrap_or(0)));
        for at in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= part.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

/// The bytes again; `None` for a text that [`encode`] does not make.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for part in text.as_bytes().chunks(4) {
        let mut bits = 0;
        for letter in part {
            let value = LETTERS.iter().position(|it| it == letter || *letter == b'=')?;
            bits = bits << 6 | u32::try_from(value).ok()?;
        }
        bytes.extend(&bits.to_be_bytes()[1..]);
    }
    let padding = text.len() - text.trim_end_matches('=').len();
    bytes.truncate(bytes.len().checked_sub(padding)?);
    // Paddings in the middle, missing letters and spare bits all show here.
    (encode(&bytes) == text).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_rfc_hold_in_both_directions() {
        let examples =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE=")];
        for (plain, text) in examples {
            assert_eq!(encode(plain.as_bytes()), text);
            assert_eq!(decode(text).as_deref(), Some(plain.as_bytes()));
        }
        let every: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(&encode(&every)), Some(every));
        for wrong in ["Z", "Zg", "Zg=", "Zh==", "Z===", "=", "====", "Zg==Zg==", "Zm 9v", "é"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }
}
