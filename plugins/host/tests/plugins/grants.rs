//! What was not granted is refused, whoever asks.

use crate::dice::dice;
use crate::hostile::{hostile, misbehave};
use crate::memory_host::{MemoryHost, channel, message, user};
use confab_plugin_host::{
    CallError, Delivery, Event, EventKind, Failure, Granted, Grants, Host as _, Permission, Reaction, Reply,
};

#[tokio::test]
async fn an_ungranted_call_is_denied_and_a_granted_one_is_not() {
    let reaction = Reaction {
        message_id: "m1".into(),
        place: channel("general"),
        user: user("ada", false),
        code: "dice".into(),
    };
    let host = MemoryHost::default();
    let posts_only = Grants::of([Permission::PostMessages]);
    let granted = Granted::new(host.clone(), dice().manifest(), &posts_only);
    let refused = dice().on_reaction(granted, reaction.clone(), true).await.unwrap_err();
    assert_eq!(refused, CallError::Guest("not permitted: storage is not granted".into()));
    assert!(host.memory().stored.is_empty() && host.posted().is_empty());

    let both = Grants::of([Permission::PostMessages, Permission::Storage]);
    let granted = Granted::new(host.clone(), dice().manifest(), &both);
    assert_eq!(dice().on_reaction(granted, reaction, true).await, Ok(Reply::Silent));
    assert_eq!(host.posted().len(), 1);
}

#[tokio::test]
async fn an_approval_beyond_the_manifest_grants_nothing() {
    let everything = Grants::of([Permission::ReadMessages, Permission::PostMessages, Permission::Storage]);
    let granted = Granted::new(MemoryHost::default(), dice().manifest(), &everything);
    assert!(!granted.grants().has(Permission::ReadMessages));
    let refused = granted.get_message("m1".into()).await.unwrap_err();
    assert_eq!(refused, Failure::Denied("messages.read is not granted".into()));
}

#[tokio::test]
async fn an_event_that_was_not_granted_is_not_delivered() {
    let host = MemoryHost::default();
    let granted = Granted::new(host.clone(), dice().manifest(), &Grants::of([Permission::PostMessages]));
    let event = Event::MessagePosted(message("m1", user("ada", false), "!roll"));
    let refused =
        dice().on_event(granted, Delivery { sequence: 1, attempt: 1, at_ms: 0, event }).await.unwrap_err();
    assert_eq!(refused, CallError::NotGranted(Permission::Event(EventKind::MessagePosted)));
    assert!(host.posted().is_empty());
}

#[tokio::test]
async fn the_assistant_is_asked_with_a_grant_of_its_own() {
    let mut manifest = dice().manifest().clone();
    manifest.permissions.insert(Permission::Summarize);
    let others = Grants::of([Permission::ReadMessages, Permission::Search, Permission::OfferTools]);
    let host = MemoryHost::default();
    let refused = Granted::new(host.clone(), &manifest, &others).summarize(channel("general")).await;
    assert_eq!(refused, Err(Failure::Denied("assistant.summarize is not granted".into())));
    assert_eq!(host.memory().denied, [Permission::Summarize]);
    let granted = Granted::new(host, &manifest, &Grants::of([Permission::Summarize]));
    assert_eq!(granted.summarize(channel("general")).await, Ok("all of general".into()));
    // Only what asks for it and was granted it may let a person wait longer.
    let everything = Grants::of([Permission::Summarize]);
    assert_eq!(dice().answering(&everything), dice().answering(&Grants::none()));
}

#[tokio::test]
async fn keys_and_values_have_a_size() {
    let granted = Granted::new(MemoryHost::default(), dice().manifest(), &dice().manifest().asks());
    assert!(matches!(granted.kv_get(String::new()).await, Err(Failure::Invalid(_))));
    assert!(matches!(granted.kv_set("k".repeat(257), Vec::new(), None).await, Err(Failure::Invalid(_))));
    assert!(matches!(granted.kv_set("key".into(), vec![0; 65_537], None).await, Err(Failure::Invalid(_))));
    assert_eq!(granted.kv_set("k".repeat(256), vec![0; 65_536], None).await, Ok(1));
}

#[tokio::test]
async fn nothing_granted_still_runs() {
    let granted = Granted::new(MemoryHost::default(), hostile().manifest(), &Grants::none());
    assert!(matches!(misbehave(granted, "behave").await, Ok(Reply::Whisper(_))));
    let granted = Granted::new(MemoryHost::default(), hostile().manifest(), &Grants::none());
    let refused = misbehave(granted, "post").await.unwrap_err();
    assert_eq!(refused, CallError::Guest("not permitted: messages.post is not granted".into()));
}

#[test]
fn grants_are_stored_as_texts() {
    let grants = Grants::of([Permission::Storage, Permission::Event(EventKind::MemberJoined)]);
    let json = serde_json::to_string(&grants).unwrap();
    assert_eq!(json, r#"["storage","events.member-joined"]"#);
    assert_eq!(serde_json::from_str::<Grants>(&json).unwrap(), grants);
    assert!(serde_json::from_str::<Grants>(r#"["root"]"#).is_err());
    let missing = Grants::of([Permission::Storage]).missing(&grants);
    assert_eq!(
        missing.iter().map(|permission| permission.to_string()).collect::<Vec<_>>(),
        ["events.member-joined"]
    );
}
