//! Does the worst on request, in every handler there is: `/misbehave loop`. Only the tests of the plugin host use it.

use confab_plugin_sdk::prelude::*;
use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering};

/// Calls of this instance: what a kept one remembers.
static CALLS: AtomicU32 = AtomicU32::new(0);

struct Hostile;

impl CommandHandler for Hostile {
    fn on_command(call: Invocation) -> Result<Reply, String> {
        misbehave(call.text("how").unwrap_or_default(), &call.place)
    }
}

impl EventHandler for Hostile {
    fn on_event(delivery: Delivery) -> Result<(), String> {
        let Event::MessagePosted(message) = delivery.event else { return Ok(()) };
        misbehave(&message.content, &message.place).map(|_| ())
    }
}

impl Lifecycle for Hostile {
    fn configure(_reason: Reason) -> Result<(), String> {
        match settings::get("mood") {
            Some(Value::Text(mood)) if mood == "refusing" => Err("I do not like these settings.".into()),
            Some(Value::Text(mood)) if mood != "fine" => misbehave(&mood, &nowhere()).map(drop),
            _ => Ok(()),
        }
    }
}

/// What is misbehaviour in the others is the name of whoever reacts here: a reaction brings no text.
impl ReactionHandler for Hostile {
    fn on_reaction(reaction: Reaction, _added: bool) -> Result<Reply, String> {
        misbehave(&reaction.user.username, &reaction.place)
    }
}

impl ReactionGate for Hostile {
    fn may_react(reaction: Reaction) -> Verdict {
        match misbehave(&reaction.user.username, &reaction.place) {
            Ok(_) => Verdict::Allow,
            Err(text) => Verdict::Refuse(text),
        }
    }
}

impl CompletionHandler for Hostile {
    fn complete(question: Question) -> Vec<Suggestion> {
        if question.typed == "long-reply" {
            return vec![Suggestion { value: "x".repeat(300 * 1024), label: None }];
        }
        drop(misbehave(&question.typed, &question.place));
        Vec::new()
    }
}

impl ActionHandler for Hostile {
    fn on_action(press: Press) -> Result<Reply, String> {
        misbehave(&press.payload, &press.place)
    }
}

impl TimerHandler for Hostile {
    fn on_timer(tick: Tick) -> Result<(), String> {
        misbehave(&tick.name, &nowhere()).map(drop)
    }
}

impl ToolHandler for Hostile {
    fn call_tool(call: ToolCall) -> Result<String, String> {
        let how = call.input.trim_matches('"');
        if how == "long-reply" {
            return Ok("x".repeat(300 * 1024));
        }
        misbehave(how, &nowhere()).map(|_| "done".into())
    }
}

confab_plugin_sdk::export!(
    Hostile: commands, events, lifecycle, reactions, gate, completion, actions, timers, tools
);

fn nowhere() -> Place {
    Place { channel: "nowhere".into(), thread: None }
}

fn misbehave(how: &str, place: &Place) -> Result<Reply, String> {
    let calls = CALLS.fetch_add(1, Ordering::Relaxed) + 1;
    match how {
        "count" => return Ok(Reply::tell(calls.to_string())),
        "behave" => return Ok(Reply::tell("I did nothing.")),
        "refuse" => return Err("I do not want to.".into()),
        "loop" => spin(),
        "memory" => drop(black_box(vec![1_u8; 1 << 30])),
        "creep" => creep(),
        "panic" => panic!("I give up."),
        "recurse" => return Ok(Reply::tell(recurse(black_box(1)).to_string())),
        "storm" => storm(place),
        "post" => drop(chat::post_message(place, &Draft::text("posted"))?),
        "flood" => drop(chat::post_message(place, &Draft::text("x".repeat(300 * 1024)))?),
        "long-reply" => return Ok(Reply::tell("x".repeat(300 * 1024))),
        "long-error" => return Err("x".repeat(100 * 1024)),
        "chatter" => chatter(),
        "keep" => drop(kv::set("key", b"value", None)?),
        "entropy" => drop(black_box(runtime::random_bytes(u32::MAX))),
        other => return Err(format!("I do not know how to {other}.")),
    }
    Ok(Reply::Silent)
}

fn spin() {
    let mut turns = 0_u64;
    while black_box(true) {
        turns = black_box(turns.wrapping_add(1));
    }
}

/// Takes memory in small steps, to pass a limit that looks at single allocations only.
fn creep() {
    let mut hoard = Vec::new();
    while black_box(true) {
        hoard.push(vec![1_u8; 64 * 1024]);
    }
    drop(black_box(hoard));
}

#[allow(unconditional_recursion, reason = "that is the misbehaviour")]
fn recurse(depth: u64) -> u64 {
    let ballast = black_box([depth; 64]);
    recurse(depth + 1) + ballast[0]
}

/// Goes on when a call fails, as a careless retry loop does.
fn storm(place: &Place) {
    while black_box(true) {
        drop(chat::post_message(place, &Draft::text("storm")));
    }
}

fn chatter() {
    while black_box(true) {
        runtime::log(runtime::Level::Info, "and another thing");
    }
}
