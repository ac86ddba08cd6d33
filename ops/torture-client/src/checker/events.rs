//! A channel's events against its messages: each message is told of once, where it stands, and each deletion once. Events are
//! served with the texts of now, so what they say of a message is what history says of it, and of a deleted one nothing.
//!
//! Readers who come back after long have nothing but these pages: a message without an event would never reach them.

use std::collections::HashMap;

use uuid::Uuid;

use crate::evidence::{Event, Kept, Kind as What, Record, fingerprint};
use crate::findings::{Findings, Kind};

pub fn check(record: &Record, findings: &Findings) {
    let messages: HashMap<Uuid, &Kept> = record.messages.iter().map(|it| (it.id, it)).collect();
    let (mut posts, mut deletions) = (HashMap::<Uuid, u32>::new(), HashMap::<Uuid, u32>::new());
    for event in record.events.iter().filter(|it| it.is_of_message()) {
        match event.kind {
            What::NewMessage => *posts.entry(event.subject).or_default() += 1,
            What::MessageDelete => *deletions.entry(event.subject).or_default() += 1,
            _ => {}
        }
        match messages.get(&event.subject) {
            Some(message) => compare(event, message, record, findings),
            None => findings.note(
                Kind::Lost,
                format!("{} in {} is of no message of its history", event.seq, record.name),
            ),
        }
    }
    for message in &record.messages {
        let told = |of: &HashMap<Uuid, u32>| of.get(&message.id).copied().unwrap_or(0);
        let due = u32::from(message.is_deleted);
        for (what, times, due) in [("post", told(&posts), 1), ("deletion", told(&deletions), due)] {
            if times != due {
                let kind = if times < due { Kind::Lost } else { Kind::Duplicated };
                let text = format!("the {what} of {} in {} has {times} events", message.id, record.name);
                findings.note(kind, text);
            }
        }
    }
}

fn compare(event: &Event, message: &Kept, record: &Record, findings: &Findings) {
    if event.kind == What::NewMessage && event.seq != message.seq {
        let text = format!(
            "{} stands at {} in {}, its event at {}",
            message.id, message.seq, record.name, event.seq
        );
        findings.note(Kind::Reordered, text);
    }
    let says = if event.kind == What::MessageDelete { 0 } else { fingerprint(&message.text) };
    if event.text != says || !event.html.is_right(says != 0) {
        let kind = if message.is_deleted { Kind::Resurrected } else { Kind::Altered };
        let text =
            format!("{} in {} does not say of {} what history says", event.seq, record.name, message.id);
        findings.note(kind, text);
    }
}
