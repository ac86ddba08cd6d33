//! What plugins can do here: every call acts as the plugin's bot, through the same functions and the same checks as
//! a person's request. The bot sees what its memberships and the plugin's reach let it see and nothing else; while it answers a
//! person, only what this person sees too.

mod chat;
mod kept;
mod occasion;
pub(super) mod outside;
mod person;
mod reach;
mod reading;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use confab_core::plugins::timers;
use confab_core::{Bus, Db, FutureExt as _, Result, users};
use confab_plugin_host::{
    Answer, ChannelMember, Draft, Entry, Failure, Granted, Grants, Host, HttpRequest, HttpResponse, Id,
    Level, Message, NewChannel, Permission, Place, SettingKind, SettingValue, Timer, User,
};
use confab_protocol::{Timestamp, UserId};
use tokio::sync::Notify;

pub(super) use occasion::Occasion;
pub(super) use reading::Reading;

use super::catalogue::Loaded;
use super::notes::Notes;
use super::words;

/// What hosts share.
pub(super) struct Means {
    pub db: Db,
    pub bus: Bus,
    pub notes: Arc<Notes>,
    /// Told of a new timer.
    pub sooner: Arc<Notify>,
}

/// The host of one call into one plugin.
pub(super) struct BotHost {
    db: Db,
    bus: Bus,
    notes: Arc<Notes>,
    sooner: Arc<Notify>,
    of: Arc<Loaded>,
    occasion: Occasion,
    /// Whom the plugin answers.
    person: Option<UserId>,
    /// Set while the assistant asks.
    reading: Option<Reading>,
    posts: AtomicU32,
    whispers: AtomicU32,
    summaries: AtomicU32,
}

impl BotHost {
    pub(super) fn new(
        means: Means,
        of: &Arc<Loaded>,
        occasion: Occasion,
        person: Option<UserId>,
        reading: Option<Reading>,
    ) -> Arc<Self> {
        let Means { db, bus, notes, sooner } = means;
        Arc::new(Self {
            db,
            bus,
            notes,
            sooner,
            of: Arc::clone(of),
            occasion,
            person,
            reading,
            posts: AtomicU32::new(0),
            whispers: AtomicU32::new(0),
            summaries: AtomicU32::new(0),
        })
    }

    /// Narrowed to what was granted: the only form in which a plugin gets it.
    pub(super) fn granted(self: &Arc<Self>) -> Granted<Arc<Self>> {
        self.granted_only(&self.of.grants)
    }

    /// The same for a call that may do less than was granted.
    pub(super) fn granted_only(self: &Arc<Self>, grants: &Grants) -> Granted<Arc<Self>> {
        Granted::new(Arc::clone(self), &self.of.manifest, &self.of.grants.within(grants))
    }

    fn bot(&self) -> UserId {
        self.of.bot.id
    }

    /// The nonce of the next post. It counts the posts of the call, so a repeated call asks for the same ones.
    fn next_nonce(&self) -> String {
        self.occasion.nonce(&self.of.id, self.posts.fetch_add(1, Ordering::Relaxed))
    }

    /// The same of the next whisper.
    fn next_whisper(&self) -> String {
        self.occasion.nonce(&self.of.id, self.whispers.fetch_add(1, Ordering::Relaxed))
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
            self.person_writes(channel).await?;
            Ok(self.post(channel, root, draft, nonce).await?.id.to_string())
        })
    }

    fn direct_message(&self, user_id: Id, draft: Draft) -> Answer<'_, Id> {
        let nonce = self.next_nonce();
        self.answer(async move {
            let channel = self.conversation_with(chat::id(&user_id, "user")?).await?;
            Ok(self.post(channel, None, draft, nonce).await?.id.to_string())
        })
    }

    fn whisper(&self, place: Place, user_id: Id, draft: Draft) -> Answer<'_, ()> {
        let nonce = self.next_whisper();
        self.answer(async move {
            let (channel, root) = (chat::id(&place.channel_id, "channel")?, chat::root(&place)?);
            self.whisper_to(chat::id(&user_id, "user")?, channel, root, draft, nonce).await.map(drop)
        })
    }

    fn create_channel(&self, channel: NewChannel) -> Answer<'_, Id> {
        self.answer(async move { Ok(self.make_channel(channel).await?.to_string()) })
    }

    fn edit_message(&self, message_id: Id, draft: Draft) -> Answer<'_, ()> {
        self.answer(async move { self.edit(chat::id(&message_id, "message")?, draft).await })
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

    fn find_user(&self, username: String) -> Answer<'_, User> {
        self.answer(async move {
            let mut on = self.db.read();
            let name = username.trim_start_matches('@').to_lowercase();
            let found = users::by_names(&mut on, &[name]).await?.pop();
            let (id, _) = found.ok_or(confab_core::Fault::NotFound("user"))?;
            let found = users::refs(&mut on, &[id]).await?;
            found.first().map(words::user).ok_or(confab_core::Fault::NotFound("user"))
        })
    }

    fn recent_messages(&self, place: Place, limit: u32) -> Answer<'_, Vec<Message>> {
        self.answer(async move {
            let (channel, root) = (chat::id(&place.channel_id, "channel")?, chat::root(&place)?);
            self.recent(channel, root, limit).await
        })
    }

    fn members(&self, channel_id: Id, limit: u32) -> Answer<'_, Vec<ChannelMember>> {
        self.answer(async move { self.members_of(chat::id(&channel_id, "channel")?, limit).await })
    }

    fn find_channel(&self, name: String) -> Answer<'_, Id> {
        self.answer(async move { Ok(self.channel_named(&name).await?.to_string()) })
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

    fn set_timer(&self, timer: Timer) -> Answer<'_, ()> {
        self.answer(async move {
            let row = timers::Timer {
                plugin_id: self.of.id.clone(),
                name: timer.name,
                due_at: i64::try_from(timer.at_ms)
                    .map_err(|_| confab_core::Fault::invalid("at", "is no time"))?,
                period_seconds: timer.period_seconds.map(i64::from),
                payload: STANDARD.encode(&timer.payload),
                attempts: 0,
            };
            self.db.write(move |tx| async move { timers::set(tx, &row).await }.boxed()).await?;
            self.sooner.notify_one();
            Ok(())
        })
    }

    fn cancel_timer(&self, name: String) -> Answer<'_, bool> {
        self.answer(async move {
            let plugin = self.of.id.clone();
            self.db.write(move |tx| async move { timers::cancel(tx, &plugin, &name).await }.boxed()).await
        })
    }

    fn fetch(&self, request: HttpRequest) -> Answer<'_, HttpResponse> {
        self.answer(self.call_out(request))
    }

    fn search(&self, query: String, limit: u32) -> Answer<'_, Vec<Message>> {
        self.answer(self.look_for(query, limit))
    }

    fn summarize(&self, place: Place) -> Answer<'_, String> {
        self.answer(self.sum_up(place))
    }

    fn denied(&self, permission: Permission) {
        self.notes.denied(&self.of.id, permission);
    }

    fn now_ms(&self) -> u64 {
        Timestamp::now().0.unsigned_abs()
    }

    fn setting(&self, key: String) -> Answer<'_, Option<SettingValue>> {
        let is_secret =
            self.of.manifest.settings.iter().any(|it| it.key == key && it.kind == SettingKind::Secret);
        let value = self.of.settings.get(&key).filter(|_| !is_secret).cloned();
        Box::pin(std::future::ready(Ok::<_, Failure>(value)))
    }

    fn log(&self, level: Level, text: &str) {
        self.notes.line(&self.of.id, level, text);
    }
}
