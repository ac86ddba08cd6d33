//! What is posted: texts of 120 bytes, each with its number.

/// Walks a whole channel without order: it shares no divisor with the usual lengths, and is the same in every run.
pub const STRIDE: i64 = 104_729;

/// The text of message `number`.
pub fn numbered(number: u64) -> String {
    format!("{:<120}", format!("m{number} we measure how long this takes to reach all of you, word for word, like most of what people say here"))
        .chars()
        .take(119)
        .chain(['.'])
        .collect()
}

/// The number of the message in an event, and the event's position, found without decoding it.
pub fn found_in(event: &[u8]) -> Option<(u64, i64)> {
    if !event.starts_with(b"{\"op\":\"event\"") {
        return None;
    }
    let pos = digits(event, b"\"pos\":")?;
    let number = digits(event, b"\"content\":\"m")?;
    Some((number, pos as i64))
}

fn digits(text: &[u8], before: &[u8]) -> Option<u64> {
    let start = memchr::memmem::find(text, before)? + before.len();
    let digits = text[start..].iter().take_while(|byte| byte.is_ascii_digit());
    let (number, count) =
        digits.fold((0_u64, 0), |(number, count), digit| (number * 10 + u64::from(digit - b'0'), count + 1));
    (count > 0).then_some(number)
}

#[test]
fn a_text_is_as_long_as_it_says_and_keeps_its_number() {
    for number in [0, 7, 1_234_567] {
        let text = numbered(number);
        assert_eq!(text.len(), 120, "{text}");
        let event = format!(r#"{{"op":"event","t":"new_message","pos":12,"d":{{"content":"{text}"}}}}"#);
        assert_eq!(found_in(event.as_bytes()), Some((number, 12)));
    }
    assert_eq!(found_in(br#"{"op":"event","t":"member_joined","pos":3,"d":{}}"#), None);
    assert_eq!(found_in(br#"{"op":"ack"}"#), None);
}
