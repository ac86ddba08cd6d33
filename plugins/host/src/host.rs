//! What a plugin can ask of Confab.

use crate::permission::Permission;
use crate::words::{
    ChannelMember, Draft, Entry, Failure, HttpRequest, HttpResponse, Id, Level, Message, NewChannel, Place,
    SettingValue, Timer, User,
};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The answer to a host call, on its way.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

/// What a plugin can ask of Confab, each call on behalf of one plugin's bot user: the implementation checks what this
/// user may do, as for anybody else. What the administrator granted is checked before, by [`crate::Granted`], as are
/// the sizes of keys (1 to 256 bytes) and values (at most 64 KiB) and the ranges of limits.
///
/// An answer that takes too long is dropped, and the plugin is told `unavailable`: implementations must be
/// cancel-safe.
pub trait Host: Send + Sync {
    /// Writes a message as the bot; answers its id.
    fn post_message(&self, place: Place, draft: Draft) -> Answer<'_, Id>;
    /// Edits a message of the bot's own.
    fn edit_message(&self, message_id: Id, draft: Draft) -> Answer<'_, ()>;
    /// Deletes a message of the bot's own.
    fn delete_message(&self, message_id: Id) -> Answer<'_, ()>;
    /// Writes to one person in a conversation of the two; answers the message's id.
    fn direct_message(&self, user_id: Id, draft: Draft) -> Answer<'_, Id>;
    /// Says something that one member of a channel alone sees.
    fn whisper(&self, place: Place, user_id: Id, draft: Draft) -> Answer<'_, ()>;
    /// Makes a channel; answers its id.
    fn create_channel(&self, channel: NewChannel) -> Answer<'_, Id>;
    /// Adds the bot's reaction; that it is there already is no failure.
    fn add_reaction(&self, message_id: Id, code: String) -> Answer<'_, ()>;
    /// Takes back the bot's reaction.
    fn remove_reaction(&self, message_id: Id, code: String) -> Answer<'_, ()>;
    /// A message of a channel that the plugin reads.
    fn get_message(&self, message_id: Id) -> Answer<'_, Message>;
    /// A user.
    fn get_user(&self, user_id: Id) -> Answer<'_, User>;
    /// A user by name.
    fn find_user(&self, username: String) -> Answer<'_, User>;
    /// The newest `limit` (1 to 100) messages of a channel or thread, oldest first.
    fn recent_messages(&self, place: Place, limit: u32) -> Answer<'_, Vec<Message>>;

    /// At most `limit` (1 to 100) members of a channel that the plugin reads, those of the highest role first.
    fn members(&self, channel_id: Id, limit: u32) -> Answer<'_, Vec<ChannelMember>>;
    /// A channel by name.
    fn find_channel(&self, name: String) -> Answer<'_, Id>;

    /// What is stored under a key.
    fn kv_get(&self, key: String) -> Answer<'_, Option<Entry>>;
    /// Stores it whatever was there; answers the new revision.
    fn kv_set(&self, key: String, value: Vec<u8>, ttl_seconds: Option<u32>) -> Answer<'_, u64>;
    /// Stores it only if the revision is `expected` (0: absent), else [`Failure::Conflict`].
    fn kv_swap(&self, key: String, expected: u64, value: Vec<u8>) -> Answer<'_, u64>;
    /// Adds to a decimal number kept as text (absent: 0) in one step; answers the sum.
    fn kv_add(&self, key: String, delta: i64) -> Answer<'_, i64>;
    /// Answers whether there was something.
    fn kv_delete(&self, key: String) -> Answer<'_, bool>;
    /// At most `limit` (1 to 1000) keys, in byte order, that start with `prefix` and come after `after`.
    fn kv_list(&self, prefix: String, after: Option<String>, limit: u32) -> Answer<'_, Vec<String>>;

    /// Makes or replaces a timer.
    fn set_timer(&self, timer: Timer) -> Answer<'_, ()>;
    /// Answers whether there was one.
    fn cancel_timer(&self, name: String) -> Answer<'_, bool>;
    /// Calls out. The origin is among those of the manifest.
    fn fetch(&self, request: HttpRequest) -> Answer<'_, HttpResponse>;
    /// At most `limit` (1 to 20) messages of channels that the plugin reads, the best first.
    fn search(&self, query: String, limit: u32) -> Answer<'_, Vec<Message>>;
    /// Sums up a channel or thread for the person who is answered; Markdown.
    fn summarize(&self, place: Place) -> Answer<'_, String>;

    /// Something was asked that was not granted. Must not block.
    fn denied(&self, permission: Permission);
    /// The value that the administrator set, or the manifest's default.
    fn setting(&self, key: String) -> Answer<'_, Option<SettingValue>>;
    /// A line (at most 4 KiB) for the plugin's log. Must not block.
    fn log(&self, level: Level, text: &str);
    /// Milliseconds since 1970, UTC. A rehearsal has a clock of its own.
    fn now_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

impl<H: Host + ?Sized> Host for Arc<H> {
    fn post_message(&self, place: Place, draft: Draft) -> Answer<'_, Id> {
        (**self).post_message(place, draft)
    }
    fn edit_message(&self, message_id: Id, draft: Draft) -> Answer<'_, ()> {
        (**self).edit_message(message_id, draft)
    }
    fn delete_message(&self, message_id: Id) -> Answer<'_, ()> {
        (**self).delete_message(message_id)
    }
    fn direct_message(&self, user_id: Id, draft: Draft) -> Answer<'_, Id> {
        (**self).direct_message(user_id, draft)
    }
    fn whisper(&self, place: Place, user_id: Id, draft: Draft) -> Answer<'_, ()> {
        (**self).whisper(place, user_id, draft)
    }
    fn create_channel(&self, channel: NewChannel) -> Answer<'_, Id> {
        (**self).create_channel(channel)
    }
    fn add_reaction(&self, message_id: Id, code: String) -> Answer<'_, ()> {
        (**self).add_reaction(message_id, code)
    }
    fn remove_reaction(&self, message_id: Id, code: String) -> Answer<'_, ()> {
        (**self).remove_reaction(message_id, code)
    }
    fn get_message(&self, message_id: Id) -> Answer<'_, Message> {
        (**self).get_message(message_id)
    }
    fn get_user(&self, user_id: Id) -> Answer<'_, User> {
        (**self).get_user(user_id)
    }
    fn find_user(&self, username: String) -> Answer<'_, User> {
        (**self).find_user(username)
    }
    fn recent_messages(&self, place: Place, limit: u32) -> Answer<'_, Vec<Message>> {
        (**self).recent_messages(place, limit)
    }
    fn members(&self, channel_id: Id, limit: u32) -> Answer<'_, Vec<ChannelMember>> {
        (**self).members(channel_id, limit)
    }
    fn find_channel(&self, name: String) -> Answer<'_, Id> {
        (**self).find_channel(name)
    }
    fn kv_get(&self, key: String) -> Answer<'_, Option<Entry>> {
        (**self).kv_get(key)
    }
    fn kv_set(&self, key: String, value: Vec<u8>, ttl_seconds: Option<u32>) -> Answer<'_, u64> {
        (**self).kv_set(key, value, ttl_seconds)
    }
    fn kv_swap(&self, key: String, expected: u64, value: Vec<u8>) -> Answer<'_, u64> {
        (**self).kv_swap(key, expected, value)
    }
    fn kv_add(&self, key: String, delta: i64) -> Answer<'_, i64> {
        (**self).kv_add(key, delta)
    }
    fn kv_delete(&self, key: String) -> Answer<'_, bool> {
        (**self).kv_delete(key)
    }
    fn kv_list(&self, prefix: String, after: Option<String>, limit: u32) -> Answer<'_, Vec<String>> {
        (**self).kv_list(prefix, after, limit)
    }
    fn set_timer(&self, timer: Timer) -> Answer<'_, ()> {
        (**self).set_timer(timer)
    }
    fn cancel_timer(&self, name: String) -> Answer<'_, bool> {
        (**self).cancel_timer(name)
    }
    fn fetch(&self, request: HttpRequest) -> Answer<'_, HttpResponse> {
        (**self).fetch(request)
    }
    fn search(&self, query: String, limit: u32) -> Answer<'_, Vec<Message>> {
        (**self).search(query, limit)
    }
    fn summarize(&self, place: Place) -> Answer<'_, String> {
        (**self).summarize(place)
    }
    fn denied(&self, permission: Permission) {
        (**self).denied(permission);
    }
    fn setting(&self, key: String) -> Answer<'_, Option<SettingValue>> {
        (**self).setting(key)
    }
    fn log(&self, level: Level, text: &str) {
        (**self).log(level, text);
    }
    fn now_ms(&self) -> u64 {
        (**self).now_ms()
    }
}
