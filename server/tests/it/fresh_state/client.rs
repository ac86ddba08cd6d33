//! A client as small as it can be: begins with READY and first pages, folds events, and asks again for nothing but what an
//! event says is new to it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::counting::{add, answered, read_by, recount, replace_person};
use super::fresh::{self, LISTS, compared, difference};
use crate::harness::Socket;
use crate::harness::user::User;
use crate::harness::wait::DEADLINE;

/// Waits this long for a frame before it looks whether the state is the fresh one.
const QUIET: Duration = Duration::from_millis(12);

pub struct Client {
    pub user: User,
    socket: Socket,
    state: Value,
    lists: Vec<&'static str>,
    /// Names of the events so far.
    pub heard: Vec<String>,
}

impl Client {
    pub async fn start(user: User, document: &Value) -> Self {
        let is_served = |path: &&str| !document["paths"][path]["get"].is_null();
        let lists: Vec<&'static str> = LISTS.iter().map(|(path, _)| *path).filter(is_served).collect();
        let mut socket = Socket::open(&user.address).await;
        let ready = socket.identify(&user.access_token).await;
        let mut state = json!({ "me": ready["user"], "channels": {}, "lists": {} });
        for channel in ready["channels"].as_array().into_iter().flatten() {
            let id = channel["id"].as_str().unwrap_or_default();
            let Some(mut content) = fresh::channel(&user, id).await else { continue };
            // Unless more has happened since, as when plugins' accounts come in: of one moment is what was read anew, and what
            // events tell of it again is known by then.
            if content["last_seq"] == channel["last_seq"] {
                for (name, value) in channel.as_object().into_iter().flatten() {
                    content[name] = value.clone();
                }
            }
            state["channels"][id] = content;
        }
        state["notifications"] = fresh::notifications(&user).await;
        for path in &lists {
            state["lists"][path] = fresh::list(&user, path).await;
        }
        Self { user, socket, state, lists, heard: Vec::new() }
    }

    /// Takes what has come, until the state is the one of somebody who begins now.
    pub async fn becomes_fresh(&mut self, what: &str) {
        let started = Instant::now();
        loop {
            while let Some(frame) = self.socket.within(QUIET).await {
                self.take(&frame).await;
            }
            let fresh = compared(&fresh::state(&self.user, &self.lists).await);
            let differences = difference(&compared(&self.state), &fresh);
            if differences.is_empty() {
                return;
            }
            let heard = self.heard.iter().rev().take(6).collect::<Vec<_>>();
            assert!(
                started.elapsed() < DEADLINE,
                "after {what}\n{} knows another state than a fresh one:\n  {}\nlast events: {heard:?}",
                self.user.name,
                differences.join("\n  ")
            );
        }
    }

    /// Frames that are here; the state is not looked at.
    pub async fn listen(&mut self) {
        while let Some(frame) = self.socket.within(Duration::from_millis(1)).await {
            self.take(&frame).await;
        }
    }

    /// Sends over the socket and waits for the answer; events on the way are folded.
    pub async fn send(&mut self, channel: &str, content: &str, nonce: &str) -> Value {
        let d = json!({ "channel_id": channel, "content": content, "nonce": nonce });
        self.socket.send(&json!({ "op": "send", "d": d })).await;
        loop {
            let frame = self.socket.next_frame().await;
            match frame["op"].as_str() {
                Some("ack" | "error") => return frame,
                _ => self.take(&frame).await,
            }
        }
    }

    /// Away and back again: what was missed comes by resume.
    pub async fn reconnect(&mut self) {
        let fresh = Socket::open(&self.user.address).await;
        let (epoch, pos) = std::mem::replace(&mut self.socket, fresh).cut();
        let (answer, missed) = self.socket.resume(&self.user.access_token, &epoch, pos).await;
        assert_eq!(answer["op"], "resumed", "{answer}");
        for frame in missed {
            self.take(&frame).await;
        }
    }

    /// What the client itself has marked as read, as the answer says.
    pub fn marked(&mut self, ids: Option<&[String]>) {
        self.mark_read(ids);
    }

    async fn take(&mut self, frame: &Value) {
        if frame["op"] != "event" {
            return;
        }
        let name = frame["t"].as_str().unwrap_or_default().to_owned();
        self.fold(&name, frame).await;
        for (path, names) in LISTS {
            if names.contains(&&*name) && self.lists.contains(path) {
                self.state["lists"][path] = fresh::list(&self.user, path).await;
            }
        }
        self.heard.push(name);
    }

    async fn fold(&mut self, name: &str, frame: &Value) {
        let d = &frame["d"];
        if let (Some(channel), Some(seq)) = (self.channel(&frame["channel_id"]), frame["seq"].as_i64())
            && channel["last_seq"].as_i64() < Some(seq)
        {
            channel["last_seq"] = json!(seq);
        }
        match name {
            "new_message" => self.posted(d),
            "message_update" => self.changed(d),
            "message_delete" => self.deleted(d),
            "reaction_added" | "reaction_removed" => self.reacted(d, name == "reaction_added"),
            "channel_update" | "privacy_updated" => self.channel_changed(d),
            "channel_deleted" => self.forget(&d["id"], true),
            "directory_updated" => self.listed(d).await,
            "member_joined" => self.joined(d).await,
            "member_left" => self.left(d),
            "role_updated" => self.role_changed(d),
            "read_updated" => self.read(d),
            "preferences_updated" => self.preferred(d),
            "pin_added" | "pin_removed" => self.pinned(d, name == "pin_added"),
            "user_updated" => self.person_changed(d).await,
            "notification" => self.noticed(d),
            "notifications_read" => {
                let ids: Option<Vec<String>> = serde_json::from_value(d["ids"].clone()).unwrap_or_default();
                self.mark_read(ids.as_deref());
            }
            _ => {}
        }
    }

    fn channel(&mut self, id: &Value) -> Option<&mut Value> {
        self.state["channels"].as_object_mut()?.get_mut(id.as_str()?)
    }

    fn message(&mut self, channel: &Value, id: &Value) -> Option<&mut Value> {
        self.channel(channel)?["messages"].as_object_mut()?.get_mut(id.as_str()?)
    }

    fn is_me(&self, id: &Value) -> bool {
        *id == json!(self.user.id)
    }

    fn posted(&mut self, d: &Value) {
        let me = json!(self.user.id);
        let Some(channel) = self.channel(&d["channel_id"]) else { return };
        let id = d["id"].as_str().unwrap_or_default();
        if channel["messages"].get(id).is_some() {
            return;
        }
        channel["messages"][id] = d.clone();
        add(&mut channel["message_count"], 1);
        if d["sender_id"] == me {
            // Whoever writes has read what stands above.
            channel["read_seq"] = d["seq"].clone();
        }
        recount(channel, &me);
        read_by(channel, &d["sender_id"], d["seq"].as_i64());
        if let Some(root) = self.message(&d["channel_id"], &d["parent_id"]) {
            add(&mut root["reply_count"], 1);
            answered(root, d);
        }
    }

    fn changed(&mut self, d: &Value) {
        let me = json!(self.user.id);
        if let Some(message) = self.message(&d["channel_id"], &d["id"]) {
            *message = d.clone();
        }
        if let Some(channel) = self.channel(&d["channel_id"]) {
            requote(channel, &d["id"], &d["content"], false);
            recount(channel, &me);
        }
    }

    fn deleted(&mut self, d: &Value) {
        let me = json!(self.user.id);
        let id = d["id"].as_str().unwrap_or_default().to_owned();
        // A page that was read since the event knows of it, and counts no more.
        let mut is_counted = true;
        if let Some(message) = self.message(&d["channel_id"], &d["id"]) {
            is_counted = message.get("deleted_at").is_none_or(Value::is_null);
            for (name, value) in [("content", json!("")), ("has_attachments", json!(false))] {
                message[name] = value;
            }
            for name in ["mentions", "reactions", "files", "blocks"] {
                message[name] = json!([]);
            }
            for name in ["html", "mentions_all", "quoted", "forwarded", "pinned_at", "pinned_by_id"] {
                message.as_object_mut().map(|it| it.remove(name));
            }
            message["previews"] = json!([]);
            for name in ["version", "deleted_at"] {
                message[name] = d[name].clone();
            }
            message["updated_at"] = d["deleted_at"].clone();
        }
        if let Some(root) = self.message(&d["channel_id"], &d["parent_id"]).filter(|_| is_counted) {
            add(&mut root["reply_count"], -1);
        }
        if let Some(channel) = self.channel(&d["channel_id"]) {
            requote(channel, &d["id"], &json!(""), true);
            recount(channel, &me);
        }
        self.drop_notifications(|it| it["message_id"] == json!(id));
    }

    fn reacted(&mut self, d: &Value, is_there: bool) {
        let Some(message) = self.message(&d["channel_id"], &d["message_id"]) else { return };
        let Some(reactions) = message["reactions"].as_array_mut() else { return };
        let at = reactions.iter().position(|it| it["code"] == d["code"]);
        let at = at.unwrap_or_else(|| {
            reactions.push(json!({ "code": d["code"], "count": 0, "user_ids": [] }));
            reactions.len() - 1
        });
        let Some(users) = reactions[at]["user_ids"].as_array_mut() else { return };
        users.retain(|it| *it != d["user_id"]);
        if is_there {
            users.push(d["user_id"].clone());
        }
        reactions[at]["count"] = json!(users.len());
        reactions.retain(|it| it["count"] != json!(0));
    }

    /// The event is one for all members: what is one's own stays.
    fn channel_changed(&mut self, d: &Value) {
        const OWN: [&str; 9] = [
            "role",
            "read_seq",
            "unread_count",
            "mention_count",
            "members",
            "messages",
            "starred",
            "muted",
            "notification_level",
        ];
        let Some(channel) = self.channel(&d["id"]) else { return };
        let mut next = d.clone();
        for name in OWN.into_iter().chain(["last_seq"]) {
            match channel.get(name) {
                Some(known) => next[name] = known.clone(),
                None => drop(next.as_object_mut().map(|it| it.remove(name))),
            }
        }
        *channel = next;
    }

    /// A channel anew; one that was left or deleted since is forgotten by the event that says so.
    async fn reload(&mut self, id: &str) {
        if let Some(content) = fresh::channel(&self.user, id).await {
            self.state["channels"][id] = content;
        }
    }

    async fn joined(&mut self, d: &Value) {
        let id = d["channel_id"].as_str().unwrap_or_default().to_owned();
        if self.channel(&d["channel_id"]).is_none() {
            // New to me: the only thing that is read again.
            self.reload(&id).await;
            // Whoever comes back may read again what they were once told of.
            self.state["notifications"] = fresh::notifications(&self.user).await;
            // What was told of it before it was known, such as one's own writing, is in the page already.
            return;
        }
        let Some(channel) = self.channel(&d["channel_id"]) else { return };
        let user = d["user"]["id"].as_str().unwrap_or_default();
        if channel["members"].get(user).is_some() {
            return;
        }
        channel["members"][user] =
            json!({ "user": d["user"], "role": d["role"], "joined_at": d["joined_at"] });
        add(&mut channel["member_count"], 1);
        if let Some(people) = channel["people"].as_array_mut() {
            people.push(d["user"].clone());
        }
    }

    /// An open channel is open from now on, or no more.
    async fn listed(&mut self, d: &Value) {
        let is_listed = d["listed"] == true;
        if is_listed {
            self.state["notifications"] = fresh::notifications(&self.user).await;
        } else if self.channel(&d["channel_id"]).is_none() {
            self.forget(&d["channel_id"], true);
        }
        // Copies of its messages elsewhere name their place only while everybody may know it.
        let ids: Vec<String> = match self.state["channels"].as_object() {
            Some(channels) => {
                channels.iter().filter(|it| has_forwards(it.1)).map(|it| it.0.clone()).collect()
            }
            None => Vec::new(),
        };
        for id in ids {
            self.reload(&id).await;
        }
    }

    fn left(&mut self, d: &Value) {
        if self.is_me(&d["user_id"]) {
            // Notifications of an open channel can still be read.
            let is_open = self.channel(&d["channel_id"]).is_some_and(|it| it["is_public"] == true);
            return self.forget(&d["channel_id"], !is_open);
        }
        let Some(channel) = self.channel(&d["channel_id"]) else { return };
        let user = d["user_id"].as_str().unwrap_or_default();
        let was_there = channel["members"].as_object_mut().is_some_and(|it| it.remove(user).is_some());
        if was_there {
            add(&mut channel["member_count"], -1);
        }
        if let Some(people) = channel["people"].as_array_mut() {
            people.retain(|it| it["id"] != d["user_id"]);
        }
    }

    fn forget(&mut self, id: &Value, with_notifications: bool) {
        let known = id.as_str().unwrap_or_default();
        self.state["channels"].as_object_mut().map(|it| it.remove(known));
        if with_notifications {
            self.drop_notifications(|it| it["channel_id"] == *id);
        }
    }

    fn role_changed(&mut self, d: &Value) {
        let is_me = self.is_me(&d["user_id"]);
        let Some(channel) = self.channel(&d["channel_id"]) else { return };
        let user = d["user_id"].as_str().unwrap_or_default();
        if channel["members"].get(user).is_some() {
            channel["members"][user]["role"] = d["role"].clone();
        }
        if is_me {
            channel["role"] = d["role"].clone();
        }
        if let Some(owner) = d.get("owner_id") {
            channel["owner_id"] = owner.clone();
        }
    }

    fn read(&mut self, d: &Value) {
        let me = json!(self.user.id);
        if d.get("user_id").is_some_and(|it| *it != me) {
            // The other one of a conversation.
            let (other, seq) = (d["user_id"].clone(), d["seq"].as_i64());
            if let Some(channel) = self.channel(&d["channel_id"]) {
                read_by(channel, &other, seq);
            }
            return;
        }
        let Some(channel) = self.channel(&d["channel_id"]) else { return };
        channel["read_seq"] = d["seq"].clone();
        recount(channel, &me);
        read_by(channel, &me, d["seq"].as_i64());
    }

    fn preferred(&mut self, d: &Value) {
        let Some(channel) = self.channel(&d["channel_id"]) else { return };
        for name in ["starred", "muted", "notification_level"] {
            if let Some(value) = d.get(name) {
                channel[name] = value.clone();
            }
        }
    }

    fn pinned(&mut self, d: &Value, is_there: bool) {
        let Some(message) = self.message(&d["channel_id"], &d["message_id"]) else { return };
        if is_there {
            message["pinned_at"] = d["pinned_at"].clone();
            message["pinned_by_id"] = d["user_id"].clone();
        } else {
            message.as_object_mut().map(|it| (it.remove("pinned_at"), it.remove("pinned_by_id")));
        }
    }

    /// The event is whole: a name or a picture that it lacks was taken away. What only the own account has is read again.
    async fn person_changed(&mut self, d: &Value) {
        replace_person(&mut self.state["channels"], d);
        if self.is_me(&d["id"]) {
            self.state["me"] = self.user.get("/api/v1/users/me", 200).await;
        }
    }

    fn noticed(&mut self, d: &Value) {
        let id = d["id"].as_str().unwrap_or_default();
        let known = &mut self.state["notifications"]["items"];
        if known.get(id).is_none() {
            known[id] = json!({ "kind": d["kind"], "message_id": d["message_id"], "channel_id": d["channel_id"], "is_read": false });
        }
        self.count_notifications();
    }

    fn mark_read(&mut self, ids: Option<&[String]>) {
        for (id, it) in self.state["notifications"]["items"].as_object_mut().into_iter().flatten() {
            if ids.is_none_or(|ids| ids.contains(id)) {
                it["is_read"] = json!(true);
            }
        }
        self.count_notifications();
    }

    fn drop_notifications(&mut self, gone: impl Fn(&Value) -> bool) {
        if let Some(known) = self.state["notifications"]["items"].as_object_mut() {
            known.retain(|_, it| !gone(it));
        }
        self.count_notifications();
    }

    fn count_notifications(&mut self) {
        let items = self.state["notifications"]["items"].as_object();
        let unread = items.into_iter().flat_map(|it| it.values()).filter(|it| it["is_read"] == false).count();
        self.state["notifications"]["unread"] = json!(unread);
    }
}

fn has_forwards(channel: &Value) -> bool {
    let messages = channel["messages"].as_object();
    messages.into_iter().flatten().any(|(_, it)| it.get("forwarded").is_some_and(Value::is_object))
}

/// A quote shows the beginning of a message as it is now; texts of the walk are shorter than that.
fn requote(channel: &mut Value, id: &Value, content: &Value, is_deleted: bool) {
    for message in channel["messages"].as_object_mut().into_iter().flat_map(|it| it.values_mut()) {
        if message.get("quoted").is_some_and(|quoted| quoted["message_id"] == *id) {
            message["quoted"]["excerpt"] = content.clone();
            message["quoted"]["is_deleted"] = json!(is_deleted);
        }
    }
}
