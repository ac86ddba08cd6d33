//! Channels: made, listed, changed, archived, deleted.

mod direct;
pub mod figures;
mod find;
mod list;
mod privacy;
mod words;

use std::collections::{HashMap, HashSet};

use confab_protocol::{Channel, ChannelId, ChannelKind, ChannelRole, EventKind, Timestamp, UserId};
use uuid::Uuid;

pub use direct::open_direct;
pub use find::{After, Found, find};
pub(crate) use list::of_ids;
pub use list::{Scope, for_event, get, list, nth};
pub use privacy::set_private;
pub use words::{QUESTION_CHARACTERS, list_missing_words};

use crate::access::{self, Take};
use crate::audit::{self, Action, Actor, Target};
use crate::db::write::Emission;
use crate::db::{Tx, run};
use crate::fault::{Fault, Result};
use crate::typos::{self, Near};
use crate::{members, text, webhooks};

/// Longest name.
pub const NAME_CHARACTERS: usize = 80;
/// Longest description and topic.
pub const LINE_CHARACTERS: usize = 250;

const INSERT: &str =
    "insert into channels (id, kind, name, name_key, description, topic, owner_id, is_default, direct_key,
    archived_at, deleted_at, last_seq, message_count, member_count, created_at, updated_at)
    values ($1, $2, $3, $4, $5, null, $6, $7, $8, null, null, 0, 0, 0, $9, $9) on conflict do nothing";
const UPDATE: &str = "update channels set name = coalesce($2, name), name_key = coalesce($3, name_key),
    description = nullif(coalesce($4, description), ''), topic = nullif(coalesce($5, topic), ''), updated_at = $6 where id = $1";
const ARCHIVE: &str = "update channels set archived_at = $2, updated_at = $3 where id = $1";
const DELETE: &str =
    "update channels set deleted_at = $2, name_key = null, direct_key = null, updated_at = $2 where id = $1";
const OWN_PRIVATE: &str = "select c.id, c.name from memberships m join channels c on c.id = m.channel_id
    where m.user_id = $1 and m.to_seq is null and c.kind = 'private' and c.deleted_at is null";
const NAMES: &str = "select c.id, c.name from channels c where c.deleted_at is null and c.name <> ''
    and (c.name_key is not null or exists (select 1 from memberships m where m.channel_id = c.id and m.user_id = $1 and m.to_seq is null))
    order by c.id limit $2";
const BY_NAME: &str = "select id from channels where name_key = $1 and deleted_at is null";

/// A channel to be made.
#[derive(Clone, Debug)]
pub struct NewChannel {
    /// What it is for.
    pub kind: ChannelKind,
    /// 1 to 80 characters. Names of public channels are unique under case folding; those of private ones need not be, or
    /// a refusal would tell that such a channel exists.
    pub name: String,
    /// What belongs there.
    pub description: Option<String>,
    /// Everyone who gets an account joins it.
    pub is_default: bool,
    /// When it began.
    pub created_at: Timestamp,
}

impl NewChannel {
    /// Checks the form.
    ///
    /// # Errors
    /// [`Fault::Invalid`] in `name`, `kind` or `description`.
    pub fn check(name: &str, kind: ChannelKind, description: Option<&str>) -> Result<Self> {
        if matches!(kind, ChannelKind::Direct | ChannelKind::Group) {
            return Err(Fault::invalid("kind", "conversations are opened with POST channels/direct"));
        }
        let name = text::line("name", name.trim_start_matches('#'), NAME_CHARACTERS)?;
        let description = text::optional_line("description", description, LINE_CHARACTERS)?;
        Ok(Self { kind, name, description, is_default: false, created_at: Timestamp::now() })
    }
}

/// Makes a channel with `owner` as its owner; without one it is the system's.
///
/// # Errors
/// [`Fault::Conflict`] with code `name_taken`.
pub async fn create(tx: &mut Tx, owner: Option<UserId>, new: NewChannel) -> Result<ChannelId> {
    let id = ChannelId::new();
    if run!(
        tx,
        sqlx::query(INSERT)
            .bind(id.0)
            .bind(new.kind.as_str())
            .bind(new.name.clone())
            .bind(new.kind.is_open().then(|| text::key(&new.name)))
            .bind(new.description.clone())
            .bind(owner.map(|id| id.0))
            .bind(new.is_default)
            .bind(None::<String>)
            .bind(new.created_at.0),
        execute
    )? == 0
    {
        return Err(name_is_taken());
    }
    words::store(tx, id).await?;
    announce(tx, id, owner).await?;
    if let Some(owner) = owner {
        members::add(tx, id, &[(owner, ChannelRole::Owner)], Some(owner)).await?;
    }
    Ok(id)
}

fn name_is_taken() -> Fault {
    Fault::conflict("name_taken", "a channel of this name exists already")
}

/// What a second open channel of one name is answered with.
fn or_name_taken(error: sqlx::Error) -> Fault {
    if Fault::is_duplicate(&error) { name_is_taken() } else { error.into() }
}

async fn announce(tx: &mut Tx, id: ChannelId, owner: Option<UserId>) -> Result<()> {
    let place = access::place_of_system(tx, id, Take::Events(1)).await?;
    let mut emission = Emission::new(EventKind::ChannelCreated, id).at(id, place.first_seq);
    emission.actor_id = owner;
    tx.emit(emission);
    Ok(())
}

/// The channel of that name, folded.
pub async fn by_name(on: &mut impl crate::Read, name: &str) -> Result<Option<ChannelId>> {
    let found: Option<uuid::Uuid> =
        run!(on, sqlx::query_scalar(BY_NAME).bind(text::key(name.trim_start_matches('#'))), fetch_optional)?;
    Ok(found.map(ChannelId))
}

/// The channels that `user` may mean by a name: the public one, and private ones that they are a member of.
pub async fn named(on: &mut impl crate::Read, user: UserId, name: &str) -> Result<Vec<ChannelId>> {
    let mut found: Vec<ChannelId> = by_name(on, name).await?.into_iter().collect();
    let private: Vec<(uuid::Uuid, String)> = run!(on, sqlx::query_as(OWN_PRIVATE).bind(user.0), fetch_all)?;
    let key = text::key(name.trim_start_matches('#'));
    found.extend(private.into_iter().filter(|(_, it)| text::key(it) == key).map(|(id, _)| ChannelId(id)));
    Ok(found)
}

/// Which of `visible` each of `names` may mean, which none of them has: those whose name is near to it, the nearest first.
/// `visible` are channels that `user` may read: of others nothing may be suggested.
pub async fn near(
    on: &mut impl crate::Read,
    user: UserId,
    visible: &[ChannelId],
    names: &[String],
) -> Result<Near<ChannelId>> {
    let Some(turn) = typos::turn().await else { return Ok(Near::none(names)) };
    let rows: Vec<(uuid::Uuid, String)> =
        run!(on, sqlx::query_as(NAMES).bind(user.0).bind(typos::MOST_COMPARED), fetch_all)?;
    let is_all = (rows.len() as i64) < typos::MOST_COMPARED;
    let visible: HashSet<&ChannelId> = visible.iter().collect();
    let known = rows.into_iter().map(|(id, name)| (ChannelId(id), name));
    let known: Vec<(String, (ChannelId, String))> =
        known.filter(|(id, _)| visible.contains(id)).map(|(id, name)| (name.clone(), (id, name))).collect();
    let names: Vec<String> = names.iter().map(|name| name.trim_start_matches('#').to_owned()).collect();
    turn.compare(&names, known, is_all).await
}

/// Changes of a channel; absent fields stay as they are, an empty description or topic is taken away.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// New name.
    pub name: Option<String>,
    /// New description.
    pub description: Option<String>,
    /// New topic.
    pub topic: Option<String>,
}

/// Changes name, description or topic: an admin's or owner's doing.
pub async fn update(tx: &mut Tx, user: UserId, id: ChannelId, change: Change) -> Result<()> {
    let (place, _) = access::place_for_manager(tx, user, id, ChannelRole::Admin).await?;
    let name = match &change.name {
        Some(_) if matches!(place.kind, ChannelKind::Direct | ChannelKind::Group) => {
            return Err(Fault::invalid("name", "a conversation has no name"));
        }
        Some(name) => Some(text::line("name", name.trim_start_matches('#'), NAME_CHARACTERS)?),
        None => None,
    };
    let description = changed_line("description", change.description.as_deref())?;
    let topic = changed_line("topic", change.topic.as_deref())?;
    let done = run!(
        tx,
        sqlx::query(UPDATE)
            .bind(id.0)
            .bind(name.clone())
            .bind(name.as_deref().filter(|_| place.kind.is_open()).map(text::key))
            .bind(description.clone())
            .bind(topic.clone())
            .bind(Timestamp::now().0),
        execute
    );
    done.map_err(or_name_taken)?;
    if name.is_some() || description.is_some() {
        words::store(tx, id).await?;
    }
    tx.emit(Emission::new(EventKind::ChannelUpdate, id).at(id, place.first_seq).by(user));
    Ok(())
}

/// Absent stays absent; an empty text stays, since it takes away what was there.
fn changed_line(field: &'static str, text: Option<&str>) -> Result<Option<String>> {
    let line = text::optional_line(field, text, LINE_CHARACTERS)?;
    Ok(text.map(|_| line.unwrap_or_default()))
}

/// Archives a channel or takes it back: an admin's or owner's doing.
///
/// # Errors
/// [`Fault::Conflict`] with code `archive_state` when it is so already.
pub async fn archive(tx: &mut Tx, user: UserId, id: ChannelId, archived: bool) -> Result<()> {
    let (place, is_archived) = access::place_for_manager(tx, user, id, ChannelRole::Admin).await?;
    if is_archived == archived {
        let word = if archived { "already" } else { "not" };
        return Err(Fault::conflict("archive_state", format!("this channel is {word} archived")));
    }
    let now = Timestamp::now().0;
    run!(tx, sqlx::query(ARCHIVE).bind(id.0).bind(archived.then_some(now)).bind(now), execute)?;
    tx.emit(Emission::new(EventKind::ChannelUpdate, id).at(id, place.first_seq).by(user));
    Ok(())
}

/// Deletes a channel: its owner's doing. Nobody can read it any more.
pub async fn delete(tx: &mut Tx, by: &Actor, id: ChannelId) -> Result<()> {
    let user = by.user_id.ok_or(Fault::NotFound("channel"))?;
    let (place, _) = access::place_for_manager(tx, user, id, ChannelRole::Owner).await?;
    run!(tx, sqlx::query(DELETE).bind(id.0).bind(Timestamp::now().0), execute)?;
    words::drop_all(tx, id).await?;
    webhooks::forget(tx, id).await?;
    tx.emit(Emission::new(EventKind::ChannelDeleted, id).at(id, place.first_seq).by(user));
    if place.kind.is_open() {
        tell_directory(tx, id, false);
    }
    audit::note(tx, by, Action::ChannelDeleted, Some(Target::new("channel", id)), serde_json::json!(null))
        .await
}

/// Tells everybody that an open channel is open from now on, or no more: others than its members may show it too, in the
/// directory or by a mention of them there. It does not say why, nor who did it: that a channel which they lost still is
/// would be told by it.
fn tell_directory(tx: &mut Tx, id: ChannelId, is_listed: bool) {
    let word = if is_listed { "listed" } else { "unlisted" };
    tx.emit(Emission::new(EventKind::DirectoryUpdated, id).detail(word));
}

/// The channels of a fresh server.
pub async fn create_defaults(tx: &mut Tx) -> Result<()> {
    for (name, description) in [("general", "For everyone"), ("random", "Anything else")] {
        if by_name(tx, name).await?.is_none() {
            let mut new = NewChannel::check(name, ChannelKind::Public, Some(description))?;
            new.is_default = true;
            create(tx, None, new).await?;
        }
    }
    Ok(())
}

/// A channel as one user sees it, for answers right after a change.
pub async fn view(on: &mut impl crate::Read, user: UserId, id: ChannelId) -> Result<Channel> {
    access::admit(on, user, id).await?;
    get(on, user, id).await
}

/// Channels as one user sees them, in a few queries however many. Those that they may not read are missing.
pub async fn views(
    on: &mut impl crate::Read,
    user: UserId,
    ids: &[ChannelId],
) -> Result<HashMap<ChannelId, Channel>> {
    let visible = access::visible_channels(on, user).await?;
    of_visible(on, user, visible, ids).await
}

/// The same for a plugin's bot, as far as its plugin reaches.
pub async fn views_for_bot(
    on: &mut impl crate::Read,
    bot: access::bots::Bot,
    ids: &[ChannelId],
) -> Result<HashMap<ChannelId, Channel>> {
    let visible = access::bots::channels_of_bot(on, bot).await?;
    of_visible(on, bot.id, visible, ids).await
}

async fn of_visible(
    on: &mut impl crate::Read,
    user: UserId,
    visible: Vec<ChannelId>,
    ids: &[ChannelId],
) -> Result<HashMap<ChannelId, Channel>> {
    let wanted: HashSet<ChannelId> = ids.iter().copied().collect();
    let shown: Vec<Uuid> = visible.into_iter().filter(|id| wanted.contains(id)).map(|id| id.0).collect();
    let found = of_ids(on, user, &shown).await?;
    Ok(found.into_iter().map(|channel| (channel.id, channel)).collect())
}
