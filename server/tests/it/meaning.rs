//! Search by meaning: other words find the same thing, for those who may read it and as it is now.

use serde_json::{Value, json};

use crate::harness::user::{User, id, in_query, items};
use crate::harness::{World, both, wait_until};

const QUESTION: &str = "restart web server";

async fn search(user: &User, mode: &str, q: &str) -> Value {
    user.get(&format!("/api/v1/search/messages?mode={mode}&q={}", in_query(q)), 200).await
}

/// By a mode, or by the usual one.
async fn search_by(user: &User, mode: &str, q: &str) -> Value {
    if mode.is_empty() { user.search(q, 200).await } else { search(user, mode, q).await }
}

fn contents(page: &Value) -> Vec<&str> {
    items(page).iter().map(|hit| hit["message"]["content"].as_str().expect("a content")).collect()
}

/// Waits until a search by this mode finds exactly these, in this order.
async fn found(user: &User, mode: &str, q: &str, expected: &[&str]) {
    let what = format!("{} to find {expected:?} by {mode} for {q:?}", user.name);
    wait_until(&what, async || contents(&search(user, mode, q).await) == expected).await;
}

both! {
    async fn other_words_find_a_message_for_its_readers(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let harbour = ada.create_channel("harbour", "public", 201).await;
        let vault = ada.create_channel("vault", "private", 201).await;
        let said = "reboot apache after you changed the vhost";
        let told = ada.post(id(&harbour), said, 201).await;
        ada.post(id(&harbour), "my cat likes to eat fish every day", 201).await;
        let secret = ada.post(id(&vault), "please bounce nginx and apache tonight", 201).await;
        found(&ada, "semantic", "in:vault reboot the apache server", &["please bounce nginx and apache tonight"]).await;
        found(&bob, "semantic", QUESTION, &[said]).await;
        found(&bob, "hybrid", QUESTION, &[said]).await;
        assert!(contents(&search(&bob, "keyword", QUESTION).await).is_empty());
        // Without a mode three words or more are looked for by both, fewer by words.
        assert_eq!(contents(&bob.search(QUESTION, 200).await), [said]);
        assert!(contents(&bob.search("restart server", 200).await).is_empty());

        // A private channel: neither a hit nor a count nor a word of it, by any mode, for whoever is outside.
        for mode in ["keyword", "semantic", "hybrid"] {
            for q in ["reboot the apache server", "in:vault reboot the apache server", "who can bounce nginx tonight?"] {
                let answer = search(&bob, mode, q).await;
                let text = answer.to_string();
                assert!(!text.contains("nginx") && !text.contains(id(&secret)) && !text.contains(id(&vault)), "{mode} {q}: {text}");
                assert_eq!(answer["unavailable"], json!([]));
            }
        }
        ada.add_member(id(&vault), &bob, 201).await;
        let inside = "in:vault reboot the apache server";
        found(&bob, "semantic", inside, &["please bounce nginx and apache tonight"]).await;
        ada.send(reqwest::Method::DELETE, &format!("/api/v1/channels/{}/members/{}", id(&vault), bob.id), None, 204).await;
        found(&bob, "semantic", inside, &[]).await;

        // As it is now: the old text is found no more, the new one is; then neither.
        ada.edit(id(&told), "the gulls are loud at the pier", 200).await;
        found(&bob, "semantic", "noisy gulls near the pier", &["the gulls are loud at the pier"]).await;
        found(&bob, "semantic", QUESTION, &[]).await;
        ada.delete(id(&told), 204).await;
        for mode in ["semantic", "hybrid"] {
            // Read again from the record, so gone at once and not when the vectors are.
            assert!(contents(&search(&bob, mode, "noisy gulls near the pier").await).is_empty(), "{mode}");
        }
    }

    async fn a_conversation_is_found_by_what_is_said_in_it(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let harbour = ada.create_channel("harbour", "public", 201).await;
        let vault = ada.create_channel("vault", "private", 201).await;
        ada.add_member(id(&harbour), &bob, 201).await;
        ada.post(id(&vault), "how do I mount an iso image here?", 201).await;
        ada.post(id(&vault), "ada: use the loop option", 201).await;
        ada.post(id(&harbour), "how do I mount an iso image here?", 201).await;
        bob.post(id(&harbour), "ada: try -o loop", 201).await;
        let root = bob.post(id(&harbour), "the ferry timetable for the summer is out", 201).await;
        for text in ["does the summer ferry stop at the island?", "the ferry timetable says so, all summer"] {
            ada.reply(id(&harbour), id(&root), text, 201).await;
        }
        let q = "how can I mount an iso image?";
        // Until all messages have vectors, others may stand among the hits.
        wait_until("the question of before and its answer to be found, and nothing else", async || {
            let answer = search(&bob, "hybrid", q).await;
            items(&answer).len() == 2 && contents(&answer).contains(&"ada: try -o loop")
        })
        .await;
        let answer = search(&bob, "hybrid", q).await;
        assert!(!answer.to_string().contains("loop option") && !answer.to_string().contains(id(&vault)));
        // What only stands around a hit obeys the filters too.
        found(&bob, "hybrid", &format!("{q} from:ada"), &["how do I mount an iso image here?"]).await;

        // A thread is shown once, with how much more of it was found.
        let of_ferry = "summer ferry timetable";
        wait_until("the thread to be found", async || {
            let answer = search(&bob, "hybrid", of_ferry).await;
            items(&answer).len() == 1 && items(&answer)[0]["more_in_thread"] == 2
        }).await;
        // What was said in a channel that one may not read is counted nowhere.
        let copy = "the summer ferry timetable hangs on the wall";
        for channel in [&vault, &harbour] {
            ada.post(id(channel), copy, 201).await;
        }
        let copies = async |user: &User| {
            let answer = search(user, "hybrid", of_ferry).await;
            items(&answer).iter().find(|hit| hit["message"]["content"] == copy).map(|hit| hit["copies"].clone())
        };
        wait_until("both copies to be found", async || copies(&ada).await == Some(json!(1))).await;
        wait_until("one copy to be found", async || copies(&bob).await == Some(json!(0))).await;
    }

    async fn an_answer_is_found_by_whom_it_is_said_to(world) {
        let (ada, bob, cleo) = (world.user("ada").await, world.user("bob").await, world.user("cleo").await);
        let harbour = ada.create_channel("harbour", "public", 201).await;
        for user in [&bob, &cleo] {
            ada.add_member(id(&harbour), user, 201).await;
        }
        cleo.post(id(&harbour), "my laptop cannot see the wireless network at the pier", 201).await;
        // So many that the answer stands in no window of what it answers.
        for part in ["is late again", "waits for the tide", "has no captain", "is painted anew", "leaves at nine"] {
            ada.post(id(&harbour), &format!("bob: the ferry {part}"), 201).await;
        }
        let said = "cleo: load the broadcom driver first";
        bob.post(id(&harbour), said, 201).await;
        let q = "why can my laptop not see the wireless network?";
        for mode in ["hybrid", ""] {
            wait_until("the answer to be found before what others talked of", async || {
                let answer = search_by(&ada, mode, q).await;
                let found = contents(&answer);
                let place = found.iter().position(|text| *text == said);
                let others = found.iter().position(|text| text.contains("ferry")).unwrap_or(usize::MAX);
                place.is_some_and(|place| place < others)
            })
            .await;
        }
    }

    async fn an_odd_mode_is_a_clear_problem(world) {
        let ada = world.user("ada").await;
        for mode in ["magic", "", "Hybrid", "keyword,semantic"] {
            let path = format!("/api/v1/search/messages?q=tide&mode={}", in_query(mode));
            let problem = ada.get(&path, 400).await;
            assert_eq!(problem["errors"][0]["field"], "mode", "{problem}");
        }
    }
}

/// Words are found, and the answer says that nothing looked for meanings.
async fn words_answer_alone(world: &mut World) {
    let ada = world.user("ada").await;
    let harbour = ada.create_channel("harbour", "public", 201).await;
    let said = "please restart the web server tonight";
    ada.post(id(&harbour), said, 201).await;
    found(&ada, "keyword", QUESTION, &[said]).await;
    found(&ada, "hybrid", QUESTION, &[said]).await;
    for (mode, missing) in
        [("keyword", json!([])), ("hybrid", json!(["meaning"])), ("semantic", json!(["meaning"]))]
    {
        let answer = search(&ada, mode, QUESTION).await;
        assert_eq!(answer["unavailable"], missing, "{mode}");
    }
    assert!(contents(&search(&ada, "semantic", QUESTION).await).is_empty());
}

const OFF: [(&str, &str); 1] = [("CONFAB_EMBEDDINGS_URL", "off")];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_model_words_answer_embedded() {
    let mut world = World::embedded_with(&OFF).await;
    words_answer_alone(&mut world).await;
    let ada = world.user("ada").await;
    let answer = ada.search(QUESTION, 200).await;
    assert_eq!((items(&answer).len(), &answer["unavailable"]), (1, &json!([])), "nobody asked for meanings");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_model_words_answer_scaled() {
    words_answer_alone(&mut World::scaled_with(&OFF).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_a_model_is_away_words_answer() {
    let (_held, closed) = crate::harness::closed_port();
    let url = format!("http://{closed}/v1");
    let settings = [
        ("CONFAB_EMBEDDINGS_URL", url.as_str()),
        ("CONFAB_EMBEDDINGS_MODEL", "small"),
        ("CONFAB_EMBEDDINGS_DIMENSIONS", "256"),
    ];
    let mut world = World::embedded_with(&settings).await;
    words_answer_alone(&mut world).await;
    let ada = world.user("ada").await;
    let answer = ada.search(QUESTION, 200).await;
    assert_eq!((items(&answer).len(), &answer["unavailable"]), (1, &json!(["meaning"])));
    assert_eq!(answer["partial"], json!(true), "what was posted has no vectors yet");
}
