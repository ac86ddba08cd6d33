//! Outside identities, against a real OpenID Connect provider.

use std::time::Instant;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::oidc::{AUDIENCE, CLIENT_ID, CLIENT_SECRET, Provider};
use crate::harness::user::{Reply, User, id, items, password_of};
use crate::harness::{World, wait_until};

const ME: &str = "/api/v1/auth/me";
const SYNC: &str = "/api/v1/auth/sync";
const START: &str = "/api/v1/auth/oidc/start";

struct Ground {
    provider: Provider,
    world: World,
}

async fn ground(is_scaled: bool, more: &[(&str, &str)]) -> Ground {
    let provider = Provider::start().await;
    let mut settings = vec![
        ("CONFAB_OIDC_ISSUER", provider.issuer()),
        ("CONFAB_OIDC_AUDIENCE", AUDIENCE),
        ("CONFAB_OIDC_CLIENT_ID", CLIENT_ID),
        ("CONFAB_OIDC_CLIENT_SECRET", CLIENT_SECRET),
        ("CONFAB_OIDC_NAME", "Example ID"),
    ];
    settings.extend_from_slice(more);
    let world =
        if is_scaled { World::scaled_with(&settings).await } else { World::embedded_with(&settings).await };
    let callback = format!("{}/api/v1/auth/oidc/callback", world.nodes[0].address.http());
    provider.allow_redirect(&callback).await;
    Ground { provider, world }
}

impl Ground {
    /// Whoever holds this token.
    fn holder(&self, token: &str) -> User {
        User { access_token: token.to_owned(), ..self.world.visitor() }
    }

    /// A browser that goes to the provider as `name` and comes back. Answers where it is sent and its cookies.
    async fn sign_in(&self, start: &str, name: &str) -> Reply {
        let visitor = self.world.visitor();
        let began = visitor.call(Method::GET, start, None).await;
        assert_eq!(began.status, 302, "{}", began.text);
        let back = self.provider.follow(began.header("location"), name).await;
        self.come_back(&back, &cookies(&began)).await
    }

    async fn come_back(&self, address: &str, cookie: &str) -> Reply {
        let visitor = self.world.visitor();
        visitor.fetch(visitor.client.get(address).header("cookie", cookie)).await
    }
}

/// What a browser would send again.
fn cookies(reply: &Reply) -> String {
    let set = reply.headers.get_all("set-cookie").iter();
    let pairs = set.filter_map(|it| it.to_str().ok()?.split(';').next().map(str::to_owned));
    pairs.filter(|pair| !pair.ends_with('=')).collect::<Vec<_>>().join("; ")
}

/// The person that the refresh cookie of a reply stands for.
async fn who(ground: &Ground, reply: &Reply) -> Value {
    let visitor = ground.world.visitor();
    let request = visitor.request(Method::POST, "/api/v1/auth/refresh");
    let renewed = visitor.fetch(request.header("cookie", cookies(reply)).json(&json!({}))).await;
    assert_eq!(renewed.status, 200, "{}", renewed.text);
    renewed.body()
}

/// Tells each story in both modes, with these settings besides those of the issuer.
macro_rules! outside {
    ($($(#[$note:meta])* async fn $story:ident($ground:ident, $settings:expr) $body:block)+) => { $(
        $(#[$note])*
        mod $story {
            use super::*;

            async fn story(mut ground: Ground) {
                let $ground = &mut ground;
                $body
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn embedded() {
                story(ground(false, $settings).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn scaled() {
                story(ground(true, $settings).await).await;
            }
        }
    )+ };
}

outside! {
    async fn a_token_of_the_issuer_is_accepted_after_its_person_was_synced(ground, &[]) {
        let token = ground.provider.access_token("ada").await;
        let ada = ground.holder(&token);
        let unknown = ada.send(Method::GET, ME, None, 401).await;
        assert_eq!(unknown["code"], "unknown_identity");
        let user = ada.send(Method::POST, SYNC, None, 200).await;
        assert_eq!((&user["username"], &user["email"]), (&json!("ada"), &json!("ada@example.org")));
        assert_eq!(ada.get(ME, 200).await["id"], user["id"]);
        let verified = ada.get("/api/v1/auth/verify", 200).await;
        assert_eq!((&verified["subject"], &verified["user_id"]), (&json!("sub-ada"), &user["id"]));
        // The identity is issuer and subject: another token of hers is hers, and what the body says counts for nothing.
        let again = ground.holder(&ground.provider.access_token("ada").await);
        assert_eq!(again.get(ME, 200).await["id"], user["id"]);
        let bob = ground.holder(&ground.provider.access_token("bob").await);
        let body = json!({ "username": "ada", "email": "ada@example.org", "id": user["id"], "sub": "sub-ada" });
        assert_ne!(bob.send(Method::POST, SYNC, Some(&body), 200).await["id"], user["id"]);

        // It stands in her list, and revoking it is for good.
        let sessions = again.get("/api/v1/auth/sessions", 200).await;
        let external: Vec<&Value> = items(&sessions).iter().filter(|it| it["method"] == "external").collect();
        assert_eq!(external.len(), 2, "{sessions}");
        let other = external.iter().find(|it| it["is_current"] == false).unwrap();
        again.send(Method::DELETE, &format!("/api/v1/auth/sessions/{}", id(other)), None, 204).await;
        wait_until("the revoked token to be refused", async || {
            ada.call(Method::GET, ME, None).await.status == 401
        })
        .await;
        ada.send(Method::POST, SYNC, None, 401).await;
        ada.get("/api/v1/auth/verify", 401).await;
        let mut socket = again.connect().await;
        let admin = ground.world.admin().await;
        let path = format!("/api/v1/auth/users/{}/disable", user["id"].as_str().unwrap());
        admin.send(Method::PUT, &path, None, 200).await;
        assert_eq!(socket.closed().await, Some(4010));
        again.send(Method::POST, SYNC, None, 403).await;
        again.get("/api/v1/auth/verify", 401).await;
    }

    async fn a_genuine_signature_is_not_enough(ground, &[("CONFAB_OIDC_REQUIRED_CLAIMS", "scope=openid profile email")]) {
        let (header, claims) = ground.provider.token_parts("ada").await;
        let good = ground.provider.sign(&header, &claims).await;
        ground.holder(&good).send(Method::POST, SYNC, None, 200).await;
        let now = claims["iat"].as_i64().unwrap();
        let issuer = ground.provider.issuer();
        let changes = [
            ("aud", json!("another-api")),
            ("aud", json!(["another-api"])),
            ("aud", json!("confab-api ")),
            ("aud", Value::Null),
            ("iss", json!(format!("{issuer}/"))),
            ("iss", json!("https://evil.example")),
            ("iss", Value::Null),
            ("exp", json!(now - 120)),
            ("exp", json!("never")),
            ("exp", Value::Null),
            ("nbf", json!(now + 600)),
            ("sub", json!("")),
            ("sub", json!(7)),
            ("sub", Value::Null),
            ("scope", json!("openid")),
            ("scope", Value::Null),
        ];
        for (name, value) in changes {
            let mut spoiled = claims.clone();
            if value.is_null() {
                spoiled.as_object_mut().unwrap().remove(name);
            } else {
                spoiled[name] = value.clone();
            }
            let token = ground.provider.sign(&header, &spoiled).await;
            for path in [SYNC, "/api/v1/auth/logout"] {
                let reply = ground.holder(&token).call(Method::POST, path, None).await;
                assert_eq!(reply.status, 401, "{name} {value} {path}: {}", reply.text);
            }
        }
        for algorithm in ["none", "HS256"] {
            let mut other = header.clone();
            other["alg"] = json!(algorithm);
            let token = ground.provider.sign(&other, &claims).await;
            ground.holder(&token).send(Method::POST, SYNC, None, 401).await;
        }
        let id_token = ground.provider.tokens("ada").await["id_token"].as_str().unwrap().to_owned();
        ground.holder(&id_token).send(Method::POST, SYNC, None, 401).await;
        ground.holder(&format!("{good}x")).send(Method::POST, SYNC, None, 401).await;
    }

    async fn keys_change_and_may_be_away_for_a_while(ground, &[]) {
        let first = ground.holder(&ground.provider.access_token("ada").await);
        first.send(Method::POST, SYNC, None, 200).await;
        let fetched = async || ground.provider.counts().await["jwks"].as_i64().unwrap();
        let before = fetched().await;
        let began = Instant::now();
        // Many tokens of keys that nobody knows make one call a minute, not one each.
        let (header, claims) = ground.provider.token_parts("ada").await;
        for number in 0..200 {
            let mut other = header.clone();
            other["kid"] = json!(format!("unknown-{number}"));
            let token = ground.provider.sign(&other, &claims).await;
            ground.holder(&token).send(Method::POST, SYNC, None, 401).await;
        }
        let calls = fetched().await - before;
        assert!(calls <= 1 + began.elapsed().as_secs() as i64 / 60, "{calls} calls for the keys");
        // Without its keys' address the known ones go on.
        ground.provider.jwks_down(true).await;
        first.get(ME, 200).await;
        let second = ground.holder(&ground.provider.access_token("ada").await);
        second.get(ME, 200).await;
    }

    async fn a_new_key_is_found_by_its_first_token(ground, &[]) {
        let first = ground.holder(&ground.provider.access_token("ada").await);
        first.send(Method::POST, SYNC, None, 200).await;
        ground.provider.rotate(true).await;
        let second = ground.holder(&ground.provider.access_token("ada").await);
        second.get(ME, 200).await;
        first.get(ME, 200).await;
    }

    async fn a_browser_signs_in_at_the_issuer(ground, &[]) {
        let info = ground.world.visitor().get("/api/v1/info", 200).await;
        assert_eq!(
            (&info["features"]["oidc"], &info["features"]["oidc_name"]),
            (&json!(true), &json!("Example ID"))
        );
        let back = ground.sign_in(&format!("{START}?return_to=/channels/x%3Fseq=3"), "ada").await;
        assert_eq!((back.status, back.header("location")), (302, "/channels/x?seq=3"), "{}", back.text);
        let set: Vec<&str> =
            back.headers.get_all("set-cookie").iter().filter_map(|it| it.to_str().ok()).collect();
        let refresh = set.iter().find(|it| it.starts_with("confab_refresh=")).unwrap();
        assert!(refresh.contains("HttpOnly") && refresh.contains("SameSite=Strict"), "{refresh}");
        let signed_in = who(ground, &back).await;
        assert_eq!(
            (&signed_in["user"]["username"], &signed_in["user"]["has_password"]),
            (&json!("ada"), &json!(false))
        );
        let again = ground.sign_in(START, "ada").await;
        assert_eq!(who(ground, &again).await["user"]["id"], signed_in["user"]["id"]);

        let refused = ground.sign_in(START, "refuses").await;
        assert_eq!(refused.header("location"), "/login?error=oidc_failed");
        // Nobody is led to another's page.
        let evil = ground.sign_in(&format!("{START}?return_to=https://evil.example"), "ada").await;
        assert_eq!(evil.header("location"), "/");
    }

    /// A link with somebody else's code would sign its victim in as the attacker.
    async fn a_sign_in_ends_in_the_browser_that_began_it(ground, &[]) {
        let visitor = ground.world.visitor();
        let began = visitor.call(Method::GET, START, None).await;
        let back = ground.provider.follow(began.header("location"), "ada").await;
        let other = visitor.call(Method::GET, START, None).await;
        for cookie in ["", "confab_sign_in=guess", &cookies(&other)] {
            let reply = ground.come_back(&back, cookie).await;
            assert_eq!(reply.header("location"), "/login?error=oidc_failed", "{cookie}");
        }
        let done = ground.come_back(&back, &cookies(&began)).await;
        assert_eq!(done.header("location"), "/");
        let replayed = ground.come_back(&back, &cookies(&began)).await;
        assert_eq!(replayed.header("location"), "/login?error=oidc_failed", "a code that was used");
    }

    async fn identities_are_linked_by_verified_addresses_or_by_their_user(ground, &[]) {
        let unverified = ground.world.user("unverified").await;
        let bob = ground.world.user("bob").await;
        // The issuer does not vouch for the address: the account stays its owner's.
        let refused = ground.sign_in(START, "unverified").await;
        assert_eq!(refused.header("location"), "/login?error=email_not_verified");
        User::log_in("unverified", &password_of("unverified"), &unverified.address).await;
        let mallory = json!({ "name": "mallory", "email": "bob@example.org", "email_verified": false });
        ground.provider.account(&mallory).await;
        let refused = ground.sign_in(START, "mallory").await;
        assert_eq!(refused.header("location"), "/login?error=email_not_verified");
        bob.get(ME, 200).await;
        // It does: the account is linked. Whoever made it without proving the address may have waited for this: out they go.
        let linked = ground.sign_in(START, "bob").await;
        assert_eq!(who(ground, &linked).await["user"]["id"], json!(bob.id));
        wait_until("the session from before to end", async || {
            bob.call(Method::GET, ME, None).await.status == 401
        })
        .await;
        let old = json!({ "username": "bob", "password": password_of("bob") });
        ground.world.visitor().send(Method::POST, "/api/v1/auth/login", Some(&old), 401).await;

        // A signed-in user links what they like, and nobody else's.
        let path = "/api/v1/auth/identities";
        // A stolen session must not get a way in that stays.
        unverified.send(Method::POST, path, Some(&json!({})), 400).await;
        let form = json!({ "return_to": "/preferences/security", "current_password": password_of("unverified") });
        let began = unverified.call(Method::POST, path, Some(&form)).await;
        let url = began.body()["url"].as_str().unwrap().to_owned();
        let back = ground.provider.follow(&url, "carol").await;
        let done = ground.come_back(&back, &cookies(&began)).await;
        assert_eq!(done.header("location"), "/preferences/security");
        let mine = unverified.get(path, 200).await;
        assert_eq!(items(&mine)[0]["subject"], "sub-carol");
        let taken = unverified.call(Method::POST, path, Some(&form)).await;
        let url = taken.body()["url"].as_str().unwrap().to_owned();
        let back = ground.provider.follow(&url, "bob").await;
        let done = ground.come_back(&back, &cookies(&taken)).await;
        assert_eq!(done.header("location"), "/login?error=identity_taken");
        unverified.send(Method::DELETE, &format!("{path}/{}", id(&items(&mine)[0])), None, 204).await;
        assert_eq!(items(&unverified.get(path, 200).await).len(), 0);
    }

    async fn registration_holds_for_outside_identities_too(ground, &[("CONFAB_REGISTRATION", "invite")]) {
        let admin = ground.world.admin().await;
        let closed = ground.sign_in(START, "ada").await;
        assert_eq!(closed.header("location"), "/login?error=registration_closed");
        let ada = ground.holder(&ground.provider.access_token("ada").await);
        assert_eq!(ada.send(Method::POST, SYNC, None, 403).await["code"], "registration_closed");
        let invitation = admin.send(Method::POST, "/api/v1/auth/invitations", Some(&json!({})), 201).await;
        let token = invitation["token"].as_str().unwrap();
        let opened = ground.sign_in(&format!("{START}?invitation={token}"), "ada").await;
        assert_eq!(opened.header("location"), "/");
        let bob = ground.holder(&ground.provider.access_token("bob").await);
        bob.send(Method::POST, SYNC, Some(&json!({ "invitation": token })), 404).await;
    }

    /// What an attacker does before and after the victim comes: none of it may be left when the issuer vouches for the victim.
    async fn an_account_made_in_wait_is_worth_nothing(ground, &[("CONFAB_OIDC_REGISTRATION", "open")]) {
        let trap = ground.world.user("victim").await;
        let path = "/api/v1/auth/identities";
        let form = json!({ "current_password": password_of("victim") });
        let began = trap.call(Method::POST, path, Some(&form)).await;
        let back = ground.provider.follow(began.body()["url"].as_str().unwrap(), "attacker").await;
        ground.come_back(&back, &cookies(&began)).await;
        let pending = trap.call(Method::POST, path, Some(&form)).await;
        let pending_back = ground.provider.follow(pending.body()["url"].as_str().unwrap(), "second").await;
        let form = json!({ "name": "t", "scopes": ["read"] });
        let token = trap.send(Method::POST, "/api/v1/auth/tokens", Some(&form), 201).await;

        let victim = ground.sign_in(START, "victim").await;
        let account = who(ground, &victim).await["user"]["id"].clone();
        assert_eq!(account, json!(trap.id));
        let late = ground.come_back(&pending_back, &cookies(&pending)).await;
        assert_eq!(late.header("location"), "/login?error=oidc_failed");
        let attacker = ground.sign_in(START, "attacker").await;
        let theirs = who(ground, &attacker).await["user"]["id"].clone();
        assert_ne!(theirs, account, "the attacker's identity still opens it");
        let holder = ground.holder(token["token"].as_str().unwrap());
        wait_until("the token to be void", async || holder.call(Method::GET, ME, None).await.status == 401).await;
        let login = json!({ "username": "victim", "password": password_of("victim") });
        ground.world.visitor().send(Method::POST, "/api/v1/auth/login", Some(&login), 401).await;
    }

    /// Unicode folding makes one of two addresses; their owners are two people.
    async fn addresses_that_fold_alike_are_two(ground, &[("CONFAB_OIDC_REGISTRATION", "open")]) {
        let kim = ground.world.user("kim").await;
        let other = json!({ "name": "kelvin", "email": "\u{212a}im@example.org", "email_verified": true });
        ground.provider.account(&other).await;
        let refused = ground.sign_in(START, "kelvin").await;
        assert_eq!(refused.header("location"), "/login?error=email_not_verified");
        kim.get(ME, 200).await;
    }
}
