//! What every store of vectors must do, written once: each store runs it, wherever it keeps its rows.

use confab_protocol::{ChannelId, MessageId, UserId};
use confab_worker::vectors::{Change, Nearest, Point, VectorStore};

pub const DIMENSIONS: usize = 16;

/// A vector of length one, another for each number, but always the same.
pub fn at(number: u64) -> Vec<f32> {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678;
    let mut vector: Vec<f32> = (0..DIMENSIONS)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % 2_001) as f32 / 1_000.0 - 1.0
        })
        .collect();
    let length = vector.iter().map(|part| part * part).sum::<f32>().sqrt();
    for part in &mut vector {
        *part /= length;
    }
    vector
}

pub fn point(channel_id: ChannelId, number: u64) -> Point {
    Point {
        id: MessageId::new(),
        channel_id,
        sender_id: UserId::new(),
        created_at: number as i64 * 1_000,
        flags: 0,
        vector: at(number),
    }
}

/// What lies nearest to a point, in some channels.
pub fn around(point: &Point, channels: &[ChannelId]) -> Nearest {
    Nearest {
        vector: point.vector.clone(),
        channels: channels.to_vec(),
        senders: Vec::new(),
        since: None,
        until: None,
        flags: 0,
        only: None,
        limit: 10,
    }
}

async fn ids(store: &dyn VectorStore, wanted: Nearest) -> Vec<MessageId> {
    store.search(wanted).await.unwrap().into_iter().map(|near| near.id).collect()
}

async fn put(store: &dyn VectorStore, points: &[Point], place: &str) {
    store.write(points.iter().cloned().map(Change::Put).collect(), place.into()).await.unwrap();
}

/// The whole contract, on a store that is empty and of vectors of [`DIMENSIONS`] numbers.
pub async fn keeps(store: &dyn VectorStore) {
    assert_eq!(store.place().await.unwrap(), None);
    finds_only_what_is_permitted(store).await;
    finds_by_conditions(store).await;
    puts_and_removes(store).await;
    refuses_what_does_not_fit(store).await;
    store.clear().await.unwrap();
    assert_eq!(store.place().await.unwrap(), None);
}

async fn finds_only_what_is_permitted(store: &dyn VectorStore) {
    let (mine, yours, empty) = (ChannelId::new(), ChannelId::new(), ChannelId::new());
    let near: Vec<Point> = (0..30).map(|number| Point { vector: at(1), ..point(yours, number) }).collect();
    let far = point(mine, 2);
    put(store, &near, "1").await;
    put(store, std::slice::from_ref(&far), "2").await;
    assert_eq!(store.place().await.unwrap().as_deref(), Some("2"));
    // Thirty that are nearer, and may not be seen, take no place away.
    assert_eq!(ids(store, around(&near[0], &[mine])).await, [far.id]);
    assert_eq!(ids(store, around(&near[0], &[mine, mine, empty])).await, [far.id]);
    assert!(ids(store, around(&near[0], &[empty])).await.is_empty());
    assert!(ids(store, around(&near[0], &[])).await.is_empty(), "no channel is not every channel");
    assert_eq!(store.count(vec![mine, empty]).await.unwrap(), 1);
    assert_eq!(store.count(vec![yours, yours]).await.unwrap(), 30);
    assert_eq!(store.count(Vec::new()).await.unwrap(), 0);
    // As many as asked for, of equals the newest first.
    let found = ids(store, around(&near[0], &[mine, yours])).await;
    let places: Vec<usize> =
        found.iter().map(|id| near.iter().position(|point| point.id == *id).unwrap()).collect();
    assert_eq!(places.len(), 10);
    assert!(places.is_sorted_by(|one, other| one > other), "{places:?}");
    let none = Nearest { limit: 0, ..around(&near[0], &[yours]) };
    assert!(ids(store, none).await.is_empty());
    let scores: Vec<f32> =
        store.search(around(&near[0], &[yours])).await.unwrap().iter().map(|near| near.score).collect();
    assert!(scores.iter().all(|score| (score - 1.0).abs() < 0.02), "{scores:?}");
}

async fn finds_by_conditions(store: &dyn VectorStore) {
    let channel = ChannelId::new();
    let points: Vec<Point> = (0..6)
        .map(|number| Point { flags: number as u32, vector: at(3), ..point(channel, number) })
        .collect();
    put(store, &points, "3").await;
    let all = || around(&points[0], &[channel]);
    let of = |found: Vec<MessageId>| -> Vec<usize> {
        let mut found: Vec<usize> =
            found.iter().map(|id| points.iter().position(|point| point.id == *id).unwrap()).collect();
        found.sort_unstable();
        found
    };
    assert_eq!(of(ids(store, Nearest { since: Some(2_000), until: Some(4_000), ..all() }).await), [2, 3]);
    assert_eq!(of(ids(store, Nearest { flags: 5, ..all() }).await), [5]);
    assert_eq!(of(ids(store, Nearest { flags: 1, ..all() }).await), [1, 3, 5]);
    let senders = vec![points[4].sender_id, points[1].sender_id, UserId::new()];
    assert_eq!(of(ids(store, Nearest { senders: senders.clone(), ..all() }).await), [1, 4]);
    assert_eq!(of(ids(store, Nearest { senders, flags: 4, ..all() }).await), [4]);
    assert!(ids(store, Nearest { senders: vec![UserId::new()], ..all() }).await.is_empty());
    let only = vec![points[5].id, MessageId::new(), points[0].id, points[2].id];
    assert_eq!(of(ids(store, Nearest { only: Some(only.clone()), ..all() }).await), [0, 2, 5]);
    assert_eq!(of(ids(store, Nearest { only: Some(only.clone()), flags: 1, ..all() }).await), [5]);
    assert!(ids(store, Nearest { only: Some(Vec::new()), ..all() }).await.is_empty(), "none is not any");
    let elsewhere = around(&points[0], &[ChannelId::new()]);
    assert!(
        ids(store, Nearest { only: Some(only), ..elsewhere }).await.is_empty(),
        "a name opens no channel"
    );
}

async fn puts_and_removes(store: &dyn VectorStore) {
    let (channel, other) = (ChannelId::new(), ChannelId::new());
    let message = point(channel, 10);
    let neighbour = point(channel, 12);
    let silent = Point { vector: vec![0.0; DIMENSIONS], ..point(channel, 13) };
    put(store, &[message.clone(), neighbour.clone(), silent.clone()], "4").await;
    assert_eq!(
        ids(store, around(&message, &[channel])).await,
        [message.id, neighbour.id],
        "the silent is not found"
    );
    assert!(ids(store, around(&silent, &[channel])).await.is_empty());

    // Put twice it is there once, as it is now; the same change again changes nothing.
    let edited = Point { vector: at(14), flags: 8, ..message.clone() };
    for _ in 0..2 {
        put(store, std::slice::from_ref(&edited), "5").await;
        assert_eq!(ids(store, Nearest { flags: 8, ..around(&edited, &[channel]) }).await, [message.id]);
        assert_eq!(store.count(vec![channel]).await.unwrap(), 3);
    }
    let moved = Point { channel_id: other, ..edited.clone() };
    put(store, std::slice::from_ref(&moved), "6").await;
    assert_eq!(ids(store, around(&moved, &[other])).await, [message.id]);
    assert!(!ids(store, around(&moved, &[channel])).await.contains(&message.id));

    // In order within a batch.
    let late = point(channel, 15);
    let changes = vec![
        Change::Put(late.clone()),
        Change::Remove(late.id),
        Change::Remove(neighbour.id),
        Change::Put(neighbour.clone()),
        Change::Remove(message.id),
        Change::Remove(MessageId::new()),
    ];
    for place in ["7", "7"] {
        store.write(changes.clone(), place.into()).await.unwrap();
        assert_eq!(ids(store, around(&late, &[channel, other])).await, [neighbour.id]);
    }
    store
        .write(vec![Change::RemoveChannel(channel), Change::RemoveChannel(ChannelId::new())], "8".into())
        .await
        .unwrap();
    assert_eq!(store.count(vec![channel, other]).await.unwrap(), 0);
    store.write(Vec::new(), "9".into()).await.unwrap();
    assert_eq!(store.place().await.unwrap().as_deref(), Some("9"), "a place moves on without changes");
}

async fn refuses_what_does_not_fit(store: &dyn VectorStore) {
    let channel = ChannelId::new();
    let short = Point { vector: vec![1.0], ..point(channel, 1) };
    let changes = vec![Change::Put(point(channel, 2)), Change::Put(short.clone())];
    assert_eq!(store.write(changes, "10".into()).await.unwrap_err().code(), "invalid");
    assert_eq!(store.count(vec![channel]).await.unwrap(), 0, "all or nothing");
    assert_eq!(store.place().await.unwrap().as_deref(), Some("9"));
    assert_eq!(store.write(Vec::new(), "x".repeat(2_000)).await.unwrap_err().code(), "invalid");
    let many = vec![Change::Remove(MessageId::new()); 10_001];
    assert_eq!(store.write(many, "11".into()).await.unwrap_err().code(), "invalid");
    assert_eq!(store.search(around(&short, &[channel])).await.unwrap_err().code(), "invalid");
    let named =
        Nearest { only: Some(vec![MessageId::new(); 5_001]), ..around(&point(channel, 1), &[channel]) };
    assert_eq!(store.search(named).await.unwrap_err().code(), "invalid");
    let greedy = Nearest { limit: 1_001, ..around(&point(channel, 1), &[channel]) };
    assert_eq!(store.search(greedy).await.unwrap_err().code(), "invalid");
}
