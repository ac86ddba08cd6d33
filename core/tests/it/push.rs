//! Browsers take turns: what is claimed is held, what fails is left alone for longer each time, and nothing is lost.

use confab_core::channels::{self, NewChannel};
use confab_core::messages::{self, Draft};
use confab_core::push::{self, ATTEMPTS, Due, Full, NewSubscription, Outcome};
use confab_core::sessions::{self, Device, Method};
use confab_core::users::{self, NewUser};
use confab_core::{Db, FutureExt, members, roles};
use confab_protocol::{ChannelId, ChannelKind, ChannelRole, UserId};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::harness::{record, rows};

struct Town {
    db: Db,
    owner: UserId,
    person: UserId,
    rooms: Vec<ChannelId>,
    browser: Uuid,
    record: SqliteConnection,
    _folder: tempfile::TempDir,
}

impl Town {
    /// Two people, and one browser of the second.
    async fn found(rooms: usize) -> Self {
        let (db, folder) = record().await;
        let record = rows(&folder).await;
        let (owner, person, rooms, browser) = db
            .write(move |tx| {
                async move {
                    roles::create_defaults(tx).await?;
                    let owner = users::create(tx, NewUser::check("owner", None, None)?).await?.id;
                    let person = users::create(tx, NewUser::check("person", None, None)?).await?.id;
                    let mut made = Vec::new();
                    for number in 0..rooms {
                        let new = NewChannel::check(&format!("room{number}"), ChannelKind::Public, None)?;
                        let room = channels::create(tx, Some(owner), new).await?;
                        members::add(tx, room, &[(person, ChannelRole::Member)], None).await?;
                        made.push(room);
                    }
                    let session = sessions::start(tx, person, Device::default(), Method::Password).await?;
                    let new = NewSubscription {
                        endpoint: "https://push.example.org/one".into(),
                        host: "push.example.org".into(),
                        p256dh: String::new(),
                        auth: String::new(),
                    };
                    let made_browser = push::subscribe(tx, person, session.session_id, new).await?;
                    Ok((owner, person, made, made_browser.id))
                }
                .boxed()
            })
            .await
            .expect("a town");
        Self { db, owner, person, rooms, browser, record, _folder: folder }
    }

    async fn post(&self, room: usize, text: String) {
        let (owner, room) = (self.owner, self.rooms[room]);
        let draft = Draft { content: format!("@person {text}"), ..Draft::default() };
        self.db
            .write(move |tx| async move { messages::post(tx, owner, room, draft).await }.boxed())
            .await
            .expect("a message");
    }

    async fn waits(&self, full: &Full) -> usize {
        let found = push::look(&mut self.db.read(), full).await.expect("an answer");
        found.iter().filter(|it| !it.is_held()).count()
    }

    /// Rows that a look comes past, held or not.
    async fn rows(&self) -> usize {
        push::look(&mut self.db.read(), &Full::default()).await.expect("an answer").len()
    }

    async fn put_off(&self) {
        let browser = self.browser;
        let done = self.db.write(move |tx| async move { push::put_off(tx, &[browser]).await }.boxed()).await;
        done.expect("an answer");
    }

    async fn claim(&self) -> Option<Due> {
        let browser = self.browser;
        let claimed = self.db.write(move |tx| async move { push::claim(tx, &[browser]).await }.boxed()).await;
        claimed.expect("an answer").pop()
    }

    /// Claims, and reads what would be sent.
    async fn claim_text(&self) -> Option<(Due, String)> {
        let due = self.claim().await?;
        let letter = push::letter(&mut self.db.read(), &due).await.expect("an answer").expect("a letter");
        Some((due, letter.brief.text.trim_start_matches("@person ").to_owned()))
    }

    async fn settle(&self, due: Due, outcome: Outcome) -> bool {
        let done =
            self.db.write(move |tx| async move { push::settle(tx, &due, outcome).await }.boxed()).await;
        done.expect("an answer")
    }

    /// So much time passes, as far as pushing knows.
    async fn pass(&mut self, seconds: i64) {
        for statement in [
            "update push_subscriptions set next_at = next_at - $1, failing_since = failing_since - $1",
            "update pushes set due_at = due_at - $1",
        ] {
            sqlx::query(statement).bind(seconds * 1_000).execute(&mut self.record).await.expect("a record");
        }
    }

    /// In how many seconds the next turn is, failures in a row, and how many pushes wait.
    async fn state(&mut self) -> (Option<i64>, Option<i64>, i64) {
        let now = confab_protocol::Timestamp::now().0;
        let (next_at, failures): (Option<i64>, Option<i64>) =
            sqlx::query_as("select next_at, failures from push_subscriptions")
                .fetch_one(&mut self.record)
                .await
                .expect("the browser");
        let waiting = sqlx::query_scalar("select count(*) from pushes")
            .fetch_one(&mut self.record)
            .await
            .expect("a count");
        // A disk that takes its time is part of a long pause, not of a short one.
        let seconds = |ms: i64| if ms > 20_000 { (ms + 4_999) / 5_000 * 5 } else { (ms + 999) / 1_000 };
        (next_at.map(|it| seconds(it - now)), failures, waiting)
    }

    async fn browsers(&self) -> usize {
        push::list(&mut self.db.read(), self.person).await.expect("a list").len()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_each_channel_the_newest_is_sent_and_one_at_a_time() {
    let mut town = Town::found(2).await;
    assert_eq!(town.waits(&Full::default()).await, 0);
    for (room, text) in [(0, "a"), (1, "b"), (0, "c"), (1, "d")] {
        town.post(room, text.into()).await;
    }
    let of_person = Full { users: vec![town.person.0], hosts: Vec::new() };
    let of_host = Full { users: Vec::new(), hosts: vec!["push.example.org".into()] };
    let other = Full { users: vec![town.owner.0], hosts: vec!["other.example.org".into()] };
    assert_eq!((town.waits(&of_person).await, town.waits(&of_host).await), (0, 0), "they are passed by");
    assert_eq!(town.waits(&other).await, 4);

    let (due, text) = town.claim_text().await.expect("a turn");
    assert_eq!(text, "c");
    assert_eq!((town.waits(&other).await, town.state().await), (0, (Some(30), None, 2)));
    assert!(town.claim().await.is_none(), "another server has it");
    // What comes meanwhile waits for the browser's next turn, and the newest stands for its channel.
    town.post(1, "e".into()).await;
    assert_eq!((town.waits(&other).await, town.rows().await), (0, 1));
    town.put_off().await;
    assert_eq!(town.rows().await, 0, "it waits with the browser");
    assert!(town.settle(due, Outcome::Sent).await, "there is more");
    let (due, text) = town.claim_text().await.expect("a turn");
    assert_eq!(text, "e");
    assert!(!town.settle(due, Outcome::Sent).await);
    assert_eq!(town.state().await, (None, None, 0));
    town.post(0, "x".into()).await;
    town.put_off().await;
    assert_eq!(town.waits(&other).await, 1, "a browser that is free has nothing put off");
    let due = town.claim().await.expect("a turn");
    town.settle(due, Outcome::Needless).await;

    // Killed while it sent: whoever comes next sends it again. The first one's late word changes nothing of that.
    town.post(0, "f".into()).await;
    let late = town.claim().await.expect("a turn");
    // A hold is known by its end, in milliseconds: half a minute later it is another one, and here by the next tick.
    let held_at = confab_protocol::Timestamp::now();
    while confab_protocol::Timestamp::now() <= held_at {
        tokio::task::yield_now().await;
    }
    town.pass(31).await;
    let (due, text) = town.claim_text().await.expect("a turn of another");
    assert_eq!((text.as_str(), due.attempts), ("f", 2));
    town.settle(late, Outcome::Failed(None)).await;
    assert_eq!(town.state().await, (Some(30), None, 1));
    town.settle(due, Outcome::Needless).await;
    assert_eq!(town.state().await, (None, None, 0));

    // A day later it is no news.
    town.post(0, "g".into()).await;
    let old = Uuid::parse_str("0198c0de-0000-7000-8000-000000000001").expect("an id");
    sqlx::query("update pushes set id = $1").bind(old).execute(&mut town.record).await.expect("a record");
    assert!(town.claim().await.is_none());
    assert_eq!(town.state().await, (None, None, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_left_alone_for_longer_and_dropped_in_the_end() {
    let mut town = Town::found(1).await;
    town.post(0, "one".into()).await;
    let mut longest = 2;
    for failure in 1..=ATTEMPTS {
        let due = town.claim().await.expect("a turn");
        assert_eq!(due.attempts, failure);
        town.settle(due, Outcome::Failed(None)).await;
        let (wait, failures, waiting) = town.state().await;
        let wait = wait.expect("a pause");
        // As far as it is not over already, and to the next five seconds.
        assert!(
            wait + 2 >= longest / 2 && wait < longest + 5,
            "after {failure} failures: {wait} of {longest} s"
        );
        let is_given_up = failure == ATTEMPTS;
        assert_eq!((failures, waiting), (Some(failure), i64::from(!is_given_up)));
        // A minute back, since the first pause is over in a second.
        town.pass(-60).await;
        assert!(town.claim().await.is_none(), "it is left alone");
        town.pass(longest + 60).await;
        longest = (longest * 4).min(3_600);
    }
    // The next one does not try at once; a service may ask for more, but not for ever.
    town.post(0, "two".into()).await;
    let due = town.claim().await.expect("a turn");
    town.settle(due, Outcome::Failed(Some(std::time::Duration::from_secs(1 << 40)))).await;
    assert_eq!(town.state().await.0, Some(3_600));
    town.post(0, "three".into()).await;
    assert_eq!(town.waits(&Full::default()).await, 0, "new ones wait with it");
    town.pass(3_600).await;
    // One that is taken ends it.
    let (due, text) = town.claim_text().await.expect("a turn");
    assert_eq!(text, "three");
    town.settle(due, Outcome::Sent).await;
    assert_eq!(town.state().await, (None, None, 0));

    // What is refused is not tried again, and counts.
    town.post(0, "four".into()).await;
    let due = town.claim().await.expect("a turn");
    town.settle(due, Outcome::Refused).await;
    let (wait, failures, waiting) = town.state().await;
    assert_eq!((wait.is_some(), failures, waiting), (true, Some(1), 0));
    // Failing for a week is not enough when it was tried once, nor is failing often.
    for failure in 2..ATTEMPTS {
        town.pass(8 * 24 * 3_600).await;
        town.post(0, "again".into()).await;
        let due = town.claim().await.expect("a turn");
        town.settle(due, Outcome::Refused).await;
        assert_eq!((town.browsers().await, town.state().await.1), (1, Some(failure)));
    }
    town.pass(8 * 24 * 3_600).await;
    town.post(0, "last".into()).await;
    let due = town.claim().await.expect("a turn");
    town.settle(due, Outcome::Refused).await;
    assert_eq!(town.browsers().await, 0, "it is told no more");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_one_browser_is_bounded() {
    let mut town = Town::found(1).await;
    let due = {
        town.post(0, "first".into()).await;
        town.claim().await.expect("a turn")
    };
    town.settle(due, Outcome::Failed(Some(std::time::Duration::from_hours(1)))).await;
    for number in 0..300 {
        town.post(0, number.to_string()).await;
    }
    assert_eq!(town.state().await.2, 256, "no more is queued");
    town.db.write(|tx| push::sweep(tx).boxed()).await.expect("a sweep");
    assert_eq!(town.state().await.2, 32, "the newest stay");
    town.post(0, "newest".into()).await;
    assert_eq!(town.state().await.2, 33);
    town.pass(3_600).await;
    assert_eq!(town.claim_text().await.map(|it| it.1).as_deref(), Some("newest"));
    assert_eq!(town.state().await.2, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_an_older_version_noted_is_counted_too() {
    let mut town = Town::found(1).await;
    sqlx::query("update push_subscriptions set host = null")
        .execute(&mut town.record)
        .await
        .expect("a record");
    town.post(0, "one".into()).await;
    let full = Full { users: Vec::new(), hosts: vec!["push.example.org".into()] };
    let found = push::look(&mut town.db.read(), &full).await.expect("an answer").pop().expect("the browser");
    assert_eq!((found.id, found.host), (town.browser, None));
    let named = vec![(found.id, "push.example.org".to_owned())];
    town.db.write(move |tx| async move { push::name_hosts(tx, &named).await }.boxed()).await.expect("a name");
    assert_eq!((town.waits(&full).await, town.waits(&Full::default()).await), (0, 1));
}
