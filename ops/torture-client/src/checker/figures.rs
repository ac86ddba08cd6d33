//! Numbers that must count what they say, and a search that must find what is there and nothing else.

use std::collections::HashMap;

use uuid::Uuid;

use crate::evidence::{Evidence, Record, Search};
use crate::findings::{Findings, Kind};

pub fn check(evidence: &Evidence, findings: &Findings) {
    for record in &evidence.record {
        counts(record, findings);
        numbers(record, findings);
        replies(record, findings);
        marks(record, findings);
    }
    for search in &evidence.searches {
        found(search, findings);
    }
}

fn counts(record: &Record, findings: &Findings) {
    let messages = record.messages.len() as i64;
    let told = [
        ("message_count", record.message_count, messages),
        ("member_count", record.member_count, record.members),
        ("unread_count", record.unread.unwrap_or(messages), messages),
        ("last_seq", record.last_seq, record.events.last().map_or(0, |event| event.seq)),
    ];
    for (name, said, counted) in told {
        if said != counted {
            findings.note(Kind::Miscounted, format!("{name} of {} is {said}, not {counted}", record.name));
        }
    }
}

/// The channel's numbers have no hole, and positions rise with them.
fn numbers(record: &Record, findings: &Findings) {
    for pair in record.events.windows(2) {
        let (one, next) = (&pair[0], &pair[1]);
        if next.seq != one.seq + 1 {
            findings.note(
                Kind::Lost,
                format!("{} has no event between {} and {}", record.name, one.seq, next.seq),
            );
        }
        if next.pos <= one.pos {
            let text = format!(
                "{}: {} has pos {}, {} has pos {}",
                record.name, one.seq, one.pos, next.seq, next.pos
            );
            findings.note(Kind::Reordered, text);
        }
    }
}

fn replies(record: &Record, findings: &Findings) {
    let mut living: HashMap<Uuid, i64> = HashMap::new();
    for parent in record.messages.iter().filter(|it| !it.is_deleted).filter_map(|it| it.parent) {
        *living.entry(parent).or_default() += 1;
    }
    for message in record.messages.iter().filter(|it| !it.is_deleted) {
        let counted = living.get(&message.id).copied().unwrap_or(0);
        if message.reply_count != counted {
            let text = format!("reply_count of {} is {}, not {counted}", message.id, message.reply_count);
            findings.note(Kind::Miscounted, text);
        }
    }
}

/// Nobody in a run says that they have read anything, so all have read up to what they said last themselves, or to where they came.
/// What is behind that is unread, deleted or not; what calls them there, and is not deleted, is a mention. A mark that a post, a
/// deletion or an edit moved wrongly is seen by this.
fn marks(record: &Record, findings: &Findings) {
    let stays = record.stays();
    for mark in &record.marks {
        let came = stays.get(&mark.user).and_then(|stays| stays.last()).map_or(0, |stay| stay.0);
        let own = record.messages.iter().filter(|it| it.sender == mark.user).map(|it| it.seq);
        let read = own.fold(came, i64::max);
        let call = format!(" @{}", mark.name);
        let behind = record.messages.iter().filter(|it| it.seq > read);
        let mentions = behind.clone().filter(|it| !it.is_deleted && it.text.ends_with(&call)).count();
        let told = [
            ("read_seq", mark.read_seq.unwrap_or(read), read),
            ("unread_count", mark.unread, behind.count() as i64),
            ("mention_count", mark.mentions, mentions as i64),
        ];
        for (name, said, counted) in told.into_iter().filter(|(_, said, counted)| said != counted) {
            let (who, place) = (&mark.name, mark.said_by);
            let text = format!("{name} of {who} in {} is {said} by {place}, not {counted}", record.name);
            findings.note(Kind::Miscounted, text);
        }
    }
}

fn found(search: &Search, findings: &Findings) {
    let expected: Vec<Uuid> = search.expected.into_iter().collect();
    if search.found == expected {
        counted(search, expected.len() as i64, findings);
        return;
    }
    let (kind, what) = match search.expected {
        Some(_) if search.found.is_empty() => (Kind::Lost, "finds nothing"),
        Some(_) => (Kind::Altered, "finds something else too"),
        None if search.is_forbidden => (Kind::Leaked, "is found by somebody who may not read it"),
        None => (Kind::Resurrected, "is still found"),
    };
    findings.note(kind, format!("searching {:?} {what}: {:?}", search.words, search.found));
}

/// A search counts what it finds and nothing else: a count of hits that may not be shown, or a way on to them, tells that a word
/// was said where the asker may not read, and how often.
fn counted(search: &Search, expected: i64, findings: &Findings) {
    if search.total == expected && !search.goes_on {
        return;
    }
    let kind = if search.is_forbidden { Kind::Leaked } else { Kind::Miscounted };
    let Search { words, total, goes_on, .. } = search;
    findings.note(
        kind,
        format!("searching {words:?} counts {total} hits, not {expected} (there are more: {goes_on})"),
    );
}
