//! A consumer handles every event, in spite of those that it cannot handle.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use confab_core::{Fault, Result, cursors};
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
        lease: Duration::from_secs(3),
        from: Start::Beginning,
        // As if each ran in a process of its own.
        holder: Some(Uuid::new_v4()),
        ..Consumer::new(name)
    }
}

async fn wait_until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !done().await {
        assert!(started.elapsed() < Duration::from_secs(20), "waited in vain for {what}");
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
    let head = confab_core::log::head(&mut world.db.read()).await.unwrap();
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
    tokio::time::sleep(Duration::from_millis(3_500)).await;
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
