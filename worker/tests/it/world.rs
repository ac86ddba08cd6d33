//! A record in a temporary folder, people in it, and a worker that may be stopped and started again.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use confab_core::channels::{self, NewChannel};
use confab_core::db::{self, Opened};
use confab_core::messages::{self, Draft};
use confab_core::users::{self, NewUser};
use confab_core::{Bus, Db, Fault, FutureExt, Settings, members};
use confab_protocol::{ChannelId, ChannelKind, Message, MessageId, Timestamp, UserId};
use confab_worker::Worker;
use confab_worker::search::{Mode, Order};
use confab_worker::services::{
    self, Answer, Context, ContextAnswer, IndexState, Question, Search, SearchAnswer,
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub struct World {
    pub db: Db,
    pub bus: Bus,
    settings: Settings,
    running: Option<(Worker, CancellationToken)>,
    folder: TempDir,
}

impl World {
    /// A record without a worker.
    pub async fn quiet() -> Self {
        Self::quiet_with(&[]).await
    }

    async fn quiet_with(more: &[(&'static str, String)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path(), more);
        let db = db::open(&settings, Opened::Migrated).await.unwrap();
        let bus = Bus::open(&settings, &db, CancellationToken::new()).await.unwrap();
        Self { db, bus, settings, running: None, folder }
    }

    pub async fn new() -> Self {
        let mut world = Self::quiet().await;
        world.start().await;
        world
    }

    /// With settings of its own.
    pub async fn with(settings: &[(&'static str, String)]) -> Self {
        let mut world = Self::quiet_with(settings).await;
        world.start().await;
        world
    }

    /// Other settings, from the next start on.
    pub fn set(&mut self, more: &[(&'static str, String)]) {
        self.settings = settings(self.folder.path(), more);
    }

    pub fn index_folder(&self) -> PathBuf {
        self.folder.path().join("index")
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub async fn start(&mut self) {
        self.try_start().await.unwrap();
    }

    pub async fn try_start(&mut self) -> Result<(), Fault> {
        let stop = CancellationToken::new();
        let worker =
            confab_worker::start(self.db.clone(), self.bus.clone(), &self.settings, stop.clone()).await?;
        self.running = Some((worker, stop));
        Ok(())
    }

    pub async fn stop(&mut self) {
        let (worker, stop) = self.running.take().unwrap();
        stop.cancel();
        tokio::time::timeout(Duration::from_mins(1), worker.finished()).await.expect("the worker ends");
    }

    pub async fn user(&self, name: &str) -> UserId {
        let new = NewUser::check(name, None, None).unwrap();
        let id = new.id;
        self.db.write(move |tx| async move { users::create(tx, new).await }.boxed()).await.unwrap();
        id
    }

    pub async fn channel(&self, owner: UserId, name: &str, kind: ChannelKind) -> ChannelId {
        let new = NewChannel::check(name, kind, None).unwrap();
        self.db
            .write(move |tx| async move { channels::create(tx, Some(owner), new).await }.boxed())
            .await
            .unwrap()
    }

    pub async fn join(&self, user: UserId, channel: ChannelId) {
        self.db.write(move |tx| async move { members::join(tx, user, channel).await }.boxed()).await.unwrap();
    }

    pub async fn post(&self, user: UserId, channel: ChannelId, content: &str) -> Message {
        self.reply(user, channel, None, content).await
    }

    pub async fn reply(
        &self,
        user: UserId,
        channel: ChannelId,
        parent_id: Option<MessageId>,
        content: &str,
    ) -> Message {
        let draft = Draft { content: content.into(), parent_id, ..Draft::default() };
        let posted = self
            .db
            .write(move |tx| async move { messages::post(tx, user, channel, draft).await }.boxed())
            .await
            .unwrap();
        // Of two messages of one millisecond neither is the newer one.
        while Timestamp::now() <= posted.message.created_at {
            tokio::task::yield_now().await;
        }
        posted.message
    }

    pub async fn edit(&self, user: UserId, id: MessageId, content: &str) {
        let content = content.to_owned();
        self.db
            .write(move |tx| async move { messages::edit(tx, user, id, content, None).await }.boxed())
            .await
            .unwrap();
    }

    pub async fn delete(&self, user: UserId, id: MessageId) {
        self.db.write(move |tx| async move { messages::delete(tx, user, id).await }.boxed()).await.unwrap();
    }

    pub async fn state(&self) -> IndexState {
        self.bus.ask(services::INDEX_STATE, &serde_json::json!({})).await.unwrap()
    }

    /// Waits until everything that happened is in the index.
    pub async fn settled(&self) {
        let started = Instant::now();
        // While nobody searches the index takes its time.
        let _ = self.try_search(UserId::new(), "anything").await;
        loop {
            let state = self.state().await;
            if state.lag == 0 && state.vectors_lag == 0 {
                return;
            }
            assert!(started.elapsed() < Duration::from_mins(1), "the index stays behind: {state:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn try_search(&self, user_id: UserId, q: &str) -> Result<SearchAnswer, Fault> {
        self.try_search_by(Mode::Keyword, user_id, q).await
    }

    pub async fn try_search_by(&self, mode: Mode, user_id: UserId, q: &str) -> Result<SearchAnswer, Fault> {
        self.bus
            .ask(
                services::SEARCH,
                &Search {
                    user_id,
                    q: q.into(),
                    limit: 50,
                    cursor: None,
                    mode: Some(mode),
                    order: Order::default(),
                    reach: None,
                },
            )
            .await
    }

    /// The texts found, the best first, once the index is up to date.
    pub async fn search(&self, user: UserId, q: &str) -> Vec<String> {
        self.settled().await;
        let found = self.try_search(user, q).await.unwrap_or_else(|fault| panic!("{q}: {fault}"));
        found.items.into_iter().map(|hit| hit.message.content).collect()
    }

    pub async fn ask(&self, user_id: UserId, content: &str, channel_id: Option<ChannelId>) -> Answer {
        self.settled().await;
        let question = Question {
            user_id,
            content: content.into(),
            channel_id,
            conversation_id: None,
            session_id: None,
            is_unkept: false,
        };
        self.bus.ask(services::ANSWER, &question).await.unwrap()
    }

    pub async fn context(&self, user_id: UserId, query: &str) -> ContextAnswer {
        self.settled().await;
        let asked = Context { user_id, query: query.into(), limit: 5, channel_id: None };
        self.bus.ask(services::CONTEXT, &asked).await.unwrap()
    }
}

fn settings(folder: &Path, more: &[(&'static str, String)]) -> Settings {
    let mut flags = vec![("data_dir", folder.display().to_string())];
    flags.extend_from_slice(more);
    Settings::read(&flags, None, folder, std::iter::empty()).unwrap()
}
