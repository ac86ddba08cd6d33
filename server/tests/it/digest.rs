//! Mail of what was not read.

use std::time::Duration;

use confab_protocol::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::World;
use crate::harness::smtp::Smtp;
use crate::harness::user::{User, id, password_of};

const MINE: &str = "/api/v1/users/me/preferences";
const NOW: &str = "/api/v1/users/me/digest";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_unread_is_mailed_once() {
    for is_scaled in [false, true] {
        let smtp = Smtp::start().await;
        let settings = [
            ("CONFAB_SMTP_URL", smtp.url()),
            ("CONFAB_MAIL_FROM", "Confab <confab@example.org>"),
            ("CONFAB_DIGEST_AFTER_SECONDS", "0"),
            ("CONFAB_PUBLIC_URL", "https://chat.example.org"),
        ];
        let world = if is_scaled {
            World::scaled_with(&settings).await
        } else {
            World::embedded_with(&settings).await
        };
        mailed(world, smtp).await;
    }
}

async fn mailed(mut world: World, mut smtp: Smtp) {
    let (ada, eve, admin) = (world.user("ada").await, world.user("eve").await, world.admin().await);
    // An administrator vouches for Carol's address; Eve wrote hers herself.
    let form = json!({ "username": "carol", "email": "carol@example.org" });
    let made = admin.send(Method::POST, "/api/v1/auth/users", Some(&form), 201).await;
    let secret = made["reset_url"].as_str().unwrap().split_once('#').unwrap().1;
    let chosen = json!({ "token": secret, "password": password_of("carol") });
    world.visitor().send(Method::POST, "/api/v1/auth/password/reset", Some(&chosen), 204).await;
    let carol = User::log_in("carol", &password_of("carol"), &ada.address).await;
    let prefer = async |form: Value| carol.send(Method::PUT, MINE, Some(&form), 200).await;

    let hourly = json!({ "email_digest": "hourly" });
    assert_eq!(eve.send(Method::PUT, MINE, Some(&hourly), 409).await["code"], "email_unverified");
    assert_eq!(carol.send(Method::POST, NOW, None, 409).await["code"], "digest_off");
    assert_eq!(prefer(hourly).await["email_digest"], "hourly");

    let room = ada.create_channel("room", "private", 201).await;
    ada.add_member(id(&room), &carol, 201).await;
    let first = ada.post(id(&room), "@carol the first", 201).await;
    let gone = ada.post(id(&room), "@carol the canary", 201).await;
    ada.delete(id(&gone), 204).await;
    let read = ada.post(id(&room), "@carol is read", 201).await;
    let page = carol.get("/api/v1/users/me/notifications", 200).await;
    let theirs =
        page["items"].as_array().unwrap().iter().find(|it| it["message"]["id"] == read["id"]).unwrap();
    carol
        .send(Method::POST, "/api/v1/users/me/notifications/read", Some(&json!({ "ids": [id(theirs)] })), 200)
        .await;
    carol.send(Method::POST, NOW, None, 202).await;
    let mail = smtp.message_to("carol@example.org").await;
    let text = mail["text"].as_str().unwrap();
    assert!(mail["subject"].as_str().unwrap().contains("1 unread"), "{mail}");
    assert!(text.contains("ada mentioned you in #room: @carol the first"), "{text}");
    assert!(
        text.contains(&format!("https://chat.example.org/channels/{}?seq={}", id(&room), first["seq"])),
        "{text}"
    );
    assert!(text.contains("/preferences/notifications"), "no way out: {text}");
    assert!(!text.contains("canary") && !text.contains("is read"), "{text}");

    // What was mailed is not mailed again; in quiet nothing is, and all of it afterwards.
    prefer(json!({ "until": Timestamp::now().plus(Duration::from_hours(1)).to_string() })).await;
    ada.post(id(&room), "@carol the second", 201).await;
    carol.send(Method::POST, NOW, None, 202).await;
    prefer(json!({ "until": null })).await;
    ada.post(id(&room), "@carol the third", 201).await;
    carol.send(Method::POST, NOW, None, 202).await;
    let text = smtp.message_to("carol@example.org").await["text"].as_str().unwrap().to_owned();
    assert!(text.contains("the second") && !text.contains("the first"), "{text}");
    // The mail may have left before the third was written, if the first request was still waiting.
    if !text.contains("the third") {
        let text = smtp.message_to("carol@example.org").await["text"].as_str().unwrap().to_owned();
        assert!(text.contains("the third") && !text.contains("the second"), "{text}");
    }
    assert!(!smtp.has_more_for("carol@example.org") && !smtp.has_more_for("eve@example.org"));
    prefer(json!({ "email_digest": "off" })).await;
    assert_eq!(carol.send(Method::POST, NOW, None, 409).await["code"], "digest_off");
}
