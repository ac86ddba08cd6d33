use super::*;

fn pair() -> (Arc<Outbox>, Waiting) {
    Outbox::new(1, UserId::new(), SessionId::new(), false)
}

#[test]
fn what_is_being_written_counts_and_one_alone_always_fits() {
    let (outbox, waiting) = pair();
    let mut taken = VecDeque::new();
    outbox.push(Item::Event(1, Bytes::from(vec![0; BYTES + 1])));
    waiting.take(&mut taken).expect("a single one fits");
    waiting.stalled();
    assert!(outbox.is_quiet_since(1) && !outbox.is_quiet_since(0));
    outbox.push(Item::Event(2, Bytes::from(vec![0; BYTES])));
    outbox.push(Item::Event(3, Bytes::from_static(b"x")));
    taken.clear();
    assert_eq!(waiting.take(&mut taken), Err(TOO_SLOW), "the first has not left yet");

    let (outbox, waiting) = pair();
    for pos in 0..10_000 {
        outbox.push(Item::Event(pos, Bytes::from_static(b"xxxx")));
        waiting.take(&mut taken).expect("it is read");
        assert_eq!(taken.len(), 1);
        taken.clear();
        waiting.wrote(&mut taken);
    }
}

#[test]
fn a_burst_on_its_way_to_who_is_far_away_leaves_room_for_what_comes() {
    let (outbox, waiting) = pair();
    let mut taken = VecDeque::new();
    let _ = waiting.poll(&Context::from_waker(Waker::noop()));
    assert!(outbox.offer(Item::Event(1, Bytes::from(vec![0; BYTES]))), "it would be written first");
    waiting.take(&mut taken).expect("there is room");
    waiting.stalled();
    for pos in 2..50 {
        assert!(!outbox.offer(Item::Event(pos, Bytes::from(vec![0; 1_024]))), "its peer is waited for");
    }
    taken.clear();
    waiting.wrote(&mut taken);
    waiting.take(&mut taken).expect("it was not cut off");
    assert_eq!(taken.len(), 48);
    waiting.away();
    assert!(!outbox.offer(Item::Event(50, Bytes::from(vec![0; BYTES]))), "nobody need wait for it");
}

#[test]
fn a_burst_closes_nobody_who_takes_what_they_get() {
    let burst = |outbox: &Outbox, frames: usize| {
        for pos in 0..frames {
            outbox.push(Item::Event(pos as i64, Bytes::from_static(b"x")));
        }
    };
    let (outbox, waiting) = pair();
    let mut taken = VecDeque::new();
    for _ in 0..2 {
        burst(&outbox, FRAMES * IN_A_BURST);
        waiting.take(&mut taken).expect("its task had no turn yet");
        waiting.stalled();
        taken.clear();
        waiting.wrote(&mut taken);
        assert!(taken.capacity() <= KEPT, "most sockets are idle most of the time");
    }
    burst(&outbox, FRAMES);
    waiting.stalled();
    burst(&outbox, 1);
    assert_eq!(waiting.take(&mut taken), Err(TOO_SLOW), "its peer took nothing");

    let (outbox, waiting) = pair();
    burst(&outbox, FRAMES * IN_A_BURST + 1);
    assert_eq!(waiting.take(&mut taken), Err(TOO_SLOW), "a burst has an end as well");
}

#[test]
fn who_is_to_ask_again_asks_once() {
    let (outbox, waiting) = pair();
    let mut taken = VecDeque::new();
    for _ in 0..FRAMES * 2 {
        outbox.push(Item::Recheck);
    }
    outbox.push(Item::Event(1, Bytes::from_static(b"x")));
    waiting.take(&mut taken).expect("there is room");
    assert!(matches!(taken.make_contiguous(), [Item::Recheck, Item::Event(1, _)]));
    outbox.push(Item::Recheck);
    taken.clear();
    waiting.take(&mut taken).expect("there is room");
    assert_eq!(taken.len(), 1, "what changes later is asked for again");
}

#[test]
fn signals_are_dropped_where_events_would_close() {
    let (outbox, waiting) = pair();
    for _ in 0..FRAMES {
        outbox.push_signal(Bytes::from_static(b"x"));
    }
    let mut taken = VecDeque::new();
    waiting.take(&mut taken).expect("no signal closes");
    assert_eq!(taken.len(), FRAMES / 2);
    waiting.stalled();
    for pos in 0..=FRAMES {
        outbox.push(Item::Event(pos as i64, Bytes::from_static(b"x")));
    }
    taken.clear();
    assert_eq!(waiting.take(&mut taken), Err(TOO_SLOW));
}
