//! A streamed answer on its way to the library: only whole lines of data that are JSON pass, and only so many bytes. The
//! library writes what it cannot read into the log, whole, and it would wait for a line without an end.

use std::io::{Error, ErrorKind};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};
use serde::de::IgnoredAny;

/// Of one line.
const LINE_BYTES: usize = 64 * 1024;
/// Of one answer.
const MOST_BYTES: usize = 4 * 1024 * 1024;
const DONE: &[u8] = b"data: [DONE]\n\n";

struct Lines<S> {
    from: S,
    waiting: BytesMut,
    count: usize,
    is_over: bool,
}

/// The lines of `from` that may pass, each as an event of its own.
pub(super) fn checked<S, E>(from: S) -> impl Stream<Item = Result<Bytes, Error>> + Send + 'static
where
    S: Stream<Item = Result<Bytes, E>> + Send + Unpin + 'static,
    E: Send + 'static,
{
    let lines = Lines { from, waiting: BytesMut::new(), count: 0, is_over: false };
    stream::unfold(lines, |mut lines| async move { lines.next().await.map(|event| (event, lines)) })
}

impl<S, E> Lines<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        while !self.is_over {
            if let Some(end) = self.waiting.iter().position(|byte| *byte == b'\n') {
                let line = self.waiting.split_to(end + 1);
                match event(&line) {
                    Ok(Some(event)) => return Some(Ok(event)),
                    Ok(None) => continue,
                    Err(reason) => return Some(self.broken(reason)),
                }
            }
            match self.from.next().await {
                Some(Ok(part)) => {
                    self.count += part.len();
                    self.waiting.extend_from_slice(&part);
                    if self.count > MOST_BYTES || self.waiting.len() > LINE_BYTES {
                        return Some(self.broken("longer than an answer can be"));
                    }
                }
                Some(Err(_)) => return Some(self.broken("broken off")),
                None => {
                    self.is_over = true;
                    return match event(&std::mem::take(&mut self.waiting)) {
                        Ok(Some(event)) => Some(Ok(event)),
                        _ => Some(Ok(Bytes::from_static(DONE))),
                    };
                }
            }
        }
        None
    }

    fn broken(&mut self, reason: &'static str) -> Result<Bytes, Error> {
        self.is_over = true;
        Err(Error::new(ErrorKind::InvalidData, reason))
    }
}

/// The event of a line; `None`: nothing that matters here.
fn event(line: &[u8]) -> Result<Option<Bytes>, &'static str> {
    let line = line.trim_ascii();
    let Some(data) = line.strip_prefix(b"data:") else { return Ok(None) };
    let data = data.trim_ascii();
    if data == b"[DONE]" {
        return Ok(Some(Bytes::from_static(DONE)));
    }
    if serde_json::from_slice::<IgnoredAny>(data).is_err() {
        return Err("what is no JSON");
    }
    Ok(Some(Bytes::from([b"data: ", data, b"\n\n"].concat())))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn passed(parts: &[&'static str]) -> Vec<Result<String, ErrorKind>> {
        let parts: Vec<_> =
            parts.iter().map(|part| Ok::<_, ()>(Bytes::from_static(part.as_bytes()))).collect();
        let from = stream::iter(parts);
        checked(Box::pin(from))
            .map(|it| it.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).map_err(|it| it.kind()))
            .collect()
            .await
    }

    #[tokio::test]
    async fn only_lines_of_json_pass() {
        let event = |text: &str| Ok(format!("data: {text}\n\n"));
        assert_eq!(
            passed(&[": hello\nda", "ta: {\"a\":1}\r\n\r\nevent: x\ndata:[DONE]\n\n"]).await,
            [event(r#"{"a":1}"#), event("[DONE]"), event("[DONE]")]
        );
        assert_eq!(passed(&["data: {\"a\":1}"]).await, [event(r#"{"a":1}"#)], "without its last line end");
        assert_eq!(passed(&["data: <html>\n\n", "data: {}\n\n"]).await, [Err(ErrorKind::InvalidData)]);
        let long: &'static str = "x".repeat(LINE_BYTES + 1).leak();
        assert_eq!(passed(&[long]).await, [Err(ErrorKind::InvalidData)]);
    }
}
