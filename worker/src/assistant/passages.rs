//! The conversations that a question is about: single messages say little in a chat, so hits are gathered by thread or
//! neighbourhood, and judged by how much of the question the whole conversation holds.

use std::collections::{HashMap, HashSet};

use confab_core::{Db, Result, messages};
use confab_protocol::{Channel, ChannelId, Message, MessageId, UserId};

use super::weights::Weights;
use crate::index::Index;
use crate::search::Channels;
use crate::search::find::Wanted;

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

/// The best `count` windows of `channels`, the best first.
pub(super) async fn find(
    db: &Db,
    index: &Index,
    user: UserId,
    channels: Vec<ChannelId>,
    weights: &Weights,
    count: usize,
) -> Result<Vec<Window>> {
    if channels.is_empty() || weights.words.is_empty() {
        return Ok(Vec::new());
    }
    let wanted = Wanted { words: weights.words.clone(), channels, ..Wanted::default() };
    let (found, _) = wanted.ask(index, 0, HITS).await?;
    let ids: Vec<MessageId> = found.iter().map(|hit| hit.id).collect();
    let scores: HashMap<MessageId, f32> = found.iter().map(|hit| (hit.id, hit.score)).collect();
    let readable = messages::readable(&mut db.read(), &wanted.channels, &ids).await?;
    let mut seen = Channels::default();
    let readable = seen.keep_readable(db, user, readable).await?;
    let mut groups = gather(readable.into_iter().map(|message| {
        let score = scores.get(&message.id).copied().unwrap_or(0.0);
        (message, score)
    }));
    groups.truncate(CANDIDATES.max(count));
    let best = groups.first().map_or(1.0, |group| group.score).max(f32::MIN_POSITIVE);
    let mut windows = Vec::with_capacity(groups.len());
    for group in groups {
        let Some((hit, _)) = group.hits.first() else { continue };
        let Some(channel) = seen.view(db, user, hit.channel_id).await? else { continue };
        let around = messages::conversation(&mut db.read(), hit, AROUND).await?;
        let messages = merged(around, group.hits);
        let mut held = HashSet::new();
        for message in &messages {
            held.extend(weights.held(index.analysis(), &message.content));
        }
        let share = weights.share(&held);
        windows.push(Window { messages, channel, score: share + 0.5 * group.score / best, share });
    }
    windows.sort_by(|one, other| other.score.total_cmp(&one.score));
    windows.truncate(count);
    Ok(windows)
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
