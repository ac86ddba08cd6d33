//! Reactions of plugins in the record: whose they are, how long their pictures lie there, and what a day's limit means.

use confab_core::files::objects::BYTES_GONE;
use confab_core::messages::{self, Draft};
use confab_core::plugins::{self, NewPlugin, administration, parts};
use confab_core::reactions::{self, Custom, NewCustom, OfPlugin};
use confab_core::roles::{self, Granted, Permission, Permissions, Standing};
use confab_core::{Db, Fault, FutureExt, Result, users};
use confab_protocol::{ChannelKind, MessageId, UserId};
use tempfile::TempDir;

use crate::harness::{channel, past_midnight, record, rows, world};

const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n and so on";
const BADGES: &str = "org.example.badges";
const MEDALS: &str = "org.example.medals";

/// A reaction of a plugin's.
fn reaction(code: &str) -> OfPlugin {
    OfPlugin {
        code: code.into(),
        name: code.into(),
        symbol: Some("B".into()),
        image_sha256: None,
        who: None,
        per_message: None,
        per_day: None,
    }
}

/// Installs a plugin. `rests`: nobody switched it on.
async fn install(db: &Db, id: &str, manifest: String, rests: bool) {
    let new = NewPlugin {
        id: id.into(),
        bot_name: id.rsplit('.').next().unwrap_or(id).into(),
        bot_full_name: "Badges".into(),
        version: "1.0.0".into(),
        manifest,
        sha256: "d".repeat(64),
        grants: "[]".into(),
        rests: rests.then(|| "nobody switched it on".into()),
    };
    db.write(move |tx| async move { plugins::install(tx, new).await }.boxed()).await.expect("a plugin");
}

async fn register(db: &Db, new: OfPlugin, id: &'static str) -> bool {
    let registered = db.write(move |tx| async move { reactions::register(tx, new, id).await }.boxed());
    registered.await.expect("an answer")
}

async fn remove(db: &Db, id: &'static str) {
    let removed =
        db.write(move |tx| async move { administration::remove(tx, &Granted::operator(), id).await }.boxed());
    removed.await.expect("removed");
}

async fn found(db: &Db, code: &str) -> Option<Custom> {
    let all = reactions::catalogue(&mut db.read()).await.expect("the catalogue");
    all.into_iter().find(|it| it.code == code)
}

/// Lets a day pass, and forgets what nobody uses.
async fn sweep_parts(db: &Db, folder: &TempDir) {
    let passed = "update plugin_parts set stored_at = stored_at - 90000000";
    sqlx::query(passed).execute(&mut rows(folder).await).await.expect("a day passes");
    db.write(|tx| parts::sweep(tx).boxed()).await.expect("a sweep");
}

async fn is_shown(db: &Db, name: &str) -> bool {
    parts::picture(&mut db.read(), name).await.expect("an answer").as_deref() == Some(PICTURE)
}

async fn react(db: &Db, user: UserId, message: MessageId, code: &'static str) -> Result<()> {
    db.write(move |tx| async move { reactions::add(tx, user, message, code).await.map(drop) }.boxed()).await
}

#[tokio::test]
async fn a_picture_lies_in_the_record_while_a_manifest_or_a_reaction_names_it() {
    let (db, folder) = record().await;
    let [named, shown, stray] = ["a", "b", "c"].map(|letter| letter.repeat(64));
    for name in [&named, &shown, &stray] {
        parts::keep(&db, name, PICTURE).await.expect("a picture");
    }
    // Of a plugin that is off: its reactions are not in the catalogue.
    install(&db, MEDALS, format!("[images]\n\"a.png\" = \"{named}\"\n"), true).await;
    install(&db, BADGES, String::new(), false).await;
    assert!(register(&db, OfPlugin { image_sha256: Some(shown.clone()), ..reaction("badge") }, BADGES).await);

    sweep_parts(&db, &folder).await;
    for (name, is_here) in [(&named, true), (&shown, true), (&stray, false)] {
        assert_eq!(is_shown(&db, name).await, is_here, "{name}");
    }
    db.close().await;
}

#[tokio::test]
async fn pictures_that_a_reaction_had_are_shown_while_it_is_in_the_catalogue() {
    let (db, folder) = record().await;
    install(&db, BADGES, String::new(), false).await;
    let images: Vec<String> = (0..33).map(|number| format!("{number:064}")).collect();
    for image in &images {
        parts::keep(&db, image, PICTURE).await.expect("a picture");
        let passed = "update reaction_images set shown_at = shown_at - 1000";
        sqlx::query(passed).execute(&mut rows(&folder).await).await.expect("a second passes");
        assert!(
            register(&db, OfPlugin { image_sha256: Some(image.clone()), ..reaction("badge") }, BADGES).await
        );
    }
    sweep_parts(&db, &folder).await;
    // The newest 32: messages that were rendered with one of them show it.
    assert!(!is_shown(&db, &images[0]).await);
    for image in &images[1..] {
        assert!(is_shown(&db, image).await, "{image}");
    }
    // Nor do they go with the plugin, but with the reaction that it leaves behind.
    remove(&db, BADGES).await;
    sweep_parts(&db, &folder).await;
    assert!(is_shown(&db, &images[1]).await && is_shown(&db, &images[32]).await);
    let taken = db.write(|tx| {
        async move {
            let by = Granted::operator();
            reactions::remove_custom(tx, by.actor(), Some(&by), "badge").await
        }
        .boxed()
    });
    taken.await.expect("taken from the catalogue");
    sweep_parts(&db, &folder).await;
    for image in &images {
        assert!(!is_shown(&db, image).await, "{image}");
    }
    db.close().await;
}

#[tokio::test]
async fn a_code_stays_with_whom_it_is_and_nothing_comes_back_from_a_plugin_that_is_gone() {
    let (db, ada, folder) = world().await;
    assert!(!register(&db, reaction("badge"), BADGES).await, "it is not installed");
    install(&db, BADGES, String::new(), true).await;
    assert!(!register(&db, reaction("badge"), BADGES).await, "nobody switched it on");
    assert!(found(&db, "badge").await.is_none());
    db.write(|tx| plugins::enable(tx, BADGES, true, None).boxed()).await.expect("on");
    install(&db, MEDALS, String::new(), false).await;
    // A picture alone, and no text.
    let image = || OfPlugin {
        symbol: None,
        image_sha256: Some("a".repeat(64)),
        per_day: Some(3),
        ..reaction("badge")
    };
    assert!(register(&db, image(), BADGES).await);
    assert!(!register(&db, reaction("badge"), MEDALS).await, "it is another's");
    assert!(!found(&db, "badge").await.expect("a reaction").is_for(MEDALS));

    remove(&db, BADGES).await;
    // Whoever read the list of plugins before, and registers now.
    assert!(!register(&db, image(), BADGES).await);
    let left = found(&db, "badge").await.expect("what is left behind");
    assert_eq!((left.plugin_id.as_deref(), left.per_day), (None, None));
    assert!(left.is_for(BADGES) && left.is_for(MEDALS));
    install(&db, BADGES, String::new(), false).await;
    assert!(register(&db, image(), BADGES).await);
    let back = found(&db, "badge").await.expect("a reaction");
    assert_eq!((back.plugin_id.as_deref(), back.per_day), (Some(BADGES), Some(3)));

    // What somebody added is theirs, also when their account is deleted.
    let added = "insert into reactions (code, name, is_system, image_sha256, created_by_id, created_at)
        values ('medal', 'Medal', false, 'b', $1, 0)";
    let mut record = rows(&folder).await;
    sqlx::query(added).bind(ada.0).execute(&mut record).await.expect("ada's reaction");
    let erased =
        db.write(move |tx| async move { users::remove(tx, &Granted::operator(), ada).await }.boxed());
    erased.await.expect("erased");
    assert!(!register(&db, reaction("medal"), MEDALS).await);
    let theirs = found(&db, "medal").await.expect("ada's reaction");
    assert_eq!((theirs.plugin_id.as_deref(), theirs.created_by_id), (None, Some(ada.0)));
    assert_eq!(reactions::owner(&mut db.read(), "medal").await.expect("an answer"), None);
    db.close().await;
}

#[tokio::test]
async fn what_plugins_left_behind_takes_no_room_from_people() {
    let (db, ada, folder) = world().await;
    let mut record = rows(&folder).await;
    let many = "with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < $1)
        insert into reactions (code, name, is_system, image_sha256, created_by_id, created_at)
        select $2 || n, 'Many', false, 'x' || n, $3, 0 from numbers";
    let left = sqlx::query(many).bind(reactions::MOST).bind("left-").bind(None::<uuid::Uuid>);
    left.execute(&mut record).await.expect("what plugins left behind");
    // It has room, and nothing more to say against it than that the picture's bytes are not there.
    let adds = async || {
        let new = NewCustom { code: "ship-it".into(), name: "Ship it".into(), image_sha256: "c".repeat(64) };
        let added = db.write(move |tx| {
            async move {
                let standing = Standing { is_superuser: false, permissions: Permissions::ALL };
                let by = roles::ask(ada.into(), standing, Permission::ReactionsCreate)?;
                reactions::create(tx, &by, new).await
            }
            .boxed()
        });
        added.await.expect_err("no bytes").code()
    };
    assert_eq!(adds().await, BYTES_GONE);
    let own = sqlx::query(many).bind(reactions::MOST).bind("own-").bind(Some(ada.0));
    own.execute(&mut record).await.expect("what ada added");
    assert_eq!(adds().await, "too_many_reactions");
    db.close().await;
}

#[tokio::test]
async fn a_limit_of_a_day_ends_with_the_day() {
    let (db, ada, folder) = world().await;
    past_midnight().await;
    let room = channel(&db, ada, "room", ChannelKind::Public).await;
    install(&db, BADGES, String::new(), false).await;
    assert!(register(&db, OfPlugin { per_day: Some(1), ..reaction("docket") }, BADGES).await);
    let mut said = Vec::new();
    for content in ["one", "two"] {
        let draft = Draft { content: content.into(), ..Draft::default() };
        let posted = db.write(move |tx| async move { messages::post(tx, ada, room, draft).await }.boxed());
        said.push(posted.await.expect("a message").message.id);
    }
    react(&db, ada, said[0], "docket").await.expect("the first");
    let refused = react(&db, ada, said[1], "docket").await.expect_err("one too many");
    assert!(matches!(refused, Fault::Conflict { code: "reaction_day_limit", .. }), "{refused}");
    let left = messages::find(&mut db.read(), ada, said[1]).await.expect("a message").1;
    assert!(left.reactions.is_empty(), "what was refused left something behind");

    let mut record = rows(&folder).await;
    let yesterday = "update reaction_uses set day = day - 1";
    sqlx::query(yesterday).execute(&mut record).await.expect("a day passes");
    react(&db, ada, said[1], "docket").await.expect("the first of another day");
    // Yesterday stays, since clocks of several servers differ; what lies before it goes.
    let days = async |record: &mut sqlx::SqliteConnection| -> i64 {
        let count = sqlx::query_scalar("select count(*) from reaction_uses");
        count.fetch_one(record).await.expect("a count")
    };
    db.write(|tx| reactions::sweep(tx).boxed()).await.expect("a sweep");
    assert_eq!(days(&mut record).await, 2);
    sqlx::query(yesterday).execute(&mut record).await.expect("another day passes");
    db.write(|tx| reactions::sweep(tx).boxed()).await.expect("a sweep");
    assert_eq!(days(&mut record).await, 1);
    db.close().await;
}
