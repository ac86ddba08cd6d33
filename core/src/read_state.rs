//! How far members have read their channels. Forward by reading, back only on purpose.

use std::collections::HashMap;

use confab_protocol::{ChannelId, ChannelKind, EventKind, UserId};
use uuid::Uuid;

use crate::access::{self, Admitted};
use crate::db::write::Emission;
use crate::db::{Read, Tx, insert_rows, run, run_in};
use crate::fault::{Fault, Result};
use crate::{notifications, users};

/// Channels of one answer: more than anybody is a member of.
const MOST: i64 = 10_000;

const READ_TO: &str = "update memberships set read_seq = $3,
    read_number = coalesce((select number from messages where channel_id = $1 and seq <= $3 order by seq desc limit 1), 0)
    where channel_id = $1 and user_id = $2 and to_seq is null and read_seq < $3";
// Whoever posts knows the number: it is not looked for.
const READ_OWN: &str = "update memberships set read_seq = $3, read_number = $4
    where channel_id = $1 and user_id = $2 and to_seq is null and read_seq < $3";
// The same for several, who stand between the two halves.
const READERS: &str = "with reader (channel_id, user_id, seq, number) as (";
const READ_SEVERAL: &str =
    ") update memberships set read_seq = reader.seq, read_number = reader.number from reader
    where memberships.channel_id = reader.channel_id and memberships.user_id = reader.user_id
    and memberships.to_seq is null and memberships.read_seq < reader.seq";
const BACK_TO: &str = "update memberships set read_seq = $3,
    read_number = coalesce((select number from messages where channel_id = $1 and seq <= $3 order by seq desc limit 1), 0)
    where channel_id = $1 and user_id = $2 and to_seq is null and read_seq > $3";
const READ_ALL: &str = "update memberships set
    read_seq = (select c.last_seq from channels c where c.id = memberships.channel_id),
    read_number = (select c.message_count from channels c where c.id = memberships.channel_id)
    where user_id = $1 and to_seq is null and read_number <
    (select c.message_count from channels c where c.id = memberships.channel_id and c.deleted_at is null)
    returning channel_id, read_seq";
// Mentions are counted as in the list of channels.
const LEFT: &str = "select c.message_count - m.read_number,
    (select count(*) from mentions n where n.user_id = $2 and n.channel_id = $1 and n.seq > m.read_seq)
    + (select count(*) from broadcasts b where b.channel_id = $1 and b.seq > m.read_seq and b.word = 'channel'
    and b.sender_id <> $2 and not exists (select 1 from mentions n
    where n.user_id = $2 and n.channel_id = $1 and n.seq = b.seq))
    from memberships m join channels c on c.id = m.channel_id
    where m.channel_id = $1 and m.user_id = $2 and m.to_seq is null";
const PARTNER: &str =
    "select user_id from memberships where channel_id = $1 and to_seq is null and user_id <> $2 limit 1";
const PARTNERS: &str = "select m.channel_id, m.user_id from memberships m
    join channels c on c.id = m.channel_id and c.kind = 'direct'
    where m.to_seq is null and m.user_id <> $1 and m.channel_id in";
// One query whatever the number of channels: unread is a difference, mentions are counted by their own index.
const UNREAD: &str =
    "select c.id as channel_id, m.read_seq, c.message_count - m.read_number as unread_count,
    (select count(*) from mentions n where n.user_id = $1 and n.channel_id = c.id and n.seq > m.read_seq)
    + (select count(*) from broadcasts b where b.channel_id = c.id and b.seq > m.read_seq and b.word = 'channel'
    and b.sender_id <> $1 and not exists (select 1 from mentions n
    where n.user_id = $1 and n.channel_id = c.id and n.seq = b.seq)) as mention_count
    from memberships m join channels c on c.id = m.channel_id and c.deleted_at is null
    where m.user_id = $1 and m.to_seq is null and c.message_count > m.read_number order by c.id limit $2";

/// What is unread in one channel.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub struct Unread {
    /// Where.
    pub channel_id: Uuid,
    /// How far it was read.
    pub read_seq: i64,
    /// Messages after that.
    pub unread_count: i64,
    /// Those among them that mention the reader.
    pub mention_count: i64,
}

/// Notes how far a member has read; never backwards. Tells the member's other devices, and the other one of a
/// conversation of two.
///
/// # Errors
/// [`Fault::Invalid`] in `seq` beyond the channel's last number.
pub async fn mark_read(tx: &mut Tx, user: UserId, channel: ChannelId, seq: i64) -> Result<()> {
    let admitted = access::admit(tx, user, channel).await?;
    admitted.member()?;
    if seq < 0 || seq > admitted.last_seq() {
        return Err(Fault::invalid("seq", format!("must be between 0 and {}", admitted.last_seq())));
    }
    if read_to(tx, user, channel, seq).await? {
        tell_both(tx, &admitted, seq).await?;
    }
    notifications::mark_channel_read(tx, user, channel, seq).await
}

/// Makes everything from number `seq` on unread again; what is unread already stays so.
///
/// # Errors
/// [`Fault::Invalid`] in `seq` outside the channel's numbers.
pub async fn mark_unread(tx: &mut Tx, user: UserId, channel: ChannelId, seq: i64) -> Result<()> {
    let admitted = access::admit(tx, user, channel).await?;
    admitted.member()?;
    if seq < 1 || seq > admitted.last_seq() {
        return Err(Fault::invalid("seq", format!("must be between 1 and {}", admitted.last_seq())));
    }
    if run!(tx, sqlx::query(BACK_TO).bind(channel.0).bind(user.0).bind(seq - 1), execute)? > 0 {
        tell_both(tx, &admitted, seq - 1).await?;
    }
    Ok(())
}

/// Notes that a member has read every channel of theirs to its end. Answers how many had something unread.
pub async fn mark_all_read(tx: &mut Tx, user: UserId) -> Result<usize> {
    // Two who do this at once for one account would take its rows in different orders.
    users::lock(tx, user).await?;
    let read: Vec<(Uuid, i64)> = run!(tx, sqlx::query_as(READ_ALL).bind(user.0), fetch_all)?;
    for part in read.chunks(500) {
        let ids: Vec<Uuid> = part.iter().map(|row| row.0).collect();
        let partners: Vec<(Uuid, Uuid)> = run_in!(tx, (Uuid, Uuid), PARTNERS, &ids, "", bind user.0)?;
        for (channel, seq) in part {
            tell_own(tx, user, ChannelId(*channel), *seq, (0, 0));
            for (_, partner) in partners.iter().filter(|row| row.0 == *channel) {
                tell(tx, user, UserId(*partner), ChannelId(*channel), *seq);
            }
        }
    }
    Ok(read.len())
}

/// The channels in which a user has something unread, in one query.
pub async fn unread(on: &mut impl Read, user: UserId) -> Result<Vec<Unread>> {
    Ok(run!(on, sqlx::query_as(UNREAD).bind(user.0).bind(MOST), fetch_all)?)
}

/// Moves a member's mark forward; answers whether it did.
pub(crate) async fn read_to(tx: &mut Tx, user: UserId, channel: ChannelId, seq: i64) -> Result<bool> {
    Ok(run!(tx, sqlx::query(READ_TO).bind(channel.0).bind(user.0).bind(seq), execute)? > 0)
}

/// Moves the mark of whoever posted message `number` at `seq`.
pub(crate) async fn read_own(
    tx: &mut Tx,
    user: UserId,
    channel: ChannelId,
    (seq, number): (i64, i64),
) -> Result<()> {
    run!(tx, sqlx::query(READ_OWN).bind(channel.0).bind(user.0).bind(seq).bind(number), execute)?;
    Ok(())
}

/// The same for several who posted: by member, up to which seq and number.
pub(crate) async fn read_several(
    tx: &mut Tx,
    readers: &HashMap<(UserId, ChannelId), (i64, i64)>,
) -> Result<()> {
    let mut rows: Vec<_> = readers.iter().collect();
    // In one order: who updates several rows meets others who do.
    rows.sort_unstable_by_key(|row| *row.0);
    insert_rows!(
        tx,
        READERS,
        rows,
        |values, row| values.push_bind(row.0.1.0).push_bind(row.0.0.0).push_bind(row.1.0).push_bind(row.1.1),
        READ_SEVERAL
    );
    Ok(())
}

async fn tell_both(tx: &mut Tx, admitted: &Admitted, seq: i64) -> Result<()> {
    let (user, channel) = (admitted.user_id(), admitted.channel_id());
    let left: (i64, i64) = run!(tx, sqlx::query_as(LEFT).bind(channel.0).bind(user.0), fetch_one)?;
    tell_own(tx, user, channel, seq, left);
    if admitted.kind() == ChannelKind::Direct {
        let partner: Option<Uuid> =
            run!(tx, sqlx::query_scalar(PARTNER).bind(channel.0).bind(user.0), fetch_optional)?;
        if let Some(partner) = partner {
            tell(tx, user, UserId(partner), channel, seq);
        }
    }
    Ok(())
}

/// Tells `partner` that `user` has read up to `seq`.
pub(crate) fn tell(tx: &mut Tx, user: UserId, partner: UserId, channel: ChannelId, seq: i64) {
    let mut emission =
        Emission::new(EventKind::ReadUpdated, user).only_for(partner).by(user).detail(seq.to_string());
    emission.place = Some((channel, 0));
    tx.emit(emission);
}

/// Tells one's own devices how far one has read, and what is left: going back they could not count it themselves.
fn tell_own(tx: &mut Tx, user: UserId, channel: ChannelId, seq: i64, (unread, mentions): (i64, i64)) {
    let detail = format!("{seq} {unread} {mentions}");
    let mut emission = Emission::new(EventKind::ReadUpdated, user).only_for(user).by(user).detail(detail);
    emission.place = Some((channel, 0));
    tx.emit(emission);
}
