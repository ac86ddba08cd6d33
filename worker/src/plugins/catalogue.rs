//! The plugins that this process can call, as the record says: installed, enabled, and of a component it has.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

use confab_core::plugins::{self, Installed};
use confab_core::{Db, Fault, FutureExt as _, Result, users};
use confab_plugin_host::{CallError, Grants, Limits, LoadError, Manifest, Plugin, Runtime, SettingValue};
use confab_protocol::{UserId, UserRef};

use super::health::Health;
use super::package::Package;

/// A plugin that can be called.
pub(super) struct Loaded {
    /// In reverse domain order.
    pub id: String,
    /// Its handlers.
    pub plugin: Plugin,
    /// Whom it acts as.
    pub bot: UserRef,
    /// What an administrator granted.
    pub grants: Grants,
    /// What it reads of its settings.
    pub settings: BTreeMap<String, SettingValue>,
    /// What it was made of: another one means that it is loaded anew.
    made_of: (String, String),
    health: Mutex<Health>,
}

/// How an installed plugin stands in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It can be called.
    Loaded,
    /// An administrator or its own failures stopped it.
    Disabled,
    /// Another version of this program has its component.
    Unknown,
}

/// See the module.
pub(super) struct Catalogue {
    db: Db,
    runtime: Runtime,
    packages: Vec<Package>,
    loaded: RwLock<Arc<BTreeMap<String, Arc<Loaded>>>>,
    /// One at a time: two reloads at once could leave the older state behind.
    reloading: tokio::sync::Mutex<()>,
}

impl Catalogue {
    /// An empty one.
    ///
    /// # Errors
    /// [`LoadError::Engine`] when the machine cannot run plugins.
    pub(super) fn new(db: &Db, cache_folder: &Path, packages: Vec<Package>) -> Result<Self, LoadError> {
        let runtime = Runtime::new(Some(cache_folder), Limits::default()).or_else(|error| {
            tracing::warn!(%error, "plugins are compiled at each start");
            Runtime::new(None, Limits::default())
        })?;
        let (loaded, reloading) = (RwLock::default(), tokio::sync::Mutex::default());
        Ok(Self { db: db.clone(), runtime, packages, loaded, reloading })
    }

    /// What came with this program.
    pub(super) fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// All that can be called, by id.
    pub(super) fn all(&self) -> Arc<BTreeMap<String, Arc<Loaded>>> {
        Arc::clone(&self.loaded.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// One that can be called now.
    pub(super) fn get(&self, id: &str) -> Option<Arc<Loaded>> {
        self.all().get(id).cloned()
    }

    /// The plugin that has this command: of several the first by id, which is also the one that is listed.
    pub(super) fn with_command(&self, name: &str) -> Option<Arc<Loaded>> {
        self.all().values().find(|it| it.plugin.manifest().command(name).is_some()).cloned()
    }

    /// Reads what is installed and loads what changed; running calls end in what they began with. A plugin that
    /// cannot be loaded is disabled, with the reason. Answers how each stands.
    ///
    /// # Errors
    /// Those of the record.
    pub(super) async fn reload(&self) -> Result<Vec<(String, Standing)>> {
        let _one_at_a_time = self.reloading.lock().await;
        let before = self.all();
        let (mut after, mut standings) = (BTreeMap::new(), Vec::new());
        for installed in plugins::all(&mut self.db.read()).await? {
            let id = installed.id.clone();
            let standing = match self.load(&before, installed).await? {
                Ok(loaded) => {
                    after.insert(id.clone(), loaded);
                    Standing::Loaded
                }
                Err(standing) => standing,
            };
            standings.push((id, standing));
        }
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(after);
        Ok(standings)
    }

    async fn load(
        &self,
        before: &BTreeMap<String, Arc<Loaded>>,
        installed: Installed,
    ) -> Result<Result<Arc<Loaded>, Standing>> {
        if !installed.is_enabled {
            return Ok(Err(Standing::Disabled));
        }
        let made_of = (installed.sha256.clone(), installed.grants.clone());
        if let Some(same) = before.get(&installed.id).filter(|it| it.made_of == made_of) {
            return Ok(Ok(Arc::clone(same)));
        }
        let Some(package) = self.packages.iter().find(|it| it.is(&installed.id, &installed.sha256)) else {
            tracing::warn!(
                plugin = installed.id,
                version = installed.version,
                "this program has no such version of the plugin and leaves it to others"
            );
            return Ok(Err(Standing::Unknown));
        };
        let bot = match installed.bot_id {
            Some(bot) => users::refs(&mut self.db.read(), &[UserId(bot)]).await?.pop(),
            None => None,
        };
        let made = match bot {
            Some(bot) => self.make(package, bot, made_of).await?,
            None => Err("it has no bot user".to_owned()),
        };
        match made {
            Ok(loaded) => Ok(Ok(Arc::new(loaded))),
            Err(reason) => {
                self.disable(&installed.id, &format!("cannot be loaded: {reason}")).await?;
                Ok(Err(Standing::Disabled))
            }
        }
    }

    /// The inner error is a reason that lies in the plugin.
    async fn make(
        &self,
        package: &Package,
        bot: UserRef,
        made_of: (String, String),
    ) -> Result<Result<Loaded, String>> {
        let manifest = package.manifest.clone();
        let settings = match manifest.settings(&BTreeMap::new()) {
            Ok(settings) => settings,
            Err(faults) => return Ok(Err(in_words(&faults))),
        };
        let id = manifest.id.clone();
        let grants = serde_json::from_str(&made_of.1).unwrap_or_else(|error| {
            tracing::warn!(plugin = id, %error, "cannot read what the plugin was granted: it is granted nothing");
            Grants::none()
        });
        let (runtime, wasm) = (self.runtime.clone(), package.wasm);
        // Compiling takes a tenth of a second to tens of seconds of CPU.
        let loaded = tokio::task::spawn_blocking(move || runtime.load(manifest, wasm)).await;
        match loaded.map_err(Fault::internal)? {
            Ok(plugin) => {
                tracing::info!(
                    plugin = id,
                    version = package.manifest.version,
                    bot = bot.username,
                    "plugin loaded"
                );
                let health = Mutex::default();
                Ok(Ok(Loaded { id, plugin, bot, grants, settings, made_of, health }))
            }
            Err(LoadError::Engine(text)) => Err(Fault::Internal(format!("the plugin engine: {text}"))),
            Err(error) => Ok(Err(error.to_string())),
        }
    }

    /// Stops a plugin everywhere, until an administrator starts it again.
    ///
    /// # Errors
    /// Those of the record.
    pub(super) async fn disable(&self, id: &str, reason: &str) -> Result<()> {
        tracing::error!(plugin = id, reason, "plugin disabled");
        {
            // At once, and not only when the event comes round: each further call would fail too.
            let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
            let mut without = BTreeMap::clone(&loaded);
            without.remove(id);
            *loaded = Arc::new(without);
        }
        let (id, reason) = (id.to_owned(), format!("{}{reason}", super::STOPPED));
        self.db
            .write(move |tx| async move { plugins::enable(tx, &id, false, Some(&reason)).await }.boxed())
            .await
    }

    /// Runs a call into a plugin, measures it, and disables a plugin that fails too often.
    ///
    /// # Errors
    /// Those of the call.
    pub(super) async fn call<T>(
        &self,
        loaded: &Loaded,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        let begun = Instant::now();
        let answer = call.await;
        let outcome = answer.as_ref().map_or_else(CallError::kind, |_| "ok");
        metrics::histogram!("confab_plugin_call_seconds", "plugin" => loaded.id.clone())
            .record(begun.elapsed().as_secs_f64());
        metrics::counter!("confab_plugin_calls_total", "plugin" => loaded.id.clone(), "outcome" => outcome)
            .increment(1);
        if let Err(error) = &answer
            && error.is_fault()
        {
            tracing::warn!(plugin = loaded.id, %error, "a call of a plugin failed");
            let is_enough =
                loaded.health.lock().unwrap_or_else(PoisonError::into_inner).strike(Instant::now());
            if is_enough {
                let reason =
                    format!("failed {} times in 10 minutes, at last: {error}", super::health::STRIKES);
                if let Err(fault) = self.disable(&loaded.id, &reason).await {
                    tracing::error!(plugin = loaded.id, %fault, "cannot note that the plugin is disabled");
                }
            }
        }
        answer
    }
}

/// Several faults as one sentence.
pub(super) fn in_words(faults: &[confab_plugin_host::Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// The manifest that a plugin was installed with, if it can still be read.
pub(super) fn manifest_of(installed: &Installed) -> Option<Manifest> {
    Manifest::parse(&installed.manifest).ok()
}
