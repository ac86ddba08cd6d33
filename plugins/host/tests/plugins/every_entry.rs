//! Each misbehaviour in each handler is stopped, with no effect outside of the grant, and soon.

use crate::memory_host::{MemoryHost, channel, message, user};
use confab_plugin_host::{
    Argument, CallError, Completion, Delivery, Event, Granted, Invocation, Limits, Manifest, OptionValue,
    Plugin, Press, Reaction, Reason, Runtime, SettingValue, Tick, ToolCall,
};
use std::sync::OnceLock;
use std::time::Duration;

const MANIFEST: &str = include_str!("../hostile.toml");
const WASM: &[u8] = include_bytes!("../hostile.wasm");
const MORE: &str = r#"
[[reaction]]
code = "sneer"
name = "Sneer"
text = "😏"
ask = true

[[tool]]
name = "help"
description = "Does not help"
"#;
const ENTRIES: [&str; 9] =
    ["lifecycle", "event", "command", "completion", "reaction", "gate", "action", "timer", "tool"];

/// It may write into its storage and nothing else: posting is not granted. The clock is generous, since on a machine
/// that is overloaded it could come before the limit that a test means; loops end by their fuel.
fn hostile() -> &'static Plugin {
    static HOSTILE: OnceLock<Plugin> = OnceLock::new();
    HOSTILE.get_or_init(|| {
        let asked = r#"["messages.post", "storage", "timers.use", "assistant.tools"]"#;
        let text = MANIFEST.replace(r#"["messages.post", "storage"]"#, asked) + MORE;
        let long = Duration::from_secs(30);
        let limits = Limits {
            command_wall: long,
            completion_wall: long,
            gate_cpu: long,
            gate_wall: long,
            event_cpu: long,
            event_wall: long,
            fuel: 200_000_000,
            ..Limits::default()
        };
        Runtime::new(None, limits).unwrap().load(Manifest::parse(&text).unwrap(), WASM).unwrap()
    })
}

async fn misbehave(host: &MemoryHost, entry: &str, how: &str) -> Result<(), CallError> {
    let plugin = hostile();
    let all = plugin.manifest().asks();
    let granted = confab_plugin_host::Grants::of(all.iter().filter(|it| it.to_string() != "messages.post"));
    let to = Granted::new(host.clone(), plugin.manifest(), &granted);
    let (eve, place) = (user("eve", false), channel("general"));
    let reaction = Reaction {
        message_id: "m1".into(),
        place: place.clone(),
        user: user(how, false),
        code: "sneer".into(),
    };
    match entry {
        "lifecycle" => {
            host.memory().settings.insert("mood".into(), SettingValue::Text(how.into()));
            plugin.configure(to, Reason::SettingsChanged).await
        }
        "event" => {
            let event = Event::MessagePosted(message("m1", eve, how));
            plugin.on_event(to, Delivery { sequence: 1, attempt: 1, at_ms: 0, event }).await
        }
        "command" => {
            let arguments = vec![Argument { name: "how".into(), value: OptionValue::Text(how.into()) }];
            let call = Invocation { command: "misbehave".into(), arguments, user: eve, place };
            plugin.on_command(to, call).await.map(drop)
        }
        "completion" => {
            let (command, option, typed) = ("misbehave".into(), "how".into(), how.into());
            plugin.complete(to, Completion { command, option, typed, user: eve, place }).await.map(drop)
        }
        "reaction" => plugin.on_reaction(to, reaction, true).await.map(drop),
        "gate" => plugin.may_react(to, reaction).await.map(drop),
        "action" => {
            let (action, payload) = ("press".into(), how.into());
            let press = Press { action, payload, message_id: "m1".into(), place, user: eve };
            plugin.on_action(to, press).await.map(drop)
        }
        "timer" => {
            plugin.on_timer(to, Tick { name: how.into(), payload: Vec::new(), due_ms: 0, attempt: 1 }).await
        }
        _ => {
            let input = format!("\"{how}\"");
            plugin
                .call_tool(to, ToolCall { tool: "help".into(), input, user: eve, channel_id: None })
                .await
                .map(drop)
        }
    }
}

/// In every handler it is stopped for that reason, did nothing that was not granted, and can be called again.
async fn contained(how: &str, is_meant: impl Fn(&CallError) -> bool) {
    for entry in ENTRIES {
        let host = MemoryHost::default();
        let error = misbehave(&host, entry, how).await.expect_err(entry);
        assert!(is_meant(&error), "{how} in {entry}: {error:?}");
        assert!(host.posted().is_empty() && host.memory().whispered.is_empty(), "{how} in {entry}");
        let after = misbehave(&MemoryHost::default(), entry, "behave").await;
        assert_eq!(after, Ok(()), "{entry} after {how}");
    }
}

#[tokio::test]
async fn a_loop_in_every_handler() {
    contained("loop", |error| *error == CallError::Fuel).await;
}

#[tokio::test]
async fn a_memory_bomb_in_every_handler() {
    contained("memory", |error| *error == CallError::Memory).await;
    contained("creep", |error| *error == CallError::Memory).await;
}

#[tokio::test]
async fn a_recursion_and_a_trap_in_every_handler() {
    contained("recurse", |error| matches!(error, CallError::Trap(_))).await;
    contained("panic", |error| matches!(error, CallError::Trap(_))).await;
}

#[tokio::test]
async fn a_storm_of_host_calls_in_every_handler() {
    contained("storm", |error| *error == CallError::HostLimit("50 host calls".into())).await;
    contained("chatter", |error| matches!(error, CallError::HostLimit(_))).await;
}

#[tokio::test]
async fn huge_values_in_every_handler() {
    contained("flood", |error| matches!(error, CallError::HostLimit(_))).await;
    contained("entropy", |error| matches!(error, CallError::HostLimit(_))).await;
}

#[tokio::test]
async fn huge_answers_of_those_handlers_that_answer() {
    for entry in ["command", "completion", "reaction", "action", "tool"] {
        let error = misbehave(&MemoryHost::default(), entry, "long-reply").await.expect_err(entry);
        assert!(matches!(error, CallError::HostLimit(_)), "{entry}: {error:?}");
    }
}
