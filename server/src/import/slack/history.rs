//! A conversation's messages: read by one thread, translated here, stored some hundred at a time in order.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use confab_core::imports::{self, NewReaction};
use confab_core::messages::{self, NewMessage};
use confab_core::{Db, Fault, FutureExt as _, Result, reactions};
use confab_protocol::{MENTIONS, MessageId, Timestamp, UserId};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::archive::{Archive, Entry};
use super::content::{self, Written};
use super::places::Place;
use super::report::Report;
use super::shapes::{Moment, SlackMessage, each, repaired};
use super::survey::{MESSAGES_A_DAY, Root};
use super::{SOURCE, Shared};

/// What a message is called in the table of imported things; its external id is `CHANNEL/ts`.
const KIND: &str = "message";
/// Batches read ahead of the one that is stored.
const AHEAD: usize = 2;
/// Replies that may wait for a thread that begins later in the export. Slack writes none such.
const WAITING: usize = 10_000;
/// Different reactions under one message, as in core.
const REACTIONS_PER_MESSAGE: usize = 50;

/// Brings in what is not here yet, and answers what that was.
pub(super) async fn bring(shared: &Shared, place: &Place) -> Result<Report> {
    let (to, mut batches) = mpsc::channel(AHEAD);
    let (archive, days, size) = (shared.archive.clone(), place.conversation.days.clone(), shared.batch);
    let reading = tokio::task::spawn_blocking(move || read(&archive, &days, size, &to));
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

/// Reads all days, in order. Answers how many characters were no characters.
fn read(archive: &Archive, days: &[Entry], size: usize, to: &mpsc::Sender<Vec<SlackMessage>>) -> Result<u64> {
    // Nobody waits for the rest: the other side has said why.
    let gone = || Fault::Internal("the import has ended".into());
    let mut removed = 0;
    let mut batch = Vec::with_capacity(size);
    for day in days {
        let (bytes, halves) = repaired(archive.bytes(day)?);
        removed += halves;
        each(day, &bytes, MESSAGES_A_DAY, |message: SlackMessage| {
            batch.push(message);
            if batch.len() < size {
                return Ok(());
            }
            to.blocking_send(std::mem::replace(&mut batch, Vec::with_capacity(size))).map_err(|_| gone())
        })?;
    }
    if batch.is_empty() { Ok(removed) } else { to.blocking_send(batch).map(|()| removed).map_err(|_| gone()) }
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
    codes: HashMap<String, Option<String>>,
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
            codes: HashMap::new(),
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
                parent_id: parent,
                nonce: None,
                mentions: if number == 0 { mentions.clone() } else { Vec::new() },
                has_attachments: false,
                created_at: at,
            });
        }
        self.answered.extend(found.answers);
        self.begin_thread(&found, parent.unwrap_or(first), true);
        self.react(&found.message, first, at, batch).await?;
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

    async fn react(
        &mut self,
        message: &SlackMessage,
        id: MessageId,
        at: Timestamp,
        batch: &mut Batch,
    ) -> Result<()> {
        let mut put: HashSet<(String, UserId)> = HashSet::new();
        let mut codes: HashSet<String> = HashSet::new();
        for reaction in message.reactions.iter().flatten() {
            let Some(name) = reaction.name.as_deref() else { continue };
            let users = reaction.users.as_deref().unwrap_or_default();
            let Some(code) = self.code(name).await? else {
                self.tally.unknown_reaction(name, users.len() as u64);
                continue;
            };
            if codes.len() >= REACTIONS_PER_MESSAGE && !codes.contains(&code) {
                self.tally.leave_out("reactions above the most that a message may have", || name.to_owned());
                continue;
            }
            codes.insert(code.clone());
            for user in users {
                let Some(person) = self.shared.people.get(user) else {
                    self.tally.leave_out("reactions of someone unknown", || user.clone());
                    continue;
                };
                // Two skin tones of one person are one reaction here.
                if put.insert((code.clone(), person.id)) {
                    let code = code.clone();
                    batch.reactions.push(NewReaction {
                        message_id: id,
                        code,
                        user_id: person.id,
                        created_at: at,
                    });
                }
            }
        }
        self.tally.reactions.imported += put.len() as u64;
        Ok(())
    }

    /// What a reaction is here. Skin tones are not kept.
    async fn code(&mut self, name: &str) -> Result<Option<String>> {
        let plain = name.split("::").next().unwrap_or_default();
        if let Some(code) = self.codes.get(plain) {
            return Ok(code.clone());
        }
        let mut on = self.shared.db.read();
        let code = match reactions::resolve(&mut on, plain).await {
            Ok(code) => Some(code),
            Err(Fault::Invalid { .. }) => None,
            Err(fault) => return Err(fault),
        };
        self.codes.insert(plain.to_owned(), code.clone());
        Ok(code)
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
