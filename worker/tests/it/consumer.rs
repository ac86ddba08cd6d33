//! A consumer handles every event, in spite of those that it cannot handle.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use confab_core::cursors::DeadLetter;
use confab_core::roles::Granted;
use confab_core::{Fault, FutureExt, Result, cursors, log};
use confab_protocol::{ChannelKind, Event, EventKind};
use confab_worker::consumer::{Consumer, Handler, Start};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::world::World;

#[derive(Default)]
struct Picky {
    /// How often each event was handled.
    seen: Mutex<HashMap<Uuid, u32>>,
    poison: Mutex<Option<Uuid>>,
    panics: bool,
}

impl Handler for Picky {
    async fn handle(&self, event: &Event, attempt: u32) -> Result<()> {
        if event.kind != EventKind::NewMessage {
            return Ok(());
        }
        let times = {
            let mut seen = self.seen.lock().unwrap();
            let times = seen.entry(event.ref_id).or_default();
            *times += 1;
            *times
        };
        assert_eq!(attempt, times);
        if *self.poison.lock().unwrap() == Some(event.ref_id) {
            assert!(!self.panics, "cannot digest this");
            return Err(Fault::Internal("cannot digest this".into()));
        }
        Ok(())
    }
}

fn consumer(name: &str) -> Consumer {
    Consumer {
        backoff: vec![Duration::from_millis(20)],
        lease: Duration::from_secs(10),
        from: Start::Beginning,
        // As if each ran in a process of its own.
        holder: Some(Uuid::new_v4()),
        ..Consumer::new(name)
    }
}

async fn wait_until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !done().await {
        assert!(started.elapsed() < Duration::from_mins(1), "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn buries_after_its_tries(panics: bool) {
    let world = World::quiet().await;
    let ada = world.user("ada").await;
    let harbour = world.channel(ada, "harbour", ChannelKind::Public).await;
    world.post(ada, harbour, "first").await;
    let poison = world.post(ada, harbour, "poison").await;
    let handler = Arc::new(Picky { panics, ..Picky::default() });
    *handler.poison.lock().unwrap() = Some(poison.id.0);
    let stop = CancellationToken::new();
    let running = tokio::spawn(consumer("test").run(
        world.db.clone(),
        world.bus.clone(),
        handler.clone(),
        stop.clone(),
    ));
    let last = world.post(ada, harbour, "last").await;

    wait_until("the last event, which must not wait for the poison", async || {
        handler.seen.lock().unwrap().contains_key(&last.id.0)
    })
    .await;
    wait_until("the burial", async || {
        !cursors::dead_letters(&mut world.db.read(), None, 10).await.unwrap().is_empty()
    })
    .await;
    let dead = cursors::dead_letters(&mut world.db.read(), None, 10).await.unwrap();
    assert_eq!((dead.len(), dead[0].attempts, dead[0].consumer.as_str()), (1, 6, "test"));
    assert_eq!(dead[0].kind, "new_message");
    assert_eq!(handler.seen.lock().unwrap()[&poison.id.0], 6);
    stop.cancel();
    running.await.unwrap();
    let places = cursors::all(&mut world.db.read()).await.unwrap();
    let head = log::head(&mut world.db.read()).await.unwrap();
    assert!(places.contains(&("test".to_owned(), head)), "{places:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_fails_is_buried_and_the_others_go_on() {
    buries_after_its_tries(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_counts_as_a_failure() {
    buries_after_its_tries(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_works_and_another_takes_over() {
    let world = World::quiet().await;
    let ada = world.user("ada").await;
    let harbour = world.channel(ada, "harbour", ChannelKind::Public).await;
    let (one, other) = (Arc::new(Picky::default()), Arc::new(Picky::default()));
    let (stop_one, stop_other) = (CancellationToken::new(), CancellationToken::new());
    let run = |handler: &Arc<Picky>, stop: &CancellationToken| {
        tokio::spawn(consumer("shared").run(
            world.db.clone(),
            world.bus.clone(),
            handler.clone(),
            stop.clone(),
        ))
    };
    let first = run(&one, &stop_one);
    world.post(ada, harbour, "one").await;
    wait_until("the first", async || one.seen.lock().unwrap().len() == 1).await;
    let second = run(&other, &stop_other);
    // Longer than the lease: the first keeps its place by renewing it.
    tokio::time::sleep(Duration::from_secs(11)).await;
    world.post(ada, harbour, "two").await;
    wait_until("the first again", async || one.seen.lock().unwrap().len() == 2).await;
    assert!(other.seen.lock().unwrap().is_empty());
    // As a crash would: nothing is released, and what was not noted comes again.
    first.abort();
    let _ = first.await;
    let three = world.post(ada, harbour, "three").await;
    wait_until("the second", async || other.seen.lock().unwrap().contains_key(&three.id.0)).await;
    assert_eq!(one.seen.lock().unwrap().len(), 2);
    stop_other.cancel();
    second.await.unwrap();
}

/// Fails at messages until it is healed, and remembers what it was given.
#[derive(Default)]
struct Ill {
    healed: AtomicBool,
    given: Mutex<Vec<(i64, u32)>>,
}

impl Handler for Ill {
    async fn handle(&self, event: &Event, attempt: u32) -> Result<()> {
        assert_ne!(event.kind, EventKind::RetryRequested, "a request is no event for handlers");
        if event.kind == EventKind::NewMessage {
            self.given.lock().unwrap().push((event.pos, attempt));
            if !self.healed.load(Ordering::Relaxed) {
                return Err(Fault::Internal("still ill".into()));
            }
        }
        Ok(())
    }
}

async fn letters(world: &World) -> Vec<DeadLetter> {
    cursors::dead_letters(&mut world.db.read(), None, 10).await.unwrap()
}

async fn letter_but(world: &World, old: Option<Uuid>) -> DeadLetter {
    wait_until("a new dead letter", async || letters(world).await.iter().any(|it| Some(it.id) != old)).await;
    letters(world).await.pop().unwrap()
}

async fn retry(world: &World, id: Uuid) -> Result<()> {
    world.db.write(move |tx| async move { cursors::retry(tx, &Granted::operator(), id).await }.boxed()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_handled_again_when_asked() {
    let world = World::quiet().await;
    let ada = world.user("ada").await;
    let harbour = world.channel(ada, "harbour", ChannelKind::Public).await;
    let (ill, other) = (Arc::new(Ill::default()), Arc::new(Ill::default()));
    other.healed.store(true, Ordering::Relaxed);
    let stop = CancellationToken::new();
    let run = |name: &str, handler: &Arc<Ill>| {
        let consumer = Consumer { attempts: 2, ..consumer(name) };
        tokio::spawn(consumer.run(world.db.clone(), world.bus.clone(), handler.clone(), stop.clone()))
    };
    let running = [run("ill", &ill), run("well", &other)];
    world.post(ada, harbour, "hard to digest").await;
    let first = letter_but(&world, None).await;
    let pos = first.pos;

    // It fails again: there is a new letter, of the same event, and the old one cannot be used a second time.
    retry(&world, first.id).await.unwrap();
    let second = letter_but(&world, Some(first.id)).await;
    assert_eq!((second.pos, second.attempts, second.kind.as_str()), (pos, 2, "new_message"));
    assert_eq!(*ill.given.lock().unwrap(), [(pos, 1), (pos, 2), (pos, 1), (pos, 2)]);
    assert_eq!(letters(&world).await.len(), 1);
    assert_eq!(retry(&world, first.id).await.unwrap_err().code(), "already_retried");
    assert_eq!(retry(&world, Uuid::nil()).await.unwrap_err().code(), "not_found");

    ill.healed.store(true, Ordering::Relaxed);
    retry(&world, second.id).await.unwrap();
    wait_until("the event", async || ill.given.lock().unwrap().len() == 5).await;
    assert_eq!(ill.given.lock().unwrap().last(), Some(&(pos, 1)));
    assert!(letters(&world).await.is_empty());
    wait_until("the other one", async || !other.given.lock().unwrap().is_empty()).await;
    assert_eq!(*other.given.lock().unwrap(), [(pos, 1)], "the retry was another consumer's");

    stop.cancel();
    for running in running {
        running.await.unwrap();
    }
    let head = log::head(&mut world.db.read()).await.unwrap();
    assert!(cursors::all(&mut world.db.read()).await.unwrap().contains(&("ill".to_owned(), head)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_goes_on_after_a_restart() {
    let world = World::quiet().await;
    let ada = world.user("ada").await;
    let harbour = world.channel(ada, "harbour", ChannelKind::Public).await;
    let ill = Arc::new(Ill::default());
    let run = |stop: &CancellationToken, backoff: u64| {
        let backoff = vec![Duration::from_millis(backoff)];
        let consumer = Consumer { attempts: 2, backoff, ..consumer("ill") };
        tokio::spawn(consumer.run(world.db.clone(), world.bus.clone(), ill.clone(), stop.clone()))
    };
    let stop = CancellationToken::new();
    let running = run(&stop, 20);
    world.post(ada, harbour, "hard to digest").await;
    let letter = letter_but(&world, None).await;
    stop.cancel();
    running.await.unwrap();

    // Stopped between the first and the second try of the retry.
    let stop = CancellationToken::new();
    let running = run(&stop, 60_000);
    retry(&world, letter.id).await.unwrap();
    wait_until("the first try", async || ill.given.lock().unwrap().len() == 3).await;
    stop.cancel();
    running.await.unwrap();

    ill.healed.store(true, Ordering::Relaxed);
    let stop = CancellationToken::new();
    let running = run(&stop, 20);
    wait_until("the retry", async || ill.given.lock().unwrap().len() == 4).await;
    assert_eq!(ill.given.lock().unwrap().last(), Some(&(letter.pos, 1)));
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_retried_that_nobody_would_take() {
    let world = World::quiet().await;
    let ada = world.user("ada").await;
    let harbour = world.channel(ada, "harbour", ChannelKind::Public).await;
    world.post(ada, harbour, "hello").await;
    let event = log::after(&mut world.db.read(), 0, 100).await.unwrap().events.pop().unwrap();
    let bury = async |consumer: &'static str, event: Event| {
        let before: Vec<Uuid> = letters(&world).await.iter().map(|it| it.id).collect();
        world
            .db
            .write(move |tx| async move { cursors::bury(tx, consumer, &event, "", 4).await }.boxed())
            .await
            .unwrap();
        letters(&world).await.into_iter().map(|it| it.id).find(|it| !before.contains(it)).unwrap()
    };
    let of_plugin = bury("plugins/chat.confab.absent", event.clone()).await;
    let of_event = bury("ill", Event { pos: event.pos + 1_000, ..event }).await;
    assert_eq!(retry(&world, of_plugin).await.unwrap_err().code(), "plugin_disabled");
    assert_eq!(retry(&world, of_event).await.unwrap_err().code(), "gone");
    assert_eq!(letters(&world).await.len(), 2, "a refused retry uses no letter up");
}
