//! Reactions of this server's own, and how reactions are counted.

use futures_util::future::join_all;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::harness::user::{Reply, User, id, items};
use crate::harness::{World, both};

const CATALOGUE: &str = "/api/v1/reactions";

fn picture(width: u32, height: u32, format: image::ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(width, height, image::Rgb([30, 120, 90]))
        .write_to(&mut bytes, format)
        .unwrap();
    bytes.into_inner()
}

/// Adds a reaction with a picture.
pub async fn add(user: &User, code: &str, image: Vec<u8>) -> Reply {
    use futures_util::StreamExt;
    let form = Form::new()
        .text("code", code.to_owned())
        .text("name", "Ship it")
        .part("image", Part::bytes(image).file_name("../x.svg"));
    let kind = format!("multipart/form-data; boundary={}", form.boundary());
    let (mut stream, mut body) = (form.into_stream(), Vec::new());
    while let Some(part) = stream.next().await {
        body.extend_from_slice(&part.unwrap());
    }
    user.fetch(user.request(Method::POST, CATALOGUE).header("content-type", kind).body(body)).await
}

fn actions(page: &Value) -> Vec<&str> {
    items(page).iter().filter_map(|it| it["action"].as_str()).collect()
}

both! {
    async fn people_add_reactions_with_pictures(world) {
        let (ada, bob, admin) = (world.user("ada").await, world.user("bob").await, world.admin().await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        bob.join(id(&channel), 200).await;
        let mut socket = bob.connect().await;
        let png = || picture(300, 150, image::ImageFormat::Png);
        let added = add(&ada, "ship-it", png()).await;
        assert_eq!(added.status, 201, "{}", added.text);
        let added = added.body();
        assert_eq!((&added["code"], &added["name"], &added["created_by_id"], &added["is_system"]),
            (&json!("ship-it"), &json!("Ship it"), &json!(ada.id), &json!(false)));
        assert_eq!(socket.event("reaction_catalogue_updated").await["d"], json!({ "code": "ship-it" }));
        let url = added["image_url"].as_str().unwrap();
        let shown = ada.client.get(format!("{}{url}", ada.address.http())).send().await.unwrap();
        assert_eq!(shown.headers()["content-type"], "image/png");
        let read = image::load_from_memory(&shown.bytes().await.unwrap()).unwrap();
        assert_eq!((read.width(), read.height()), (128, 64));

        // In a text and under a message.
        let posted = ada.post(id(&channel), "go :ship-it: `:ship-it:`", 201).await;
        let expected = format!("<p dir=\"auto\">go <img class=\"emoji\" src=\"{url}\" alt=\":ship-it:\" title=\":ship-it:\"> <code>:ship-it:</code></p>");
        assert_eq!(posted["html"], expected);
        bob.react(id(&posted), "ship-it", 204).await;
        let reactions = bob.read(id(&posted), 200).await["reactions"].clone();
        assert_eq!(reactions, json!([{ "code": "ship-it", "count": 1, "user_ids": [bob.id], "me": true }]));
        assert_eq!(ada.read(id(&posted), 200).await["reactions"][0]["me"], false);

        // Refused: taken, emoji's names, paths, what is no picture.
        assert_eq!(add(&bob, "ship-it", png()).await.status, 409);
        for code in ["tada", "a", "../up", "a/b", "Ship", "x.svg", "30", &"x".repeat(33), ""] {
            assert_eq!(add(&bob, code, png()).await.status, 400, "{code:?}");
        }
        let svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".to_vec();
        let huge = picture(4_000, 2_000, image::ImageFormat::Png);
        for bad in [svg, b"GIF89a".to_vec(), b"<html>".to_vec(), Vec::new(), huge] {
            assert_eq!(add(&bob, "bad", bad).await.status, 400);
        }
        assert_eq!(add(&bob, "large", vec![0; 300 * 1_024]).await.status, 400);
        assert_eq!(add(&bob, "larger", vec![0; 400 * 1_024]).await.status, 413);
        assert_eq!(add(&world.visitor(), "nobody", png()).await.status, 401);
        for format in [image::ImageFormat::Jpeg, image::ImageFormat::Gif, image::ImageFormat::WebP] {
            let code = format!("of-{}", format.extensions_str()[0]);
            assert_eq!(add(&bob, &code, picture(20, 20, format)).await.status, 201, "{code}");
        }

        // A page after the other it is the same list.
        let first = bob.get(&format!("{CATALOGUE}?limit=2"), 200).await;
        let next = bob.get(&format!("{CATALOGUE}?limit=2&cursor={}", first["next_cursor"].as_str().unwrap()), 200).await;
        let codes: Vec<&str> = items(&first).iter().chain(items(&next)).filter_map(|it| it["code"].as_str()).collect();
        assert_eq!(codes, ["dice", "of-gif", "of-jpg", "of-webp"]);
        let last = bob.get(&format!("{CATALOGUE}?cursor={}", next["next_cursor"].as_str().unwrap()), 200).await;
        assert_eq!((&items(&last)[0]["code"], &last["next_cursor"]), (&json!("ship-it"), &Value::Null));
        bob.get(&format!("{CATALOGUE}?cursor=nonsense"), 400).await;
        bob.get(&format!("{CATALOGUE}?limit=0"), 400).await;

        // Deleted by whoever added it or manages reactions; what stands under messages stays.
        let path = format!("{CATALOGUE}/ship-it");
        bob.send(Method::DELETE, &path, None, 403).await;
        ada.send(Method::DELETE, &path, None, 204).await;
        ada.send(Method::DELETE, &path, None, 404).await;
        admin.send(Method::DELETE, &format!("{CATALOGUE}/of-gif"), None, 204).await;
        socket.events_until(|it| it["t"] == "reaction_catalogue_updated" && it["d"]["code"] == "ship-it").await;
        crate::harness::wait_until("its picture to be gone", async || {
            let gone = ada.client.get(format!("{}{url}", ada.address.http())).send().await.unwrap();
            gone.status() == 404
        })
        .await;
        assert_eq!(ada.read(id(&posted), 200).await["reactions"][0]["code"], "ship-it");
        ada.react(id(&posted), "ship-it", 400).await;
        let path = format!("/api/v1/messages/{}/reactions/ship-it", id(&posted));
        assert_eq!(items(&ada.get(&path, 200).await).len(), 1);
        bob.send(Method::DELETE, &path, None, 204).await;
        assert_eq!(ada.read(id(&posted), 200).await["reactions"], json!([]));

        let noted = admin.get("/api/v1/admin/audit?limit=100", 200).await;
        for action in ["reaction.created", "reaction.deleted"] {
            assert!(actions(&noted).contains(&action), "{action} is missing");
        }
    }

    async fn equal_pictures_do_not_share_their_end(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let png = || picture(40, 40, image::ImageFormat::Png);
        let shown = async |reaction: &Value| {
            let url = format!("{}{}", ada.address.http(), reaction["image_url"].as_str().unwrap());
            ada.client.get(url).send().await.unwrap().status().as_u16()
        };
        let (one, two) = (add(&ada, "pier-one", png()).await.body(), add(&bob, "pier-two", png()).await.body());
        assert_ne!(one["image_url"], two["image_url"]);
        ada.send(Method::DELETE, &format!("{CATALOGUE}/pier-one"), None, 204).await;
        crate::harness::wait_until("the first picture to be gone", async || shown(&one).await == 404).await;
        assert_eq!(shown(&two).await, 200, "it went with its like");
        // Added in the moment in which equal ones are removed.
        for round in 0..5 {
            let old = add(&ada, &format!("old-{round}"), png()).await.body();
            let path = format!("{CATALOGUE}/old-{round}");
            let code = format!("new-{round}");
            let ((), new) = tokio::join!(
                async { drop(ada.send(Method::DELETE, &path, None, 204).await) },
                add(&bob, &code, png()),
            );
            crate::harness::wait_until("the old picture to be gone", async || shown(&old).await == 404).await;
            assert_eq!(shown(&new.body()).await, 200, "lost in round {round}");
        }
        // What was put for a reaction that was refused is removed.
        assert_eq!(add(&ada, "pier-two", png()).await.status, 409);
        let pictures = world.files().join("pictures");
        crate::harness::wait_until("pictures that nothing shows to be removed", async || {
            crate::harness::files::count_files(&pictures) == 6
        })
        .await;
    }

    async fn adding_needs_a_permission_that_everyone_has_at_first(world) {
        let (bob, admin) = (world.user("bob").await, world.admin().await);
        let everyone = "/api/v1/auth/roles/00000000-0000-0000-0000-000000000001";
        admin.send(Method::PUT, everyone, Some(&json!({ "permissions": ["channels.create"] })), 200).await;
        // The servers forget within seconds what everybody may.
        crate::harness::wait_until("the permission to be gone", async || {
            add(&bob, "mine", Vec::new()).await.status == 403
        })
        .await;
        assert_eq!(add(&bob, "mine", picture(9, 9, image::ImageFormat::Png)).await.body()["code"], "permission_missing");
    }

    async fn reactions_are_counted_and_bounded(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        let room = ada.create_channel("room", "private", 201).await;
        bob.join(id(&channel), 200).await;
        let posted = ada.post(id(&channel), "land!", 201).await;
        let path = format!("/api/v1/messages/{}/reactions", id(&posted));
        let one = bob.send(Method::POST, &path, Some(&json!({ "emoji": "🎉" })), 201).await;
        assert_eq!(one, json!({ "message_id": posted["id"], "code": "🎉", "user_id": bob.id }));
        bob.send(Method::POST, &path, Some(&json!({ "code": "tada" })), 201).await;
        for bad in [json!({}), json!({ "code": "tada", "emoji": "🎉" }), json!({ "code": 5 }), json!({ "code": "no-such" }), json!({ "code": "../x" })] {
            bob.send(Method::POST, &path, Some(&bad), 400).await;
        }
        ada.react(id(&posted), "tada", 204).await;
        assert_eq!(items(&ada.get(&path, 200).await), [json!({ "code": "🎉", "count": 2, "user_ids": [bob.id, ada.id], "me": true })]);
        let people = ada.get(&format!("{path}/tada?limit=1"), 200).await;
        let cursor = people["next_cursor"].as_str().unwrap();
        let rest = ada.get(&format!("{path}/tada?limit=1&cursor={cursor}"), 200).await;
        let mut who = [&items(&people)[0]["user"]["id"], &items(&rest)[0]["user"]["id"]].map(Value::to_string);
        who.sort();
        let mut expected = [json!(ada.id), json!(bob.id)].map(|it| it.to_string());
        expected.sort();
        assert_eq!(who, expected);

        // Twenty of one person; the twenty-first is too many, and taking one away makes room.
        let emoji: Vec<char> = ('\u{1F400}'..).take(60).collect();
        for face in &emoji[..19] {
            bob.react(id(&posted), &face.to_string(), 204).await;
        }
        bob.react(id(&posted), &emoji[19].to_string(), 409).await;
        bob.send(Method::DELETE, &format!("{path}/tada"), None, 204).await;
        bob.react(id(&posted), &emoji[19].to_string(), 204).await;
        // Fifty of all.
        for face in &emoji[20..39] {
            ada.react(id(&posted), &face.to_string(), 204).await;
        }
        let carol = world.user("carol").await;
        carol.join(id(&channel), 200).await;
        for face in &emoji[39..49] {
            carol.react(id(&posted), &face.to_string(), 204).await;
        }
        carol.react(id(&posted), &emoji[49].to_string(), 409).await;
        carol.react(id(&posted), &emoji[0].to_string(), 204).await;

        // Who may not read it learns nothing; who is no member may not react.
        let hidden = ada.post(id(&room), "quiet", 201).await;
        bob.react(id(&hidden), "tada", 404).await;
        bob.get(&format!("/api/v1/messages/{}/reactions", id(&hidden)), 404).await;
        bob.get(&format!("/api/v1/messages/{}/reactions/tada", id(&hidden)), 404).await;
        let dan = world.user("dan").await;
        dan.react(id(&posted), "tada", 403).await;
        ada.delete(id(&posted), 204).await;
        bob.react(id(&posted), "tada", 410).await;
    }
}

/// Five a second: a sixth waits.
#[tokio::test]
async fn reacting_has_a_rate() {
    let mut world = World::embedded_with(&[("CONFAB_RATE_LIMITS", "on")]).await;
    let ada = world.user("ada").await;
    let channel = ada.create_channel("harbour", "public", 201).await;
    let posted = ada.post(id(&channel), "land!", 201).await;
    let path = format!("/api/v1/messages/{}/reactions/tada", id(&posted));
    let replies = join_all((0..30).map(|_| ada.call(Method::PUT, &path, None))).await;
    assert!(replies.iter().all(|it| matches!(it.status, 204 | 429)));
    let refused = replies.into_iter().find(|it| it.status == 429).expect("a refusal");
    assert!(!refused.header("retry-after").is_empty());
}
