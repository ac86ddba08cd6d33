//! Posting together: messages that wait at the same moment share their statements, whoever they are by and wherever they
//! go.
//!
//! Only plain ones: no mention, no thread, no file, no quote, nothing in them that has to be looked up. And only while
//! nothing about them is unusual; everything else, and every refusal, is said by [`post`](super::post()), alone.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use confab_protocol::{ChannelId, ChannelKind, Message, MessageId, Timestamp, UserId, UserRef};
use uuid::Uuid;

use super::append::{self, NewMessage};
use super::post::{Draft, Posted, post};
use super::view;
use crate::access::{self, Place, Take, Taken};
use crate::db::{Db, Tx, fetch_rows};
use crate::fault::{Fault, Result};
use crate::markdown::{self, Names, Source};
use crate::{FutureExt, drafts, notifications, read_state};

const KNOWN: &str = "with asked (user_id, channel_id, nonce) as (";
const KNOWN_BY_NONCE: &str =
    ") select a.user_id, a.channel_id, a.nonce from asked a join messages m on m.sender_id = a.user_id
    and m.channel_id = a.channel_id and m.nonce = a.nonce";
const STANDING: &str = "with asked (user_id, channel_id) as (";
const STANDING_OF: &str = ") select a.user_id, a.channel_id, u.username, u.full_name, u.picture_url, u.is_bot,
    exists (select 1 from drafts d where d.user_id = a.user_id and d.place_id = a.channel_id) as has_draft,
    (exists (select 1 from keywords) or exists (select 1 from attention where notification_level = 'all')
        or exists (select 1 from memberships w where w.channel_id = a.channel_id and w.to_seq is null
            and w.notification_level = 'all')) as is_wished
    from asked a join memberships m on m.channel_id = a.channel_id and m.user_id = a.user_id and m.to_seq is null
    join users u on u.id = a.user_id";

/// A message that needs nothing but its place: already checked, and already as people will see it.
#[derive(Clone, Debug)]
pub(crate) struct Plain {
    pub user: UserId,
    pub channel: ChannelId,
    content: String,
    nonce: Option<String>,
    html: String,
}

/// How a member stands in a channel, as far as posting there goes.
#[derive(Debug)]
pub(crate) struct Standing {
    user: UserRef,
    has_draft: bool,
    /// Somebody may wish to hear of what is said there.
    is_wished: bool,
}

/// Posts a message as `user`, in a transaction that it may share with others.
///
/// # Errors
/// Those of [`post`](super::post()).
pub async fn send(db: &Db, user: UserId, channel: ChannelId, draft: Draft) -> Result<Posted> {
    draft.check()?;
    match Plain::of(user, channel, draft) {
        Ok(plain) => db.post(plain).await,
        // Boxed: else every plain one would carry room for it.
        Err(draft) => {
            db.write(move |tx| async move { post(tx, user, channel, *draft).await }.boxed()).boxed().await
        }
    }
}

impl Plain {
    /// Takes a draft that passed its checks, or gives it back. Rendered here: not where everybody waits.
    fn of(user: UserId, channel: ChannelId, draft: Draft) -> std::result::Result<Self, Box<Draft>> {
        let content = draft.content.as_str();
        let wanted = markdown::wanted(content);
        let is_plain = draft.parent_id.is_none()
            && draft.file_ids.is_empty()
            && draft.quoted_id.is_none()
            && draft.forwarded_id.is_none()
            // Such a nonce is shown to nobody.
            && !draft.nonce.as_ref().is_some_and(|nonce| nonce.starts_with("scheduled:"))
            && !content.contains('@')
            && wanted.channels.is_empty()
            && wanted.codes.is_empty();
        if !is_plain {
            return Err(Box::new(draft));
        }
        let html = markdown::html(&Source { content, mentions: &[], by_bot: false }, &Names::default());
        Ok(Self { user, channel, content: draft.content, nonce: draft.nonce, html })
    }

    /// Posts it by itself.
    pub async fn post_alone(self, tx: &mut Tx) -> Result<Posted> {
        let draft = Draft { content: self.content, nonce: self.nonce, ..Draft::default() };
        post(tx, self.user, self.channel, draft).await
    }

    fn at(&self, at: Timestamp) -> NewMessage {
        NewMessage {
            id: MessageId::new(),
            sender_id: self.user,
            content: self.content.clone(),
            html: Some(self.html.clone()),
            parent_id: None,
            nonce: self.nonce.clone(),
            mentions: Vec::new(),
            has_attachments: false,
            created_at: at,
        }
    }
}

/// Stores messages with few statements, in the order given; answers each that was stored as everyone sees it. `None`: it
/// has to be posted alone, which may refuse it.
pub(crate) async fn post_together(tx: &mut Tx, posts: &[&Plain]) -> Result<Vec<Option<Message>>> {
    if let Some(memory) = tx.memory() {
        memory.catch_up();
    }
    let mut may = may_share(tx, posts);
    let mut counts: Vec<(ChannelId, i64)> = Vec::new();
    for post in posts.iter().zip(&may).filter_map(|(post, may)| may.then_some(post)) {
        match counts.iter_mut().find(|(channel, _)| *channel == post.channel) {
            Some((_, count)) => *count += 1,
            None => counts.push((post.channel, 1)),
        }
    }
    // First of all: under the lock of its row a channel's members and messages stay as they are read.
    let mut channels = access::take_several(tx, &counts).await?;
    for (channel, taken) in &channels {
        if taken.kind == ChannelKind::Direct
            && let Some(memory) = tx.memory()
        {
            memory.set_apart(*channel);
        }
    }
    let known = known(tx, posts).await?;
    let standings = standings(tx, posts).await?;
    for (post, may) in posts.iter().zip(&mut may) {
        let is_known = post.nonce.as_ref().is_some_and(|nonce| known.contains(&post.key(nonce)));
        *may = *may
            && !is_known
            // A bot's links show where they lead: that was not known when it was rendered.
            && standings.get(&(post.user, post.channel)).is_some_and(|it| !it.user.is_bot)
            && channels.get(&post.channel).is_some_and(|it| !it.is_archived && it.kind != ChannelKind::Direct);
    }
    give_back(tx, posts, &may, &mut channels).await?;
    store(tx, posts, &may, channels, &standings).await
}

/// All but the second of those with the same nonce, and those of conversations of two, whose answers depend on the ones
/// before them.
fn may_share(tx: &mut Tx, posts: &[&Plain]) -> Vec<bool> {
    let mut nonces = HashSet::new();
    posts
        .iter()
        .map(|post| {
            let is_first = post.nonce.as_ref().is_none_or(|nonce| nonces.insert(post.key(nonce)));
            is_first && !tx.memory().is_some_and(|memory| memory.is_apart(post.channel))
        })
        .collect()
}

type Key = (Uuid, Uuid, String);

impl Plain {
    fn key(&self, nonce: &str) -> Key {
        (self.user.0, self.channel.0, nonce.to_owned())
    }
}

/// Which of them were posted before.
async fn known(tx: &mut Tx, posts: &[&Plain]) -> Result<HashSet<Key>> {
    let asked: Vec<Key> = posts.iter().filter_map(|post| Some(post.key(post.nonce.as_ref()?))).collect();
    let found = fetch_rows!(
        tx,
        Key,
        KNOWN,
        asked,
        |values, key| values.push_bind(key.0).push_bind(key.1).push_bind(key.2.clone()),
        KNOWN_BY_NONCE
    );
    Ok(found.into_iter().collect())
}

#[derive(sqlx::FromRow)]
struct StandingRow {
    user_id: Uuid,
    channel_id: Uuid,
    username: String,
    full_name: Option<String>,
    picture_url: Option<String>,
    is_bot: bool,
    has_draft: bool,
    is_wished: bool,
}

type Standings = HashMap<(UserId, ChannelId), Arc<Standing>>;

/// How the authors stand in their channels; who is no member is left out.
async fn standings(tx: &mut Tx, posts: &[&Plain]) -> Result<Standings> {
    let mut standings = Standings::with_capacity(posts.len());
    let mut asked: Vec<(Uuid, Uuid)> = Vec::new();
    for post in posts {
        match tx.memory().and_then(|memory| memory.standing(post.user, post.channel)) {
            Some(standing) => {
                standings.insert((post.user, post.channel), standing);
            }
            None => asked.push((post.user.0, post.channel.0)),
        }
    }
    asked.sort_unstable();
    asked.dedup();
    let found = fetch_rows!(
        tx,
        StandingRow,
        STANDING,
        asked,
        |values, pair| values.push_bind(pair.0).push_bind(pair.1),
        STANDING_OF
    );
    for row in found {
        let (user, channel) = (UserId(row.user_id), ChannelId(row.channel_id));
        let standing = Arc::new(Standing {
            user: UserRef {
                id: user,
                username: row.username,
                full_name: row.full_name,
                picture_url: row.picture_url,
                is_bot: row.is_bot,
            },
            has_draft: row.has_draft,
            is_wished: row.is_wished,
        });
        if let Some(memory) = tx.memory() {
            memory.keep_standing(user, channel, standing.clone());
        }
        standings.insert((user, channel), standing);
    }
    Ok(standings)
}

/// Gives the numbers back of those that are not posted here: they were the last ones, so the others have no holes.
async fn give_back(
    tx: &mut Tx,
    posts: &[&Plain],
    may: &[bool],
    channels: &mut HashMap<ChannelId, Taken>,
) -> Result<()> {
    for (channel, taken) in channels {
        let used = posts.iter().zip(may).filter(|(post, may)| **may && post.channel == *channel).count();
        let surplus = taken.count - used as i64;
        if surplus > 0 {
            access::give_back(tx, *channel, Take::Messages(surplus)).await?;
            taken.count -= surplus;
        }
    }
    Ok(())
}

async fn store(
    tx: &mut Tx,
    posts: &[&Plain],
    may: &[bool],
    mut channels: HashMap<ChannelId, Taken>,
    standings: &Standings,
) -> Result<Vec<Option<Message>>> {
    let now = Timestamp::now();
    let mut placed: Vec<Option<(Place, NewMessage)>> = Vec::with_capacity(posts.len());
    for (post, may) in posts.iter().zip(may) {
        let place = channels.get_mut(&post.channel).filter(|_| *may).map(Taken::next);
        placed.push(place.map(|place| (place, post.at(now))));
    }
    let rows: Vec<append::Row<'_>> =
        placed.iter().flatten().map(|(place, message)| append::Row::of(place, message)).collect();
    append::insert(tx, &rows).await?;
    append::announce(tx, &rows);
    // The last one of each: whoever posts has read up to there.
    let mut read: HashMap<(UserId, ChannelId), (i64, i64)> = HashMap::new();
    for (place, message) in placed.iter().flatten() {
        read.insert((message.sender_id, place.channel_id), (place.first_seq, place.first_number));
    }
    read_state::read_several(tx, &read).await?;
    if let Some(memory) = tx.memory() {
        memory.nothing_changed();
    }
    let mut posted = Vec::with_capacity(placed.len());
    for placed in placed {
        posted.push(match placed {
            Some((place, message)) => {
                let standing = standings.get(&(message.sender_id, place.channel_id));
                Some(tell(tx, &place, message, standing.ok_or(Fault::NotFound("channel"))?).await?)
            }
            None => None,
        });
    }
    Ok(posted)
}

/// What a stored message brings about, and the message as everyone sees it.
async fn tell(tx: &mut Tx, place: &Place, message: NewMessage, standing: &Standing) -> Result<Message> {
    if standing.is_wished || place.kind == ChannelKind::Group {
        notifications::tell(tx, place, &message, None).await?;
    }
    if standing.has_draft {
        drafts::posted(tx, message.sender_id, place.channel_id, None).await?;
    }
    let mut shown = view::of_new(message, place, standing.user.clone(), Vec::new());
    if place.kind == ChannelKind::Group {
        shown.conversation_id = Some(place.channel_id);
    }
    tx.keep(|| shown.clone());
    Ok(shown)
}
