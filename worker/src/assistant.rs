//! The assistant: finds the conversations that a question is about, and answers with what was said there.
//!
//! In reading order: [`scope`] is what an answer may be made of, [`understand`] what a question says, [`passages`] finds
//! conversations. Without a language model [`extract`] takes the answer out of them, word by word: it can be dull but cannot
//! invent. With one, [`desk`] takes its share of the day's tokens, [`prompt`] tells it the numbered messages of a [`book`], it asks for
//! more by [`tools`] and by those of plugins ([`borrowed`]), [`writing`] takes its sentences one by one, [`verify`] holds each against what it cites, and [`clean`] takes out what leads elsewhere. [`summary`] sums up,
//! [`mention`] answers in channels.
//!
//! It reads as the asker and never more; an answer that others will see is made only of what all of them may read.

mod book;
mod borrowed;
mod clean;
mod desk;
mod extract;
mod mention;
mod passages;
mod prompt;
mod scope;
mod sentences;
mod stopwords;
mod summary;
mod telling;
mod tools;
mod understand;
mod verify;
mod weights;
mod writing;

use std::fmt::Write as _;
use std::time::Duration;

use confab_core::conversations::{self, Turn};
use confab_core::{Fault, Result, channels, text, users};
use confab_protocol::{Channel, Message, Timestamp, UserId};
use tokio::time::timeout;

use crate::search::find::Wanted;
use crate::services::{self, Answer, Citation, Context, ContextAnswer, MessageCitation, Passage, Question};
pub(crate) use desk::Desk;
use desk::{Job, Kept, Made};
use extract::Quote;
pub(crate) use mention::{as_post, start as answer_mentions};
use passages::Window;
use prompt::Task;
use scope::Scope;
pub(crate) use stopwords::is_stopword;
pub(crate) use summary::summarize;
pub(crate) use telling::Teller;
pub use telling::{Extent, Step, Told};
use understand::Understood;
use weights::Weights;

/// Longest question, in characters.
pub const CHARACTERS: usize = 4_000;
/// Most passages of one answer to [`context`].
const PASSAGES: u32 = 20;
/// Passages from which an answer is taken.
const READ: usize = 8;
/// What [`Answer::model`] says when no language model took part.
const MODEL: &str = "extractive";
/// Of the messages that a model is told, in tokens.
const PROMPT_TOKENS: u64 = 6_000;
/// How long an answer waits for the figures that are shown beside it.
const COUNTING: Duration = Duration::from_millis(150);
/// Earlier turns that a model is told.
const TURNS: u32 = 6;

const NOTHING: &str = "I found nothing in the messages you can read that answers this.";
const NOTHING_FOR_ALL: &str =
    "I found nothing that answers this in the messages that everyone here can read.";

/// The passages that a question is about.
///
/// # Errors
/// [`Fault::Invalid`] in `query` or `limit`; [`Fault::NotFound`] for a channel that the asker may not read.
pub(crate) async fn context(desk: &Desk, asked: Context) -> Result<ContextAnswer> {
    check("query", &asked.query)?;
    if asked.limit == 0 || asked.limit > PASSAGES {
        return Err(Fault::invalid("limit", format!("is 1 to {PASSAGES}")));
    }
    let scope = Scope::of(&desk.db, asked.user_id, asked.channel_id).await?;
    let (windows, _) = desk.look(&scope, &asked.query, &[], asked.limit as usize).await?;
    let items = windows.into_iter().enumerate().map(|(place, Window { messages, channel, .. })| Passage {
        messages,
        channel,
        score: services::score_of_place(place),
    });
    Ok(ContextAnswer { items: items.collect() })
}

/// Answers a question and keeps both, unless they are to be kept nowhere.
///
/// # Errors
/// [`Fault::Invalid`] in `content`; [`Fault::NotFound`] for a channel or conversation that is not the asker's to read;
/// [`Fault::Forbidden`] with code `assistant_off`.
pub(crate) async fn answer(desk: &Desk, asked: Question, tell: &Teller) -> Result<Answer> {
    check("content", &asked.content)?;
    let scope = Scope::of(&desk.db, asked.user_id, asked.channel_id).await?;
    let made = made(desk, &scope, &asked, tell).await?;
    if asked.is_unkept {
        return Ok(made.told(None, Vec::new()));
    }
    let kept = Kept { user: asked.user_id, session: asked.session_id, conversation: asked.conversation_id };
    desk.keep(kept, &asked.content, made).await
}

/// An answer that is kept nowhere.
async fn made(desk: &Desk, scope: &Scope, asked: &Question, tell: &Teller) -> Result<Made> {
    let extent = if tell.is_heard() { desk.extent(scope).await } else { Extent::default() };
    tell.step(Step::Searching, extent).await;
    let before = match asked.conversation_id {
        Some(id) => {
            let mut on = desk.db.read();
            let may_use = |message: &Message| scope.may_use(message);
            conversations::turns(&mut on, asked.user_id, id, &scope.channels, TURNS, &may_use).await?
        }
        None => Vec::new(),
    };
    let (windows, weights) = desk.look(scope, &asked.content, &before, READ).await?;
    tell.step(Step::Reading, Extent::of_windows(&windows)).await;
    let job = Job {
        scope,
        task: Task::Answer,
        question: &asked.content,
        before: &before,
        windows: &windows,
        most_tokens: PROMPT_TOKENS,
        may_propose: asked.session_id.is_some() && !asked.is_unkept,
    };
    Ok(match desk.write(&job, tell).await? {
        Ok(made) => made,
        Err(fallback) => {
            let windows = if fallback.is_some() { desk.standing(scope, windows).await? } else { windows };
            let quotes = extract::quotes(desk.index.analysis(), &weights, &windows);
            extracted(&quotes, asked, fallback)
        }
    })
}

/// An answer of quotations.
fn extracted(quotes: &[Quote<'_>], asked: &Question, fallback: Option<&'static str>) -> Made {
    let citations: Vec<Citation> = (1..)
        .zip(quotes)
        .map(|(n, quote)| cite(n, quote.message, quote.channel, quote.text, asked.user_id))
        .collect();
    let answer = if citations.is_empty() {
        if asked.channel_id.is_some() { NOTHING_FOR_ALL } else { NOTHING }.to_owned()
    } else {
        compose("Found in your messages:", &citations)
    };
    let sources = quotes.iter().map(|quote| (quote.message.id, quote.message.version)).collect();
    Made { answer, citations, model: MODEL.into(), fallback, sources, proposals: Vec::new() }
}

impl Desk {
    /// How much an answer may be made of. A figure that the index does not tell is left out.
    async fn extent(&self, scope: &Scope) -> Extent {
        let messages = Wanted { channels: scope.channels.clone(), ..Wanted::default() };
        let files = Wanted { is_for_files: true, ..messages.clone() };
        let counts = async { tokio::join!(messages.count(&self.index), files.count(&self.index)) };
        match timeout(COUNTING, counts).await {
            Ok((messages, files)) => {
                Extent { messages: messages.ok(), files: files.ok(), ..Extent::default() }
            }
            Err(_) => Extent::default(),
        }
    }

    /// The conversations that a question is about, and its words.
    async fn look(
        &self,
        scope: &Scope,
        question: &str,
        before: &[Turn],
        count: usize,
    ) -> Result<(Vec<Window>, Weights)> {
        let whole = with_what_it_follows(question, before);
        let plain = understand::understand(&whole, Timestamp::now().0);
        let understood = self.named(scope, plain.clone()).await?;
        let (windows, weights) = match self.find(scope, &understood, count).await {
            // What looks like a filter and is none, such as `on:click`, is a word like others.
            Err(Fault::Invalid { .. }) => {
                let about = whole.replace(':', " ");
                return self.find(scope, &Understood { about, ..Understood::default() }, count).await;
            }
            found => found?,
        };
        if !windows.is_empty() || understood.filters == plain.filters {
            return Ok((windows, weights));
        }
        // A name in a question need not be an author's, nor where it was said.
        self.find(scope, &plain, count).await
    }

    async fn find(
        &self,
        scope: &Scope,
        question: &Understood,
        count: usize,
    ) -> Result<(Vec<Window>, Weights)> {
        let weights = Weights::of(&self.index, &scope.channels, &question.about).await?;
        let windows = passages::find(self, scope, question, &weights, count).await?;
        Ok((windows, weights))
    }

    /// Which of the words that may be names are such, of people and of channels that the asker may read.
    async fn named(&self, scope: &Scope, understood: Understood) -> Result<Understood> {
        let mut on = self.db.read();
        let known = users::by_names(&mut on, &understood.perhaps_people).await?;
        let is_person = |name: &&String| known.iter().any(|(_, key)| *key == text::key(name));
        let people: Vec<String> = understood.perhaps_people.iter().filter(is_person).cloned().collect();
        let mut places = Vec::new();
        for name in &understood.perhaps_channels {
            let meant = channels::named(&mut on, scope.asker, name).await?;
            if meant.iter().any(|id| scope.channels.contains(id)) {
                places.push(name.clone());
            }
        }
        Ok(understood.with(&people, &places))
    }
}

/// A question that stands on the one before it ("and in winter?") is looked for together with that.
fn with_what_it_follows(question: &str, before: &[Turn]) -> String {
    const FOLLOWING: [&str; 22] = [
        "and", "also", "but", "then", "it", "its", "they", "them", "their", "that", "this", "those", "these",
        "there", "he", "she", "his", "her", "why", "so", "else", "more",
    ];
    let words: Vec<String> = question
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(40)
        .map(str::to_lowercase)
        .collect();
    let follows = words.len() <= 3 || words.iter().any(|word| FOLLOWING.contains(&word.as_str()));
    match before.last().filter(|_| follows && words.len() <= 16) {
        Some(turn) => format!("{} {question}", turn.question.trim()),
        None => question.to_owned(),
    }
}

fn check(field: &'static str, text: &str) -> Result<()> {
    if text.trim().is_empty() {
        return Err(Fault::invalid(field, "must not be empty"));
    }
    if text.len() > CHARACTERS * 4 || text.chars().count() > CHARACTERS {
        return Err(Fault::invalid(field, format!("has more than {CHARACTERS} characters")));
    }
    if text.contains('\0') {
        return Err(Fault::invalid(field, "must not hold the NUL character"));
    }
    Ok(())
}

fn cite(n: u32, message: &Message, channel: &Channel, quote: &str, asker: UserId) -> Citation {
    Citation::Message(MessageCitation {
        n,
        message_id: message.id,
        channel_id: message.channel_id,
        channel_name: name_of(channel, asker),
        seq: message.seq,
        sender: message.sender.clone(),
        created_at: message.created_at,
        quote: quote.to_owned(),
        url: format!("/channels/{}?seq={}", message.channel_id, message.seq),
    })
}

/// A conversation without a name is known by its people.
fn name_of(channel: &Channel, asker: UserId) -> String {
    if !channel.name.is_empty() {
        return channel.name.clone();
    }
    let people = channel.people.iter().flatten().filter(|person| person.id != asker);
    people.map(|person| person.username.as_str()).collect::<Vec<_>>().join(", ")
}

fn compose(heading: &str, citations: &[Citation]) -> String {
    let mut text = heading.to_owned();
    for citation in citations {
        let (n, quote) = citation.mark();
        let quote = clean::on_one_line(quote);
        // Writing to a String cannot fail.
        let _ = write!(text, "\n\n{quote} [{n}]");
    }
    text
}
