//! Where the assistant is off: for the whole server, in a channel, for a person.

use std::collections::HashSet;

use confab_protocol::{ChannelId, ChannelKind, ChannelRole, EventKind, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::access::{self, Take};
use crate::audit::{self, Action, Actor, Target};
use crate::db::write::Emission;
use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};
use crate::roles::Granted;

const RULES: &str = "select value from policies where name = 'assistant'";
const LOCK: &str = "update policies set updated_at = $1 where name = 'assistant'";
const SET_RULES: &str = "update policies set value = $1, updated_at = $2 where name = 'assistant'";
const CHANNELS: &str = "select id from channels where ai_off = true";
const PEOPLE: &str = "select id from users where ai_off = true";
const OF_CHANNEL: &str = "select ai_off from channels where id = $1";
const SET_OF_CHANNEL: &str = "update channels set ai_off = $2 where id = $1";
const OF_USER: &str = "select ai_off from users where id = $1";
const SET_OF_USER: &str = "update users set ai_off = $2, updated_at = $3 where id = $1";

/// What superusers chose for the whole server. Absent fields of an older text are their defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rules {
    /// No assistant, and no search by meaning, for anybody.
    pub is_off: bool,
}

/// Everywhere that it is off.
#[derive(Clone, Debug, Default)]
pub struct Switches {
    /// For everybody.
    pub is_off: bool,
    /// What is said there is for people only.
    pub channels: HashSet<ChannelId>,
    /// What they write is for people only.
    pub people: HashSet<UserId>,
}

impl Switches {
    /// Whether a message may be given to a model.
    #[must_use]
    pub fn allow(&self, channel: ChannelId, sender: UserId) -> bool {
        !self.is_off && !self.channels.contains(&channel) && !self.people.contains(&sender)
    }

    /// Leaves out the channels where it is off.
    #[must_use]
    pub fn narrow(&self, mut channels: Vec<ChannelId>) -> Vec<ChannelId> {
        channels.retain(|channel| !self.is_off && !self.channels.contains(channel));
        channels
    }
}

/// What holds for the whole server.
pub async fn rules(on: &mut impl Read) -> Result<Rules> {
    let value: Option<String> = run!(on, sqlx::query_scalar(RULES), fetch_optional)?;
    // A text that cannot be read switches off rather than on.
    Ok(value
        .map_or_else(Rules::default, |text| serde_json::from_str(&text).unwrap_or(Rules { is_off: true })))
}

/// Everywhere that it is off, as of now: asked for each question, so that a switch holds at once.
pub async fn switches(on: &mut impl Read) -> Result<Switches> {
    let is_off = rules(on).await?.is_off;
    let channels: Vec<Uuid> = run!(on, sqlx::query_scalar(CHANNELS), fetch_all)?;
    let people: Vec<Uuid> = run!(on, sqlx::query_scalar(PEOPLE), fetch_all)?;
    Ok(Switches {
        is_off,
        channels: channels.into_iter().map(ChannelId).collect(),
        people: people.into_iter().map(UserId).collect(),
    })
}

/// Refuses whoever has no assistant.
///
/// # Errors
/// [`Fault::Forbidden`] with code `assistant_off`.
pub fn is_off_for(switches: &Switches, user: UserId) -> Result<()> {
    let who = if switches.is_off {
        "this server has no assistant"
    } else if switches.people.contains(&user) {
        "you switched the assistant off"
    } else {
        return Ok(());
    };
    Err(Fault::forbidden("assistant_off", who))
}

/// Chooses what holds for the whole server: a superuser's doing.
pub async fn set_rules(tx: &mut Tx, by: &Granted, rules: Rules) -> Result<Rules> {
    by.superuser()?;
    let text = serde_json::to_string(&rules).map_err(Fault::internal)?;
    run!(tx, sqlx::query(SET_RULES).bind(text).bind(Timestamp::now().0), execute)?;
    let target = Target::named("policy", "assistant");
    audit::note(tx, by.actor(), Action::PolicyChanged, Some(target), json!(rules)).await?;
    Ok(rules)
}

/// Holds what only one at a time may do with it.
pub(super) async fn lock(tx: &mut Tx) -> Result<()> {
    run!(tx, sqlx::query(LOCK).bind(Timestamp::now().0), execute)?;
    Ok(())
}

/// Whether it is off in a channel, for who may read that.
pub async fn of_channel(on: &mut impl Read, user: UserId, channel: ChannelId) -> Result<bool> {
    access::admit(on, user, channel).await?;
    read_channel(on, channel).await
}

async fn read_channel(on: &mut impl Read, channel: ChannelId) -> Result<bool> {
    let off: Option<Option<bool>> = run!(on, sqlx::query_scalar(OF_CHANNEL).bind(channel.0), fetch_optional)?;
    Ok(off.flatten().unwrap_or(false))
}

/// Switches it off or on in a channel: an admin's or owner's doing; in a direct conversation either person's.
///
/// # Errors
/// Those of the channel's door.
pub async fn set_of_channel(tx: &mut Tx, by: &Actor, channel: ChannelId, is_off: bool) -> Result<bool> {
    let user = by.user_id.ok_or(Fault::NotFound("channel"))?;
    let kind = access::admit(tx, user, channel).await?.kind();
    let is_between_people = matches!(kind, ChannelKind::Direct | ChannelKind::Group);
    let least = if is_between_people { ChannelRole::Member } else { ChannelRole::Admin };
    let (place, _) = access::place_for_manager(tx, user, channel, least).await?;
    if read_channel(tx, channel).await? == is_off {
        access::give_back(tx, channel, Take::Events(1)).await?;
        return Ok(is_off);
    }
    run!(tx, sqlx::query(SET_OF_CHANNEL).bind(channel.0).bind(is_off), execute)?;
    tx.emit(Emission::new(EventKind::ChannelUpdate, channel).at(channel, place.first_seq).by(user));
    let target = Target::new("channel", channel);
    audit::note(tx, by, Action::AssistantSwitched, Some(target), json!({ "is_off": is_off })).await?;
    Ok(is_off)
}

/// Whether somebody switched it off for themselves.
pub async fn of_user(on: &mut impl Read, user: UserId) -> Result<bool> {
    let off: Option<Option<bool>> = run!(on, sqlx::query_scalar(OF_USER).bind(user.0), fetch_optional)?;
    Ok(off.flatten().unwrap_or(false))
}

/// Switches it off or on for oneself: it answers one no more, and reads nothing that one wrote.
pub async fn set_of_user(tx: &mut Tx, user: UserId, is_off: bool) -> Result<()> {
    run!(tx, sqlx::query(SET_OF_USER).bind(user.0).bind(is_off).bind(Timestamp::now().0), execute)?;
    Ok(())
}
