//! Who writes answers, and what becomes of them: the model that there is, what it may use, and where answers are kept.

use std::collections::HashSet;
use std::sync::Arc;

use confab_core::assistant::usage::{self, Budget, Exhausted};
use confab_core::conversations::confirmations::{self, Confirmation, Proposal};
use confab_core::conversations::{self, Source, Turn};
use confab_core::{Bus, Db, FutureExt, Result, Settings, messages, users};
use confab_protocol::{Message, MessageId, SessionId, Timestamp, UserId};
use uuid::Uuid;

use super::book::Book;
use super::borrowed::Borrowed;
use super::passages::Window;
use super::prompt::{self, Task};
use super::scope::Scope;
use super::telling::{Extent, Step, Teller};
use super::verify::Verifier;
use super::writing::Writer;
use crate::embedding::Table;
use crate::index::Index;
use crate::language_model::{self, LanguageModel, Said, tokens_of};
use crate::meaning::Meaning;
use crate::services::{Answer, Citation};

/// Longest answer of a model, in tokens.
const ANSWER_TOKENS: u32 = 700;

/// Messages that are read again at once.
const READ_AT_ONCE: usize = 200;
/// What is said where a model did nothing but propose.
const PROPOSED: &str = "This is done once you confirm it.";

/// What answers are made with. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Desk {
    pub db: Db,
    /// By which plugins are asked, wherever they run.
    pub bus: Bus,
    pub index: Index,
    pub meaning: Meaning,
    /// `None`: answers are quotations.
    model: Option<Arc<dyn LanguageModel>>,
    budget: Budget,
    pub(super) verifier: Verifier,
    pub(super) public_url: Option<String>,
}

impl Desk {
    /// With the model that the settings name.
    ///
    /// # Errors
    /// [`confab_core::Fault::Invalid`] in `llm_base_url`.
    pub fn new(db: &Db, bus: &Bus, index: &Index, meaning: &Meaning, settings: &Settings) -> Result<Self> {
        let budget = settings
            .language_model
            .as_ref()
            .map_or((0, 0), |it| (it.daily_tokens_of_person, it.daily_tokens));
        Ok(Self {
            db: db.clone(),
            bus: bus.clone(),
            index: index.clone(),
            meaning: meaning.clone(),
            model: language_model::of(settings)?,
            budget: Budget { of_person: budget.0, of_server: budget.1 },
            verifier: Verifier { analysis: index.analysis().clone(), table: Table::built_in()? },
            public_url: settings.public_url.clone(),
        })
    }
}

/// What an answer is to be, and for whom.
pub(super) struct Job<'a> {
    pub scope: &'a Scope,
    pub task: Task,
    pub question: &'a str,
    pub before: &'a [Turn],
    pub windows: &'a [Window],
    pub most_tokens: u64,
    /// Whether the asker can be asked for a yes.
    pub may_propose: bool,
}

/// What was made.
#[derive(Default)]
pub(super) struct Made {
    pub answer: String,
    pub citations: Vec<Citation>,
    pub model: String,
    pub fallback: Option<&'static str>,
    pub sources: Vec<Source>,
    /// What would change something.
    pub proposals: Vec<Proposal>,
}

/// Whose answer is kept, and where.
pub(super) struct Kept {
    pub user: UserId,
    /// Which session may say yes to what it proposes.
    pub session: Option<SessionId>,
    /// The one that it continues.
    pub conversation: Option<Uuid>,
}

impl Made {
    /// As it is told to whoever asked: with the conversation and the place where it is kept, if it is. `confirmations` wait for
    /// their yes.
    pub(super) fn told(self, kept_as: Option<(Uuid, i64)>, confirmations: Vec<Confirmation>) -> Answer {
        let (conversation_id, number) = kept_as.map_or((None, 0), |(id, number)| (Some(id), number));
        let Self { answer, citations, model, fallback, .. } = self;
        let supported = !citations.is_empty();
        let fallback = fallback.map(str::to_owned);
        Answer { answer, citations, model, fallback, conversation_id, number, supported, confirmations }
    }
}

impl Desk {
    /// Has the model write. The inner error: it did not, for a reason that the asker is told, if there is a model at all.
    pub(super) async fn write(
        &self,
        job: &Job<'_>,
        tell: &Teller,
    ) -> Result<Result<Made, Option<&'static str>>> {
        let Some(model) = &self.model else {
            tell.step(Step::Answering, Extent::default()).await;
            return Ok(Err(None));
        };
        let mut book = Book::new(job.scope.asker, job.most_tokens);
        let data: String = job.windows.iter().map(|window| book.add(window)).collect();
        tell.step(Step::Answering, Extent::default()).await;
        let mut borrowed = match job.task {
            Task::Answer => Borrowed::of(self, job.scope, job.may_propose).await,
            Task::Summarize => Borrowed::default(),
        };
        if book.is_empty() && borrowed.is_empty() {
            return Ok(Err(None));
        }
        let names = users::refs(&mut self.db.read(), &[job.scope.asker]).await?;
        let today: String = Timestamp::now().to_string().chars().take(10).collect();
        let said = prompt::prompt(&prompt::Asked {
            task: job.task,
            asker: names.first().map_or("somebody", |name| name.username.as_str()),
            question: job.question,
            before: job.before,
            data: &data,
            today: &today,
        });
        let told = said.iter().map(said_tokens).sum::<u64>() + borrowed.tokens();
        let estimate = told + u64::from(ANSWER_TOKENS);
        if let Some(exhausted) = self.reserve(job.scope.asker, estimate).await? {
            return Ok(Err(Some(match exhausted {
                Exhausted::Person => "budget_of_person",
                Exhausted::Server => "budget_of_server",
            })));
        }
        let writer = Writer {
            desk: self,
            model: model.as_ref(),
            scope: job.scope,
            question: job.question,
            tell,
            most_tokens: ANSWER_TOKENS,
            has_tools: job.task == Task::Answer,
        };
        let written = writer.write(said, &mut book, &mut borrowed).await;
        self.settle(job.scope.asker, estimate, written.used).await?;
        let (model, proposals) = (model.name().to_owned(), borrowed.proposals);
        if written.citations.is_empty() {
            let reason = if written.has_failed { "model_unavailable" } else { "unsupported" };
            return Ok(if proposals.is_empty() {
                Err(Some(reason))
            } else {
                Ok(Made { answer: PROPOSED.into(), model, proposals, ..Made::default() })
            });
        }
        // Written over many seconds: what was deleted, changed or closed to the asker meanwhile is in no answer.
        let sources = written.cited.iter().filter_map(|number| book.get(*number));
        let sources: Vec<Source> = sources.flat_map(super::book::Source::rests_on).collect();
        let unchanged = self.unchanged(job.scope, &sources).await?;
        if !sources.iter().all(|(id, _)| unchanged.contains(id)) {
            return Ok(Err(Some("changed_meanwhile")));
        }
        Ok(Ok(Made {
            answer: written.text,
            citations: written.citations,
            model,
            fallback: written.has_failed.then_some("cut_short"),
            sources,
            proposals,
        }))
    }

    async fn reserve(&self, user: UserId, tokens: u64) -> Result<Option<Exhausted>> {
        let (budget, tokens) = (self.budget, tokens as i64);
        self.db.write(move |tx| async move { usage::take(tx, user, tokens, budget).await }.boxed()).await
    }

    async fn settle(&self, user: UserId, estimate: u64, spent: u64) -> Result<()> {
        let difference = spent as i64 - estimate as i64;
        self.db.write(move |tx| async move { usage::correct(tx, user, difference).await }.boxed()).await
    }

    /// What of some conversations stands as it was, where all who read the answer may still read it. Quotations that are made when
    /// a model failed are made many seconds after these were read.
    pub(super) async fn standing(&self, scope: &Scope, mut windows: Vec<Window>) -> Result<Vec<Window>> {
        let all = windows.iter().flat_map(|window| &window.messages);
        let all: Vec<Source> = all.map(|message| (message.id, message.version)).collect();
        let there = self.unchanged(scope, &all).await?;
        for window in &mut windows {
            window.messages.retain(|message| there.contains(&message.id));
        }
        windows.retain(|window| !window.messages.is_empty());
        Ok(windows)
    }

    /// Which of these stand as they were, where all who read the answer may still read them.
    async fn unchanged(&self, scope: &Scope, sources: &[Source]) -> Result<HashSet<MessageId>> {
        let now = Scope::of(&self.db, scope.asker, scope.seen_in).await?.within(&scope.channels);
        let mut unchanged = HashSet::new();
        for part in sources.chunks(READ_AT_ONCE) {
            let ids: Vec<MessageId> = part.iter().map(|(id, _)| *id).collect();
            let there = messages::readable(&mut self.db.read(), &now.channels, &ids).await?;
            let is_same = |it: &&Message| now.may_use(it) && part.contains(&(it.id, it.version));
            unchanged.extend(there.iter().filter(is_same).map(|it| it.id));
        }
        Ok(unchanged)
    }

    /// Keeps a question and its answer, and what the answer proposes for whoever may say yes to it.
    pub(super) async fn keep(&self, kept: Kept, question: &str, made: Made) -> Result<Answer> {
        let (question, said) = (question.to_owned(), made.answer.clone());
        let (sources, proposals) = (made.sources.clone(), made.proposals.clone());
        let Kept { user, session, conversation } = kept;
        let (kept_as, confirmations) = self
            .db
            .write(move |tx| {
                async move {
                    let kept = conversations::add(tx, user, conversation, &question, &said, &sources).await?;
                    let waiting = match session {
                        Some(session) => confirmations::add(tx, kept.0, session, proposals).await?,
                        None => Vec::new(),
                    };
                    Ok((kept, waiting))
                }
                .boxed()
            })
            .await?;
        Ok(made.told(Some(kept_as), confirmations))
    }
}

fn said_tokens(said: &Said) -> u64 {
    match said {
        Said::Rules(text) | Said::Person(text) | Said::Model(text) => tokens_of(text),
        Said::Calls(_) | Said::Tool { .. } => 0,
    }
}
