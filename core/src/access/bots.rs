//! How far a plugin reads. It acts as its bot, in the channels that the bot is a member of, and further where an administrator
//! granted that. Whatever a plugin is told of and whatever it asks for passes here; writing needs membership in any case.

use confab_protocol::{ChannelId, ChannelKind, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Admitted, standing, visible_channels};
use crate::db::{Read, run};
use crate::fault::{Fault, Result};

const KIND: &str = "select kind from channels where id = $1 and deleted_at is null";
const JOINED: &str = "select m.channel_id from memberships m join channels c on c.id = m.channel_id
    where m.user_id = $1 and m.to_seq is null and c.deleted_at is null";
const EVERY: &str = "select id from channels where deleted_at is null";
const CONVERTED_SINCE: &str =
    "select 1 from events where channel_id = $1 and seq > $2 and kind = 'privacy_updated' limit 1";

/// Which channels a plugin reads beside those that its bot is a member of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// None.
    #[default]
    Joined,
    /// Those that everybody may read.
    Public,
    /// Every channel, private ones and conversations too. Deleted ones are nobody's any more.
    All,
}

impl Reach {
    /// Whether it takes in channels of this kind.
    #[must_use]
    pub fn covers(self, kind: ChannelKind) -> bool {
        match self {
            Self::Joined => false,
            Self::Public => kind.is_open(),
            Self::All => true,
        }
    }
}

/// Who reads for a plugin, and how far.
#[derive(Clone, Copy, Debug)]
pub struct Bot {
    /// Whom the plugin acts as.
    pub id: UserId,
    /// What was granted.
    pub reach: Reach,
}

/// Lets a plugin's bot read a channel.
///
/// # Errors
/// [`Fault::NotFound`] alike for a channel that is not there and one that it must not know; [`Fault::Forbidden`] with code
/// `not_a_member` for one that everybody else may read.
pub async fn admit_bot(on: &mut impl Read, bot: Bot, channel: ChannelId) -> Result<Admitted> {
    let found = standing(on, bot.id, channel).await?;
    if found.role.is_some() || bot.reach.covers(found.kind) {
        return Ok(found);
    }
    if found.kind.is_open() {
        let message = "the plugin's bot is no member of this channel, and channels.public is not granted";
        return Err(Fault::forbidden("not_a_member", message));
    }
    Err(Fault::NotFound("channel"))
}

/// Whether a plugin is told of what happened at number `seq` of a channel, now. A member hears of all since it came. One that
/// is none hears of what happens where it reads; of a channel that everybody may read only if it was open then and has been ever
/// since: what was said in private is not told when the channel opens, and what was said before it closed not behind that.
///
/// # Errors
/// Those of the record.
pub async fn hears(on: &mut impl Read, bot: Bot, channel: ChannelId, seq: Option<i64>) -> Result<bool> {
    let found = match admit_bot(on, bot, channel).await {
        Ok(found) => found,
        Err(Fault::NotFound(_) | Fault::Forbidden { .. }) => return Ok(false),
        Err(fault) => return Err(fault),
    };
    let Some(seq) = seq else { return Ok(true) };
    if found.role.is_some() && seq >= found.from_seq {
        return Ok(true);
    }
    Ok(match bot.reach {
        Reach::All => true,
        Reach::Public => found.kind.is_open() && !was_converted_since(on, channel, seq).await?,
        Reach::Joined => false,
    })
}

async fn was_converted_since(on: &mut impl Read, channel: ChannelId, seq: i64) -> Result<bool> {
    let found: Option<i32> =
        run!(on, sqlx::query_scalar(CONVERTED_SINCE).bind(channel.0).bind(seq), fetch_optional)?;
    Ok(found.is_some())
}

/// What a channel is for, so that it can be asked of several plugins at once whether they reach it. `None`: it is gone.
///
/// # Errors
/// Those of the record.
pub async fn kind_of(on: &mut impl Read, channel: ChannelId) -> Result<Option<ChannelKind>> {
    let found: Option<String> = run!(on, sqlx::query_scalar(KIND).bind(channel.0), fetch_optional)?;
    Ok(found.as_deref().and_then(ChannelKind::from_word))
}

/// Every channel that a plugin reads.
///
/// # Errors
/// Those of the record. An empty set means that nothing may be shown, never "no filter".
pub async fn channels_of_bot(on: &mut impl Read, bot: Bot) -> Result<Vec<ChannelId>> {
    let rows: Vec<Uuid> = match bot.reach {
        Reach::Joined => run!(on, sqlx::query_scalar(JOINED).bind(bot.id.0), fetch_all)?,
        // What anybody reads.
        Reach::Public => return visible_channels(on, bot.id).await,
        Reach::All => run!(on, sqlx::query_scalar(EVERY), fetch_all)?,
    };
    Ok(rows.into_iter().map(ChannelId).collect())
}
