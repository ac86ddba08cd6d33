//! A listener's log against the record's events: each one due came, once, in order, and none that was not due.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::Tally;
use crate::evidence::{Event, Heard, Kind as What, Record, Step, fingerprint};
use crate::findings::{Findings, Kind};

/// A listener's time from one break to the next has two legs: first what was missed is played back (odd), then they hear
/// what happens (even).
type Leg = u32;

/// What one listener heard of one channel.
#[derive(Default)]
struct Ear<'a> {
    /// Up to where the channel was when the listener began.
    began: i64,
    /// In order of arrival, each with the leg of the journey on which it came.
    events: Vec<(&'a Event, Leg)>,
}

pub fn check(heard: &Heard, record: &[Record], findings: &Findings, tally: &mut Tally) {
    let (mut ears, mut leg): (HashMap<Uuid, Ear<'_>>, Leg) = (HashMap::new(), 0);
    for step in &heard.steps {
        match step {
            Step::Began { channel, last_seq } => ears.entry(*channel).or_default().began = *last_seq,
            // Who breaks off while they are being played to begins another playing back.
            Step::Returned => leg = (leg + 1) | 1,
            Step::Live => leg += leg % 2,
            Step::Event(event) => {
                tally.deliveries += 1;
                ears.entry(event.channel).or_default().events.push((event, leg));
            }
        }
    }
    for (channel, ear) in &ears {
        match record.iter().find(|it| it.channel == *channel) {
            Some(record) => {
                let judged = Judged { name: &heard.name, user: heard.user, record, legs: leg, findings };
                judged.order(ear);
                tally.cut_short += judged.completeness(ear);
                judged.texts(ear);
            }
            None if ear.events.is_empty() => {}
            None => {
                let text = format!(
                    "{} heard {} events of {channel}, which is no channel of this run",
                    heard.name,
                    ear.events.len()
                );
                findings.note(Kind::Leaked, text);
            }
        }
    }
    // Somebody who should have heard and never did has no ear at all.
    for channel in record.iter().filter(|it| !ears.contains_key(&it.channel)) {
        let judged = Judged { name: &heard.name, user: heard.user, record: channel, legs: leg, findings };
        tally.cut_short += judged.completeness(&Ear { began: i64::MIN, events: Vec::new() });
    }
}

/// One listener and one channel.
struct Judged<'a> {
    name: &'a str,
    user: Uuid,
    record: &'a Record,
    /// The listener's last leg.
    legs: Leg,
    findings: &'a Findings,
}

impl Judged<'_> {
    fn note(&self, kind: Kind, text: &str) {
        self.findings.note(kind, format!("{} in {}: {text}", self.name, self.record.name));
    }

    fn order(&self, ear: &Ear<'_>) {
        let (mut last, mut last_pos, mut seen) = (0, 0, HashSet::new());
        for (event, _) in &ear.events {
            if !seen.insert(event.seq) {
                self.note(Kind::Duplicated, &format!("{} came twice", event.seq));
            } else if event.seq < last || event.pos <= last_pos {
                let text = format!("{} (pos {}) came after {last} (pos {last_pos})", event.seq, event.pos);
                self.note(Kind::Reordered, &text);
            }
            (last, last_pos) = (last.max(event.seq), last_pos.max(event.pos));
        }
    }

    /// Answers how many events were rightly left out.
    fn completeness(&self, ear: &Ear<'_>) -> u64 {
        let stays = self.record.stays().remove(&self.user).unwrap_or_default();
        let mut came: Vec<(&Event, Leg)> = ear.events.clone();
        came.sort_by_key(|(event, _)| event.seq);
        let mut came = came.into_iter().peekable();
        let (mut before, mut cut_short): (Leg, u64) = (0, 0);
        for due in &self.record.events {
            while came.peek().is_some_and(|(event, _)| event.seq < due.seq) {
                if let Some((event, _)) = came.next() {
                    self.note(Kind::Altered, &format!("{} is no event of the record", event.seq));
                }
            }
            let stay = stays.iter().rev().find(|(from, to)| *from <= due.seq && due.seq <= *to);
            if came.peek().is_some_and(|(event, _)| event.seq == due.seq) {
                while came.peek().is_some_and(|(event, _)| event.seq == due.seq) {
                    let Some((event, leg)) = came.next() else { break };
                    before = leg;
                    self.same(event, due, stay.is_some());
                }
                continue;
            }
            let Some((_, to)) = stay else { continue };
            if due.seq <= ear.began {
                continue;
            }
            let after = came.peek().map_or(self.legs, |(_, leg)| *leg);
            // Of a stay that is over nothing is played back but its end.
            if *to < i64::MAX && (after > before || after % 2 == 1) {
                cut_short += 1;
            } else {
                self.note(Kind::Lost, &format!("{} (pos {}) never came", due.seq, due.pos));
            }
        }
        for (event, _) in came {
            self.note(Kind::Altered, &format!("{} is no event of the record", event.seq));
        }
        cut_short
    }

    fn same(&self, event: &Event, due: &Event, is_member: bool) {
        if !is_member {
            self.note(Kind::Leaked, &format!("{} (pos {}) came to no member", event.seq, event.pos));
        }
        if (event.kind, event.subject, event.pos) != (due.kind, due.subject, due.pos) {
            self.note(Kind::Altered, &format!("{event:?} came, the record has {due:?}"));
        }
    }

    /// A text comes with its own HTML, and none comes without a text: what a client shows would be what was edited away, deleted, or
    /// withheld from them.
    fn html(&self, event: &Event) {
        if event.is_of_message() && !event.html.is_right(event.text != 0) {
            let kind = if event.text == 0 { Kind::Resurrected } else { Kind::Altered };
            self.note(kind, &format!("{} of {} came with HTML {:?}", event.seq, event.subject, event.html));
        }
    }

    /// A deleted text never comes again, and who heard everything ends with what is served.
    fn texts(&self, ear: &Ear<'_>) {
        let (mut shown, mut gone) = (HashMap::<Uuid, u64>::new(), HashSet::new());
        for (event, _) in &ear.events {
            self.html(event);
            match event.kind {
                What::MessageDelete => {
                    gone.insert(event.subject);
                    shown.remove(&event.subject);
                }
                What::NewMessage | What::MessageUpdate => {
                    if event.text != 0 && gone.contains(&event.subject) {
                        let text = format!("{} came with its text after its deletion", event.subject);
                        self.note(Kind::Resurrected, &text);
                    }
                    shown.insert(event.subject, event.text);
                }
                _ => {}
            }
        }
        let stays = self.record.stays().remove(&self.user).unwrap_or_default();
        if stays.last().is_none_or(|(_, to)| *to < i64::MAX) {
            return;
        }
        for message in &self.record.messages {
            let Some(shown) = shown.get(&message.id) else { continue };
            if *shown != fingerprint(&message.text) {
                self.note(Kind::Altered, &format!("{} was heard with another text last", message.id));
            }
        }
    }
}
