//! Searching messages: a question is parsed, confined to what the asker may read, put to the index, and every hit is
//! read again from the record before anything of it is shown.

mod again;
mod conversations;
mod cursor;
mod dialogues;
mod files;
pub(crate) mod find;
mod fusion;
mod gathered;
mod names;
pub(crate) mod question;
pub(crate) mod ranking;
pub(crate) mod snippet;
mod terms;
mod windows;

use std::collections::HashMap;

pub use files::search as search_files;
pub use names::NameRead;
pub use ranking::Mode;

use confab_core::access::bots::{Bot, channels_of_bot};
use confab_core::{Db, Fault, FutureExt, Result, access, assistant, channels, log, messages};
use confab_protocol::{Channel, ChannelId, Message, MessageId, PAGE_LIMIT, UserId};
use serde::{Deserialize, Serialize};

use crate::index::Index;
use crate::meaning::Meaning;
use crate::services::{self, Hit, Search, SearchAnswer};
use find::Wanted;
use gathered::Gathered;
use names::Meant;
use question::Parsed;
use ranking::{Asked, Ranking};

/// Rounds of asking the index for one page: hits that were deleted meanwhile are replaced by later ones, within reason.
const ROUNDS: usize = 4;

/// In which order hits come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// What fits best first.
    #[default]
    Relevance,
    /// The newest first, of what holds every word.
    Newest,
}

/// Answers a search.
///
/// # Errors
/// [`Fault::Invalid`] in `q`, `cursor` or `limit`.
pub async fn search(db: &Db, index: &Index, meaning: &Meaning, asked: Search) -> Result<SearchAnswer> {
    if asked.limit == 0 || asked.limit > PAGE_LIMIT {
        return Err(Fault::invalid("limit", format!("is 1 to {PAGE_LIMIT}")));
    }
    let parsed = Parsed::read(&asked.q)?;
    let at = cursor::read(asked.cursor.as_deref())?;
    let (by_words, by_meaning) = (index.applied(), meaning.applied());
    let bot = asked.reach.map(|reach| Bot { id: asked.user_id, reach });
    let visible = match bot {
        Some(bot) => channels_of_bot(&mut db.read(), bot).await?,
        None => access::visible_channels(&mut db.read(), asked.user_id).await?,
    };
    let Meant { wanted, mut names } = names::read(db, asked.user_id, parsed, &visible).await?;
    let Some(mut wanted) = wanted else {
        return Ok(SearchAnswer { names, ..SearchAnswer::default() });
    };
    wanted.is_newest_first = asked.order == Order::Newest;
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
    let pages = Pages { db, index, user: asked.user_id, bot, limit: asked.limit as usize };
    let mut page = pages.page(&wanted, ranking.as_ref(), at).await?;
    if ranking.is_none() && page.total == 0 {
        let (words, read) = names::respelled(db, asked.user_id, &wanted.words, &visible).await?;
        if words != wanted.words {
            wanted.words = words;
            page = pages.page(&wanted, None, at).await?;
        }
        names.extend(read.into_iter().filter(|name| !page.items.is_empty() || name.near.len() > 1));
    }
    let partial = log::head(&mut db.read()).await? > applied;
    let total = match &ranking {
        _ if at == 0 && page.next_cursor.is_none() => page.items.len() as u64,
        Some(ranking) => ranking.hits.len() as u64,
        None => page.total,
    };
    let unavailable = ranking.map(|it| it.unavailable).unwrap_or_default();
    Ok(SearchAnswer { items: page.items, next_cursor: page.next_cursor, partial, unavailable, names, total })
}

/// Who asks, and where.
#[derive(Clone, Copy)]
struct Pages<'p> {
    db: &'p Db,
    index: &'p Index,
    user: UserId,
    bot: Option<Bot>,
    limit: usize,
}

struct Page {
    items: Vec<Hit>,
    next_cursor: Option<String>,
    /// Hits in all, where the index counted them.
    total: u64,
}

impl Pages<'_> {
    /// Hits from `from` on, as they are in the record now.
    async fn page(self, wanted: &Wanted, ranking: Option<&Ranking>, from: usize) -> Result<Page> {
        let Self { index, limit, .. } = self;
        let mut items: Vec<Hit> = Vec::with_capacity(limit);
        let (mut at, mut goes_on, mut total) = (from, true, 0);
        for _ in 0..ROUNDS {
            let count = (limit - items.len()).min(cursor::DEEPEST - at);
            if count == 0 || !goes_on {
                break;
            }
            let found: Vec<Gathered>;
            (found, goes_on) = if let Some(ranking) = ranking {
                ranking.page(at, count)
            } else {
                let answer = wanted.ask(index, at, count).await?;
                total = answer.total;
                (answer.hits.iter().map(|hit| Gathered::alone(hit.id)).collect(), answer.has_more)
            };
            at += found.len();
            let ids: Vec<MessageId> = found.iter().map(|hit| hit.id).collect();
            let stands_for: HashMap<MessageId, Gathered> =
                found.into_iter().map(|hit| (hit.id, hit)).collect();
            let readable = self.readable(wanted, ids).await?;
            let texts = readable.iter().map(|(message, _)| message.content.clone()).collect();
            let snippets = wanted.snippets(index, texts).await?;
            for ((message, channel), snippet) in readable.into_iter().zip(snippets) {
                let score = services::score_of_place(from + items.len());
                let Gathered { more_in_thread, copies, .. } =
                    stands_for.get(&message.id).copied().unwrap_or(Gathered::alone(message.id));
                items.push(Hit { message, channel, snippet, score, more_in_thread, copies });
            }
        }
        let next_cursor = (goes_on && at < cursor::DEEPEST).then(|| cursor::write(at));
        Ok(Page { items, next_cursor, total })
    }

    /// Those of some messages that may be shown, in their order, each with its channel as the asker sees it: those of one that they
    /// were removed from since the search began are missing. All of it at one moment, on one way to the record.
    async fn readable(self, wanted: &Wanted, ids: Vec<MessageId>) -> Result<Vec<(Message, Channel)>> {
        let Self { db, user, bot, .. } = self;
        let among = wanted.channels.clone();
        let read = db.look(move |on| {
            async move {
                let found = messages::readable(on, &among, &ids).await?;
                let of: Vec<ChannelId> = found.iter().map(|message| message.channel_id).collect();
                let seen = match bot {
                    Some(bot) => channels::views_for_bot(on, bot, &of).await?,
                    None => channels::views(on, user, &of).await?,
                };
                let shown = found.into_iter().filter_map(|message| {
                    let channel = seen.get(&message.channel_id).cloned()?;
                    Some((message, channel))
                });
                Ok(shown.collect())
            }
            .boxed()
        });
        read.await
    }
}

/// From names to ids. `None`: nothing can match, because someone or something named does not exist, or not for the
/// asker: the two must look alike.
pub(crate) async fn resolve(
    db: &Db,
    user: UserId,
    parsed: Parsed,
    visible: &[ChannelId],
) -> Result<Option<Wanted>> {
    // A name read as another is said beside hits; here nobody would hear of it.
    let meant = names::read(db, user, parsed, visible).await?;
    Ok(meant.wanted.filter(|_| meant.names.is_empty()))
}
