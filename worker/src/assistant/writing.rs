//! An answer in a model's words, sentence by sentence: each is held against the messages and the answers of tools that it cites
//! before it goes on, and what they do not say goes nowhere.

use std::collections::HashMap;
use std::fmt::Write as _;

use futures_util::StreamExt;
use serde_json::Value;
use tokio::time::{Duration, Instant, timeout_at};

use super::book::Book;
use super::borrowed::Borrowed;
use super::scope::Scope;
use super::sentences::{Sentence, Splitter};
use super::telling::{Teller, Told};
use super::tools::{self, Hand, Tool};
use super::verify::Evidence;
use super::{Desk, clean};
use crate::language_model::{Call, LanguageModel, ModelError, Piece, Prompt, Said, tokens_of};
use crate::services::Citation;

/// Until a model's first word; then the answer is made of quotations. Together they stay below ten seconds.
const FIRST_WORD: Duration = Duration::from_secs(7);
/// Between two pieces of an answer.
const PAUSE: Duration = Duration::from_secs(5);
/// For all of it.
const WHOLE: Duration = Duration::from_mins(1);
/// How often a model may ask for tools, and for how many at once.
const ROUNDS: usize = 2;
const CALLS: usize = 4;
/// Longest answer, in bytes; a model that goes on is stopped.
const LONGEST: usize = 12_000;

/// What came of it.
#[derive(Default)]
pub(super) struct Written {
    /// The sentences that its sources say.
    pub text: String,
    pub citations: Vec<Citation>,
    /// The sources of these, by their numbers in the book.
    pub cited: Vec<u32>,
    /// In tokens, as far as the model said; else as far as can be told.
    pub used: u64,
    /// It did not answer, or not to its end.
    pub has_failed: bool,
}

/// What an answer is written with.
pub(super) struct Writer<'a> {
    pub desk: &'a Desk,
    pub model: &'a dyn LanguageModel,
    pub scope: &'a Scope,
    pub question: &'a str,
    pub tell: &'a Teller,
    pub most_tokens: u32,
    /// Whether it may look for more.
    pub has_tools: bool,
}

impl Writer<'_> {
    /// Writes. `book` holds what `said` told, and what tools find; `borrowed` are those of plugins, and keeps what they
    /// propose.
    pub async fn write(&self, mut said: Vec<Said>, book: &mut Book, borrowed: &mut Borrowed) -> Written {
        let mut begun = Instant::now();
        let tools = if self.has_tools { tools::all() } else { Vec::new() };
        let mut page = Page::new(self);
        let mut used = 0;
        let mut has_failed = false;
        for round in 0..=ROUNDS {
            let may_ask = round < ROUNDS;
            let own = tools.iter().map(|tool| tool.offer());
            let offered = if may_ask { own.chain(borrowed.offers()).collect() } else { Vec::new() };
            let prompt = Prompt { said: said.clone(), tools: offered, most_tokens: self.most_tokens };
            let told = said.iter().map(tokens).sum::<u64>();
            let estimate = told + if may_ask { borrowed.tokens() } else { 0 };
            let turn = self.turn(prompt, begun, book, &mut page).await;
            used += turn.used.unwrap_or(estimate + tokens_of(&page.text));
            let calls = match turn.calls {
                Err(error) => {
                    tracing::warn!(%error, "the language model fails");
                    has_failed = true;
                    break;
                }
                Ok(calls) if calls.is_empty() || round == ROUNDS => break,
                Ok(calls) => calls,
            };
            let paused = Instant::now();
            self.answer_calls(calls, &tools, borrowed, &mut said, book).await;
            // Tools have bounds of their own; the model is not held to account for theirs.
            begun += paused.elapsed();
        }
        self.model.note(has_failed);
        let (text, cited) = (page.text.trim().to_owned(), page.cited);
        Written { text, citations: page.citations, cited, used, has_failed }
    }

    /// One answer of the model: text, or calls of tools.
    async fn turn(&self, prompt: Prompt, begun: Instant, book: &Book, page: &mut Page<'_>) -> Turn {
        let mut turn = Turn { calls: Ok(Vec::new()), used: None };
        let first_by = begun + FIRST_WORD;
        let mut pieces = match timeout_at(first_by, self.model.answer(prompt)).await {
            Ok(Ok(pieces)) => pieces,
            Ok(Err(error)) => return turn.failed(error),
            Err(_) => return turn.failed(ModelError("no answer in time".into())),
        };
        let mut splitter = Splitter::default();
        let mut has_begun = !page.text.is_empty();
        let mut length = 0;
        let error = loop {
            let by = if has_begun { (Instant::now() + PAUSE).min(begun + WHOLE) } else { first_by };
            match timeout_at(by, pieces.next()).await {
                Ok(Some(Ok(Piece::Text(text)))) => {
                    has_begun = true;
                    length += text.len();
                    for sentence in splitter.take(&text) {
                        page.take(sentence, book).await;
                    }
                    if length > LONGEST {
                        break None;
                    }
                }
                Ok(Some(Ok(Piece::Calls(calls)))) => turn.calls = Ok(calls),
                Ok(Some(Ok(Piece::Used(prompt, answer)))) => {
                    turn.used = Some(prompt.saturating_add(answer).min(10_000_000));
                }
                Ok(Some(Err(error))) => break Some(error),
                Ok(None) => break None,
                Err(_) => break Some(ModelError("it stopped in the middle".into())),
            }
        };
        let last = if error.is_some() { splitter.broken_off() } else { splitter.end() };
        if let Some(sentence) = last {
            page.take(sentence, book).await;
        }
        match error {
            Some(error) => turn.failed(error),
            None => turn,
        }
    }

    /// Runs what was asked for, as far as there is such a tool and it changes nothing.
    async fn answer_calls(
        &self,
        mut calls: Vec<Call>,
        tools: &[Box<dyn Tool>],
        borrowed: &mut Borrowed,
        said: &mut Vec<Said>,
        book: &mut Book,
    ) {
        calls.truncate(CALLS);
        said.push(Said::Calls(calls.clone()));
        for call in calls {
            let content = match borrowed.answer(self.desk, self.scope, &call, book).await {
                Some(content) => content,
                None => self.answer_call(&call, tools, book).await,
            };
            said.push(Said::Tool { id: call.id, content });
        }
    }

    async fn answer_call(&self, call: &Call, tools: &[Box<dyn Tool>], book: &mut Book) -> String {
        let Some(tool) = tools.iter().find(|tool| tool.offer().name == call.name) else {
            return "there is no such tool".into();
        };
        let arguments: Value = serde_json::from_str(&call.arguments).unwrap_or(Value::Null);
        let hand = Hand { desk: self.desk, scope: self.scope, book };
        match tool.call(hand, arguments).await {
            Ok(windows) if windows.is_empty() => "nothing found".into(),
            Ok(windows) => windows.iter().map(|window| book.add(window)).collect(),
            Err(fault) => {
                tracing::debug!(%fault, tool = call.name, "a tool of the assistant failed");
                "the tool failed".into()
            }
        }
    }
}

fn tokens(said: &Said) -> u64 {
    match said {
        Said::Rules(text) | Said::Person(text) | Said::Model(text) => tokens_of(text),
        Said::Tool { content, .. } => tokens_of(content),
        Said::Calls(calls) => calls.iter().map(|call| tokens_of(&call.arguments)).sum(),
    }
}

struct Turn {
    calls: Result<Vec<Call>, ModelError>,
    used: Option<u64>,
}

impl Turn {
    fn failed(mut self, error: ModelError) -> Self {
        self.calls = Err(error);
        self
    }
}

/// The answer as far as it is written.
struct Page<'a> {
    of: &'a Writer<'a>,
    text: String,
    citations: Vec<Citation>,
    /// Their numbers in the book.
    cited: Vec<u32>,
    /// From the numbers of the book to those of the answer.
    numbers: HashMap<u32, u32>,
    /// Sentences of this line without sources of their own: those of the next one may be theirs too.
    waiting: Vec<Sentence>,
}

impl<'a> Page<'a> {
    fn new(of: &'a Writer<'a>) -> Self {
        Self {
            of,
            text: String::new(),
            citations: Vec::new(),
            cited: Vec::new(),
            numbers: HashMap::new(),
            waiting: Vec::new(),
        }
    }

    async fn take(&mut self, sentence: Sentence, book: &Book) {
        if sentence.cited.is_empty() {
            let ends_line = sentence.ends_line;
            self.waiting.push(sentence);
            if ends_line {
                self.waiting.clear();
            }
            return;
        }
        let (cited, ends_line) = (sentence.cited.clone(), sentence.ends_line);
        let mut together = std::mem::take(&mut self.waiting);
        together.push(sentence);
        let before = self.text.len();
        for sentence in together {
            self.look_through(&sentence.text, &cited, book).await;
        }
        if self.text.len() > before {
            self.text.push(if ends_line { '\n' } else { ' ' });
            self.of.tell.say(Told::Text { text: self.text[before..].to_owned() }).await;
        }
    }

    /// Writes a sentence down if its sources say it.
    async fn look_through(&mut self, sentence: &str, cited: &[u32], book: &Book) {
        let known: Vec<(u32, _)> =
            cited.iter().filter_map(|number| Some((*number, book.get(*number)?))).collect();
        let contents: Vec<&str> = known.iter().map(|(_, source)| source.text()).collect();
        let sentence = clean::written(sentence, &contents);
        if sentence.is_empty() {
            return;
        }
        let evidence: Vec<Evidence<'_>> = known
            .iter()
            .map(|(_, source)| Evidence { text: source.text(), heading: book.heading_of(source) })
            .collect();
        let supporting = self.of.desk.verifier.supporting(&sentence, self.of.question, &evidence);
        if supporting.is_empty() {
            return;
        }
        let mut marks = String::new();
        for at in supporting {
            let (number, source) = known[at];
            let next = self.citations.len() as u32 + 1;
            let n = self.numbers.get(&number).copied().unwrap_or(next);
            if n == next {
                let quote = self.of.desk.verifier.quote(&sentence, source.text());
                let Some(citation) = book.cite(n, source, quote) else { continue };
                self.numbers.insert(number, n);
                self.citations.push(citation.clone());
                self.cited.push(number);
                self.of.tell.say(Told::Citation(citation)).await;
            }
            // Writing to a String cannot fail.
            let _ = write!(marks, "[{n}]");
        }
        if !self.text.is_empty() && !self.text.ends_with(['\n', ' ']) {
            self.text.push(' ');
        }
        self.text.push_str(&sentence);
        self.text.push(' ');
        self.text.push_str(&marks);
    }
}
