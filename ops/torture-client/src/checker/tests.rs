//! A run in which all went well, and then every way of lying about it: each is seen, and as what it is.

use uuid::Uuid;

use super::{Tally, check};
use crate::evidence::{
    Event, Evidence, Heard, Html, Kept, Kind as What, Mark, Record, Search, Step, fingerprint,
};
use crate::findings::{Findings, Kind};
use crate::journal::{Act, Line};

const CHANNEL: Uuid = Uuid::from_u128(1);
const READER: Uuid = Uuid::from_u128(2);
const VICTIM: Uuid = Uuid::from_u128(3);
const WRITER: Uuid = Uuid::from_u128(4);

fn message(number: u128) -> Uuid {
    Uuid::from_u128(100 + number)
}

fn html_of(has_text: bool) -> Html {
    if has_text { Html::OfText } else { Html::Absent }
}

fn event(seq: i64, kind: What, subject: Uuid, text: &str) -> Event {
    let text = fingerprint(text);
    Event { channel: CHANNEL, pos: 10 * seq, seq, kind, subject, text, html: html_of(text != 0) }
}

/// The channel's whole life: the reader comes (1), `one` (2), the victim comes (3), `two` (4), `two` becomes `deux` (5),
/// `three` answers `one` (6), the victim goes (7), `four` (8), which is deleted (9).
fn events() -> Vec<Event> {
    vec![
        event(1, What::MemberJoined, READER, ""),
        event(2, What::NewMessage, message(1), "one"),
        event(3, What::MemberJoined, VICTIM, ""),
        event(4, What::NewMessage, message(2), "two"),
        event(5, What::MessageUpdate, message(2), "deux"),
        event(6, What::NewMessage, message(3), "three"),
        event(7, What::MemberLeft, VICTIM, ""),
        event(8, What::NewMessage, message(4), "four"),
        event(9, What::MessageDelete, message(4), ""),
    ]
}

fn kept(number: u128, seq: i64, text: &str) -> Kept {
    let html = html_of(!text.is_empty());
    Kept { id: message(number), seq, sender: WRITER, text: text.to_owned(), html, ..Kept::default() }
}

/// Events as a page of them shows them: with the texts of now.
fn served(mut events: Vec<Event>, messages: &[Kept]) -> Vec<Event> {
    for event in &mut events {
        let of = messages.iter().find(|it| it.id == event.subject && event.kind != What::MessageDelete);
        event.text = of.map_or(0, |it| fingerprint(&it.text));
        event.html = html_of(event.text != 0);
    }
    events
}

fn mark(name: &str, user: Uuid, read_seq: i64, unread: i64) -> Mark {
    Mark { name: name.to_owned(), user, said_by: "a list", read_seq: Some(read_seq), unread, mentions: 0 }
}

fn search(words: &str, expected: Option<Uuid>, found: Vec<Uuid>) -> Search {
    let total = found.len() as i64;
    Search { words: words.to_owned(), expected, found, total, goes_on: false, is_forbidden: false }
}

fn heard(name: &str, user: Uuid, seqs: impl IntoIterator<Item = i64>) -> Heard {
    let events = events();
    let steps = seqs.into_iter().map(|seq| Step::Event(events[seq as usize - 1].clone())).collect();
    Heard { name: name.to_owned(), user, steps }
}

fn sound() -> Evidence {
    let post = |number: u64, text: &str, parent: Option<Uuid>| {
        let text = text.to_owned();
        Line::Intent { number, act: Act::Post { channel: CHANNEL, text, parent } }
    };
    let acked = |number: u64, of: u128, seq: i64| Line::Acked { number, message: message(of), seq };
    let journal = vec![
        post(1, "one", None),
        acked(1, 1, 2),
        post(2, "two", None),
        acked(2, 2, 4),
        Line::Intent { number: 3, act: Act::Edit { message: message(2), text: "deux".to_owned() } },
        acked(3, 2, 4),
        post(4, "three", Some(message(1))),
        acked(4, 3, 6),
        post(5, "four", None),
        acked(5, 4, 8),
        Line::Intent { number: 6, act: Act::Delete { message: message(4) } },
        acked(6, 4, 8),
    ];
    let messages = vec![
        Kept { reply_count: 1, ..kept(1, 2, "one") },
        kept(2, 4, "deux"),
        Kept { parent: Some(message(1)), ..kept(3, 6, "three") },
        Kept { is_deleted: true, ..kept(4, 8, "") },
    ];
    let record = Record {
        channel: CHANNEL,
        name: "room".to_owned(),
        events: served(events(), &messages),
        messages,
        last_seq: 9,
        message_count: 4,
        member_count: 1,
        members: 1,
        unread: Some(4),
        marks: vec![mark("reader", READER, 1, 4), mark("writer", WRITER, 8, 0)],
    };
    let mut reader = heard("reader", READER, 2..=9);
    reader.steps.insert(0, Step::Began { channel: CHANNEL, last_seq: 1 });
    reader.steps.insert(4, Step::Returned);
    Evidence {
        journal,
        readers: vec![reader, heard("victim", VICTIM, 3..=7)],
        record: vec![record],
        searches: vec![search("deux", Some(message(2)), vec![message(2)]), search("four", None, Vec::new())],
        called: vec![message(3)],
        call: "three".to_owned(),
    }
}

/// What is found when `lie` has been at the evidence.
fn after(lie: impl FnOnce(&mut Evidence)) -> Findings {
    let mut evidence = sound();
    lie(&mut evidence);
    let findings = Findings::default();
    check(&evidence, &findings);
    findings
}

#[track_caller]
fn seen_as(kind: Kind, lie: impl FnOnce(&mut Evidence)) {
    let findings = after(lie);
    assert!(findings.count(kind) > 0, "not seen as {kind:?}: {:?}", findings.examples());
}

#[test]
fn a_sound_run_is_clean() {
    let findings = Findings::default();
    let tally = check(&sound(), &findings);
    assert!(findings.is_clean(), "{:?}", findings.examples());
    assert_eq!(tally, Tally { posts: 4, edits: 1, deletes: 1, deliveries: 13, cut_short: 0 });
}

#[test]
fn a_lost_message_is_seen() {
    seen_as(Kind::Lost, |it| _ = it.record[0].messages.remove(0));
    seen_as(Kind::Lost, |it| {
        it.record[0].messages[0].is_deleted = true;
        it.record[0].messages[0].text.clear();
    });
    seen_as(Kind::Lost, |it| it.record[0].channel = Uuid::from_u128(77));
    // Two posts that were answered with one message: one of them is nowhere.
    seen_as(Kind::Lost, |it| {
        let Line::Acked { message: of, .. } = &mut it.journal[3] else { unreachable!() };
        *of = message(1);
    });
    seen_as(Kind::Lost, |it| _ = it.record[0].events.remove(4));
}

#[test]
fn whoever_is_called_is_told_once() {
    seen_as(Kind::Lost, |it| it.called.clear());
    seen_as(Kind::Duplicated, |it| it.called.push(message(3)));
    seen_as(Kind::Resurrected, |it| it.called.push(message(4)));
}

#[test]
fn a_doubled_message_is_seen() {
    seen_as(Kind::Duplicated, |it| {
        let twin = Kept { id: message(9), seq: 10, ..it.record[0].messages[0].clone() };
        it.record[0].messages.push(twin);
    });
    seen_as(Kind::Duplicated, |it| {
        let twin = it.record[0].messages[1].clone();
        it.record[0].messages.push(twin);
    });
    seen_as(Kind::Duplicated, |it| it.journal.push(it.journal[1].clone()));
}

#[test]
fn a_reordered_message_is_seen() {
    seen_as(Kind::Reordered, |it| it.record[0].messages.swap(0, 1));
    seen_as(Kind::Reordered, |it| it.record[0].messages[3].seq = 12);
    // The second post was asked for when the first had been promised 2.
    seen_as(Kind::Reordered, |it| {
        let Line::Acked { seq, .. } = &mut it.journal[3] else { unreachable!() };
        *seq = 1;
    });
    seen_as(Kind::Reordered, |it| it.record[0].events[4].pos = 1);
}

#[test]
fn what_was_never_answered_may_be_there_or_not() {
    let unanswered = |it: &mut Evidence| {
        let act = Act::Post { channel: CHANNEL, text: "five".to_owned(), parent: None };
        it.journal.push(Line::Intent { number: 9, act });
        it.journal.push(Line::Intent { number: 10, act: Act::Delete { message: message(1) } });
    };
    assert!(after(unanswered).is_clean());
    let findings = after(|it| {
        unanswered(it);
        it.record[0].messages.push(kept(5, 10, "five"));
        it.record[0].message_count = 5;
        it.record[0].unread = Some(5);
        it.record[0].messages[0] = Kept { is_deleted: true, ..kept(1, 2, "") };
        it.record[0].last_seq = 11;
        it.record[0].marks = vec![mark("reader", READER, 1, 5), mark("writer", WRITER, 10, 0)];
        let mut events = events();
        for event in
            [event(10, What::NewMessage, message(5), "five"), event(11, What::MessageDelete, message(1), "")]
        {
            events.push(event.clone());
            it.readers[0].steps.push(Step::Event(event));
        }
        it.record[0].events = served(events, &it.record[0].messages);
    });
    assert!(findings.is_clean(), "{:?}", findings.examples());
}

#[test]
fn a_hole_in_what_a_listener_heard_is_seen() {
    seen_as(Kind::Lost, |it| _ = it.readers[0].steps.remove(3));
    seen_as(Kind::Lost, |it| _ = it.readers[0].steps.pop());
    seen_as(Kind::Lost, |it| it.readers[0].steps.truncate(1));
    seen_as(Kind::Lost, |it| it.readers[0].steps.clear());
    // The victim never was away: they hear everything of their stay, though it is over.
    seen_as(Kind::Lost, |it| _ = it.readers[1].steps.remove(2));
}

#[test]
fn who_comes_back_to_a_stay_that_is_over_hears_of_its_end_only() {
    let lie = |it: &mut Evidence| {
        it.readers[1] = heard("victim", VICTIM, [3, 4, 7]);
        it.readers[1].steps.insert(2, Step::Returned);
    };
    let findings = after(lie);
    assert!(findings.is_clean(), "{:?}", findings.examples());
    // Several stays while they were away: the ends of all of them are played back.
    let findings = after(|it| {
        it.readers[1] = heard("victim", VICTIM, [3, 4, 7]);
        it.readers[1].steps.insert(0, Step::Returned);
        it.readers[1].steps.insert(4, Step::Live);
    });
    assert!(findings.is_clean(), "{:?}", findings.examples());
    // Who is live again hears everything.
    seen_as(Kind::Lost, |it| {
        it.readers[1] = heard("victim", VICTIM, [3, 4, 7]);
        it.readers[1].steps.insert(0, Step::Returned);
        it.readers[1].steps.insert(1, Step::Live);
    });
    // Who stays must hear it all, however often they come back.
    seen_as(Kind::Lost, |it| it.readers[0].steps[3] = Step::Returned);
}

#[test]
fn a_second_delivery_and_a_wrong_order_are_seen() {
    seen_as(Kind::Duplicated, |it| {
        let again = it.readers[0].steps[2].clone();
        it.readers[0].steps.push(again);
    });
    seen_as(Kind::Reordered, |it| it.readers[0].steps.swap(2, 3));
}

#[test]
fn what_comes_to_no_member_is_a_leak() {
    // Before joining, and after having gone.
    seen_as(Kind::Leaked, |it| it.readers[1] = heard("victim", VICTIM, 2..=7));
    seen_as(Kind::Leaked, |it| it.readers[1] = heard("victim", VICTIM, 3..=8));
    seen_as(Kind::Leaked, |it| it.readers[1].user = Uuid::from_u128(55));
    seen_as(Kind::Leaked, |it| {
        it.searches[1].found.push(message(2));
        it.searches[1].is_forbidden = true;
    });
}

#[test]
fn the_dead_who_walk_are_seen() {
    seen_as(Kind::Resurrected, |it| it.record[0].messages[3].text = "four".to_owned());
    seen_as(Kind::Resurrected, |it| it.record[0].messages[3].is_deleted = false);
    seen_as(Kind::Resurrected, |it| it.record[0].messages[1].text = "two".to_owned());
    seen_as(Kind::Resurrected, |it| it.searches[1].found.push(message(4)));
    seen_as(Kind::Resurrected, |it| {
        it.readers[0].steps.push(Step::Event(event(10, What::MessageUpdate, message(4), "four")));
    });
}

#[test]
fn other_words_and_other_events_are_seen() {
    seen_as(Kind::Altered, |it| it.record[0].messages[0].text = "un".to_owned());
    seen_as(Kind::Altered, |it| it.record[0].messages[2].parent = None);
    seen_as(Kind::Altered, |it| {
        let Step::Event(event) = &mut it.readers[0].steps[2] else { unreachable!() };
        event.subject = message(8);
    });
    // The edit that was heard is not what is served.
    seen_as(Kind::Altered, |it| {
        let Some(Step::Event(event)) =
            it.readers[0].steps.iter_mut().find(|it| matches!(it, Step::Event(it) if it.seq == 5))
        else {
            unreachable!()
        };
        event.text = fingerprint("zwei");
    });
    seen_as(Kind::Altered, |it| {
        it.readers[0].steps.push(Step::Event(event(12, What::Other, message(4), "")));
    });
}

#[test]
fn wrong_numbers_are_seen() {
    seen_as(Kind::Miscounted, |it| it.record[0].message_count = 5);
    seen_as(Kind::Miscounted, |it| it.record[0].member_count = 2);
    seen_as(Kind::Miscounted, |it| it.record[0].unread = Some(3));
    seen_as(Kind::Miscounted, |it| it.record[0].last_seq = 8);
    seen_as(Kind::Miscounted, |it| it.record[0].messages[0].reply_count = 0);
    seen_as(Kind::Lost, |it| it.searches[0].found.clear());
}

#[test]
fn html_of_another_text_is_seen() {
    // An edit that changes the text and leaves what is shown, and a deletion that leaves it.
    seen_as(Kind::Altered, |it| it.record[0].messages[1].html = Html::OfAnother);
    seen_as(Kind::Altered, |it| it.record[0].messages[1].html = Html::Absent);
    seen_as(Kind::Resurrected, |it| it.record[0].messages[3].html = Html::OfAnother);
    seen_as(Kind::Altered, |it| it.record[0].events[4].html = Html::OfAnother);
    let heard = |it: &mut Evidence, at: i64| {
        for step in &mut it.readers[0].steps {
            if let Step::Event(event) = step
                && event.seq == at
            {
                event.html = Html::OfAnother;
            }
        }
    };
    seen_as(Kind::Altered, |it| heard(it, 5));
    seen_as(Kind::Resurrected, |it| heard(it, 9));
}

#[test]
fn a_mark_at_another_place_is_seen() {
    for at in [0, 1] {
        seen_as(Kind::Miscounted, |it| it.record[0].marks[at].read_seq = Some(5));
        seen_as(Kind::Miscounted, |it| it.record[0].marks[at].unread += 1);
        seen_as(Kind::Miscounted, |it| it.record[0].marks[at].mentions = 1);
    }
    assert!(after(|it| it.record[0].marks[1].read_seq = None).is_clean(), "it need not be said twice");
    let called = |it: &mut Evidence| {
        it.record[0].messages[0].text = "one @reader".to_owned();
        it.record[0].messages[3].text = "four @reader".to_owned();
        it.record[0].marks[0].mentions = 1;
    };
    let findings = after(called);
    assert_eq!(findings.count(Kind::Miscounted), 0, "deleted ones call nobody: {:?}", findings.examples());
}

#[test]
fn events_that_are_not_of_the_history_are_seen() {
    seen_as(Kind::Lost, |it| it.record[0].events[1].subject = message(2));
    seen_as(Kind::Duplicated, |it| it.record[0].events[1].subject = message(2));
    seen_as(Kind::Lost, |it| it.record[0].events[8].kind = What::Other);
    seen_as(Kind::Duplicated, |it| it.record[0].events[4].kind = What::MessageDelete);
    seen_as(Kind::Reordered, |it| {
        it.record[0].events[1].subject = message(2);
        it.record[0].events[3].subject = message(1);
    });
    seen_as(Kind::Lost, |it| it.record[0].events[4].subject = message(7));
    seen_as(Kind::Altered, |it| it.record[0].events[4].text = fingerprint("two"));
    seen_as(Kind::Resurrected, |it| it.record[0].events[7].text = fingerprint("four"));
}

#[test]
fn hits_that_are_counted_and_not_shown_are_seen() {
    seen_as(Kind::Miscounted, |it| it.searches[0].total = 2);
    seen_as(Kind::Miscounted, |it| it.searches[1].goes_on = true);
    let forbidden = |it: &mut Evidence| it.searches[1].is_forbidden = true;
    assert!(after(forbidden).is_clean());
    seen_as(Kind::Leaked, |it| {
        forbidden(it);
        it.searches[1].total = 7;
    });
    seen_as(Kind::Leaked, |it| {
        forbidden(it);
        it.searches[1].goes_on = true;
    });
}
