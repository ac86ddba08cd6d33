//! The bundled dice plugin: a command, an event and a reaction.

use crate::memory_host::{MemoryHost, channel, message, user};
use confab_plugin_host::{
    CallError, Delivery, Event, Granted, Invocation, Limits, Manifest, Place, Plugin, Reaction, Reply,
    Runtime, bundled,
};
use std::sync::OnceLock;

pub fn dice() -> &'static Plugin {
    static DICE: OnceLock<Plugin> = OnceLock::new();
    DICE.get_or_init(|| {
        let dice = bundled().iter().find(|plugin| plugin.name == "dice").unwrap();
        let manifest = Manifest::parse(dice.manifest).unwrap();
        Runtime::new(None, Limits::default()).unwrap().load(manifest, dice.wasm).unwrap()
    })
}

fn granted(host: &MemoryHost) -> Granted<MemoryHost> {
    Granted::new(host.clone(), dice().manifest(), &dice().manifest().asks())
}

async fn command(host: &MemoryHost, text: &str) -> Result<Reply, CallError> {
    let command = dice().manifest().command("roll").unwrap();
    let arguments = command.arguments(text).unwrap();
    let call =
        Invocation { command: "roll".into(), arguments, user: user("ada", false), place: channel("general") };
    dice().on_command(granted(host), call).await
}

/// The total at the end of `🎲 2d6+1: 3 + 5 + 1 = **9**`.
fn total(text: &str) -> i64 {
    text.trim_end_matches('*').rsplit_once("**").unwrap().1.parse().unwrap()
}

#[tokio::test]
async fn a_command_is_answered_in_public() {
    let host = MemoryHost::default();
    for _ in 0..20 {
        let Reply::Public(draft) = command(&host, "/roll 2d6 + 1").await.unwrap() else {
            panic!("not public")
        };
        assert!(draft.content.starts_with("🎲 2d6+1: "), "{}", draft.content);
        assert!((3..=13).contains(&total(&draft.content)), "{}", draft.content);
    }
    let Reply::Public(draft) = command(&host, "/roll").await.unwrap() else { panic!("not public") };
    assert!(draft.content.starts_with("🎲 1d6: **"), "{}", draft.content);
    assert!(host.posted().is_empty(), "the reply is for the worker to post");
}

#[tokio::test]
async fn a_mistake_is_told_to_the_person() {
    let refused = command(&MemoryHost::default(), "/roll 101d6").await.unwrap_err();
    assert_eq!(refused, CallError::Guest("In `101d6`, the number of dice must be from 1 to 100.".into()));
    assert!(!refused.is_fault());
}

#[tokio::test]
async fn rolls_differ() {
    let host = MemoryHost::default();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..8 {
        let Reply::Public(draft) = command(&host, "/roll 100d1000").await.unwrap() else {
            panic!("not public")
        };
        seen.insert(draft.content);
    }
    assert!(seen.len() > 1, "eight rolls of 100d1000 were all {seen:?}");
}

#[tokio::test]
async fn a_message_is_answered_where_it_stands() {
    let host = MemoryHost::default();
    let mut asked = message("m1", user("ada", false), "!roll d20");
    asked.place.thread_id = Some("m0".into());
    let event = Event::MessagePosted(asked);
    assert!(dice().manifest().wants(&event, "dice-bot"));
    let delivery = Delivery { sequence: 7, attempt: 1, at_ms: 1_700_000_000_000, event };
    dice().on_event(granted(&host), delivery).await.unwrap();
    let [(place, draft)] = host.posted().try_into().unwrap();
    assert_eq!(place, Place { channel_id: "general".into(), thread_id: Some("m0".into()) });
    assert!(draft.content.starts_with("🎲 1d20: **"), "{}", draft.content);
}

#[tokio::test]
async fn only_matching_messages_of_people_are_wanted() {
    let wanted = |content: &str, sender| {
        dice().manifest().wants(&Event::MessagePosted(message("m1", sender, content)), "dice-bot")
    };
    assert!(wanted("!roll", user("ada", false)));
    assert!(!wanted("please !roll", user("ada", false)));
    assert!(!wanted("!roll", user("other-bot", true)), "two bots could answer each other for ever");
    assert!(!wanted("!roll", user("dice-bot", true)));
    assert!(
        !dice()
            .manifest()
            .wants(&Event::MessageEdited(message("m1", user("ada", false), "!roll")), "dice-bot")
    );

    // The prefix lets this one through; the plugin sees that it is another word.
    let host = MemoryHost::default();
    let event = Event::MessagePosted(message("m1", user("ada", false), "!rollback the release"));
    let delivery = Delivery { sequence: 8, attempt: 1, at_ms: 0, event };
    dice().on_event(granted(&host), delivery).await.unwrap();
    assert!(host.posted().is_empty());
}

#[tokio::test]
async fn a_reaction_rolls_in_the_thread_and_is_counted() {
    let host = MemoryHost::default();
    let reaction = Reaction {
        message_id: "m1".into(),
        place: channel("general"),
        user: user("ada", false),
        code: "dice".into(),
    };
    assert_eq!(dice().manifest().reaction("dice").unwrap().text.as_deref(), Some("🎲"));
    for expected in ["(roll 1 here)", "(roll 2 here)"] {
        let reply = dice().on_reaction(granted(&host), reaction.clone(), true).await.unwrap();
        assert_eq!(reply, Reply::Silent);
        let (place, draft) = host.posted().pop().unwrap();
        assert_eq!(place.thread_id.as_deref(), Some("m1"));
        assert!(
            draft.content.starts_with("🎲 ADA rolled **") && draft.content.ends_with(expected),
            "{}",
            draft.content
        );
    }
    dice().on_reaction(granted(&host), reaction, false).await.unwrap();
    assert_eq!(host.posted().len(), 2, "taking a reaction back rolls nothing");
    assert_eq!(host.memory().stored["rolls:m1"].value, b"2");
}
