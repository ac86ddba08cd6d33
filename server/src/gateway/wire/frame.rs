//! Frames of RFC 6455: made once for all sockets, taken apart where they lie.

use bytes::Bytes;

use crate::gateway::outbox::{BAD_FRAME, Reason, TOO_LARGE};

/// The longest header: two bytes, eight of length, four of mask.
pub const HEADER: usize = 14;

const FINAL: u8 = 0x80;
const DEFLATED: u8 = 0x40;
const RESERVED: u8 = 0x30;
const MASKED: u8 = 0x80;

/// What a frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// More of a message.
    Continuation,
    /// Text, or the beginning of one.
    Text,
    /// Bytes, which nobody here speaks.
    Binary,
    /// The end.
    Close,
    /// Are you there?
    Ping,
    /// I am.
    Pong,
}

impl Kind {
    fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xa => Self::Pong,
            _ => return None,
        })
    }

    fn code(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xa,
        }
    }

    fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// A frame of a client, unmasked.
#[derive(Debug, PartialEq, Eq)]
pub struct Received {
    pub kind: Kind,
    pub is_final: bool,
    pub is_deflated: bool,
    pub payload: Vec<u8>,
}

/// Takes the first whole frame, of at most `largest` bytes, out of `bytes`. `None`: its end has not come.
pub fn take(bytes: &mut Vec<u8>, may_be_deflated: bool, largest: usize) -> Result<Option<Received>, Reason> {
    let [first, second, rest @ ..] = &bytes[..] else { return Ok(None) };
    let kind = Kind::from_code(first & 0xf).ok_or(BAD_FRAME)?;
    let (is_final, is_deflated) = (first & FINAL != 0, first & DEFLATED != 0);
    let is_bad_control = kind.is_control() && (!is_final || is_deflated || second & 0x7f > 125);
    // What a client does not mask, a proxy between could take for something else (RFC 6455, 10.3).
    if first & RESERVED != 0 || second & MASKED == 0 || is_bad_control {
        return Err(BAD_FRAME);
    }
    if is_deflated && (!may_be_deflated || kind == Kind::Continuation) {
        return Err(BAD_FRAME);
    }
    let (length, start) = match second & 0x7f {
        126 => match rest.first_chunk() {
            Some(length) => (u64::from(u16::from_be_bytes(*length)), 4),
            None => return Ok(None),
        },
        127 => match rest.first_chunk() {
            Some(length) => (u64::from_be_bytes(*length), 10),
            None => return Ok(None),
        },
        short => (u64::from(short), 2),
    };
    if length > largest as u64 {
        return Err(TOO_LARGE);
    }
    let (from, end) = (start + 4, start + 4 + length as usize);
    if bytes.len() < end {
        return Ok(None);
    }
    let mask = [bytes[start], bytes[start + 1], bytes[start + 2], bytes[start + 3]];
    let mut payload = bytes[from..end].to_vec();
    for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
    bytes.drain(..end);
    Ok(Some(Received { kind, is_final, is_deflated, payload }))
}

/// A text as it goes over the wire.
pub fn text(text: &[u8]) -> Bytes {
    whole(Kind::Text, false, text)
}

/// A compressed text.
pub fn deflated(payload: &[u8]) -> Bytes {
    whole(Kind::Text, true, payload)
}

/// A frame that says something of the connection; at most 125 bytes of it.
pub fn control(kind: Kind, payload: &[u8]) -> Bytes {
    whole(kind, false, &payload[..payload.len().min(125)])
}

/// The end, and why.
pub fn close(reason: Reason) -> Bytes {
    let mut payload = reason.code.to_be_bytes().to_vec();
    payload.extend_from_slice(reason.text.as_bytes());
    control(Kind::Close, &payload)
}

fn whole(kind: Kind, is_deflated: bool, payload: &[u8]) -> Bytes {
    let mut frame = Vec::with_capacity(payload.len() + HEADER);
    put_header(&mut frame, kind, is_deflated, payload.len());
    frame.extend_from_slice(payload);
    Bytes::from(frame)
}

/// The header of a text of which the parts are elsewhere.
pub fn header_of_text(length: usize) -> Vec<u8> {
    let mut header = Vec::with_capacity(HEADER);
    put_header(&mut header, Kind::Text, false, length);
    header
}

fn put_header(into: &mut Vec<u8>, kind: Kind, is_deflated: bool, length: usize) {
    into.push(FINAL | if is_deflated { DEFLATED } else { 0 } | kind.code());
    match (u16::try_from(length), length) {
        (_, ..126) => into.push(length as u8),
        (Ok(short), _) => {
            into.push(126);
            into.extend_from_slice(&short.to_be_bytes());
        }
        (Err(_), _) => {
            into.push(127);
            into.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first];
        match payload.len() {
            short @ ..126 => bytes.push(MASKED | short as u8),
            long => {
                bytes.push(MASKED | 0x7e);
                bytes.extend_from_slice(&(long as u16).to_be_bytes());
            }
        }
        bytes.extend_from_slice(&[1, 2, 3, 4]);
        bytes.extend(payload.iter().zip([1, 2, 3, 4].iter().cycle()).map(|(byte, mask)| byte ^ mask));
        bytes
    }

    #[test]
    fn frames_are_taken_whole_however_they_come() {
        let mut all = masked(0x81, b"hello");
        all.extend(masked(0x01, &[b'x'; 300]));
        all.extend(masked(0x89, b""));
        let (mut bytes, mut found) = (Vec::new(), Vec::new());
        for byte in all {
            bytes.push(byte);
            found.extend(take(&mut bytes, false, 1_024).expect("good frames"));
        }
        assert!(bytes.is_empty());
        assert_eq!(
            found.iter().map(|it| (it.kind, it.is_final, it.payload.len())).collect::<Vec<_>>(),
            [(Kind::Text, true, 5), (Kind::Text, false, 300), (Kind::Ping, true, 0)]
        );
        assert_eq!(found[0].payload, b"hello");
    }

    #[test]
    fn what_is_no_frame_of_a_client_is_refused() {
        let refused =
            |mut bytes: Vec<u8>, deflate| take(&mut bytes, deflate, 1_024).expect_err("a bad frame");
        assert_eq!(refused(vec![0x81, 1, b'a'], false), BAD_FRAME, "not masked");
        assert_eq!(refused(masked(0x91, b"a"), false), BAD_FRAME, "a reserved bit");
        assert_eq!(refused(masked(0xc1, b"a"), false), BAD_FRAME, "compressed, and nobody agreed to that");
        assert_eq!(refused(masked(0xc0, b"a"), true), BAD_FRAME, "only the first of a message says so");
        assert_eq!(refused(masked(0xc9, b"a"), true), BAD_FRAME, "a compressed ping");
        assert_eq!(refused(masked(0x83, b"a"), false), BAD_FRAME, "no such kind");
        assert_eq!(refused(masked(0x09, b"a"), false), BAD_FRAME, "a ping in parts");
        assert_eq!(refused(masked(0x89, &[0; 126]), false), BAD_FRAME, "a long ping");
        let huge = [&[0x81, 0xff][..], &u64::MAX.to_be_bytes()].concat();
        assert_eq!(refused(huge, false), TOO_LARGE, "before any of it is kept");
    }

    #[test]
    fn headers_have_the_shortest_length_that_fits() {
        assert_eq!(text(b"a")[..], [0x81, 1, b'a']);
        assert_eq!(text(&[0; 126])[..4], [0x81, 126, 0, 126]);
        assert_eq!(text(&vec![0; 65_536])[..10], [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
        assert_eq!(header_of_text(70_000), [0x81, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70]);
        assert_eq!(close(BAD_FRAME)[..4], [0x88, 11, 0x0f, 0xa1]);
    }
}
