//! The assistant's tools, and calls out, as servers ask for them over the bus.

use std::sync::atomic::{AtomicUsize, Ordering};

use confab_core::plugins;
use serde_json::{Value, json};

use super::*;
use crate::plugins::{FETCH, TOOL, TOOLS, offered};

pub(super) const PROBE: &str = "chat.confab.probe";

pub(super) static PROBE_BUNDLE: [Bundled; 1] = [Bundled {
    name: "probe",
    manifest: include_str!("../../../../plugins/host/tests/probe.toml"),
    starts: true,
    wasm: include_bytes!("../../../../plugins/host/tests/probe.wasm"),
    images: &[],
}];

pub(super) async fn world() -> World {
    let world = World::with(&PROBE_BUNDLE).await;
    offered::offer(&world.db, &world.bus, &world.catalogue).await.unwrap();
    world
}

impl World {
    async fn grant(&self, grants: &[&str]) {
        let text = serde_json::to_string(grants).unwrap();
        self.db
            .write(move |tx| {
                async move {
                    let by = confab_core::roles::Granted::operator();
                    plugins::administration::grant(tx, &by, PROBE, text).await
                }
                .boxed()
            })
            .await
            .unwrap();
        self.catalogue.reload().await.unwrap();
    }

    async fn uses(&self, tool: &str, input: Value) -> confab_core::Result<Value> {
        self.uses_with(tool, input, json!({})).await
    }

    /// With more to say about the call.
    async fn uses_with(&self, tool: &str, input: Value, more: Value) -> confab_core::Result<Value> {
        let mut asked = json!({ "plugin_id": PROBE, "tool": tool, "input": input, "user_id": self.ada });
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.bus.ask(TOOL, &asked).await
    }
}

#[tokio::test]
async fn tools_are_listed_with_whether_they_change_anything_and_called_for_a_person() {
    let world = world().await;
    let listed: Value = world.bus.ask(TOOLS, &json!({})).await.unwrap();
    let tools: Vec<(&str, bool)> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["name"].as_str().unwrap(), it["is_read_only"].as_bool().unwrap()))
        .collect();
    assert_eq!(tools, [("stock-level", true), ("order-stock", false)]);
    let level = world.uses("stock-level", json!({ "thing": "anchors" })).await.unwrap();
    assert_eq!(level, json!({ "output": "There are 7 anchors in stock." }));
    // What changes something needs a yes, and in a channel not even that is enough.
    let order = json!({ "thing": "anchors", "count": 3 });
    let general = world.general().await;
    for more in [json!({}), json!({ "is_confirmed": true, "channel_id": general })] {
        let refused = world.uses_with("order-stock", order.clone(), more).await.unwrap_err();
        assert_eq!(refused.code(), "not_confirmed");
    }
    let level =
        world.uses_with("stock-level", json!({ "thing": "anchors" }), json!({ "channel_id": general }));
    assert_eq!(level.await.unwrap(), json!({ "output": "There are 7 anchors in stock." }));
    let yes = json!({ "is_confirmed": true });
    // What does not fit the schema does not reach the plugin.
    for input in [json!({ "thing": "anchors" }), json!({ "thing": "anchors", "count": 0 }), json!("anchors")]
    {
        let told = world.uses_with("order-stock", input, yes.clone()).await.unwrap();
        assert!(told["error"].as_str().unwrap().contains("do not fit"), "{told}");
    }
    let ordered = world.uses_with("order-stock", order, yes).await.unwrap();
    assert_eq!(ordered, json!({ "output": "ada ordered anchors." }));
    let level = world.uses("stock-level", json!({ "thing": "anchors" })).await.unwrap();
    assert_eq!(level, json!({ "output": "There are 100 anchors in stock." }));
    // What the plugin says against it is an answer; a tool that is not there is none.
    let refused = world.uses("stock-level", json!({ "thing": "whales" })).await.unwrap();
    assert_eq!(refused, json!({ "error": "there is no such thing" }));
    assert!(world.uses("sink_ship", json!({})).await.is_err());
    // Whoever switched the assistant off has no tools either.
    let ada = world.ada;
    let off = world
        .db
        .write(move |tx| async move { confab_core::assistant::set_of_user(tx, ada, true).await }.boxed());
    off.await.unwrap();
    let refused = world.uses("stock-level", json!({ "thing": "anchors" })).await.unwrap_err();
    assert_eq!(refused.code(), "assistant_off");
}

#[tokio::test]
async fn tools_that_are_not_granted_are_neither_listed_nor_called() {
    let world = world().await;
    world.grant(&["storage"]).await;
    let listed: Value = world.bus.ask(TOOLS, &json!({})).await.unwrap();
    assert_eq!(listed["items"], json!([]));
    let called = world.uses("stock-level", json!({ "thing": "anchors" })).await.unwrap();
    assert_eq!(called, json!({ "error": "the tool failed" }));
    // Without storage the tool runs, and is told that it may not.
    world.grant(&["assistant.tools"]).await;
    let denied = world.uses("stock-level", json!({ "thing": "anchors" })).await.unwrap();
    assert!(denied["error"].as_str().unwrap().contains("not permitted"), "{denied}");
}

#[tokio::test]
async fn calls_out_reach_the_server_only_if_they_are_granted() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let world = world().await;
    let answer = json!({ "status": 200, "headers": [], "body": "MTI=" });
    let service: confab_core::bus::Service = Arc::new(move |question| {
        CALLS.fetch_add(1, Ordering::SeqCst);
        let asked: Value = serde_json::from_slice(&question).unwrap();
        assert_eq!(asked["url"], "https://stock.example.org/level?of=anchors");
        assert_eq!(asked["headers"], json!([["authorization", "Bearer abc"]]));
        let answer = answer.clone();
        async move { Ok(answer) }.boxed()
    });
    world.bus.serve(FETCH, service).await.unwrap();
    let general = world.general().await;
    let said = async || {
        let answer = world.commands.run(world.asked(general, "/stock anchors")).await.unwrap();
        serde_json::to_value(answer).unwrap()["content"].as_str().unwrap_or_default().to_owned()
    };
    // The secret is not set: what stands for it is not sent as it is.
    assert!(said().await.contains("the secret token is not set"));
    assert_eq!(CALLS.load(Ordering::SeqCst), 0);
    world
        .db
        .write(|tx| {
            async move {
                let by = confab_core::roles::Granted::operator();
                plugins::administration::set(tx, &by, PROBE, &json!({ "token": "abc" })).await
            }
            .boxed()
        })
        .await
        .unwrap();
    world.catalogue.reload().await.unwrap();
    assert_eq!(said().await, "200: 12");
    world.grant(&["storage"]).await;
    assert!(said().await.contains("not permitted: http.fetch"));
    assert_eq!(CALLS.load(Ordering::SeqCst), 1);
}
