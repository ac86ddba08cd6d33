//! A Slack export comes in whole, once, whatever interrupts it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::command::{clean, confab_program};
use crate::harness::process::{Ending, Process};
use crate::harness::user::{User, id, items};
use crate::harness::world::{ADMIN, ADMIN_PASSWORD, common};
use crate::harness::{Node, confab, wait_until};

/// What an export holds, read here without any code of the importer.
struct Export {
    /// Slack ids of those who said something.
    people: BTreeSet<String>,
    /// Channel name → texts in their order.
    texts: BTreeMap<String, Vec<String>>,
    replies: usize,
}

#[tokio::test]
async fn an_export_comes_in_once() {
    let export = read_export();
    let folder = folder();
    let all = export.texts.values().map(Vec::len).sum();
    let dry = import(folder.path(), &["--dry-run"]).await;
    assert_eq!((dry["dry_run"].as_bool(), counts(&dry)), (Some(true), (all, 0)), "what it would do: {dry}");

    // Nothing is known before: the dry run wrote nothing.
    let first = import(folder.path(), &[]).await;
    assert_eq!(counts(&first), (all, 0), "{first}");
    assert_same(&data(&folder), &export).await;

    let second = import(folder.path(), &[]).await;
    assert_eq!(counts(&second), (0, all), "{second}");
    assert_same(&data(&folder), &export).await;
}

#[tokio::test]
async fn a_killed_import_goes_on_where_it_was() {
    let export = read_export();
    let folder = folder();
    let journal = data(&folder).join("confab.db-wal");
    for stop_at in [300_000, 900_000] {
        let mut command = clean(confab_program(), folder.path(), &[]);
        command.args(["import", "slack"]).arg(archive()).arg("--data-dir").arg(data(&folder));
        let mut running = Process::start("confab import", command, Ending::Kill);
        wait_until("the import to write", async || {
            running.exited().is_some() || std::fs::metadata(&journal).is_ok_and(|file| file.len() > stop_at)
        })
        .await;
        running.kill();
    }
    import(folder.path(), &[]).await;
    assert_same(&data(&folder), &export).await;
}

#[tokio::test]
async fn what_is_no_export_is_refused() {
    let folder = folder();
    std::fs::write(folder.path().join("letter.zip"), "no archive").unwrap();
    for name in ["letter.zip", "absent.zip"] {
        let outcome = confab(folder.path(), &["import", "slack", name, "--data-dir", "data"], &[]).await;
        assert!(matches!(outcome.code, 1..=4), "{name}: {}", outcome.said());
        assert!(outcome.stderr.contains(name), "the file is not named: {}", outcome.said());
        assert!(!outcome.said().contains("panicked"), "{}", outcome.said());
    }
    let outcome = confab(folder.path(), &["import", "slack"], &[]).await;
    assert_eq!(outcome.code, 2, "{}", outcome.said());
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn data(folder: &TempDir) -> PathBuf {
    folder.path().join("data")
}

fn archive() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/slack-excerpt.zip")
}

async fn import(folder: &Path, more: &[&str]) -> Value {
    let archive = archive().display().to_string();
    let mut arguments = vec!["import", "slack", &archive, "--data-dir", "data", "--json"];
    arguments.extend(more);
    let outcome = confab(folder, &arguments, &[]).await;
    assert_eq!(outcome.code, 0, "{}", outcome.said());
    outcome.json()
}

/// Messages that came in, and those that were in before.
fn counts(report: &Value) -> (usize, usize) {
    let count = |name: &str| {
        report["messages"][name].as_u64().unwrap_or_else(|| panic!("no {name} in {report}")) as usize
    };
    (count("imported"), count("known"))
}

fn read_export() -> Export {
    let mut archive = zip::ZipArchive::new(File::open(archive()).expect("the excerpt")).expect("a zip");
    let mut export = Export { people: BTreeSet::new(), texts: BTreeMap::new(), replies: 0 };
    let names: BTreeSet<String> =
        archive.file_names().map(|name| name.expect("a name in UTF-8").into_owned()).collect();
    // In the order of days, which is the order of their names.
    for name in names {
        let entries: Value = serde_json::from_reader(archive.by_name(&name).expect("listed")).expect("JSON");
        let entries = entries.as_array().expect("a list");
        if let Some((channel, _)) = name.split_once('/') {
            for entry in entries.iter().filter(|it| it["type"] == "message") {
                export.people.insert(entry["user"].as_str().unwrap().to_owned());
                let thread = &entry["thread_ts"];
                export.replies += usize::from(thread.is_string() && *thread != entry["ts"]);
                export
                    .texts
                    .entry(channel.to_owned())
                    .or_default()
                    .push(entry["text"].as_str().unwrap().to_owned());
            }
        }
    }
    export
}

/// The server on `data` shows what the export holds: people, channels, texts in order, threads.
async fn assert_same(data: &Path, export: &Export) {
    let node = Node::start(data, &common()).await;
    let admin = User::log_in(ADMIN, ADMIN_PASSWORD, &node.address).await;
    let channels = admin.channels(200).await;
    let mut replies = 0;
    let mut people = BTreeSet::new();
    for (name, texts) in &export.texts {
        let channel = items(&channels)
            .iter()
            .find(|it| it["name"] == *name)
            .unwrap_or_else(|| panic!("no channel {name}"));
        let mut came = Vec::new();
        let mut after = 0;
        loop {
            let page = admin.list(id(channel), &format!("after_seq={after}&limit=100"), 200).await;
            let Some(last) = items(&page).last() else { break };
            after = last["seq"].as_i64().unwrap();
            replies += items(&page).iter().filter(|it| it["parent_id"].is_string()).count();
            people.extend(items(&page).iter().map(|it| it["sender_id"].to_string()));
            came.extend(items(&page).iter().map(|it| it["content"].as_str().unwrap().to_owned()));
        }
        assert_eq!(came.len(), texts.len(), "messages in {name}");
        assert_eq!(channel["message_count"], texts.len());
        let differing = came.iter().zip(texts).filter(|(came, said)| !alike(came, said)).count();
        assert_eq!(differing, 0, "texts changed in {name}");
    }
    assert_eq!(replies, export.replies, "replies in threads");
    assert_eq!(people.len(), export.people.len(), "people who said something");
}

/// The importer may resolve `<@U…>` to names, mark `/me` lines and undo `&amp;` and its like; the words stay. A message
/// without words says so.
fn alike(came: &str, said: &str) -> bool {
    let plain = |text: &str| -> String {
        let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        text.chars().filter(|it| it.is_alphanumeric()).collect()
    };
    let words = match said.split_once("<@") {
        Some((before, _)) => before,
        None if said.trim().is_empty() => "[no text]",
        None => said,
    };
    !came.is_empty() && plain(came).contains(&plain(words))
}
