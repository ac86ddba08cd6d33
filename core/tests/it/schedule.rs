//! What waits for its time, where a story cannot look: two that send the same at once, an account that may no longer sign
//! in, a channel that is gone.

use std::time::Duration;

use confab_core::FutureExt;
use confab_core::channels::{self};
use confab_core::messages::{self, NewMessage};
use confab_core::retention::{self, Rule};
use confab_core::roles::Granted;
use confab_core::scheduled_messages::{self, NewScheduledMessage, State};
use confab_core::users::{self};
use confab_protocol::{ChannelId, MessageId, Timestamp};
use uuid::Uuid;

use crate::harness::Place;

impl Place {
    async fn schedule(&self, content: &str) -> Uuid {
        let (ada, channel_id, content) = (self.ada, self.room, content.to_owned());
        let send_at = Timestamp::now();
        let new = NewScheduledMessage { channel_id, parent_id: None, content, file_ids: Vec::new(), send_at };
        let made = self
            .db
            .write(move |tx| async move { scheduled_messages::create(tx, ada, new).await }.boxed())
            .await;
        made.expect("it waits").id
    }

    async fn state(&self, id: Uuid) -> (State, Option<String>) {
        let found = scheduled_messages::find(&mut self.db.read(), self.ada, id).await.expect("it is there");
        (found.state, found.reason)
    }

    async fn count(&self) -> i64 {
        messages::count(&mut self.db.read()).await.expect("a count")
    }

    async fn expire(&self) -> usize {
        let room = self.room;
        self.db
            .write(move |tx| async move { retention::expire(tx, room).await }.boxed())
            .await
            .expect("a batch")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_send_the_same_send_it_once() {
    let world = Place::open().await;
    for _ in 0..5 {
        let before = world.count().await;
        let id = world.schedule("hello").await;
        let tries = (0..10).map(|_| scheduled_messages::send_due(&world.db, id));
        let sent = futures_util::future::join_all(tries).await;
        assert_eq!(sent.iter().filter(|it| matches!(it, Ok(true))).count(), 1, "{sent:?}");
        assert_eq!((world.count().await, world.state(id).await), (before + 1, (State::Sent, None)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_sign_in_sends_nothing() {
    let world = Place::open().await;
    let id = world.schedule("hello").await;
    let ada = world.ada;
    world
        .db
        .write(move |tx| async move { users::disable(tx, &Granted::operator(), ada).await }.boxed())
        .await
        .expect("disabled");
    assert!(!scheduled_messages::send_due(&world.db, id).await.expect("no fault of the record"));
    assert_eq!(world.state(id).await, (State::Failed, Some("account_disabled".into())));
    assert_eq!(world.count().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_a_deleted_channel_go_too() {
    let world = Place::open().await;
    let (ada, room) = (world.ada, world.room);
    let old = Timestamp(Timestamp::now().0 - Duration::from_hours(24 * 40).as_millis() as i64);
    let all: Vec<NewMessage> = (0..retention::BATCH + 20)
        .map(|number| NewMessage {
            id: MessageId::new(),
            sender_id: ada,
            content: format!("number {number}"),
            html: None,
            parent_id: None,
            nonce: None,
            mentions: Vec::new(),
            has_attachments: false,
            created_at: old,
        })
        .collect();
    let first = all[0].id;
    world
        .db
        .write(move |tx| async move { messages::import(tx, room, &all).await }.boxed())
        .await
        .expect("imported");
    assert_eq!(world.expire().await, 0, "no rule");
    let rule = Rule { message_retention_days: Some(41) };
    world
        .db
        .write(move |tx| async move { retention::set_rule(tx, &Granted::operator(), rule).await }.boxed())
        .await
        .expect("a rule");
    assert_eq!(world.expire().await, 0, "not old enough");
    world
        .db
        .write(move |tx| async move { channels::delete(tx, &ada.into(), room).await }.boxed())
        .await
        .expect("deleted");
    let rule = Rule { message_retention_days: Some(39) };
    world
        .db
        .write(move |tx| async move { retention::set_rule(tx, &Granted::operator(), rule).await }.boxed())
        .await
        .expect("a rule");
    let (overdue, next) =
        retention::overdue(&mut world.db.read(), ChannelId(Uuid::nil())).await.expect("a look");
    assert_eq!((overdue, next), (vec![room], None));
    assert_eq!((world.expire().await, world.expire().await, world.expire().await), (retention::BATCH, 20, 0));
    let (overdue, _) =
        retention::overdue(&mut world.db.read(), ChannelId(Uuid::nil())).await.expect("a look");
    assert!(overdue.is_empty());
    let found = messages::find(&mut world.db.read(), ada, first).await;
    assert!(found.is_err(), "the channel is gone");
}
