//! Words that stand in private places only, and everything that those outside can get: not one of them is in it (INV-6).
//!
//! Outside are somebody who never was a member, one who was until a moment ago, the superuser, and who has no account.
//! They call every GET of the document that the server serves with every id there is, private ones too, listen, search
//! and ask. Those inside do the same, and see each word: so the check can fail.

mod crawl;
mod plants;

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::user::{User, id, items};
use crate::harness::{Socket, World, both, wait_until};
use crawl::Crawl;
use plants::{Planted, plant};

both! {
    async fn no_private_word_is_anywhere_outside(world) {
        let document = world.visitor().get("/openapi.json", 200).await;
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let (eve, rex, warden) = (world.user("eve").await, world.user("rex").await, world.admin().await);
        let open = ada.create_channel("harbour", "public", 201).await;
        for user in [&bob, &eve, &rex] {
            user.join(id(&open), 200).await;
        }
        let mut early: Vec<(Socket, &User)> = Vec::new();
        for user in [&eve, &warden] {
            early.push((user.connect().await, user));
        }
        let before = rex.connect().await.cut();

        let mut planted = plant(&document, &ada, &bob, &rex).await;
        let vault = planted.channel.clone();
        wait_until("the private words to be found by those inside", async || {
            items(&bob.search(&planted.word("message"), 200).await).len() == 1
        })
        .await;
        let path = format!("/api/v1/channels/{vault}/members/{}", rex.id);
        ada.send(Method::DELETE, &path, None, 204).await;
        early.push((rex.connect().await, &rex));
        // What comes after the removal, in a thread that rex began and mentioning him.
        let after = planted.new_word("after", true);
        let late = ada.reply(&vault, &planted.of_rex, &format!("@rex {after} anchor"), 201).await;
        ada.react(id(&late), plants::EMOJI, 204).await;
        ada.delete(&planted.deleted, 204).await;
        wait_until("the late word to be found by those inside", async || {
            items(&bob.search(&after, 200).await).len() == 1
        })
        .await;

        // Those inside see every word: the crawl reaches the places where they are.
        let mut inside = Crawl::of(&document, &planted);
        for user in [&ada, &bob] {
            inside.everything(user).await;
        }
        let unseen: Vec<&str> =
            planted.words.iter().filter(|it| it.is_shown && !inside.holds(&it.text)).map(|it| it.what).collect();
        assert!(unseen.is_empty(), "those inside do not see {unseen:?}: the check could not fail for these");
        let gone: Vec<&str> =
            planted.words.iter().filter(|it| !it.is_shown && inside.holds(&it.text)).map(|it| it.what).collect();
        assert!(gone.is_empty(), "what was deleted is still shown: {gone:?}");

        let mut outside = Crawl::of(&document, &planted);
        for user in [&eve, &rex, &warden, &world.visitor()] {
            outside.everything(user).await;
        }
        listen(&mut outside, &planted, early, &rex, &before, &ada, id(&open)).await;
        look_behind(&mut outside, world).await;
        let found = outside.finds(&planted);
        assert!(found.is_empty(), "{} leaks:\n{}", found.len(), found.join("\n"));
        assert!(outside.count() > 300, "only {} answers were looked at", outside.count());
    }
}

/// All frames of sockets that were open all the time, of new ones, and of one that resumes from before.
async fn listen(
    outside: &mut Crawl,
    planted: &Planted,
    mut sockets: Vec<(Socket, &User)>,
    rex: &User,
    before: &(String, i64),
    ada: &User,
    open: &str,
) {
    let mut again = Socket::open(&rex.address).await;
    let (answer, missed) = again.resume(&rex.access_token, &before.0, before.1).await;
    // What rex heard as a member he may hear again: that is in the past. Only what came after his removal is not his.
    let allowed: BTreeSet<&str> = ["member_left"].into();
    let left = missed.iter().position(|it| {
        it["t"] == "member_left" && it["d"]["user_id"] == rex.id && it["channel_id"] == planted.channel
    });
    for event in missed.iter().skip(left.map_or(0, |at| at + 1)) {
        assert!(!allowed.contains(event["t"].as_str().unwrap_or_default()), "removed twice: {event}");
        outside.note("a resumed socket of rex", &event.to_string());
    }
    outside.note("the answer to a resume", &answer.to_string());
    let mut fresh = Socket::open(&rex.address).await;
    outside.note("ready of rex", &fresh.identify(&rex.access_token).await.to_string());
    // A signal and an event from the private place, then the fence that everybody hears.
    let mut typing = ada.connect().await;
    typing.send(&json!({ "op": "typing", "d": { "channel_id": planted.channel } })).await;
    let fence = ada.post(open, "@eve @rex the fence", 201).await;
    sockets.push((again, rex));
    sockets.push((fresh, rex));
    for (socket, user) in &mut sockets {
        let mut frames = Vec::new();
        let is_last = |frame: &Value| frame["d"]["id"] == fence["id"];
        // The superuser is no member of the open channel either: silence tells the end there.
        while let Some(frame) = socket.within(Duration::from_millis(500)).await {
            let done = is_last(&frame);
            frames.push(frame);
            if done && user.id != rex.id {
                break;
            }
        }
        for frame in frames {
            // The removal itself is told to whom it removes.
            let is_own_removal = frame["t"] == "member_left" && frame["d"]["user_id"] == user.id;
            if !is_own_removal {
                outside.note(&format!("a socket of {}", user.name), &frame.to_string());
            }
        }
    }
}

/// What programs say about themselves: figures and logs.
async fn look_behind(outside: &mut Crawl, world: &World) {
    for node in &world.nodes {
        let visitor = User::visitor(&node.address);
        for path in ["/metrics", "/ready", "/health", "/db-test", "/openapi.json"] {
            let reply = visitor.call(Method::GET, path, None).await;
            outside.note(path, &reply.text);
        }
    }
    // Logs may name ids, which tell an operator nothing but where to look; words they may not.
    outside.note_words_only("the programs' logs", &world.output());
}
