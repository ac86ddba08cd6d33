//! Frames on the wire: read with their limits, written with a deadline.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error as WsError, Message as WsMessage, error::CapacityError};

use super::outbox::{BAD_FRAME, INTERNAL, RATE_LIMITED, Reason, TOO_LARGE, TOO_SLOW};

/// One peer's frames.
pub type Stream<S> = WebSocketStream<S>;
/// Why a socket ends: a reason to tell the peer, or the peer went.
pub type Ended = Option<Reason>;

/// A peer that takes nothing for so long is cut off.
pub const WRITE_WITHIN: Duration = Duration::from_secs(10);
/// Frames without text, such as pings, between two with text.
const OTHER_FRAMES: u32 = 240;
/// Deeper JSON is refused before it is read.
const DEPTH: usize = 32;

pub async fn read<Frame: DeserializeOwned, S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut Stream<S>,
) -> std::result::Result<Frame, Ended> {
    let mut others = 0_u32;
    loop {
        others += 1;
        // Pings are answered by the library; a flood of nothing else is no client.
        if others > OTHER_FRAMES {
            return Err(Some(RATE_LIMITED));
        }
        match stream.next().await {
            Some(Ok(WsMessage::Text(text))) => {
                if depth(&text) > DEPTH {
                    return Err(Some(BAD_FRAME));
                }
                return serde_json::from_str(&text).map_err(|error| {
                    tracing::debug!(%error, "a frame that cannot be read");
                    Some(BAD_FRAME)
                });
            }
            Some(Ok(WsMessage::Binary(_))) => return Err(Some(BAD_FRAME)),
            Some(Ok(WsMessage::Close(_))) | None => return Err(None),
            Some(Ok(_)) => {}
            Some(Err(WsError::Capacity(CapacityError::MessageTooLong { .. }))) => {
                return Err(Some(TOO_LARGE));
            }
            Some(Err(_)) => return Err(None),
        }
    }
}

/// How deep arrays and objects are nested, without reading them: the parser recurses.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

pub async fn write<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut Stream<S>,
    frame: &impl Serialize,
) -> std::result::Result<(), Ended> {
    let text = serde_json::to_string(frame).map_err(|_| Some(INTERNAL))?;
    timed(stream.send(WsMessage::Text(text.into()))).await
}

/// A peer that reads nothing must not hold this task: it comes back and resumes.
pub async fn timed(
    done: impl Future<Output = std::result::Result<(), WsError>>,
) -> std::result::Result<(), Ended> {
    match tokio::time::timeout(WRITE_WITHIN, done).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(None),
        Err(_) => Err(Some(TOO_SLOW)),
    }
}

#[cfg(test)]
mod tests {
    use super::depth;

    #[test]
    fn nesting_is_counted_outside_of_texts() {
        assert_eq!(depth(r#"{"op":"send","d":{"content":"[[[[\"{{"}}"#), 2);
        assert_eq!(depth(&"[".repeat(1_000)), 1_000);
    }
}
