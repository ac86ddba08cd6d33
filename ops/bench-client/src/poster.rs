//! The ways to post: over REST at Confab and at the framework's floor, over sockets at the raw floors.

use std::sync::Arc;

use serde_json::json;
use tokio::sync::Mutex;

use crate::Result;
use crate::http::{Pool, request};
use crate::person::{self, Person};
use crate::socket::Socket;
use crate::text::numbered;

/// Sockets that post to a floor: so many that none waits for another.
const SOCKETS: usize = 8;

/// Posts message after message.
pub enum Poster {
    /// To Confab: each channel's id and people who may post there, who take turns.
    Confab { pool: Pool, channels: Vec<(String, Vec<Person>)> },
    /// To the framework's floor.
    Rest(Pool),
    /// To a raw floor.
    Sockets(Vec<Arc<Mutex<Socket>>>),
}

impl Poster {
    /// For the raw floor at `host`.
    pub async fn sockets(host: &str) -> Result<Self> {
        let mut sockets = Vec::with_capacity(SOCKETS);
        for _ in 0..SOCKETS {
            sockets.push(Arc::new(Mutex::new(Socket::open(host, "/ws").await?)));
        }
        Ok(Self::Sockets(sockets))
    }

    /// Posts message `number` to a channel. REST waits for the acknowledgement.
    pub async fn post(&self, number: u64, channel: usize) -> Result<()> {
        let content = numbered(number);
        match self {
            Self::Confab { pool, channels } => {
                let (id, people) = &channels[channel];
                let bytes = person::post(&people[number as usize % people.len()], id, &content);
                pool.exchange(&bytes).await?.require_success(&bytes)
            }
            Self::Rest(pool) => {
                let path = format!("/channels/{channel}/messages");
                let bytes = request("POST", &path, "", &json!({ "content": content }).to_string());
                pool.exchange(&bytes).await?.require_success(&bytes)
            }
            Self::Sockets(sockets) => {
                let mut socket = sockets[number as usize % sockets.len()].lock().await;
                socket.say(&send(channel, &content)).await
            }
        }
    }
}

/// A floor's frame that posts.
pub fn send(channel: usize, content: &str) -> String {
    json!({ "op": "send", "channel": channel, "content": content }).to_string()
}
