//! What plugins can do here: every call acts as the plugin's bot, through the same functions and the same checks as
//! a person's request. The bot sees what its memberships let it see and nothing else.

mod chat;
mod kept;
mod occasion;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use confab_core::{Db, Result, users};
use confab_plugin_host::{
    Answer, Draft, Entry, Failure, Granted, Host, Id, Level, Message, Place, SettingValue, User,
};
use confab_protocol::UserId;

pub(super) use occasion::Occasion;

use super::catalogue::Loaded;
use super::words;

/// The host of one call into one plugin.
pub(super) struct BotHost {
    db: Db,
    of: Arc<Loaded>,
    occasion: Occasion,
    posts: AtomicU32,
}

impl BotHost {
    pub(super) fn new(db: &Db, of: &Arc<Loaded>, occasion: Occasion) -> Arc<Self> {
        Arc::new(Self { db: db.clone(), of: Arc::clone(of), occasion, posts: AtomicU32::new(0) })
    }

    /// Narrowed to what was granted: the only form in which a plugin gets it.
    pub(super) fn granted(self: &Arc<Self>) -> Granted<Arc<Self>> {
        Granted::new(Arc::clone(self), &self.of.manifest, &self.of.grants)
    }

    fn bot(&self) -> UserId {
        self.of.bot.id
    }

    /// The nonce of the next post. It counts the posts of the call, so a repeated call asks for the same ones.
    fn next_nonce(&self) -> String {
        self.occasion.nonce(&self.of.id, self.posts.fetch_add(1, Ordering::Relaxed))
    }

    /// An answer to the plugin, in its words.
    fn answer<'a, T>(&'a self, work: impl Future<Output = Result<T>> + Send + 'a) -> Answer<'a, T> {
        Box::pin(async move { work.await.map_err(|fault| words::failure(&self.of.id, fault)) })
    }
}

impl Host for BotHost {
    fn post_message(&self, place: Place, draft: Draft) -> Answer<'_, Id> {
        // Taken at once and not when first polled: the order of the plugin's calls is the order of the numbers.
        let nonce = self.next_nonce();
        self.answer(async move {
            let (channel, root) = (chat::id(&place.channel_id, "channel")?, chat::root(&place)?);
            Ok(self.post(channel, root, draft.markdown(), nonce).await?.id.to_string())
        })
    }

    fn edit_message(&self, message_id: Id, draft: Draft) -> Answer<'_, ()> {
        self.answer(async move { self.edit(chat::id(&message_id, "message")?, draft.markdown()).await })
    }

    fn delete_message(&self, message_id: Id) -> Answer<'_, ()> {
        self.answer(async move { self.delete(chat::id(&message_id, "message")?).await })
    }

    fn add_reaction(&self, message_id: Id, code: String) -> Answer<'_, ()> {
        self.answer(async move { self.react(chat::id(&message_id, "message")?, code, true).await })
    }

    fn remove_reaction(&self, message_id: Id, code: String) -> Answer<'_, ()> {
        self.answer(async move { self.react(chat::id(&message_id, "message")?, code, false).await })
    }

    fn get_message(&self, message_id: Id) -> Answer<'_, Message> {
        self.answer(async move { self.find(chat::id(&message_id, "message")?).await })
    }

    fn get_user(&self, user_id: Id) -> Answer<'_, User> {
        self.answer(async move {
            let id: UserId = chat::id(&user_id, "user")?;
            let found = users::refs(&mut self.db.read(), &[id]).await?;
            found.first().map(words::user).ok_or(confab_core::Fault::NotFound("user"))
        })
    }

    fn recent_messages(&self, place: Place, limit: u32) -> Answer<'_, Vec<Message>> {
        self.answer(async move {
            let (channel, root) = (chat::id(&place.channel_id, "channel")?, chat::root(&place)?);
            self.recent(channel, root, limit).await
        })
    }

    fn kv_get(&self, key: String) -> Answer<'_, Option<Entry>> {
        self.answer(kept::get(&self.db, &self.of.id, key))
    }

    fn kv_set(&self, key: String, value: Vec<u8>, ttl_seconds: Option<u32>) -> Answer<'_, u64> {
        self.answer(kept::set(&self.db, &self.of.id, key, value, ttl_seconds))
    }

    fn kv_swap(&self, key: String, expected: u64, value: Vec<u8>) -> Answer<'_, u64> {
        self.answer(kept::swap(&self.db, &self.of.id, key, expected, value))
    }

    fn kv_add(&self, key: String, delta: i64) -> Answer<'_, i64> {
        self.answer(kept::add(&self.db, &self.of.id, key, delta))
    }

    fn kv_delete(&self, key: String) -> Answer<'_, bool> {
        self.answer(kept::delete(&self.db, &self.of.id, key))
    }

    fn kv_list(&self, prefix: String, after: Option<String>, limit: u32) -> Answer<'_, Vec<String>> {
        self.answer(kept::list(&self.db, &self.of.id, prefix, after, limit))
    }

    fn setting(&self, key: String) -> Answer<'_, Option<SettingValue>> {
        let value = self.of.settings.get(&key).cloned();
        Box::pin(std::future::ready(Ok::<_, Failure>(value)))
    }

    fn log(&self, level: Level, text: &str) {
        let plugin = self.of.id.as_str();
        // A line break in it could pass for a line of the server's own.
        let text: String = text.chars().map(|it| if it.is_control() { ' ' } else { it }).collect();
        match level {
            Level::Debug => tracing::debug!(plugin, "{text}"),
            Level::Info => tracing::info!(plugin, "{text}"),
            Level::Warn => tracing::warn!(plugin, "{text}"),
            Level::Error => tracing::error!(plugin, "{text}"),
        }
    }
}
