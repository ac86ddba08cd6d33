//! A host in memory that remembers what it was asked.

use confab_plugin_host::{
    Answer, ChannelMember, Draft, Entry, Failure, Host, HttpRequest, HttpResponse, Id, Level, Message,
    NewChannel, Permission, Place, Role, SettingValue, Timer, User,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

#[derive(Clone, Default)]
pub struct MemoryHost(Arc<Mutex<Memory>>);

#[derive(Default)]
pub struct Memory {
    pub posted: Vec<(Place, Draft)>,
    pub stored: BTreeMap<String, Entry>,
    pub edited: Vec<(Id, Draft)>,
    pub whispered: Vec<(Id, Draft)>,
    pub timers: Vec<Timer>,
    pub fetched: Vec<HttpRequest>,
    pub denied: Vec<Permission>,
    pub settings: BTreeMap<String, SettingValue>,
    pub log: Vec<(Level, String)>,
    /// How long posting takes.
    pub post_takes: Duration,
}

impl MemoryHost {
    pub fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap()
    }

    pub fn posted(&self) -> Vec<(Place, Draft)> {
        self.memory().posted.clone()
    }
}

pub fn user(id: &str, is_bot: bool) -> User {
    User { id: id.into(), username: id.into(), display_name: id.to_uppercase(), is_bot }
}

pub fn channel(id: &str) -> Place {
    Place { channel_id: id.into(), thread_id: None }
}

pub fn message(id: &str, sender: User, content: &str) -> Message {
    Message {
        id: id.into(),
        place: channel("general"),
        sender,
        content: content.into(),
        created_at_ms: 1_700_000_000_000,
        edited_at_ms: None,
        mentions: Vec::new(),
    }
}

fn ready<'a, T: Send + 'a>(answer: Result<T, Failure>) -> Answer<'a, T> {
    Box::pin(std::future::ready(answer))
}

impl Host for MemoryHost {
    fn post_message(&self, place: Place, draft: Draft) -> Answer<'_, Id> {
        Box::pin(async move {
            let takes = self.memory().post_takes;
            tokio::time::sleep(takes).await;
            let mut memory = self.memory();
            memory.posted.push((place, draft));
            Ok(format!("posted-{}", memory.posted.len()))
        })
    }

    fn edit_message(&self, message_id: Id, draft: Draft) -> Answer<'_, ()> {
        self.memory().edited.push((message_id, draft));
        ready(Ok(()))
    }

    fn delete_message(&self, _message_id: Id) -> Answer<'_, ()> {
        ready(Ok(()))
    }

    fn direct_message(&self, user_id: Id, draft: Draft) -> Answer<'_, Id> {
        self.memory().whispered.push((user_id, draft));
        ready(Ok("direct".into()))
    }

    fn whisper(&self, _place: Place, user_id: Id, draft: Draft) -> Answer<'_, ()> {
        self.memory().whispered.push((user_id, draft));
        ready(Ok(()))
    }

    fn create_channel(&self, channel: NewChannel) -> Answer<'_, Id> {
        ready(Ok(channel.name))
    }

    fn find_user(&self, username: String) -> Answer<'_, User> {
        ready(Ok(user(&username, false)))
    }

    fn members(&self, _channel_id: Id, _limit: u32) -> Answer<'_, Vec<ChannelMember>> {
        ready(Ok(vec![ChannelMember { user: user("ada", false), role: Role::Owner }]))
    }

    fn find_channel(&self, name: String) -> Answer<'_, Id> {
        ready(Ok(name))
    }

    fn set_timer(&self, timer: Timer) -> Answer<'_, ()> {
        self.memory().timers.push(timer);
        ready(Ok(()))
    }

    fn cancel_timer(&self, name: String) -> Answer<'_, bool> {
        let mut memory = self.memory();
        let before = memory.timers.len();
        memory.timers.retain(|timer| timer.name != name);
        ready(Ok(memory.timers.len() < before))
    }

    fn fetch(&self, request: HttpRequest) -> Answer<'_, HttpResponse> {
        self.memory().fetched.push(request);
        ready(Ok(HttpResponse { status: 204, headers: Vec::new(), body: Vec::new() }))
    }

    fn search(&self, _query: String, _limit: u32) -> Answer<'_, Vec<Message>> {
        ready(Ok(Vec::new()))
    }

    fn summarize(&self, place: Place) -> Answer<'_, String> {
        ready(Ok(format!("all of {}", place.channel_id)))
    }

    fn denied(&self, permission: Permission) {
        self.memory().denied.push(permission);
    }

    fn add_reaction(&self, _message_id: Id, _code: String) -> Answer<'_, ()> {
        ready(Ok(()))
    }

    fn remove_reaction(&self, _message_id: Id, _code: String) -> Answer<'_, ()> {
        ready(Ok(()))
    }

    fn get_message(&self, message_id: Id) -> Answer<'_, Message> {
        ready(Ok(message(&message_id, user("ada", false), "hello")))
    }

    fn get_user(&self, user_id: Id) -> Answer<'_, User> {
        ready(Ok(user(&user_id, false)))
    }

    fn recent_messages(&self, _place: Place, _limit: u32) -> Answer<'_, Vec<Message>> {
        ready(Ok(Vec::new()))
    }

    fn kv_get(&self, key: String) -> Answer<'_, Option<Entry>> {
        ready(Ok(self.memory().stored.get(&key).cloned()))
    }

    fn kv_set(&self, key: String, value: Vec<u8>, _ttl_seconds: Option<u32>) -> Answer<'_, u64> {
        let mut memory = self.memory();
        let revision = memory.stored.get(&key).map_or(0, |entry| entry.revision) + 1;
        memory.stored.insert(key, Entry { value, revision });
        ready(Ok(revision))
    }

    fn kv_swap(&self, key: String, expected: u64, value: Vec<u8>) -> Answer<'_, u64> {
        let found = self.memory().stored.get(&key).map_or(0, |entry| entry.revision);
        if found == expected { self.kv_set(key, value, None) } else { ready(Err(Failure::Conflict)) }
    }

    fn kv_add(&self, key: String, delta: i64) -> Answer<'_, i64> {
        let stored =
            self.memory().stored.get(&key).map(|entry| String::from_utf8(entry.value.clone()).unwrap());
        let sum = stored.map_or(0, |number| number.parse::<i64>().unwrap()) + delta;
        drop(self.kv_set(key, sum.to_string().into_bytes(), None));
        ready(Ok(sum))
    }

    fn kv_delete(&self, key: String) -> Answer<'_, bool> {
        ready(Ok(self.memory().stored.remove(&key).is_some()))
    }

    fn kv_list(&self, prefix: String, after: Option<String>, limit: u32) -> Answer<'_, Vec<String>> {
        let memory = self.memory();
        let keys = memory.stored.keys().filter(|key| key.starts_with(&prefix));
        let keys = keys.filter(|key| after.as_ref().is_none_or(|after| *key > after)).take(limit as usize);
        ready(Ok(keys.cloned().collect()))
    }

    fn setting(&self, key: String) -> Answer<'_, Option<SettingValue>> {
        ready(Ok(self.memory().settings.get(&key).cloned()))
    }

    fn log(&self, level: Level, text: &str) {
        self.memory().log.push((level, text.to_owned()));
    }
}
