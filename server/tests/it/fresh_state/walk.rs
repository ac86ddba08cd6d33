//! A random walk through everything that people do, from a seed that is printed.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, RngCore, SeedableRng};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::client::Client;
use crate::harness::World;
use crate::harness::user::{User, id};

/// Changes of one walk.
pub const STEPS: usize = 300;
/// Messages of one channel: a first page holds all.
const MOST: usize = 90;

/// Four people and what they know of the world to act in it.
pub struct Walk {
    clients: Vec<Client>,
    random: StdRng,
    seed: u64,
    /// Channels by id, with their messages.
    places: Vec<(String, Vec<String>)>,
    done: Vec<String>,
    number: usize,
}

impl Walk {
    pub async fn begin(world: &mut World, document: &Value, seed: u64) -> Self {
        let mut clients = Vec::new();
        for name in ["ada", "bob", "cyd", "dan"] {
            clients.push(Client::start(world.user(name).await, document).await);
        }
        let random = StdRng::seed_from_u64(seed);
        let mut walk = Self { clients, random, seed, places: Vec::new(), done: Vec::new(), number: 0 };
        for kind in ["public", "private", "public"] {
            walk.create(0, kind).await;
        }
        walk
    }

    /// One change by somebody; then two of the four compare, now and then all.
    pub async fn step(&mut self) {
        let who = self.random.random_range(0..self.clients.len());
        let what = self.act(who).await;
        self.done.push(format!("{} {what}", self.clients[who].user.name));
        let other = self.random.random_range(0..self.clients.len());
        let is_all = self.done.len().is_multiple_of(20);
        let story = self.story();
        for (at, client) in self.clients.iter_mut().enumerate() {
            if is_all || at == who || at == other {
                client.becomes_fresh(&story).await;
            } else {
                client.listen().await;
            }
        }
    }

    /// All compare once more; a client that begins anew by READY knows the same.
    pub async fn end(mut self) {
        let story = self.story();
        for client in &mut self.clients {
            client.becomes_fresh(&story).await;
        }
        let messages: usize = self.places.iter().map(|it| it.1.len()).sum();
        assert!(messages > STEPS / 10, "the walk went nowhere: {messages} messages");
    }

    fn story(&self) -> String {
        let last: Vec<&str> = self.done.iter().rev().take(8).map(String::as_str).collect();
        format!("CONFAB_WALK_SEED={} step {}: {}", self.seed, self.done.len(), last.join("\n  before: "))
    }

    async fn act(&mut self, who: usize) -> String {
        let place = self.random.random_range(0..self.places.len());
        match self.random.random_range(0..100) {
            0..18 => self.post(who, place).await,
            18..21 => self.quote_or_forward(who, place).await,
            21..28 => self.mark(who, place).await,
            28..36 => self.reply(who, place).await,
            36..38 => self.give_role(who, place).await,
            38..42 => self.post_file(who, place).await,
            42..54 => self.react(who, place).await,
            54..61 => self.edit(who, place).await,
            61..66 => self.delete(who, place).await,
            66..73 => self.read(who, place).await,
            73..79 => self.come_or_go(who, place).await,
            79..83 => self.bring_or_remove(who, place).await,
            83..86 => self.tune(who, place).await,
            86..89 => self.talk_in_private(who).await,
            89..92 => self.rename(who).await,
            92..95 => self.read_notifications(who).await,
            95..97 => {
                self.clients[who].reconnect().await;
                "came back".to_owned()
            }
            97..98 => self.delete_channel(who, place).await,
            _ => {
                let kind = if self.random.random_bool(0.5) { "public" } else { "private" };
                if self.places.len() < 6 { self.create(who, kind).await } else { self.post(who, place).await }
            }
        }
    }

    fn user(&self, who: usize) -> User {
        self.clients[who].user.clone()
    }

    fn text(&mut self) -> String {
        self.number += 1;
        let mention = ["", "", "@ada ", "@bob ", "@cyd ", "@dan @ada "].choose(&mut self.random).copied();
        format!("{}word {} *{}*", mention.unwrap_or_default(), self.number, self.random.next_u32())
    }

    fn message(&mut self, place: usize) -> Option<String> {
        self.places[place].1.choose(&mut self.random).cloned()
    }

    /// Over REST or the socket alike. Whoever may not is refused, which changes nothing.
    async fn post(&mut self, who: usize, place: usize) -> String {
        let (text, channel) = (self.text(), self.places[place].0.clone());
        if self.places[place].1.len() >= MOST {
            return Box::pin(self.delete(who, place)).await;
        }
        if self.random.random_bool(0.4) {
            let nonce = format!("n{}", self.number);
            let answer = self.clients[who].send(&channel, &text, &nonce).await;
            if let Some(id) = answer["d"]["message"]["id"].as_str() {
                self.places[place].1.push(id.to_owned());
            }
            return format!("sent to {place}: {}", answer["op"]);
        }
        self.post_form(who, place, &json!({ "content": text })).await
    }

    async fn post_form(&mut self, who: usize, place: usize, form: &Value) -> String {
        let path = format!("/api/v1/channels/{}/messages", self.places[place].0);
        let reply = self.user(who).call(Method::POST, &path, Some(form)).await;
        if reply.status == 201 {
            self.places[place].1.push(id(&reply.body()).to_owned());
        }
        format!("posted to {place}: {} {form}", reply.status)
    }

    async fn reply(&mut self, who: usize, place: usize) -> String {
        let Some(parent) = self.message(place) else { return Box::pin(self.post(who, place)).await };
        if self.places[place].1.len() >= MOST {
            return Box::pin(self.delete(who, place)).await;
        }
        let text = self.text();
        self.post_form(who, place, &json!({ "content": text, "parent_id": parent })).await
    }

    async fn post_file(&mut self, who: usize, place: usize) -> String {
        let user = self.user(who);
        let text = self.text();
        let part = Part::bytes(text.clone().into_bytes()).file_name("tides.txt");
        let form = Form::new().part("file", part);
        let reply = user.fetch(user.request(Method::POST, "/api/v1/files/upload").multipart(form)).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        self.post_form(who, place, &json!({ "content": text, "file_ids": [reply.body()["id"]] })).await
    }

    async fn react(&mut self, who: usize, place: usize) -> String {
        let Some(message) = self.message(place) else { return Box::pin(self.post(who, place)).await };
        let code = ["wave", "tada", "+1", "heart"].choose(&mut self.random).copied().unwrap_or("wave");
        let method = if self.random.random_bool(0.7) { Method::PUT } else { Method::DELETE };
        let path = format!("/api/v1/messages/{message}/reactions/{code}");
        let reply = self.user(who).call(method.clone(), &path, None).await;
        format!("{method} {code} in {place}: {}", reply.status)
    }

    async fn edit(&mut self, who: usize, place: usize) -> String {
        let Some(message) = self.message(place) else { return Box::pin(self.post(who, place)).await };
        let text = self.text();
        let path = format!("/api/v1/messages/{message}");
        let reply = self.user(who).call(Method::PUT, &path, Some(&json!({ "content": text }))).await;
        format!("edited in {place}: {} {text}", reply.status)
    }

    async fn delete(&mut self, who: usize, place: usize) -> String {
        let Some(message) = self.message(place) else { return Box::pin(self.post(who, place)).await };
        let reply = self.user(who).call(Method::DELETE, &format!("/api/v1/messages/{message}"), None).await;
        format!("deleted in {place}: {} {message}", reply.status)
    }

    async fn read(&mut self, who: usize, place: usize) -> String {
        let channel = self.places[place].0.clone();
        let user = self.user(who);
        let seen = user.call(Method::GET, &format!("/api/v1/channels/{channel}"), None).await;
        let last = if seen.status == 200 { seen.body()["last_seq"].as_i64().unwrap_or(1) } else { 1 };
        let seq = self.random.random_range(0..=last);
        let path = format!("/api/v1/channels/{channel}/read");
        let reply = user.call(Method::PUT, &path, Some(&json!({ "seq": seq }))).await;
        format!("read {place} to {seq}: {}", reply.status)
    }

    /// What one does with a message or a channel besides writing: pins, bookmarks, follows, drafts, preferences.
    async fn mark(&mut self, who: usize, place: usize) -> String {
        let Some(message) = self.message(place) else { return Box::pin(self.post(who, place)).await };
        let channel = self.places[place].0.clone();
        let (chance, seq) = (self.random.random_bool(0.6), self.random.random_range(1..20));
        let on_or_off = if chance { Method::PUT } else { Method::DELETE };
        let user = self.user(who);
        let (method, path, body) = match self.random.random_range(0..7) {
            0 => (on_or_off, format!("messages/{message}/pin"), Value::Null),
            1 => (on_or_off, format!("messages/{message}/bookmark"), Value::Null),
            2 => (on_or_off, format!("messages/{message}/follow"), Value::Null),
            3 => (on_or_off, format!("channels/{channel}/draft"), json!({ "content": "half a th" })),
            4 => {
                let form = json!({ "starred": chance, "muted": !chance, "notification_level": "mentions" });
                (Method::PUT, format!("channels/{channel}/preferences"), form)
            }
            5 => (Method::PUT, format!("channels/{channel}/unread"), json!({ "seq": seq })),
            _ => (Method::POST, "channels/read-all".to_owned(), json!({})),
        };
        let body = (method != Method::DELETE && !body.is_null()).then_some(body);
        let reply = user.call(method.clone(), &format!("/api/v1/{path}"), body.as_ref()).await;
        format!("{method} {path} in {place}: {}", reply.status)
    }

    async fn quote_or_forward(&mut self, who: usize, place: usize) -> String {
        let Some(message) = self.message(place) else { return Box::pin(self.post(who, place)).await };
        let text = self.text();
        if self.random.random_bool(0.5) {
            return self.post_form(who, place, &json!({ "content": text, "quoted_id": message })).await;
        }
        let to = self.random.random_range(0..self.places.len());
        if self.places[to].1.len() >= MOST {
            return Box::pin(self.delete(who, to)).await;
        }
        let form = json!({ "channel_id": self.places[to].0, "content": text });
        let path = format!("/api/v1/messages/{message}/forward");
        let reply = self.user(who).call(Method::POST, &path, Some(&form)).await;
        if reply.status == 201 {
            self.places[to].1.push(id(&reply.body()).to_owned());
        }
        format!("forwarded from {place} to {to}: {}", reply.status)
    }

    async fn give_role(&mut self, who: usize, place: usize) -> String {
        let other = self.random.random_range(0..self.clients.len());
        let role =
            ["guest", "member", "admin", "owner"].choose(&mut self.random).copied().unwrap_or("member");
        let path = format!("/api/v1/channels/{}/roles/{}", self.places[place].0, self.user(other).id);
        let reply = self.user(who).call(Method::PUT, &path, Some(&json!({ "role": role }))).await;
        format!("makes {other} {role} in {place}: {}", reply.status)
    }

    async fn come_or_go(&mut self, who: usize, place: usize) -> String {
        let verb = if self.random.random_bool(0.6) { "join" } else { "leave" };
        let path = format!("/api/v1/channels/{}/{verb}", self.places[place].0);
        let reply = self.user(who).call(Method::POST, &path, None).await;
        format!("{verb} {place}: {}", reply.status)
    }

    async fn bring_or_remove(&mut self, who: usize, place: usize) -> String {
        let other = self.random.random_range(0..self.clients.len());
        let (user, other) = (self.user(who), self.user(other));
        let path = format!("/api/v1/channels/{}/members", self.places[place].0);
        let reply = if self.random.random_bool(0.6) {
            user.call(Method::POST, &path, Some(&json!({ "user_id": other.id }))).await
        } else {
            user.call(Method::DELETE, &format!("{path}/{}", other.id), None).await
        };
        format!("brings in or removes {} in {place}: {}", other.name, reply.status)
    }

    async fn tune(&mut self, who: usize, place: usize) -> String {
        let path = format!("/api/v1/channels/{}", self.places[place].0);
        let text = self.text();
        let reply = match self.random.random_range(0..5) {
            4 => {
                let form = json!({ "is_private": self.random.random_bool(0.5), "share_history": true });
                self.user(who).call(Method::PUT, &format!("{path}/privacy"), Some(&form)).await
            }
            0 => self.user(who).call(Method::POST, &format!("{path}/archive"), None).await,
            1 => self.user(who).call(Method::POST, &format!("{path}/unarchive"), None).await,
            2 => self.user(who).call(Method::PUT, &path, Some(&json!({ "name": text }))).await,
            _ => {
                self.user(who)
                    .call(Method::PUT, &path, Some(&json!({ "topic": text, "description": text })))
                    .await
            }
        };
        format!("tuned {place}: {} {}", reply.status, reply.text.chars().take(80).collect::<String>())
    }

    async fn talk_in_private(&mut self, who: usize) -> String {
        let mut others: Vec<String> = self
            .clients
            .iter()
            .map(|it| it.user.id.clone())
            .filter(|it| *it != self.clients[who].user.id)
            .collect();
        others.truncate(self.random.random_range(1..=others.len()));
        let reply = self
            .user(who)
            .call(Method::POST, "/api/v1/channels/direct", Some(&json!({ "user_ids": others })))
            .await;
        let channel = id(&reply.body()).to_owned();
        if !self.places.iter().any(|it| it.0 == channel) {
            self.places.push((channel, Vec::new()));
        }
        format!("opened a conversation of {}: {}", others.len() + 1, reply.status)
    }

    async fn rename(&mut self, who: usize) -> String {
        let text = self.text();
        let form = json!({ "full_name": text.chars().take(60).collect::<String>(), "bio": text });
        let reply = self.user(who).call(Method::PUT, "/api/v1/users/me", Some(&form)).await;
        format!("renamed: {}", reply.status)
    }

    async fn read_notifications(&mut self, who: usize) -> String {
        let user = self.user(who);
        let page = user.get("/api/v1/users/me/notifications?limit=100", 200).await;
        let known: Vec<String> =
            page["items"].as_array().into_iter().flatten().map(|it| id(it).to_owned()).collect();
        let chosen = known.choose(&mut self.random).cloned().map(|it| vec![it]);
        let ids = if self.random.random_bool(0.7) { chosen } else { None };
        let form = ids.as_ref().map_or_else(|| json!({}), |ids| json!({ "ids": ids }));
        user.send(Method::POST, "/api/v1/users/me/notifications/read", Some(&form), 200).await;
        self.clients[who].listen().await;
        self.clients[who].marked(ids.as_deref());
        format!("read notifications {form}")
    }

    async fn delete_channel(&mut self, who: usize, place: usize) -> String {
        let path = format!("/api/v1/channels/{}", self.places[place].0);
        let reply = self.user(who).call(Method::DELETE, &path, None).await;
        if reply.status == 204 {
            self.places.remove(place);
        }
        if self.places.is_empty() {
            self.create(who, "public").await;
        }
        format!("deleted {place}: {}", reply.status)
    }

    async fn create(&mut self, who: usize, kind: &str) -> String {
        self.number += 1;
        let name = format!("place {}", self.number);
        let channel = self.user(who).create_channel(&name, kind, 201).await;
        self.places.push((id(&channel).to_owned(), Vec::new()));
        format!("made {name}, {kind}")
    }
}
