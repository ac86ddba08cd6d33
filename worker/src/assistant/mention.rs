//! Answering in a channel: whoever mentions the assistant is answered in the thread, once, with what everyone there may read.
//!
//! It follows the log with a place of its own, so of several workers one answers, and after a crash another. An answer is
//! posted under the id of the mention: a second try finds it there and makes none.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use confab_core::messages::{self, Draft};
use confab_core::{Bus, Fault, FutureExt, Result, access, assistant, members, users};
use confab_protocol::{ChannelId, ChannelKind, Event, EventKind, Message, MessageId, UserId};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::scope::Scope;
use super::{CHARACTERS, Desk, Teller};
use crate::consumer::{Consumer, Handler};
use crate::services::{Citation, Question};

/// The name of its place in the log.
const NAME: &str = "assistant";
/// A mention that was this much older than the event that announces it was imported: its time for an answer is over.
const HISTORY: Duration = Duration::from_mins(5);
/// Why it is told of a message.
const MENTION: &str = "mention";
const DIRECT: &str = "direct_message";
/// Of a quotation in the list of sources, in characters.
const QUOTED: usize = 160;
/// Sources that a post lists.
const SOURCES: usize = 8;

/// Makes its account and follows the log until `stop`.
///
/// # Errors
/// Those of the record.
pub(crate) async fn start(
    desk: &Desk,
    bus: &Bus,
    tasks: &TaskTracker,
    stop: CancellationToken,
) -> Result<()> {
    let account = desk.db.write(|tx| async move { assistant::make_account(tx).await }.boxed()).await?;
    let consumer = Consumer {
        attempts: 3,
        backoff: [2, 20].map(Duration::from_secs).to_vec(),
        deadline: Duration::from_secs(90),
        // A person waits when a process died and another takes over.
        lease: Duration::from_secs(15),
        ..Consumer::new(NAME)
    };
    let handler = Arc::new(Mentions { desk: desk.clone(), account });
    tasks.spawn(consumer.run(desk.db.clone(), bus.clone(), handler, stop));
    Ok(())
}

struct Mentions {
    desk: Desk,
    account: UserId,
}

impl Handler for Mentions {
    async fn handle(&self, event: &Event, _: u32) -> Result<()> {
        // Whoever is mentioned is told of it, bots too: so only these events are looked at, and no message is read in vain.
        let is_for_it = event.kind == EventKind::Notification && event.user_id == Some(self.account);
        let Some(channel) = event.channel_id.filter(|_| is_for_it) else { return Ok(()) };
        let mut detail = event.detail.as_deref().unwrap_or_default().split(' ');
        let (kind, id) =
            (detail.next().unwrap_or_default(), detail.next().and_then(|id| id.parse::<MessageId>().ok()));
        let Some(id) = id.filter(|_| matches!(kind, MENTION | DIRECT)) else { return Ok(()) };
        let found = messages::shown(&self.desk.db, &[id]).await?.remove(&id);
        let Some(message) = found.filter(|it| is_asked(it, event)) else { return Ok(()) };
        // `@channel` tells it too, and is no question to it.
        if kind == MENTION && !message.mentions.contains(&self.account) {
            return Ok(());
        }
        if kind == DIRECT && !self.is_between_two(channel).await? {
            return Ok(());
        }
        match self.answer(&message, channel, kind == DIRECT).await {
            // Removed, archived, switched off: nothing that another try could mend.
            Err(fault) if !fault.is_retryable() => {
                tracing::info!(%fault, message = %message.id, "a mention of the assistant is not answered");
                Ok(())
            }
            other => other,
        }
    }
}

impl Mentions {
    /// What somebody writes to it alone is for it, with or without its name.
    async fn is_between_two(&self, channel: ChannelId) -> Result<bool> {
        match access::admit(&mut self.desk.db.read(), self.account, channel).await {
            Ok(admitted) => Ok(admitted.kind() == ChannelKind::Direct),
            Err(Fault::NotFound(_)) => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    async fn answer(&self, message: &Message, channel: ChannelId, is_direct: bool) -> Result<()> {
        let scope = Scope::of(&self.desk.db, message.sender_id, Some(channel)).await?;
        if !scope.channels.contains(&channel) {
            return Err(Fault::forbidden("assistant_off", "the assistant is off in this channel"));
        }
        self.be_there(channel).await?;
        let nonce = format!("assistant:{}", message.id);
        // A try before this one may have posted it: no model is asked twice for the same.
        if messages::by_nonce(&mut self.desk.db.read(), self.account, channel, &nonce).await?.is_some() {
            return Ok(());
        }
        let question = self.question(&scope, message).await?;
        crate::interest::asked(&self.desk.db, &self.desk.index).await;
        let asked = Question {
            user_id: message.sender_id,
            content: question,
            channel_id: Some(channel),
            conversation_id: None,
            // What a channel asks for changes nothing: there, nobody's yes is everybody's.
            session_id: None,
            is_unkept: true,
        };
        let answer = super::made(&self.desk, &scope, &asked, &Teller::default()).await?;
        let content = as_post(&answer.answer, &answer.citations, self.desk.public_url.as_deref());
        let parent_id = message.parent_id.or((!is_direct).then_some(message.id));
        let draft = Draft { content, nonce: Some(nonce), parent_id, ..Draft::default() };
        let bot = self.account;
        let posted = self.desk.db.write(move |tx| messages::post(tx, bot, channel, draft).boxed()).await;
        match posted {
            // Another process was faster, with other words.
            Err(Fault::Conflict { code: "nonce_reused", .. }) => Ok(()),
            other => other.map(drop),
        }
    }

    /// In an open channel it comes when it is called; into others somebody brings it.
    async fn be_there(&self, channel: ChannelId) -> Result<()> {
        let bot = self.account;
        self.desk.db.write(move |tx| async move { members::join(tx, bot, channel).await }.boxed()).await
    }

    /// What is asked: the message without the mention, and where that is all, what it answers.
    async fn question(&self, scope: &Scope, message: &Message) -> Result<String> {
        let names = users::refs(&mut self.desk.db.read(), &[self.account]).await?;
        let name = names.first().map_or(assistant::NAME, |it| it.username.as_str());
        let mut question = without_mention(&message.content, name);
        if question.is_empty()
            && let Some(root) = message.parent_id
        {
            let root = messages::shown(&self.desk.db, &[root]).await?.remove(&root);
            // What is told to a model is held against who wants none of that, also where it is no source.
            let root = root.filter(|it| scope.may_use(it));
            question = root.map(|it| it.content.clone()).unwrap_or_default();
        }
        if question.trim().is_empty() {
            return Err(Fault::invalid("content", "asks nothing"));
        }
        Ok(question.chars().take(CHARACTERS).collect())
    }
}

/// An answer as a message: its sentences, then where they come from, with links where the public address is known. Nothing
/// in it is markup or calls anybody.
pub(crate) fn as_post(answer: &str, citations: &[Citation], public_url: Option<&str>) -> String {
    let mut text = escaped(answer);
    for citation in citations.iter().take(SOURCES) {
        let (n, quote) = citation.mark();
        let quote: String = quote.split_whitespace().collect::<Vec<_>>().join(" ");
        let short: String = quote.chars().take(QUOTED).collect();
        let more = if short.len() < quote.len() { "…" } else { "" };
        // Writing to a String cannot fail.
        let _ = write!(text, "\n> \\[{n}\\] {}: {}{more}", origin_of(citation, public_url), escaped(&short));
        if n == 1 {
            let at = text.rfind("\n> ").unwrap_or(text.len());
            text.insert(at, '\n');
        }
    }
    text
}

/// Who said what is cited, where and when.
fn origin_of(citation: &Citation, public_url: Option<&str>) -> String {
    let citation = match citation {
        Citation::Message(citation) => citation,
        Citation::Tool(citation) => {
            return format!("**{}**, {}", escaped(&citation.plugin), escaped(&citation.tool));
        }
    };
    let at: String = citation.created_at.to_string().chars().take(10).collect();
    let place = match public_url {
        Some(url) => format!("[{at}]({url}{})", citation.url),
        None => at,
    };
    let (sender, channel) = (escaped(&citation.sender.username), escaped(&citation.channel_name));
    format!("**{sender}** in {channel}, {place}")
}

/// By a person, just now, and still there. Bots start no bot, or two could go on for ever.
fn is_asked(message: &Message, event: &Event) -> bool {
    message.deleted_at.is_none()
        && !message.is_bot
        && !message.sender.is_bot
        && message.created_at.plus(HISTORY) >= event.created_at
}

/// The text without `@name`, wherever it stands.
fn without_mention(content: &str, name: &str) -> String {
    let mention = format!("@{}", name.to_lowercase());
    let mut words = Vec::new();
    for word in content.split_whitespace() {
        let is_it = word.to_lowercase().strip_prefix(&mention).is_some_and(|rest| {
            rest.chars().all(|letter| matches!(letter, ',' | ':' | '.' | '!' | '?' | ';'))
        });
        if !is_it {
            words.push(word);
        }
    }
    words.join(" ")
}

/// Words in which nothing is markup, calls anybody or leads anywhere.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for letter in text.chars() {
        match letter {
            // One with a backslash still calls people.
            '@' => out.push('＠'),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '!' | '&' => {
                out.push('\\');
                out.push(letter);
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mention_is_no_part_of_the_question() {
        assert_eq!(without_mention("@Assistant, when  does it open?", "assistant"), "when does it open?");
        assert_eq!(without_mention("hey @assistant: ping @assistants", "assistant"), "hey ping @assistants");
        assert_eq!(without_mention("@assistant", "assistant"), "");
    }

    #[test]
    fn nothing_in_an_answer_is_markup() {
        assert_eq!(escaped("[x](y) @channel <b> a_b"), "\\[x\\](y) ＠channel \\<b\\> a\\_b");
    }
}
