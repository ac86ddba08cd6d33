//! Somebody in a voice channel, as a client without sound is.

use serde_json::{Value, json};

use crate::harness::Socket;
use crate::harness::user::{User, id};
use crate::harness::wait_until;

/// A socket of somebody who is in.
pub struct Seat {
    pub socket: Socket,
    /// The participant.
    pub id: String,
    /// The session that `ready` named.
    pub session: String,
    /// Who was in when they came.
    pub present: Vec<Value>,
    /// What helps browsers to reach each other.
    pub ice: Vec<Value>,
}

/// Where a channel's sockets are.
pub fn address_of(user: &User, channel: &str) -> String {
    format!("{}/voice/{channel}", user.address.gateway())
}

/// Who is in, over REST.
pub fn room_path(room: &Value) -> String {
    format!("/api/v1/channels/{}/voice", id(room))
}

/// Connects and says who it is; what the server answers is not read yet.
pub async fn knock(user: &User, room: &Value) -> Socket {
    let mut socket = Socket::open_at(&address_of(user, id(room))).await.expect("a socket");
    socket.send(&json!({ "op": "identify", "d": { "token": user.access_token } })).await;
    socket
}

/// The same, and joins.
pub async fn enter(user: &User, room: &Value) -> Seat {
    let mut socket = knock(user, room).await;
    let ready = socket.frame("ready").await;
    socket.send(&json!({ "op": "join", "d": {} })).await;
    let joined = socket.frame("joined").await["d"].clone();
    let list = |name: &str| joined[name].as_array().cloned().unwrap_or_else(|| panic!("no {name}: {joined}"));
    Seat {
        id: joined["participant_id"].as_str().expect("an id").to_owned(),
        session: ready["d"]["session_id"].as_str().expect("a session").to_owned(),
        present: list("participants"),
        ice: list("ice_servers"),
        socket,
    }
}

/// Waits until the server of `user` knows who is in: others hear it a moment later than the one where somebody came in.
pub async fn knows(user: &User, seat: &Seat) {
    wait_until("their server to know who is in", async || {
        user.get("/api/v1/voice", 200).await.to_string().contains(&seat.id)
    })
    .await;
}

impl Seat {
    /// Sends a frame.
    pub async fn say(&mut self, op: &str, d: Value) {
        self.socket.send(&json!({ "op": op, "d": d })).await;
    }

    /// The content of the next frame with this op; changes of how people show are passed over.
    pub async fn frame(&mut self, op: &str) -> Value {
        loop {
            let frame = self.socket.next_frame().await;
            if frame["op"] == op {
                return frame["d"].clone();
            }
            assert_eq!(frame["op"], "participant_updated", "while {op} was awaited: {frame}");
        }
    }

    /// Somebody shows as it says.
    pub async fn updated(&mut self, participant: &str, what: &str, value: bool) -> Value {
        loop {
            let shown = self.frame("participant_updated").await;
            if shown["participant_id"] == participant && shown[what] == value {
                return shown;
            }
        }
    }
}
