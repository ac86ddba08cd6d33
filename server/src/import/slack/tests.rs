//! A small export, made here, with everything in it that went wrong for others.

#![allow(clippy::expect_used)]

use std::io::Write as _;
use std::path::PathBuf;

use confab_core::db::{self, Opened};
use confab_core::users::NewUser;
use confab_core::{Db, Fault, FutureExt as _, Settings, channels, imports, messages, users};
use confab_protocol::{Channel, ChannelId, ChannelKind, Message, MessageId, Timestamp, UserId};
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{Options, Report, run, run_in_batches};
use crate::progress::Progress;

struct Ground {
    folder: tempfile::TempDir,
    db: Db,
}

impl Ground {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = Settings::read(
            &[("data_dir", folder.path().display().to_string())],
            None,
            folder.path(),
            std::iter::empty(),
        )
        .expect("settings");
        let db = db::open(&settings, Opened::Migrated).await.expect("a record");
        Self { folder, db }
    }

    fn zip(&self, entries: &[(&str, Vec<u8>)]) -> PathBuf {
        let path = self.folder.path().join("export.zip");
        let mut zip = ZipWriter::new(std::fs::File::create(&path).expect("a file"));
        for (name, bytes) in entries {
            zip.start_file(*name, SimpleFileOptions::default()).expect("an entry");
            zip.write_all(bytes).expect("bytes");
        }
        zip.finish().expect("a zip");
        path
    }

    async fn import(&self, entries: &[(&str, Vec<u8>)]) -> Result<Report, Fault> {
        run(&self.db, &self.zip(entries), Options::default(), &Progress::hidden()).await
    }

    async fn local(&self, kind: &str, external: &str) -> uuid::Uuid {
        let known = imports::known(&mut self.db.read(), "slack", kind).await.expect("refs");
        *known.get(external).unwrap_or_else(|| panic!("{kind} {external} among {known:?}"))
    }

    async fn message(&self, external: &str) -> Message {
        let id = MessageId(self.local("message", external).await);
        messages::views(&mut self.db.read(), &[id]).await.expect("a view").pop().expect("a message")
    }

    async fn channel(&self, external: &str) -> Channel {
        let id = ChannelId(self.local("channel", external).await);
        channels::for_event(&mut self.db.read(), id).await.expect("a channel")
    }

    async fn username(&self, slack_id: &str) -> String {
        let id = UserId(self.local("user", slack_id).await);
        users::find(&mut self.db.read(), id).await.expect("a user").username
    }

    /// How many rows of each kind an import made.
    async fn counts(&self) -> Vec<usize> {
        let mut counts = vec![users::count(&mut self.db.read()).await.expect("a count") as usize];
        for kind in ["user", "channel", "member", "message"] {
            counts.push(imports::known(&mut self.db.read(), "slack", kind).await.expect("refs").len());
        }
        let view = self.channel("C1").await;
        counts.extend([view.message_count as usize, view.last_seq as usize, view.member_count as usize]);
        counts
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).expect("JSON")
}

fn at(number: u32) -> String {
    format!("1700000000.{number:06}")
}

fn said(number: u32, user: &str, text: &str) -> Value {
    json!({"type": "message", "ts": at(number), "user": user, "text": text})
}

fn answer(number: u32, user: &str, text: &str, root: &str) -> Value {
    json!({"type": "message", "ts": at(number), "user": user, "text": text, "thread_ts": root})
}

fn people() -> Value {
    json!([
        {"id": "U1", "name": "ada", "profile": {"real_name": "Ada L.", "email": "ada@example.org"}},
        {"id": "U2", "name": "Ada", "profile": {"email": "ADA@example.org"}},
        {"id": "U3", "name": "bob smith", "real_name": "Bob\nSmith", "deleted": true},
        {"id": "U4", "name": "robot", "is_bot": true, "profile": {"bot_id": "B4"}},
        {"id": "U5", "name": null, "profile": null},
        {"id": "U6", "name": "carol", "profile": {"email": "carol@example.org"}}
    ])
}

fn first_day() -> Value {
    let mut root = said(1, "U1", "hello <@U3>, see <https://example.org|this> &amp; *that*");
    root["thread_ts"] = json!(at(1));
    root["reactions"] = json!([
        {"name": "+1::skin-tone-3", "users": ["U1", "U3"], "count": 2},
        {"name": "our-logo", "users": ["U1"], "count": 1}
    ]);
    let mut me = said(5, "U1", "waves");
    me["subtype"] = json!("me_message");
    let mut files = said(6, "U6", "");
    files["files"] = json!([{"id": "F1", "name": "plan.pdf"}, null]);
    json!([
        root,
        answer(2, "U3", "an answer", &at(1)),
        answer(3, "U1", "to nobody", "1600000000.000001"),
        answer(4, "U2", "before its root", &at(9)),
        me,
        files,
        {"type": "message", "subtype": "bot_message", "bot_id": "B4", "text": "beep", "ts": at(7)},
        {"type": "message", "subtype": "bot_message", "bot_id": "B9", "username": "Deploy Bot", "text": "done",
         "attachments": [{"fallback": "build 7 passed"}], "ts": at(8)},
        said(9, "U1", "the root"),
        said(10, "U77", "from elsewhere"),
        said(10, "U1", "in the same moment"),
        said(11, "U1", "")
    ])
}

fn export() -> Vec<(&'static str, Vec<u8>)> {
    let line = |text: &str| json!({"value": text});
    vec![
        ("users.json", bytes(&people())),
        (
            "channels.json",
            bytes(&json!([
                {"id": "C1", "name": "general", "created": 1_600_000_000, "creator": "U1",
                 "members": ["U1", "U2", "U3"], "topic": line("a &amp; b"), "purpose": line("for all\nof us")},
                {"id": "C2", "name": "old", "created": 1_600_000_001, "creator": "U3", "is_archived": true,
                 "members": ["U3"]}
            ])),
        ),
        (
            "groups.json",
            bytes(&json!([{"id": "G1", "name": "secret", "creator": "U1", "members": ["U1", "U6"]}])),
        ),
        (
            "dms.json",
            bytes(&json!([{"id": "D1", "members": ["U1", "U6"]}, {"id": "D2", "members": ["U1", "U3"]}])),
        ),
        (
            "mpims.json",
            bytes(&json!([{"id": "G2", "name": "mpdm-a--b--c-1", "members": ["U1", "U3", "U6"]}])),
        ),
        ("integration_logs.json", b"[]".to_vec()),
        ("general/2023-11-14.json", bytes(&first_day())),
        (
            "general/2023-11-15.json",
            bytes(&json!([
                {"type": "message", "subtype": "channel_join", "user": "U3", "text": "<@U3> has joined", "ts": at(20)},
                said(21, "U1", &"long ".repeat(7_000)),
                {"type": "message", "text": "when?", "user": "U1"},
                answer(22, "U3", "a late answer", &at(1))
            ])),
        ),
        ("old/2023-11-14.json", bytes(&json!([said(1, "U3", "archived")]))),
        ("secret/2023-11-14.json", bytes(&json!([said(1, "U1", "psst <@U6> <@U3>")]))),
        ("D1/2023-11-14.json", bytes(&json!([said(1, "U1", "just us")]))),
        ("mpdm-a--b--c-1/2023-11-14.json", bytes(&json!([said(1, "U1", "three of us")]))),
        ("nobody-knows/2023-11-14.json", bytes(&json!([said(1, "U1", "?")]))),
    ]
}

#[tokio::test]
async fn everything_comes_over_once() {
    let ground = Ground::new().await;
    let report = ground.import(&export()).await.expect("an import");
    assert_eq!(
        (report.messages.found, report.messages.imported, report.messages.known),
        (20, 19, 0),
        "{report}"
    );
    assert_eq!((report.threads.new, report.messages.replies, report.messages.orphans), (2, 3, 1), "{report}");
    assert_eq!((report.people.new, report.people.bots, report.people.placeholders), (8, 2, 4), "{report}");
    assert_eq!((report.people.deactivated, report.people.emails_dropped), (1, 1));
    assert_eq!((report.messages.split, report.messages.split_parts, report.messages.same_time), (1, 2, 1));
    assert_eq!((report.reactions.imported, report.reactions.unknown.get("our-logo")), (2, Some(&1)));
    assert_eq!(report.left_out["messages without a time"].count, 1);
    assert_eq!(report.left_out["conversations without messages or people"].examples, ["D2"]);
    assert!(report.notes.iter().any(|note| note.contains("nobody-knows")), "{report}");
    assert!(report.to_string().contains("Messages  19 imported of 20"), "{report}");

    let counts = ground.counts().await;
    let again = ground.import(&export()).await.expect("a second import");
    assert_eq!((again.messages.imported, again.messages.known, again.people.new), (0, 19, 0), "{again}");
    assert_eq!((again.channels.new, again.channels.memberships, again.threads.new), (0, 0, 0), "{again}");
    assert_eq!((again.threads.known, again.reactions.imported), (2, 0));
    assert_eq!(ground.counts().await, counts);
}

#[tokio::test]
async fn messages_keep_time_sender_thread_and_meaning() {
    let ground = Ground::new().await;
    ground.import(&export()).await.expect("an import");
    let root = ground.message(&format!("C1/{}", at(1))).await;
    assert_eq!(root.content, "hello @bob_smith, see [this](https://example.org) & **that**");
    assert_eq!((root.created_at, root.reply_count), (Timestamp(1_700_000_000_000), 2));
    assert_eq!(root.reactions.iter().map(|it| (it.code.as_str(), it.count)).collect::<Vec<_>>(), [("👍", 2)]);
    assert_eq!(root.mentions, [UserId(ground.local("user", "U3").await)]);
    for (number, text, sender) in [
        (3, "to nobody", "ada"),
        (5, "_waves_", "ada"),
        (6, "[file: plan.pdf]", "carol"),
        (7, "beep", "robot"),
        (8, "done\nbuild 7 passed", "Deploy_Bot"),
        (10, "from elsewhere", "U77"),
        (11, "[no text]", "ada"),
        (20, "@bob_smith has joined", "bob_smith"),
    ] {
        let message = ground.message(&format!("C1/{}", at(number))).await;
        assert_eq!((message.content.as_str(), message.sender.username.as_str()), (text, sender));
        assert_eq!((message.parent_id, message.mentions.len()), (None, 0), "{text}");
    }
    assert_eq!(ground.message(&format!("C1/{}#2", at(10))).await.content, "in the same moment");
    let early = ground.message(&format!("C1/{}", at(4))).await;
    assert_eq!(early.parent_id, Some(ground.message(&format!("C1/{}", at(9))).await.id));
    // A place that not all may know tells only its members.
    let secret = ground.message(&format!("G1/{}", at(1))).await;
    assert_eq!(secret.mentions, [UserId(ground.local("user", "U6").await)]);
}

#[tokio::test]
async fn people_and_channels_find_their_place() {
    let ground = Ground::new().await;
    let carol = ground
        .db
        .write(|tx| {
            async move {
                channels::create_defaults(tx).await?;
                users::create(tx, NewUser::check("carol-here", Some("Carol@example.org"), None)?).await
            }
            .boxed()
        })
        .await
        .expect("an account");
    let report = ground.import(&export()).await.expect("an import");
    assert_eq!(report.people.matched, 1);
    assert_eq!(ground.local("user", "U6").await, carol.id.0);
    assert_eq!([ground.username("U1").await, ground.username("U2").await], ["ada", "Ada-2"]);
    assert_eq!([ground.username("U3").await, ground.username("U5").await], ["bob_smith", "U5"]);
    let bob =
        users::find(&mut ground.db.read(), UserId(ground.local("user", "U3").await)).await.expect("bob");
    assert_eq!((bob.is_active, bob.is_bot, bob.full_name.as_deref()), (false, false, Some("Bob Smith")));
    let robot =
        users::find(&mut ground.db.read(), UserId(ground.local("user", "U4").await)).await.expect("robot");
    assert!(robot.is_bot && robot.is_active);
    let ada = UserId(ground.local("user", "U1").await);
    for (slack_id, kind, name, archived) in [
        ("C1", ChannelKind::Public, "general-slack", false),
        ("C2", ChannelKind::Public, "old", true),
        ("G1", ChannelKind::Private, "secret", false),
        ("D1", ChannelKind::Direct, "", false),
        ("G2", ChannelKind::Group, "", false),
    ] {
        let id = ChannelId(ground.local("channel", slack_id).await);
        let view = channels::get(&mut ground.db.read(), ada, id).await.expect("a channel");
        assert_eq!((view.kind, view.name.as_str(), view.archived_at.is_some()), (kind, name, archived));
        assert!(view.unread_count.is_none_or(|count| count == 0), "the past is not unread: {view:?}");
    }
    let general = ChannelId(ground.local("channel", "C1").await);
    let view = channels::get(&mut ground.db.read(), ada, general).await.expect("a channel");
    assert_eq!((view.description.as_deref(), view.topic.as_deref()), (Some("for all of us"), Some("a & b")));
    assert_eq!((view.owner_id, view.member_count), (Some(ada), 3));
    assert_eq!(view.created_at, Timestamp(1_600_000_000_000));
}

#[tokio::test]
async fn a_killed_import_is_taken_up_again() {
    let ground = Ground::new().await;
    let zip = ground.zip(&export());
    let whole = Ground::new().await;
    whole.import(&export()).await.expect("an import");
    let mut runs = 0;
    // Dropped after every few commits, as a kill would do it, until it comes to its end.
    loop {
        runs += 1;
        let mut commits = ground.db.commits();
        let begin = *commits.borrow_and_update();
        let progress = Progress::hidden();
        let enough = async {
            while *commits.borrow_and_update() < begin + 4 {
                commits.changed().await.expect("a record");
            }
        };
        tokio::select! {
            biased;
            () = enough => {}
            done = run_in_batches(&ground.db, &zip, Options::default(), &progress, 2) => {
                done.expect("an import");
                break;
            }
        }
        assert!(runs < 100, "it never ends");
    }
    assert!(runs > 3, "it was killed {runs} times");
    let (killed, whole) = (ground.counts().await, whole.counts().await);
    assert_eq!(killed, whole);
    assert_eq!(ground.message(&format!("C1/{}", at(1))).await.reply_count, 2);
}

#[tokio::test]
async fn a_dry_run_writes_nothing() {
    let ground = Ground::new().await;
    let zip = ground.zip(&export());
    let before = *ground.db.commits().borrow();
    let dry = run(&ground.db, &zip, Options { dry_run: true, ..Options::default() }, &Progress::hidden())
        .await
        .expect("a dry run");
    assert_eq!(*ground.db.commits().borrow(), before);
    assert_eq!(users::count(&mut ground.db.read()).await.expect("a count"), 0);
    let real = ground.import(&export()).await.expect("an import");
    let numbers = |report: &Report| {
        let mut all = serde_json::to_value(report).expect("JSON");
        for differs in ["dry_run", "seconds", "messages_per_second"] {
            all.as_object_mut().expect("an object").remove(differs);
        }
        // The owner of a channel is a member before the others come in.
        all["channels"].as_object_mut().expect("an object").remove("memberships");
        all
    };
    assert_eq!(numbers(&dry), numbers(&real));
}

#[tokio::test]
async fn a_newer_export_adds_what_is_new() {
    let ground = Ground::new().await;
    ground.import(&export()).await.expect("an import");
    let mut newer = export();
    newer.push((
        "general/2023-11-16.json",
        bytes(&json!([answer(30, "U8", "me too", &at(1)), said(31, "U1", "hi")])),
    ));
    newer.retain(|(name, _)| *name != "general/2023-11-14.json");
    let report = ground.import(&newer).await.expect("a newer import");
    assert_eq!((report.messages.imported, report.people.new, report.messages.orphans), (2, 1, 0), "{report}");
    assert_eq!(ground.message(&format!("C1/{}", at(1))).await.reply_count, 3);
}

#[tokio::test]
async fn texts_of_another_origin_stay() {
    let ground = Ground::new().await;
    let day =
        json!([said(1, "U1", "*sigh* <grin> &amp; <@U3>"), said(2, "U1", "*g*"), said(3, "U1", "a & b")]);
    let mut entries = export();
    entries.retain(|(name, _)| !name.contains('/'));
    entries.push(("general/2023-11-14.json", bytes(&day)));
    let report = ground.import(&entries).await.expect("an import");
    assert_eq!((report.has_markup, report.messages.changed), (false, 1));
    assert_eq!(ground.message(&format!("C1/{}", at(1))).await.content, "*sigh* <grin> &amp; @bob_smith");
    assert_eq!(ground.message(&format!("C1/{}", at(2))).await.content, "*g*");
}

#[tokio::test]
async fn half_characters_and_nul_cost_nothing_else() {
    let ground = Ground::new().await;
    let mut entries = export();
    let day = br#"[{"type":"message","ts":"1.000001","user":"U1","text":"a\ud83d\u0000b"}]"#.to_vec();
    entries.push(("old/2023-11-15.json", day));
    let report = ground.import(&entries).await.expect("an import");
    assert_eq!(report.messages.characters_removed, 2);
    assert_eq!(ground.message("C2/1.000001").await.content, "ab");
}

#[tokio::test]
async fn what_is_damaged_is_refused_before_anything_is_written() {
    let ground = Ground::new().await;
    let refused = |fault: Result<Report, Fault>, names: &str| match fault {
        Err(Fault::Invalid { field: "zip", message }) => assert!(message.contains(names), "{message}"),
        other => panic!("{other:?}"),
    };
    let mut broken = export();
    broken.push(("old/2023-11-16.json", b"[{\"type\": \"message\", \"ts\": ".to_vec()));
    refused(ground.import(&broken).await, "old/2023-11-16.json");
    refused(ground.import(&[("readme.txt", b"hello".to_vec())]).await, "no Slack export");
    refused(
        ground.import(&[("users.json", b"{}".to_vec()), ("channels.json", b"[]".to_vec())]).await,
        "users.json",
    );
    let whole = std::fs::read(ground.zip(&export())).expect("bytes");
    let path = ground.folder.path().join("half.zip");
    std::fs::write(&path, &whole[..whole.len() / 2]).expect("a file");
    let half = run(&ground.db, &path, Options::default(), &Progress::hidden()).await;
    refused(half, "half.zip");
    let mut flipped = whole.clone();
    let text = flipped.windows(10).position(|bytes| bytes == b"users.json").expect("an entry");
    flipped[text + 20] ^= 0xFF;
    std::fs::write(&path, &flipped).expect("a file");
    refused(run(&ground.db, &path, Options::default(), &Progress::hidden()).await, "users.json");
    let absent = ground.folder.path().join("absent.zip");
    refused(run(&ground.db, &absent, Options::default(), &Progress::hidden()).await, "absent.zip");
    assert_eq!(users::count(&mut ground.db.read()).await.expect("a count"), 0);
}

#[tokio::test]
async fn an_export_in_a_folder_of_its_own_is_found() {
    let ground = Ground::new().await;
    let moved: Vec<(String, Vec<u8>)> =
        export().into_iter().map(|(name, bytes)| (format!("My export/{name}"), bytes)).collect();
    let mut moved: Vec<(&str, Vec<u8>)> =
        moved.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    moved.push(("__MACOSX/users.json", b"junk".to_vec()));
    let report = ground.import(&moved).await.expect("an import");
    assert_eq!(report.messages.imported, 19);
}

#[tokio::test]
async fn who_is_no_operator_writes_nobody_into_what_was_there() {
    let ground = Ground::new().await;
    let entries = |members: Value| {
        let place = |id: &str, name: &str| {
            bytes(&json!([{"id": id, "name": name, "creator": "U1", "members": members}]))
        };
        let said = |number| bytes(&json!([said(number, "U1", "a word")]));
        let lists = vec![
            ("users.json", bytes(&people())),
            ("channels.json", place("C1", "general")),
            ("groups.json", place("G1", "vault")),
        ];
        [lists, vec![("general/2023-11-14.json", said(1)), ("vault/2023-11-14.json", said(2))]].concat()
    };
    ground.import(&entries(json!(["U1"]))).await.expect("an import");
    let zip = ground.zip(&entries(json!(["U1", "U6"])));
    let again = async |closed_stay| {
        let options = Options { closed_stay, ..Options::default() };
        run(&ground.db, &zip, options, &Progress::hidden()).await.expect("another import");
        [ground.channel("C1").await.member_count, ground.channel("G1").await.member_count]
    };
    assert_eq!(again(true).await, [2, 1], "carol is let into what is open to all, and nowhere else");
    assert_eq!(again(false).await, [2, 2], "an operator may");
}
