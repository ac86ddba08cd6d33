//! What a client that begins now knows, in a form that can be compared.

use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::harness::user::{User, items};

/// Lists that events only say to read again, and the events that do: what stands in a place goes and comes with it.
pub const LISTS: &[(&str, &[&str])] = &[
    (
        "/users/me/bookmarks",
        &[
            "bookmark_added",
            "bookmark_removed",
            "message_update",
            "message_delete",
            "channel_deleted",
            "directory_updated",
            "member_left",
        ],
    ),
    (
        "/users/me/drafts",
        &["draft_updated", "channel_deleted", "directory_updated", "member_left", "member_joined"],
    ),
    (
        "/scheduled-messages",
        &[
            "scheduled_message_updated",
            "channel_deleted",
            "directory_updated",
            "member_left",
            "member_joined",
        ],
    ),
    (
        "/reminders",
        &[
            "reminder_updated",
            "message_update",
            "message_delete",
            "channel_deleted",
            "directory_updated",
            "member_left",
            "member_joined",
        ],
    ),
    ("/reactions", &["reaction_catalogue_updated"]),
];

/// Everything anew: own account, channels with members and messages, notifications, and the lists that there are.
pub async fn state(user: &User, lists: &[&str]) -> Value {
    let mut channels = Map::new();
    let page = user.get("/api/v1/channels/me?limit=100", 200).await;
    for channel in items(&page) {
        let id = channel["id"].as_str().unwrap_or_default();
        channels.insert(id.to_owned(), with_content(user, channel.clone()).await);
    }
    let mut state =
        json!({ "me": user.get("/api/v1/users/me", 200).await, "channels": channels, "lists": {} });
    state["notifications"] = notifications(user).await;
    for path in lists {
        state["lists"][path] = list(user, path).await;
    }
    state
}

/// A channel with its members and its first page, all of one moment: what happens between two calls would be counted in
/// one of them and told again by its event. `None` when it is no longer theirs to read: the event of that is on its way.
pub async fn channel(user: &User, id: &str) -> Option<Value> {
    let path = format!("/api/v1/channels/{id}");
    let reply = user.call(Method::GET, &path, None).await;
    if reply.status == 404 {
        return None;
    }
    assert_eq!(reply.status, 200, "{}", reply.text);
    let mut known = reply.body();
    loop {
        let content = with_content(user, known.clone()).await;
        let now = user.get(&path, 200).await;
        if now["last_seq"] == known["last_seq"] {
            return Some(content);
        }
        known = now;
    }
}

async fn with_content(user: &User, mut channel: Value) -> Value {
    let id = channel["id"].as_str().unwrap_or_default().to_owned();
    let members = user.get(&format!("/api/v1/channels/{id}/members?limit=100"), 200).await;
    let members = items(&members)
        .iter()
        .map(|it| (it["user"]["id"].as_str().unwrap_or_default().to_owned(), it.clone()));
    channel["members"] = Value::Object(members.collect());
    let messages = user.get(&format!("/api/v1/channels/{id}/messages?limit=100"), 200).await;
    let messages =
        items(&messages).iter().map(|it| (it["id"].as_str().unwrap_or_default().to_owned(), it.clone()));
    channel["messages"] = Value::Object(messages.collect());
    channel
}

/// Those that wait or waited, by id, and how many wait.
pub async fn notifications(user: &User) -> Value {
    let page = user.get("/api/v1/users/me/notifications?limit=100", 200).await;
    let items = items(&page).iter().map(|it| {
        let id = it["id"].as_str().unwrap_or_default().to_owned();
        let message = &it["message"];
        let is_read = it["read_at"].is_string();
        (id, json!({ "kind": it["kind"], "message_id": message["id"], "channel_id": message["channel_id"], "is_read": is_read }))
    });
    json!({ "items": items.collect::<Map<_, _>>(), "unread": page["unread_count"] })
}

pub async fn list(user: &User, path: &str) -> Value {
    let mut items = user.get(&format!("/api/v1{path}"), 200).await["items"].clone();
    // What is said of a message beside it changes with the message, which is compared where it stands.
    for item in items.as_array_mut().into_iter().flatten() {
        if item.get("message").is_some() {
            item["message"] = item["message"]["id"].clone();
        }
    }
    items
}

/// The form in which two states are the same when a person sees the same.
pub fn compared(state: &Value) -> Value {
    let mut state = state.clone();
    for channel in objects(&mut state["channels"]) {
        // Moves with every number that is taken and is shown nowhere.
        channel.as_object_mut().map(|it| it.remove("updated_at"));
        if let Some(people) = channel["people"].as_array_mut() {
            people.sort_by_key(|it| it["id"].to_string());
        }
        for message in objects(&mut channel["messages"]) {
            // Two reactions in one millisecond stand in the order of their people.
            for reaction in message["reactions"].as_array_mut().into_iter().flatten() {
                // Pages know their reader, events are the same for all; clients find themselves in `user_ids`.
                reaction.as_object_mut().map(|it| it.remove("me"));
                if let Some(users) = reaction["user_ids"].as_array_mut() {
                    users.sort_by_key(ToString::to_string);
                }
            }
            if let Some(reactions) = message["reactions"].as_array_mut() {
                reactions.sort_by_key(|it| it["code"].to_string());
            }
        }
    }
    // Sessions come and go with the stories' own calls.
    state["me"].as_object_mut().map(|it| it.remove("last_seen_at"));
    state
}

fn objects(of: &mut Value) -> impl Iterator<Item = &mut Value> {
    of.as_object_mut().into_iter().flat_map(|it| it.values_mut())
}

/// Where two values differ, in sentences.
pub fn difference(state: &Value, fresh: &Value) -> Vec<String> {
    let mut found = Vec::new();
    differ("", state, fresh, &mut found);
    found
}

fn differ(place: &str, state: &Value, fresh: &Value, found: &mut Vec<String>) {
    match (state, fresh) {
        (Value::Object(left), Value::Object(right)) => {
            let mut names: Vec<&String> = left.keys().chain(right.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let (one, other) = (left.get(name), right.get(name));
                differ(
                    &format!("{place}/{name}"),
                    one.unwrap_or(&Value::Null),
                    other.unwrap_or(&Value::Null),
                    found,
                );
            }
        }
        _ if state == fresh => {}
        _ => found.push(format!("{place}: {state}, fresh {fresh}")),
    }
}
