//! Import and export in the administration: what is taken away here comes in elsewhere, and nobody takes more than they may read.

use std::io::Cursor;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::files::Download;
use crate::harness::user::{User, id, items};
use crate::harness::world::{ADMIN, ADMIN_PASSWORD, common};
use crate::harness::{Node, both, wait_for};

const NEWEST: &str = "/api/v1/admin/transfers/newest";

/// The newest transfer once it has ended.
async fn ended(admin: &User) -> Value {
    wait_for("the transfer to end", async || {
        let newest = admin.get(NEWEST, 200).await["transfer"].clone();
        (newest["status"] != "running").then_some(newest)
    })
    .await
}

async fn archive_of(user: &User, export: &Value) -> Download {
    user.fetch_bytes(&format!("../admin/exports/{}/download", id(export)), &[]).await
}

async fn import(user: &User, query: &str, filename: &str, bytes: &[u8]) -> (u16, Value) {
    let path = format!("/api/v1/admin/imports{query}");
    let reply = user.fetch(user.form_request(Method::POST, &path, filename.as_bytes(), bytes)).await;
    (reply.status, reply.body())
}

both! {
    async fn what_is_exported_comes_in_elsewhere(world) {
        let (ada, bob, admin) = (world.user("ada").await, world.user("bob").await, world.admin().await);
        let harbour = ada.create_channel("harbour", "public", 201).await;
        let vault = ada.create_channel("vault", "private", 201).await;
        bob.join(id(&harbour), 200).await;
        let text = "*Tides* & **moons** <b>, @bob";
        let root = ada.post(id(&harbour), text, 201).await;
        bob.reply(id(&harbour), id(&root), "High at noon", 201).await;
        bob.react(id(&root), "wave", 204).await;
        let gone = ada.post(id(&harbour), "Nobody reads this", 201).await;
        ada.delete(id(&gone), 204).await;
        ada.post(id(&vault), "Under the third stone", 201).await;

        let asked = json!({ "private": true });
        ada.send(Method::POST, "/api/v1/admin/exports", Some(&asked), 403).await;
        ada.get(NEWEST, 403).await;
        assert_eq!(admin.get(NEWEST, 200).await, json!({}));
        let begun = admin.send(Method::POST, "/api/v1/admin/exports", Some(&asked), 202).await;
        assert_eq!((&begun["kind"], &begun["started_by_id"]), (&json!("export"), &json!(admin.id)));
        let export = ended(&admin).await;
        assert_eq!((&export["id"], &export["status"]), (&begun["id"], &json!("done")), "{export}");
        let made = archive_of(&admin, &export).await;
        assert_eq!((made.status, made.header("content-type")), (200, "application/zip"));
        assert_eq!(made.bytes.len() as i64, export["size_bytes"].as_i64().unwrap());

        // The administrator is no member of the vault, so no byte of it is there; and another one may read other things.
        let mut zip = zip::ZipArchive::new(Cursor::new(made.bytes.clone())).unwrap();
        for at in 0..zip.len() {
            let all = std::io::read_to_string(zip.by_index(at).unwrap()).unwrap();
            assert!(!all.contains("vault") && !all.contains("third stone") && !all.contains("Nobody reads"), "{all}");
        }
        admin.send(Method::PUT, &format!("/api/v1/auth/users/{}/superuser", ada.id), None, 200).await;
        assert_eq!(archive_of(&ada, &export).await.status, 404);
        assert_eq!(archive_of(&bob, &export).await.status, 403);

        // Elsewhere.
        let folder = tempfile::tempdir().unwrap();
        let other = Node::start(&folder.path().join("data"), &common()).await;
        let there = User::log_in(ADMIN, ADMIN_PASSWORD, &other.address).await;
        let (status, begun) = import(&there, "?dry_run=true", "taken.zip", &made.bytes).await;
        assert_eq!((status, &begun["filename"]), (202, &json!("taken.zip")), "{begun}");
        let trial = ended(&there).await;
        assert_eq!((&trial["status"], &trial["report"]["messages"]["found"]), (&json!("done"), &json!(2)), "{trial}");
        assert!(items(&there.channels(200).await).iter().all(|it| it["name"] != "harbour"), "a trial writes nothing");
        import(&there, "", "taken.zip", &made.bytes).await;
        let done = ended(&there).await;
        assert_eq!((&done["status"], &done["report"]["messages"]["imported"]), (&json!("done"), &json!(2)), "{done}");
        let channels = there.channels(200).await;
        let came = items(&channels).iter().find(|it| it["name"] == "harbour").expect("the channel");
        let page = there.list(id(came), "", 200).await;
        let page = items(&page);
        assert_eq!((page[0]["content"].as_str(), page[1]["content"].as_str()), (Some(text), Some("High at noon")));
        assert_eq!((&page[1]["parent_id"], page[0]["mentions"].as_array().map(Vec::len)), (&page[0]["id"], Some(1)));
        assert_eq!((&page[0]["created_at"], &page[0]["reactions"][0]["count"]), (&root["created_at"], &json!(1)));
        for action in ["data.imported", "data.exported"] {
            let who = if action == "data.imported" { &there } else { &admin };
            let noted = who.get(&format!("/api/v1/admin/audit?action={action}"), 200).await;
            assert_eq!((items(&noted).len(), &items(&noted)[0]["actor_id"]), (1, &json!(who.id)), "{noted}");
        }
    }

    async fn what_is_no_export_is_refused_and_says_why(world) {
        let (ada, admin) = (world.user("ada").await, world.admin().await);
        assert_eq!(import(&ada, "", "any.zip", b"PK").await.0, 403);
        let (status, problem) = import(&admin, "", "tides.txt", b"tide table").await;
        assert_eq!((status, &problem["errors"][0]["field"]), (400, &json!("file")), "{problem}");
        assert_eq!(import(&admin, "", "letters.zip", b"PK and no more").await.0, 202);
        let failed = ended(&admin).await;
        let error = failed["error"].as_str().unwrap_or_default();
        assert_eq!(failed["status"], "failed");
        assert!(error.starts_with("letters.zip is damaged or no zip"), "names what was sent and no place of ours: {error}");
        assert_eq!(items(&admin.get("/api/v1/admin/audit?action=data.imported", 200).await).len(), 0);
    }
}
