//! How far everybody is said to have read, by both places that say so: the list of channels and what is unread at once. The server
//! counts them by two queries.

use std::collections::HashMap;

use serde_json::Value;
use uuid::Uuid;

use crate::Result;
use crate::evidence::{Mark, id};
use crate::person::Person;
use crate::rooms::Rooms;

const LIST: &str = "channels/me";
const OVERVIEW: &str = "users/me/unread";

/// Of each room, the marks of all `members`.
pub async fn of(members: &[&Person], rooms: &Rooms) -> Result<HashMap<Uuid, Vec<Mark>>> {
    let mut marks: HashMap<Uuid, Vec<Mark>> = HashMap::new();
    for person in members {
        let list = person.get(&format!("{LIST}?limit=100")).await?;
        let overview = person.get(OVERVIEW).await?;
        for room in rooms.iter() {
            let here = marks.entry(room.id).or_default();
            let listed = item(&list, "id", room.id);
            let number = |name: &str| listed.and_then(|it| it[name].as_i64());
            here.push(Mark {
                name: person.name.clone(),
                user: person.id,
                said_by: LIST,
                // -1 is nobody's mark: whose list leaves a room out that they are in has a wrong one.
                read_seq: Some(number("read_seq").unwrap_or(-1)),
                unread: number("unread_count").unwrap_or(-1),
                mentions: number("mention_count").unwrap_or(-1),
            });
            // A room that is not there has nothing unread.
            let unread = item(&overview, "channel_id", room.id);
            let number = |name: &str| unread.map_or(0, |it| it[name].as_i64().unwrap_or(-1));
            here.push(Mark {
                name: person.name.clone(),
                user: person.id,
                said_by: OVERVIEW,
                read_seq: unread.map(|it| it["read_seq"].as_i64().unwrap_or(-1)),
                unread: number("unread_count"),
                mentions: number("mention_count"),
            });
        }
    }
    Ok(marks)
}

fn item<'v>(page: &'v Value, name: &str, room: Uuid) -> Option<&'v Value> {
    page["items"].as_array()?.iter().find(|it| id(&it[name]) == Some(room))
}
