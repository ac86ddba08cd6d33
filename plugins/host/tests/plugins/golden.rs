//! Components of every released version of the contract still load and work: that is what a version promises. The one
//! of 0.1 was built before 0.2 was written, and is never built again.

use crate::memory_host::{MemoryHost, channel, user};
use confab_plugin_host::{
    Argument, Draft, Failure, Granted, Grants, Host as _, HttpRequest, Invocation, Limits, Manifest,
    OptionValue, Permission, Plugin, Press, Reply, Runtime, Tick, Timer, bundled, rehearse,
};
use sha2::Digest as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

fn loaded(manifest: &str, wasm: &[u8]) -> Plugin {
    Runtime::new(None, confab_plugin_host::Limits::default())
        .unwrap()
        .load(Manifest::parse(manifest).unwrap(), wasm)
        .unwrap()
}

/// A component with an interpreter in it, built long ago from the sources beside. Python reads the archive: the tests need
/// it anyway. What is compiled of it, half a minute of CPU, is kept from run to run.
async fn plays(version: &str, language: &str, component: &str) {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
    let script = "import sys, tarfile; sys.stdout.buffer.write(tarfile.open(sys.argv[1]).extractfile(sys.argv[2]).read())";
    let done = Command::new("python3")
        .args(["-c", script, &format!("{root}/components.tar.xz"), component])
        .output();
    let done = done.expect("python3 is missing: install the package python3 (ops/install)");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let wasm = done.stdout;
    let text = |file: &str| std::fs::read_to_string(format!("{root}/{version}/{language}/{file}")).unwrap();
    let hash: String =
        sha2::Sha256::digest(&wasm).iter().fold(String::new(), |hash, byte| format!("{hash}{byte:02x}"));
    let manifest = text("plugin.toml").replacen("[plugin]", &format!("[plugin]\nsha256 = \"{hash}\""), 1);
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache/confab/plugins");
    let limits = Limits {
        command_wall: Duration::from_secs(30),
        event_cpu: Duration::from_secs(30),
        ..Limits::default()
    };
    let runtime = Runtime::new(Some(&cache), limits).unwrap();
    let plugin = runtime.load(Manifest::parse(&manifest).unwrap(), &wasm).unwrap();
    assert_eq!(format!("v{}", plugin.manifest().api), version);
    // Twice: the second time by instances that were kept.
    for _ in 0..2 {
        let played = rehearse(&plugin, &text("conversation.txt")).await.unwrap();
        assert!(played.differences.is_empty(), "{:#?}", played.differences);
        assert!(played.scenes >= 3);
    }
}

#[tokio::test]
async fn python_of_the_first_version_still_works() {
    plays("v0.1", "python", "glossary-0.1.wasm").await;
}

#[tokio::test]
async fn python_of_the_second_version_still_works() {
    plays("v0.2", "python", "glossary-0.2.wasm").await;
}

#[tokio::test]
async fn javascript_of_the_first_version_still_works() {
    plays("v0.1", "javascript", "picker-0.1.wasm").await;
}

#[tokio::test]
async fn javascript_of_the_second_version_still_works() {
    plays("v0.2", "javascript", "picker-0.2.wasm").await;
}

fn bundle(name: &str) -> Plugin {
    let it = bundled().iter().find(|it| it.name == name).unwrap();
    loaded(it.manifest, it.wasm)
}

fn granted(host: &MemoryHost, plugin: &Plugin) -> Granted<MemoryHost> {
    Granted::new(host.clone(), plugin.manifest(), &plugin.manifest().asks())
}

fn invocation(command: &str, arguments: Vec<Argument>) -> Invocation {
    Invocation { command: command.into(), arguments, user: user("ada", false), place: channel("general") }
}

#[tokio::test]
async fn dice_of_the_first_version_still_roll() {
    let plugin = loaded(include_str!("../golden/v0.1/dice.toml"), include_bytes!("../golden/v0.1/dice.wasm"));
    assert_eq!(plugin.manifest().api, "0.1");
    let host = MemoryHost::default();
    let dice = vec![Argument { name: "dice".into(), value: OptionValue::Text("3d6".into()) }];
    let reply = plugin.on_command(granted(&host, &plugin), invocation("roll", dice)).await;
    let Ok(Reply::Public(draft)) = reply else { panic!("{reply:?}") };
    assert!(draft.content.contains("3d6") && draft.buttons.is_empty(), "{draft:?}");
}

#[tokio::test]
async fn a_poll_of_the_second_version_counts_and_closes() {
    let (plugin, host) = (bundle("polls"), MemoryHost::default());
    assert_eq!(plugin.manifest().api, "0.2");
    let text = "/poll \"Tea or coffee?\" hours=1 tea, coffee";
    let arguments = plugin.manifest().command("poll").unwrap().arguments(text).unwrap();
    plugin.on_command(granted(&host, &plugin), invocation("poll", arguments)).await.unwrap();
    let (_, draft) = host.posted().pop().unwrap();
    let labels: Vec<&str> = draft.buttons.iter().map(|it| it.label.as_str()).collect();
    assert_eq!(labels, ["tea (0)", "coffee (0)", "Close the poll"]);
    let press = |who: &str, button: usize| Press {
        action: draft.buttons[button].action.clone(),
        payload: draft.buttons[button].payload.clone(),
        message_id: "posted-1".into(),
        place: channel("general"),
        user: user(who, false),
    };
    for (who, button) in [("bob", 0), ("cyd", 0), ("bob", 1)] {
        plugin.on_action(granted(&host, &plugin), press(who, button)).await.unwrap();
    }
    let (_, shown) = host.memory().edited.last().cloned().unwrap();
    assert_eq!(shown.buttons[0].label, "tea (1)", "bob changed their mind");
    assert_eq!(shown.buttons[1].label, "coffee (1)");
    assert!(plugin.on_action(granted(&host, &plugin), press("bob", 2)).await.is_err(), "ada asked");
    let Timer { name, payload, .. } = host.memory().timers[0].clone();
    let tick = Tick { name, payload, due_ms: 1, attempt: 1 };
    plugin.on_timer(granted(&host, &plugin), tick).await.unwrap();
    let (_, closed) = host.memory().edited.last().cloned().unwrap();
    assert!(closed.buttons.is_empty() && closed.content.contains("Closed"), "{closed:?}");
    assert!(plugin.on_action(granted(&host, &plugin), press("cyd", 0)).await.is_err());
}

#[tokio::test]
async fn what_is_not_granted_is_denied_and_noted() {
    let (plugin, host) = (bundle("polls"), MemoryHost::default());
    let some = Grants::of([Permission::Storage, Permission::UseTimers]);
    let granted = Granted::new(host.clone(), plugin.manifest(), &some);
    let arguments = plugin.manifest().command("poll").unwrap().arguments("/poll Tea?").unwrap();
    assert!(plugin.on_command(granted, invocation("poll", arguments)).await.is_err());
    assert_eq!(host.memory().denied, [Permission::PostMessages]);
    assert!(host.posted().is_empty());
}

#[tokio::test]
async fn calls_leave_for_the_origins_of_the_manifest_alone() {
    let manifest = Manifest::parse(
        "[plugin]\nid = \"org.example.caller\"\nname = \"Caller\"\nversion = \"1.0.0\"\napi = \"0.2\"\nwasm = \"c.wasm\"\n\
         sha256 = \"0000000000000000000000000000000000000000000000000000000000000000\"\npermissions = [\"http.fetch\"]\n\
         [http]\nallow = [\"https://api.example.com\"]\n",
    )
    .unwrap();
    let host = MemoryHost::default();
    let granted = Granted::new(host.clone(), &manifest, &manifest.asks());
    let ask = |url: &str| HttpRequest {
        method: "GET".into(),
        url: url.into(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    for url in ["https://api.example.com", "https://api.example.com/v1?q=1"] {
        assert!(granted.fetch(ask(url)).await.is_ok(), "{url}");
    }
    for url in [
        "https://api.example.com.evil.org/",
        "https://api.example.com@evil.org/",
        "https://api.example.com:8443/",
        "http://api.example.com/",
        "https://API.example.com/",
        "file:///etc/passwd",
    ] {
        assert!(matches!(granted.fetch(ask(url)).await, Err(Failure::Denied(_))), "{url}");
    }
    assert_eq!(host.memory().fetched.len(), 2);
    assert_eq!(host.memory().denied.len(), 6);
}

#[tokio::test]
async fn a_draft_that_cannot_be_shown_is_refused_before_anybody_sees_it() {
    let (plugin, host) = (bundle("polls"), MemoryHost::default());
    let granted = granted(&host, &plugin);
    let button = confab_plugin_host::Button {
        action: String::new(),
        payload: String::new(),
        label: "go".into(),
        style: confab_plugin_host::ButtonStyle::Plain,
    };
    let draft = Draft { buttons: vec![button], ..Draft::text("x") };
    assert!(matches!(granted.post_message(channel("general"), draft).await, Err(Failure::Invalid(_))));
    assert!(host.posted().is_empty());
}
