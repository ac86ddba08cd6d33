//! How much one client may say: what a browser needs, and no more.

use std::time::{Duration, Instant};

use confab_protocol::voice::VoiceClientFrame;

use crate::gateway::outbox::{BAD_FRAME, RATE_LIMITED};
use crate::gateway::wire::Ended;

/// A session description; browsers make some 10 KiB (docs/limits.md).
const SDP_BYTES: usize = 32 * 1_024;
/// One address of a candidate, and each word that belongs to it.
const CANDIDATE_BYTES: usize = 1_024;
/// Frames and candidates of a client within [`WINDOW`]: whoever comes into a full room needs half of it.
const FRAMES: u32 = 100;
const CANDIDATES: u32 = 500;
const WINDOW: Duration = Duration::from_secs(10);

/// What one client said lately.
pub struct Flood {
    is_limited: bool,
    began: Instant,
    frames: u32,
    candidates: u32,
}

impl Flood {
    /// Nothing yet. Sizes hold always, rates only where the operator wants them.
    pub fn new(is_limited: bool) -> Self {
        Self { is_limited, began: Instant::now(), frames: 0, candidates: 0 }
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
        match frame {
            VoiceClientFrame::Offer(it) | VoiceClientFrame::Answer(it) if it.sdp.len() > SDP_BYTES => {
                return Err(Some(BAD_FRAME));
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
        let is_over = self.frames > FRAMES || self.candidates > CANDIDATES;
        if self.is_limited && is_over { Err(Some(RATE_LIMITED)) } else { Ok(()) }
    }
}
