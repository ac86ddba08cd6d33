//! A conversation's messages: read by one thread, translated here, stored some hundred at a time in order.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use confab_core::imports::{self, NewReaction};
use confab_core::messages::{self, NewMessage};
use confab_core::{Db, Fault, FutureExt as _, Result};
use confab_protocol::{MENTIONS, MessageId, UserId};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::content::{self, Written};
use super::places::Place;
use super::reactions::Reactions;
use super::reading;
use super::report::Report;
use super::shapes::{Moment, SlackMessage};
use super::survey::Root;
use super::{SOURCE, Shared};

/// What a message is called in the table of imported things; its external id is `CHANNEL/ts`.
const KIND: &str = "message";
/// Batches read ahead of the one that is stored.
const AHEAD: usize = 2;
/// Replies that may wait for a thread that begins later in the export. Slack writes none such.
const WAITING: usize = 10_000;

/// Brings in what is not here yet, and answers what that was.
pub(super) async fn bring(shared: &Shared, place: &Place) -> Result<Report> {
    let (to, mut batches) = mpsc::channel(AHEAD);
    let (archive, days, size) = (shared.archive.clone(), place.conversation.days.clone(), shared.batch);
    let reading = tokio::task::spawn_blocking(move || reading::days(&archive, &days, size, &to));
    let mut history = History::new(shared, place);
    history.find_earlier_threads().await?;
    while let Some(batch) = batches.recv().await {
        let count = batch.len() as u64;
        history.bring(batch).await?;
        shared.progress.add(count);
    }
    let removed = reading.await.map_err(Fault::internal)??;
    history.bring_waiting().await?;
    history.tally.messages.characters_removed += removed;
    history.count_threads();
    Ok(history.tally)
}

/// A message with its place in the export.
struct Found {
    external: String,
    moment: Moment,
    /// The first message of the thread that it answers.
    answers: Option<Moment>,
    message: SlackMessage,
    is_same_time: bool,
}

/// Where a thread begins.
#[derive(Clone, Copy)]
enum Thread {
    /// Later in this export.
    Expected,
    /// Nowhere.
    Missing,
    /// Here.
    At { root: MessageId, is_new: bool },
}

struct History<'a> {
    shared: &'a Shared,
    place: &'a Place,
    tally: Report,
    threads: HashMap<Moment, Thread>,
    /// Times seen, and how often those that were seen more than once.
    seen: HashSet<Moment>,
    repeated: HashMap<Moment, u32>,
    waiting: Vec<Found>,
    /// First messages of threads that have a reply here.
    answered: HashSet<Moment>,
    reactions: Reactions,
    members: HashSet<UserId>,
}

/// What one transaction stores.
#[derive(Default)]
struct Batch {
    messages: Vec<NewMessage>,
    made: Vec<(String, Uuid)>,
    reactions: Vec<NewReaction>,
}

impl<'a> History<'a> {
    fn new(shared: &'a Shared, place: &'a Place) -> Self {
        let threads = place.conversation.threads.iter().map(|(moment, root)| {
            (*moment, if *root == Root::Here { Thread::Expected } else { Thread::Missing })
        });
        let members =
            place.conversation.members.iter().filter_map(|id| shared.people.get(id)).map(|it| it.id);
        Self {
            shared,
            place,
            tally: Report::default(),
            threads: threads.collect(),
            seen: HashSet::new(),
            repeated: HashMap::new(),
            waiting: Vec::new(),
            answered: HashSet::new(),
            reactions: Reactions::default(),
            members: members.collect(),
        }
    }

    fn external(&self, moment: Moment) -> String {
        format!("{}/{moment}", self.place.conversation.slack_id)
    }

    async fn known(&self, externals: &[String]) -> Result<HashMap<String, Uuid>> {
        if self.place.is_new {
            return Ok(HashMap::new());
        }
        imports::among(&mut self.shared.db.read(), SOURCE, KIND, externals).await
    }

    /// Threads whose first message came with an earlier export.
    async fn find_earlier_threads(&mut self) -> Result<()> {
        let missing: Vec<Moment> = self
            .threads
            .iter()
            .filter(|(_, thread)| matches!(thread, Thread::Missing))
            .map(|(moment, _)| *moment)
            .collect();
        let externals: Vec<String> = missing.iter().map(|moment| self.external(*moment)).collect();
        let known = self.known(&externals).await?;
        for (moment, external) in missing.into_iter().zip(externals) {
            if let Some(id) = known.get(&external) {
                self.threads.insert(moment, Thread::At { root: MessageId(*id), is_new: false });
            }
        }
        Ok(())
    }

    async fn bring(&mut self, batch: Vec<SlackMessage>) -> Result<()> {
        let found: Vec<Found> = batch.into_iter().filter_map(|message| self.placed(message)).collect();
        self.store(found, true).await
    }

    /// Replies whose thread began later. By now it is there, or it never will be.
    async fn bring_waiting(&mut self) -> Result<()> {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.sort_by_key(|found| found.moment);
        while !waiting.is_empty() {
            let rest = waiting.split_off(waiting.len().min(self.shared.batch));
            self.store(std::mem::replace(&mut waiting, rest), false).await?;
        }
        Ok(())
    }

    /// The message's id in Slack; `None` for what is no message.
    fn placed(&mut self, message: SlackMessage) -> Option<Found> {
        if message.kind.as_deref().is_some_and(|kind| kind != "message") {
            self.tally.leave_out("entries that are no messages", || {
                format!("{} in {}", message.kind.unwrap_or_default(), self.place.conversation.slack_id)
            });
            return None;
        }
        let Some(moment) = message.ts.as_deref().and_then(Moment::read) else {
            self.tally.leave_out("messages without a time", || {
                format!("{:?} in {}", message.ts.unwrap_or_default(), self.place.conversation.slack_id)
            });
            return None;
        };
        let mut external = self.external(moment);
        let is_same_time = !self.seen.insert(moment);
        if is_same_time {
            let times = self.repeated.entry(moment).or_insert(1);
            *times += 1;
            external = format!("{external}#{times}");
        }
        let answers = message.thread_ts.as_deref().and_then(Moment::read).filter(|root| *root != moment);
        Some(Found { external, moment, answers, message, is_same_time })
    }

    async fn store(&mut self, found: Vec<Found>, may_wait: bool) -> Result<()> {
        let externals: Vec<String> = found.iter().map(|it| it.external.clone()).collect();
        let known = self.known(&externals).await?;
        let mut batch = Batch::default();
        for found in found {
            if let Some(id) = known.get(&found.external) {
                self.tally.messages.known += 1;
                self.pass_known(&found, MessageId(*id));
                continue;
            }
            let parent = match found.answers.and_then(|root| self.threads.get(&root).copied()) {
                Some(Thread::Expected) if may_wait && self.waiting.len() < WAITING => {
                    self.waiting.push(found);
                    continue;
                }
                Some(Thread::At { root, .. }) => Some(root),
                Some(Thread::Expected | Thread::Missing) | None => None,
            };
            self.tally.messages.orphans += u64::from(parent.is_none() && found.answers.is_some());
            self.write(found, parent, &mut batch).await?;
        }
        self.commit(batch).await
    }

    fn pass_known(&mut self, found: &Found, id: MessageId) {
        let answered = found.answers.and_then(|root| self.threads.get(&root).copied());
        let parent = if let Some(Thread::At { root, .. }) = answered { Some(root) } else { None };
        self.answered.extend(found.answers);
        self.begin_thread(found, parent.unwrap_or(id), false);
    }

    /// Threads have one level: what answers an answer goes to the first message.
    fn begin_thread(&mut self, found: &Found, root: MessageId, is_new: bool) {
        if !found.is_same_time
            && let Some(thread) = self.threads.get_mut(&found.moment)
        {
            *thread = Thread::At { root, is_new };
        }
    }

    fn count_threads(&mut self) {
        let mut counted = HashSet::new();
        for moment in &self.answered {
            if let Some(Thread::At { root, is_new }) = self.threads.get(moment)
                && counted.insert(*root)
            {
                *(if *is_new { &mut self.tally.threads.new } else { &mut self.tally.threads.known }) += 1;
            }
        }
    }

    /// Makes the rows of a message.
    async fn write(&mut self, found: Found, parent: Option<MessageId>, batch: &mut Batch) -> Result<()> {
        let shared = self.shared;
        let Some(sender) = shared.people.get(&found.message.sender()).map(|person| person.id) else {
            // Everyone was met at the first look; a zip that changed since then is no ground to stop.
            self.tally.leave_out("messages of someone unknown", || found.external.clone());
            return Ok(());
        };
        let written = content::write(&found.message, shared, &mut self.tally.messages);
        let mentions = self.mentions(&written, sender);
        let at = found.moment.timestamp();
        let tally = &mut self.tally.messages;
        tally.imported += 1;
        tally.replies += u64::from(parent.is_some());
        tally.same_time += u64::from(found.is_same_time);
        let first = MessageId::new();
        for (number, content) in written.parts.into_iter().enumerate() {
            batch.messages.push(NewMessage {
                id: if number == 0 { first } else { MessageId::new() },
                sender_id: sender,
                content,
                html: None,
                parent_id: parent,
                nonce: None,
                mentions: if number == 0 { mentions.clone() } else { Vec::new() },
                has_attachments: false,
                created_at: at,
            });
        }
        self.answered.extend(found.answers);
        self.begin_thread(&found, parent.unwrap_or(first), true);
        let reactions = self.reactions.of(shared, &found.message, (first, at), &mut self.tally).await?;
        batch.reactions.extend(reactions);
        batch.made.push((found.external, first.0));
        Ok(())
    }

    /// Whom a message mentions: not its writer, and in a private place nobody who is not there.
    fn mentions(&mut self, written: &Written, sender: UserId) -> Vec<UserId> {
        let is_open = self.place.conversation.kind.is_open();
        let may_know = |user: &UserId| *user != sender && (is_open || self.members.contains(user));
        let mut all: Vec<UserId> = written.mentions.iter().copied().filter(may_know).collect();
        self.tally.messages.mentions_dropped += all.len().saturating_sub(MENTIONS) as u64;
        all.truncate(MENTIONS);
        all
    }

    async fn commit(&mut self, batch: Batch) -> Result<()> {
        if self.shared.is_dry || batch.messages.is_empty() {
            return Ok(());
        }
        write(&self.shared.db, self.place, batch).await
    }
}

async fn write(db: &Db, place: &Place, batch: Batch) -> Result<()> {
    let channel = place.channel;
    let batch = Arc::new(batch);
    db.write(move |tx| {
        async move {
            messages::import(tx, channel, &batch.messages).await?;
            imports::remember(tx, SOURCE, KIND, &batch.made).await?;
            imports::react(tx, channel, &batch.reactions).await
        }
        .boxed()
    })
    .await
}
