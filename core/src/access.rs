//! The only doors. Whoever wants to read or write in a channel passes here and holds what these functions return;
//! nothing else hands out a [`Place`].
//!
//! What a user may not read looks exactly like what does not exist. [`bots`] is how far plugins reach.

pub mod bots;

use std::collections::HashMap;

use confab_protocol::{ChannelId, ChannelKind, ChannelRole, UserId, UserRef};
use uuid::Uuid;

use crate::db::{Read, Tx, fetch_rows, run};
use crate::fault::{Fault, Result};

const ADMIT: &str = "select c.kind, c.last_seq, c.archived_at, m.role, m.from_seq from channels c
    left join memberships m on m.channel_id = c.id and m.user_id = $2 and m.to_seq is null
    where c.id = $1 and c.deleted_at is null";
// Explicit, bounded in time, and worth nothing once its holder is no superuser any more.
const BROKEN_GLASS: &str = "select count(*) from break_glass b join users u on u.id = b.user_id
    where b.user_id = $1 and b.channel_id = $2 and b.expires_at > $3 and b.ended_at is null
    and u.is_superuser = true and u.is_active = true";
const TAKE_SEQ: &str =
    "update channels set last_seq = last_seq + $2, message_count = message_count + $3, updated_at = $4
    where id = $1 and deleted_at is null returning last_seq, message_count, kind, archived_at";
// The same for several channels, which stand between the two halves.
const ASKED: &str = "with asked (id, count, at) as (";
const TAKE_SEVERAL: &str = ") update channels set last_seq = channels.last_seq + asked.count,
    message_count = channels.message_count + asked.count, updated_at = asked.at from asked
    where channels.id = asked.id and channels.deleted_at is null
    returning channels.id, channels.last_seq, channels.message_count, channels.kind, channels.archived_at";
const GIVE_BACK: &str =
    "update channels set last_seq = last_seq - $2, message_count = message_count - $3 where id = $1";
const MEMBER: &str = "select m.role, u.username, u.full_name, u.picture_url, u.is_bot from users u
    left join memberships m on m.user_id = u.id and m.channel_id = $2 and m.to_seq is null where u.id = $1";
const VISIBLE: &str = "select m.channel_id from memberships m join channels c on c.id = m.channel_id
    where m.user_id = $1 and m.to_seq is null and c.deleted_at is null
    union select id from channels where kind in ('public', 'voice') and deleted_at is null
    union select b.channel_id from break_glass b join users u on u.id = b.user_id
    join channels c on c.id = b.channel_id where b.user_id = $1 and b.expires_at > $2 and b.ended_at is null
    and u.is_superuser = true and u.is_active = true and c.deleted_at is null";
const AUDIENCE: &str = "select id from channels where kind in ('public', 'voice') and deleted_at is null
    union select id from channels where id = $1 and deleted_at is null";

/// Proof that a user may read a channel.
#[derive(Clone, Debug)]
pub struct Admitted {
    channel_id: ChannelId,
    user_id: UserId,
    kind: ChannelKind,
    role: Option<ChannelRole>,
    last_seq: i64,
    from_seq: i64,
    archived: bool,
}

impl Admitted {
    /// Which channel.
    #[must_use]
    pub fn channel_id(&self) -> ChannelId {
        self.channel_id
    }
    /// Which user.
    #[must_use]
    pub fn user_id(&self) -> UserId {
        self.user_id
    }
    /// What the channel is for.
    #[must_use]
    pub fn kind(&self) -> ChannelKind {
        self.kind
    }
    /// `None`: reads without being a member.
    #[must_use]
    pub fn role(&self) -> Option<ChannelRole> {
        self.role
    }
    /// The channel's newest number.
    #[must_use]
    pub fn last_seq(&self) -> i64 {
        self.last_seq
    }
    /// Since which number the user is a member.
    #[must_use]
    pub fn from_seq(&self) -> i64 {
        self.from_seq
    }
    /// Nobody writes here any more.
    #[must_use]
    pub fn is_archived(&self) -> bool {
        self.archived
    }

    /// The role, or the fault of someone who is no member.
    ///
    /// # Errors
    /// [`Fault::Forbidden`] with code `not_a_member`.
    pub fn member(&self) -> Result<ChannelRole> {
        self.role.ok_or_else(not_a_member)
    }

    /// Asks for an admin or owner, or in a channel that everybody may read for a superuser, who need be no member of it.
    ///
    /// # Errors
    /// [`Fault::Forbidden`].
    pub fn cared_for(&self, is_superuser: bool) -> Result<()> {
        if is_superuser && self.kind.is_open() { Ok(()) } else { self.at_least(ChannelRole::Admin) }
    }

    /// Asks for at least `role`.
    ///
    /// # Errors
    /// [`Fault::Forbidden`].
    pub fn at_least(&self, role: ChannelRole) -> Result<()> {
        if self.member()? >= role {
            return Ok(());
        }
        Err(Fault::forbidden(
            "role_too_low",
            format!("only a channel's {} or higher may do this", role.as_str()),
        ))
    }
}

fn not_a_member() -> Fault {
    Fault::forbidden("not_a_member", "join the channel first")
}

#[derive(sqlx::FromRow)]
struct AdmitRow {
    kind: String,
    last_seq: i64,
    archived_at: Option<i64>,
    role: Option<String>,
    from_seq: Option<i64>,
}

/// Lets a user read a channel: a member, or anyone where the channel is public.
///
/// # Errors
/// [`Fault::NotFound`] alike for a channel that is not there and one that is private to others.
pub async fn admit(on: &mut impl Read, user: UserId, channel: ChannelId) -> Result<Admitted> {
    let found = standing(on, user, channel).await?;
    if found.role.is_none() && !found.kind.is_open() && !has_broken_glass(on, user, channel).await? {
        return Err(Fault::NotFound("channel"));
    }
    Ok(found)
}

/// How a user stands to a channel. Whether that lets them in is for the caller to say.
async fn standing(on: &mut impl Read, user: UserId, channel: ChannelId) -> Result<Admitted> {
    let row: Option<AdmitRow> = run!(on, sqlx::query_as(ADMIT).bind(channel.0).bind(user.0), fetch_optional)?;
    let row = row.ok_or(Fault::NotFound("channel"))?;
    let kind = ChannelKind::from_word(&row.kind)
        .ok_or_else(|| Fault::Internal(format!("channel kind {}", row.kind)))?;
    Ok(Admitted {
        channel_id: channel,
        user_id: user,
        kind,
        role: row.role.as_deref().and_then(ChannelRole::from_word),
        last_seq: row.last_seq,
        from_seq: row.from_seq.unwrap_or(0),
        archived: row.archived_at.is_some(),
    })
}

async fn has_broken_glass(on: &mut impl Read, user: UserId, channel: ChannelId) -> Result<bool> {
    let now = confab_protocol::Timestamp::now().0;
    let open: i64 =
        run!(on, sqlx::query_scalar(BROKEN_GLASS).bind(user.0).bind(channel.0).bind(now), fetch_one)?;
    Ok(open > 0)
}

/// Proof that numbers of a channel were taken in this transaction. The channel's row stays locked until it ends, so
/// numbers are dense and in order of commit, and whoever was removed before is no member in here.
pub struct Place {
    /// Which channel.
    pub(crate) channel_id: ChannelId,
    /// The first of the numbers taken.
    pub(crate) first_seq: i64,
    /// The first of the message numbers taken.
    pub(crate) first_number: i64,
    /// How many numbers of the channel.
    pub(crate) count: i64,
    /// What the channel is for.
    pub(crate) kind: ChannelKind,
}

/// Who writes.
pub struct Writer {
    /// The person or bot.
    pub(crate) user: UserRef,
    /// Their role.
    pub(crate) role: ChannelRole,
}

/// What numbers are taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Take {
    /// Messages: each has a number of its own too.
    Messages(i64),
    /// Other durable events.
    Events(i64),
}

impl Take {
    /// Numbers of the channel, and message numbers among them.
    fn counts(self) -> (i64, i64) {
        match self {
            Self::Messages(count) => (count, count),
            Self::Events(count) => (count, 0),
        }
    }
}

/// Takes numbers for a writing member. First write of the transaction.
///
/// # Errors
/// [`Fault::NotFound`] for who may not know the channel, [`Fault::Forbidden`] for who is no member,
/// [`Fault::Conflict`] with code `channel_archived`.
pub(crate) async fn place_for(
    tx: &mut Tx,
    user: UserId,
    channel: ChannelId,
    take: Take,
) -> Result<(Place, Writer)> {
    let (place, writer, archived) = place_of_member(tx, user, channel, take).await?;
    if archived {
        return Err(Fault::conflict("channel_archived", "this channel is archived"));
    }
    Ok((place, writer))
}

/// Takes numbers for a member of whatever role, in an archived channel too; answers whether it is.
pub(crate) async fn place_for_member(
    tx: &mut Tx,
    user: UserId,
    channel: ChannelId,
    take: Take,
) -> Result<(Place, bool)> {
    let (place, _, archived) = place_of_member(tx, user, channel, take).await?;
    Ok((place, archived))
}

/// Holds a channel, an archived one too, and answers the role of a member as it is under the lock.
pub(crate) async fn role_under_lock(tx: &mut Tx, user: UserId, channel: ChannelId) -> Result<ChannelRole> {
    let (_, writer, _) = place_of_member(tx, user, channel, Take::Events(0)).await?;
    Ok(writer.role)
}

/// Takes a number for a member who manages the channel, an archived one too; answers whether it is. The role is read
/// under the channel's lock: whoever lost it a moment ago manages nothing any more.
pub(crate) async fn place_for_manager(
    tx: &mut Tx,
    user: UserId,
    channel: ChannelId,
    least: ChannelRole,
) -> Result<(Place, bool)> {
    let (place, writer, archived) = place_of_member(tx, user, channel, Take::Events(1)).await?;
    if writer.role < least {
        return Err(role_too_low(least));
    }
    Ok((place, archived))
}

/// Lets an admin or owner do what nobody hears of, such as making an invitation: takes the lock of the channel, an archived
/// one too, but no number. Conversations have nobody who manages them.
pub(crate) async fn admit_manager(tx: &mut Tx, user: Option<UserId>, channel: ChannelId) -> Result<Admitted> {
    admit_caretaker(tx, user, channel, false).await
}

/// The same for what superusers care for too: in open channels alone. A private one stays closed to them, and a broken
/// glass lets them read it, no more.
pub(crate) async fn admit_caretaker(
    tx: &mut Tx,
    user: Option<UserId>,
    channel: ChannelId,
    is_superuser: bool,
) -> Result<Admitted> {
    let user = user.ok_or(Fault::NotFound("channel"))?;
    place_of_system(tx, channel, Take::Events(0)).await?;
    let admitted = admit(tx, user, channel).await?;
    if matches!(admitted.kind, ChannelKind::Direct | ChannelKind::Group) {
        return Err(Fault::conflict("conversation_is_fixed", "a conversation stays between its people"));
    }
    admitted.cared_for(is_superuser)?;
    Ok(admitted)
}

/// Gives the numbers back that a write turned out not to need: the others would wait for the event that has them.
pub(crate) async fn give_back(tx: &mut Tx, channel: ChannelId, take: Take) -> Result<()> {
    let (seqs, numbers) = take.counts();
    run!(tx, sqlx::query(GIVE_BACK).bind(channel.0).bind(seqs).bind(numbers), execute)?;
    Ok(())
}

fn role_too_low(least: ChannelRole) -> Fault {
    Fault::forbidden("role_too_low", format!("only a channel's {} or higher may do this", least.as_str()))
}

async fn place_of_member(
    tx: &mut Tx,
    user: UserId,
    channel: ChannelId,
    take: Take,
) -> Result<(Place, Writer, bool)> {
    let (place, archived) = take_numbers(tx, channel, take).await?;
    let row: Option<WriterRow> =
        run!(tx, sqlx::query_as(MEMBER).bind(user.0).bind(channel.0), fetch_optional)?;
    let row = row.ok_or(Fault::NotFound("channel"))?;
    let role = match row.role.as_deref().and_then(ChannelRole::from_word) {
        Some(role) => role,
        None if place.kind.is_open() => return Err(not_a_member()),
        None => return Err(Fault::NotFound("channel")),
    };
    let user = UserRef {
        id: user,
        username: row.username,
        full_name: row.full_name,
        picture_url: row.picture_url,
        is_bot: row.is_bot,
    };
    Ok((place, Writer { user, role }, archived))
}

#[derive(sqlx::FromRow)]
struct WriterRow {
    role: Option<String>,
    username: String,
    full_name: Option<String>,
    picture_url: Option<String>,
    is_bot: bool,
}

/// Takes numbers for whom another rule has let in: the system itself, imports, which act for an operator, and joining,
/// which makes the member.
pub(crate) async fn place_of_system(tx: &mut Tx, channel: ChannelId, take: Take) -> Result<Place> {
    Ok(take_numbers(tx, channel, take).await?.0)
}

async fn take_numbers(tx: &mut Tx, channel: ChannelId, take: Take) -> Result<(Place, bool)> {
    let (seqs, numbers) = take.counts();
    let now = confab_protocol::Timestamp::now();
    let row: Option<(i64, i64, String, Option<i64>)> = run!(
        tx,
        sqlx::query_as(TAKE_SEQ).bind(channel.0).bind(seqs).bind(numbers).bind(now.0),
        fetch_optional
    )?;
    let (last_seq, last_number, kind, archived) = row.ok_or(Fault::NotFound("channel"))?;
    let kind =
        ChannelKind::from_word(&kind).ok_or_else(|| Fault::Internal(format!("channel kind {kind}")))?;
    let place = Place {
        channel_id: channel,
        first_seq: last_seq - seqs + 1,
        first_number: last_number - numbers + 1,
        count: seqs,
        kind,
    };
    Ok((place, archived.is_some()))
}

/// Numbers of one channel for several messages. Who writes them is still to be asked.
pub(crate) struct Taken {
    channel_id: ChannelId,
    next_seq: i64,
    next_number: i64,
    /// How many are left of them.
    pub count: i64,
    /// What the channel is for.
    pub kind: ChannelKind,
    /// Nobody writes there any more.
    pub is_archived: bool,
}

impl Taken {
    /// The place of the next message.
    pub fn next(&mut self) -> Place {
        let place = Place {
            channel_id: self.channel_id,
            first_seq: self.next_seq,
            first_number: self.next_number,
            count: 1,
            kind: self.kind,
        };
        self.next_seq += 1;
        self.next_number += 1;
        self.count -= 1;
        place
    }
}

#[derive(sqlx::FromRow)]
struct TakenRow {
    id: Uuid,
    last_seq: i64,
    message_count: i64,
    kind: String,
    archived_at: Option<i64>,
}

/// Takes numbers for messages in several channels, each named once; those that are not there are left out. First write of
/// the transaction. On PostgreSQL for one channel only: two who lock several in different order would wait for each other
/// for ever.
pub(crate) async fn take_several(
    tx: &mut Tx,
    counts: &[(ChannelId, i64)],
) -> Result<HashMap<ChannelId, Taken>> {
    let now = confab_protocol::Timestamp::now().0;
    let rows = fetch_rows!(
        tx,
        TakenRow,
        ASKED,
        counts,
        |values, asked| values.push_bind(asked.0.0).push_bind(asked.1).push_bind(now),
        TAKE_SEVERAL
    );
    let mut taken = HashMap::with_capacity(rows.len());
    for row in rows {
        let channel_id = ChannelId(row.id);
        let count = counts.iter().find(|(channel, _)| *channel == channel_id).map_or(0, |it| it.1);
        let kind = ChannelKind::from_word(&row.kind)
            .ok_or_else(|| Fault::Internal(format!("channel kind {}", row.kind)))?;
        let next_seq = row.last_seq - count + 1;
        let next_number = row.message_count - count + 1;
        let is_archived = row.archived_at.is_some();
        taken.insert(channel_id, Taken { channel_id, next_seq, next_number, count, kind, is_archived });
    }
    Ok(taken)
}

/// Every channel that a user may read: the one answer that REST, search, assistant, files and plugins use.
///
/// # Errors
/// Those of the record. An empty set is a valid answer and means that nothing may be shown, never "no filter".
pub async fn visible_channels(on: &mut impl Read, user: UserId) -> Result<Vec<ChannelId>> {
    let rows: Vec<Uuid> = run!(
        on,
        sqlx::query_scalar(VISIBLE).bind(user.0).bind(confab_protocol::Timestamp::now().0),
        fetch_all
    )?;
    Ok(rows.into_iter().map(ChannelId).collect())
}

/// Every channel that all who read `channel` may read: what an answer posted there may be made of.
pub async fn visible_to_all_in(on: &mut impl Read, channel: ChannelId) -> Result<Vec<ChannelId>> {
    let rows: Vec<Uuid> = run!(on, sqlx::query_scalar(AUDIENCE).bind(channel.0), fetch_all)?;
    Ok(rows.into_iter().map(ChannelId).collect())
}
