//! Somebody who posts, edits and deletes without pause, and asks again with the same nonce until there is an answer.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::Rng;
use rand::rngs::StdRng;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Result;
use crate::board::Board;
use crate::evidence::id;
use crate::findings::Kind;
use crate::journal::{Act, Journal};
use crate::people::{OWNER, VICTIM};
use crate::person::Person;
use crate::rooms::{self, Rooms};
use crate::socket::{Next, Socket};

/// Own messages remembered for edits, deletions and answers.
const REMEMBERED: usize = 48;
/// Of a hundred acts, so many are edits and so many deletions; the others are posts.
const EDITS: u32 = 9;
const DELETES: u32 = 5;
/// Of a hundred posts, so many answer an own message.
const ANSWERS: u32 = 15;
/// The share of posts that are sent twice at once.
const TWICE: f64 = 0.03;
/// The shares of posts that call the owner, that call a visitor in a private room, and that carry a file there.
const CALLS: f64 = 0.01;
const VISITOR_CALLS: f64 = 0.05;
const FILES: f64 = 0.005;
/// Visitors who are called.
const CALLED: u16 = 4;
/// A socket that says nothing of a send for so long is given up.
const ACK_WITHIN: Duration = Duration::from_secs(8);
const AGAIN_AFTER: Duration = Duration::from_millis(100);
/// See [`Person::insist`].
const GIVE_UP: Duration = Duration::from_mins(3);

/// A message that this writer may change.
struct Own {
    id: Uuid,
    room: usize,
    version: i64,
    is_root: bool,
}

/// See the module.
pub struct Writer {
    person: Arc<Person>,
    rooms: Rooms,
    rng: StdRng,
    journal: Arc<Journal>,
    board: Arc<Board>,
    over_socket: bool,
    socket: Option<Socket>,
    own: VecDeque<Own>,
}

impl Writer {
    /// Somebody who posts over REST, or over a socket; edits and deletions are REST's.
    pub fn new(
        person: Arc<Person>,
        rooms: Rooms,
        rng: StdRng,
        journal: Arc<Journal>,
        board: Arc<Board>,
        over_socket: bool,
    ) -> Self {
        Self { person, rooms, rng, journal, board, over_socket, socket: None, own: VecDeque::new() }
    }

    /// Writes until the run stops; what was begun by then is brought to its end.
    pub async fn write(mut self) -> Result<()> {
        while !self.board.stop.is_cancelled() {
            let choice = self.rng.random_range(0..100);
            if choice < EDITS && !self.own.is_empty() {
                self.edit().await?;
            } else if choice < EDITS + DELETES && !self.own.is_empty() {
                self.delete().await?;
            } else {
                self.post().await?;
            }
        }
        Ok(())
    }

    async fn post(&mut self) -> Result<()> {
        let mut room = self.rng.random_range(0..self.rooms.len());
        let mut parent = None;
        if self.rng.random_range(0..100) < ANSWERS
            && let Some(own) = self.own.iter().rev().find(|own| own.is_root)
        {
            (room, parent) = (own.room, Some(own.id));
        }
        let mut text = rooms::text(&self.rooms[room], &mut self.rng);
        self.call_somebody(room, &mut text);
        let channel = self.rooms[room].id;
        let number = self.journal.intend(Act::Post { channel, text: text.clone(), parent }).await?;
        let started = Instant::now();
        let mut form = json!({ "content": text, "nonce": format!("t{number}") });
        if let Some(parent) = parent {
            form["parent_id"] = json!(parent);
        }
        let file = self.file(room).await;
        if let Some(file) = file {
            form["file_ids"] = json!([file]);
        }
        let posted = if self.over_socket {
            form["channel_id"] = json!(channel);
            self.send(&form).await?
        } else {
            self.ask(&format!("channels/{channel}/messages"), &form).await?
        };
        let message = id(&posted["id"]).ok_or("an acknowledgement without an id")?;
        let seq = posted["seq"].as_i64().ok_or("an acknowledgement without a number")?;
        self.journal.acknowledge(number, message, seq).await?;
        self.board.posted();
        if self.rooms[room].secret.is_some() {
            self.board.secret_message(channel, message);
            if let Some(file) = file {
                self.board.secret_file(channel, file);
            }
        }
        if self.board.was_calm(started) {
            self.board.acknowledged.add(started.elapsed());
        }
        let version = posted["version"].as_i64().unwrap_or(1);
        self.own.push_back(Own { id: message, room, version, is_root: parent.is_none() });
        if self.own.len() > REMEMBERED {
            self.own.pop_front();
        }
        Ok(())
    }

    /// Now and then a text calls somebody: the owner everywhere, a visitor in a private room, where they may just be.
    fn call_somebody(&mut self, room: usize, text: &mut String) {
        if self.rng.random_bool(CALLS) {
            text.push_str(" @");
            text.push_str(OWNER);
        } else if self.rooms[room].secret.is_some() && self.rng.random_bool(VISITOR_CALLS) {
            let somebody = self.rng.random_range(0..CALLED);
            text.push_str(" @");
            text.push_str(VICTIM);
            text.push_str(&somebody.to_string());
        }
    }

    /// Now and then a message of a private room carries a file that has its secret.
    async fn file(&mut self, room: usize) -> Option<Uuid> {
        let secret = self.rooms[room].secret.as_ref()?;
        if !self.rng.random_bool(FILES) {
            return None;
        }
        // Not now is an answer, too: the message then goes without.
        let answer = self.person.upload(&format!("{secret}.txt"), secret).await.ok()?;
        if answer.status == 201 { id(&answer.body()["id"]) } else { None }
    }

    /// Posts over REST, now and then twice at the same moment: both answers name one message.
    async fn ask(&mut self, path: &str, form: &Value) -> Result<Value> {
        let posted = || self.person.expect(Method::POST, path, Some(form), &[200, 201]);
        if !self.rng.random_bool(TWICE) {
            return posted().await;
        }
        let (one, other) = tokio::join!(posted(), posted());
        let (one, other) = (one?, other?);
        if one["id"] != other["id"] {
            self.board.note(
                Kind::Duplicated,
                format!("{form} posted twice made {} and {}", one["id"], other["id"]),
            );
        }
        Ok(one)
    }

    /// Names the version that it saw: a request that was given up and arrives late must not undo a later one.
    async fn edit(&mut self) -> Result<()> {
        let at = self.rng.random_range(0..self.own.len());
        let (message, version, room) = (self.own[at].id, self.own[at].version, self.own[at].room);
        let text = rooms::text(&self.rooms[room], &mut self.rng);
        let number = self.journal.intend(Act::Edit { message, text: text.clone() }).await?;
        let path = format!("messages/{message}");
        let form = json!({ "content": text, "version": version });
        let answer = self.person.insist(Method::PUT, &path, Some(&form)).await?;
        let edited = match answer.status {
            200 => answer.body(),
            // An earlier try had been done and its answer lost: nobody else edits this message.
            409 => self.person.get(&path).await?,
            other => return Err(self.refused(&format!("editing {message}"), other, &answer.text)),
        };
        if edited["content"] != text.as_str() {
            self.board.note(Kind::Altered, format!("editing {message} to {text:?} made it {edited}"));
        }
        self.own[at].version = edited["version"].as_i64().unwrap_or(version + 1);
        self.journal.acknowledge(number, message, edited["seq"].as_i64().unwrap_or(0)).await
    }

    async fn delete(&mut self) -> Result<()> {
        let at = self.rng.random_range(0..self.own.len());
        let Some(own) = self.own.remove(at) else { return Ok(()) };
        let message = own.id;
        let number = self.journal.intend(Act::Delete { message }).await?;
        let answer = self.person.insist(Method::DELETE, &format!("messages/{message}"), None).await?;
        match answer.status {
            // Gone: an earlier try had been done and its answer lost.
            204 | 410 => self.journal.acknowledge(number, message, 0).await,
            other => Err(self.refused(&format!("deleting {message}"), other, &answer.text)),
        }
    }

    fn refused(&self, what: &str, status: u16, text: &str) -> Box<dyn std::error::Error + Send + Sync> {
        let text = format!("{}: {what} answered {status}: {text}", self.person.name);
        self.board.note(Kind::Refused, text.as_str());
        text.into()
    }

    /// Sends over the gateway, on as many sockets as it takes.
    async fn send(&mut self, form: &Value) -> Result<Value> {
        let started = Instant::now();
        loop {
            if let Some(message) = self.try_send(form).await? {
                return Ok(message);
            }
            self.board.retries.add();
            if started.elapsed() > GIVE_UP {
                let text = format!("{}: a send had no answer for {GIVE_UP:?}", self.person.name);
                self.board.note(Kind::Stuck, text.as_str());
                return Err(text.into());
            }
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }

    /// `None`: not now.
    async fn try_send(&mut self, form: &Value) -> Result<Option<Value>> {
        if self.socket.is_none() {
            self.person.next_door();
            let Ok(mut socket) = Socket::open(self.person.door()).await else { return Ok(None) };
            if socket.identify(&self.person.token()).await.is_none() {
                // Was it the token? REST says so plainly, and a refused one is renewed there.
                let _ = self.person.insist(Method::GET, "auth/me", None).await?;
                return Ok(None);
            }
            self.socket = Some(socket);
        }
        let Some(mut socket) = self.socket.take() else { return Ok(None) };
        if socket.send(&json!({ "op": "send", "d": form })).await.is_err() {
            return Ok(None);
        }
        let deadline = tokio::time::Instant::now() + ACK_WITHIN;
        loop {
            let Ok(Next::Frame(text)) = tokio::time::timeout_at(deadline, socket.next()).await else {
                return Ok(None);
            };
            // Events come in masses, and this is somebody who does not listen.
            if !text.starts_with("{\"op\":\"ack\"") && !text.starts_with("{\"op\":\"error\"") {
                continue;
            }
            let mut frame: Value = serde_json::from_str(&text)?;
            if frame["d"]["nonce"] != form["nonce"] {
                continue;
            }
            self.socket = Some(socket);
            if frame["op"] == "ack" {
                return Ok(Some(frame["d"]["message"].take()));
            }
            return match frame["d"]["code"].as_str() {
                Some("unavailable" | "busy" | "storage_full" | "outcome_unknown") => Ok(None),
                _ => Err(self.refused("a send", 0, &text)),
            };
        }
    }
}
