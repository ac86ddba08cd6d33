//! The conversations that a question is about: single messages say little in a chat, so hits are gathered by thread or
//! neighbourhood, and judged by how much of the question the whole conversation holds.

use std::collections::{HashMap, HashSet};

use confab_core::{Result, channels, messages};
use confab_protocol::{Channel, ChannelId, Message, MessageId};

use super::Desk;
use super::scope::Scope;
use super::understand::Understood;
use super::weights::Weights;
use crate::search;
use crate::search::find::Wanted;
use crate::search::question::Parsed;
use crate::search::ranking::{Asked, Mode, Ranking};

/// Hits that are gathered.
const HITS: usize = 60;
/// Conversations that are read whole.
const CANDIDATES: usize = 24;
/// Neighbours on each side of a hit.
const AROUND: i64 = 6;
/// Hits of a channel that are no further apart belong to one conversation.
const NEAR_SEQ: i64 = 12;
/// What a conversation's further hits count beside its best.
const FURTHER: f32 = 0.3;

/// A piece of a conversation.
#[derive(Clone, Debug)]
pub(super) struct Window {
    /// Ascending by `seq`.
    pub messages: Vec<Message>,
    pub channel: Channel,
    /// How well it fits the question.
    pub score: f32,
    /// How much of the question it holds, from 0 to 1.
    pub share: f32,
}

struct Group {
    hits: Vec<(Message, f32)>,
    score: f32,
}

/// The best `count` windows for a question, the best first.
pub(super) async fn find(
    desk: &Desk,
    scope: &Scope,
    question: &Understood,
    weights: &Weights,
    count: usize,
) -> Result<Vec<Window>> {
    if scope.channels.is_empty() {
        return Ok(Vec::new());
    }
    let Some(wanted) = wanted(desk, scope, &question.filters).await? else { return Ok(Vec::new()) };
    let hits = hits(desk, scope, Wanted { words: weights.words.clone(), ..wanted.clone() }, question).await?;
    if hits.is_empty() && !question.filters.is_empty() {
        // "What happened yesterday?" has no word of its own: then the newest of that day.
        return windows(desk, scope, weights, newest(desk, wanted).await?, count).await;
    }
    windows(desk, scope, weights, hits, count).await
}

/// The filters in ids. `None`: nothing can fit.
async fn wanted(desk: &Desk, scope: &Scope, filters: &str) -> Result<Option<Wanted>> {
    if filters.is_empty() {
        return Ok(Some(Wanted { channels: scope.channels.clone(), ..Wanted::default() }));
    }
    let parsed = Parsed::read(filters)?;
    search::resolve(&desk.db, scope.asker, parsed, &scope.channels).await
}

/// What was found, with how well it fits by its words, and how well by all there is to go by.
struct Hit {
    id: MessageId,
    words: f32,
    all: f32,
}

async fn newest(desk: &Desk, wanted: Wanted) -> Result<Vec<Hit>> {
    let found = wanted.ask(&desk.index, 0, HITS).await?;
    Ok(found.hits.into_iter().map(|hit| Hit { id: hit.id, words: 0.0, all: 0.5 }).collect())
}

/// By words, and where there is a model for it by meaning and by what stands around.
async fn hits(desk: &Desk, scope: &Scope, wanted: Wanted, question: &Understood) -> Result<Vec<Hit>> {
    if wanted.words.is_empty() {
        return Ok(Vec::new());
    }
    let found = wanted.ask(&desk.index, 0, HITS).await?.hits;
    let best = found.first().map_or(1.0, |hit| hit.score).max(f32::MIN_POSITIVE);
    let mut hits: Vec<Hit> =
        found.iter().map(|hit| Hit { id: hit.id, words: hit.score / best, all: 0.0 }).collect();
    if desk.meaning.is_on() {
        let words = question.about.split_whitespace().map(str::to_owned).collect();
        let mut wanted = Wanted { words, ..wanted };
        let asked =
            Asked { db: &desk.db, index: &desk.index, meaning: &desk.meaning, switches: scope.switches() };
        let ranking = Ranking::of(asked, &mut wanted, Mode::Hybrid).await?;
        for (place, ranked) in ranking.hits.iter().take(HITS).enumerate() {
            let all = 1.0 / (1.0 + place as f32 * 0.1);
            match hits.iter_mut().find(|hit| hit.id == ranked.id) {
                Some(known) => known.all = all,
                None => hits.push(Hit { id: ranked.id, words: 0.0, all }),
            }
        }
    }
    hits.sort_by(|one, other| (other.words + other.all).total_cmp(&(one.words + one.all)));
    Ok(hits)
}

async fn windows(
    desk: &Desk,
    scope: &Scope,
    weights: &Weights,
    hits: Vec<Hit>,
    count: usize,
) -> Result<Vec<Window>> {
    let ids: Vec<MessageId> = hits.iter().map(|hit| hit.id).collect();
    let weighed: HashMap<MessageId, f32> = hits.iter().map(|hit| (hit.id, hit.words + hit.all)).collect();
    let mut readable = messages::readable(&mut desk.db.read(), &scope.channels, &ids).await?;
    let of: Vec<ChannelId> = readable.iter().map(|message| message.channel_id).collect();
    let seen = channels::views(&mut desk.db.read(), scope.asker, &of).await?;
    readable.retain(|message| seen.contains_key(&message.channel_id) && scope.may_use(message));
    let mut groups = gather(readable.into_iter().map(|message| {
        let weight = weighed.get(&message.id).copied().unwrap_or(0.0);
        (message, weight)
    }));
    groups.truncate(CANDIDATES.max(count));
    let best = groups.first().map_or(1.0, |group| group.score).max(f32::MIN_POSITIVE);
    let mut windows = Vec::with_capacity(groups.len());
    for group in groups {
        let Some((hit, _)) = group.hits.first() else { continue };
        let Some(channel) = seen.get(&hit.channel_id).cloned() else { continue };
        let around = messages::conversation(&mut desk.db.read(), hit, AROUND).await?;
        let mut messages = merged(around, group.hits);
        messages.retain(|message| scope.may_use(message));
        let mut held = HashSet::new();
        for message in &messages {
            held.extend(weights.held(desk.index.analysis(), &message.content));
        }
        let share = weights.share(&held);
        windows.push(Window { messages, channel, score: share + 0.5 * group.score / best, share });
    }
    windows.sort_by(|one, other| other.score.total_cmp(&one.score));
    windows.truncate(count);
    Ok(windows)
}

/// Messages of one channel that the asker may read, as a window; `None` for none.
pub(super) async fn window(desk: &Desk, scope: &Scope, messages: Vec<Message>) -> Result<Option<Window>> {
    let Some(first) = messages.first() else { return Ok(None) };
    let mut seen = channels::views(&mut desk.db.read(), scope.asker, &[first.channel_id]).await?;
    Ok(seen.remove(&first.channel_id).map(|channel| Window { messages, channel, score: 1.0, share: 1.0 }))
}

/// Hits by conversation, the best conversation first. Hits come in order of score.
fn gather(hits: impl Iterator<Item = (Message, f32)>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (message, score) in hits {
        let home = groups
            .iter_mut()
            .find(|group| group.hits.first().is_some_and(|(first, _)| are_together(first, &message)));
        match home {
            Some(group) => {
                group.score += FURTHER * score;
                group.hits.push((message, score));
            }
            None => groups.push(Group { hits: vec![(message, score)], score }),
        }
    }
    groups.sort_by(|one, other| other.score.total_cmp(&one.score));
    groups
}

fn are_together(one: &Message, other: &Message) -> bool {
    match (thread_of(one), thread_of(other)) {
        (None, None) => one.channel_id == other.channel_id && one.seq.abs_diff(other.seq) <= NEAR_SEQ as u64,
        (one, other) => one == other,
    }
}

fn thread_of(message: &Message) -> Option<MessageId> {
    message.parent_id.or((message.reply_count > 0).then_some(message.id))
}

/// The neighbourhood and the hits, each message once: a long thread's neighbourhood may lack the hit itself.
fn merged(mut messages: Vec<Message>, hits: Vec<(Message, f32)>) -> Vec<Message> {
    let known: HashSet<MessageId> = messages.iter().map(|message| message.id).collect();
    messages
        .extend(hits.into_iter().map(|(message, _)| message).filter(|message| !known.contains(&message.id)));
    messages.sort_by_key(|message| message.seq);
    messages
}
