//! The stage as a host: everything that a plugin asks for happens here, and is written down.

use super::{NOBODY, Said, Stage, channel, person};
use crate::host::{Answer, Host};
use crate::permission::Permission;
use crate::rehearsal::written::{self, one_line};
use crate::words::{
    ChannelMember, Draft, Entry, Failure, HttpRequest, HttpResponse, Id, Level, Message, NewChannel, Place,
    Role, SettingValue, Timer, User,
};

fn ready<'a, T: Send + 'a>(answer: Result<T, Failure>) -> Answer<'a, T> {
    Box::pin(std::future::ready(answer))
}

fn somebody(name: &str) -> Result<User, Failure> {
    if name.is_empty() || name == NOBODY { Err(Failure::NotFound) } else { Ok(person(name)) }
}

impl Stage {
    /// Does something with a message of the plugin's own.
    fn own<T>(&self, id: &str, change: impl FnOnce(&mut Said) -> T) -> Result<T, Failure> {
        let mut world = self.world();
        let bot = world.bot.id.clone();
        let said = world.find(Some(id)).map_err(|_| Failure::NotFound)?;
        if said.message.sender.id == bot {
            Ok(change(said))
        } else {
            Err(Failure::Denied("another wrote the message".into()))
        }
    }

    fn tell(&self, line: String) {
        self.world().tell(line);
    }
}

impl Host for Stage {
    fn post_message(&self, place: Place, draft: Draft) -> Answer<'_, Id> {
        let mut world = self.world();
        let line = format!("posts{}: {}", written::place(&place), written::draft(&draft));
        world.tell(line);
        let bot = world.bot.clone();
        ready(Ok(world.post(bot, place, draft)))
    }

    fn edit_message(&self, message_id: Id, draft: Draft) -> Answer<'_, ()> {
        let line = format!("edits {message_id}: {}", written::draft(&draft));
        let done = self.own(&message_id, |said| {
            said.message.content = draft.markdown();
            said.draft = draft;
        });
        if done.is_ok() {
            self.tell(line);
        }
        ready(done)
    }

    fn delete_message(&self, message_id: Id) -> Answer<'_, ()> {
        let done = self.own(&message_id, |said| said.is_deleted = true);
        if done.is_ok() {
            self.tell(format!("deletes {message_id}"));
        }
        ready(done)
    }

    fn direct_message(&self, user_id: Id, draft: Draft) -> Answer<'_, Id> {
        let Ok(to) = somebody(&user_id) else { return ready(Err(Failure::NotFound)) };
        let mut world = self.world();
        let line = format!("direct to {}: {}", to.username, written::draft(&draft));
        world.tell(line);
        let (bot, place) = (world.bot.clone(), channel(&format!("direct-{}", to.id)));
        ready(Ok(world.post(bot, place, draft)))
    }

    fn whisper(&self, place: Place, user_id: Id, draft: Draft) -> Answer<'_, ()> {
        let mut world = self.world();
        let line = format!("whispers to {user_id}{}: {}", written::place(&place), written::draft(&draft));
        world.tell(line);
        world.whisper(place, draft);
        ready(Ok(()))
    }

    fn create_channel(&self, channel: NewChannel) -> Answer<'_, Id> {
        let kind = if channel.is_private { "private" } else { "public" };
        let with = channel.member_ids.join(", ");
        self.tell(format!("creates #{} ({kind}) with {with}", channel.name));
        ready(Ok(channel.name))
    }

    fn add_reaction(&self, message_id: Id, code: String) -> Answer<'_, ()> {
        let found = self.world().find(Some(&message_id)).map(|_| ()).map_err(|_| Failure::NotFound);
        if found.is_ok() {
            self.tell(format!("reacts {code} to {message_id}"));
        }
        ready(found)
    }

    fn remove_reaction(&self, message_id: Id, code: String) -> Answer<'_, ()> {
        let found = self.world().find(Some(&message_id)).map(|_| ()).map_err(|_| Failure::NotFound);
        if found.is_ok() {
            self.tell(format!("unreacts {code} to {message_id}"));
        }
        ready(found)
    }

    fn get_message(&self, message_id: Id) -> Answer<'_, Message> {
        ready(
            self.world().find(Some(&message_id)).map(|it| it.message.clone()).map_err(|_| Failure::NotFound),
        )
    }

    fn get_user(&self, user_id: Id) -> Answer<'_, User> {
        let bot = self.world().bot.clone();
        ready(if user_id == bot.id { Ok(bot) } else { somebody(&user_id) })
    }

    fn find_user(&self, username: String) -> Answer<'_, User> {
        self.get_user(username)
    }

    fn recent_messages(&self, place: Place, limit: u32) -> Answer<'_, Vec<Message>> {
        let world = self.world();
        let there = |it: &&Said| {
            let (of, root) = (&it.message.place, &it.message.id);
            let in_thread = match &place.thread_id {
                Some(thread) => of.thread_id.as_ref() == Some(thread) || root == thread,
                None => of.thread_id.is_none(),
            };
            !it.is_deleted && of.channel_id == place.channel_id && in_thread
        };
        let all: Vec<Message> = world.messages.iter().filter(there).map(|it| it.message.clone()).collect();
        ready(Ok(all[all.len().saturating_sub(limit as usize)..].to_vec()))
    }

    /// Whoever said something there; whoever spoke first owns the channel.
    fn members(&self, channel_id: Id, limit: u32) -> Answer<'_, Vec<ChannelMember>> {
        let world = self.world();
        let mut members: Vec<ChannelMember> = Vec::new();
        for said in world.messages.iter().filter(|it| it.message.place.channel_id == channel_id) {
            let user = &said.message.sender;
            if !members.iter().any(|member| member.user.id == user.id) {
                let role = if members.is_empty() { Role::Owner } else { Role::Member };
                members.push(ChannelMember { user: user.clone(), role });
            }
        }
        members.truncate(limit as usize);
        ready(Ok(members))
    }

    /// Channels go by their names, and any is there.
    fn find_channel(&self, name: String) -> Answer<'_, Id> {
        ready(Ok(name))
    }

    fn kv_get(&self, key: String) -> Answer<'_, Option<Entry>> {
        ready(Ok(self.world().entry(&key).cloned()))
    }

    fn kv_set(&self, key: String, value: Vec<u8>, ttl_seconds: Option<u32>) -> Answer<'_, u64> {
        ready(Ok(self.world().store(key, value, ttl_seconds)))
    }

    fn kv_swap(&self, key: String, expected: u64, value: Vec<u8>) -> Answer<'_, u64> {
        let mut world = self.world();
        let found = world.entry(&key).map_or(0, |entry| entry.revision);
        ready(if found == expected { Ok(world.store(key, value, None)) } else { Err(Failure::Conflict) })
    }

    fn kv_add(&self, key: String, delta: i64) -> Answer<'_, i64> {
        let mut world = self.world();
        let number =
            world.entry(&key).map_or(Some(0), |entry| std::str::from_utf8(&entry.value).ok()?.parse().ok());
        let sum = number.and_then(|number: i64| number.checked_add(delta));
        let Some(sum) = sum else {
            return ready(Err(Failure::Invalid("what is stored is no number".into())));
        };
        world.store(key, sum.to_string().into_bytes(), None);
        ready(Ok(sum))
    }

    fn kv_delete(&self, key: String) -> Answer<'_, bool> {
        let mut world = self.world();
        let was_there = world.entry(&key).is_some();
        world.stored.remove(&key);
        ready(Ok(was_there))
    }

    fn kv_list(&self, prefix: String, after: Option<String>, limit: u32) -> Answer<'_, Vec<String>> {
        let world = self.world();
        let keys = world.stored.keys().filter(|key| key.starts_with(&prefix) && world.entry(key).is_some());
        let keys = keys.filter(|key| after.as_ref().is_none_or(|after| *key > after)).take(limit as usize);
        ready(Ok(keys.cloned().collect()))
    }

    fn set_timer(&self, timer: Timer) -> Answer<'_, ()> {
        let mut world = self.world();
        let line = written::timer(&timer, world.now_ms);
        world.tell(line);
        world.timers.insert(timer.name.clone(), timer);
        ready(Ok(()))
    }

    fn cancel_timer(&self, name: String) -> Answer<'_, bool> {
        let mut world = self.world();
        let was_there = world.timers.remove(&name).is_some();
        if was_there {
            world.tell(format!("cancels timer {name}"));
        }
        ready(Ok(was_there))
    }

    fn fetch(&self, request: HttpRequest) -> Answer<'_, HttpResponse> {
        let mut world = self.world();
        let body = String::from_utf8_lossy(&request.body);
        let body = if body.is_empty() { String::new() } else { format!(": {}", one_line(&body)) };
        world.tell(format!("fetches {} {}{body}", request.method, request.url));
        let page = world.pages.iter().rev().find(|it| it.method == request.method && it.url == request.url);
        let none = || Failure::Unavailable("the conversation has no `page` for this".into());
        ready(page.ok_or_else(none).map(|it| HttpResponse {
            status: it.status,
            headers: Vec::new(),
            body: it.body.clone().into_bytes(),
        }))
    }

    fn search(&self, query: String, limit: u32) -> Answer<'_, Vec<Message>> {
        let world = self.world();
        let words: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
        let has = |it: &&Said| {
            let content = it.message.content.to_lowercase();
            !it.is_deleted && words.iter().all(|word| content.contains(word.as_str()))
        };
        let found = world.messages.iter().rev().filter(has).take(limit as usize);
        ready(Ok(found.map(|it| it.message.clone()).collect()))
    }

    fn summarize(&self, place: Place) -> Answer<'_, String> {
        self.world().tell(format!("asks for a summary of {}", place.channel_id));
        ready(Err(Failure::Unavailable("a conversation has no assistant".into())))
    }

    fn denied(&self, permission: Permission) {
        self.tell(format!("denied {permission}"));
    }

    fn setting(&self, key: String) -> Answer<'_, Option<SettingValue>> {
        ready(Ok(self.world().settings.get(&key).cloned()))
    }

    fn log(&self, level: Level, text: &str) {
        let level = match level {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        };
        self.tell(format!("log {level}: {}", one_line(text)));
    }

    fn now_ms(&self) -> u64 {
        self.world().now_ms
    }
}
