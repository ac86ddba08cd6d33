//! Finding channels, and lists of many: whatever their number, a page is a page.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::both;
use crate::harness::user::{User, id, in_query, items};

/// The channels of one person that every list must stand.
const MANY: usize = 2_000;
/// So many requests at once, while the story is being prepared.
const TOGETHER: usize = 40;

fn names(page: &Value) -> Vec<&str> {
    items(page).iter().map(|it| it["name"].as_str().unwrap()).collect()
}

async fn named(by: &User, name: &str, kind: &str, description: &str) -> Value {
    let form = json!({ "name": name, "kind": kind, "description": description });
    by.send(Method::POST, "/api/v1/channels", Some(&form), 201).await
}

async fn directory(by: &User, q: &str) -> Vec<String> {
    let page = by.get(&format!("/api/v1/channels?q={}", in_query(q)), 200).await;
    names(&page).into_iter().map(str::to_owned).collect()
}

/// Every page of a list, one after the other.
async fn pages(by: &User, path: &str, limit: usize) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = by.get(&format!("{path}limit={limit}{cursor}"), 200).await;
        assert!(items(&page).len() <= limit);
        all.extend_from_slice(items(&page));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

both! {
    async fn channels_are_found_by_words(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        named(&ada, "Harbour", "public", "Ships and tides").await;
        named(&ada, "old-harbour", "public", "").await;
        named(&ada, "tides", "public", "of the harbour").await;
        named(&ada, "boatharbours", "voice", "").await;
        named(&ada, "Übersee 港湾計画", "public", "").await;
        let secret = named(&ada, "harbour-secret", "private", "sunken gold").await;

        // The name's beginning, its words, what stands inside them, the description; each in order of name.
        let all = ["Harbour", "old-harbour", "boatharbours", "tides"];
        assert_eq!(directory(&bob, "harbour").await, all);
        assert_eq!(directory(&bob, " #HARB ").await, all);
        assert_eq!(directory(&bob, "harbour old").await, ["old-harbour"], "every word must be there");
        assert_eq!(directory(&bob, "arbou").await, ["Harbour", "boatharbours", "old-harbour"]);
        assert_eq!(directory(&bob, "ships tide").await, ["Harbour"]);
        assert_eq!(directory(&bob, "ÜBER").await, ["Übersee 港湾計画"]);
        assert_eq!(directory(&bob, "計画").await, ["Übersee 港湾計画"]);
        for nothing in ["sunken", "secret", "*", "%", "harbour' or 1=1", "\u{1F433}", "q", "."] {
            assert!(directory(&bob, nothing).await.is_empty(), "{nothing}");
        }
        assert_eq!(directory(&ada, "sunken gold").await, ["harbour-secret"], "one's own private ones are found");
        assert_eq!(directory(&ada, "harbour").await[..2], ["Harbour", "harbour-secret"]);
        assert!(directory(&bob, "").await.len() >= 7, "an empty question asks for all");
        bob.get(&format!("/api/v1/channels?q={}", "x".repeat(257)), 400).await;
        bob.get("/api/v1/search/channels?q=", 400).await;
        bob.get("/api/v1/search/channels", 400).await;
        world.visitor().get("/api/v1/search/channels?q=harbour", 401).await;

        // A typo finds the nearest of those that may be seen, behind all that fits; what is hidden is near to nothing.
        assert_eq!(directory(&bob, "habrour").await, ["Harbour", "old-harbour"]);
        assert_eq!(directory(&ada, "habrour").await.len(), 3, "one's own private one too");
        assert_eq!(pages(&bob, "/api/v1/channels?q=habrour&", 1).await.len(), 2);
        assert!(directory(&bob, "secrte").await.is_empty());
        assert_eq!(directory(&ada, "secrte").await, ["harbour-secret"]);
        let people = bob.get("/api/v1/users?q=ad", 200).await;
        assert_eq!(items(&people)[0]["username"], "ada");
        world.user("josephine").await;
        let people = bob.get("/api/v1/users?q=jospehine", 200).await;
        assert_eq!(items(&people).iter().map(|it| it["username"].as_str().unwrap()).collect::<Vec<_>>(), ["josephine"]);
        assert!(items(&bob.get("/api/v1/users?q=jsophien9", 200).await).is_empty());

        let paged = pages(&bob, "/api/v1/channels?q=harbour&", 1).await;
        assert_eq!(paged.iter().map(|it| it["name"].as_str().unwrap()).collect::<Vec<_>>(), all);
        let answer = bob.get("/api/v1/search/channels?q=harbour", 200).await;
        let scores: Vec<f64> = items(&answer).iter().map(|it| it["score"].as_f64().unwrap()).collect();
        assert_eq!(items(&answer)[0]["channel"]["name"], "Harbour");
        assert!(scores.len() == 4 && scores[0] > 0.99 && scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
        for wrong in ["limit=0", "limit=1000", "cursor=nonsense", "cursor=WyJ4Il0"] {
            bob.get(&format!("/api/v1/channels?q=harbour&{wrong}"), 400).await;
            bob.get(&format!("/api/v1/search/channels?q=harbour&{wrong}"), 400).await;
        }

        // What changes is found by its new words alone, and what is deleted by none.
        let path = format!("/api/v1/channels/{}", id(&secret));
        ada.send(Method::PUT, &path, Some(&json!({ "name": "lagoon", "description": "" })), 200).await;
        assert!(directory(&ada, "sunken").await.is_empty());
        assert_eq!(directory(&ada, "lagoon").await, ["lagoon"]);
        ada.add_member(id(&secret), &bob, 201).await;
        assert_eq!(directory(&bob, "lagoon").await, ["lagoon"]);
        bob.leave(id(&secret), 204).await;
        assert!(directory(&bob, "lagoon").await.is_empty());
        ada.send(Method::DELETE, &path, None, 204).await;
        assert!(directory(&ada, "lagoon").await.is_empty());
    }

    /// Two thousand channels: every one of them once, in order, with the right counts.
    async fn a_member_of_two_thousand_channels_reads_them_all(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let numbers: Vec<usize> = (0..MANY).collect();
        let mut made: Vec<String> = Vec::with_capacity(MANY);
        for part in numbers.chunks(TOGETHER) {
            let form = |number: &usize| {
                let (number, kind) = (*number, if number.is_multiple_of(3) { "private" } else { "public" });
                let bob = &bob;
                async move { bob.create_channel(&format!("room {number:04}"), kind, 201).await }
            };
            made.extend(join_all(part.iter().map(form)).await.iter().map(|it| id(it).to_owned()));
        }
        // In every hundredth room somebody says something, and the reader has read some of it.
        for number in (1..MANY).step_by(100) {
            let room = &made[number];
            bob.add_member(room, &ada, 201).await;
            let first = ada.post(room, "one", 201).await;
            ada.post(room, "two, @bob", 201).await;
            ada.post(room, "three", 201).await;
            if number > 1_000 {
                let read = json!({ "seq": first["seq"] });
                bob.send(Method::PUT, &format!("/api/v1/channels/{room}/read"), Some(&read), 204).await;
            }
        }
        let mine = pages(&bob, "/api/v1/channels/me?", 100).await;
        let rooms: Vec<&Value> = mine.iter().filter(|it| it["name"].as_str().unwrap().starts_with("room ")).collect();
        let expected: Vec<String> = numbers.iter().map(|number| format!("room {number:04}")).collect();
        assert_eq!(rooms.iter().map(|it| it["name"].as_str().unwrap()).collect::<Vec<_>>(), expected);
        assert_eq!(mine.len(), MANY + 2, "and the two that are everyone's");
        for (number, room) in rooms.iter().enumerate() {
            let spoken = number % 100 == 1;
            let unread = if !spoken { 0 } else if number > 1_000 { 2 } else { 3 };
            let counts = (room["unread_count"].as_i64(), room["mention_count"].as_i64());
            assert_eq!(counts, (Some(unread), Some(i64::from(spoken))), "{room}");
            assert_eq!((&room["id"], &room["role"]), (&json!(made[number]), &json!("owner")));
        }
        // The directory shows the same and no more; others see the public ones and those that they are in.
        assert_eq!(pages(&bob, "/api/v1/channels?", 100).await.len(), MANY + 2);
        let open = numbers.iter().filter(|it| *it % 3 != 0 || *it % 100 == 1).count();
        assert_eq!(pages(&ada, "/api/v1/channels?", 100).await.len(), open + 2);
        assert_eq!(pages(&ada, "/api/v1/channels?q=room&", 100).await.len(), open);
        assert_eq!(directory(&ada, "room 1999").await, ["room 1999"]);
        let ready = {
            let mut socket = crate::harness::Socket::open(&bob.address).await;
            socket.identify(&bob.access_token).await
        };
        assert_eq!(ready["channels"].as_array().unwrap().len(), MANY, "the rest is read by REST");
    }
}
