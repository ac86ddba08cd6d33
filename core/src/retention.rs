//! How long messages are kept: the server's rule, and a channel's own, which goes before it in either direction. What is
//! older is deleted as if by hand, pinned or not; what counts is when it was written, so an imported history is as old as
//! it says.

use std::ops::RangeInclusive;

use confab_protocol::{ChannelId, ChannelRole, EventKind, MessageId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::access::{self, Take};
use crate::audit::{self, Action, Actor, Target};
use crate::db::write::Emission;
use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};
use crate::messages;
use crate::roles::Granted;

/// What may be chosen, in days.
pub const DAYS: RangeInclusive<i64> = 1..=3_650;
/// Messages deleted in one transaction: others wait no longer than for a few posts.
pub const BATCH: usize = 100;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
const CHANNELS_AT_ONCE: i64 = 500;

const RULE: &str = "select value from policies where name = 'retention'";
const SET_RULE: &str = "update policies set value = $1, updated_at = $2 where name = 'retention'";
const OF_CHANNEL: &str = "select retention_days from channels where id = $1";
const IS_DELETED: &str = "select deleted_at is not null from channels where id = $1";
const SET_OF_CHANNEL: &str = "update channels set retention_days = $2 where id = $1";
// Nothing of a deleted channel is kept.
const DELETED: &str =
    "select c.id from channels c where c.deleted_at is not null and exists (select 1 from messages m
    where m.channel_id = c.id and m.deleted_at is null) order by c.id limit $1";
const WITH_OWN_RULE: &str = "select c.id, exists (select 1 from messages m where m.channel_id = c.id
    and m.deleted_at is null and m.created_at < $2 - c.retention_days * 86400000) as is_overdue
    from channels c where c.retention_days is not null and c.id > $1 order by c.id limit $3";
const ALL: &str = "select c.id, exists (select 1 from messages m where m.channel_id = c.id
    and m.deleted_at is null and m.created_at < $2 - coalesce(c.retention_days, $4) * 86400000) as is_overdue
    from channels c where c.id > $1 order by c.id limit $3";
const OLD: &str = "select id, parent_id from messages
    where channel_id = $1 and deleted_at is null and created_at < $2 order by created_at limit $3";

/// The server's rule. Absent fields of an older text are their defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rule {
    /// `None`: for ever.
    pub message_retention_days: Option<i64>,
}

/// How long messages of one channel are kept, in days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// The channel's own. `None`: the server's.
    pub days: Option<i64>,
    /// The server's. `None`: for ever.
    pub server_days: Option<i64>,
}

impl Retention {
    /// What holds.
    #[must_use]
    pub fn effective_days(self) -> Option<i64> {
        self.days.or(self.server_days)
    }
}

fn check(field: &'static str, days: Option<i64>) -> Result<()> {
    if days.is_none_or(|days| DAYS.contains(&days)) {
        return Ok(());
    }
    Err(Fault::invalid(field, format!("must be between {} and {} days", DAYS.start(), DAYS.end())))
}

/// The server's rule that holds now.
pub async fn rule(on: &mut impl Read) -> Result<Rule> {
    let value: Option<String> = run!(on, sqlx::query_scalar(RULE), fetch_optional)?;
    Ok(value.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

/// Chooses another rule for the server: a superuser's doing. What it makes too old goes within minutes.
///
/// # Errors
/// [`Fault::Invalid`] in `message_retention_days`; [`Fault::Forbidden`] for who is no superuser.
pub async fn set_rule(tx: &mut Tx, by: &Granted, rule: Rule) -> Result<Rule> {
    by.superuser()?;
    check("message_retention_days", rule.message_retention_days)?;
    let text = serde_json::to_string(&rule).map_err(Fault::internal)?;
    run!(tx, sqlx::query(SET_RULE).bind(text.clone()).bind(Timestamp::now().0), execute)?;
    let target = Target::named("policy", "retention");
    audit::note(tx, by.actor(), Action::PolicyChanged, Some(target), json!(rule)).await?;
    Ok(rule)
}

/// How long messages of a channel are kept, for who may read it.
pub async fn of_channel(on: &mut impl Read, user: UserId, channel: ChannelId) -> Result<Retention> {
    access::admit(on, user, channel).await?;
    read(on, channel).await
}

async fn read(on: &mut impl Read, channel: ChannelId) -> Result<Retention> {
    let days: Option<Option<i64>> = run!(on, sqlx::query_scalar(OF_CHANNEL).bind(channel.0), fetch_optional)?;
    Ok(Retention { days: days.flatten(), server_days: rule(on).await?.message_retention_days })
}

/// Chooses how long messages of a channel are kept: an admin's or owner's doing. `None`: as long as the server's rule says.
///
/// # Errors
/// [`Fault::Invalid`] in `days`, and those of the channel's door.
pub async fn set_of_channel(
    tx: &mut Tx,
    by: &Actor,
    channel: ChannelId,
    days: Option<i64>,
) -> Result<Retention> {
    check("days", days)?;
    let user = by.user_id.ok_or(Fault::NotFound("channel"))?;
    let (place, _) = access::place_for_manager(tx, user, channel, ChannelRole::Admin).await?;
    let before = read(tx, channel).await?;
    if before.days == days {
        access::give_back(tx, channel, Take::Events(1)).await?;
        return Ok(before);
    }
    run!(tx, sqlx::query(SET_OF_CHANNEL).bind(channel.0).bind(days), execute)?;
    tx.emit(Emission::new(EventKind::ChannelUpdate, channel).at(channel, place.first_seq).by(user));
    let detail = json!({ "days": days, "before": before.days });
    let target = Target::new("channel", channel);
    audit::note(tx, by, Action::RetentionChanged, Some(target), detail).await?;
    Ok(Retention { days, ..before })
}

/// Channels in order of their ids, after `after`, that have messages older than they may be; and where to go on. `None`:
/// there are no more.
pub async fn overdue(on: &mut impl Read, after: ChannelId) -> Result<(Vec<ChannelId>, Option<ChannelId>)> {
    let now = Timestamp::now().0;
    let rows: Vec<(Uuid, bool)> = match rule(on).await?.message_retention_days {
        Some(days) => run!(
            on,
            sqlx::query_as(ALL).bind(after.0).bind(now).bind(CHANNELS_AT_ONCE).bind(days),
            fetch_all
        )?,
        None => {
            run!(on, sqlx::query_as(WITH_OWN_RULE).bind(after.0).bind(now).bind(CHANNELS_AT_ONCE), fetch_all)?
        }
    };
    let next = rows.last().filter(|_| rows.len() as i64 == CHANNELS_AT_ONCE).map(|row| ChannelId(row.0));
    Ok((rows.into_iter().filter(|row| row.1).map(|row| ChannelId(row.0)).collect(), next))
}

/// Deleted channels of which there are messages still. Nobody reads them there; but their copies elsewhere, their files
/// and what these count to a quota go only with them.
pub async fn deleted_channels(on: &mut impl Read) -> Result<Vec<ChannelId>> {
    let ids: Vec<Uuid> = run!(on, sqlx::query_scalar(DELETED).bind(CHANNELS_AT_ONCE), fetch_all)?;
    Ok(ids.into_iter().map(ChannelId).collect())
}

/// Deletes at most [`BATCH`] messages of a channel that are older than they may be: of a deleted one, all. Answers how many it found; fewer than
/// [`BATCH`] means that none are left. Two servers that find the same ones delete each once.
pub async fn expire(tx: &mut Tx, channel: ChannelId) -> Result<usize> {
    let is_deleted: Option<bool> = run!(tx, sqlx::query_scalar(IS_DELETED).bind(channel.0), fetch_optional)?;
    let before = match (is_deleted, read(tx, channel).await?.effective_days()) {
        (Some(true), _) => i64::MAX,
        (_, Some(days)) => Timestamp::now().0 - days * DAY_MS,
        (_, None) => return Ok(0),
    };
    let old: Vec<(Uuid, Option<Uuid>)> =
        run!(tx, sqlx::query_as(OLD).bind(channel.0).bind(before).bind(BATCH as i64), fetch_all)?;
    if old.is_empty() {
        return Ok(0);
    }
    let old: Vec<_> = old.into_iter().map(|(id, parent)| (MessageId(id), parent.map(MessageId))).collect();
    messages::expire(tx, channel, &old).await?;
    Ok(old.len())
}
