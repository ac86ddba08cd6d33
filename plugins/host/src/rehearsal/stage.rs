//! What exists in a rehearsal: people, messages, what the plugin keeps, timers, pages of the web.

mod hosting;

use super::{script, written};
use crate::words::{Draft, Entry, Id, Message, Place, Reply, SettingValue, Timer, User};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Monday, 5 January 2026, 9:00 UTC: a rehearsal begins at the same moment each time.
const BEGINS_MS: u64 = 1_767_603_600_000;
/// The one name that nobody has, so that authors can try what happens then.
const NOBODY: &str = "nobody";

/// See the module. Clones are the same stage.
#[derive(Clone)]
pub(crate) struct Stage(Arc<Mutex<World>>);

/// What is on it.
pub(super) struct World {
    pub now_ms: u64,
    pub bot: User,
    pub messages: Vec<Said>,
    pub whispers: Vec<Said>,
    pub stored: BTreeMap<String, (Entry, Option<u64>)>,
    pub timers: BTreeMap<String, Timer>,
    pub settings: BTreeMap<String, SettingValue>,
    pub pages: Vec<Page>,
    /// What the plugin did since somebody looked.
    pub told: Vec<String>,
    revision: u64,
}

/// A message or a whisper.
pub(super) struct Said {
    pub message: Message,
    pub draft: Draft,
    pub is_deleted: bool,
}

/// What an address answers.
pub(super) struct Page {
    pub method: String,
    pub url: String,
    pub status: u16,
    pub body: String,
}

impl Stage {
    pub(crate) fn new(bot_name: &str, settings: BTreeMap<String, SettingValue>) -> Self {
        Self(Arc::new(Mutex::new(World {
            now_ms: BEGINS_MS,
            bot: User { is_bot: true, ..person(bot_name) },
            messages: Vec::new(),
            whispers: Vec::new(),
            stored: BTreeMap::new(),
            timers: BTreeMap::new(),
            settings,
            pages: Vec::new(),
            told: Vec::new(),
            revision: 0,
        })))
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody of this name.
pub(super) fn person(name: &str) -> User {
    let mut letters = name.chars();
    let first = letters.next().map(|it| it.to_uppercase().to_string()).unwrap_or_default();
    let display_name = first + letters.as_str();
    User { id: name.to_owned(), username: name.to_owned(), display_name, is_bot: false }
}

/// A channel of this name.
pub(super) fn channel(name: &str) -> Place {
    Place { channel_id: name.to_owned(), thread_id: None }
}

impl World {
    /// A new message; answers its id.
    pub(super) fn post(&mut self, sender: User, place: Place, draft: Draft) -> Id {
        let id = format!("m{}", self.messages.len() + 1);
        let said = self.said(id.clone(), sender, place, draft);
        self.messages.push(said);
        id
    }

    /// What one person sees alone.
    pub(super) fn whisper(&mut self, place: Place, draft: Draft) {
        let id = format!("w{}", self.whispers.len() + 1);
        let said = self.said(id, self.bot.clone(), place, draft);
        self.whispers.push(said);
    }

    fn said(&self, id: Id, sender: User, place: Place, draft: Draft) -> Said {
        let content = draft.markdown();
        let names = content.split('@').skip(1).map(|after| {
            let end = after.find(|it: char| !it.is_ascii_alphanumeric() && !"._-".contains(it));
            after[..end.unwrap_or(after.len())].to_owned()
        });
        let mentions = names.filter(|it| !it.is_empty()).collect();
        let created_at_ms = self.now_ms;
        let message = Message { id, place, sender, content, created_at_ms, edited_at_ms: None, mentions };
        Said { message, draft, is_deleted: false }
    }

    /// The message (or whisper) of this id, or the newest message.
    pub(super) fn find(&mut self, id: Option<&str>) -> Result<&mut Said, String> {
        let Some(id) = id else {
            return self
                .messages
                .iter_mut()
                .rev()
                .find(|it| !it.is_deleted)
                .ok_or("there is no message yet".into());
        };
        let all = if id.starts_with('w') { &mut self.whispers } else { &mut self.messages };
        let found = all.iter_mut().find(|it| it.message.id == id && !it.is_deleted);
        found.ok_or_else(|| format!("there is no {id}"))
    }

    /// The newest button that is labelled so, or begins so: whose message it is on, and the button.
    pub(super) fn button(
        &mut self,
        label: &str,
        on: Option<&str>,
    ) -> Result<(Message, crate::words::Button), String> {
        if let Some(id) = on {
            self.find(Some(id))?;
        }
        let said = self.messages.iter().chain(&self.whispers).filter(|it| !it.is_deleted);
        let mut said: Vec<&Said> = said.filter(|it| on.is_none_or(|id| it.message.id == id)).collect();
        // Of the same moment the later one; whispers come after messages.
        said.sort_by_key(|it| it.message.created_at_ms);
        let all = said.iter().rev().flat_map(|it| it.draft.buttons.iter().map(move |button| (it, button)));
        let all: Vec<_> = all.collect();
        let exact = all.iter().find(|(_, button)| button.label == label);
        let found = exact.or_else(|| all.iter().find(|(_, button)| button.label.starts_with(label)));
        let (said, button) = found.ok_or_else(|| format!("there is no button `{label}`"))?;
        Ok((said.message.clone(), (*button).clone()))
    }

    /// What an answer to a person does, and how it is written.
    pub(super) fn reply(&mut self, place: Place, reply: Reply, of: Option<&str>) -> String {
        let line = written::reply(&reply);
        match reply {
            Reply::Silent => {}
            Reply::Public(draft) => {
                let bot = self.bot.clone();
                self.post(bot, place, draft);
            }
            Reply::Whisper(draft) => self.whisper(place, draft),
            Reply::Update(draft) => {
                if let Ok(said) = self.find(of) {
                    said.message.content = draft.markdown();
                    said.draft = draft;
                }
            }
        }
        line
    }

    fn tell(&mut self, line: String) {
        self.told.push(line);
    }

    /// What is stored and has not expired.
    fn entry(&self, key: &str) -> Option<&Entry> {
        let (entry, until) = self.stored.get(key)?;
        until.is_none_or(|until| until > self.now_ms).then_some(entry)
    }

    fn store(&mut self, key: String, value: Vec<u8>, ttl_seconds: Option<u32>) -> u64 {
        self.revision += 1;
        let until = ttl_seconds.map(|ttl| self.now_ms + u64::from(ttl) * 1000);
        self.stored.insert(key, (Entry { value, revision: self.revision }, until));
        self.revision
    }
}

impl Said {
    /// Where an answer to it goes.
    pub(super) fn thread(&self) -> Place {
        let place = self.message.place.clone();
        let root = place.thread_id.unwrap_or_else(|| self.message.id.clone());
        Place { channel_id: place.channel_id, thread_id: Some(root) }
    }
}

/// The channel in which people talk if the line names none.
pub(super) fn usual() -> Place {
    channel(script::CHANNEL)
}
