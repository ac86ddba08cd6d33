//! How much one client may say: what a browser needs, and no more.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use confab_protocol::ParticipantId;
use confab_protocol::voice::{Candidate, VoiceClientFrame};

use crate::gateway::outbox::{self, BAD_FRAME, RATE_LIMITED};
use crate::gateway::wire::Ended;

/// A session description; browsers make some 10 KiB (docs/limits.md).
const SDP_BYTES: usize = 32 * 1_024;
/// One address of a candidate, and each word that belongs to it.
const CANDIDATE_BYTES: usize = 1_024;
/// What a frame says around the words of a candidate.
const CANDIDATE_FRAME: usize = 96;
/// Frames and candidates of a client within [`WINDOW`] (`server/web/js/voice/pace.js` keeps below these and [`BYTES`]): whoever comes into a full room needs half of it.
const FRAMES: u32 = 100;
const CANDIDATES: u32 = 500;
/// All descriptions and addresses of that time together.
const BYTES: usize = 640 * 1_024;
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
        let told = match frame {
            VoiceClientFrame::Offer(it) | VoiceClientFrame::Answer(it) => {
                if it.sdp.len() > SDP_BYTES {
                    return Err(Some(BAD_FRAME));
                }
                Some((it.to, weight(&it.sdp)))
            }
            VoiceClientFrame::Candidate(found) => {
                self.candidates += found.candidates.len() as u32;
                if found.candidates.iter().flat_map(words).any(|word| word.len() > CANDIDATE_BYTES) {
                    return Err(Some(BAD_FRAME));
                }
                let candidates = found.candidates.iter();
                Some((
                    found.to,
                    candidates.map(|it| CANDIDATE_FRAME + words(it).map(weight).sum::<usize>()).sum(),
                ))
            }
            _ => None,
        };
        if !self.is_limited {
            return Ok(());
        }
        let mut bytes_to_one = 0;
        if let Some((to, bytes)) = told {
            self.bytes += bytes;
            let to_one = self.bytes_to.entry(to).or_default();
            *to_one += bytes;
            bytes_to_one = *to_one;
        }
        let is_over = self.frames > FRAMES
            || self.candidates > CANDIDATES
            || self.bytes > BYTES
            || bytes_to_one > BYTES_TO_ONE;
        if is_over { Err(Some(RATE_LIMITED)) } else { Ok(()) }
    }
}

fn words(candidate: &Candidate) -> impl Iterator<Item = &str> {
    let others = [candidate.sdp_mid.as_deref(), candidate.username_fragment.as_deref()];
    std::iter::once(candidate.candidate.as_str()).chain(others.into_iter().flatten())
}

/// Bytes of a text as it is handed on: what JSON escapes is longer, up to six times.
fn weight(text: &str) -> usize {
    let escaped = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 2,
        0..0x20 => 6,
        _ => 1,
    };
    text.bytes().map(escaped).sum()
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
        // The same as addresses, and as what is six times as long on its way.
        let found = |to, word: &str| {
            let candidate = Candidate {
                candidate: word.into(),
                sdp_mid: Some(word.into()),
                sdp_m_line_index: None,
                username_fragment: Some(word.into()),
            };
            VoiceClientFrame::Candidate(Candidates { to, candidates: vec![candidate; 15] })
        };
        let to = ParticipantId::new();
        for (word, passing) in [("a".repeat(1_000), 2), ("\u{1}".repeat(1_000), 0)] {
            let mut flood = Flood::new(true);
            let passed = (0..33).take_while(|_| flood.admit(&found(to, &word)).is_ok()).count();
            assert_eq!(passed, passing, "{word:?}");
        }
        let mut flood = Flood::new(true);
        let refused =
            (0..33).find_map(|_| flood.admit(&found(ParticipantId::new(), &"a".repeat(1_000))).err());
        assert_eq!(refused, Some(Some(RATE_LIMITED)));
        let mut flood = Flood::new(false);
        assert!((0..200).all(|_| flood.admit(&VoiceClientFrame::Heartbeat(None)).is_ok()), "rates are off");
    }
}
