//! What a client works out by itself from what it holds.

use serde_json::{Value, json};

pub fn add(count: &mut Value, change: i64) {
    *count = json!(count.as_i64().unwrap_or_default() + change);
}

/// Counts of what is unread, by the messages that are here: all of them, in these stories.
pub fn recount(channel: &mut Value, me: &Value) {
    let read = channel["read_seq"].as_i64().unwrap_or_default();
    let messages = channel["messages"].as_object();
    let unread: Vec<&Value> = messages
        .into_iter()
        .flat_map(|it| it.values())
        .filter(|it| it["seq"].as_i64() > Some(read))
        .collect();
    let mentions =
        unread.iter().filter(|it| it["mentions"].as_array().is_some_and(|it| it.contains(me))).count();
    (channel["unread_count"], channel["mention_count"]) = (json!(unread.len()), json!(mentions));
}

/// In a conversation of two: what stands up to a number and is for `reader` has been read, what stands below has not.
pub fn read_by(channel: &mut Value, reader: &Value, seq: Option<i64>) {
    for message in channel["messages"].as_object_mut().into_iter().flat_map(|it| it.values_mut()) {
        if message["recipient_id"] == *reader && message.get("is_read").is_some() {
            message["is_read"] = json!(message["seq"].as_i64() <= seq);
        }
    }
}

/// What an answer changes in its root besides the count, where the root shows it.
pub fn answered(root: &mut Value, d: &Value) {
    if root.get("last_reply_at").is_some() || root.get("participants").is_some() {
        root["last_reply_at"] = d["created_at"].clone();
    }
    if let Some(people) = root.get_mut("participants").and_then(Value::as_array_mut)
        && people.len() < 5
        && !people.contains(&d["sender_id"])
    {
        people.push(d["sender_id"].clone());
    }
}

/// Everywhere that somebody is shown, they look as they do now.
pub fn replace_person(value: &mut Value, person: &Value) {
    match value {
        Value::Object(fields)
            if fields.get("id") == Some(&person["id"]) && fields.contains_key("username") =>
        {
            *value = person.clone();
        }
        Value::Object(fields) => fields.values_mut().for_each(|it| replace_person(it, person)),
        Value::Array(items) => items.iter_mut().for_each(|it| replace_person(it, person)),
        _ => {}
    }
}
