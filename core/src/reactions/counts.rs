//! Reactions under messages, counted: a page needs two queries, however many people reacted.

use std::collections::HashMap;

use confab_protocol::{Message, MessageId, ReactionCount, Timestamp, UserId, UserRef};
use uuid::Uuid;

use crate::db::{Read, run, run_in};
use crate::fault::Result;

/// Most people named with a reaction; the count goes on.
const NAMED: usize = 50;
/// Above so many under one message the record counts them, and only those who are named leave it.
const READ: i64 = 200;

const OF_MESSAGES: &str = "select message_id, code, user_id from message_reactions where message_id in";
const COUNTS: &str = "select message_id, code, count(*) from message_reactions where message_id in";
// The record picks them out: of ten thousand rows fifty travel.
const FIRST: &str = "with found as (select message_id, code, user_id,
    row_number() over (partition by message_id, code order by user_id) as place
    from message_reactions where message_id in";
const OWN: &str = "select message_id, code from message_reactions where user_id = $1 and message_id in";
const PEOPLE: &str = "select r.user_id, r.created_at, u.username, u.full_name, u.picture_url, u.is_bot
    from message_reactions r join users u on u.id = r.user_id
    where r.message_id = $1 and r.code = $2 and r.user_id > $3 order by r.user_id limit $4";

/// The reactions of several messages, each with how many it has: in the order in which they were first put, and named
/// with the first who did. Under a message with very many, those named are any.
pub(crate) async fn of_messages(
    on: &mut impl Read,
    messages: &[(Uuid, i64)],
) -> Result<HashMap<Uuid, Vec<ReactionCount>>> {
    let few: Vec<Uuid> = messages.iter().filter(|it| it.1 <= READ).map(|it| it.0).collect();
    let many: Vec<Uuid> = messages.iter().filter(|it| it.1 > READ).map(|it| it.0).collect();
    let mut found: HashMap<Uuid, Vec<ReactionCount>> = HashMap::new();
    for part in few.chunks(500) {
        let rows: Vec<(Uuid, String, Uuid)> =
            run_in!(on, (Uuid, String, Uuid), OF_MESSAGES, part, "order by created_at, user_id")?;
        for (message, code, user) in rows {
            let count = of_code(found.entry(message).or_default(), code);
            count.count += 1;
            if count.user_ids.len() < NAMED {
                count.user_ids.push(UserId(user));
            }
        }
    }
    for part in many.chunks(500) {
        let tail = "group by message_id, code order by min(created_at), code";
        let rows: Vec<(Uuid, String, i64)> = run_in!(on, (Uuid, String, i64), COUNTS, part, tail)?;
        for (message, code, count) in rows {
            of_code(found.entry(message).or_default(), code).count = count;
        }
        let tail =
            format!(") select message_id, code, user_id from found where place <= {NAMED} order by place");
        let rows: Vec<(Uuid, String, Uuid)> = run_in!(on, (Uuid, String, Uuid), FIRST, part, tail)?;
        for (message, code, user) in rows {
            of_code(found.entry(message).or_default(), code).user_ids.push(UserId(user));
        }
    }
    Ok(found)
}

fn of_code(counts: &mut Vec<ReactionCount>, code: String) -> &mut ReactionCount {
    let place = counts.iter().position(|it| it.code == code).unwrap_or_else(|| {
        counts.push(ReactionCount { code, count: 0, user_ids: Vec::new(), me: None });
        counts.len() - 1
    });
    &mut counts[place]
}

/// Says of each reaction whether `user` is among those who put it.
pub async fn mark_own(on: &mut impl Read, user: UserId, messages: &mut [Message]) -> Result<()> {
    // Who is not named where all are named did not react; only beyond the first fifty the record has to say.
    let is_open = |it: &ReactionCount| it.count > it.user_ids.len() as i64 && !it.user_ids.contains(&user);
    let open: Vec<Uuid> =
        messages.iter().filter(|it| it.reactions.iter().any(is_open)).map(|it| it.id.0).collect();
    let mut own: Vec<(Uuid, String)> = Vec::new();
    for part in open.chunks(500) {
        let rows: Vec<(Uuid, String)> = run_in!(on, (Uuid, String), OWN, part, "", bind user.0)?;
        own.extend(rows);
    }
    for message in messages {
        for reaction in &mut message.reactions {
            let is_own = reaction.user_ids.contains(&user)
                || own.iter().any(|(id, code)| *id == message.id.0 && *code == reaction.code);
            reaction.me = Some(is_own);
        }
    }
    Ok(())
}

/// Somebody who put a reaction.
#[derive(Clone, Debug)]
pub struct Reacted {
    /// Who.
    pub user: UserRef,
    /// When.
    pub created_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct PersonRow {
    user_id: Uuid,
    created_at: i64,
    username: String,
    full_name: Option<String>,
    picture_url: Option<String>,
    is_bot: bool,
}

/// A page of those who put a reaction, after the user `after`, in order of their ids. The caller may read the message.
pub async fn people(
    on: &mut impl Read,
    message: MessageId,
    code: &str,
    after: Option<UserId>,
    limit: u32,
) -> Result<Vec<Reacted>> {
    let after = after.map_or(Uuid::nil(), |it| it.0);
    let rows: Vec<PersonRow> = run!(
        on,
        sqlx::query_as(PEOPLE).bind(message.0).bind(code.to_owned()).bind(after).bind(i64::from(limit)),
        fetch_all
    )?;
    let person = |row: PersonRow| Reacted {
        user: UserRef {
            id: UserId(row.user_id),
            username: row.username,
            full_name: row.full_name,
            picture_url: row.picture_url,
            is_bot: row.is_bot,
        },
        created_at: Timestamp(row.created_at),
    };
    Ok(rows.into_iter().map(person).collect())
}
