//! Searching messages: a question is parsed, confined to what the asker may read, put to the index, and every hit is
//! read again from the record before anything of it is shown.

mod conversations;
mod cursor;
mod files;
pub(crate) mod find;
mod fusion;
mod gathered;
pub(crate) mod question;
pub(crate) mod ranking;
pub(crate) mod snippet;
mod terms;
mod windows;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

pub use files::search as search_files;
pub use ranking::Mode;

use confab_core::{Db, Fault, Result, access, assistant, bookmarks, channels, log, messages, users};
use confab_protocol::{Channel, ChannelId, Message, MessageId, PAGE_LIMIT, UserId};

use crate::index::Index;
use crate::meaning::Meaning;
use crate::services::{self, Hit, Search, SearchAnswer};
use find::Wanted;
use gathered::Gathered;
use question::Parsed;
use ranking::{Asked, Ranking};

/// Rounds of asking the index for one page: hits that were deleted meanwhile are replaced by later ones, within reason.
const ROUNDS: usize = 4;

/// Answers a search.
///
/// # Errors
/// [`Fault::Invalid`] in `q`, `cursor` or `limit`.
pub async fn search(db: &Db, index: &Index, meaning: &Meaning, asked: Search) -> Result<SearchAnswer> {
    if asked.limit == 0 || asked.limit > PAGE_LIMIT {
        return Err(Fault::invalid("limit", format!("is 1 to {PAGE_LIMIT}")));
    }
    let parsed = Parsed::read(&asked.q)?;
    let mut at = cursor::read(asked.cursor.as_deref())?;
    let from = at;
    let (by_words, by_meaning) = (index.applied(), meaning.applied());
    let visible = access::visible_channels(&mut db.read(), asked.user_id).await?;
    let Some(mut wanted) = resolve(db, asked.user_id, parsed, &visible).await? else {
        return Ok(SearchAnswer::default());
    };
    let switches = assistant::switches(&mut db.read()).await?;
    let mode = Mode::of(asked.mode, &wanted, meaning.is_on() && !switches.is_off);
    let ranking = if mode == Mode::Keyword {
        wanted.check(index.analysis())?;
        None
    } else {
        wanted.check_filled(index.analysis())?;
        Some(Ranking::of(Asked { db, index, meaning, switches: &switches }, &mut wanted, mode).await?)
    };
    let applied = if mode == Mode::Keyword { by_words } else { by_words.min(by_meaning) };
    let limit = asked.limit as usize;
    let mut items: Vec<Hit> = Vec::with_capacity(limit);
    let mut seen = Channels::default();
    let mut goes_on = true;
    for _ in 0..ROUNDS {
        let count = (limit - items.len()).min(cursor::DEEPEST - at);
        if count == 0 || !goes_on {
            break;
        }
        let found: Vec<Gathered>;
        (found, goes_on) = if let Some(ranking) = &ranking {
            ranking.page(at, count)
        } else {
            let (found, has_more) = wanted.ask(index, at, count).await?;
            (found.iter().map(|hit| Gathered::alone(hit.id)).collect(), has_more)
        };
        at += found.len();
        let ids: Vec<MessageId> = found.iter().map(|hit| hit.id).collect();
        let stands_for: HashMap<MessageId, Gathered> = found.into_iter().map(|hit| (hit.id, hit)).collect();
        let readable = messages::readable(&mut db.read(), &wanted.channels, &ids).await?;
        for message in readable {
            let Some(channel) = seen.view(db, asked.user_id, message.channel_id).await? else { continue };
            let score = services::score_of_place(from + items.len());
            let snippet = wanted.snippet(index.analysis(), &message.content);
            let Gathered { more_in_thread, copies, .. } =
                stands_for.get(&message.id).copied().unwrap_or(Gathered::alone(message.id));
            items.push(Hit { message, channel, snippet, score, more_in_thread, copies });
        }
    }
    let next_cursor = (goes_on && at < cursor::DEEPEST).then(|| cursor::write(at));
    let partial = log::head(&mut db.read()).await? > applied;
    let unavailable = ranking.map(|it| it.unavailable).unwrap_or_default();
    Ok(SearchAnswer { items, next_cursor, partial, unavailable })
}

/// From names to ids. `None`: nothing can match, because someone or something named does not exist, or not for the
/// asker: the two must look alike.
pub(crate) async fn resolve(
    db: &Db,
    user: UserId,
    parsed: Parsed,
    visible: &[ChannelId],
) -> Result<Option<Wanted>> {
    let mut channels = visible.to_vec();
    if !parsed.channels.is_empty() {
        let mut named = Vec::new();
        for name in &parsed.channels {
            match name.parse::<ChannelId>() {
                Ok(id) => named.push(id),
                Err(_) => named.extend(channels::named(&mut db.read(), user, name).await?),
            }
        }
        channels.retain(|id| named.contains(id));
    }
    let senders = people(db, user, &parsed.senders).await?;
    let mentioned = people(db, user, &parsed.mentioned).await?;
    let names_nobody = |names: &[String], found: &[UserId]| !names.is_empty() && found.is_empty();
    if names_nobody(&parsed.senders, &senders)
        || names_nobody(&parsed.mentioned, &mentioned)
        || channels.is_empty()
    {
        return Ok(None);
    }
    let mut only = None;
    if parsed.is_bookmarked {
        let kept: HashSet<MessageId> = bookmarks::ids(&mut db.read(), user).await?.into_iter().collect();
        if kept.is_empty() {
            return Ok(None);
        }
        only = Some(Arc::new(kept));
    }
    Ok(Some(Wanted {
        words: parsed.words,
        phrases: parsed.phrases,
        channels,
        senders,
        since: parsed.since,
        until: parsed.until,
        has: parsed.has,
        is_mentioned_with_all: mentioned.contains(&user),
        mentioned,
        only,
        is_for_files: false,
    }))
}

/// Those whom names mean; `me` is the asker.
async fn people(db: &Db, asker: UserId, names: &[String]) -> Result<Vec<UserId>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let others = users::by_names(&mut db.read(), names).await?.into_iter().map(|(id, _)| id);
    let asker = names.iter().any(|name| name == "me").then_some(asker);
    Ok(asker.into_iter().chain(others).collect())
}

/// Channels as the asker sees them, each asked for once.
#[derive(Default)]
pub(crate) struct Channels(HashMap<ChannelId, Option<Channel>>);

impl Channels {
    /// `None`: the asker may not read it (any more).
    pub async fn view(&mut self, db: &Db, user: UserId, id: ChannelId) -> Result<Option<Channel>> {
        if let Some(known) = self.0.get(&id) {
            return Ok(known.clone());
        }
        let channel = match channels::view(&mut db.read(), user, id).await {
            Ok(channel) => Some(channel),
            // Deleted, or the asker was removed, since the visible channels were read.
            Err(Fault::NotFound(_)) => None,
            Err(fault) => return Err(fault),
        };
        self.0.insert(id, channel.clone());
        Ok(channel)
    }

    /// Only messages of channels that the asker may read now.
    pub async fn keep_readable(
        &mut self,
        db: &Db,
        user: UserId,
        found: Vec<Message>,
    ) -> Result<Vec<Message>> {
        let mut kept = Vec::with_capacity(found.len());
        for message in found {
            if self.view(db, user, message.channel_id).await?.is_some() {
                kept.push(message);
            }
        }
        Ok(kept)
    }
}
