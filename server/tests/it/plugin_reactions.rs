//! Reactions that a plugin brings: the images of its package, who may put them, and how often.

use futures_util::StreamExt;
use futures_util::future::join_all;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::custom_reactions;
use crate::harness::user::{Reply, User, id, items};
use crate::harness::{both, past_midnight, wait_until};

/// It handles reactions, and is installed under another name here.
const COMPONENT: &[u8] = include_bytes!("../../../plugins/bundled/dice/dice.wasm");
const PLUGINS: &str = "/api/v1/plugins";
const PLUGIN: &str = "/api/v1/plugins/org.example.badges";
const CATALOGUE: &str = "/api/v1/reactions";
const MANIFEST: &str = r#"
[plugin]
id = "org.example.badges"
name = "Badges"
version = "1.0.0"
api = "0.2"
description = "Badges to give."
wasm = "dice.wasm"
permissions = ["messages.post", "storage"]

[[reaction]]
code = "honour"
name = "Honour"
text = "🏵️"
image = "honour.gif"
who = "admin"

[[reaction]]
code = "captains-word"
name = "The captain's word"
text = "🫡"
who = "superuser"

[[reaction]]
code = "shilling"
name = "Shilling"
text = "🪙"
per-message = 2

[[reaction]]
code = "docket"
name = "Docket"
text = "🧾"
per-day = 3
"#;

fn picture(colour: u8) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(48, 24, image::Rgb([colour, 120, 90]))
        .write_to(&mut bytes, image::ImageFormat::Gif)
        .unwrap();
    bytes.into_inner()
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

async fn upload(by: &User, path: &str, manifest: &str, images: &[(&str, Vec<u8>)]) -> Reply {
    let mut form = Form::new().text("manifest", manifest.to_owned());
    form = form.text("grants", r#"["messages.post", "storage"]"#);
    for (name, bytes) in images {
        form = form.part("images", Part::bytes(bytes.clone()).file_name((*name).to_owned()));
    }
    let form = form.part("component", Part::bytes(COMPONENT).file_name("dice.wasm"));
    let kind = format!("multipart/form-data; boundary={}", form.boundary());
    let (mut stream, mut body) = (form.into_stream(), Vec::new());
    while let Some(part) = stream.next().await {
        body.extend_from_slice(&part.unwrap());
    }
    by.fetch(by.request(Method::POST, path).header("content-type", kind).body(body)).await
}

async fn install(admin: &User) -> Value {
    admin.worker_answers().await;
    let installed = upload(admin, PLUGINS, MANIFEST, &[("honour.gif", picture(10))]).await;
    assert_eq!(installed.status, 201, "{}", installed.text);
    installed.body()
}

/// What the catalogue says of a reaction.
async fn shown(by: &User, code: &str) -> Value {
    let catalogue = by.get(CATALOGUE, 200).await;
    items(&catalogue).iter().find(|it| it["code"] == code).cloned().unwrap_or_default()
}

async fn put(by: &User, message: &Value, code: &str) -> Reply {
    by.call(Method::PUT, &format!("/api/v1/messages/{}/reactions/{code}", id(message)), None).await
}

async fn refused(by: &User, message: &Value, code: &str, status: u16, with: &str) {
    let reply = put(by, message, code).await;
    assert_eq!((reply.status, &reply.body()["code"]), (status, &json!(with)), "{}", reply.text);
}

both! {
    async fn images_come_with_a_plugin_and_are_shown_as_pictures(world) {
        let (admin, ada) = (world.admin().await, world.user("ada").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        admin.worker_answers().await;
        // What is no picture, too large, missing, of no reaction, or too many; and whoever may not.
        let svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".to_vec();
        let many: Vec<(&str, Vec<u8>)> = (0..33).map(|_| ("honour.gif", picture(10))).collect();
        let bad: [&[(&str, Vec<u8>)]; 5] = [
            &[("honour.gif", svg)],
            &[("honour.gif", vec![0; (64 << 10) + 1])],
            &[],
            &[("honour.gif", picture(10)), ("spare.png", picture(10))],
            &many,
        ];
        for images in bad {
            for path in [PLUGINS, "/api/v1/plugins/check"] {
                let reply = upload(&admin, path, MANIFEST, images).await;
                assert_eq!(reply.status, 400, "{} images: {}", images.len(), reply.text);
            }
        }
        let named = upload(&admin, PLUGINS, MANIFEST, &[]).await;
        assert!(named.text.contains("reaction[0].image: honour.gif"), "{}", named.text);
        for (from, to) in [("who = \"admin\"", "who = \"captain\""), ("per-day = 3", "per-day = 0")] {
            let reply = upload(&admin, PLUGINS, &MANIFEST.replace(from, to), &[("honour.gif", picture(10))]).await;
            assert!(reply.status == 400 && reply.text.contains("reaction["), "{}", reply.text);
        }
        assert_eq!(upload(&ada, PLUGINS, MANIFEST, &[("honour.gif", picture(10))]).await.status, 403);

        let installed = install(&admin).await;
        let url = format!("/api/v1/pictures/{}", hash(&picture(10)));
        let listed = &installed["reactions"][0];
        assert_eq!((&listed["image_url"], &listed["who"]), (&json!(url), &json!("admin")), "{installed}");
        let honour = shown(&ada, "honour").await;
        assert_eq!((&honour["image_url"], &honour["symbol"], &honour["who"]), (&json!(url), &json!("🏵️"), &json!("admin")));
        let picture_at = async |url: &str| ada.client.get(format!("{}{url}", ada.address.http())).send().await.unwrap();
        let got = picture_at(&url).await;
        let header = |name: &str| got.headers().get(name).map(|it| it.to_str().unwrap().to_owned()).unwrap_or_default();
        assert_eq!((got.status().as_u16(), header("content-type"), header("x-content-type-options")), (200, "image/png".into(), "nosniff".into()));
        assert!(header("cache-control").contains("immutable") && header("content-security-policy").contains("default-src 'none'"));
        let read = image::load_from_memory(&got.bytes().await.unwrap()).unwrap();
        assert_eq!((read.width(), read.height()), (48, 24));
        // What else lies beside it is for workers alone.
        assert_eq!(picture_at(&format!("/api/v1/pictures/{}", hash(COMPONENT))).await.status(), 404);
        let posted = ada.post(id(&channel), "for :honour:", 201).await;
        assert!(posted["html"].as_str().unwrap().contains(&format!("src=\"{url}\" alt=\":honour:\"")), "{posted}");

        // An update brings another, and what a plugin leaves behind is shown until somebody takes it away.
        let next = MANIFEST.replace("1.0.0", "1.1.0");
        let updated = upload(&admin, PLUGINS, &next, &[("honour.gif", picture(200))]).await;
        assert_eq!(updated.status, 201, "{}", updated.text);
        let url = format!("/api/v1/pictures/{}", hash(&picture(200)));
        assert_eq!(shown(&ada, "honour").await["image_url"], json!(url));
        admin.send(Method::DELETE, PLUGIN, None, 204).await;
        let left = shown(&ada, "honour").await;
        assert_eq!((&left["image_url"], left.get("who"), left.get("plugin_id")), (&json!(url), None, None), "{left}");
        assert_eq!(picture_at(&url).await.status(), 200);
        ada.send(Method::DELETE, &format!("{CATALOGUE}/honour"), None, 403).await;
        // Installed again it has its own back.
        install(&admin).await;
        let back = shown(&ada, "honour").await;
        assert_eq!((&back["plugin_id"], &back["who"]), (&json!("org.example.badges"), &json!("admin")), "{back}");
        admin.send(Method::DELETE, &format!("{CATALOGUE}/honour"), None, 409).await;
        admin.send(Method::DELETE, PLUGIN, None, 204).await;
        admin.send(Method::DELETE, &format!("{CATALOGUE}/honour"), None, 204).await;
    }

    async fn who_may_put_a_reaction_is_asked_where_it_is_put(world) {
        let (admin, ada, bob) = (world.admin().await, world.user("ada").await, world.user("bob").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel);
        bob.join(harbour, 200).await;
        admin.join(harbour, 200).await;
        install(&admin).await;
        let posted = bob.post(harbour, "the winch is greased", 201).await;
        assert_eq!(put(&ada, &posted, "honour").await.status, 204, "who owns the channel is more than an admin");
        refused(&bob, &posted, "honour", 403, "reaction_not_allowed").await;
        for somebody in [&ada, &bob] {
            refused(somebody, &posted, "captains-word", 403, "reaction_not_allowed").await;
        }
        // Superusers may put all, members too.
        for code in ["captains-word", "honour"] {
            assert_eq!(put(&admin, &posted, code).await.status, 204, "{code}");
        }
        let path = format!("/api/v1/messages/{}/reactions", id(&posted));
        let by_body = bob.call(Method::POST, &path, Some(&json!({ "code": ":honour:" }))).await;
        assert_eq!((by_body.status, &by_body.body()["code"]), (403, &json!("reaction_not_allowed")));

        let role = format!("/api/v1/channels/{harbour}/roles/{}", bob.id);
        ada.send(Method::PUT, &role, Some(&json!({ "role": "admin" })), 200).await;
        assert_eq!(put(&bob, &posted, "honour").await.status, 204);
        ada.send(Method::PUT, &role, Some(&json!({ "role": "member" })), 200).await;
        // What stands stays: twice is once, and it can be taken away; then it is too late.
        assert_eq!(put(&bob, &posted, "honour").await.status, 204);
        bob.send(Method::DELETE, &format!("{path}/honour"), None, 204).await;
        refused(&bob, &posted, "honour", 403, "reaction_not_allowed").await;
        // Who may not read it learns no rule.
        let carol = world.user("carol").await;
        let room = ada.create_channel("room", "private", 201).await;
        let hidden = ada.post(id(&room), "quiet", 201).await;
        assert_eq!(put(&carol, &hidden, "honour").await.status, 404);
        refused(&carol, &posted, "honour", 403, "not_a_member").await;
    }

    async fn what_somebody_added_before_is_theirs_and_no_plugins(world) {
        let (admin, ada) = (world.admin().await, world.user("ada").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel);
        let added = custom_reactions::add(&ada, "docket", picture(90)).await;
        assert_eq!(added.status, 201, "{}", added.text);
        let installed = install(&admin).await;
        let listed = installed["reactions"].as_array().unwrap();
        let taken: Vec<&str> = listed.iter().filter(|it| it["is_taken"] == true).filter_map(|it| it["code"].as_str()).collect();
        assert_eq!(taken, ["docket"], "{installed}");
        let docket = shown(&ada, "docket").await;
        assert_eq!((docket.get("plugin_id"), docket.get("per_day"), &docket["created_by_id"]), (None, None, &json!(ada.id)), "{docket}");
        // It answers its own in the thread, and is told of each in the order in which they were put.
        let bot = User { id: installed["bot_id"].as_str().unwrap().to_owned(), ..ada.clone() };
        ada.add_member(harbour, &bot, 201).await;
        let mut messages = Vec::new();
        for number in 0..5 {
            messages.push(ada.post(harbour, &format!("message {number}"), 201).await);
        }
        let (last, others) = messages.split_last().unwrap();
        for message in others {
            assert_eq!(put(&ada, message, "docket").await.status, 204, "no rule of the plugin's holds for it");
        }
        assert_eq!(put(&ada, last, "shilling").await.status, 204);
        wait_until("the plugin to answer its own", async || ada.read(id(last), 200).await["reply_count"] == 1).await;
        for message in others {
            assert_eq!(ada.read(id(message), 200).await["reply_count"], 0);
        }

        // One with a picture and no text is its own again as well, with its rules.
        let wordless = MANIFEST.replace("text = \"🏵️\"\n", "");
        admin.send(Method::DELETE, PLUGIN, None, 204).await;
        for round in 0..2 {
            let installed = upload(&admin, PLUGINS, &wordless, &[("honour.gif", picture(10))]).await;
            assert_eq!(installed.status, 201, "{round}: {}", installed.text);
            let honour = shown(&ada, "honour").await;
            assert_eq!((&honour["plugin_id"], &honour["who"]), (&json!("org.example.badges"), &json!("admin")), "{round}: {honour}");
            assert_eq!(honour.get("symbol"), None, "{round}");
            admin.send(Method::DELETE, PLUGIN, None, 204).await;
        }
        // Nor does anybody's go with a plugin.
        assert_eq!(shown(&ada, "docket").await["created_by_id"], json!(ada.id));
    }

    /// On PostgreSQL one waits for the other: neither may wait for the one that waits.
    async fn an_account_is_deleted_while_it_reacts(world) {
        let (admin, ada) = (world.admin().await, world.user("ada").await);
        install(&admin).await;
        for name in ["bob", "carol", "dan", "eve"] {
            let somebody = world.user(name).await;
            let direct = ada.send(Method::POST, "/api/v1/channels/direct", Some(&json!({ "user_ids": [somebody.id] })), 201).await;
            let mut messages = Vec::new();
            for number in 0..3 {
                messages.push(ada.post(id(&direct), &format!("message {number}"), 201).await);
            }
            assert_eq!(put(&somebody, &messages[0], "docket").await.status, 204);
            let path = format!("/api/v1/auth/users/{}", somebody.id);
            let reacts = join_all(messages[1..].iter().map(|message| put(&somebody, message, "docket")));
            let (deleted, reacted) = tokio::join!(admin.call(Method::DELETE, &path, None), reacts);
            assert_eq!(deleted.status, 204, "{name}: {}", deleted.text);
            for reply in reacted {
                assert!(reply.status < 500, "{name}: {}", reply.text);
            }
        }
    }

    async fn a_reaction_has_limits_of_its_own(world) {
        past_midnight().await;
        let (admin, ada, bob, carol) = (world.admin().await, world.user("ada").await, world.user("bob").await, world.user("carol").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel);
        for somebody in [&bob, &carol] {
            somebody.join(harbour, 200).await;
        }
        install(&admin).await;
        let posted = ada.post(harbour, "land!", 201).await;
        for somebody in [&ada, &bob, &ada] {
            assert_eq!(put(somebody, &posted, "shilling").await.status, 204);
        }
        refused(&carol, &posted, "shilling", 409, "reaction_message_limit").await;
        bob.send(Method::DELETE, &format!("/api/v1/messages/{}/reactions/shilling", id(&posted)), None, 204).await;
        assert_eq!(put(&carol, &posted, "shilling").await.status, 204, "there is room again");

        let mut messages = Vec::new();
        for number in 0..12 {
            messages.push(ada.post(harbour, &format!("message {number}"), 201).await);
        }
        for message in &messages[..3] {
            assert_eq!(put(&bob, message, "docket").await.status, 204);
        }
        refused(&bob, &messages[3], "docket", 409, "reaction_day_limit").await;
        assert_eq!(put(&bob, &messages[0], "docket").await.status, 204, "it stands there already");
        // Taking one away gives none back, or the plugin could be called without an end.
        bob.send(Method::DELETE, &format!("/api/v1/messages/{}/reactions/docket", id(&messages[0])), None, 204).await;
        refused(&bob, &messages[3], "docket", 409, "reaction_day_limit").await;
        assert_eq!(put(&carol, &messages[3], "docket").await.status, 204, "others have their own three");

        // All at once, at every server.
        let addresses: Vec<_> = world.nodes.iter().map(|node| node.address.clone()).collect();
        let at = |user: &User, number: usize| user.at(&addresses[number % addresses.len()]);
        let tries = messages.iter().enumerate().map(|(number, message)| {
            let ada = at(&ada, number);
            async move { put(&ada, message, "docket").await.status }
        });
        let statuses = join_all(tries).await;
        assert_eq!(statuses.iter().filter(|it| **it == 204).count(), 3, "{statuses:?}");
        assert!(statuses.iter().all(|it| matches!(it, 204 | 409)), "{statuses:?}");
        let people = [&ada, &bob, &carol];
        let tries = people.iter().enumerate().map(|(number, somebody)| {
            let (somebody, message) = (at(somebody, number), &messages[11]);
            async move { put(&somebody, message, "shilling").await.status }
        });
        let mut statuses = join_all(tries).await;
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 204, 409]);
    }
}
