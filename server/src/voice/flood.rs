//! How much one client may say: what a browser needs, and no more.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use confab_protocol::ParticipantId;
use confab_protocol::voice::VoiceClientFrame;

use crate::gateway::outbox::{self, BAD_FRAME, RATE_LIMITED};
use crate::gateway::wire::Ended;

/// A session description; browsers make some 10 KiB (docs/limits.md).
const SDP_BYTES: usize = 32 * 1_024;
/// One address of a candidate, and each word that belongs to it.
const CANDIDATE_BYTES: usize = 1_024;
/// Frames and candidates of a client within [`WINDOW`]: whoever comes into a full room needs half of it.
const FRAMES: u32 = 100;
const CANDIDATES: u32 = 500;
/// All descriptions of that time together.
const BYTES: usize = 512 * 1_024;
/// Those of them to one person: twice as many, of two times that follow each other, are half of what may wait for who reads slowly, so
/// that nobody can have somebody else closed.
const BYTES_TO_ONE: usize = outbox::BYTES / 4;
const WINDOW: Duration = Duration::from_secs(10);

/// What one client said lately.
pub struct Flood {
    is_limited: bool,
    began: Instant,
    frames: u32,
    candidates: u32,
    bytes: usize,
    /// Of those who were told something: at most as many as frames.
    bytes_to: HashMap<ParticipantId, usize>,
}

impl Flood {
    /// Nothing yet. Sizes hold always, rates only where the operator wants them.
    pub fn new(is_limited: bool) -> Self {
        Self {
            is_limited,
            began: Instant::now(),
            frames: 0,
            candidates: 0,
            bytes: 0,
            bytes_to: HashMap::new(),
        }
    }

    /// Counts a frame.
    ///
    /// # Errors
    /// Why the socket is closed: a frame that no browser makes, or one too many.
    pub fn admit(&mut self, frame: &VoiceClientFrame) -> Result<(), Ended> {
        if self.began.elapsed() > WINDOW {
            *self = Self::new(self.is_limited);
        }
        self.frames += 1;
        let mut bytes_to_one = 0;
        match frame {
            VoiceClientFrame::Offer(it) | VoiceClientFrame::Answer(it) => {
                self.bytes += it.sdp.len();
                if self.is_limited {
                    let to_one = self.bytes_to.entry(it.to).or_default();
                    *to_one += it.sdp.len();
                    bytes_to_one = *to_one;
                }
                if it.sdp.len() > SDP_BYTES {
                    return Err(Some(BAD_FRAME));
                }
            }
            VoiceClientFrame::Candidate(found) => {
                self.candidates += found.candidates.len() as u32;
                let is_odd = found.candidates.iter().any(|it| {
                    let words = [Some(&it.candidate), it.sdp_mid.as_ref(), it.username_fragment.as_ref()];
                    words.into_iter().flatten().any(|word| word.len() > CANDIDATE_BYTES)
                });
                if is_odd {
                    return Err(Some(BAD_FRAME));
                }
            }
            _ => {}
        }
        let is_over = self.frames > FRAMES
            || self.candidates > CANDIDATES
            || self.bytes > BYTES
            || bytes_to_one > BYTES_TO_ONE;
        if self.is_limited && is_over { Err(Some(RATE_LIMITED)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use confab_protocol::ParticipantId;
    use confab_protocol::voice::{Candidate, Candidates, Description, VoiceClientFrame};

    use super::Flood;
    use crate::gateway::outbox::{BAD_FRAME, RATE_LIMITED};

    fn offer(bytes: usize) -> VoiceClientFrame {
        VoiceClientFrame::Offer(Description { to: ParticipantId::new(), sdp: "v".repeat(bytes) })
    }

    #[test]
    fn whoever_comes_into_the_fullest_room_is_within_the_bounds() {
        let mut flood = Flood::new(true);
        let candidate = Candidate {
            candidate: "candidate:1 1 udp 1 10.0.0.1 9 typ host".into(),
            sdp_mid: Some("0".into()),
            sdp_m_line_index: Some(0),
            username_fragment: None,
        };
        for _ in 0..49 {
            let candidates = vec![candidate.clone(); 8];
            let found = Candidates { to: ParticipantId::new(), candidates };
            assert!(
                flood.admit(&offer(8_000)).is_ok()
                    && flood.admit(&VoiceClientFrame::Candidate(found)).is_ok()
            );
        }
    }

    #[test]
    fn what_no_browser_says_is_too_much() {
        assert_eq!(Flood::new(false).admit(&offer(33_000)), Err(Some(BAD_FRAME)));
        let mut flood = Flood::new(true);
        let refused = (0..100).find_map(|_| flood.admit(&offer(32_000)).err());
        assert_eq!(refused, Some(Some(RATE_LIMITED)), "megabytes in frames of a proper size");
        let mut flood = Flood::new(true);
        let to_one = offer(32_000);
        assert_eq!(
            (0..4).map(|_| flood.admit(&to_one).is_ok()).collect::<Vec<_>>(),
            [true, true, true, false],
            "one person may be slow"
        );
        let mut flood = Flood::new(false);
        assert!((0..200).all(|_| flood.admit(&VoiceClientFrame::Heartbeat(None)).is_ok()), "rates are off");
    }
}
