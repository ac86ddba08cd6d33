//! Instances that serve several calls, and those that never do again.

use crate::memory_host::{MemoryHost, channel, user};
use confab_plugin_host::{
    Argument, CallError, Granted, Invocation, Limits, Manifest, OptionValue, Plugin, Reply, Runtime,
};
use std::time::Duration;

const WASM: &[u8] = include_bytes!("../hostile.wasm");

fn loaded(runtime: &Runtime, instance: &str) -> Plugin {
    let manifest = format!("{}\n[limits]\ninstance = \"{instance}\"\n", include_str!("../hostile.toml"));
    runtime.load(Manifest::parse(&manifest).unwrap(), WASM).unwrap()
}

fn runtime() -> Runtime {
    let limits = Limits {
        command_wall: Duration::from_secs(30),
        event_cpu: Duration::from_secs(30),
        ..Limits::default()
    };
    Runtime::new(None, limits).unwrap()
}

async fn call(plugin: &Plugin, how: &str) -> Result<String, CallError> {
    let host = MemoryHost::default();
    let granted = Granted::new(host, plugin.manifest(), &plugin.manifest().asks());
    let arguments = vec![Argument { name: "how".into(), value: OptionValue::Text(how.into()) }];
    let (user, place) = (user("eve", false), channel("general"));
    let call = Invocation { command: "misbehave".into(), arguments, user, place };
    match plugin.on_command(granted, call).await? {
        Reply::Whisper(draft) => Ok(draft.content),
        other => Ok(format!("{other:?}")),
    }
}

#[tokio::test]
async fn a_fresh_instance_knows_of_no_call_before() {
    let plugin = loaded(&runtime(), "fresh");
    for _ in 0..3 {
        assert_eq!(call(&plugin, "count").await.unwrap(), "1");
    }
}

#[tokio::test]
async fn a_kept_instance_serves_on_until_it_fails() {
    let plugin = loaded(&runtime(), "kept");
    for expected in ["1", "2", "3"] {
        assert_eq!(call(&plugin, "count").await.unwrap(), expected);
    }
    // An answered error is no failure of the instance.
    assert!(matches!(call(&plugin, "refuse").await, Err(CallError::Guest(_))));
    assert_eq!(call(&plugin, "count").await.unwrap(), "5");
    for how in ["panic", "creep", "recurse", "storm"] {
        assert!(call(&plugin, how).await.unwrap_err().is_fault(), "{how}");
        assert_eq!(
            call(&plugin, "count").await.unwrap(),
            "1",
            "an instance that failed by {how} served again"
        );
    }
}

#[tokio::test]
async fn each_call_of_a_kept_instance_has_a_budget_of_its_own() {
    let plugin = loaded(&runtime(), "kept");
    // 70 calls with a host call each; one budget has 50.
    for _ in 0..70 {
        call(&plugin, "keep").await.unwrap();
    }
    assert_eq!(call(&plugin, "count").await.unwrap(), "71");
}

#[tokio::test]
async fn an_instance_serves_five_hundred_calls_at_most() {
    let plugin = loaded(&runtime(), "kept");
    for expected in 1..=500_u32 {
        assert_eq!(call(&plugin, "count").await.unwrap(), expected.to_string());
    }
    assert_eq!(call(&plugin, "count").await.unwrap(), "1");
}

#[tokio::test]
async fn few_instances_wait_and_none_of_another_plugin_is_taken() {
    let runtime = runtime();
    let plugins: Vec<Plugin> = (0..6).map(|_| loaded(&runtime, "kept")).collect();
    for plugin in &plugins {
        assert_eq!(call(plugin, "count").await.unwrap(), "1");
    }
    // The newest four were kept, the others gave way.
    for plugin in plugins.iter().rev().take(4) {
        assert_eq!(call(plugin, "count").await.unwrap(), "2");
    }
    assert_eq!(call(&plugins[0], "count").await.unwrap(), "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_at_once_have_an_instance_each() {
    let plugin = std::sync::Arc::new(loaded(&runtime(), "kept"));
    let calls = (0..32).map(|_| {
        let plugin = std::sync::Arc::clone(&plugin);
        tokio::spawn(async move { call(&plugin, "count").await })
    });
    for call in calls.collect::<Vec<_>>() {
        assert!(call.await.unwrap().unwrap().parse::<u32>().unwrap() >= 1);
    }
}
