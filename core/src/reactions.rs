//! Reactions: which there are, and who put which under what.

use std::collections::HashMap;

use confab_protocol::{EventKind, MessageId, ReactionCount, Timestamp, UserId};
use uuid::Uuid;

use crate::access::{self, Take};
use crate::db::write::Emission;
use crate::db::{Read, Tx, run, run_in};
use crate::fault::{Fault, Result};
use crate::{messages, text};

/// Most distinct reactions under one message, and of one user there.
const PER_MESSAGE: i64 = 50;
const PER_USER: i64 = 20;
/// Most people named with a reaction; the count goes on.
const NAMED: usize = 50;

const ADD: &str =
    "insert into message_reactions (message_id, code, user_id, created_at) values ($1, $2, $3, $4)
    on conflict do nothing";
const REMOVE: &str = "delete from message_reactions where message_id = $1 and code = $2 and user_id = $3";
const COUNTED: &str = "update messages set reaction_count = reaction_count + $2 where id = $1";
const STANDING: &str =
    "select count(distinct code), coalesce(sum(case when user_id = $2 then 1 else 0 end), 0)
    from message_reactions where message_id = $1";
const OF_MESSAGES: &str = "select message_id, code, user_id from message_reactions where message_id in";
const KNOWN: &str = "select count(*) from reactions where code = $1";
const CATALOGUE: &str =
    "select code, name, symbol, is_system, plugin_id, created_at from reactions order by code";
const REGISTER: &str = "insert into reactions (code, name, symbol, is_system, plugin_id, created_by_id, created_at)
    values ($1, $2, $3, false, $4, null, $5)
    on conflict (code) do update set name = excluded.name, symbol = excluded.symbol, plugin_id = excluded.plugin_id";

/// A reaction of the catalogue, beside the system's emoji.
#[derive(Clone, Debug, serde::Serialize, sqlx::FromRow)]
pub struct Custom {
    /// What is stored under a message.
    pub code: String,
    /// What it is called.
    pub name: String,
    /// What it looks like, as text.
    pub symbol: Option<String>,
    /// Comes with the server.
    pub is_system: bool,
    /// The plugin that made it.
    pub plugin_id: Option<String>,
    /// When, in milliseconds.
    pub created_at: i64,
}

/// The form in which a reaction is stored: an emoji itself, or a custom code.
///
/// # Errors
/// [`Fault::Invalid`] in `code` for what is neither.
pub async fn resolve(on: &mut impl Read, code: &str) -> Result<String> {
    let plain = code.trim_matches(':');
    if let Some(emoji) = emojis::get(plain).or_else(|| emojis::get_by_shortcode(plain)) {
        return Ok(emoji.as_str().to_owned());
    }
    if plain.len() <= 64 {
        let known: i64 = run!(on, sqlx::query_scalar(KNOWN).bind(plain.to_owned()), fetch_one)?;
        if known > 0 {
            return Ok(plain.to_owned());
        }
    }
    Err(Fault::invalid("code", "is neither an emoji nor a reaction of this server"))
}

/// Puts a reaction under a message. Twice is once. Answers the stored code.
pub async fn add(tx: &mut Tx, user: UserId, id: MessageId, code: &str) -> Result<String> {
    let code = resolve(tx, code).await?;
    let (admitted, message) = messages::find(tx, user, id).await?;
    admitted.member()?;
    if message.deleted_at.is_some() {
        return Err(Fault::Gone("message"));
    }
    let (place, _) = access::place_for(tx, user, message.channel_id, Take::Events(1)).await?;
    if run!(
        tx,
        sqlx::query(ADD).bind(id.0).bind(code.clone()).bind(user.0).bind(Timestamp::now().0),
        execute
    )? == 0
    {
        access::give_back(tx, message.channel_id, Take::Events(1)).await?;
        return Ok(code);
    }
    let (codes, own): (i64, i64) = run!(tx, sqlx::query_as(STANDING).bind(id.0).bind(user.0), fetch_one)?;
    if codes > PER_MESSAGE || own > PER_USER {
        let text = format!("at most {PER_MESSAGE} reactions stand under a message, {PER_USER} of one person");
        return Err(Fault::conflict("too_many_reactions", text));
    }
    run!(tx, sqlx::query(COUNTED).bind(id.0).bind(1_i64), execute)?;
    tx.emit(
        Emission::new(EventKind::ReactionAdded, id)
            .at(message.channel_id, place.first_seq)
            .by(user)
            .detail(&*code),
    );
    Ok(code)
}

/// Takes one's reaction away. What is not there is no fault.
pub async fn remove(tx: &mut Tx, user: UserId, id: MessageId, code: &str) -> Result<()> {
    let code = resolve(tx, code).await?;
    let (admitted, message) = messages::find(tx, user, id).await?;
    admitted.member()?;
    let (place, _) = access::place_for(tx, user, message.channel_id, Take::Events(1)).await?;
    if run!(tx, sqlx::query(REMOVE).bind(id.0).bind(code.clone()).bind(user.0), execute)? == 0 {
        return access::give_back(tx, message.channel_id, Take::Events(1)).await;
    }
    run!(tx, sqlx::query(COUNTED).bind(id.0).bind(-1_i64), execute)?;
    tx.emit(
        Emission::new(EventKind::ReactionRemoved, id)
            .at(message.channel_id, place.first_seq)
            .by(user)
            .detail(code),
    );
    Ok(())
}

/// The reactions of several messages, in the order in which they were first put.
pub(crate) async fn of_messages(
    on: &mut impl Read,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Vec<ReactionCount>>> {
    let mut found: HashMap<Uuid, Vec<ReactionCount>> = HashMap::new();
    let rows: Vec<(Uuid, String, Uuid)> =
        run_in!(on, (Uuid, String, Uuid), OF_MESSAGES, ids, "order by created_at, user_id")?;
    for (message, code, user) in rows {
        let counts = found.entry(message).or_default();
        let place = counts.iter().position(|it| it.code == code).unwrap_or_else(|| {
            counts.push(ReactionCount { code, count: 0, user_ids: Vec::new() });
            counts.len() - 1
        });
        counts[place].count += 1;
        if counts[place].user_ids.len() < NAMED {
            counts[place].user_ids.push(UserId(user));
        }
    }
    Ok(found)
}

/// The catalogue of custom reactions.
pub async fn catalogue(on: &mut impl Read) -> Result<Vec<Custom>> {
    Ok(run!(on, sqlx::query_as(CATALOGUE), fetch_all)?)
}

/// Registers a plugin's own reaction.
///
/// # Errors
/// [`Fault::Invalid`] for a code that is an emoji's or no word.
pub async fn register(
    tx: &mut Tx,
    code: &str,
    name: &str,
    symbol: Option<&str>,
    plugin_id: &str,
) -> Result<()> {
    let is_word = !code.is_empty()
        && code.len() <= 64
        && code.chars().all(|it| it.is_ascii_alphanumeric() || "_-:".contains(it));
    if !is_word || emojis::get_by_shortcode(code).is_some() {
        return Err(Fault::invalid("code", "must be a word of its own: letters, digits, - _ and :"));
    }
    let name = text::line("name", name, 100)?;
    run!(
        tx,
        sqlx::query(REGISTER)
            .bind(code.to_owned())
            .bind(name.clone())
            .bind(symbol.map(str::to_owned))
            .bind(plugin_id.to_owned())
            .bind(Timestamp::now().0),
        execute
    )?;
    Ok(())
}
