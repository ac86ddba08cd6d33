//! Lists of memberships and the log cross each other: what a socket hears all the same.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;
use confab_core::sessions::Method;
use confab_protocol::{EventId, EventKind, SessionId, Timestamp};

use super::*;
use crate::gateway::outbox::Waiting;

fn audience() -> Audience {
    let figures = Figures {
        sockets: Arc::default(),
        head: Arc::default(),
        delivery: Arc::new(Latencies::new(Duration::from_mins(1), 1)),
        lost_signals: Arc::default(),
    };
    Audience::new(figures, 5, true, Box::new(|_| {}))
}

fn socket(id: u64, user: UserId) -> (Arc<Outbox>, Waiting) {
    Outbox::new(id, user, SessionId::new(), false)
}

fn list(channel: ChannelId, from_seq: i64) -> Heard {
    Heard { channels: vec![(channel, from_seq)], has_deleted: false }
}

fn event(kind: EventKind, pos: i64, channel: ChannelId, seq: i64, subject: UserId) -> Event {
    Event {
        id: EventId::new(),
        pos,
        kind,
        channel_id: Some(channel),
        seq: Some(seq),
        user_id: None,
        ref_id: subject.0,
        actor_id: None,
        detail: None,
        created_at: Timestamp::now(),
    }
}

fn happens(audience: &mut Audience, event: &Event) {
    audience.dispatch(event, Some(EventFrame { text: "{}".into(), departed: None }));
}

fn heard(waiting: &Waiting) -> Vec<i64> {
    let mut items = VecDeque::new();
    waiting.take(&mut items).expect("it has not overflowed");
    let position = |item: &Item| if let Item::Event(pos, _) = item { Some(*pos) } else { None };
    items.iter().filter_map(position).collect()
}

#[test]
fn a_newer_list_of_one_socket_takes_nothing_from_another() {
    let (mut audience, ada, room) = (audience(), UserId::new(), ChannelId::new());
    let (one, first) = socket(1, ada);
    let (two, second) = socket(2, ada);
    assert!(matches!(audience.begin(&one), Begun::New));
    assert!(matches!(audience.begin(&two), Begun::New));
    audience.listen(1, ada, &list(room, 10)).expect("it is there");
    // Ada has left and come back meanwhile; the log is not so far here.
    audience.listen(2, ada, &list(room, 30)).expect("it is there");
    happens(&mut audience, &event(EventKind::NewMessage, 1, room, 15, UserId::new()));
    happens(&mut audience, &event(EventKind::MemberLeft, 2, room, 20, ada));
    happens(&mut audience, &event(EventKind::NewMessage, 3, room, 25, UserId::new()));
    happens(&mut audience, &event(EventKind::MemberJoined, 4, room, 30, ada));
    happens(&mut audience, &event(EventKind::NewMessage, 5, room, 31, UserId::new()));
    assert_eq!(heard(&first), [1, 2, 4, 5]);
    // It was greeted as somebody who came back at 30: what was before is not theirs to hear any more.
    assert_eq!(heard(&second), [4, 5]);
}

#[test]
fn an_older_list_brings_nothing_back() {
    let (mut audience, ada, room) = (audience(), UserId::new(), ChannelId::new());
    let (one, first) = socket(1, ada);
    audience.begin(&one);
    happens(&mut audience, &event(EventKind::MemberLeft, 1, room, 20, ada));
    audience.listen(1, ada, &list(room, 10)).expect("it is there");
    happens(&mut audience, &event(EventKind::NewMessage, 2, room, 21, UserId::new()));
    assert!(heard(&first).is_empty());
    happens(&mut audience, &event(EventKind::MemberJoined, 3, room, 30, ada));
    assert_eq!(heard(&first), [3]);
}

#[test]
fn the_next_socket_hears_at_once_and_the_last_one_leaves_nothing() {
    let (mut audience, ada, room) = (audience(), UserId::new(), ChannelId::new());
    let (one, first) = socket(1, ada);
    audience.begin(&one);
    let hearing = audience.listen(1, ada, &list(room, 1)).expect("it is there");
    let keep = |audience: &mut Audience, pos| {
        let kept = Kept { pos, method: Method::Password, state: Bytes::new(), at: Instant::now() };
        audience.keep(1, ada, kept);
    };
    keep(&mut audience, hearing.pos);
    let (two, second) = socket(2, ada);
    assert!(matches!(audience.begin(&two), Begun::Hears(_, Some(_))), "nothing has happened since");
    happens(&mut audience, &event(EventKind::NewMessage, 7, room, 2, UserId::new()));
    assert_eq!((heard(&first), heard(&second)), (vec![7], vec![7]));
    let (three, third) = socket(3, ada);
    let Begun::Hears(hearing, None) = audience.begin(&three) else {
        panic!("what was kept is not true any more")
    };
    assert_eq!(hearing.pos, 7);
    for id in [1, 2, 3] {
        audience.end(id, ada);
    }
    assert!(audience.users.is_empty() && audience.channels.is_empty());
    happens(&mut audience, &event(EventKind::NewMessage, 8, room, 3, UserId::new()));
    assert!(heard(&third).is_empty());
}

#[tokio::test]
async fn a_burst_waits_for_who_writes_and_not_for_who_does_not() {
    let (mut audience, ada, bob, room) = (audience(), UserId::new(), UserId::new(), ChannelId::new());
    let (one, first) = socket(1, ada);
    let (two, second) = socket(2, bob);
    for (outbox, user) in [(&one, ada), (&two, bob)] {
        audience.begin(outbox);
        audience.listen(outbox.id, user, &list(room, 1)).expect("it is there");
    }
    let reader = tokio::spawn(async move {
        let (mut positions, mut items) = (Vec::new(), VecDeque::new());
        while positions.len() < 5_000 {
            std::future::poll_fn(|context| first.poll(context)).await;
            first.take(&mut items).expect("who writes is not cut off");
            let news = items.drain(..);
            positions.extend(
                news.filter_map(|item| if let Item::Event(pos, _) = item { Some(pos) } else { None }),
            );
            first.wrote(&mut items);
        }
        positions
    });
    // Both are greeted, and one waits for events.
    tokio::task::yield_now().await;
    let batch = |from: i64| {
        let news =
            (from..from + 500).map(|pos| event(EventKind::NewMessage, pos, room, pos + 1, UserId::new()));
        news.map(|event| (event, Some(EventFrame { text: "x".repeat(2_000).into(), departed: None })))
            .collect()
    };
    for from in (1..5_000).step_by(500) {
        audience.hand_on(batch(from)).await;
    }
    assert_eq!(reader.await.expect("it ends"), (1..=5_000).collect::<Vec<_>>());
    assert!(second.take(&mut VecDeque::new()).is_err(), "who takes nothing is");
}

#[test]
fn nobody_shows_by_a_channel_that_is_deleted_and_its_end_is_heard() {
    let (mut audience, ada, bob, room) = (audience(), UserId::new(), UserId::new(), ChannelId::new());
    let (one, first) = socket(1, ada);
    let (two, _second) = socket(2, bob);
    for outbox in [&one, &two] {
        audience.begin(outbox);
    }
    assert!(audience.listen(2, bob, &list(room, 1)).expect("it is there").presences.is_some());
    // The record is ahead of the log here.
    let deleted = Heard { has_deleted: true, ..list(room, 1) };
    assert!(audience.listen(1, ada, &deleted).expect("it is there").presences.is_none());
    let (three, _third) = socket(3, ada);
    assert!(matches!(audience.begin(&three), Begun::Hears(Hearing { presences: None, .. }, _)));
    happens(&mut audience, &event(EventKind::ChannelDeleted, 1, room, 2, bob));
    assert_eq!(heard(&first), [1]);
    happens(&mut audience, &event(EventKind::NewMessage, 2, room, 3, bob));
    assert!(heard(&first).is_empty());
}
