//! The assistant and the tools of plugins: what one answers is cited, what fails is told to the model alone, and what changes
//! something waits for the yes of whoever asked.

use reqwest::Method;
use serde_json::{Value, json};

use crate::assistant::{found, with_a_model};
use crate::harness::user::{User, id, items};
use crate::harness::{Does, Model, World, wait_for, wait_until};
use crate::installed_plugins::upload;

const MANIFEST: &str = include_str!("../../../plugins/host/tests/probe.toml");
const COMPONENT: &[u8] = include_bytes!("../../../plugins/host/tests/probe.wasm");
const GRANTS: &str = "/api/v1/plugins/chat.confab.probe/grants";
const MESSAGE: &str = "/api/v1/ai/message";
/// As a model knows it.
pub const LEVEL: &str = "chat_confab_probe__stock-level";
pub const ORDER: &str = "chat_confab_probe__order-stock";

/// Installs the plugin that keeps a stock, with all that it asks for.
pub async fn stocked(world: &World, user: &User) {
    let admin = world.admin().await;
    admin.worker_answers().await;
    let all = r#"["messages.post", "storage", "http.fetch", "assistant.tools"]"#;
    let installed = upload(&admin, Method::POST, "/api/v1/plugins", MANIFEST, COMPONENT, Some(all)).await;
    assert_eq!(installed.status, 201, "{}", installed.text);
    wait_until("the worker to have it", async || {
        user.get("/api/v1/commands", 200).await.to_string().contains("How many there are of a thing")
    })
    .await;
}

/// What the assistant says of the stock, by the plugin's tool.
pub async fn level(user: &User, model: &Model, thing: &str) -> String {
    model.in_turn(vec![
        Does::Calls(LEVEL.into(), json!({ "thing": thing })),
        Does::Repeats(format!(
            "There are 7 {thing} in stock [{{tool}}]. There are 100 {thing} in stock [{{tool}}]."
        )),
    ]);
    let answer = user.ask(&format!("How many {thing} are in stock?"), 200).await;
    answer["answer"].as_str().unwrap().to_owned()
}

/// Where one says yes or no to the first thing that an answer proposes.
pub fn confirmation(answer: &Value) -> String {
    let conversation = answer["conversation_id"].as_str().unwrap();
    format!("/api/v1/ai/conversations/{conversation}/confirmations/{}", id(&answer["confirmations"][0]))
}

/// The tools that the model was offered when it was asked last for the first time in an answer.
fn offered(asked: &Value) -> Vec<&str> {
    let tools = asked["tools"].as_array().map_or(&[][..], Vec::as_slice);
    tools.iter().map(|it| it["function"]["name"].as_str().unwrap()).collect()
}

fn order(thing: &str) -> Vec<Does> {
    let arguments = json!({ "thing": thing, "count": 3 });
    vec![Does::Calls(ORDER.into(), arguments), Does::Says(format!("I ordered three {thing}."))]
}

with_a_model! {
    async fn what_a_tool_answers_is_cited(world, model) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        stocked(world, &ada).await;
        let harbour = ada.create_channel("harbour", "public", 201).await;
        bob.join(id(&harbour), 200).await;
        ada.post(id(&harbour), "The anchors came from Oslo last week", 201).await;
        found(&bob, "Oslo", 1).await;

        // One sentence is what the tool says, one what a message says, one what neither says.
        model.in_turn(vec![
            Does::Calls(LEVEL.into(), json!({ "thing": "anchors" })),
            Does::Repeats(
                "There are 7 anchors in stock [{tool}]. The anchors came from Oslo last week [1]. There are 9 buoys in stock [{tool}]."
                    .into(),
            ),
        ]);
        let before = model.asked().len();
        let answer = bob.ask("How many anchors are in stock, and where did they come from?", 200).await;
        assert_eq!(
            answer["answer"], "There are 7 anchors in stock. [1] The anchors came from Oslo last week. [2]", "{answer}"
        );
        let cited = &answer["citations"][0];
        assert_eq!(
            *cited,
            json!({
                "n": 1, "kind": "tool", "plugin_id": "chat.confab.probe", "plugin": "Probe", "tool": "stock-level",
                "quote": "There are 7 anchors in stock.",
            })
        );
        assert_eq!((&answer["citations"][1]["kind"], &answer["citations"][1]["channel_name"]), (&json!("message"), &json!("harbour")));
        let asked = model.asked();
        assert_eq!(offered(&asked[before]), ["search", "read_thread", LEVEL, ORDER]);
        let told = asked[before + 1]["messages"].as_array().unwrap().last().unwrap();
        assert!(told["content"].as_str().unwrap().ends_with("Probe stock-level: There are 7 anchors in stock.\n"), "{told}");

        // What does not fit its schema never reaches the plugin; what the plugin says no to, and what is no tool, fails no answer.
        for (arguments, says) in [
            (json!({ "thing": 7 }), "do not fit"),
            (json!({ "thing": "whales" }), "there is no such thing"),
        ] {
            model.in_turn(vec![Does::Calls(LEVEL.into(), arguments), Does::Says("The anchors came from Oslo last week [1].".into())]);
            let answer = bob.ask("Where did the anchors come from?", 200).await;
            assert_eq!(answer["answer"], "The anchors came from Oslo last week. [1]", "{answer}");
            assert!(model.heard().contains(says), "{says}");
        }
        // Nobody calls for ever.
        model.now(Does::Calls(LEVEL.into(), json!({ "thing": "anchors" })));
        let before = model.asked().len();
        bob.ask("How many anchors are in stock?", 200).await;
        assert_eq!(model.asked().len() - before, 3);

        // Without the grant there is no such tool, at once.
        let admin = world.admin().await;
        admin.send(Method::PUT, GRANTS, Some(&json!({ "grants": ["storage"] })), 200).await;
        wait_until("the tools to be gone", async || {
            let before = model.asked().len();
            bob.ask("How many anchors are in stock?", 200).await;
            offered(&model.asked()[before]) == ["search", "read_thread"]
        })
        .await;
        let answer = bob.ask("How many anchors are in stock?", 200).await;
        assert!(!answer.to_string().contains("stock-level"), "{answer}");
        assert!(model.heard().contains("there is no such tool"));
    }

    async fn a_channel_is_told_what_everybody_may_know(world, model) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        stocked(world, &ada).await;
        let harbour = ada.create_channel("harbour", "public", 201).await;
        bob.join(id(&harbour), 200).await;
        model.in_turn(vec![
            Does::Calls(LEVEL.into(), json!({ "thing": "anchors" })),
            Does::Repeats("There are 7 anchors in stock [{tool}].".into()),
        ]);
        let before = model.asked().len();
        let asked = bob.post(id(&harbour), "@assistant how many anchors are in stock?", 201).await;
        let thread = wait_for("the assistant to answer", async || {
            let thread = bob.thread(id(&asked), 200).await;
            (items(&thread).len() > 1).then_some(thread)
        })
        .await;
        let content = items(&thread)[1]["content"].as_str().unwrap();
        assert!(content.contains("There are 7 anchors in stock") && content.contains("**Probe**, stock-level"), "{content}");
        // Nothing that changes something, and nothing that depends on who asks.
        assert_eq!(offered(&model.asked()[before]), ["search", "read_thread", LEVEL]);
        model.in_turn(order("anchors"));
        let for_all = json!({ "content": "Please order three anchors", "channel_id": id(&harbour) });
        let answer = bob.send(Method::POST, MESSAGE, Some(&for_all), 200).await;
        assert_eq!(answer["confirmations"], json!([]), "{answer}");
        assert_eq!(level(&bob, model, "anchors").await, "There are 7 anchors in stock. [1]");
    }

    async fn what_changes_something_waits_for_a_yes(world, model) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        stocked(world, &ada).await;
        model.in_turn(order("anchors"));
        let answer = bob.ask("Please order three anchors", 200).await;
        let waiting = &answer["confirmations"][0];
        assert_eq!(
            (&waiting["plugin_id"], &waiting["plugin"], &waiting["tool"], &waiting["arguments"]),
            (&json!("chat.confab.probe"), &json!("Probe"), &json!("order-stock"), &json!({ "thing": "anchors", "count": 3 })),
            "{answer}"
        );
        assert!(waiting["expires_at"].is_string() && !answer["answer"].as_str().unwrap().contains("ordered"), "{answer}");
        assert_eq!(level(&bob, model, "anchors").await, "There are 7 anchors in stock. [1]");

        // Nobody else says yes, nor the same person elsewhere.
        let path = confirmation(&answer);
        let elsewhere = world.user("bob").await;
        for user in [&ada, &elsewhere] {
            user.send(Method::POST, &path, None, 404).await;
        }
        assert_eq!(level(&bob, model, "anchors").await, "There are 7 anchors in stock. [1]");
        let done = bob.send(Method::POST, &path, None, 200).await;
        assert_eq!(done, json!({ "output": "bob ordered anchors." }));
        assert_eq!(level(&bob, model, "anchors").await, "There are 100 anchors in stock. [1]");
        // Once, and it is on record without what it was called with.
        bob.send(Method::POST, &path, None, 404).await;
        let log = world.admin().await.get("/api/v1/admin/audit?action=assistant.tool_confirmed", 200).await;
        let rows = items(&log);
        assert_eq!((rows.len(), &rows[0]["actor_id"], &rows[0]["detail"]), (1, &json!(bob.id), &json!({ "tool": "order-stock" })), "{log}");

        // A no is one too; and what was proposed goes with its conversation and its session.
        model.in_turn(order("buoys"));
        let answer = bob.ask("Please order three buoys", 200).await;
        bob.send(Method::DELETE, &confirmation(&answer), None, 204).await;
        bob.send(Method::POST, &confirmation(&answer), None, 404).await;
        model.in_turn(order("buoys"));
        let answer = bob.ask("Please order three buoys", 200).await;
        let conversation = format!("/api/v1/ai/conversations/{}", answer["conversation_id"].as_str().unwrap());
        bob.send(Method::DELETE, &conversation, None, 204).await;
        bob.send(Method::POST, &confirmation(&answer), None, 404).await;
        model.in_turn(order("buoys"));
        let answer = elsewhere.ask("Please order three buoys", 200).await;
        let sessions = elsewhere.get("/api/v1/auth/sessions", 200).await;
        let own = items(&sessions).iter().find(|it| it["is_current"] == true).unwrap();
        bob.send(Method::DELETE, &format!("/api/v1/auth/sessions/{}", id(own)), None, 204).await;
        wait_until("the session to be over", async || {
            elsewhere.call(Method::POST, &confirmation(&answer), None).await.status == 401
        })
        .await;
        bob.send(Method::POST, &confirmation(&answer), None, 404).await;
        // Nor does one who switched the assistant off meanwhile.
        model.in_turn(order("buoys"));
        let answer = bob.ask("Please order three buoys", 200).await;
        bob.send(Method::PUT, "/api/v1/users/me/assistant", Some(&json!({ "is_off": true })), 200).await;
        bob.send(Method::POST, &confirmation(&answer), None, 403).await;
        bob.send(Method::PUT, "/api/v1/users/me/assistant", Some(&json!({ "is_off": false })), 200).await;
        assert_eq!(level(&bob, model, "buoys").await, "There are 7 buoys in stock. [1]");
    }

    async fn a_socket_is_asked_for_a_yes_too(world, model) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        stocked(world, &ada).await;
        model.in_turn(order("cleats"));
        let mut socket = bob.connect().await;
        socket.send(&json!({ "op": "ask", "d": { "nonce": "one", "content": "Please order three cleats" } })).await;
        let answer = loop {
            let frame = socket.frame("assistant").await["d"].clone();
            if frame["type"] == "done" {
                break frame;
            }
        };
        assert_eq!(answer["confirmations"][0]["arguments"]["thing"], "cleats", "{answer}");
        let done = bob.send(Method::POST, &confirmation(&answer), None, 200).await;
        assert_eq!(done, json!({ "output": "bob ordered cleats." }));
    }
}
