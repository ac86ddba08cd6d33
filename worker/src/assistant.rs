//! The assistant: finds the conversations that a question is about, and answers with what was said there.
//!
//! It reads as the asker and never more; an answer that others will see is made only of what all of them may read. Its
//! sentences are quotations, so it can be dull but cannot invent.

mod extract;
mod passages;
mod stopwords;
mod weights;

use std::fmt::Write as _;

use confab_core::{Db, Fault, FutureExt, Result, access, conversations};
use confab_protocol::{Channel, ChannelId, UserId};

use crate::index::Index;
use crate::services::{self, Answer, Citation, Context, ContextAnswer, Passage, Question};
use extract::Quote;
use passages::Window;
pub(crate) use stopwords::is_stopword;
use weights::Weights;

/// Longest question, in characters.
pub const CHARACTERS: usize = 4_000;
/// Most passages of one answer to [`context`].
const PASSAGES: u32 = 20;
/// Passages from which an answer is taken.
const READ: usize = 8;
/// What [`Answer::model`] says when no language model took part.
const MODEL: &str = "extractive";

const NOTHING: &str = "I found nothing in the messages you can read that answers this.";
const NOTHING_FOR_ALL: &str =
    "I found nothing that answers this in the messages that everyone here can read.";

/// The passages that a question is about.
///
/// # Errors
/// [`Fault::Invalid`] in `query` or `limit`; [`Fault::NotFound`] for a channel that the asker may not read.
pub async fn context(db: &Db, index: &Index, asked: Context) -> Result<ContextAnswer> {
    check("query", &asked.query)?;
    if asked.limit == 0 || asked.limit > PASSAGES {
        return Err(Fault::invalid("limit", format!("is 1 to {PASSAGES}")));
    }
    let channels = scope(db, asked.user_id, asked.channel_id).await?;
    let weights = Weights::of(index, &asked.query).await?;
    let windows = passages::find(db, index, asked.user_id, channels, &weights, asked.limit as usize).await?;
    let items = windows.into_iter().enumerate().map(|(place, Window { messages, channel, .. })| Passage {
        messages,
        channel,
        score: services::score_of_place(place),
    });
    Ok(ContextAnswer { items: items.collect() })
}

/// Answers a question and keeps both.
///
/// # Errors
/// [`Fault::Invalid`] in `content`; [`Fault::NotFound`] for a channel or conversation that is not the asker's to read.
pub async fn answer(db: &Db, index: &Index, asked: Question) -> Result<Answer> {
    check("content", &asked.content)?;
    let channels = scope(db, asked.user_id, asked.channel_id).await?;
    let weights = Weights::of(index, &asked.content).await?;
    let windows = passages::find(db, index, asked.user_id, channels, &weights, READ).await?;
    let quotes = extract::quotes(index.analysis(), &weights, &windows);
    let citations: Vec<Citation> =
        (1..).zip(&quotes).map(|(n, quote)| cite(n, quote, asked.user_id)).collect();
    let answer = if citations.is_empty() {
        if asked.channel_id.is_some() { NOTHING_FOR_ALL } else { NOTHING }.to_owned()
    } else {
        compose(&citations)
    };
    let (user, conversation, said) = (asked.user_id, asked.conversation_id, answer.clone());
    let conversation_id = db
        .write(move |tx| {
            async move { conversations::add(tx, user, conversation, &asked.content, &said).await }.boxed()
        })
        .await?;
    Ok(Answer { answer, supported: !citations.is_empty(), citations, model: MODEL.into(), conversation_id })
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

/// The channels that an answer may be made of.
async fn scope(db: &Db, user: UserId, channel: Option<ChannelId>) -> Result<Vec<ChannelId>> {
    let mut on = db.read();
    match channel {
        Some(channel) => {
            access::admit(&mut on, user, channel).await?;
            access::visible_to_all_in(&mut on, channel).await
        }
        None => access::visible_channels(&mut on, user).await,
    }
}

fn cite(n: u32, quote: &Quote<'_>, asker: UserId) -> Citation {
    let message = quote.message;
    Citation {
        n,
        message_id: message.id,
        channel_id: message.channel_id,
        channel_name: name_of(quote.channel, asker),
        seq: message.seq,
        sender: message.sender.clone(),
        created_at: message.created_at,
        quote: quote.text.to_owned(),
        url: format!("/channels/{}?seq={}", message.channel_id, message.seq),
    }
}

/// A conversation without a name is known by its people.
fn name_of(channel: &Channel, asker: UserId) -> String {
    if !channel.name.is_empty() {
        return channel.name.clone();
    }
    let people = channel.people.iter().flatten().filter(|person| person.id != asker);
    people.map(|person| person.username.as_str()).collect::<Vec<_>>().join(", ")
}

fn compose(citations: &[Citation]) -> String {
    let mut text = String::from("Found in your messages:");
    for citation in citations {
        // On one line, so that a quotation cannot pass for a paragraph of the assistant's own.
        let quote = citation.quote.split_whitespace().collect::<Vec<_>>().join(" ");
        // Writing to a String cannot fail.
        let _ = write!(text, "\n\n{quote} [{}]", citation.n);
    }
    text
}
