//! Somebody who listens at the gateway, comes back from their cursor after every break, and writes down what came.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rand::Rng;
use rand::rngs::StdRng;
use reqwest::Method;
use serde_json::json;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use crate::Result;
use crate::board::Board;
use crate::evidence::{Event, Frame, Heard, Said, Step, id};
use crate::findings::Kind;
use crate::person::{Person, Shown};
use crate::rooms::Rooms;
use crate::socket::{Next, Socket};

/// A sign of life each so often, so that silence means something.
const BEAT: Duration = Duration::from_secs(2);
/// No frame for so long, not even the answer to a sign of life: the connection is dead and does not know it.
pub const SILENCE: Duration = Duration::from_secs(7);
const AGAIN_AFTER: Duration = Duration::from_millis(50);
/// How far `reconnect` is obeyed; the server spreads people over 20 s, and a run has no time.
const RECONNECT_AT_MOST: Duration = Duration::from_secs(1);
/// A sleeper sleeps every so often, so long; both in milliseconds.
const AWAKE_MS: std::ops::Range<u64> = 3_000..12_000;
const ASLEEP_MS: std::ops::Range<u64> = 1_000..6_000;

/// Up to where a listener heard each channel. Shared with whoever waits for them.
pub type Reached = Arc<Mutex<HashMap<Uuid, i64>>>;

/// How a listener stands to private channels.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Is in all of them, all the time.
    Member,
    /// Comes and goes.
    Visitor,
    /// Is never in one: no frame may even name one, but for the word that it is everybody's now, or no more.
    Outsider,
}

/// See the module.
pub struct Reader {
    person: Arc<Person>,
    board: Arc<Board>,
    rooms: Rooms,
    standing: Standing,
    /// Decides when to sleep without reading, if ever.
    sleeps: Option<StdRng>,
    heard: Heard,
    /// Epoch and position.
    cursor: Option<(String, i64)>,
    /// Since when a server that goes has sent them elsewhere.
    leaving: Option<Instant>,
    /// What was read from pages; the gateway says some of it again.
    read: HashMap<Uuid, i64>,
    pub reached: Reached,
}

impl Reader {
    /// Somebody who listens; `sleeps` makes them a slow one.
    pub fn new(
        person: Arc<Person>,
        board: Arc<Board>,
        rooms: Rooms,
        standing: Standing,
        sleeps: Option<StdRng>,
    ) -> Self {
        let heard = Heard { name: person.name.clone(), user: person.id, steps: Vec::new() };
        Self {
            person,
            board,
            rooms,
            standing,
            sleeps,
            heard,
            cursor: None,
            leaving: None,
            read: HashMap::new(),
            reached: Reached::default(),
        }
    }

    /// Listens until all is over and answers what was heard.
    pub async fn listen(mut self) -> Result<Heard> {
        let hush = self.board.hush.clone();
        while !hush.is_cancelled() {
            let server = self.person.server();
            match hush.run_until_cancelled(Socket::open(self.person.door_of(server))).await {
                Some(Ok(socket)) => self.attend(socket, server).await?,
                Some(Err(_)) => {}
                None => break,
            }
            self.person.next_door();
            let _ = hush.run_until_cancelled(tokio::time::sleep(AGAIN_AFTER)).await;
        }
        // Who is on the way for long was not received anywhere; who has just left may be in a moment.
        self.leaving.take_if(|since| since.elapsed() < RECONNECT_AT_MOST * 2);
        self.arrived();
        Ok(self.heard)
    }

    /// One connection, to its end.
    async fn attend(&mut self, mut socket: Socket, server: usize) -> Result<()> {
        let (token, ahead) = (self.person.token(), self.board.clocks.ahead(server));
        let greeting = match &self.cursor {
            Some((epoch, pos)) => {
                self.heard.steps.push(Step::Returned);
                json!({ "op": "resume", "d": { "token": &*token, "epoch": epoch, "pos": pos } })
            }
            None => json!({ "op": "identify", "d": { "token": &*token } }),
        };
        if socket.send(&greeting).await.is_err() {
            return Ok(());
        }
        let hush = self.board.hush.clone();
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = tokio::time::Instant::now();
        let mut sleepy_at =
            self.sleeps.as_mut().map(|rng| last + Duration::from_millis(rng.random_range(AWAKE_MS)));
        loop {
            let next = tokio::select! {
                () = hush.cancelled() => return Ok(()),
                _ = beat.tick() => {
                    let pos = self.cursor.as_ref().map_or(0, |it| it.1);
                    if self.cursor.is_some() && socket.send(&json!({ "op": "heartbeat", "d": { "pos": pos } })).await.is_err() {
                        return Ok(());
                    }
                    continue;
                }
                () = tokio::time::sleep_until(last + SILENCE) => return Ok(()),
                next = socket.next() => next,
            };
            last = tokio::time::Instant::now();
            match next {
                Next::Frame(text) => {
                    if !self.heed(&mut socket, &text).await? {
                        return Ok(());
                    }
                }
                Next::Closed(code) => {
                    return self.closed(code, &Shown { server, token, ahead: Some(ahead) }).await;
                }
            }
            if let (Some(at), Some(rng)) = (sleepy_at, &mut self.sleeps)
                && at < last
            {
                let asleep = Duration::from_millis(rng.random_range(ASLEEP_MS));
                let _ = hush.run_until_cancelled(tokio::time::sleep(asleep)).await;
                last = tokio::time::Instant::now();
                sleepy_at = Some(last + Duration::from_millis(rng.random_range(AWAKE_MS)));
            }
        }
    }

    /// Takes in one frame. `false`: time to go elsewhere.
    async fn heed(&mut self, socket: &mut Socket, text: &str) -> Result<bool> {
        let frame: Frame = serde_json::from_str(text)?;
        let event = if frame.op == "event" { Event::of_frame(&frame) } else { None };
        self.look_for_secrets(text, &frame.t, event.as_ref());
        match frame.op.as_str() {
            "event" => self.event(frame.pos, event),
            "ready" => {
                self.arrived();
                self.ready(frame.d).await?;
            }
            "resumed" => {
                self.board.resumes.add();
                self.arrived();
                self.heard.steps.push(Step::Live);
                if let Some(cursor) = &mut self.cursor {
                    cursor.1 = cursor.1.max(frame.d.pos);
                }
            }
            "invalid" => {
                if frame.d.reason != "too_far" {
                    let text =
                        format!("{}: the server does not know its own position: {text}", self.person.name);
                    self.board.note(Kind::Lost, text);
                }
                self.board.read_anew.add();
                let identify = json!({ "op": "identify", "d": { "token": &*self.person.token() } });
                return Ok(socket.send(&identify).await.is_ok());
            }
            "reconnect" => {
                self.leaving.get_or_insert_with(Instant::now);
                tokio::time::sleep(Duration::from_millis(frame.d.after_ms).min(RECONNECT_AT_MOST)).await;
                return Ok(false);
            }
            "error" => {
                self.board.note(Kind::Refused, format!("{}: the gateway said {text}", self.person.name));
            }
            _ => {}
        }
        Ok(true)
    }

    /// Is greeted somewhere, perhaps after being sent there.
    fn arrived(&mut self) {
        if let Some(since) = self.leaving.take() {
            self.board.moved.add(since.elapsed());
        }
    }

    fn event(&mut self, pos: i64, event: Option<Event>) {
        if let Some(cursor) = &mut self.cursor {
            if pos <= cursor.1 {
                let text = format!("{}: pos {pos} came after {}", self.person.name, cursor.1);
                self.board.note(Kind::Duplicated, text);
                return;
            }
            cursor.1 = pos;
        }
        let Some(event) = event else { return };
        if self.read.get(&event.channel).is_some_and(|read| event.seq <= *read) {
            return;
        }
        self.keep(event);
    }

    fn keep(&mut self, event: Event) {
        let mut reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        reached.insert(event.channel, event.seq);
        self.board.heard.add();
        self.heard.steps.push(Step::Event(event));
    }

    async fn ready(&mut self, ready: Said) -> Result<()> {
        let is_first = self.cursor.is_none();
        self.cursor = Some((ready.epoch, ready.pos));
        if !is_first {
            self.read_anew().await?;
            self.heard.steps.push(Step::Live);
            return Ok(());
        }
        for channel in &ready.channels {
            if let (Some(channel), Some(last_seq)) = (id(&channel["id"]), channel["last_seq"].as_i64()) {
                self.heard.steps.push(Step::Began { channel, last_seq });
            }
        }
        self.board.ears.add();
        Ok(())
    }

    /// After a gap that is too long to be played back: pages of events, as gateway.md says.
    async fn read_anew(&mut self) -> Result<()> {
        let rooms = self.rooms.clone();
        let is_outsider = self.standing == Standing::Outsider;
        for room in rooms.iter().filter(|room| !(is_outsider && room.secret.is_some())) {
            loop {
                // Of an open room pages answer everybody, and what came to a visitor as a member could not be told from that.
                let wall = room.wall.outside_since();
                let may_pass = || self.standing == Standing::Visitor && room.wall.outside_since() != wall;
                if wall.is_none() && self.standing == Standing::Visitor {
                    break;
                }
                let began = || {
                    self.heard.steps.iter().find_map(|step| match step {
                        Step::Began { channel, last_seq } if *channel == room.id => Some(*last_seq),
                        _ => None,
                    })
                };
                let reached =
                    self.reached.lock().unwrap_or_else(PoisonError::into_inner).get(&room.id).copied();
                let after = reached.or_else(began).unwrap_or(0);
                let path = format!("channels/{}/events?after_seq={after}&limit=100", room.id);
                let answer = self.person.insist(Method::GET, &path, None).await?;
                // Not a member (any more).
                if matches!(answer.status, 403 | 404) || may_pass() {
                    break;
                }
                let page = answer.body();
                let events: Vec<Event> =
                    page["items"].as_array().into_iter().flatten().filter_map(Event::of_value).collect();
                let Some(last) = events.last() else { break };
                self.read.insert(room.id, last.seq);
                for event in events {
                    self.keep(event);
                }
            }
        }
        Ok(())
    }

    /// A secret may come in an event of its own channel, and in nothing else.
    fn look_for_secrets(&self, text: &str, name: &str, event: Option<&Event>) {
        let is_outsider = self.standing == Standing::Outsider;
        for room in self.rooms.iter() {
            let Some(secret) = &room.secret else { continue };
            let is_its_own = event.is_some_and(|event| event.channel == room.id) && !is_outsider;
            let is_about = is_outsider && name != "directory_updated" && text.contains(&room.id.to_string());
            let is_named = text.contains(secret.as_str()) || is_about;
            if is_named && !is_its_own {
                self.board
                    .note(Kind::Leaked, format!("{} was told of {}: {text}", self.person.name, room.name));
            }
        }
    }

    async fn closed(&mut self, code: Option<u16>, shown: &Shown) -> Result<()> {
        let name = &self.person.name;
        match code {
            // It broke, it goes away, it waited for us in vain, or there are dead sockets of ours that it still counts.
            None | Some(1_000 | 1_001 | 1_006 | 4_003 | 4_011 | 4_014) => {}
            Some(4_013) => self.board.too_slow.add(),
            // A mistake of the server has a reason while what it stands on is broken.
            Some(4_000) if !self.board.was_calm(Instant::now()) => {}
            Some(code @ (4_004 | 4_010 | 4_015)) => {
                self.person.renew(shown, &format!("closed with {code}")).await?;
            }
            Some(code) => self.board.note(Kind::Refused, format!("{name}: the gateway closed with {code}")),
        }
        Ok(())
    }
}
