//! Summing up: a thread, a channel, a time, or all that somebody has not read. Without a language model the messages that
//! stand out, word by word.

use std::collections::{HashMap, HashSet};

use confab_core::channels::{self, Scope as Which};
use confab_core::messages::{self, Replies, Side};
use confab_core::{Fault, Result, access};
use confab_protocol::{Channel, ChannelId, Message, MessageId, PAGE_LIMIT};

use super::extract::{QUOTE_CHARACTERS, sentences};
use super::passages::{self, Window};
use super::prompt::Task;
use super::scope::Scope;
use super::stopwords::is_stopword;
use super::telling::{Extent, Step, Teller};
use super::{Desk, Job, Kept, MODEL, Made, cite, compose};
use crate::search::find::Wanted;
use crate::services::{Answer, Citation, Summarize};

/// Messages of one channel or thread that are read, the newest.
const READ: usize = 300;
/// The same where several channels are summed up, and how many of these.
const READ_OF_EACH: u32 = 60;
const CHANNELS: usize = 25;
/// Of the messages that a model is told, in tokens.
const PROMPT_TOKENS: u64 = 9_000;
/// Quotations of one channel, and of each of several.
const QUOTES: usize = 7;
const QUOTES_OF_EACH: usize = 2;
/// Words that tell of a decision or a task.
const WEIGHTY: [&str; 22] = [
    "decided",
    "decide",
    "decision",
    "agreed",
    "agree",
    "deadline",
    "todo",
    "plan",
    "planned",
    "release",
    "released",
    "fixed",
    "broken",
    "done",
    "must",
    "should",
    "will",
    "tomorrow",
    "moved",
    "changed",
    "important",
    "blocked",
];

/// Sums up and, where it is wanted, keeps it.
///
/// # Errors
/// [`Fault::NotFound`] for a channel, message or conversation that is not the asker's to read; [`Fault::Forbidden`] with
/// code `assistant_off`, also where it is off in that channel.
pub(crate) async fn summarize(desk: &Desk, asked: Summarize, tell: &Teller) -> Result<Answer> {
    let scope = Scope::of(&desk.db, asked.user_id, None).await?;
    tell.step(Step::Searching, Extent::default()).await;
    let (what, windows) = gathered(desk, &scope, &asked).await?;
    tell.step(Step::Reading, Extent::of_windows(&windows)).await;
    let question = format!("Sum up {what}.");
    if windows.is_empty() {
        let answer = format!("There is nothing to sum up in {what}.");
        let made = Made { answer, model: MODEL.into(), ..Made::default() };
        return kept(desk, &asked, &question, made).await;
    }
    let trimmed = newest_that_fit(&windows);
    let job = Job {
        scope: &scope,
        task: Task::Summarize,
        question: &question,
        before: &[],
        windows: &trimmed,
        most_tokens: PROMPT_TOKENS,
        may_propose: false,
    };
    let made = match desk.write(&job, tell).await? {
        Ok(made) => made,
        Err(fallback) => {
            let windows = if fallback.is_some() { desk.standing(&scope, windows).await? } else { windows };
            standing_out(desk, &scope, &what, &windows, fallback)
        }
    };
    kept(desk, &asked, &question, made).await
}

/// The answer; in a conversation of the asker, unless it is not to become one.
async fn kept(desk: &Desk, asked: &Summarize, question: &str, made: Made) -> Result<Answer> {
    if asked.is_unkept {
        return Ok(made.told(None, Vec::new()));
    }
    let kept = Kept { user: asked.user_id, session: None, conversation: asked.conversation_id };
    desk.keep(kept, question, made).await
}

/// What is summed up, in words, and its messages.
async fn gathered(desk: &Desk, scope: &Scope, asked: &Summarize) -> Result<(String, Vec<Window>)> {
    let window = match (asked.message_id, asked.channel_id) {
        (Some(message), _) => {
            let all = thread(desk, scope, message).await?;
            return Ok((
                "this thread".into(),
                passages::window(desk, scope, all).await?.into_iter().collect(),
            ));
        }
        (None, Some(channel)) => {
            open(desk, scope, channel).await?;
            if asked.since.is_some() || asked.until.is_some() {
                period(desk, scope, asked, channel).await?
            } else {
                let mut all = of_channel(desk, scope, channel, asked.is_unread).await?;
                all.retain(|message| scope.may_use(message));
                all
            }
        }
        (None, None) => return Ok(("what you have not read".into(), unread(desk, scope).await?)),
    };
    let what = if asked.is_unread { "what you have not read here" } else { "this channel" };
    Ok((what.into(), passages::window(desk, scope, window).await?.into_iter().collect()))
}

/// Refuses a channel in which the assistant is off.
async fn open(desk: &Desk, scope: &Scope, channel: ChannelId) -> Result<()> {
    access::admit(&mut desk.db.read(), scope.asker, channel).await?;
    if scope.channels.contains(&channel) {
        return Ok(());
    }
    Err(Fault::forbidden("assistant_off", "the assistant is off in this channel"))
}

async fn thread(desk: &Desk, scope: &Scope, id: MessageId) -> Result<Vec<Message>> {
    let (_, message) = messages::find(&mut desk.db.read(), scope.asker, id).await?;
    open(desk, scope, message.channel_id).await?;
    let root = message.parent_id.unwrap_or(id);
    let mut all: Vec<Message> = Vec::new();
    let mut after = 0;
    while all.len() < READ {
        let page =
            messages::thread(&mut desk.db.read(), scope.asker, root, Replies::After(after), PAGE_LIMIT)
                .await?;
        let is_last = page.len() <= PAGE_LIMIT as usize;
        // The root comes with every page.
        all.extend(page.into_iter().skip(usize::from(after > 0)));
        after = all.last().map_or(after, |message| message.seq);
        if is_last {
            break;
        }
    }
    all.retain(|message| scope.may_use(message));
    Ok(all)
}

/// The messages of a time, by the index; the newest where there are too many.
async fn period(desk: &Desk, scope: &Scope, asked: &Summarize, channel: ChannelId) -> Result<Vec<Message>> {
    let wanted = Wanted {
        channels: vec![channel],
        since: asked.since.map(|at| at.0),
        until: asked.until.map(|at| at.0),
        ..Wanted::default()
    };
    let found = wanted.ask(&desk.index, 0, READ).await?;
    let ids: Vec<MessageId> = found.hits.iter().map(|hit| hit.id).collect();
    let mut all = messages::readable(&mut desk.db.read(), &wanted.channels, &ids).await?;
    all.retain(|message| scope.may_use(message));
    all.sort_by_key(|message| message.seq);
    Ok(all)
}

/// The newest messages of a channel, or those that its reader has not read.
async fn of_channel(desk: &Desk, scope: &Scope, channel: ChannelId, is_unread: bool) -> Result<Vec<Message>> {
    let mut on = desk.db.read();
    let admitted = access::admit(&mut on, scope.asker, channel).await?;
    let read = if is_unread {
        channels::view(&mut on, scope.asker, channel).await?.read_seq.unwrap_or(0)
    } else {
        0
    };
    let mut all: Vec<Message> = Vec::new();
    let mut side = Side::Newest;
    while all.len() < READ {
        let page = messages::page(&mut on, &admitted, side, PAGE_LIMIT).await?;
        let Some(first) = page.messages.first().map(|message| message.seq) else { break };
        all.extend(page.messages.into_iter().filter(|message| message.seq > read));
        if !page.has_before || first <= read {
            break;
        }
        side = Side::Before(first);
    }
    all.sort_by_key(|message| message.seq);
    Ok(all)
}

/// What the asker has not read in their channels, a window each.
async fn unread(desk: &Desk, scope: &Scope) -> Result<Vec<Window>> {
    let mut windows = Vec::new();
    let mut after = None;
    while windows.len() < CHANNELS {
        let page =
            channels::list(&mut desk.db.read(), scope.asker, Which::Mine, after.take(), PAGE_LIMIT).await?;
        let is_last = page.len() < PAGE_LIMIT as usize;
        after = page.last().map(|channel| (channel.name.clone(), channel.id));
        for channel in page.into_iter().filter(|it| it.unread_count.unwrap_or(0) > 0) {
            if windows.len() == CHANNELS || !scope.channels.contains(&channel.id) {
                continue;
            }
            let messages = not_read(desk, scope, &channel).await?;
            if !messages.is_empty() {
                windows.push(Window { messages, channel, score: 1.0, share: 1.0 });
            }
        }
        if is_last {
            break;
        }
    }
    Ok(windows)
}

async fn not_read(desk: &Desk, scope: &Scope, channel: &Channel) -> Result<Vec<Message>> {
    let mut on = desk.db.read();
    let admitted = match access::admit(&mut on, scope.asker, channel.id).await {
        Ok(admitted) => admitted,
        // Removed a moment ago.
        Err(Fault::NotFound(_)) => return Ok(Vec::new()),
        Err(fault) => return Err(fault),
    };
    let read = channel.read_seq.unwrap_or(0);
    let mut all = messages::page(&mut on, &admitted, Side::Newest, READ_OF_EACH).await?.messages;
    all.retain(|message| message.seq > read && message.sender_id != scope.asker && scope.may_use(message));
    Ok(all)
}

/// The newest messages of each window, so that a prompt does not end before what matters most.
fn newest_that_fit(windows: &[Window]) -> Vec<Window> {
    let of_each = (PROMPT_TOKENS / windows.len().max(1) as u64).max(200);
    let trimmed = windows.iter().map(|window| {
        let mut left = of_each;
        let count = window.messages.iter().rev().take_while(|message| {
            // Its heading counts too.
            let tokens = crate::language_model::tokens_of(&message.content).min(600) + 25;
            let fits = tokens <= left;
            left = left.saturating_sub(tokens);
            fits
        });
        let count = count.count();
        Window { messages: window.messages[window.messages.len() - count..].to_vec(), ..window.clone() }
    });
    trimmed.collect()
}

/// The messages that say most, in their order.
fn standing_out(
    desk: &Desk,
    scope: &Scope,
    what: &str,
    windows: &[Window],
    fallback: Option<&'static str>,
) -> Made {
    let most = if windows.len() == 1 { QUOTES } else { QUOTES_OF_EACH };
    let mut citations: Vec<Citation> = Vec::new();
    let mut sources = Vec::new();
    for window in windows {
        for message in telling(desk, window, most) {
            let n = citations.len() as u32 + 1;
            let quote = beginning(&message.content);
            citations.push(cite(n, message, &window.channel, quote, scope.asker));
            sources.push((message.id, message.version));
        }
    }
    let count: usize = windows.iter().map(|window| window.messages.len()).sum();
    let people: HashSet<_> = windows.iter().flat_map(|it| &it.messages).map(|it| it.sender_id).collect();
    let heading = format!(
        "{count} {} of {} {} in {what}. What stands out:",
        if count == 1 { "message" } else { "messages" },
        people.len(),
        if people.len() == 1 { "person" } else { "people" },
    );
    let answer = compose(&heading, &citations);
    Made { answer, citations, model: MODEL.into(), fallback, sources, proposals: Vec::new() }
}

/// The first sentences of a message, as they stand there.
fn beginning(content: &str) -> &str {
    let content = content.trim();
    if content.chars().count() <= QUOTE_CHARACTERS {
        return content;
    }
    let first = sentences(content).into_iter().next().map_or(content, |range| &content[range]);
    let end = first.char_indices().nth(QUOTE_CHARACTERS).map_or(first.len(), |(at, _)| at);
    first[..end].trim()
}

/// The messages that hold most of what all of them speak of, that people answered and reacted to, or that decide something;
/// in their order.
fn telling<'w>(desk: &Desk, window: &'w Window, most: usize) -> Vec<&'w Message> {
    let analysis = desk.index.analysis();
    let words: Vec<HashSet<String>> = (window.messages.iter())
        .map(|message| {
            let end = message.content.floor_char_boundary(4_096);
            let text = &message.content[..end];
            let stems = analysis.whole(text).into_iter().filter(|word| !is_stopword(&word.text));
            let pairs = analysis.grams(text).into_iter().filter(|it| it.text.chars().count() == 2);
            stems.chain(pairs).map(|word| word.text).collect()
        })
        .collect();
    let mut common: HashMap<&str, f32> = HashMap::new();
    for word in words.iter().flatten() {
        *common.entry(word).or_default() += 1.0;
    }
    let mut scored: Vec<(f32, usize)> = (window.messages.iter().zip(&words).enumerate())
        .filter(|(_, (_, words))| !words.is_empty())
        .map(|(at, (message, words))| {
            let spoken_of: f32 =
                words.iter().map(|word| common.get(word.as_str()).map_or(0.0, |it| it.ln_1p())).sum();
            let length = words.len() as f32;
            let mut score = spoken_of / length.sqrt().max(2.0);
            score += words.iter().filter(|word| WEIGHTY.contains(&word.as_str())).count().min(3) as f32 * 0.8;
            score += (message.reply_count as f32).ln_1p() * 0.7;
            if message.is_bot {
                score *= 0.5;
            }
            (score, at)
        })
        .collect();
    scored.sort_by(|one, other| other.0.total_cmp(&one.0).then(other.1.cmp(&one.1)));
    let mut seen = HashSet::new();
    let mut chosen: Vec<usize> = scored
        .into_iter()
        .map(|(_, at)| at)
        .filter(|at| seen.insert(window.messages[*at].content.as_str()))
        .take(most)
        .collect();
    chosen.sort_unstable();
    chosen.into_iter().map(|at| &window.messages[at]).collect()
}
