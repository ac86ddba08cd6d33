//! The bundled dice and the hostile plugin of the host's tests, on a record of their own.

#![allow(clippy::unwrap_used)]

mod commands;
mod events;
mod followed;
mod installed;
mod kept;
mod owners;
mod reach;
mod summaries;
mod tools;

use std::sync::Arc;

use confab_core::bus::Bus;
use confab_core::channels::{self, NewChannel};
use confab_core::db::{self, Opened};
use confab_core::messages::{self, Draft, Side};
use confab_core::users::{self, NewUser};
use confab_core::{Db, FutureExt as _, Settings, access, log, members, reactions};
use confab_plugin_host::{Bundled, bundled};
use confab_protocol::{ChannelId, ChannelKind, ChannelRole, Event, EventKind, Message, MessageId, UserId};
use tokio_util::sync::CancellationToken;

use super::catalogue::{Catalogue, Loaded};
use super::command::{Commands, Question};
use super::package::{self, Package};

const DICE: &str = "chat.confab.dice";
const HOSTILE: &str = "chat.confab.hostile";

static HOSTILE_BUNDLE: [Bundled; 1] = [Bundled {
    name: "hostile",
    manifest: include_str!("../../../plugins/host/tests/hostile.toml"),
    starts: true,
    wasm: include_bytes!("../../../plugins/host/tests/hostile.wasm"),
    images: &[],
}];

/// A server without its programs: Ada, the default channels and the bundled plugins.
struct World {
    folder: tempfile::TempDir,
    db: Db,
    bus: Bus,
    catalogue: Arc<Catalogue>,
    commands: Commands,
    ada: UserId,
}

impl World {
    /// With the plugins that come with the program.
    async fn new() -> Self {
        Self::with(bundled()).await
    }

    async fn with(bundled: &'static [Bundled]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let flags = [("data_dir", folder.path().display().to_string())];
        let settings = Settings::read(&flags, None, folder.path(), std::iter::empty()).unwrap();
        let db = db::open(&settings, Opened::Migrated).await.unwrap();
        let bus = Bus::open(&settings, &db, CancellationToken::new()).await.unwrap();
        db.write(|tx| channels::create_defaults(tx).boxed()).await.unwrap();
        let cache = folder.path().join("plugins-cache");
        let catalogue = Arc::new(Catalogue::new(&db, &bus, &cache, Package::all(bundled)));
        package::install_all(&db, &catalogue).await.unwrap();
        let commands = Commands::new(&db, &catalogue);
        let ada = new_user(&db, "ada").await;
        Self { folder, db, bus, catalogue, commands, ada }
    }

    fn dice(&self) -> Arc<Loaded> {
        self.catalogue.get(DICE).unwrap()
    }

    /// A channel of Ada's, without the bot.
    async fn channel(&self, name: &str, kind: ChannelKind) -> ChannelId {
        let (ada, new) = (self.ada, NewChannel::check(name, kind, None).unwrap());
        self.db.write(move |tx| channels::create(tx, Some(ada), new).boxed()).await.unwrap()
    }

    async fn general(&self) -> ChannelId {
        channels::by_name(&mut self.db.read(), "general").await.unwrap().unwrap()
    }

    async fn add(&self, channel: ChannelId, user: UserId) {
        let people = [(user, ChannelRole::Member)];
        self.db
            .write(move |tx| async move { members::add(tx, channel, &people, None).await }.boxed())
            .await
            .unwrap();
    }

    async fn remove(&self, channel: ChannelId, user: UserId) {
        let ada = self.ada;
        self.db.write(move |tx| members::remove(tx, ada, channel, user).boxed()).await.unwrap();
    }

    async fn post(&self, channel: ChannelId, content: &str) -> MessageId {
        let (ada, draft) = (self.ada, Draft { content: content.to_owned(), ..Draft::default() });
        self.db.write(move |tx| messages::post(tx, ada, channel, draft).boxed()).await.unwrap().message.id
    }

    async fn react(&self, user: UserId, message: MessageId, code: &'static str) {
        self.db.write(move |tx| reactions::add(tx, user, message, code).boxed()).await.unwrap();
    }

    /// What bots said in a channel that Ada reads, in order.
    async fn said(&self, channel: ChannelId) -> Vec<Message> {
        let mut on = self.db.read();
        let admitted = access::admit(&mut on, self.ada, channel).await.unwrap();
        let page = messages::page(&mut on, &admitted, Side::Newest, 100).await.unwrap();
        page.messages.into_iter().filter(|it| it.is_bot).collect()
    }

    /// The newest event of a kind.
    async fn last(&self, kind: EventKind) -> Event {
        let events = log::after(&mut self.db.read(), 0, 500).await.unwrap().events;
        events.into_iter().rfind(|it| it.kind == kind).unwrap()
    }

    fn asked(&self, channel_id: ChannelId, text: &str) -> Question {
        Question {
            user_id: self.ada,
            channel_id,
            parent_id: None,
            text: text.to_owned(),
            invocation_id: confab_protocol::fresh_id(),
        }
    }
}

async fn new_user(db: &Db, name: &str) -> UserId {
    let new = NewUser::check(name, None, None).unwrap();
    db.write(move |tx| users::create(tx, new).boxed()).await.unwrap().id
}
