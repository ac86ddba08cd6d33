//! What the server serves when all is over, asked for as any client would.

pub mod index;
mod marks;
mod pages;

use std::sync::Arc;

use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

use crate::Result;
use crate::board::Board;
use crate::evidence::{Event, Kept, Mark, Record, Search, id};
use crate::journal::{Act, Line};
use crate::people::People;
use crate::person::Person;
use crate::rooms::{Room, Rooms, own_word};

/// Searches of each sort: each costs a few milliseconds, and a fault of the index is seldom one of a single message.
const SEARCHES: usize = 60;
const MESSAGES: &str = "search/messages?mode=keyword&limit=5&q=";
const FILES: &str = "search/files?limit=5&q=";

/// Everything of all rooms. Their owner made them, and so hears of them from their first event; they never read or wrote.
pub async fn record(people: &People, board: &Board) -> Result<Vec<Record>> {
    let mut marks = marks::of(&people.members(), &people.rooms).await?;
    let mut records = Vec::new();
    for room in people.rooms.iter() {
        let marks = marks.remove(&room.id).unwrap_or_default();
        records.push(record_of(&people.owner, room, marks, board).await?);
    }
    Ok(records)
}

async fn record_of(owner: &Person, room: &Room, marks: Vec<Mark>, board: &Board) -> Result<Record> {
    let messages = all(owner, &format!("channels/{}/messages", room.id)).await?;
    let messages: Vec<Kept> = messages.iter().filter_map(Kept::of_view).collect();
    pages::agree(owner, room, &messages, board).await?;
    let events = all(owner, &format!("channels/{}/events", room.id)).await?;
    let channel = owner.get(&format!("channels/{}", room.id)).await?;
    let number = |name: &str| channel[name].as_i64().unwrap_or(-1);
    Ok(Record {
        channel: room.id,
        name: room.name.clone(),
        messages,
        events: events.iter().filter_map(Event::of_value).collect(),
        last_seq: number("last_seq"),
        message_count: number("message_count"),
        member_count: number("member_count"),
        members: members(owner, room).await?,
        unread: channel["unread_count"].as_i64(),
        marks,
    })
}

/// The messages that somebody was called by, one for each notification.
pub async fn called(who: &Person) -> Result<Vec<Uuid>> {
    let (mut called, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = who.get(&format!("users/me/notifications?limit=100{cursor}")).await?;
        let items = page["items"].as_array().into_iter().flatten();
        called.extend(
            items.filter(|item| item["kind"] == "mention").filter_map(|item| id(&item["message"]["id"])),
        );
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(called),
        }
    }
}

/// All pages of a list that goes by number.
async fn all(owner: &Person, path: &str) -> Result<Vec<Value>> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let mut page = owner.get(&format!("{path}?limit=100&after_seq={after}")).await?;
        let Some(items) = page["items"].as_array_mut() else {
            return Err(format!("{path} gave no list").into());
        };
        let Some(last) = items.last() else { return Ok(all) };
        let last = last["seq"].as_i64().ok_or("an item without a number")?;
        if last <= after {
            return Err(format!("{path}?after_seq={after} goes on with {last}").into());
        }
        after = last;
        all.append(items);
    }
}

async fn members(owner: &Person, room: &Room) -> Result<i64> {
    let (mut count, mut cursor) = (0, String::new());
    loop {
        let page = owner.get(&format!("channels/{}/members?limit=100{cursor}", room.id)).await?;
        count += page["items"].as_array().map_or(0, Vec::len) as i64;
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(count),
        }
    }
}

/// Waits until the index knows everything, then asks it for what is there, what is gone and what is not the asker's.
pub async fn searches(people: &People, journal: &[Line], board: &Arc<Board>) -> Result<Vec<Search>> {
    if index::whole(&people.admin, board, |_| true).await?.is_none() {
        return Ok(Vec::new());
    }
    let (owner, strangers) = (&people.owner, people.strangers());
    let words = Words::of(journal, &people.rooms);
    let mut searches = Vec::new();
    for (word, message) in some(&words.there) {
        searches.push(search(owner, MESSAGES, word, Some(*message)).await?);
    }
    for word in some(&words.gone) {
        searches.push(search(owner, MESSAGES, word, None).await?);
    }
    for (word, stranger) in some(&words.secret).zip(strangers.iter().cycle()) {
        searches.push(Search { is_forbidden: true, ..search(stranger, MESSAGES, word, None).await? });
    }
    // A secret stands in all texts of its room: what is counted before it is left out does not fit on a page, and so shows.
    for secret in people.rooms.iter().filter_map(|room| room.secret.as_ref()) {
        for stranger in &strangers {
            for path in [MESSAGES, FILES] {
                searches.push(Search { is_forbidden: true, ..search(stranger, path, secret, None).await? });
            }
        }
    }
    Ok(searches)
}

async fn search(who: &Person, path: &str, words: &str, expected: Option<Uuid>) -> Result<Search> {
    let answer = who.expect(Method::GET, &format!("{path}{words}"), None, &[200]).await?;
    let items = answer["items"].as_array().into_iter().flatten();
    let found = items.filter_map(|item| id(&item["message"]["id"]).or_else(|| id(&item["file"]["id"])));
    Ok(Search {
        words: words.to_owned(),
        expected,
        found: found.collect(),
        total: answer["total"].as_i64().unwrap_or(-1),
        goes_on: !answer["next_cursor"].is_null(),
        is_forbidden: false,
    })
}

/// Spread evenly over the run.
fn some<T>(all: &[T]) -> impl Iterator<Item = &T> {
    all.iter().step_by(all.len().div_ceil(SEARCHES).max(1))
}

/// Words that were said, by what must become of them.
#[derive(Default)]
struct Words {
    there: Vec<(String, Uuid)>,
    gone: Vec<String>,
    secret: Vec<String>,
}

impl Words {
    fn of(journal: &[Line], rooms: &Rooms) -> Self {
        let mut asked = std::collections::HashMap::new();
        let mut now: std::collections::BTreeMap<Uuid, (String, bool)> = std::collections::BTreeMap::new();
        let mut words = Self::default();
        let is_private =
            |channel: &Uuid| rooms.iter().any(|room| room.id == *channel && room.secret.is_some());
        for line in journal {
            match line {
                Line::Intent { number, act } => drop(asked.insert(*number, act)),
                Line::Acked { number, message, .. } => match asked.remove(number) {
                    Some(Act::Post { channel, text, .. }) => {
                        now.insert(*message, (own_word(text).to_owned(), is_private(channel)));
                    }
                    Some(Act::Edit { text, .. }) => {
                        if let Some(word) = now.get_mut(message) {
                            words.gone.push(std::mem::replace(&mut word.0, own_word(text).to_owned()));
                        }
                    }
                    Some(Act::Delete { .. }) => words.gone.extend(now.remove(message).map(|it| it.0)),
                    None => {}
                },
            }
        }
        words.secret.extend(now.values().filter(|it| it.1).map(|it| it.0.clone()));
        words.there.extend(now.into_iter().map(|(message, (word, _))| (word, message)));
        words
    }
}
