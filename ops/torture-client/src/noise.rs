//! A bus that repeats itself: a fifth of all events are published once more, up to two seconds late and so out of order,
//! with another id than JetStream knows them by, yet one of this installation: without it readers would pass them over unread.
//! Nobody may see anything of it.
//!
//! It speaks just enough of NATS's own words for that.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use rand::rngs::StdRng;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::mpsc;

use crate::Result;
use crate::board::Board;

/// Where servers tell of events (the default of `nats_prefix`, and its subject).
const SUBJECT: &str = "confab.events";
/// A header that marks what was said again, so that it is not said a third time.
const MARK: &str = "Confab-Torture";
/// The header of the id, `{epoch}:{pos}`.
const ID: &str = "Nats-Msg-Id: ";
const SHARE: f64 = 0.2;
const LATE_MS: u64 = 2_000;
const AGAIN_AFTER: Duration = Duration::from_millis(200);
/// Events that wait to be said again; more are let be.
const WAITING: usize = 1_024;

/// Repeats until the run stops, over as many connections as it takes.
pub async fn repeat(bus: SocketAddr, mut rng: StdRng, board: Arc<Board>) -> Result<()> {
    let stop = board.stop.clone();
    while !stop.is_cancelled() {
        // It breaks with every restart of NATS.
        let _ = stop.run_until_cancelled(one_connection(bus, &mut rng, &board)).await;
        board.pause(AGAIN_AFTER).await;
    }
    Ok(())
}

async fn one_connection(bus: SocketAddr, rng: &mut StdRng, board: &Arc<Board>) -> Result<()> {
    let (from, to) = TcpStream::connect(bus).await?.into_split();
    let mut from = BufReader::new(from);
    let (say, said) = mpsc::channel::<Vec<u8>>(WAITING);
    tokio::spawn(speak(to, said, board.clone()));
    say.send(format!("CONNECT {{\"verbose\":false,\"headers\":true}}\r\nSUB {SUBJECT} 1\r\n").into_bytes())
        .await?;
    let mut line = String::new();
    loop {
        line.clear();
        if from.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        if line.starts_with("PING") {
            say.send(b"PONG\r\n".to_vec()).await?;
        }
        let Some((head, all)) = sizes(&line) else { continue };
        let mut body = vec![0; all + 2];
        from.read_exact(&mut body).await?;
        let (headers, payload) = (&body[..head], &body[head..all]);
        let headers = String::from_utf8_lossy(headers);
        let id = headers.lines().find_map(|line| line.strip_prefix(ID)).unwrap_or_default();
        if !headers.contains(MARK) && rng.random_bool(SHARE) {
            let (bytes, say) = (again(id, payload), say.clone());
            let late = Duration::from_millis(rng.random_range(0..LATE_MS));
            tokio::spawn(async move {
                tokio::time::sleep(late).await;
                let _ = say.try_send(bytes);
            });
        }
    }
}

/// Ends with the last who has something to say, or with the connection.
async fn speak(mut to: OwnedWriteHalf, mut said: mpsc::Receiver<Vec<u8>>, board: Arc<Board>) {
    while let Some(bytes) = said.recv().await {
        if to.write_all(&bytes).await.is_err() {
            return;
        }
        if bytes.starts_with(b"HPUB") {
            board.repeated.add();
        }
    }
}

/// The sizes of headers and of all in a line that announces a message: `MSG subject sid [reply] all` or
/// `HMSG subject sid [reply] head all`.
fn sizes(line: &str) -> Option<(usize, usize)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match *words.first()? {
        "MSG" => Some((0, words.last()?.parse().ok()?)),
        "HMSG" => {
            let (head, all) = (words.get(words.len() - 2)?.parse().ok()?, words.last()?.parse().ok()?);
            (head <= all).then_some((head, all))
        }
        _ => None,
    }
}

fn again(id: &str, payload: &[u8]) -> Vec<u8> {
    let headers = format!("NATS/1.0\r\n{ID}{id}-again\r\n{MARK}: again\r\n\r\n");
    let (head, all) = (headers.len(), headers.len() + payload.len());
    let mut bytes = format!("HPUB {SUBJECT} {head} {all}\r\n{headers}").into_bytes();
    bytes.extend_from_slice(payload);
    bytes.extend_from_slice(b"\r\n");
    bytes
}

#[cfg(test)]
mod tests {
    use super::{again, sizes};

    #[test]
    fn announcements_are_read() {
        assert_eq!(sizes("MSG confab.events 1 11\r\n"), Some((0, 11)));
        assert_eq!(sizes("HMSG confab.events 1 _INBOX.x 34 45\r\n"), Some((34, 45)));
        assert_eq!(sizes("HMSG confab.events 1 50 45\r\n"), None);
        assert_eq!(sizes("+OK\r\n"), None);
        let bytes = String::from_utf8(again("e:7", b"{}")).unwrap();
        let headers = "NATS/1.0\r\nNats-Msg-Id: e:7-again\r\nConfab-Torture: again\r\n\r\n";
        assert_eq!(
            bytes,
            format!("HPUB confab.events {} {}\r\n{headers}{{}}\r\n", headers.len(), headers.len() + 2)
        );
    }
}
