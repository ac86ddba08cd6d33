//! The store of vectors in a folder: what every store must do, and what becomes of it when it is killed or damaged.

mod contract;
mod qdrant;
pub mod stand_in;

use std::path::{Path, PathBuf};

use confab_protocol::{ChannelId, MessageId, UserId};
use confab_worker::embedding::ModelId;
use confab_worker::vectors::{Change, Embedded, Near, Nearest, Point, VectorStore};
use uuid::Uuid;

use contract::{around, at, point};

fn model() -> ModelId {
    ModelId::new("of tests", contract::DIMENSIONS, "1")
}

async fn open(folder: &Path) -> Embedded {
    Embedded::open(folder, &model()).await.unwrap()
}

/// The only file with such an ending.
fn file(folder: &Path, ending: &str) -> PathBuf {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut found: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|it| it == ending)).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    contract::keeps(&open(folder.path()).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_as_it_was_when_it_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let channel = ChannelId::new();
    let points: Vec<Point> = (0..5).map(|number| point(channel, number)).collect();
    {
        let store = open(folder.path()).await;
        store.write(points.iter().cloned().map(Change::Put).collect(), "one".into()).await.unwrap();
        store.write(vec![Change::Remove(points[0].id)], "two".into()).await.unwrap();
    }
    let store = open(folder.path()).await;
    assert_eq!(store.place().await.unwrap().as_deref(), Some("two"));
    assert_eq!(store.count(vec![channel]).await.unwrap(), 4);
    let found = store.search(around(&points[1], &[channel])).await.unwrap();
    assert_eq!(found[0].id, points[1].id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_a_kill_cut_short_is_not_there_and_can_be_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let channel = ChannelId::new();
    let (first, second) = (point(channel, 1), point(channel, 2));
    let length = {
        let store = open(folder.path()).await;
        store.write(vec![Change::Put(first.clone())], "one".into()).await.unwrap();
        let length = std::fs::metadata(file(folder.path(), "journal")).unwrap().len();
        store.write(vec![Change::Put(second.clone()), Change::Remove(first.id)], "two".into()).await.unwrap();
        length
    };
    let journal = file(folder.path(), "journal");
    let whole = std::fs::read(&journal).unwrap();
    for cut in (length as usize..whole.len()).step_by(7) {
        std::fs::write(&journal, &whole[..cut]).unwrap();
        let store = open(folder.path()).await;
        assert_eq!(store.place().await.unwrap().as_deref(), Some("one"));
        assert_eq!(store.search(around(&second, &[channel])).await.unwrap()[0].id, first.id);
        store.write(vec![Change::Put(second.clone()), Change::Remove(first.id)], "two".into()).await.unwrap();
        assert_eq!(std::fs::read(&journal).unwrap(), whole, "cut at {cut}");
    }
}

/// A store with segments: more points than stay in memory, some of them gone or put again. Answers a channel with one.
async fn fill(store: &Embedded, channels: &[ChannelId]) -> Vec<Point> {
    let points: Vec<Point> =
        (0..70_000).map(|number| point(channels[number % channels.len()], number as u64)).collect();
    for (at, part) in points.chunks(10_000).enumerate() {
        store.write(part.iter().cloned().map(Change::Put).collect(), format!("part {at}")).await.unwrap();
    }
    points
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_go_to_segments_and_are_found_there() {
    let folder = tempfile::tempdir().unwrap();
    let channels: Vec<ChannelId> = (0..10).map(|_| ChannelId::new()).collect();
    let store = open(folder.path()).await;
    let mut points = fill(&store, &channels).await;
    file(folder.path(), "rows");
    let check = async |store: &Embedded, points: &[Point]| {
        for wanted in points.iter().step_by(6_007) {
            let found = store.search(around(wanted, &[wanted.channel_id])).await.unwrap();
            assert_eq!(found, nearest_of(points, wanted), "exactly what looking at all of them finds");
        }
    };
    check(&store, &points).await;
    // One is edited, some are deleted, a channel goes: most of the segment, which is then written anew.
    points[3].vector = at(1_000_000);
    store.write(vec![Change::Put(points[3].clone())], "edited".into()).await.unwrap();
    let gone: Vec<Change> = points.iter().skip(20).step_by(3).map(|point| Change::Remove(point.id)).collect();
    let ids: Vec<MessageId> = points.iter().skip(20).step_by(3).map(|point| point.id).collect();
    for part in gone.chunks(10_000) {
        store.write(part.to_vec(), "deleted".into()).await.unwrap();
    }
    store.write(vec![Change::RemoveChannel(channels[9])], "gone".into()).await.unwrap();
    let ids: std::collections::HashSet<MessageId> = ids.into_iter().collect();
    points.retain(|point| !ids.contains(&point.id) && point.channel_id != channels[9]);
    check(&store, &points).await;
    assert_eq!(store.count(channels.clone()).await.unwrap(), points.len() as u64);
    drop(store);
    let store = open(folder.path()).await;
    assert_eq!(store.place().await.unwrap().as_deref(), Some("gone"));
    assert_eq!(store.count(channels.clone()).await.unwrap(), points.len() as u64);
    check(&store, &points).await;
}

fn nearest_of(points: &[Point], wanted: &Point) -> Vec<Near> {
    let bytes = |vector: &[f32]| {
        let scale = vector.iter().fold(0.0_f32, |most, part| most.max(part.abs())) / 127.0;
        (scale, vector.iter().map(|part| (part / scale).round() as i32).collect::<Vec<_>>())
    };
    let (scale, question) = bytes(&wanted.vector);
    let mut found: Vec<Near> = points
        .iter()
        .filter(|point| point.channel_id == wanted.channel_id)
        .map(|point| {
            let (its, vector) = bytes(&point.vector);
            let product: i32 = vector.iter().zip(&question).map(|(one, other)| one * other).sum();
            Near { id: point.id, score: product as f32 * scale * its }
        })
        .collect();
    found.sort_by(|one, other| other.score.total_cmp(&one.score).then(other.id.cmp(&one.id)));
    found.truncate(10);
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_damaged_or_anothers_is_emptied() {
    let folder = tempfile::tempdir().unwrap();
    let channels = [ChannelId::new()];
    fill(&open(folder.path()).await, &channels).await;
    let rows = file(folder.path(), "rows");
    let whole = std::fs::read(&rows).unwrap();
    let manifest = folder.path().join("manifest");
    let named = std::fs::read(&manifest).unwrap();

    // What a kill left beside it is deleted, and nothing else.
    std::fs::write(folder.path().join("00000099.rows"), "half").unwrap();
    std::fs::write(folder.path().join("manifest.new"), "half").unwrap();
    assert_eq!(open(folder.path()).await.count(channels.to_vec()).await.unwrap(), 70_000);
    assert!(!folder.path().join("00000099.rows").exists() && !folder.path().join("manifest.new").exists());

    let other = ModelId::new("of tests", contract::DIMENSIONS, "2");
    let harms: [(&str, &dyn Fn()); 4] = [
        ("a flipped bit", &|| {
            let mut bytes = whole.clone();
            bytes[1_000_000] ^= 4;
            std::fs::write(&rows, bytes).unwrap();
        }),
        ("a lost end", &|| std::fs::write(&rows, &whole[..whole.len() - 1]).unwrap()),
        ("a lost file", &|| std::fs::remove_file(&rows).unwrap()),
        ("a changed manifest", &|| {
            let mut bytes = named.clone();
            bytes[40] ^= 1;
            std::fs::write(&manifest, bytes).unwrap();
        }),
    ];
    for (what, harm) in harms {
        std::fs::write(&manifest, &named).unwrap();
        std::fs::write(&rows, &whole).unwrap();
        harm();
        let store = open(folder.path()).await;
        assert_eq!(store.place().await.unwrap(), None, "{what}");
        assert_eq!(store.count(channels.to_vec()).await.unwrap(), 0, "{what}");
        store.write(vec![Change::Put(point(channels[0], 1))], "again".into()).await.unwrap();
        assert_eq!(store.count(channels.to_vec()).await.unwrap(), 1, "{what}");
    }
    assert_eq!(Embedded::open(folder.path(), &other).await.unwrap().place().await.unwrap(), None);
}

/// Not a test of time: it prints what the figures of the project are measured by.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement: run it alone, in a release build"]
async fn a_million_rows() {
    let folder = tempfile::tempdir().unwrap();
    let model = ModelId::new("measured", 256, "1");
    let store = Embedded::open(folder.path(), &model).await.unwrap();
    let channels: Vec<ChannelId> = (0..2_000).map(|_| ChannelId::new()).collect();
    let sender_id = UserId(Uuid::from_u128(1));
    let started = std::time::Instant::now();
    for part in 0..100_u64 {
        let changes = (0..10_000_u64).map(|number| {
            let number = part * 10_000 + number;
            let vector: Vec<f32> =
                (0..256).map(|it| (((number * 31 + it * it) % 101) as f32 - 50.0) / 50.0).collect();
            Change::Put(Point {
                id: MessageId::new(),
                channel_id: channels[number as usize * 7 % channels.len()],
                sender_id,
                created_at: number as i64,
                flags: 0,
                vector,
            })
        });
        store.write(changes.collect(), part.to_string()).await.unwrap();
    }
    println!("written in {:?}", started.elapsed());
    for count in [2_000, 200, 20] {
        let mut times: Vec<_> = Vec::new();
        for _ in 0..50 {
            let wanted = Nearest {
                vector: (0..256).map(|it| (it as f32).sin()).collect(),
                channels: channels[..count].to_vec(),
                senders: Vec::new(),
                since: None,
                until: None,
                flags: 0,
                only: None,
                limit: 100,
            };
            let started = std::time::Instant::now();
            assert_eq!(store.search(wanted).await.unwrap().len(), 100);
            times.push(started.elapsed());
        }
        times.sort();
        println!("{count} channels: p50 {:?}, p99 {:?}", times[25], times[49]);
    }
    drop(store);
    let started = std::time::Instant::now();
    Embedded::open(folder.path(), &model).await.unwrap();
    println!("opened in {:?}", started.elapsed());
}
