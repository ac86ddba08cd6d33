//! Forged access tokens: each differs from a genuine one in one thing, and none opens a door.

mod claims;
mod genuine;
mod headers;
mod texts;

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use serde_json::{Value, json};

use self::claims::Ids;
use self::genuine::{Forged, Genuine, named, text_of};
use crate::harness::socket::Next;
use crate::harness::user::{Reply, User, id, items};
use crate::harness::{Socket, World, wait_until};

const ME: &str = "/api/v1/auth/me";
/// A frame that is larger than this is not read.
const FRAME_BYTES: usize = 16 * 1_024;

/// A key as the server makes one, which these tests hold too.
fn key() -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn embedded() {
    let key = key();
    no_forged_token_passes(World::embedded_with(&[("CONFAB_SECRET_KEY", &key)]).await, &key).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scaled() {
    let key = key();
    no_forged_token_passes(World::scaled_with(&[("CONFAB_SECRET_KEY", &key)]).await, &key).await;
}

async fn no_forged_token_passes(mut world: World, key: &str) {
    let ada = world.user("ada").await;
    let genuine = Genuine::of(&ada.access_token, key);
    let script = token_of(&ada).await;
    let secret = script["token"].as_str().unwrap();
    // Signed here, the same claims are as good as signed there: what is refused below is not refused for the signature.
    let ours = genuine.of_texts(&text_of(&genuine.header), &text_of(&genuine.claims));
    let good = [ada.access_token.as_str(), &ours, secret];
    passes(&world, &ada, &good).await;

    let forged = [
        headers::all(&genuine),
        claims::all(&genuine, &ids(&mut world, &ada, id(&script)).await),
        texts::all(&genuine),
        other_secrets(&world, &ada, secret).await,
    ]
    .concat();
    let mut accepted = Vec::new();
    for (number, (name, token)) in forged.iter().enumerate() {
        for node in &world.nodes {
            // The line's own rules keep out some texts before the server sees them.
            if let Ok(header) = HeaderValue::from_bytes(format!("Bearer {token}").as_bytes()) {
                accepted.extend(
                    fault_of(&asked(&ada.at(&node.address), &[header]).await)
                        .map(|it| format!("{name}: {it}")),
                );
            }
        }
        let mut socket = Socket::open(&world.nodes[number % world.nodes.len()].address).await;
        let frame = json!({ "op": "identify", "d": { "token": token } });
        socket.send(&frame).await;
        let expected = if frame.to_string().len() > FRAME_BYTES { 1009 } else { 4004 };
        match socket.next().await {
            Next::Closed(Some(code)) if code == expected => {}
            Next::Frame(frame) => accepted.push(format!("{name}: the gateway said {}", frame["op"])),
            Next::Closed(code) => accepted.push(format!("{name}: the gateway closed with {code:?}")),
        }
    }
    accepted.extend(wrong_headers(&ada).await);

    // Nothing of it has harmed the genuine one.
    passes(&world, &ada, &good).await;
    for node in &world.nodes {
        assert!(!node.output().contains("internal error"), "{}", node.output());
    }
    assert!(forged.len() >= 60, "the table shrank to {}", forged.len());
    assert!(accepted.is_empty(), "of {} forged tokens:\n{}", forged.len(), accepted.join("\n"));
}

async fn passes(world: &World, ada: &User, good: &[&str]) {
    for node in &world.nodes {
        for token in good {
            let ada = User { access_token: (*token).to_owned(), ..ada.at(&node.address) };
            assert_eq!(ada.get(ME, 200).await["id"], ada.id);
            assert_eq!(Socket::open(&node.address).await.identify(token).await["user"]["id"], ada.id);
        }
    }
}

async fn token_of(user: &User) -> Value {
    let form = json!({ "name": "script", "scopes": ["read", "write"] });
    user.send(Method::POST, "/api/v1/auth/tokens", Some(&form), 201).await
}

/// The sessions that a forger may have heard of.
async fn ids(world: &mut World, ada: &User, api_token: &str) -> Ids {
    let (gone, eve) = (world.user("ada").await, world.user("eve").await);
    let session = |sessions: &Value, is_current: bool| {
        let found = items(sessions).iter().find(|it| it["is_current"] == is_current).map(id);
        found.unwrap_or_else(|| panic!("no such session in {sessions}")).to_owned()
    };
    let ended_session = session(&ada.get("/api/v1/auth/sessions", 200).await, false);
    gone.send(Method::POST, "/api/v1/auth/logout", None, 204).await;
    wait_until("every server to know of the logout", async || {
        let at_last = gone.at(&world.nodes.last().unwrap().address);
        at_last.call(Method::GET, ME, None).await.status == 401
    })
    .await;
    Ids {
        stranger: eve.id.clone(),
        stranger_session: session(&eve.get("/api/v1/auth/sessions", 200).await, true),
        ended_session,
        api_token: api_token.to_owned(),
    }
}

/// Secrets of this server that are good for something else, and access tokens that are good elsewhere or were once.
async fn other_secrets(world: &World, ada: &User, secret: &str) -> Vec<Forged> {
    let admin = world.admin().await;
    let ticket = ada.send(Method::POST, "/api/v1/gateway/ticket", None, 200).await;
    let invitation = admin.send(Method::POST, "/api/v1/auth/invitations", Some(&json!({})), 201).await;
    let path = format!("/api/v1/auth/users/{}/password-reset", ada.id);
    let reset = admin.send(Method::POST, &path, None, 200).await;
    let revoked = token_of(ada).await;
    ada.send(Method::DELETE, &format!("/api/v1/auth/tokens/{}", id(&revoked)), None, 204).await;
    let elsewhere = World::embedded().await;
    let stranger = User::enter("ada", &elsewhere.nodes[0].address).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    named(
        "secret",
        [
            ("a refresh token", ada.refresh_token.clone()),
            ("a gateway ticket", text(&ticket["ticket"])),
            ("an invitation", text(&invitation["token"])),
            ("a reset link", text(&reset["url"]).split_once('#').unwrap().1.to_owned()),
            ("an access token of another server", stranger.access_token.clone()),
            ("a personal token of another server", text(&token_of(&stranger).await["token"])),
            ("a personal token that was revoked", text(&revoked["token"])),
            ("a personal token's id", id(&revoked).to_owned()),
            ("a guessed personal token", format!("cfb_{}", "0".repeat(secret.len() - 4))),
            ("a personal token but for its last letter", secret[..secret.len() - 1].to_owned()),
            ("a personal token and one letter more", format!("{secret}A")),
            ("nothing but the beginning of one", "cfb_".to_owned()),
            ("one without its beginning", secret["cfb_".len()..].to_owned()),
            ("one that begins in capitals", secret.replacen("cfb_", "CFB_", 1)),
            ("one that begins twice", format!("cfb_{secret}")),
            ("an access token that begins like one", format!("cfb_{}", ada.access_token)),
        ],
    )
}

/// A genuine token in the wrong place, or with company: another party on the way may have read another one.
async fn wrong_headers(ada: &User) -> Vec<String> {
    let text = |text: String| HeaderValue::from_str(&text).unwrap();
    let genuine = || text(format!("Bearer {}", ada.access_token));
    let garbage = || text("Bearer garbage".to_owned());
    let mut faults = Vec::new();
    for (name, headers) in [
        ("no header", vec![]),
        ("an empty header", vec![text(String::new())]),
        ("nothing behind the scheme", vec![text("Bearer".to_owned())]),
        ("a blank behind the scheme", vec![text("Bearer ".to_owned())]),
        ("no scheme", vec![text(ada.access_token.clone())]),
        ("another scheme", vec![text(format!("Token {}", ada.access_token))]),
        ("a longer scheme", vec![text(format!("Bearers {}", ada.access_token))]),
        ("the scheme twice", vec![text(format!("Bearer Bearer {}", ada.access_token))]),
        ("a tab behind the scheme", vec![text(format!("Bearer\t{}", ada.access_token))]),
        ("two in one header", vec![text(format!("Bearer garbage, Bearer {}", ada.access_token))]),
        ("the genuine one last", vec![garbage(), genuine()]),
        ("the genuine one first", vec![genuine(), garbage()]),
        ("the genuine one twice", vec![genuine(), genuine()]),
    ] {
        faults.extend(fault_of(&asked(ada, &headers).await).map(|it| format!("{name}: {it}")));
    }
    let nobody = User { access_token: String::new(), ..ada.clone() };
    let token = &ada.access_token;
    for (name, request) in [
        ("Basic", nobody.request(Method::GET, ME).basic_auth(token, None::<&str>)),
        ("Basic, as the password", nobody.request(Method::GET, ME).basic_auth("ada", Some(token))),
        ("in the address", nobody.request(Method::GET, &format!("{ME}?access_token={token}&token={token}"))),
        (
            "in a cookie",
            nobody
                .request(Method::GET, ME)
                .header("cookie", format!("access_token={token}; confab_refresh={token}")),
        ),
    ] {
        faults.extend(fault_of(&nobody.fetch(request).await).map(|it| format!("{name}: {it}")));
    }
    // RFC 9110 §11.1: the scheme's letters may be small. Whichever it is, it is an answer.
    let small = asked(ada, &[text(format!("bearer {}", ada.access_token))]).await;
    if ![200, 401].contains(&small.status) {
        faults.push(format!("a scheme in small letters: {} {}", small.status, small.text));
    }
    faults
}

async fn asked(user: &User, headers: &[HeaderValue]) -> Reply {
    let nobody = User { access_token: String::new(), ..user.clone() };
    let request = nobody.request(Method::GET, ME);
    let request = headers.iter().fold(request, |request, header| request.header(AUTHORIZATION, header));
    nobody.fetch(request).await
}

/// What is wrong with a refusal; nothing where it is one.
fn fault_of(reply: &Reply) -> Option<String> {
    let code = if reply.status == 401 { reply.body()["code"].clone() } else { Value::Null };
    let is_refused = ["invalid_token", "session_ended", "unauthenticated"].iter().any(|it| code == *it);
    (!is_refused).then(|| format!("{} {}", reply.status, reply.text.chars().take(80).collect::<String>()))
}
