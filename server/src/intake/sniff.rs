//! What bytes are, found from them alone: names and types that a client sends are claims.

/// Some bytes.
pub(super) const UNKNOWN: &str = "application/octet-stream";

/// The type of a file that begins like this.
pub(super) fn file_type(head: &[u8]) -> &'static str {
    match infer::get(head) {
        Some(found) => found.mime_type(),
        None if is_text(head) => "text/plain",
        None => UNKNOWN,
    }
}

/// UTF-8 without control characters, or what says that it is UTF-16.
fn is_text(head: &[u8]) -> bool {
    if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
        return true;
    }
    let whole = match std::str::from_utf8(head) {
        Ok(text) => text,
        // Cut in the middle of a letter.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !whole.is_empty()
        && !whole.chars().any(|it| it.is_control() && !matches!(it, '\t' | '\n' | '\r' | '\u{c}' | '\u{1b}'))
}

/// Whether words can be read out of such a file.
pub(super) fn has_text(file_type: &str) -> bool {
    file_type.starts_with("text/")
        || file_type.starts_with("application/vnd.openxmlformats-officedocument.")
        || file_type.starts_with("application/vnd.oasis.opendocument.")
        // Some programs write office documents whose first entry does not tell.
        || matches!(file_type, "application/pdf" | "application/zip" | "application/json" | "application/xml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_believed_and_nothing_else() {
        for (bytes, kind) in [
            (&b"hello\n"[..], "text/plain"),
            ("Grüße".as_bytes(), "text/plain"),
            (&"Grüße ü".as_bytes()[..8], "text/plain"),
            (b"\xff\xfeh\0i\0", "text/plain"),
            (b"a\0b", UNKNOWN),
            (b"\x80\x81\x82", UNKNOWN),
            (b"%PDF-1.7 <html>", "application/pdf"),
            (b"\x89PNG\r\n\x1a\n", "image/png"),
            (b"MZ\x90\0", "application/vnd.microsoft.portable-executable"),
            (b"GIF89a=1;alert(1)", "image/gif"),
        ] {
            assert_eq!(file_type(bytes), kind, "{bytes:?}");
        }
        assert!(has_text("text/html") && has_text("application/pdf") && !has_text("image/png"));
    }
}
