//! Where the assistant is off, nothing is looked for by its meaning, nothing reaches a model, and nothing is answered from
//! it; and a budget that is used up ends the model's part.

use reqwest::Method;
use serde_json::{Value, json};

use crate::assistant::{found, with_a_model};
use crate::harness::user::{User, id, in_query, items};
use crate::harness::{Does, Model, World, wait_until};

const QUESTION: &str = "how do I restart the web server?";
const SAID: &str = "reboot apache to restart the web server";

with_a_model! {
    async fn off_is_off_for_search_prompts_and_answers(world, model) {
        let (ada, bob, admin) = (world.user("ada").await, world.user("bob").await, world.admin().await);
        let harbour = ada.create_channel("harbour", "public", 201).await;
        bob.join(id(&harbour), 200).await;
        ada.post(id(&harbour), SAID, 201).await;
        model.now(Does::Repeats("{1} [1].".into()));
        means(&bob, true).await;
        assert_eq!(bob.ask(QUESTION, 200).await["model"], "parrot-1");

        // A channel: its admins switch; others may see it.
        let path = format!("/api/v1/channels/{}/assistant", id(&harbour));
        bob.send(Method::PUT, &path, Some(&json!({ "is_off": true })), 403).await;
        ada.send(Method::PUT, &path, Some(&json!({ "is_off": true })), 200).await;
        assert_eq!(bob.get(&path, 200).await["is_off"], true);
        let silent = async |who: &str| {
            let before = model.asked().len();
            means(&bob, false).await;
            let answer = bob.ask(QUESTION, 200).await;
            assert_eq!((model.asked().len(), &answer["supported"]), (before, &json!(false)), "{who}: {answer}");
            found(&bob, "apache", 1).await;
        };
        silent("a channel").await;
        bob.send(Method::POST, "/api/v1/ai/summarize", Some(&json!({ "channel_id": id(&harbour) })), 403).await;
        let context = bob.get(&format!("/api/v1/ai/context?query={}", in_query(QUESTION)), 200).await;
        assert_eq!(context["items"], json!([]));
        ada.send(Method::PUT, &path, Some(&json!({ "is_off": false })), 200).await;
        assert!(bob.ask(QUESTION, 200).await["supported"] == true);

        // A person: what they wrote is read by no model, and they ask none.
        ada.send(Method::PUT, "/api/v1/users/me/assistant", Some(&json!({ "is_off": true })), 200).await;
        silent("its author").await;
        let refused = ada.ask(QUESTION, 403).await;
        assert_eq!(refused["code"], "assistant_off");
        ada.send(Method::PUT, "/api/v1/users/me/assistant", Some(&json!({ "is_off": false })), 200).await;

        // The server.
        ada.send(Method::PUT, "/api/v1/admin/assistant", Some(&json!({ "is_off": true })), 403).await;
        admin.send(Method::PUT, "/api/v1/admin/assistant", Some(&json!({ "is_off": true })), 200).await;
        means(&bob, false).await;
        bob.ask(QUESTION, 403).await;
        assert_eq!(world.visitor().get("/api/v1/info", 200).await["features"]["assistant"], false);
        admin.send(Method::PUT, "/api/v1/admin/assistant", Some(&json!({ "is_off": false })), 200).await;
        assert!(bob.ask(QUESTION, 200).await["supported"] == true);
    }
}

/// Whether the message is found by its meaning. New messages have vectors after a moment.
async fn means(user: &User, is_found: bool) {
    let path = format!("/api/v1/search/messages?mode=semantic&q={}", in_query("reboot the apache server"));
    if is_found {
        wait_until("it to be found by meaning", async || items(&user.get(&path, 200).await).len() == 1).await;
    } else {
        assert_eq!(user.get(&path, 200).await["items"], json!([]));
    }
}

/// A person's day is used up first, then the server's.
async fn budgets_end_the_models_part(mut world: World, model: Model) {
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let harbour = ada.create_channel("harbour", "public", 201).await;
    ada.post(id(&harbour), SAID, 201).await;
    found(&bob, "apache", 1).await;
    model.now(Does::Repeats("{1} [1].".into()));
    model.costs(10_000);
    let mut reasons: Vec<Value> = Vec::new();
    for user in [&ada, &ada, &ada, &bob, &bob] {
        let answer = user.ask(QUESTION, 200).await;
        assert_eq!(answer["supported"], true, "{answer}");
        reasons.push(answer["fallback"].clone());
    }
    assert_eq!(
        reasons,
        [Value::Null, Value::Null, json!("budget_of_person"), Value::Null, json!("budget_of_server")]
    );
}

const BUDGETS: [(&str, &str); 2] =
    [("CONFAB_LLM_DAILY_TOKENS_PER_PERSON", "15000"), ("CONFAB_LLM_DAILY_TOKENS", "25000")];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn budgets_end_the_models_part_embedded() {
    let model = Model::start(Does::Hangs).await;
    let settings = [&model.settings()[..], &BUDGETS].concat();
    let world = World::embedded_with(&settings).await;
    budgets_end_the_models_part(world, model).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn budgets_end_the_models_part_scaled() {
    let model = Model::start(Does::Hangs).await;
    let settings = [&model.settings()[..], &BUDGETS].concat();
    let world = World::scaled_with(&settings).await;
    budgets_end_the_models_part(world, model).await;
}
