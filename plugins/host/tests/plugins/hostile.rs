//! A plugin that does its worst is stopped, by the right limit, and the host works afterwards.

use crate::memory_host::{MemoryHost, channel, message, user};
use confab_plugin_host::{
    Argument, CallError, Delivery, Event, Granted, Invocation, Level, Limits, LoadError, Manifest,
    OptionValue, Plugin, Reason, Reply, Runtime, SettingValue,
};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

const MANIFEST: &str = include_str!("../hostile.toml");
const WASM: &[u8] = include_bytes!("../hostile.wasm");

/// With a generous clock: on an overloaded machine, limits of the clock could come before the one that a test means.
pub fn hostile() -> &'static Plugin {
    static HOSTILE: OnceLock<Plugin> = OnceLock::new();
    HOSTILE.get_or_init(|| {
        let long = Duration::from_secs(30);
        with_limits(Limits { command_wall: long, event_cpu: long, host_calls: 50, ..Limits::default() })
    })
}

fn with_limits(limits: Limits) -> Plugin {
    Runtime::new(None, limits).unwrap().load(Manifest::parse(MANIFEST).unwrap(), WASM).unwrap()
}

pub async fn misbehave(host: Granted<MemoryHost>, how: &str) -> Result<Reply, CallError> {
    call(hostile(), host, how).await
}

async fn call(plugin: &Plugin, host: Granted<MemoryHost>, how: &str) -> Result<Reply, CallError> {
    let arguments = vec![Argument { name: "how".into(), value: OptionValue::Text(how.into()) }];
    let call = Invocation {
        command: "misbehave".into(),
        arguments,
        user: user("eve", false),
        place: channel("general"),
    };
    plugin.on_command(host, call).await
}

fn granted(host: &MemoryHost) -> Granted<MemoryHost> {
    Granted::new(host.clone(), hostile().manifest(), &hostile().manifest().asks())
}

/// Misbehaves, and then shows that the same plugin and host go on working.
async fn contained(how: &str) -> (CallError, MemoryHost) {
    let host = MemoryHost::default();
    let error = misbehave(granted(&host), how).await.unwrap_err();
    let Ok(Reply::Whisper(draft)) = misbehave(granted(&host), "behave").await else {
        panic!("unusable after {how}")
    };
    assert_eq!(draft.content, "I did nothing.");
    (error, host)
}

#[tokio::test]
async fn a_memory_bomb() {
    assert_eq!(contained("memory").await.0, CallError::Memory);
    assert_eq!(contained("creep").await.0, CallError::Memory);
}

#[tokio::test]
async fn a_panic_whose_text_is_in_the_log() {
    let (error, host) = contained("panic").await;
    assert!(matches!(&error, CallError::Trap(text) if text.contains("unreachable")), "{error:?}");
    assert!(error.is_fault());
    let log = host.memory().log.clone();
    assert!(log.iter().any(|(level, text)| *level == Level::Error && text.contains("I give up.")), "{log:?}");
}

#[tokio::test]
async fn an_unbounded_recursion() {
    let (error, _) = contained("recurse").await;
    assert!(matches!(error, CallError::Trap(_)), "{error:?}");
}

#[tokio::test]
async fn a_storm_of_host_calls() {
    let (error, host) = contained("storm").await;
    assert_eq!(error, CallError::HostLimit("50 host calls".into()));
    assert_eq!(host.posted().len(), 50);
}

#[tokio::test]
async fn a_storm_of_log_lines() {
    let (error, host) = contained("chatter").await;
    assert_eq!(error, CallError::HostLimit("1000 calls of settings and runtime".into()));
    assert_eq!(host.memory().log.len(), 1000);
}

#[tokio::test]
async fn more_bytes_than_allowed() {
    let (error, host) = contained("flood").await;
    assert!(matches!(error, CallError::HostLimit(_)), "{error:?}");
    assert!(host.posted().is_empty());
    assert!(matches!(contained("long-reply").await.0, CallError::HostLimit(_)));
    assert!(matches!(contained("entropy").await.0, CallError::HostLimit(_)));
    let CallError::Guest(text) = contained("long-error").await.0 else { panic!("not the guest's error") };
    assert_eq!(text.len(), 1000);
}

#[tokio::test]
async fn far_more_bytes_than_allowed_are_not_even_copied() {
    let plugin =
        with_limits(Limits { io_bytes: 1024, command_wall: Duration::from_secs(30), ..Limits::default() });
    let error = call(&plugin, granted(&MemoryHost::default()), "flood").await.unwrap_err();
    assert_eq!(error, CallError::HostLimit("bytes in one call".into()));
    let error = call(&plugin, granted(&MemoryHost::default()), "long-reply").await.unwrap_err();
    assert_eq!(error, CallError::HostLimit("bytes in one call".into()));
}

#[tokio::test]
async fn an_answered_error_is_no_fault() {
    let (error, _) = contained("refuse").await;
    assert_eq!(error, CallError::Guest("I do not want to.".into()));
    assert!(!error.is_fault());
}

/// On one thread, so that a plugin which did not let others run would keep this test from ever ending.
#[tokio::test(flavor = "current_thread")]
async fn an_infinite_loop_meets_its_deadline_and_lets_others_run() {
    let plugin = with_limits(Limits { fuel: u64::MAX, ..Limits::default() });
    let host = MemoryHost::default();
    let begun = Instant::now();
    let mut beats = 0;
    let error = {
        let event = Event::MessagePosted(message("m1", user("eve", false), "loop"));
        let delivery = Delivery { sequence: 1, attempt: 1, at_ms: 0, event };
        let looping = plugin.on_event(granted(&host), delivery);
        tokio::pin!(looping);
        loop {
            tokio::select! {
                outcome = &mut looping => break outcome.unwrap_err(),
                () = tokio::time::sleep(Duration::from_millis(1)) => beats += 1,
            }
        }
    };
    assert_eq!(error, CallError::Deadline);
    assert!(beats >= 5, "others ran {beats} times");
    assert!(begun.elapsed() >= Duration::from_millis(150), "stopped after {:?} only", begun.elapsed());
    // The same plugin goes on; on a busy machine it may need more than one deadline for that.
    loop {
        match call(&plugin, granted(&host), "behave").await {
            Err(CallError::Deadline) if begun.elapsed() < Duration::from_mins(1) => {}
            other => break assert!(matches!(other, Ok(Reply::Whisper(_))), "{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_infinite_loop_meets_its_fuel_when_the_clock_does_not() {
    let plugin =
        with_limits(Limits { fuel: 5_000_000, command_wall: Duration::from_mins(1), ..Limits::default() });
    let host = MemoryHost::default();
    assert_eq!(call(&plugin, granted(&host), "loop").await, Err(CallError::Fuel));
    assert!(matches!(call(&plugin, granted(&host), "behave").await, Ok(Reply::Whisper(_))));
}

#[tokio::test]
async fn a_command_that_waits_meets_the_wall_clock() {
    let limits = Limits { command_wall: Duration::from_millis(300), ..Limits::default() };
    let plugin = with_limits(limits);
    let host = MemoryHost::default();
    host.memory().post_takes = Duration::from_mins(1);
    assert_eq!(call(&plugin, granted(&host), "post").await, Err(CallError::Deadline));
    host.memory().post_takes = Duration::ZERO;
    let patient = with_limits(Limits { command_wall: Duration::from_mins(1), ..Limits::default() });
    assert_eq!(call(&patient, granted(&host), "post").await, Ok(Reply::Silent));
}

#[tokio::test]
async fn a_host_call_that_hangs_is_given_up_and_the_plugin_is_told() {
    let limits = Limits {
        host_call: Duration::from_millis(50),
        command_wall: Duration::from_secs(30),
        ..Limits::default()
    };
    let host = MemoryHost::default();
    host.memory().post_takes = Duration::from_mins(1);
    let error = call(&with_limits(limits), granted(&host), "post").await.unwrap_err();
    assert_eq!(error, CallError::Guest("not available now: the call took too long".into()));
}

/// Waiting for the host is not computing: fifty slow posts are within the CPU time of an event.
#[tokio::test]
async fn waiting_costs_no_cpu_time() {
    let (plugin, host) = (with_limits(Limits::default()), MemoryHost::default());
    host.memory().post_takes = Duration::from_millis(12);
    let event = Event::MessagePosted(message("m1", user("eve", false), "storm"));
    let error = plugin.on_event(granted(&host), Delivery { sequence: 1, attempt: 1, at_ms: 0, event }).await;
    assert_eq!(error, Err(CallError::HostLimit("50 host calls".into())));
}

/// More at once than may run at once, good and bad: each gets its own outcome.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_run_side_by_side() {
    let calls = (0..48).map(|index| {
        let how = ["behave", "panic", "memory"][index % 3];
        (how, tokio::spawn(async move { misbehave(granted(&MemoryHost::default()), how).await }))
    });
    for (how, call) in calls.collect::<Vec<_>>() {
        let outcome = call.await.unwrap();
        match how {
            "behave" => assert!(matches!(outcome, Ok(Reply::Whisper(_))), "{outcome:?}"),
            "panic" => assert!(matches!(outcome, Err(CallError::Trap(_))), "{outcome:?}"),
            _ => assert_eq!(outcome, Err(CallError::Memory)),
        }
    }
}

#[tokio::test]
async fn nothing_is_left_of_a_call() {
    // 40 calls that each take some of their 64 MiB; one store would not hold them all.
    for _ in 0..40 {
        let host = MemoryHost::default();
        assert_eq!(misbehave(granted(&host), "creep").await, Err(CallError::Memory));
    }
}

#[tokio::test]
async fn settings_that_a_plugin_refuses() {
    let host = MemoryHost::default();
    assert_eq!(hostile().configure(granted(&host), Reason::Installed).await, Ok(()));
    host.memory().settings.insert("mood".into(), SettingValue::Text("refusing".into()));
    let refused = hostile().configure(granted(&host), Reason::SettingsChanged).await;
    assert_eq!(refused, Err(CallError::Guest("I do not like these settings.".into())));
}

#[test]
fn another_component_than_the_manifest_names_is_not_loaded() {
    let runtime = Runtime::new(None, Limits::default()).unwrap();
    let mut wasm = WASM.to_vec();
    *wasm.last_mut().unwrap() ^= 1;
    let refused = runtime.load(Manifest::parse(MANIFEST).unwrap(), &wasm);
    assert!(matches!(refused.err(), Some(LoadError::Hash { .. })));
}

#[test]
fn a_component_must_fit_its_manifest() {
    let runtime = Runtime::new(None, Limits::default()).unwrap();
    let load = |manifest: &str| runtime.load(Manifest::parse(manifest).unwrap(), WASM).err();
    let greedy = MANIFEST.replace(r#"["messages.post", "storage"]"#, "[]")
        + "\n[[reaction]]\ncode = \"sneer\"\nname = \"Sneer\"\ntext = \"😏\"\n";
    let Some(LoadError::Interface(faults)) = load(&greedy) else { panic!("loaded") };
    let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(fields, ["plugin.permissions", "plugin.permissions"]);
    let lacking = MANIFEST.replace("\"storage\"]", "\"storage\", \"webhooks.take\"]")
        + "\n[[setting]]\nkey = \"key\"\ntype = \"secret\"\ndescription = \"Of the sender\"\n"
        + "\n[[webhook]]\nname = \"sneer\"\nsecret = \"key\"\nproof = \"token\"\nheader = \"x-key\"\n";
    let Some(LoadError::Interface(faults)) = load(&lacking) else { panic!("loaded") };
    assert_eq!(
        faults[0].to_string(),
        "webhook: the component does not export confab:plugin/webhook-handler@0.2.0"
    );
}

#[test]
fn what_is_no_component_is_not_loaded() {
    let runtime = Runtime::new(None, Limits::default()).unwrap();
    let wasm = b"\0asm\x01\0\0\0";
    let manifest = Manifest::parse(MANIFEST).unwrap();
    let sha256 = "93a44bbb96c751218e4c00d479e4c14358122a389acca16205b1e4d0dc5f9476";
    let manifest = Manifest { sha256: sha256.into(), ..manifest };
    assert!(matches!(runtime.load(manifest, wasm).err(), Some(LoadError::Compile(_))));
}

#[test]
fn compiled_code_is_kept_and_a_damaged_file_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let load = || {
        let runtime = Runtime::new(Some(folder.path()), Limits::default()).unwrap();
        runtime.load(Manifest::parse(MANIFEST).unwrap(), WASM).unwrap()
    };
    let files =
        || std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    load();
    let [kept] = files().try_into().unwrap();
    let whole = std::fs::read(&kept).unwrap();
    let written = std::fs::metadata(&kept).unwrap().modified().unwrap();
    load();
    assert_eq!(std::fs::metadata(&kept).unwrap().modified().unwrap(), written, "compiled again without need");

    for damaged in [&whole[..whole.len() / 2], &[][..], &[whole.as_slice(), b"x"].concat()] {
        std::fs::write(&kept, damaged).unwrap();
        load();
        assert!(std::fs::read(&kept).unwrap().len() == whole.len(), "the damaged file was left");
        assert_eq!(files().len(), 1);
    }
}
