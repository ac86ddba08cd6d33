//! What a search is narrowed down to: what messages hold, whom they mention, what became of them since, and when.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::user::{User, id, in_query, items};
use crate::harness::{both, wait_until};

/// A question that finds all of them by meaning too.
const QUESTION: &str = "when does the ferry leave the harbour";

both! {
    async fn reactions_pins_bookmarks_threads_and_mentions_narrow_a_search(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let harbour = ada.create_channel("harbour", "public", 201).await;
        bob.join(id(&harbour), 200).await;
        let plain = ada.post(id(&harbour), "the ferry leaves the harbour at one", 201).await;
        let named = ada.post(id(&harbour), "@bob the ferry leaves the harbour at two", 201).await;
        let all = ada.post(id(&harbour), "@channel the ferry leaves the harbour at three", 201).await;
        let root = ada.post(id(&harbour), "the ferry leaves the harbour at four", 201).await;
        shows(&bob, "", &[&plain, &named, &all, &root]).await;
        for nothing in ["has:reaction", "is:pinned", "is:bookmarked", "is:thread", "has:image", "mentions:ada"] {
            shows(&bob, nothing, &[]).await;
        }
        shows(&bob, "mentions:me", &[&named, &all]).await;
        shows(&ada, "mentions:@bob", &[&named]).await;
        shows(&ada, "mentions:nobody", &[]).await;

        // What becomes of a message is found when it does, and no longer when it is undone.
        bob.react(id(&plain), "tada", 204).await;
        shows(&ada, "has:reaction", &[&plain]).await;
        let way = |what: &str| format!("/api/v1/messages/{}/{what}", id(&plain));
        bob.send(Method::DELETE, &way("reactions/tada"), None, 204).await;
        shows(&ada, "has:reaction", &[]).await;
        ada.send(Method::PUT, &way("pin"), None, 200).await;
        shows(&bob, "is:pinned", &[&plain]).await;
        ada.send(Method::DELETE, &way("pin"), None, 204).await;
        shows(&bob, "is:pinned", &[]).await;
        let answer = bob.reply(id(&harbour), id(&root), "the ferry leaves the harbour at five", 201).await;
        shows_by(&["", "keyword"], &ada, "is:thread", &[&root, &answer]).await;
        // By meaning a thread is one hit.
        let page = ada.get(&format!("/api/v1/search/messages?mode=hybrid&q={}", in_query(&format!("{QUESTION} is:thread"))), 200).await;
        assert_eq!(items(&page).len(), 1, "{page}");
        bob.delete(id(&answer), 204).await;
        shows(&ada, "is:thread", &[]).await;

        // Bookmarks are each person's own.
        bob.send(Method::PUT, &way("bookmark"), None, 204).await;
        shows(&bob, "is:bookmarked", &[&plain]).await;
        shows(&ada, "is:bookmarked", &[]).await;
        shows(&bob, "is:bookmarked mentions:me", &[]).await;
    }

    async fn a_bookmark_opens_no_channel_that_was_closed_since(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let vault = ada.create_channel("vault", "private", 201).await;
        ada.add_member(id(&vault), &bob, 201).await;
        let told = ada.post(id(&vault), "@bob the ferry leaves the harbour at six", 201).await;
        bob.send(Method::PUT, &format!("/api/v1/messages/{}/bookmark", id(&told)), None, 204).await;
        shows(&bob, "is:bookmarked", &[&told]).await;
        shows(&bob, "mentions:me", &[&told]).await;
        ada.send(Method::DELETE, &format!("/api/v1/channels/{}/members/{}", id(&vault), bob.id), None, 204).await;
        for filter in ["is:bookmarked", "mentions:me", "mentions:bob", "is:thread"] {
            shows(&bob, filter, &[]).await;
        }
    }

    async fn pictures_times_and_beginnings_narrow_a_search(world) {
        crate::harness::past_midnight().await;
        let ada = world.user("ada").await;
        let harbour = ada.create_channel("harbour", "public", 201).await;
        let mut png = std::io::Cursor::new(Vec::new());
        image::DynamicImage::new_rgb8(1, 1).write_to(&mut png, image::ImageFormat::Png).expect("a picture");
        let (picture, text) = (ada.upload("boat.png", &png.into_inner()).await, ada.upload("boat.txt", b"a boat").await);
        let said = async |content: &str, file: &Value| {
            ada.post_form(id(&harbour), &json!({ "content": content, "file_ids": [file["id"]] }), 201).await
        };
        let shown = said("the ferry leaves the harbour in this picture", &picture).await;
        let written = said("the ferry leaves the harbour in this text", &text).await;
        shows(&ada, "has:image", &[&shown]).await;
        shows(&ada, "has:file", &[&shown, &written]).await;
        let year = &shown["created_at"].as_str().expect("a time")[..4];
        for (times, expected) in [
            (format!("during:{year}"), vec![&shown, &written]),
            (format!("before:{year}"), vec![]),
            (format!("after:{year}"), vec![]),
            ("during:today after:2020".to_owned(), vec![&shown, &written]),
            ("on:2020-02".to_owned(), vec![]),
        ] {
            shows(&ada, &times, &expected).await;
        }
        let hits = ada.search("pictu*", 200).await;
        let [hit] = items(&hits) else { panic!("{hits}") };
        assert!(hit["snippet"].as_str().expect("a text").contains("<mark>picture</mark>"), "{hit}");
        assert_eq!(items(&ada.search("harbo* ferr* x*", 200).await).len(), 2);
        assert_eq!(items(&ada.search("ictur*", 200).await).len(), 0);
        for wrong in ["ferry has:wings", "ferry is:loud", "ferry during:someday", "*"] {
            ada.search(wrong, 400).await;
        }
        for of_messages in ["boat has:image", "boat is:bookmarked", "boat mentions:me"] {
            ada.get(&format!("/api/v1/search/files?q={}", in_query(of_messages)), 400).await;
        }
    }
}

/// Waits until a filter alone, by words, by meaning and by both, shows exactly these.
async fn shows(user: &User, filter: &str, expected: &[&Value]) {
    shows_by(&["", "keyword", "semantic", "hybrid"], user, filter, expected).await;
}

async fn shows_by(modes: &[&str], user: &User, filter: &str, expected: &[&Value]) {
    let mut expected: Vec<&str> = expected.iter().map(|message| id(message)).collect();
    expected.sort_unstable();
    for mode in modes {
        // A filter needs no words.
        let q = if mode.is_empty() && !filter.is_empty() {
            filter.to_owned()
        } else {
            format!("{QUESTION} {filter}")
        };
        let mode = if mode.is_empty() { String::new() } else { format!("&mode={mode}") };
        let path = format!("/api/v1/search/messages?q={}{mode}", in_query(&q));
        wait_until(&format!("{} to find {expected:?} by {path}", user.name), async || {
            let page = user.get(&path, 200).await;
            let mut found: Vec<&str> = items(&page).iter().map(|hit| id(&hit["message"])).collect();
            found.sort_unstable();
            found == expected
        })
        .await;
    }
}
