//! The journal against the record: every promise is kept, in its order, and nothing is there that nobody asked for.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::Tally;
use crate::evidence::{Evidence, Kept, fingerprint};
use crate::findings::{Findings, Kind};
use crate::journal::{Act, Line};

/// A message as it must be served.
struct Promise<'a> {
    channel: Uuid,
    seq: i64,
    parent: Option<Uuid>,
    text: &'a str,
    /// Texts that an acknowledged edit replaced.
    replaced: Vec<u64>,
    is_deleted: bool,
    /// An edit or deletion was asked for and never answered: either outcome is right.
    is_open: bool,
}

/// What the journal comes to.
#[derive(Default)]
struct Promises<'a> {
    messages: HashMap<Uuid, Promise<'a>>,
    /// Texts of posts that were never answered: they may be there or not.
    unanswered: HashSet<&'a str>,
}

pub fn check(evidence: &Evidence, findings: &Findings, tally: &mut Tally) {
    let Evidence { journal, record, .. } = evidence;
    let promises = fold(journal, findings, tally);
    calls(&promises, evidence, findings);
    let mut kept: HashMap<Uuid, (Uuid, &Kept)> = HashMap::new();
    for channel in record {
        let mut last = 0;
        for message in &channel.messages {
            if kept.insert(message.id, (channel.channel, message)).is_some() {
                findings.note(Kind::Duplicated, format!("{} stands in history twice", message.id));
            }
            if message.seq <= last {
                let text = format!(
                    "{}: {} follows {last} in the history of {}",
                    message.id, message.seq, channel.name
                );
                findings.note(Kind::Reordered, text);
            }
            last = message.seq;
            shown(message, &channel.name, findings);
        }
    }
    for (id, promise) in &promises.messages {
        match kept.get(id) {
            Some((channel, message)) if *channel == promise.channel => {
                compare(promise, message, findings);
            }
            Some((channel, _)) => findings.note(Kind::Lost, format!("{id} stands in {channel} now")),
            None => findings.note(Kind::Lost, format!("{id} at {} was acknowledged", promise.seq)),
        }
    }
    for (id, (_, message)) in &kept {
        if !promises.messages.contains_key(id) && !promises.unanswered.contains(message.text.as_str()) {
            let text =
                format!("{id} at {} is there though nobody was promised it: {:?}", message.seq, message.text);
            findings.note(Kind::Duplicated, text);
        }
    }
}

/// Whoever is called by a message is told of it once, as long as it says so.
fn calls(promises: &Promises<'_>, evidence: &Evidence, findings: &Findings) {
    let mut told: HashMap<Uuid, u32> = HashMap::new();
    for id in &evidence.called {
        *told.entry(*id).or_default() += 1;
    }
    for (id, times) in &told {
        let promise = promises.messages.get(id);
        if *times > 1 {
            findings.note(Kind::Duplicated, format!("{id} is told of {times} times"));
        } else if promise.is_some_and(|it| it.is_deleted && !it.is_open) {
            findings.note(Kind::Resurrected, format!("{id} was deleted, and is told of"));
        }
    }
    for (id, promise) in &promises.messages {
        let is_due = !promise.is_open && !promise.is_deleted && promise.text.ends_with(&evidence.call);
        if is_due && !told.contains_key(id) {
            findings.note(Kind::Lost, format!("nobody is told that {id} calls them"));
        }
    }
}

fn fold<'a>(journal: &'a [Line], findings: &Findings, tally: &mut Tally) -> Promises<'a> {
    let mut promises = Promises::default();
    // What is asked and not answered yet, with the highest number promised in its channel before it was asked.
    let mut asked: HashMap<u64, (&Act, i64)> = HashMap::new();
    let mut highest: HashMap<Uuid, i64> = HashMap::new();
    for line in journal {
        let (number, message, seq) = match line {
            Line::Intent { number, act } => {
                let before = match act {
                    Act::Post { channel, .. } => highest.get(channel).copied().unwrap_or(0),
                    _ => 0,
                };
                asked.insert(*number, (act, before));
                continue;
            }
            Line::Acked { number, message, seq } => (number, *message, *seq),
        };
        let Some((act, before)) = asked.remove(number) else {
            findings.note(Kind::Duplicated, format!("intent {number} was answered twice, or never asked"));
            continue;
        };
        match act {
            Act::Post { channel, text, parent } => {
                tally.posts += 1;
                if seq <= before {
                    let text = format!("{message} got {seq} after {before} had been promised");
                    findings.note(Kind::Reordered, text);
                }
                let highest = highest.entry(*channel).or_default();
                *highest = (*highest).max(seq);
                let promise = Promise {
                    channel: *channel,
                    seq,
                    parent: *parent,
                    text,
                    replaced: Vec::new(),
                    is_deleted: false,
                    is_open: false,
                };
                if promises.messages.insert(message, promise).is_some() {
                    findings.note(Kind::Lost, format!("{message} was the answer to two posts"));
                }
            }
            Act::Edit { text, .. } => {
                tally.edits += 1;
                if let Some(promise) = promises.messages.get_mut(&message) {
                    promise.replaced.push(fingerprint(promise.text));
                    promise.text = text;
                }
            }
            Act::Delete { .. } => {
                tally.deletes += 1;
                if let Some(promise) = promises.messages.get_mut(&message) {
                    promise.is_deleted = true;
                }
            }
        }
    }
    for (act, _) in asked.into_values() {
        match act {
            Act::Post { text, .. } => {
                promises.unanswered.insert(text);
            }
            Act::Edit { message, .. } | Act::Delete { message } => {
                if let Some(promise) = promises.messages.get_mut(message) {
                    promise.is_open = true;
                }
            }
        }
    }
    promises
}

/// What is shown is what is said. Clients show the HTML: one that an edit left as it was is the old text, served again, and one
/// that a deletion left is the deleted text.
fn shown(message: &Kept, channel: &str, findings: &Findings) {
    if message.html.is_right(!message.text.is_empty()) {
        return;
    }
    let kind = if message.is_deleted { Kind::Resurrected } else { Kind::Altered };
    let Kept { id, text, html, .. } = message;
    findings.note(kind, format!("{id} in {channel} says {text:?}, and its HTML is {html:?}"));
}

fn compare(promise: &Promise<'_>, kept: &Kept, findings: &Findings) {
    let id = kept.id;
    if kept.seq != promise.seq {
        findings.note(
            Kind::Reordered,
            format!("{id} was promised at {} and stands at {}", promise.seq, kept.seq),
        );
    }
    if kept.parent != promise.parent {
        findings.note(Kind::Altered, format!("{id} answers {:?}, not {:?}", kept.parent, promise.parent));
    }
    if promise.is_open {
        return;
    }
    if promise.is_deleted {
        if !kept.is_deleted || !kept.text.is_empty() {
            findings.note(Kind::Resurrected, format!("{id} was deleted, and history shows {:?}", kept.text));
        }
    } else if kept.is_deleted {
        findings.note(Kind::Lost, format!("{id} is a tombstone, and nobody deleted it"));
    } else if kept.text != promise.text {
        let is_old = promise.replaced.contains(&fingerprint(&kept.text));
        let kind = if is_old { Kind::Resurrected } else { Kind::Altered };
        findings.note(kind, format!("{id} shows {:?}, not {:?}", kept.text, promise.text));
    }
}
