//! Compressed frames (RFC 7692). Nothing is remembered from one message to the next, on either side: so an event is
//! compressed once for all sockets, and an idle socket holds no window of 32 KiB.

use std::cell::RefCell;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use crate::gateway::outbox::{BAD_FRAME, Reason, TOO_LARGE};

/// What the server answers to a client that offers compression.
pub const AGREED: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
/// Shorter texts hardly become shorter.
pub const WORTH_IT: usize = 256;

/// What every message ends with before it is sent without it.
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

thread_local! {
    // Both take tens of KiB to make: one of each a thread, begun anew for each message.
    static COMPRESS: RefCell<Compress> = RefCell::new(Compress::new(Compression::new(3), false));
    static DECOMPRESS: RefCell<Decompress> = RefCell::new(Decompress::new(false));
}

/// Whether one of the offers in the header `Sec-WebSocket-Extensions` can be met.
pub fn is_offered(header: &str) -> bool {
    header.split(',').any(|offer| {
        let mut words = offer.split(';').map(str::trim);
        let is_ours = words.next().is_some_and(|name| name.eq_ignore_ascii_case("permessage-deflate"));
        // A smaller window of ours than 32 KiB is asked for by nobody that has been seen, and not offered by the library.
        is_ours && words.all(|word| !word.starts_with("server_max_window_bits"))
    })
}

/// The compressed text.
pub fn deflate(text: &[u8]) -> Option<Vec<u8>> {
    COMPRESS.with_borrow_mut(|compress| {
        compress.reset();
        let mut into = Vec::with_capacity(text.len() / 2 + 64);
        loop {
            let from = &text[compress.total_in() as usize..];
            compress.compress_vec(from, &mut into, FlushCompress::Sync).ok()?;
            // A buffer that is full may not hold all of it.
            if compress.total_in() == text.len() as u64 && into.len() < into.capacity() {
                break;
            }
            into.reserve(into.len().max(256));
        }
        into.ends_with(&TAIL).then(|| {
            into.truncate(into.len() - TAIL.len());
            into
        })
    })
}

/// The text of a client's compressed message, no larger than one that is not compressed, which is `largest`: a few
/// hundred bytes could stand for megabytes.
pub fn inflate(mut payload: Vec<u8>, largest: usize) -> Result<Vec<u8>, Reason> {
    payload.extend_from_slice(&TAIL);
    DECOMPRESS.with_borrow_mut(|decompress| {
        decompress.reset(false);
        let mut into = Vec::with_capacity(largest + 1);
        loop {
            let (read, had) = (decompress.total_in(), into.len());
            let from = &payload[read as usize..];
            let status = decompress.decompress_vec(from, &mut into, FlushDecompress::Sync);
            if into.len() > largest {
                return Err(TOO_LARGE);
            }
            match status {
                Err(_) => return Err(BAD_FRAME),
                Ok(Status::StreamEnd) => return Ok(into),
                Ok(_) if decompress.total_in() == payload.len() as u64 => return Ok(into),
                Ok(_) if decompress.total_in() == read && into.len() == had => return Err(BAD_FRAME),
                Ok(_) => {}
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGEST: usize = 16 * 1_024;

    #[test]
    fn texts_come_back_whatever_their_size() {
        for size in [0, 1, 255, 4_096, LARGEST] {
            let text: Vec<u8> = (0..size).map(|at| b"the quick brown fox "[(at * at) % 20]).collect();
            let packed = deflate(&text).expect("compressed");
            assert_eq!(inflate(packed, LARGEST).expect("inflated"), text);
        }
        let noise: Vec<u8> =
            (0..LARGEST as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        assert_eq!(inflate(deflate(&noise).expect("compressed"), LARGEST).expect("inflated"), noise);
    }

    #[test]
    fn bombs_and_rubbish_are_refused() {
        let bomb = deflate(&vec![b'a'; 1 << 20]).expect("compressed");
        assert!(bomb.len() < 8_192);
        assert_eq!(inflate(bomb, LARGEST), Err(TOO_LARGE));
        assert_eq!(inflate(vec![0xff; 100], LARGEST), Err(BAD_FRAME));
    }

    #[test]
    fn offers_are_read() {
        assert!(is_offered("permessage-deflate; client_max_window_bits"));
        assert!(is_offered("x-webkit-deflate-frame, permessage-deflate"));
        assert!(!is_offered("permessage-deflate; server_max_window_bits=10"));
        assert!(!is_offered(""));
    }
}
