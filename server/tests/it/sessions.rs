//! Devices: listed, ended one by one or all, and gone everywhere within seconds.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::harness::user::{User, id, items, password_of};
use crate::harness::{both, wait_until};

const SESSIONS: &str = "/api/v1/auth/sessions";
/// A session whose end is on its way is refused by every server within 5 s, whatever gets lost (its cache); more is for a busy machine.
const EVERYWHERE: Duration = Duration::from_secs(15);

/// Waits for a token to be refused, and fails when it took longer than promised.
async fn refused_in_time(user: &User) {
    let started = Instant::now();
    wait_until("the token to be refused", async || {
        user.call(Method::GET, "/api/v1/auth/me", None).await.status == 401
    })
    .await;
    assert!(started.elapsed() < EVERYWHERE, "refused only after {:?}", started.elapsed());
}

both! {
    async fn devices_are_listed_and_ended_one_by_one(world) {
        let desk = world.user("ada").await;
        let phone = User::log_in("ada", &password_of("ada"), &world.nodes.last().unwrap().address).await;
        // Every server has heard of it, and may remember.
        for node in &world.nodes {
            phone.at(&node.address).get("/api/v1/auth/me", 200).await;
        }
        let listed = desk.get(SESSIONS, 200).await;
        assert_eq!(items(&listed).len(), 2, "{listed}");
        let other = items(&listed).iter().find(|it| it["is_current"] == false).unwrap();
        assert_eq!(other["method"], "password");
        assert_eq!(other["ip_address"], "127.0.0.1");
        let mut socket = phone.connect().await;

        // Nobody ends another's session, nor learns that it is there.
        let bob = world.user("bob").await;
        bob.send(Method::DELETE, &format!("{SESSIONS}/{}", id(other)), None, 404).await;
        desk.send(Method::DELETE, &format!("{SESSIONS}/{}", id(other)), None, 204).await;
        // How soon is held by the torture, in quantiles.
        assert_eq!(socket.closed().await, Some(4010));
        for node in &world.nodes {
            refused_in_time(&phone.at(&node.address)).await;
        }
        desk.get("/api/v1/auth/me", 200).await;
        desk.send(Method::DELETE, &format!("{SESSIONS}/{}", id(other)), None, 404).await;
        assert_eq!(items(&desk.get(SESSIONS, 200).await).len(), 1);
    }

    async fn a_socket_ends_with_the_session_that_it_goes_on_with(world) {
        let desk = world.user("ada").await;
        let phone = User::log_in("ada", &password_of("ada"), &desk.address).await;
        let listed = desk.get(SESSIONS, 200).await;
        let other = items(&listed).iter().find(|it| it["is_current"] == false).unwrap();
        let (own, mut socket) = (phone.connect().await, desk.connect().await);
        socket.send(&json!({ "op": "reauth", "d": { "token": phone.access_token } })).await;
        socket.send(&json!({ "op": "heartbeat", "d": {} })).await;
        socket.frame("heartbeat_ack").await;
        desk.send(Method::DELETE, &format!("{SESSIONS}/{}", id(other)), None, 204).await;
        assert_eq!(socket.closed().await, Some(4010));
        drop(own);
        // And it cannot go on with one that has ended.
        let mut socket = desk.connect().await;
        socket.send(&json!({ "op": "reauth", "d": { "token": phone.access_token } })).await;
        assert!(matches!(socket.closed().await, Some(4004 | 4010)));
    }

    async fn everywhere_means_everywhere(world) {
        let desk = world.user("ada").await;
        let last = world.nodes.last().unwrap().address.clone();
        let phone = User::log_in("ada", &password_of("ada"), &last).await;
        let tablet = User::log_in("ada", &password_of("ada"), &last).await;
        let mut socket = tablet.connect().await;
        desk.send(Method::POST, "/api/v1/auth/logout-all?keep_current=true", None, 204).await;
        assert_eq!(socket.closed().await, Some(4010));
        refused_in_time(&phone).await;
        refused_in_time(&tablet).await;
        let renew = json!({ "refresh_token": phone.refresh_token });
        phone.send(Method::POST, "/api/v1/auth/refresh", Some(&renew), 401).await;
        desk.get("/api/v1/auth/me", 200).await;
        desk.send(Method::POST, "/api/v1/auth/logout-all", None, 204).await;
        refused_in_time(&desk).await;
    }

    async fn a_new_password_ends_the_other_sessions(world) {
        let desk = world.user("ada").await;
        let phone = User::log_in("ada", &password_of("ada"), &world.nodes.last().unwrap().address).await;
        let change = |current: &str, new: &str| json!({ "current_password": current, "new_password": new });
        let path = "/api/v1/auth/me/password";
        let right = password_of("ada");
        let refused = desk.send(Method::PUT, path, Some(&change("not it", "a new and lasting secret")), 400).await;
        assert_eq!(refused["errors"][0]["field"], "current_password");
        for weak in ["short", "password1", "ada@example.org", "aaaaaaaaaaaaaaa"] {
            let refused = desk.send(Method::PUT, path, Some(&change(&right, weak)), 400).await;
            assert_eq!(refused["errors"][0]["field"], "new_password", "{refused}");
            assert!(!refused.to_string().contains(&format!("{weak:?}")), "{refused}");
        }
        desk.send(Method::PUT, path, Some(&change(&right, "a new and lasting secret")), 204).await;
        refused_in_time(&phone).await;
        desk.get("/api/v1/auth/me", 200).await;
        User::log_in("ada", "a new and lasting secret", &desk.address).await;
        let old = json!({ "username": "ada", "password": right });
        world.visitor().send(Method::POST, "/api/v1/auth/login", Some(&old), 401).await;
    }
}
