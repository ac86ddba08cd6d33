//! Many plugins follow the log together: what that costs, and that none holds up another.

use std::time::Duration;

use confab_core::cursors;
use tokio_util::task::TaskTracker;

use super::*;

const SECOND: &str = "org.example.second";
/// More than wait in memory.
const MANY: usize = 300;
const POSTS: u64 = 40;
/// What the dice ask for.
const OWN: &str = r#""messages.post", "storage""#;

/// The dice under another name, which hear messages that begin with `prefix` and bring nothing else.
fn like_dice(id: &str, prefix: &str) -> Bundled {
    like_dice_that_may(id, prefix, OWN)
}

fn like_dice_that_may(id: &str, prefix: &str, permissions: &str) -> Bundled {
    let dice = bundled().iter().find(|it| it.name == "dice").unwrap();
    let sha256 = dice.manifest.lines().find(|line| line.starts_with("sha256")).unwrap();
    let manifest = format!(
        "[plugin]\nid = \"{id}\"\nname = \"Dice\"\nversion = \"1.0.0\"\napi = \"0.2\"\nwasm = \"dice.wasm\"\n{sha256}\n\
         permissions = [{permissions}]\n[[event]]\nname = \"message-posted\"\nprefix = [\"{prefix}\"]\n"
    );
    Bundled { manifest: manifest.leak(), ..*dice }
}

/// The dice and others.
fn with_dice(others: Vec<Bundled>) -> &'static [Bundled] {
    let dice = bundled().iter().find(|it| it.name == "dice").unwrap();
    let all: Vec<Bundled> = std::iter::once(*dice).chain(others).collect();
    all.leak()
}

pub(super) struct Running {
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Running {
    pub(super) async fn start(world: &World, bundled: &'static [Bundled]) -> Self {
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let (db, bus) = (world.db.clone(), world.bus.clone());
        crate::plugins::start_with(bundled, db, bus, world.folder.path(), &tasks, stop.clone())
            .await
            .unwrap();
        Self { stop, tasks }
    }

    pub(super) async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        tokio::time::timeout(Duration::from_secs(20), self.tasks.wait()).await.unwrap();
    }
}

impl World {
    fn bot(&self, plugin: &str) -> UserId {
        self.catalogue.get(plugin).unwrap().bot.id
    }

    /// All that bots said in a channel, in order.
    async fn answers(&self, channel: ChannelId) -> Vec<Message> {
        let (mut all, mut after) = (Vec::new(), 0);
        loop {
            let mut on = self.db.read();
            let admitted = access::admit(&mut on, self.ada, channel).await.unwrap();
            let page = messages::page(&mut on, &admitted, Side::After(after), 100).await.unwrap().messages;
            let Some(last) = page.last() else { return all };
            after = last.seq;
            all.extend(page.into_iter().filter(|it| it.is_bot));
        }
    }

    /// Where in the log messages of somebody are, in order.
    async fn posted_by(&self, channel: ChannelId, user: UserId) -> Vec<i64> {
        let events = log::after(&mut self.db.read(), 0, 10_000).await.unwrap().events;
        let of_user = events.into_iter().filter(|it| {
            it.kind == EventKind::NewMessage && it.channel_id == Some(channel) && it.actor_id == Some(user)
        });
        of_user.map(|it| it.pos).collect()
    }

    /// Rolls, and waits for the answer without asking the record for it.
    async fn rolls(&self, channel: ChannelId) {
        let mut tail = self.bus.tail(&self.db, log::head(&mut self.db.read()).await.unwrap()).await;
        self.post(channel, "!roll 1d20").await;
        let dice = self.bot(DICE);
        let answered = async {
            while !tail
                .next()
                .await
                .iter()
                .any(|it| it.kind == EventKind::NewMessage && it.actor_id == Some(dice))
            {}
        };
        tokio::time::timeout(Duration::from_secs(30), answered).await.unwrap();
    }
}

/// How often this process asked the record.
#[derive(Clone, Copy, Debug)]
struct Counts {
    /// Statements of its readers.
    reads: u64,
    /// Pieces of work that it wrote.
    writes: u64,
}

impl Counts {
    fn of(world: &World) -> Self {
        Self { reads: world.db.statement_count(), writes: world.db.write_count() }
    }
}

/// What [`POSTS`] posts make this process ask of the record while so many plugins with these permissions filter them out, and
/// where these are then.
async fn asked_beside(plugins: usize, permissions: &str) -> Counts {
    let like =
        |number: usize| like_dice_that_may(&format!("org.example.plugin{number}"), "!never", permissions);
    let others = (0..plugins).map(like);
    let bundled = with_dice(others.collect());
    let world = World::with(bundled).await;
    let general = world.general().await;
    let running = Running::start(&world, bundled).await;
    world.rolls(general).await;
    let before = Counts::of(&world);
    for number in 0..POSTS {
        world.post(general, &format!("number {number}")).await;
    }
    world.rolls(general).await;
    let after = Counts::of(&world);
    running.stop().await;

    let question = world.posted_by(general, world.ada).await.pop().unwrap();
    let places = cursors::all(&mut world.db.read()).await.unwrap();
    let places: Vec<i64> =
        places.iter().filter(|(name, _)| name.starts_with(cursors::OF_PLUGIN)).map(|it| it.1).collect();
    assert_eq!(places.len(), plugins + 1);
    assert!(places.iter().all(|pos| *pos >= question), "{places:?}, and {question} was answered");
    Counts { reads: after.reads - before.reads, writes: after.writes - before.writes }
}

#[tokio::test(flavor = "multi_thread")]
async fn plugins_that_filter_everything_out_cost_posts_nothing() {
    let few = asked_beside(1, OWN).await;
    cost_no_more(few, asked_beside(100, OWN).await);
    // Those that reach further know what a channel is for, and ask once.
    cost_no_more(few, asked_beside(100, r#""messages.post", "storage", "channels.public""#).await);
}

fn cost_no_more(few: Counts, many: Counts) {
    // A renewal of the leases or a look at the timers may fall into the one run and not into the other: less than a
    // statement for ten plugins, in all of the posts.
    assert!(many.writes < few.writes + 10, "{many:?} with a hundred plugins, {few:?} with one");
    // The reader of all looks up several posts at once, or each of them.
    assert!(many.reads < few.reads + POSTS + 10, "{many:?} with a hundred plugins, {few:?} with one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_is_behind_holds_up_no_other_and_misses_nothing() {
    let bundled = with_dice(vec![like_dice(SECOND, "!roll")]);
    let world = World::with(bundled).await;
    let (harbour, pier) = (
        world.channel("harbour", ChannelKind::Public).await,
        world.channel("pier", ChannelKind::Public).await,
    );
    world.add(harbour, world.bot(DICE)).await;
    world.add(pier, world.bot(SECOND)).await;
    let until = async |channel: ChannelId, count: usize| {
        let answered = async {
            while world.answers(channel).await.len() < count {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), answered).await.unwrap();
    };
    // Compiled once, so that none begins later than the other.
    let running = Running::start(&world, bundled).await;
    world.post(pier, "!roll 1d6").await;
    until(pier, 1).await;
    running.stop().await;

    let ada = world.ada;
    let asked = world.db.write(move |tx| {
        async move {
            for _ in 0..MANY {
                let draft = Draft { content: "!roll 1d20".into(), ..Draft::default() };
                messages::post(tx, ada, harbour, draft).await?;
            }
            Ok(())
        }
        .boxed()
    });
    asked.await.unwrap();
    let running = Running::start(&world, bundled).await;
    world.post(pier, "!roll 1d6").await;
    until(pier, 2).await;
    let meanwhile = world.answers(harbour).await.len();
    assert!(meanwhile < MANY, "the one with little to do waited for the other");
    until(harbour, MANY).await;
    running.stop().await;

    let asked = world.posted_by(harbour, ada).await;
    let expected: Vec<Option<String>> =
        asked.iter().map(|pos| Some(format!("plugin:{DICE}:{pos}:0"))).collect();
    let answered: Vec<Option<String>> = world.answers(harbour).await.into_iter().map(|it| it.nonce).collect();
    assert_eq!(answered, expected, "each once, in their order");
}
