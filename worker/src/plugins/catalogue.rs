//! The plugins that this process can call, as the record says: installed, enabled, and of a component it has.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use confab_core::access::bots::{Bot, Reach};
use confab_core::latency::{Latencies, Summary};
use confab_core::plugins::{self, Installed, parts};
use confab_core::{Bus, Db, Fault, FutureExt as _, Result, users};
use confab_plugin_host::{
    CallError, Grants, Level, Limits, LoadError, Manifest, Permission, Plugin, Runtime, SettingValue,
};
use confab_protocol::{UserId, UserRef};
use tokio::sync::{Notify, OnceCell};

use super::health::Health;
use super::host::{BotHost, Means, Occasion, Reading};
use super::notes::Notes;
use super::package::Package;

/// Calls are counted by the hour, for a day.
const HOUR: Duration = Duration::from_hours(1);
const HOURS: u64 = 24;

/// A plugin that can be called.
pub(super) struct Loaded {
    /// In reverse domain order.
    pub id: String,
    /// What it says of itself.
    pub manifest: Manifest,
    /// Its component. `None`: it was uploaded and stands in the record.
    wasm: Option<&'static [u8]>,
    /// Its handlers, compiled when the first of them is called: most servers have plugins that nobody calls for days.
    plugin: OnceCell<Plugin>,
    /// Whom it acts as.
    pub bot: UserRef,
    /// What an administrator granted.
    pub grants: Grants,
    /// What it reads of its settings.
    pub settings: BTreeMap<String, SettingValue>,
    /// What it was made of: another one means that it is loaded anew.
    made_of: MadeOf,
    health: Mutex<Health>,
}

/// Component, grants, settings and manifest: an update may change its origins or webhooks and nothing else.
type MadeOf = (String, String, Option<String>, String);

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
    bus: Bus,
    notes: Arc<Notes>,
    /// A timer was set that may be due sooner than any other.
    sooner: Arc<Notify>,
    /// Started for the first call.
    runtime: OnceCell<Runtime>,
    cache_folder: PathBuf,
    packages: Vec<Package>,
    loaded: RwLock<Arc<BTreeMap<String, Arc<Loaded>>>>,
    /// How long calls took and how many failed in the last day, in this process, of each plugin that was called: what the
    /// figures of a server's monitoring say in full. They outlive a new version and a failure.
    taken: Mutex<BTreeMap<String, Arc<Latencies>>>,
    /// One at a time: two reloads at once could leave the older state behind.
    reloading: tokio::sync::Mutex<()>,
}

impl Catalogue {
    /// An empty one. Compiled plugins are kept in `cache_folder`.
    pub(super) fn new(db: &Db, bus: &Bus, cache_folder: &Path, packages: Vec<Package>) -> Self {
        let (loaded, reloading) = (RwLock::default(), tokio::sync::Mutex::default());
        let (runtime, cache_folder) = (OnceCell::new(), cache_folder.to_owned());
        let (db, bus, notes, sooner) = (db.clone(), bus.clone(), Arc::default(), Arc::default());
        let taken = Mutex::default();
        Self { db, bus, notes, sooner, runtime, cache_folder, packages, loaded, taken, reloading }
    }

    /// The host of one call into a plugin; of one that answers a person, with what this person may do too and no more.
    pub(super) fn host(&self, of: &Arc<Loaded>, occasion: Occasion, person: Option<UserId>) -> Arc<BotHost> {
        BotHost::new(self.means(), of, occasion, person, None)
    }

    /// The host of one call for the assistant, which answers a person.
    pub(super) fn host_of_tool(&self, of: &Arc<Loaded>, person: UserId, reading: Reading) -> Arc<BotHost> {
        BotHost::new(
            self.means(),
            of,
            Occasion::command(confab_protocol::fresh_id()),
            Some(person),
            Some(reading),
        )
    }

    fn means(&self) -> Means {
        let (notes, sooner) = (Arc::clone(&self.notes), Arc::clone(&self.sooner));
        Means { db: self.db.clone(), bus: self.bus.clone(), notes, sooner }
    }

    /// A reader of the record.
    pub(super) fn read(&self) -> confab_core::Reader {
        self.db.read()
    }

    /// What is noted of plugins.
    pub(super) fn notes(&self) -> &Arc<Notes> {
        &self.notes
    }

    /// Told when a timer may be due sooner.
    pub(super) fn sooner(&self) -> &Notify {
        &self.sooner
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
        self.all().values().find(|it| it.manifest.command(name).is_some()).cloned()
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
        let made_of = (
            installed.sha256.clone(),
            installed.grants.clone(),
            installed.settings.clone(),
            installed.manifest.clone(),
        );
        if let Some(same) = before.get(&installed.id).filter(|it| it.made_of == made_of) {
            return Ok(Ok(Arc::clone(same)));
        }
        let package = self.packages.iter().find(|it| it.is(&installed.id, &installed.sha256));
        let source = match package {
            Some(package) => Ok((package.manifest.clone(), Some(package.wasm))),
            None if parts::is_here(&mut self.db.read(), &installed.sha256).await? => {
                Manifest::parse(&installed.manifest).map(|it| (it, None)).map_err(|faults| in_words(&faults))
            }
            None => {
                tracing::warn!(
                    plugin = installed.id,
                    version = installed.version,
                    "this program has no such version of the plugin and leaves it to others"
                );
                return Ok(Err(Standing::Unknown));
            }
        };
        let bot = match installed.bot_id {
            Some(bot) => users::refs(&mut self.db.read(), &[UserId(bot)]).await?.pop(),
            None => None,
        };
        let made = match (source, bot) {
            (Ok(source), Some(bot)) => make(source, bot, made_of),
            (Err(reason), _) => Err(reason),
            (_, None) => Err("it has no bot user".to_owned()),
        };
        match made {
            Ok(loaded) => Ok(Ok(Arc::new(loaded))),
            Err(reason) => {
                self.disable(&installed.id, &format!("cannot be loaded: {reason}")).await?;
                Ok(Err(Standing::Disabled))
            }
        }
    }

    /// The handlers of a plugin. One that turns out not to work is disabled, with the reason.
    ///
    /// # Errors
    /// [`CallError::Trap`] when there are none.
    pub(super) async fn handlers<'a>(&self, loaded: &'a Loaded) -> Result<&'a Plugin, CallError> {
        let made = loaded.plugin.get_or_try_init(|| self.compile(loaded)).await;
        let error = match made {
            Ok(plugin) => return Ok(plugin),
            Err(error) => error,
        };
        if let LoadError::Engine(text) = &error {
            tracing::error!(plugin = loaded.id, text, "this machine runs no plugins");
        } else {
            let reason = format!("cannot be loaded: {error}");
            if let Err(fault) = self.disable(&loaded.id, &reason).await {
                tracing::error!(plugin = loaded.id, %fault, "cannot note that the plugin is disabled");
            }
        }
        Err(CallError::Trap(error.to_string()))
    }

    async fn compile(&self, loaded: &Loaded) -> Result<Plugin, LoadError> {
        let wasm = match loaded.wasm {
            Some(wasm) => Cow::Borrowed(wasm),
            None => Cow::Owned(self.component(&loaded.manifest.sha256).await?),
        };
        let plugin = self.made(loaded.manifest.clone(), wasm).await?;
        let (version, bot) = (&loaded.manifest.version, &loaded.bot.username);
        tracing::info!(plugin = loaded.id, version, bot, "plugin loaded");
        Ok(plugin)
    }

    /// Compiles a component, or takes it from the cache. Takes a tenth of a second to tens of seconds of CPU.
    ///
    /// # Errors
    /// Those of [`Runtime::load`].
    pub(super) async fn made(
        &self,
        manifest: Manifest,
        wasm: Cow<'static, [u8]>,
    ) -> Result<Plugin, LoadError> {
        let runtime = self.runtime.get_or_try_init(|| async { self.start_engine() }).await?.clone();
        let made = tokio::task::spawn_blocking(move || runtime.load(manifest, &wasm)).await;
        made.map_err(|error| LoadError::Engine(error.to_string()))?
    }

    /// An uploaded component.
    pub(super) async fn component(&self, sha256: &str) -> Result<Vec<u8>, LoadError> {
        let found = parts::component(&mut self.db.read(), sha256).await;
        let found = found.map_err(|fault| LoadError::Engine(fault.to_string()))?;
        found.ok_or_else(|| LoadError::Compile("the component is not in the record any more".into()))
    }

    fn start_engine(&self) -> Result<Runtime, LoadError> {
        Runtime::new(Some(&self.cache_folder), Limits::default()).or_else(|error| {
            tracing::warn!(%error, "plugins are compiled at each start");
            Runtime::new(None, Limits::default())
        })
    }

    /// Stops a plugin everywhere, until an administrator starts it again.
    ///
    /// # Errors
    /// Those of the record.
    pub(super) async fn disable(&self, id: &str, reason: &str) -> Result<()> {
        tracing::error!(plugin = id, reason, "plugin disabled");
        let failing = self.get(id);
        let (db, name, reason) = (self.db.clone(), id.to_owned(), format!("{}{reason}", super::STOPPED));
        // By itself, to its end: who waits for the call that failed may give up in the middle.
        let written = tokio::spawn(async move {
            db.write(move |tx| async move { plugins::enable(tx, &name, false, Some(&reason)).await }.boxed())
                .await
        });
        // First the record: while that says that it runs, its events would pass by nobody, and administrators would see nothing
        // of it. Then at once, and not only when the event comes round: each further call would fail too.
        written.await.map_err(Fault::internal)??;
        if let Some(failing) = failing {
            self.take_away(&failing);
        }
        Ok(())
    }

    /// Unless another has come into its place: an administrator may have started it again meanwhile.
    fn take_away(&self, gone: &Arc<Loaded>) {
        let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        if loaded.get(&gone.id).is_some_and(|here| Arc::ptr_eq(here, gone)) {
            let mut with = BTreeMap::clone(&loaded);
            with.remove(&gone.id);
            *loaded = Arc::new(with);
        }
    }

    /// How its calls went in the last day, in this process.
    pub(super) fn last_day(&self, id: &str) -> Summary {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        taken.map(|it| it.summary()).unwrap_or_default()
    }

    fn taken_by(&self, id: &str) -> Arc<Latencies> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = taken.get(id) {
            return Arc::clone(known);
        }
        let new = Arc::new(Latencies::new(HOUR, HOURS));
        taken.insert(id.to_owned(), Arc::clone(&new));
        new
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
        let has_failed = answer.as_ref().is_err_and(CallError::is_fault);
        self.taken_by(&loaded.id).took(begun.elapsed(), has_failed);
        if let Err(error) = &answer
            && error.is_fault()
        {
            self.notes.line(&loaded.id, Level::Error, &format!("a call failed: {error}"));
            let is_enough =
                loaded.health.lock().unwrap_or_else(PoisonError::into_inner).strike(Instant::now());
            // A call that was under way when it was stopped, or started anew, stops nothing again.
            let is_here = self.get(&loaded.id).is_some_and(|here| std::ptr::eq(&raw const *here, loaded));
            if is_enough && is_here {
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

impl Loaded {
    /// Who reads for it, and how far: where its manifest asks for more than its bot's channels and an administrator granted it.
    pub(super) fn reader(&self) -> Bot {
        let granted = self.manifest.asks().within(&self.grants);
        let reach = if granted.has(Permission::AllChannels) {
            Reach::All
        } else if granted.has(Permission::PublicChannels) {
            Reach::Public
        } else {
            Reach::Joined
        };
        Bot { id: self.bot.id, reach }
    }

    /// Whether it wants to be told of its installation. The name of what a component exports stands in it.
    pub(super) fn has_lifecycle(&self) -> bool {
        const NAME: &[u8] = b"confab:plugin/lifecycle";
        // An uploaded one is asked: it is compiled already, since that is how it was checked.
        self.wasm.is_none_or(|wasm| wasm.windows(NAME.len()).any(|part| part == NAME))
    }
}

/// The error is a reason that lies in the plugin.
fn make(
    (manifest, wasm): (Manifest, Option<&'static [u8]>),
    bot: UserRef,
    made_of: MadeOf,
) -> Result<Loaded, String> {
    let given = settings_of(made_of.2.as_deref());
    let settings = manifest.settings(&given).map_err(|faults| in_words(&faults))?;
    if let Some(wasm) = wasm {
        Runtime::check(&manifest, wasm).map_err(|error| error.to_string())?;
    }
    let id = manifest.id.clone();
    let grants = serde_json::from_str(&made_of.1).unwrap_or_else(|error| {
        tracing::warn!(plugin = id, %error, "cannot read what the plugin was granted: it is granted nothing");
        Grants::none()
    });
    let (plugin, health) = (OnceCell::new(), Mutex::default());
    Ok(Loaded { id, manifest, wasm, plugin, bot, grants, settings, made_of, health })
}

/// What an administrator set.
pub(super) fn settings_of(text: Option<&str>) -> BTreeMap<String, SettingValue> {
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// Several faults as one sentence.
pub(super) fn in_words(faults: &[confab_plugin_host::Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// The manifest that a plugin was installed with, if it can still be read.
pub(super) fn manifest_of(installed: &Installed) -> Option<Manifest> {
    Manifest::parse(&installed.manifest).ok()
}
