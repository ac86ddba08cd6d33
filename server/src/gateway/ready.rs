//! What a client needs for its first screen, in the pieces of which its frame is written.

use bytes::Bytes;
use confab_core::channels::{self, Scope};
use confab_core::sessions::Method;
use confab_core::{Db, Fault, FutureExt, Result, presences, users};
use confab_protocol::{PAGE_LIMIT, SessionId, UserId};

use super::wire::Wire;
use super::wire::frame;

/// Channels in a `ready` frame; an account with more reads the rest by REST.
const CHANNELS: usize = 2_000;
/// Dots in a `ready` frame; the first screen shows fewer.
const PRESENCES: u32 = 500;
/// Around the dots.
const PRESENT: &[u8] = br#","presences":["#;
const END: &[u8] = b"]}}";

/// The account and the channels, as JSON without brackets.
pub async fn state(db: &Db, user: UserId, method: Method) -> Result<Bytes> {
    let read = db.look(move |on| {
        async move {
            let mut mine = Vec::new();
            let mut after = None;
            while mine.len() < CHANNELS {
                let page = channels::list(on, user, Scope::Mine, after, PAGE_LIMIT).await?;
                let is_last = page.len() < PAGE_LIMIT as usize;
                after = page.last().map(|channel| (channel.name.clone(), channel.id));
                mine.extend(page);
                if is_last {
                    break;
                }
            }
            Ok((mine, users::own(on, user, method).await?))
        }
        .boxed()
    });
    let (mine, own) = read.await?;
    let mut text = br#""user":"#.to_vec();
    serde_json::to_writer(&mut text, &own).map_err(Fault::internal)?;
    text.extend_from_slice(br#","channels":"#);
    serde_json::to_writer(&mut text, &mine).map_err(Fault::internal)?;
    Ok(Bytes::from(text))
}

/// Who is not offline among those around, as the record has it: JSON without brackets.
pub async fn around(db: &Db, user: UserId) -> Result<Bytes> {
    let around = presences::around(&mut db.read(), user, PRESENCES).await?;
    let text = serde_json::to_vec(&around).map_err(Fault::internal)?;
    let end = text.len().saturating_sub(1);
    Ok(Bytes::from(text).slice(1..end))
}

/// The first frame. Its pieces are shared with other sockets, and nothing of it stays with this one.
pub fn frame(
    wire: &Wire,
    session: SessionId,
    epoch: &str,
    pos: i64,
    state: &Bytes,
    presences: &Bytes,
) -> Vec<Bytes> {
    let begin = format!(r#"{{"op":"ready","d":{{"session_id":"{session}","epoch":"{epoch}","pos":{pos},"#);
    let middle = Bytes::from_static(PRESENT);
    whole(wire, [Bytes::from(begin), state.clone(), middle, presences.clone(), Bytes::from_static(END)])
}

/// The frame behind what was missed.
pub fn resumed(wire: &Wire, replayed: u64, pos: i64, presences: &Bytes) -> Vec<Bytes> {
    let begin = format!(r#"{{"op":"resumed","d":{{"replayed":{replayed},"pos":{pos}"#);
    let middle = Bytes::from_static(PRESENT);
    whole(wire, [Bytes::from(begin), middle, presences.clone(), Bytes::from_static(END)])
}

fn whole<const N: usize>(wire: &Wire, pieces: [Bytes; N]) -> Vec<Bytes> {
    if wire.is_deflated {
        return vec![wire.packed(&pieces.concat())];
    }
    let length = pieces.iter().map(Bytes::len).sum();
    std::iter::once(Bytes::from(frame::header_of_text(length))).chain(pieces).collect()
}
