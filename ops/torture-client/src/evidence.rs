//! What a run leaves for the checker: plain facts, none of them the server's opinion of itself.

mod html;

use std::collections::HashMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufWriter, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::journal::Line;
pub use html::Html;

/// Everything that is judged.
#[derive(Clone, Default)]
pub struct Evidence {
    /// What writers asked and were promised.
    pub journal: Vec<Line>,
    /// What each listener heard, as it came.
    pub readers: Vec<Heard>,
    /// What the server serves when all is over.
    pub record: Vec<Record>,
    /// What its search finds when all is over.
    pub searches: Vec<Search>,
    /// The messages that its notifications name, as the one whom people called is shown them, and how they were called.
    pub called: Vec<Uuid>,
    pub call: String,
}

/// One listener's log.
#[derive(Clone, Default)]
pub struct Heard {
    /// For the report.
    pub name: String,
    /// Who they are.
    pub user: Uuid,
    /// In the order in which it came.
    pub steps: Vec<Step>,
}

/// One thing that happened to a listener.
#[derive(Clone, Debug, Serialize)]
pub enum Step {
    /// The first `ready` named this channel, and up to where it was.
    Began { channel: Uuid, last_seq: i64 },
    /// Came back to the gateway: what was missed follows.
    Returned,
    /// Has what was missed: what happens follows.
    Live,
    /// An event of a channel.
    Event(Event),
}

/// What an event is about, as far as the checker cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Kind {
    NewMessage,
    MessageUpdate,
    MessageDelete,
    MemberJoined,
    MemberLeft,
    Other,
}

/// An event of a channel, from the gateway or from the page of events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    pub channel: Uuid,
    pub pos: i64,
    pub seq: i64,
    pub kind: Kind,
    /// The message or the member.
    pub subject: Uuid,
    /// The text that it carried, as [`fingerprint`]; 0 for none.
    pub text: u64,
    pub html: Html,
}

/// A channel as it is served in the end.
#[derive(Clone, Default)]
pub struct Record {
    pub channel: Uuid,
    pub name: String,
    /// All pages of history, one after the other.
    pub messages: Vec<Kept>,
    /// All pages of events, one after the other.
    pub events: Vec<Event>,
    pub last_seq: i64,
    pub message_count: i64,
    pub member_count: i64,
    /// How many the list of members has.
    pub members: i64,
    /// What somebody who was there from the start and read nothing is said to have unread, and how many were there
    /// when they came.
    pub unread: Option<i64>,
    /// How far those are said to have read it who were there from before its first message.
    pub marks: Vec<Mark>,
}

/// How far somebody is said to have read a channel, by one of the places that say so.
#[derive(Clone, Debug)]
pub struct Mark {
    /// As people call them.
    pub name: String,
    pub user: Uuid,
    pub said_by: &'static str,
    /// `None`: it is not said there.
    pub read_seq: Option<i64>,
    pub unread: i64,
    pub mentions: i64,
}

/// A message as it is served in the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Kept {
    pub id: Uuid,
    pub seq: i64,
    pub sender: Uuid,
    pub text: String,
    pub html: Html,
    pub is_deleted: bool,
    pub parent: Option<Uuid>,
    pub reply_count: i64,
}

/// One question to the search, what it must find, and what it found.
#[derive(Clone, Debug)]
pub struct Search {
    pub words: String,
    pub expected: Option<Uuid>,
    pub found: Vec<Uuid>,
    /// How many hits there are, by the answer's own count, and whether it says how to go on behind these.
    pub total: i64,
    pub goes_on: bool,
    /// Whether a hit would be somebody reading what they may not, rather than a text that should be gone.
    pub is_forbidden: bool,
}

impl Evidence {
    /// Leaves it in files, a line each thing, for whoever looks for the cause of a finding.
    pub fn leave(&self, folder: &Path) -> crate::Result<()> {
        std::fs::create_dir(folder)?;
        for heard in &self.readers {
            lines(&folder.join(format!("heard-by-{}", heard.name)), &heard.steps)?;
        }
        for record in &self.record {
            lines(&folder.join(format!("messages-of-{}", record.name)), &record.messages)?;
            lines(&folder.join(format!("events-of-{}", record.name)), &record.events)?;
        }
        Ok(())
    }
}

fn lines(path: &Path, things: &[impl Serialize]) -> crate::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for thing in things {
        serde_json::to_writer(&mut file, thing)?;
        file.write_all(b"\n")?;
    }
    Ok(file.flush()?)
}

/// A text as a number; never 0 but for no text.
pub fn fingerprint(text: &str) -> u64 {
    if text.is_empty() {
        return 0;
    }
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish().max(1)
}

/// A frame of the gateway, read no further than it is needed: listeners read most of what a run makes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Frame {
    pub op: String,
    pub t: String,
    pub pos: i64,
    pub channel_id: Option<Uuid>,
    pub seq: Option<i64>,
    pub d: Said,
}

/// What frames say, each some of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Said {
    pub id: Value,
    pub content: Option<String>,
    pub html: Option<String>,
    pub user: Value,
    pub user_id: Option<Uuid>,
    pub reason: String,
    pub after_ms: u64,
    pub epoch: String,
    pub pos: i64,
    pub channels: Vec<Value>,
}

impl Event {
    /// Reads an event frame; `None` for one of no channel, or without a number in it.
    pub fn of_frame(frame: &Frame) -> Option<Self> {
        let (channel, d) = (frame.channel_id?, &frame.d);
        let (kind, subject) = match frame.t.as_str() {
            "new_message" => (Kind::NewMessage, id(&d.id)),
            "message_update" => (Kind::MessageUpdate, id(&d.id)),
            "message_delete" => (Kind::MessageDelete, id(&d.id)),
            "member_joined" => (Kind::MemberJoined, id(&d.user["id"])),
            "member_left" => (Kind::MemberLeft, d.user_id),
            _ => (Kind::Other, None),
        };
        let text = d.content.as_deref().unwrap_or_default();
        Some(Self {
            channel,
            pos: frame.pos,
            seq: frame.seq?,
            kind,
            subject: subject.unwrap_or_default(),
            text: fingerprint(text),
            html: Html::beside(text, d.html.as_deref()),
        })
    }

    /// The same from a page of events.
    pub fn of_value(frame: &Value) -> Option<Self> {
        Self::of_frame(&Frame::deserialize(frame).ok()?)
    }

    /// Whether it is one of a message.
    pub fn is_of_message(&self) -> bool {
        matches!(self.kind, Kind::NewMessage | Kind::MessageUpdate | Kind::MessageDelete)
    }
}

impl Kept {
    /// Reads a message of a page.
    pub fn of_view(view: &Value) -> Option<Self> {
        let text = view["content"].as_str().unwrap_or_default();
        Some(Self {
            id: id(&view["id"])?,
            seq: view["seq"].as_i64()?,
            sender: id(&view["sender_id"]).unwrap_or_default(),
            text: text.to_owned(),
            html: Html::beside(text, view["html"].as_str()),
            is_deleted: !view["deleted_at"].is_null(),
            parent: id(&view["parent_id"]),
            reply_count: view["reply_count"].as_i64().unwrap_or(0),
        })
    }
}

/// An id in JSON.
pub fn id(value: &Value) -> Option<Uuid> {
    value.as_str()?.parse().ok()
}

impl Record {
    /// From which number to which each user was a member; a stay that goes on ends with `i64::MAX`. Whoever was there
    /// before the first event has no arrival, and stays from 0.
    pub fn stays(&self) -> HashMap<Uuid, Vec<(i64, i64)>> {
        let mut stays: HashMap<Uuid, Vec<(i64, i64)>> = HashMap::new();
        for event in &self.events {
            let of_user = stays.entry(event.subject);
            match event.kind {
                Kind::MemberJoined => of_user.or_default().push((event.seq, i64::MAX)),
                Kind::MemberLeft => {
                    let of_user = of_user.or_default();
                    match of_user.last_mut() {
                        Some(last) => last.1 = event.seq,
                        None => of_user.push((0, event.seq)),
                    }
                }
                _ => {}
            }
        }
        stays
    }
}
