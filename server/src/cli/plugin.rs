//! `confab plugin`: for whoever runs the server, who may all of it. A running server hears of it from the log. `new`,
//! `check`, `test`, `keygen` and `sign` are for authors, and need no server.

mod log;
mod new;
mod rehearsal;
mod signing;

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use confab_core::plugins::administration;
use confab_core::plugins::{self as known, Installed, NewPlugin, parts};
use confab_core::roles::Granted;
use confab_core::text::hex;
use confab_core::{Db, Fault, FutureExt, Result, Settings};
use confab_worker::plugins::{self, Checked};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Common, open_record, refused, say};
use crate::plugin_images::{self, Image};

#[derive(Subcommand)]
pub enum Plugin {
    /// Write a new plugin: a folder with all that it takes to build and try it
    New {
        /// Lower-case letters, digits and hyphens
        name: PathBuf,
        /// In which language
        #[arg(long = "lang", value_enum)]
        language: new::Language,
    },
    /// Play a written conversation with the plugin in a folder, without a server; fails if it answers otherwise
    Test {
        /// The folder
        folder: PathBuf,
        /// Another file than the folder's conversation.txt
        #[arg(long, value_name = "FILE")]
        conversation: Option<PathBuf>,
        /// Write what the plugin does into the file
        #[arg(long)]
        write: bool,
    },
    /// What an event costs the plugin in a folder, on this machine; needs no server
    Measure {
        /// The folder
        folder: PathBuf,
        /// The text of the message that it is told of
        #[arg(long, default_value = "hello")]
        text: String,
        /// How often
        #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        calls: u32,
    },
    /// What is installed
    List,
    /// Whether the plugin in a folder (plugin.toml and its component) is sound, and what it asks for; needs no server
    Check {
        /// The folder
        folder: PathBuf,
    },
    /// Make a key to sign plugins with, in a file of its own
    Keygen {
        /// Where to: nothing is overwritten
        file: PathBuf,
    },
    /// Sign the plugin in a folder as it is built now: writes plugin.sig beside plugin.toml
    Sign {
        /// The folder, or a file in it
        folder: PathBuf,
        /// What keygen wrote, or any Ed25519 key in PKCS#8, as PEM
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    /// Install the plugin in a folder, or update it
    Install {
        /// The folder
        folder: PathBuf,
        /// What it may do, with commas between, or `all` that it asks for
        #[arg(long, value_delimiter = ',', value_name = "PERMISSION")]
        grant: Vec<String>,
        /// Also where another key signed it than the version before, or none
        #[arg(long)]
        new_signer: bool,
    },
    /// Start a plugin
    Enable {
        /// Such as org.example.polls
        id: String,
    },
    /// Stop a plugin
    Disable {
        /// Such as org.example.polls
        id: String,
    },
    /// Remove a plugin with all that it kept
    Remove {
        /// Such as org.example.polls
        id: String,
    },
    /// What a plugin said of itself, also beside a running server
    Logs {
        /// Such as org.example.polls
        id: String,
        /// Go on with what it says from now on, until it is interrupted
        #[arg(long, short)]
        follow: bool,
    },
}

/// Runs `confab plugin`.
pub async fn run(which: Plugin, common: &Common, settings: &Settings) -> Result<()> {
    let which = match which {
        Plugin::New { name, language } => return new::run(&name, language, common),
        Plugin::Test { folder, conversation, write } => {
            return rehearsal::run(&folder, conversation, write, common).await;
        }
        Plugin::Check { folder } => {
            let Read { checked, .. } = read(&folder).await?;
            let shown = json!({
                "id": checked.id,
                "version": checked.version,
                "asks": checked.asks,
                "signature": checked.signature,
            });
            say(common, &shown, || told(&checked));
            return Ok(());
        }
        Plugin::Keygen { file } => return signing::make_key(&file, common),
        Plugin::Sign { folder, key } => return signing::sign(&folder, &key, common),
        Plugin::Measure { folder, text, calls } => {
            let (manifest, component) = files(&folder)?;
            let cache = cache()
                .ok_or_else(|| refused("unwritable", "there is no folder to cache in: set HOME".into()))?;
            let found = plugins::measure(&manifest, &component, &text, calls, &cache).await?;
            say(common, &found, || format!("{found:#}"));
            return Ok(());
        }
        Plugin::Logs { id, follow } => return log::run(&id, follow, common, settings).await,
        other => other,
    };
    let db = open_record(settings).await?;
    let done = match which {
        // Done before the record was opened to be written.
        Plugin::New { .. }
        | Plugin::Test { .. }
        | Plugin::Measure { .. }
        | Plugin::Check { .. }
        | Plugin::Keygen { .. }
        | Plugin::Logs { .. }
        | Plugin::Sign { .. } => Ok(()),
        Plugin::List => list(&db, common).await,
        Plugin::Install { folder, grant, new_signer } => {
            let from = Source { folder: &folder, new_signer, trusted: &settings.plugin_trusted_keys };
            install(&db, &from, grant, common).await
        }
        Plugin::Enable { id } => switch(&db, id, true, common).await,
        Plugin::Disable { id } => switch(&db, id, false, common).await,
        Plugin::Remove { id } => remove(&db, id, common).await,
    };
    db.close().await;
    done
}

/// A plugin in a folder, and what it is.
struct Read {
    component: Vec<u8>,
    images: Vec<Image>,
    checked: Checked,
}

async fn read(folder: &Path) -> Result<Read> {
    let ((manifest, component), signature) = (files(folder)?, signing::of_folder(folder)?);
    let images = image_files(folder, &manifest)?;
    // Compiling takes a tenth of a second to tens of seconds of CPU.
    let looked = tokio::task::spawn_blocking(move || -> Result<Read> {
        let images = plugin_images::made(images)?;
        let hashes = plugin_images::hashes(&images);
        let checked = plugins::inspect(manifest, &component, hashes, signature, cache().as_deref())?;
        Ok(Read { component, images, checked })
    });
    looked.await.map_err(Fault::internal)?
}

/// The images that a manifest names, of those that are beside it: whether one is missing, is said where the manifest is
/// looked at.
fn image_files(folder: &Path, manifest: &str) -> Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    for name in plugins::image_files(manifest) {
        let path = folder.join(&name);
        let unreadable =
            |error: std::io::Error| refused("unreadable", format!("{}: {error}", path.display()));
        let file = match std::fs::File::open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            opened => opened.map_err(unreadable)?,
        };
        let mut bytes = Vec::new();
        file.take(plugin_images::MOST_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        found.push((name, bytes));
    }
    Ok(found)
}

/// Compiling a plugin with an interpreter takes half a minute: what was compiled is kept where only its owner writes.
fn cache() -> Option<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let base = base.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    base.filter(|it| it.is_absolute()).map(|it| it.join("confab/plugins"))
}

/// The manifest's text and the component in a folder.
fn files(folder: &Path) -> Result<(String, Vec<u8>)> {
    let file = |name: &str| {
        let path = folder.join(name);
        std::fs::read(&path).map_err(|error| {
            let is_unbuilt = error.kind() == std::io::ErrorKind::NotFound
                && Path::new(name).extension().is_some_and(|it| it == "wasm");
            let hint = if is_unbuilt { "; build the plugin first" } else { "" };
            refused("unreadable", format!("{}: {error}{hint}", path.display()))
        })
    };
    let manifest =
        String::from_utf8(file("plugin.toml")?).map_err(|_| Fault::invalid("manifest", "is no text"))?;
    let line = manifest.lines().find_map(|line| line.trim_start().strip_prefix("wasm"));
    let name = line.and_then(|line| line.split('"').nth(1)).filter(|name| !name.contains(['/', '\\']));
    let component = file(name.ok_or_else(|| Fault::invalid("manifest", "plugin.wasm: is missing"))?)?;
    Ok((manifest, component))
}

fn told(checked: &Checked) -> String {
    let Checked { name, version, id, .. } = checked;
    let mut text = format!("{name} {version} ({id}) is sound, {}", hand(&checked.signature));
    for ask in &checked.asks_described {
        let word = |key: &str| ask[key].as_str().unwrap_or_default().to_owned();
        text.extend(["\n  asks for ", &word("name"), ": ", &word("description")]);
    }
    text
}

/// Whose a plugin is, in words.
fn hand(signature: &Value) -> String {
    match (signature["state"].as_str(), signature["key"].as_str()) {
        (_, Some(key)) => format!("signed by {key}"),
        (Some("invalid"), _) => "with a signature of something else".to_owned(),
        _ => "unsigned".to_owned(),
    }
}

async fn list(db: &Db, common: &Common) -> Result<()> {
    let all = known::all(&mut db.read()).await?;
    let items: Vec<Value> = all.iter().map(shown).collect();
    say(common, &json!({ "items": items }), || {
        let line = |it: &Installed| {
            let reason = it.disabled_reason.as_deref().unwrap_or("off");
            let state = if it.is_enabled { "runs" } else { reason };
            format!("{}\t{}\t{}\t{state}", it.id, it.version, hand(&plugins::signature(&it.manifest)))
        };
        all.iter().map(line).collect::<Vec<_>>().join("\n")
    });
    Ok(())
}

fn shown(it: &Installed) -> Value {
    json!({
        "id": it.id,
        "version": it.version,
        "enabled": it.is_enabled,
        "disabled_reason": it.disabled_reason,
        "sha256": it.sha256,
        "signature": plugins::signature(&it.manifest),
        "grants": serde_json::from_str::<Value>(&it.grants).unwrap_or_default(),
        "waiting_version": it.waiting_version,
    })
}

/// Where a plugin comes from.
struct Source<'a> {
    folder: &'a Path,
    /// Also from another hand than the version before.
    new_signer: bool,
    /// Keys that the operator trusts.
    trusted: &'a [String],
}

impl Source<'_> {
    /// Whether it comes from whom it may.
    async fn admit(&self, db: &Db, checked: &Checked) -> Result<()> {
        plugins::admit(self.trusted, &checked.manifest)?;
        let before = known::all(&mut db.read()).await?.into_iter().find(|it| it.id == checked.id);
        let Some(before) = before.filter(|it| plugins::changes_signer(&it.manifest, &checked.manifest))
        else {
            return Ok(());
        };
        if self.new_signer {
            return Ok(());
        }
        let (was, is) = (hand(&plugins::signature(&before.manifest)), hand(&checked.signature));
        let message = format!("it was {was} and is {is} now; --new-signer installs it nevertheless");
        Err(Fault::conflict("other_signer", message))
    }
}

async fn install(db: &Db, from: &Source<'_>, grant: Vec<String>, common: &Common) -> Result<()> {
    let Read { component, images, checked } = read(from.folder).await?;
    from.admit(db, &checked).await?;
    if checked.id.starts_with("chat.confab.") && known::find(&mut db.read(), &checked.id).await.is_ok() {
        return Err(Fault::conflict("bundled_plugin", "it comes with Confab and changes with its versions"));
    }
    let grants = if grant.iter().any(|it| it == "all") { checked.asks.clone() } else { grant };
    if let Some(other) = grants.iter().find(|it| !checked.asks.contains(it)) {
        return Err(Fault::invalid("grant", format!("it does not ask for {other}")));
    }
    let (asked, granted) = (checked.asks.len(), grants.len());
    let sha256 = hex(&Sha256::digest(&component));
    parts::keep(db, &sha256, &component).await?;
    plugin_images::keep(db, &images).await?;
    let new = NewPlugin {
        bot_name: checked.id.rsplit('.').next().unwrap_or(&checked.id).to_owned(),
        bot_full_name: checked.name.clone(),
        id: checked.id,
        version: checked.version,
        manifest: checked.manifest,
        sha256,
        grants: serde_json::to_string(&grants).map_err(Fault::internal)?,
        rests: None,
    };
    let by = Granted::operator();
    let installed =
        db.write(move |tx| async move { administration::install(tx, &by, new).await }.boxed()).await?;
    say(common, &shown(&installed), || {
        let (id, version, by) = (&installed.id, &installed.version, hand(&checked.signature));
        format!(
            "{id} {version} is installed, {by}, with {granted} of the {asked} permissions that it asks for"
        )
    });
    Ok(())
}

async fn switch(db: &Db, id: String, is_enabled: bool, common: &Common) -> Result<()> {
    let by = Granted::operator();
    let installed = db
        .write(move |tx| async move { administration::switch(tx, &by, &id, is_enabled).await }.boxed())
        .await?;
    say(common, &shown(&installed), || {
        format!("{} {}", installed.id, if is_enabled { "runs" } else { "is off" })
    });
    Ok(())
}

async fn remove(db: &Db, id: String, common: &Common) -> Result<()> {
    let (by, of) = (Granted::operator(), id.clone());
    db.write(move |tx| async move { administration::remove(tx, &by, &of).await }.boxed()).await?;
    say(common, &json!({ "id": id }), || format!("{id} is removed"));
    Ok(())
}
