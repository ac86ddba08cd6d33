//! A whole installation: one process, or a small cluster with everything it stands on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::command::{UNREACHABLE, clean, confab, worker_program};
use super::nats::Nats;
use super::node::Node;
use super::postgres::Postgres;
use super::process::{Ending, Process};
use super::user::User;
use super::wait::wait_until;

/// The administrator that every world starts with.
pub const ADMIN: &str = "warden";
/// Their password.
pub const ADMIN_PASSWORD: &str = "a warden keeps many keys";

/// An installation and the people known in it. Everything ends with this value: processes first, then their folders.
pub struct World {
    pub nodes: Vec<Node>,
    worker: Option<Process>,
    second_worker: Option<Process>,
    nats: Option<Nats>,
    postgres: Option<Postgres>,
    folder: TempDir,
    places: BTreeMap<String, usize>,
}

impl World {
    /// One `confab serve` with nothing configured but what tests need.
    pub async fn embedded() -> Self {
        Self::embedded_with(&[]).await
    }

    /// The same, with more settings.
    pub async fn embedded_with(more: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut settings = common();
        settings.extend_from_slice(more);
        let node = Node::start(&folder.path().join("data"), &settings).await;
        Self {
            nodes: vec![node],
            worker: None,
            second_worker: None,
            nats: None,
            postgres: None,
            folder,
            places: BTreeMap::new(),
        }
    }

    /// PostgreSQL, NATS, two `confab serve` and one `confab-worker`.
    pub async fn scaled() -> Self {
        Self::scaled_with(&[]).await
    }

    /// The same, with more settings.
    pub async fn scaled_with(more: &[(&str, &str)]) -> Self {
        let (postgres, nats) = tokio::join!(Postgres::start(), Nats::start());
        let folder = tempfile::tempdir().expect("a temporary folder");
        let database = postgres.url();
        let mut settings = common();
        let files = files_url(folder.path());
        settings.extend([
            ("DATABASE_URL", database.as_str()),
            ("NATS_URL", nats.url()),
            ("CONFAB_FILES_URL", files.as_str()),
        ]);
        settings.extend_from_slice(more);

        // Scaled servers refuse to start on pending migrations, so that a rolling deploy migrates once, on purpose.
        let mut migrated = confab(folder.path(), &["migrate", "up"], &settings).await;
        for _ in 0..5 {
            // It gives a PostgreSQL 3 s, which one that was just made may need on a busy disk.
            if migrated.code != UNREACHABLE {
                break;
            }
            migrated = confab(folder.path(), &["migrate", "up"], &settings).await;
        }
        assert_eq!(migrated.code, 0, "confab migrate up: {}", migrated.said());

        // The second starts once the first has made the administrator and the shared keys.
        let first = Node::start(&folder.path().join("one"), &settings).await;
        let second = Node::start(&folder.path().join("two"), &settings).await;
        let mut worker = start_worker(&folder.path().join("worker"), &settings);
        for node in [&first, &second] {
            let visitor = User::visitor(&node.address);
            wait_until("the worker to answer the servers", async || {
                if worker.exited().is_some_and(|status| status.code() == Some(UNREACHABLE)) {
                    worker = start_worker(&folder.path().join("worker"), &settings);
                }
                visitor.call(reqwest::Method::GET, "/ready", None).await.body()["search"] == "ok"
            })
            .await;
        }
        let world = Self {
            nodes: vec![first, second],
            worker: Some(worker),
            second_worker: None,
            nats: Some(nats),
            postgres: Some(postgres),
            folder,
            places: BTreeMap::new(),
        };
        world.settled().await;
        world
    }

    /// Waits until plugins are installed and everybody has heard of it: their accounts come into the channels beside whatever
    /// the story does else.
    async fn settled(&self) {
        let visitor = self.visitor();
        wait_until("the plugins to be there", async || {
            let call = visitor.call(reqwest::Method::POST, "/hooks/plugins/nobody/nothing", None);
            call.await.status != 503
        })
        .await;
        let untold =
            "select (select count(*) from events where pos is null) + last_pos - published_pos from log_meta";
        wait_until("all of it to be told", async || self.postgres().ask(untold) == ["0"]).await;
    }

    /// Where the bytes of uploads lie, unless a story chose another place.
    pub fn files(&self) -> PathBuf {
        if self.is_scaled() { self.folder.path().join("shared") } else { self.nodes[0].data.clone() }
    }

    /// What all its programs of ours logged so far.
    pub fn output(&self) -> String {
        let servers = self.nodes.iter().map(Node::output);
        servers
            .chain(self.worker.iter().chain(&self.second_worker).map(Process::output))
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// Whether several servers share the record.
    pub fn is_scaled(&self) -> bool {
        self.postgres.is_some()
    }

    /// The servers' common record.
    pub fn postgres(&self) -> &Postgres {
        self.postgres.as_ref().expect("only several servers have it")
    }

    /// The settings that a command needs to reach this world's record.
    pub fn settings(&self) -> Vec<(String, String)> {
        let mut settings = vec![("CONFAB_DATA_DIR".to_owned(), self.nodes[0].data.display().to_string())];
        if let (Some(postgres), Some(nats)) = (&self.postgres, &self.nats) {
            settings.push(("DATABASE_URL".to_owned(), postgres.url()));
            settings.push(("NATS_URL".to_owned(), nats.url().to_owned()));
            settings.push(("CONFAB_FILES_URL".to_owned(), files_url(self.folder.path())));
        }
        settings
    }

    /// Starts another worker beside the first one.
    pub fn add_worker(&mut self, more: &[(&str, &str)]) {
        let shared = self.settings();
        let mut settings = common();
        settings.extend(shared.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        settings.extend_from_slice(more);
        self.second_worker = Some(start_worker(&self.folder.path().join("second-worker"), &settings));
    }

    /// Starts another server beside the two.
    pub async fn add_node(&mut self, more: &[(&str, &str)]) {
        let shared = self.settings();
        let mut settings = common();
        settings.extend(shared.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        settings.extend_from_slice(more);
        self.nodes.push(Node::start(&self.folder.path().join("three"), &settings).await);
    }

    /// Kills what answers questions: the first worker, or the one process that there is, which is started again.
    pub async fn kill_worker(&mut self) {
        if let Some(worker) = &mut self.worker {
            worker.kill();
        } else {
            self.nodes[0].kill();
            self.nodes[0].restart().await;
        }
    }

    /// Lets the worker stand still, without a word.
    pub fn freeze_worker(&self) {
        self.worker.as_ref().expect("a world with a worker").freeze();
    }

    /// A named person, registered at first mention and logged in after. In a scaled world people are spread over the
    /// servers in order of appearance, so the first two never share one.
    pub async fn user(&mut self, name: &str) -> User {
        let next = self.places.len();
        let place = *self.places.entry(name.to_owned()).or_insert(next);
        User::enter(name, &self.nodes[place % self.nodes.len()].address).await
    }

    /// The administrator.
    pub async fn admin(&self) -> User {
        User::log_in(ADMIN, ADMIN_PASSWORD, &self.nodes[0].address).await
    }

    /// Somebody without an account.
    pub fn visitor(&self) -> User {
        User::visitor(&self.nodes[0].address)
    }
}

/// One folder for all servers.
fn files_url(folder: &Path) -> String {
    format!("file://{}", folder.join("shared").display())
}

/// The settings of every server under test.
pub fn common() -> Vec<(&'static str, &'static str)> {
    vec![
        ("CONFAB_RATE_LIMITS", "off"),
        ("CONFAB_REGISTRATION", "open"),
        ("CONFAB_ADMIN_USERNAME", ADMIN),
        ("CONFAB_ADMIN_EMAIL", "warden@example.org"),
        ("CONFAB_ADMIN_PASSWORD", ADMIN_PASSWORD),
    ]
}

fn start_worker(data: &Path, settings: &[(&str, &str)]) -> Process {
    let folder = data.parent().expect("the data folder stands in the test's folder");
    let mut command = clean(&worker_program(), folder, settings);
    command.env("CONFAB_DATA_DIR", data);
    Process::start("confab-worker", command, Ending::Kill)
}
