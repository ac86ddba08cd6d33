//! What people show of themselves: name, words, picture, state.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::harness::both;
use crate::harness::user::{Reply, User, password_of};

const PICTURE: &str = "/api/v1/users/me/profile-picture";

/// A PNG of one colour, made by the same library that reads it.
fn png(side: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::from_pixel(side, side / 2, image::Rgb([30, 120, 90]));
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

async fn upload(user: &User, bytes: Vec<u8>) -> Reply {
    let form = Form::new().part("file", Part::bytes(bytes).file_name("me.png"));
    let body = form.boundary().to_owned();
    let bytes = to_bytes(form).await;
    let kind = format!("multipart/form-data; boundary={body}");
    user.fetch(user.request(Method::PUT, PICTURE).header("content-type", kind).body(bytes)).await
}

/// The form as bytes, so that the request declares its length as browsers do.
async fn to_bytes(form: Form) -> Vec<u8> {
    use futures_util::StreamExt;
    let mut stream = form.into_stream();
    let mut all = Vec::new();
    while let Some(part) = stream.next().await {
        all.extend_from_slice(&part.unwrap());
    }
    all
}

/// What the server answers to the head of an upload of so many bytes.
async fn declared(user: &User, bytes: usize) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let address = user.address.http().replacen("http://", "", 1);
    let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "PUT {PICTURE} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: {bytes}\r\nConnection: close\r\n\r\n",
        user.access_token
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 64];
    let read = stream.read(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

both! {
    async fn a_profile_is_ones_own(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let change = json!({ "full_name": "Ada L.", "bio": "Counts." });
        let path = format!("/api/v1/users/{}/profile", ada.id);
        assert_eq!(ada.send(Method::PUT, &path, Some(&change), 200).await["full_name"], "Ada L.");
        bob.send(Method::PUT, &path, Some(&change), 403).await;
        let seen = bob.get(&path, 200).await;
        assert_eq!((&seen["bio"], &seen["email"]), (&json!("Counts."), &Value::Null), "an address is not everyone's");

        // Whoever holds the address can choose a new password: changing it asks for the present one.
        let address = |password: &str| json!({ "email": "new@example.org", "current_password": password });
        ada.send(Method::PUT, "/api/v1/auth/me", Some(&address("wrong")), 400).await;
        let own = ada.send(Method::PUT, "/api/v1/auth/me", Some(&address(&password_of("ada"))), 200).await;
        assert_eq!(own["email"], "new@example.org");
        ada.send(Method::PUT, "/api/v1/users/me", Some(&json!({ "username": "bob" })), 409).await;
        ada.send(Method::PUT, "/api/v1/users/me", Some(&json!({ "username": "a@b" })), 400).await;
        let own = ada.send(Method::PUT, "/api/v1/users/me", Some(&json!({ "username": "countess" })), 200).await;
        assert_eq!((&own["username"], &own["has_password"]), (&json!("countess"), &json!(true)));
        User::log_in("countess", &password_of("ada"), &ada.address).await;
        ada.get(&format!("/api/v1/users/{}", confab_protocol::fresh_id()), 404).await;
    }

    async fn a_picture_is_made_anew(world) {
        let ada = world.user("ada").await;
        let reply = upload(&ada, png(600)).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let url = reply.body()["picture_url"].as_str().unwrap().to_owned();
        let visitor = world.visitor();
        let served = visitor.client.get(format!("{}{url}", ada.address.http())).send().await.unwrap();
        assert_eq!(served.headers()["content-type"], "image/jpeg");
        assert_eq!(served.headers()["x-content-type-options"], "nosniff");
        let bytes = served.bytes().await.unwrap();
        let picture = image::load_from_memory(&bytes).unwrap();
        assert_eq!((picture.width(), picture.height()), (256, 256));

        for bad in [b"no picture at all".to_vec(), b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(), png(64)[..50].to_vec()] {
            let refused = upload(&ada, bad).await;
            assert_eq!((refused.status, &refused.body()["errors"][0]["field"]), (400, &json!("file")), "{}", refused.text);
        }
        // Only its head is sent: whether a client that still writes hears the answer depends on the buffers between.
        assert!(declared(&ada, 6 << 20).await.starts_with("HTTP/1.1 413"));
        for wrong in ["/api/v1/pictures/..%2f..%2ftoken.key", &format!("/api/v1/pictures/{}", "0".repeat(64))] {
            visitor.get(wrong, 404).await;
        }
        let gone = ada.send(Method::DELETE, PICTURE, None, 200).await;
        assert!(gone["picture_url"].is_null(), "{gone}");
    }

    async fn a_state_is_said_and_seen(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let path = "/api/v1/users/me/status";
        let busy = json!({ "status": "busy", "text": "in a meeting", "expires_at": "2099-01-01T00:00:00Z" });
        ada.send(Method::PUT, path, Some(&busy), 200).await;
        let seen = bob.get(&format!("/api/v1/users/{}/status", ada.id), 200).await;
        assert_eq!((&seen["status"], &seen["text"]), (&json!("busy"), &json!("in a meeting")));
        // A device that comes and goes changes nothing of what she chose.
        let mut socket = ada.connect().await;
        socket.send(&json!({ "op": "heartbeat", "d": { "pos": 0 } })).await;
        socket.frame("heartbeat_ack").await;
        assert_eq!(bob.get(&format!("/api/v1/users/{}/status", ada.id), 200).await["status"], "busy");
        // What is absent stays, null takes away.
        ada.send(Method::PUT, path, Some(&json!({ "status": "away" })), 200).await;
        let seen = bob.get(&format!("/api/v1/users/{}/status", ada.id), 200).await;
        assert_eq!((&seen["status"], &seen["text"]), (&json!("away"), &json!("in a meeting")));
        let gone = ada.send(Method::PUT, path, Some(&json!({ "text": null })), 200).await;
        assert!(gone["text"].is_null(), "{gone}");
        for bad in [json!({ "status": "asleep" }), json!({ "text": "x".repeat(101) }), json!({ "text": "a", "expires_at": "2001-01-01T00:00:00Z" })] {
            ada.send(Method::PUT, path, Some(&bad), 400).await;
        }
    }
}
