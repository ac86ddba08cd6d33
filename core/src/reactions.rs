//! Reactions: who put which under what. Which there are, beside the system's emoji, is in [`catalogue`]; who may put
//! those of plugins, and how often, in [`rules`].

mod catalogue;
mod counts;
mod rules;

use confab_protocol::{EventKind, MessageId, Timestamp, UserId};

use crate::access::{self, Take};
use crate::db::write::Emission;
use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};
use crate::messages;

pub(crate) use catalogue::of_codes;
pub use catalogue::{
    CODE_CHARACTERS, Custom, MOST, NewCustom, OfPlugin, catalogue, check_code, create, owner, page, register,
    remove_custom,
};
pub(crate) use counts::of_messages;
pub use counts::{Reacted, mark_own, people};
pub(crate) use rules::forget;
pub use rules::{asks_plugin, sweep};

/// Most distinct reactions under one message, and of one user there.
const PER_MESSAGE: i64 = 50;
const PER_USER: i64 = 20;
/// Longest code that was ever in the catalogue, in bytes.
const CODE_BYTES: usize = 64;

const ADD: &str =
    "insert into message_reactions (message_id, code, user_id, created_at) values ($1, $2, $3, $4)
    on conflict do nothing";
const REMOVE: &str = "delete from message_reactions where message_id = $1 and code = $2 and user_id = $3";
// Deleting takes the same lock: what is deleted by now gets no reaction.
const COUNTED: &str =
    "update messages set reaction_count = reaction_count + $2 where id = $1 and deleted_at is null";
const OWN: &str = "select count(*) from message_reactions where user_id = $2 and message_id = $1";
const IS_SHARED: &str =
    "select 1 from message_reactions where message_id = $1 and code = $2 and user_id <> $3 limit 1";
const CODES: &str = "select count(distinct code) from message_reactions where message_id = $1";
const IS_KNOWN: &str = "select 1 from reactions where code = $1";

/// The form in which a reaction is stored: an emoji itself, or a custom code.
///
/// # Errors
/// [`Fault::Invalid`] in `code` for what is neither.
pub async fn resolve(on: &mut impl Read, code: &str) -> Result<String> {
    let plain = code.trim_matches(':');
    if let Some(emoji) = emojis::get(plain).or_else(|| emojis::get_by_shortcode(plain)) {
        return Ok(emoji.as_str().to_owned());
    }
    if plain.len() <= CODE_BYTES {
        let known: Option<i32> =
            run!(on, sqlx::query_scalar(IS_KNOWN).bind(plain.to_owned()), fetch_optional)?;
        if known.is_some() {
            return Ok(plain.to_owned());
        }
    }
    Err(Fault::invalid("code", "is neither an emoji nor a reaction of this server"))
}

/// A code without the colons around it, no longer than any ever was.
fn trimmed(code: &str) -> String {
    code.trim_matches(':').chars().take(CODE_BYTES).collect()
}

/// The form in which a reaction may stand: as [`resolve`] says, or a code that left the catalogue.
///
/// # Errors
/// Those of the record.
pub async fn standing(on: &mut impl Read, code: &str) -> Result<String> {
    match resolve(on, code).await {
        Err(Fault::Invalid { .. }) => Ok(trimmed(code)),
        other => other,
    }
}

/// Puts a reaction under a message. Twice is once. Answers the stored code. The rules of a plugin's reaction hold here,
/// under the channel's lock, whoever asks.
///
/// # Errors
/// [`Fault::Invalid`] in `code`; [`Fault::Forbidden`] with code `reaction_not_allowed`; [`Fault::Conflict`] with code
/// `too_many_reactions`, `reaction_message_limit` or `reaction_day_limit`; those of the doors.
pub async fn add(tx: &mut Tx, user: UserId, id: MessageId, code: &str) -> Result<String> {
    let code = resolve(tx, code).await?;
    let (admitted, message) = messages::find(tx, user, id).await?;
    admitted.member()?;
    if message.deleted_at.is_some() {
        return Err(Fault::Gone("message"));
    }
    let rule = rules::of(tx, &code).await?;
    let (place, writer) = access::place_for(tx, user, message.channel_id, Take::Events(1)).await?;
    if run!(
        tx,
        sqlx::query(ADD).bind(id.0).bind(code.clone()).bind(user.0).bind(Timestamp::now().0),
        execute
    )? == 0
    {
        access::give_back(tx, message.channel_id, Take::Events(1)).await?;
        return Ok(code);
    }
    check_room(tx, user, id, &code).await?;
    if let Some(rule) = rule {
        rule.admit(tx, user, writer.role).await?;
        rule.count(tx, user, id, &code).await?;
    }
    if run!(tx, sqlx::query(COUNTED).bind(id.0).bind(1_i64), execute)? == 0 {
        return Err(Fault::Gone("message"));
    }
    tx.emit(
        Emission::new(EventKind::ReactionAdded, id)
            .at(message.channel_id, place.first_seq)
            .by(user)
            .detail(&*code),
    );
    Ok(code)
}

/// Refuses one too many. Ten thousand people may react alike: counting codes walks through them, so it is done only
/// where somebody is the first with theirs.
async fn check_room(tx: &mut Tx, user: UserId, id: MessageId, code: &str) -> Result<()> {
    let own: i64 = run!(tx, sqlx::query_scalar(OWN).bind(id.0).bind(user.0), fetch_one)?;
    let shared: Option<i32> = run!(
        tx,
        sqlx::query_scalar(IS_SHARED).bind(id.0).bind(code.to_owned()).bind(user.0),
        fetch_optional
    )?;
    let codes: i64 = match shared {
        Some(_) => 0,
        None => run!(tx, sqlx::query_scalar(CODES).bind(id.0), fetch_one)?,
    };
    if codes > PER_MESSAGE || own > PER_USER {
        let text = format!("at most {PER_MESSAGE} reactions stand under a message, {PER_USER} of one person");
        return Err(Fault::conflict("too_many_reactions", text));
    }
    Ok(())
}

/// Takes one's reaction away. What is not there is no fault; one that left the catalogue can still be taken away.
pub async fn remove(tx: &mut Tx, user: UserId, id: MessageId, code: &str) -> Result<()> {
    let resolved = resolve(tx, code).await;
    let code = resolved.as_ref().ok().cloned().unwrap_or_else(|| trimmed(code));
    let (admitted, message) = messages::find(tx, user, id).await?;
    admitted.member()?;
    let (place, _) = access::place_for(tx, user, message.channel_id, Take::Events(1)).await?;
    if run!(tx, sqlx::query(REMOVE).bind(id.0).bind(code.clone()).bind(user.0), execute)? == 0 {
        access::give_back(tx, message.channel_id, Take::Events(1)).await?;
        return resolved.map(drop);
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
