//! Who is in which channel, and the event that all of them get.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{PoisonError, RwLock};

use bytes::{BufMut, Bytes, BytesMut};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;
use uuid::Uuid;

/// Channels by number, each with the queues of its members.
#[derive(Default)]
pub struct Hall {
    channels: RwLock<Vec<Vec<UnboundedSender<Bytes>>>>,
    last_pos: AtomicI64,
}

impl Hall {
    /// Adds a member's queue to the channels that `query` names: `channels=0,7`.
    pub fn join(&self, query: &str, queue: &UnboundedSender<Bytes>) {
        let numbers = query.split_once("channels=").map_or("", |(_, rest)| rest);
        let mut channels = self.channels.write().unwrap_or_else(PoisonError::into_inner);
        for number in numbers.split(',').filter_map(|it| it.parse::<usize>().ok()) {
            if channels.len() <= number {
                channels.resize_with(number + 1, Vec::new);
            }
            channels[number].push(queue.clone());
        }
    }

    /// Makes the event of a post, once, and queues it for every member. `frame` makes what is queued of its text.
    pub fn publish(&self, channel: usize, content: &str, frame: impl Fn(&str) -> Bytes) {
        let pos = self.last_pos.fetch_add(1, Ordering::Relaxed) + 1;
        let bytes = frame(&event(pos, content));
        let channels = self.channels.read().unwrap_or_else(PoisonError::into_inner);
        for queue in channels.get(channel).into_iter().flatten() {
            // Whoever has gone hears nothing; floors never tidy up.
            let _ = queue.send(bytes.clone());
        }
    }
}

/// About 330 bytes with a text of 120.
fn event(pos: i64, content: &str) -> String {
    let id = Uuid::nil();
    format!(
        r#"{{"op":"event","t":"new_message","pos":{pos},"d":{{"id":"{id}","channel_id":"{id}","seq":{pos},"sender_id":"{id}","content":{},"created_at":"2026-01-01T00:00:00.000Z"}}}}"#,
        Value::from(content)
    )
}

/// A post as clients send it: `{"op":"send","channel":0,"content":"…"}`.
pub fn post_in(text: &[u8]) -> Option<(usize, String)> {
    let value: Value = serde_json::from_slice(text).ok()?;
    let channel = value["channel"].as_u64()? as usize;
    Some((channel, value["content"].as_str()?.to_owned()))
}

/// The answer to a post.
pub fn ack() -> Value {
    json!({ "op": "ack" })
}

/// A server's WebSocket frame around a text.
pub fn framed(text: &str) -> Bytes {
    let mut frame = BytesMut::with_capacity(text.len() + 4);
    frame.put_u8(0x81);
    match text.len() {
        short @ ..126 => frame.put_u8(short as u8),
        long => {
            frame.put_u8(126);
            frame.put_u16(long as u16);
        }
    }
    frame.put_slice(text.as_bytes());
    frame.freeze()
}
