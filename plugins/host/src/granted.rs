//! A host narrowed to what was granted. The handlers of a plugin take nothing else, so no call can go round it.

use crate::host::{Answer, Host};
use crate::manifest::Manifest;
use crate::permission::{Grants, Permission};
use crate::words::{
    ChannelMember, Draft, Entry, Failure, HttpRequest, HttpResponse, Id, Level, Message, NewChannel, Place,
    SettingValue, Timer, User,
};

const KEY_BYTES: usize = 256;
const VALUE_BYTES: usize = 64 * 1024;
const MOST_MESSAGES: u32 = 100;
const MOST_KEYS: u32 = 1000;
const MOST_HITS: u32 = 20;
const LOG_LINE_BYTES: usize = 4096;
const TIMER_NAME_BYTES: usize = 128;
const TIMER_PAYLOAD_BYTES: usize = 16 * 1024;
const SHORTEST_PERIOD_SECONDS: u32 = 60;
const MOST_MEMBERS: usize = 100;
const HEADERS: usize = 32;
const HEADER_BYTES: usize = 4096;
const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];

/// A host that answers `denied` to every call that the manifest does not ask for or the administrator did not approve.
#[derive(Debug, Clone)]
pub struct Granted<H> {
    host: H,
    grants: Grants,
    origins: Vec<String>,
}

impl<H: Host> Granted<H> {
    /// Grants what the manifest asks for and the administrator approved: both, so that neither a grant that is left
    /// over from an older version nor a manifest alone opens anything.
    pub fn new(host: H, manifest: &Manifest, approved: &Grants) -> Self {
        Self { host, grants: manifest.asks().within(approved), origins: manifest.http.clone() }
    }

    /// What is granted.
    pub fn grants(&self) -> &Grants {
        &self.grants
    }

    fn gate<'a, T: Send + 'a>(
        &'a self,
        permission: Permission,
        checked: Result<(), Failure>,
        call: impl FnOnce(&'a H) -> Answer<'a, T>,
    ) -> Answer<'a, T> {
        if !self.grants.has(permission) {
            self.host.denied(permission);
            return refused(Failure::Denied(format!("{permission} is not granted")));
        }
        match checked {
            Ok(()) => call(&self.host),
            Err(failure) => refused(failure),
        }
    }
}

impl<H: Host> Host for Granted<H> {
    fn post_message(&self, place: Place, draft: Draft) -> Answer<'_, Id> {
        self.gate(Permission::PostMessages, draft.check(), |host| host.post_message(place, draft))
    }

    fn direct_message(&self, user_id: Id, draft: Draft) -> Answer<'_, Id> {
        self.gate(Permission::SendDirect, draft.check(), |host| host.direct_message(user_id, draft))
    }

    fn whisper(&self, place: Place, user_id: Id, draft: Draft) -> Answer<'_, ()> {
        self.gate(Permission::PostMessages, draft.check(), |host| host.whisper(place, user_id, draft))
    }

    fn create_channel(&self, channel: NewChannel) -> Answer<'_, Id> {
        let checked = if channel.member_ids.len() > MOST_MEMBERS {
            Err(Failure::Invalid(format!("a new channel has at most {MOST_MEMBERS} members")))
        } else {
            Ok(())
        };
        self.gate(Permission::CreateChannels, checked, |host| host.create_channel(channel))
    }

    fn edit_message(&self, message_id: Id, draft: Draft) -> Answer<'_, ()> {
        self.gate(Permission::EditOwnMessages, draft.check(), |host| host.edit_message(message_id, draft))
    }

    fn delete_message(&self, message_id: Id) -> Answer<'_, ()> {
        self.gate(Permission::EditOwnMessages, Ok(()), |host| host.delete_message(message_id))
    }

    fn add_reaction(&self, message_id: Id, code: String) -> Answer<'_, ()> {
        self.gate(Permission::React, Ok(()), |host| host.add_reaction(message_id, code))
    }

    fn remove_reaction(&self, message_id: Id, code: String) -> Answer<'_, ()> {
        self.gate(Permission::React, Ok(()), |host| host.remove_reaction(message_id, code))
    }

    fn get_message(&self, message_id: Id) -> Answer<'_, Message> {
        self.gate(Permission::ReadMessages, Ok(()), |host| host.get_message(message_id))
    }

    fn get_user(&self, user_id: Id) -> Answer<'_, User> {
        self.gate(Permission::ReadUsers, Ok(()), |host| host.get_user(user_id))
    }

    fn find_user(&self, username: String) -> Answer<'_, User> {
        self.gate(Permission::ReadUsers, Ok(()), |host| host.find_user(username))
    }

    fn recent_messages(&self, place: Place, limit: u32) -> Answer<'_, Vec<Message>> {
        let limit = limit.clamp(1, MOST_MESSAGES);
        self.gate(Permission::ReadMessages, Ok(()), |host| host.recent_messages(place, limit))
    }

    fn members(&self, channel_id: Id, limit: u32) -> Answer<'_, Vec<ChannelMember>> {
        let limit = limit.clamp(1, MOST_MEMBERS as u32);
        self.gate(Permission::ReadUsers, Ok(()), |host| host.members(channel_id, limit))
    }

    fn find_channel(&self, name: String) -> Answer<'_, Id> {
        self.gate(Permission::PostMessages, Ok(()), |host| host.find_channel(name))
    }

    fn kv_get(&self, key: String) -> Answer<'_, Option<Entry>> {
        self.gate(Permission::Storage, fits(&key, &[]), |host| host.kv_get(key))
    }

    fn kv_set(&self, key: String, value: Vec<u8>, ttl_seconds: Option<u32>) -> Answer<'_, u64> {
        self.gate(Permission::Storage, fits(&key, &value), |host| host.kv_set(key, value, ttl_seconds))
    }

    fn kv_swap(&self, key: String, expected: u64, value: Vec<u8>) -> Answer<'_, u64> {
        self.gate(Permission::Storage, fits(&key, &value), |host| host.kv_swap(key, expected, value))
    }

    fn kv_add(&self, key: String, delta: i64) -> Answer<'_, i64> {
        self.gate(Permission::Storage, fits(&key, &[]), |host| host.kv_add(key, delta))
    }

    fn kv_delete(&self, key: String) -> Answer<'_, bool> {
        self.gate(Permission::Storage, fits(&key, &[]), |host| host.kv_delete(key))
    }

    fn kv_list(&self, prefix: String, after: Option<String>, limit: u32) -> Answer<'_, Vec<String>> {
        let limit = limit.clamp(1, MOST_KEYS);
        self.gate(Permission::Storage, Ok(()), |host| host.kv_list(prefix, after, limit))
    }

    fn set_timer(&self, timer: Timer) -> Answer<'_, ()> {
        self.gate(Permission::UseTimers, timer_fits(&timer), |host| host.set_timer(timer))
    }

    fn cancel_timer(&self, name: String) -> Answer<'_, bool> {
        self.gate(Permission::UseTimers, Ok(()), |host| host.cancel_timer(name))
    }

    fn fetch(&self, request: HttpRequest) -> Answer<'_, HttpResponse> {
        let checked = self.may_fetch(&request);
        self.gate(Permission::Fetch, checked, |host| host.fetch(request))
    }

    fn search(&self, query: String, limit: u32) -> Answer<'_, Vec<Message>> {
        let limit = limit.clamp(1, MOST_HITS);
        self.gate(Permission::Search, Ok(()), |host| host.search(query, limit))
    }

    fn summarize(&self, place: Place) -> Answer<'_, String> {
        self.gate(Permission::Summarize, Ok(()), |host| host.summarize(place))
    }

    fn denied(&self, permission: Permission) {
        self.host.denied(permission);
    }

    fn setting(&self, key: String) -> Answer<'_, Option<SettingValue>> {
        self.host.setting(key)
    }

    fn log(&self, level: Level, text: &str) {
        self.host.log(level, cut(text, LOG_LINE_BYTES));
    }

    fn now_ms(&self) -> u64 {
        self.host.now_ms()
    }
}

impl<H: Host> Granted<H> {
    /// Whether the request goes to an origin of the manifest and is one that can be sent.
    fn may_fetch(&self, request: &HttpRequest) -> Result<(), Failure> {
        let within = |origin: &String| {
            let rest = request.url.strip_prefix(origin.as_str());
            // `https://api.example.com.evil.org` begins like the origin and is another; so is `…com@evil.org`.
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
        };
        if !self.origins.iter().any(within) {
            self.host.denied(Permission::Fetch);
            return Err(Failure::Denied("the manifest names no such origin".into()));
        }
        if !METHODS.contains(&request.method.as_str()) {
            return Err(Failure::Invalid(format!("the method is one of {}", METHODS.join(", "))));
        }
        let long = |(name, value): &(String, String)| name.len() + value.len() > HEADER_BYTES;
        if request.headers.len() > HEADERS || request.headers.iter().any(long) {
            return Err(Failure::Invalid(format!("at most {HEADERS} headers of {HEADER_BYTES} bytes")));
        }
        Ok(())
    }
}

fn timer_fits(timer: &Timer) -> Result<(), Failure> {
    if timer.name.is_empty() || timer.name.len() > TIMER_NAME_BYTES {
        return Err(Failure::Invalid(format!("a timer's name has 1 to {TIMER_NAME_BYTES} bytes")));
    }
    if timer.payload.len() > TIMER_PAYLOAD_BYTES {
        return Err(Failure::Invalid(format!("a timer's payload has at most {TIMER_PAYLOAD_BYTES} bytes")));
    }
    if timer.period_seconds.is_some_and(|period| period < SHORTEST_PERIOD_SECONDS) {
        return Err(Failure::Invalid(format!(
            "a timer repeats every {SHORTEST_PERIOD_SECONDS} seconds at most"
        )));
    }
    Ok(())
}

/// The longest part from the start that has at most so many bytes and ends between two characters.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

fn fits(key: &str, value: &[u8]) -> Result<(), Failure> {
    if key.is_empty() || key.len() > KEY_BYTES {
        return Err(Failure::Invalid(format!("a key has 1 to {KEY_BYTES} bytes, this one {}", key.len())));
    }
    if value.len() > VALUE_BYTES {
        return Err(Failure::Invalid(format!(
            "a value has at most {VALUE_BYTES} bytes, this one {}",
            value.len()
        )));
    }
    Ok(())
}

fn refused<'a, T: Send + 'a>(failure: Failure) -> Answer<'a, T> {
    Box::pin(std::future::ready(Err(failure)))
}
