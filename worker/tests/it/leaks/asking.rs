//! The ways to ask, and what is looked for in each answer.

use std::ops::AddAssign;
use std::time::{Duration, Instant};

use confab_core::Fault;
use confab_protocol::UserId;
use confab_worker::search::{Mode, Order};
use confab_worker::services::{
    self, Answer, Context, ContextAnswer, Question, Search, SearchAnswer, Summarize,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::storm::Storm;
use super::truth::{Shown, holds};

const FILTERS: [&str; 8] = [
    "is:pinned",
    "is:bookmarked",
    "is:thread",
    "from:owner",
    "in:room-1",
    "in:room-0",
    "during:today",
    "mentions:me",
];
/// Pages that are turned.
const PAGES: usize = 3;

/// What was asked and found: a run that finds nothing proves nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub searches: u64,
    pub hits: u64,
    pub answers: u64,
    pub marks: u64,
    pub prompts: u64,
    pub marks_in_prompts: u64,
}

impl Tally {
    /// Questions in all.
    pub fn asked(&self) -> u64 {
        self.searches + self.answers
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.searches += other.searches;
        self.hits += other.hits;
        self.answers += other.answers;
        self.marks += other.marks;
        self.prompts += other.prompts;
        self.marks_in_prompts += other.marks_in_prompts;
    }
}

impl Storm {
    /// Somebody asks; the fault, where something was shown that must not be.
    pub async fn ask(&mut self, tally: &mut Tally) -> Result<(), String> {
        let user = self.someone();
        match self.dice.below(20) {
            0..12 => self.search(user, tally).await,
            12..14 => self.context(user, tally).await,
            14..18 => self.question(user, tally).await,
            _ => self.summary(user, tally).await,
        }
    }

    /// A mark that was written at some time, wherever; often it is hidden or gone.
    fn some_mark(&mut self) -> Option<String> {
        let count = self.truth.marks().len();
        (count > 0).then(|| self.dice.below(count)).map(|at| self.truth.marks()[at].clone())
    }

    async fn search(&mut self, user: UserId, tally: &mut Tally) -> Result<(), String> {
        tally.searches += 1;
        let mark = if self.dice.below(5) == 0 { self.some_mark() } else { None };
        if let Some(mark) = mark {
            return self.search_mark(user, &mark, tally).await;
        }
        let mode = [Mode::Keyword, Mode::Semantic, Mode::Hybrid, Mode::Hybrid][self.dice.below(4)];
        let count = 2 + self.dice.below(3);
        let words = self.dice.words(count);
        let mut q = if self.dice.below(2) == 0 { format!("how do I {words}?") } else { words };
        if self.dice.below(3) == 0 {
            q = format!("{q} {}", FILTERS[self.dice.below(FILTERS.len())]);
        }
        let mut cursor = None;
        for _ in 0..PAGES {
            let limit = 5 + self.dice.below(20) as u32;
            let page = self.page(user, &q, mode, limit, cursor).await?;
            tally.hits += page.items.len() as u64;
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// What holds a mark is the message where it stands, or nothing at all, not even a further page.
    async fn search_mark(&mut self, user: UserId, mark: &str, tally: &mut Tally) -> Result<(), String> {
        // A phrase: part of a mark is part of others too.
        let page = self.page(user, &format!("\"{mark}\""), Mode::Keyword, 5, None).await?;
        let owner = self.truth.owner(mark);
        let found: Vec<_> = page.items.iter().map(|hit| hit.message.id).collect();
        tally.hits += found.len() as u64;
        // Until the index knows of an edit, the message is found by what it said before, and shown as it is.
        holds(found.iter().all(|id| Some(*id) == owner), || format!("{mark} found {found:?}"))?;
        holds(page.next_cursor.is_none(), || format!("{mark} has more pages"))
    }

    async fn page(
        &self,
        user_id: UserId,
        q: &str,
        mode: Mode,
        limit: u32,
        cursor: Option<String>,
    ) -> Result<SearchAnswer, String> {
        let asked = Search {
            user_id,
            q: q.into(),
            limit,
            cursor,
            mode: Some(mode),
            order: Order::default(),
            reach: None,
        };
        let page: SearchAnswer =
            self.answered(services::SEARCH, &asked).await.map_err(|fault| format!("{q}: {fault}"))?;
        for hit in &page.items {
            self.truth.check(user_id, hit)?;
        }
        self.scan(&page, Shown { readers: &[user_id], is_of_assistant: false, question: q })?;
        Ok(page)
    }

    /// A machine that is too busy to answer gives nothing away, and is asked again.
    async fn answered<Q: Serialize + Sync, A: DeserializeOwned>(
        &self,
        service: &'static str,
        asked: &Q,
    ) -> Result<A, Fault> {
        let started = Instant::now();
        loop {
            match self.world.bus.ask(service, asked).await {
                Err(fault) if fault.is_retryable() && started.elapsed() < Duration::from_mins(1) => {}
                answer => return answer,
            }
        }
    }

    async fn context(&mut self, user_id: UserId, tally: &mut Tally) -> Result<(), String> {
        tally.answers += 1;
        let query = self.dice.words(3);
        let asked = Context { user_id, query: query.clone(), limit: 5, channel_id: None };
        let found: ContextAnswer =
            self.answered(services::CONTEXT, &asked).await.map_err(|fault| fault.to_string())?;
        let shown = Shown { readers: &[user_id], is_of_assistant: true, question: &query };
        tally.marks += self.scan(&found, shown)?;
        let texts = found.items.iter().flat_map(|passage| &passage.messages);
        for message in texts {
            let is_so = self.truth.said.get(&message.id).is_some_and(|said| said.text == message.content);
            holds(is_so, || format!("{:?} is not what is said there", message.content))?;
        }
        Ok(())
    }

    async fn question(&mut self, user_id: UserId, tally: &mut Tally) -> Result<(), String> {
        tally.answers += 1;
        // One that only some may read, so that the answer is for others than the asker.
        let channel = self.somewhere();
        let is_for_all = self.dice.below(3) == 0
            && self.truth.may_read(user_id, channel)
            && !self.truth.silent.contains(&channel);
        let channel_id = is_for_all.then_some(channel);
        let readers = if is_for_all { self.truth.readers(channel) } else { vec![user_id] };
        let mark = if self.dice.below(4) == 0 { self.some_mark() } else { None };
        let words = self.dice.words(3);
        let content = format!("what is known about {words} {}?", mark.unwrap_or_default());
        if self.dice.below(3) == 0
            && let Some(mark) = self.some_mark()
            && let Some(model) = &self.model
        {
            // Named by the model and by nobody who asks: whoever reads the answer may not learn whether it exists.
            model.wishes(&format!("{words} {mark}"));
        }
        // What a model wished for it may say again.
        let asked = Question {
            user_id,
            content: content.clone(),
            channel_id,
            conversation_id: None,
            session_id: None,
            is_unkept: false,
        };
        let first: Answer =
            self.answered(services::ANSWER, &asked).await.map_err(|fault| fault.to_string())?;
        let shown = Shown { readers: &readers, is_of_assistant: true, question: &content };
        tally.marks += self.scan(&first, shown)?;
        self.prompts(shown, tally)?;
        if self.dice.below(3) == 0
            && !is_for_all
            && let Some(conversation) = first.conversation_id
        {
            return self.goes_on(user_id, conversation, &content, tally).await;
        }
        Ok(())
    }

    /// Something happens, then the conversation goes on: what was answered before is not told to a model any more.
    async fn goes_on(
        &mut self,
        user_id: UserId,
        id: Uuid,
        before: &str,
        tally: &mut Tally,
    ) -> Result<(), String> {
        self.happens().await;
        let words = self.dice.words(2);
        let content = format!("and also {words}?");
        let asked = Question {
            user_id,
            content: content.clone(),
            channel_id: None,
            conversation_id: Some(id),
            session_id: None,
            is_unkept: false,
        };
        let next: Answer =
            self.answered(services::ANSWER, &asked).await.map_err(|fault| fault.to_string())?;
        let question = format!("{before} {content}");
        let shown = Shown { readers: &[user_id], is_of_assistant: true, question: &question };
        tally.marks += self.scan(&next, shown)?;
        self.prompts(shown, tally)
    }

    async fn summary(&mut self, user_id: UserId, tally: &mut Tally) -> Result<(), String> {
        tally.answers += 1;
        let channel = self.somewhere();
        let channel_id = (self.dice.below(3) > 0).then_some(channel);
        let asked = Summarize {
            user_id,
            channel_id,
            message_id: None,
            is_unread: self.dice.below(2) == 0,
            since: None,
            until: None,
            conversation_id: None,
            is_unkept: false,
        };
        let mut told = self
            .world
            .bus
            .ask_for_pieces(services::SUMMARIZE, &asked)
            .await
            .map_err(|fault| fault.to_string())?;
        let shown = Shown { readers: &[user_id], is_of_assistant: true, question: "" };
        let may =
            channel_id.is_none_or(|id| self.truth.may_read(user_id, id) && !self.truth.silent.contains(&id));
        while let Some(piece) = told.next().await {
            match piece {
                Ok(piece) => tally.marks += self.truth.scan(&piece.to_string(), shown)?,
                // Not theirs, switched off, or nothing to sum up.
                Err(fault) => {
                    holds(!may || !fault.is_retryable(), || format!("a summary failed: {fault}"))?;
                    break;
                }
            }
        }
        self.prompts(shown, tally)
    }

    fn scan(&self, answer: &impl Serialize, shown: Shown<'_>) -> Result<u64, String> {
        self.truth.scan(&serde_json::to_string(answer).unwrap(), shown)
    }

    /// What the model heard meanwhile.
    fn prompts(&self, shown: Shown<'_>, tally: &mut Tally) -> Result<(), String> {
        let Some(model) = &self.model else { return Ok(()) };
        for prompt in model.heard() {
            // A wish of its own comes back to it as what it said.
            let prompt: serde_json::Value = serde_json::from_str(&prompt).unwrap_or_default();
            let said = prompt["messages"].as_array().cloned().unwrap_or_default();
            let told = said.iter().filter(|it| it["tool_calls"].is_null());
            tally.prompts += 1;
            for message in told {
                tally.marks_in_prompts += self.truth.scan(&message.to_string(), shown)?;
            }
        }
        Ok(())
    }
}
