//! What somebody has begun to write, kept here so that all their devices have it. Nobody else ever sees it.

use confab_protocol::{ChannelId, EventKind, FileId, MessageId, Timestamp, UserId};
use uuid::Uuid;

use crate::db::write::Emission;
use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};
use crate::{access, held_files, messages, text, users};

/// Drafts of one person (docs/limits.md).
pub const MOST: i64 = 500;

const STORE: &str =
    "insert into drafts (id, user_id, channel_id, place_id, content, updated_at) values ($1, $2, $3, $4, $5, $6)
    on conflict (user_id, place_id) do update set content = $5, updated_at = $6 returning id";
const AT: &str = "select id, channel_id, place_id, content, updated_at from drafts
    where user_id = $1 and place_id = $2 and channel_id = $3";
const LIST: &str = "select id, channel_id, place_id, content, updated_at from drafts
    where user_id = $1 and (updated_at, id) < ($2, $3) order by updated_at desc, id desc limit $4";
const COUNT: &str = "select count(*) from (select 1 from drafts where user_id = $1 limit 501) as found";
const DELETE: &str =
    "delete from drafts where user_id = $1 and place_id = $2 and channel_id = $3 returning id";
// Those of channels that their author left or that are gone.
const LOST: &str =
    "select d.id from drafts d where d.user_id = $1 and not exists (select 1 from memberships m
    join channels c on c.id = m.channel_id and c.deleted_at is null
    where m.channel_id = d.channel_id and m.user_id = d.user_id and m.to_seq is null)";
const DELETE_ONE: &str = "delete from drafts where id = $1";
const RELEASE_ALL: &str =
    "delete from held_files where holder_id in (select id from drafts where user_id = $1)";
const DELETE_ALL: &str = "delete from drafts where user_id = $1";

/// A text that is not posted yet: one for each channel and each thread.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Names it in pages.
    pub id: Uuid,
    /// Where it would be posted.
    pub channel_id: ChannelId,
    /// The root of the thread that it would answer in.
    pub parent_id: Option<MessageId>,
    /// Markdown.
    pub content: String,
    /// Uploads that go with it.
    pub file_ids: Vec<FileId>,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct DraftRow {
    id: Uuid,
    channel_id: Uuid,
    place_id: Uuid,
    content: String,
    updated_at: i64,
}

impl DraftRow {
    fn into_draft(self, file_ids: Vec<FileId>) -> Draft {
        Draft {
            id: self.id,
            channel_id: ChannelId(self.channel_id),
            parent_id: (self.place_id != self.channel_id).then_some(MessageId(self.place_id)),
            content: self.content,
            file_ids,
            updated_at: Timestamp(self.updated_at),
        }
    }
}

/// Keeps a draft for the channel, or for the thread of `parent`; it takes the place of an older one. Only members have
/// drafts: nobody else could post them.
///
/// # Errors
/// [`Fault::Invalid`] in `content`, `parent_id` or `file_ids`; [`Fault::Conflict`] with code `too_many_drafts`; and those of
/// the channel's door.
pub async fn put(
    tx: &mut Tx,
    user: UserId,
    channel: ChannelId,
    parent: Option<MessageId>,
    content: &str,
    files: &[FileId],
) -> Result<Draft> {
    text::content(content, !files.is_empty())?;
    access::admit(tx, user, channel).await?.member()?;
    let place = place(tx, channel, parent).await?;
    // One of their devices after the other, or two would both find a place for the last one.
    users::lock(tx, user).await?;
    if let Some(known) = at(tx, user, channel, place).await? {
        if known.content == content && known.file_ids == files {
            return Ok(known);
        }
    } else {
        make_room(tx, user).await?;
    }
    let id: Uuid = run!(
        tx,
        sqlx::query_scalar(STORE)
            .bind(confab_protocol::fresh_id())
            .bind(user.0)
            .bind(channel.0)
            .bind(place)
            .bind(content.to_owned())
            .bind(Timestamp::now().0),
        fetch_one
    )?;
    held_files::hold(tx, user, id, files).await?;
    tell(tx, user, channel, place);
    at(tx, user, channel, place).await?.ok_or(Fault::NotFound("draft"))
}

/// Refuses one more than [`MOST`], unless some can go that nobody sees any more.
async fn make_room(tx: &mut Tx, user: UserId) -> Result<()> {
    let count: i64 = run!(tx, sqlx::query_scalar(COUNT).bind(user.0), fetch_one)?;
    if count < MOST {
        return Ok(());
    }
    let lost: Vec<Uuid> = run!(tx, sqlx::query_scalar(LOST).bind(user.0), fetch_all)?;
    for id in &lost {
        held_files::release(tx, *id).await?;
        run!(tx, sqlx::query(DELETE_ONE).bind(*id), execute)?;
    }
    if count - lost.len() as i64 >= MOST {
        return Err(Fault::conflict("too_many_drafts", format!("{MOST} drafts are kept; delete some first")));
    }
    Ok(())
}

/// The root of the thread, or the channel itself.
async fn place(on: &mut impl Read, channel: ChannelId, parent: Option<MessageId>) -> Result<Uuid> {
    match parent {
        Some(parent) => Ok(messages::root_of(on, channel, parent).await?.0),
        None => Ok(channel.0),
    }
}

async fn at(on: &mut impl Read, user: UserId, channel: ChannelId, place: Uuid) -> Result<Option<Draft>> {
    let row: Option<DraftRow> =
        run!(on, sqlx::query_as(AT).bind(user.0).bind(place).bind(channel.0), fetch_optional)?;
    match row {
        Some(row) => {
            let mut held = held_files::of(on, &[row.id]).await?;
            let files = held.remove(&row.id).unwrap_or_default();
            Ok(Some(row.into_draft(files)))
        }
        None => Ok(None),
    }
}

/// One's own draft at a place.
///
/// # Errors
/// [`Fault::NotFound`] alike for no draft and for a channel that may not be read.
pub async fn get(
    on: &mut impl Read,
    user: UserId,
    channel: ChannelId,
    parent: Option<MessageId>,
) -> Result<Draft> {
    access::admit(on, user, channel).await?;
    let place = place(on, channel, parent).await?;
    at(on, user, channel, place).await?.ok_or(Fault::NotFound("draft"))
}

/// A page of one's own drafts, the last changed first, after the one that `after` names. Those of channels that may not be
/// read any more are left out; the second value is where the next page begins.
pub async fn list(
    on: &mut impl Read,
    user: UserId,
    after: Option<(i64, Uuid)>,
    limit: u32,
) -> Result<(Vec<Draft>, Option<(i64, Uuid)>)> {
    let (at, id) = after.unwrap_or((i64::MAX, Uuid::max()));
    let limit = i64::from(limit);
    let rows: Vec<DraftRow> =
        run!(on, sqlx::query_as(LIST).bind(user.0).bind(at).bind(id).bind(limit), fetch_all)?;
    let next = rows.last().filter(|_| rows.len() as i64 == limit).map(|row| (row.updated_at, row.id));
    let visible = access::visible_channels(on, user).await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut held = held_files::of(on, &ids).await?;
    let shown = rows.into_iter().filter(|row| visible.contains(&ChannelId(row.channel_id)));
    let drafts = shown.map(|row| {
        let files = held.remove(&row.id).unwrap_or_default();
        row.into_draft(files)
    });
    Ok((drafts.collect(), next))
}

/// Forgets one's own draft, whether there is one or not, and whether the channel may still be read or not.
pub async fn delete(tx: &mut Tx, user: UserId, channel: ChannelId, parent: Option<MessageId>) -> Result<()> {
    let place = match place(tx, channel, parent).await {
        Ok(place) => place,
        // No draft is there; saying more would tell of a message that the asker may not know.
        Err(Fault::Invalid { .. }) => return Ok(()),
        Err(fault) => return Err(fault),
    };
    remove(tx, user, channel, place).await
}

/// The text that stood there is posted: its draft has done its work.
pub(crate) async fn posted(
    tx: &mut Tx,
    user: UserId,
    channel: ChannelId,
    root: Option<MessageId>,
) -> Result<()> {
    remove(tx, user, channel, root.map_or(channel.0, |root| root.0)).await
}

async fn remove(tx: &mut Tx, user: UserId, channel: ChannelId, place: Uuid) -> Result<()> {
    let gone: Option<Uuid> =
        run!(tx, sqlx::query_scalar(DELETE).bind(user.0).bind(place).bind(channel.0), fetch_optional)?;
    if let Some(id) = gone {
        held_files::release(tx, id).await?;
        tell(tx, user, channel, place);
    }
    Ok(())
}

/// Tells the author's other devices, and nobody else.
fn tell(tx: &mut Tx, user: UserId, channel: ChannelId, place: Uuid) {
    let root = if place == channel.0 { String::new() } else { place.to_string() };
    tx.emit(Emission::new(EventKind::DraftUpdated, channel).only_for(user).by(user).detail(root));
}

/// Forgets all drafts of an account that is being deleted.
pub(crate) async fn forget(tx: &mut Tx, user: UserId) -> Result<()> {
    run!(tx, sqlx::query(RELEASE_ALL).bind(user.0), execute)?;
    run!(tx, sqlx::query(DELETE_ALL).bind(user.0), execute)?;
    Ok(())
}
