//! What plugins cost: a call, a hundred of them at each post, and one that does its worst beside people who write.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::posts::{Posted, at_confab, middle};
use crate::Result;
use crate::http::{Connection, request};
use crate::person;
use crate::report::{Goal, Row};
use crate::server::{Server, Stopped, WARDEN};
use crate::stage::Stage;

const PLUGINS: usize = 100;
const POSTERS: usize = 16;

pub async fn measure(stage: &mut Stage) -> Result<()> {
    calls(stage).await?;
    beside(stage).await
}

/// The figures of `confab plugin measure`, which runs in a process of its own.
async fn calls(stage: &mut Stage) -> Result<()> {
    let count = stage.either("100000", "2000");
    let stopped = Server::embedded(&stage.confab).await?.stop().await?;
    let dice = here("plugins/bundled/dice")?;
    // The prefix fits and the word is another: the plugin looks at it and does nothing.
    let asked = ["--json", "plugin", "measure", &dice, "--text", "!rollback", "--calls", count];
    let found: Value = serde_json::from_str(&run(&stopped, &asked).await?)?;
    let mut row = |what: &str, unit, confab: &Value, goal| {
        let confab = confab.as_f64().unwrap_or(f64::NAN);
        stage.report.add(Row {
            scenario: "plugins",
            what: what.into(),
            unit,
            confab,
            floor: None,
            goal,
            more: json!({}),
        });
    };
    let (fresh, kept) = (&found["fresh"], &found["kept"]);
    row("an event, fresh instance, p50", "us", &fresh["p50_us"], Goal::AtMost(60.0));
    row("an event, fresh instance, p99", "us", &fresh["p99_us"], Goal::AtMost(120.0));
    row("events on one core, fresh instances", "/s", &fresh["a_second"], Goal::AtLeast(10_000.0));
    row("an event, kept instance, p50", "us", &kept["p50_us"], Goal::AtMost(6.0));
    row("100 compiled plugins are mapped", "ms", &found["hundred_loads_ms"], Goal::AtMost(1000.0));
    Ok(())
}

/// Posts without plugins, with a hundred that filter every message out, and with one that loops.
async fn beside(stage: &mut Stage) -> Result<()> {
    let lasting = stage.either(Duration::from_secs(5), Duration::from_secs(1));
    let server = Server::embedded(&stage.confab).await?;
    let people = person::register(&server.host, POSTERS).await?;
    let channel = person::channel(&server.host, "posts", &people).await?;
    let post = async |server: &Server, rounds: u64| {
        let mut runs = Vec::new();
        for _ in 0..rounds {
            runs.push(at_confab(&server.host, &people, &channel, POSTERS, lasting).await?);
        }
        middle(runs)
    };
    let without = post(&server, stage.rounds).await?;

    let stopped = server.stop().await?;
    for number in 0..PLUGINS {
        install(&stopped, &plugin(number, "plugins/bundled/dice/dice.wasm")?).await?;
    }
    let server = stopped.launch().await?;
    let with = post(&server, stage.rounds).await?;
    stage.report.add(Row {
        scenario: "plugins",
        what: format!("acknowledged, {POSTERS} posters, {PLUGINS} plugins filter"),
        unit: "/s",
        confab: with.a_second,
        floor: Some(("no plugins", without.a_second)),
        goal: Goal::AtLeast(0.95),
        more: json!({ "p99_ms": with.latencies.quantile_ms(0.99), "without_p99_ms": without.latencies.quantile_ms(0.99) }),
    });

    let stopped = server.stop().await?;
    install(&stopped, &Asked { folder: hostile()?, grant: "all" }).await?;
    let server = stopped.launch().await?;
    let calm = post(&server, 1).await?;
    let (looping, stops) = while_it_loops(&server, &people[0].token, &channel, post(&server, 1)).await?;
    stage.report.add(Row {
        scenario: "plugins",
        what: format!("acknowledged p99, {POSTERS} posters, one plugin loops"),
        unit: "ms",
        confab: looping.latencies.quantile_ms(0.99),
        floor: Some(("it rests", calm.latencies.quantile_ms(0.99))),
        goal: Goal::AtMost(1.5),
        more: json!({ "loops_ended": stops }),
    });
    Ok(())
}

/// Gives the command that loops, again and again, while `posts` are posted. Five faults stop the plugin; an administrator
/// starts it each time.
async fn while_it_loops(
    server: &Server,
    token: &str,
    channel: &str,
    posts: impl Future<Output = Result<Posted>>,
) -> Result<(Posted, u32)> {
    let mut connection = Connection::open(&server.host).await?;
    let form = json!({ "username": WARDEN.0, "password": WARDEN.1 }).to_string();
    let admin = connection.call(&request("POST", "/api/v1/auth/login", "", &form)).await?;
    let admin = admin["access_token"].as_str().ok_or("no token")?.to_owned();
    let path = format!("/api/v1/channels/{channel}/commands");
    let give = request("POST", &path, token, &json!({ "text": "/misbehave loop" }).to_string());
    let enable = request("PUT", "/api/v1/plugins/chat.confab.hostile/enable", &admin, "");
    let mut ended = 0;
    tokio::pin!(posts);
    loop {
        let attack = async {
            if connection.exchange(&give).await?.status == 404 {
                connection.exchange(&enable).await?;
                tokio::time::sleep(Duration::from_millis(50)).await;
                return Result::Ok(0);
            }
            Ok(1)
        };
        tokio::select! {
            posted = &mut posts => return Ok((posted?, ended)),
            done = attack => ended += done?,
        }
    }
}

struct Asked {
    folder: tempfile::TempDir,
    grant: &'static str,
}

async fn install(stopped: &Stopped, asked: &Asked) -> Result<()> {
    let folder = asked.folder.path().display().to_string();
    run(stopped, &["plugin", "install", &folder, "--grant", asked.grant]).await.map(drop)
}

async fn run(stopped: &Stopped, arguments: &[&str]) -> Result<String> {
    let begun = Instant::now();
    let done = stopped.command(arguments).output().await?;
    if done.status.success() {
        return Ok(String::from_utf8(done.stdout)?);
    }
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    Err(format!("confab {} after {:?}: {said}", arguments.join(" "), begun.elapsed()).into())
}

/// One of many that want messages which begin with a word that nobody writes.
fn plugin(number: usize, component: &str) -> Result<Asked> {
    let folder = tempfile::tempdir()?;
    let manifest = format!(
        "[plugin]\nid = \"org.example.plugin{number}\"\nname = \"Plugin {number}\"\nversion = \"1.0.0\"\napi = \"0.2\"\n\
         wasm = \"plugin.wasm\"\npermissions = [\"messages.post\", \"storage\"]\n[[event]]\nname = \"message-posted\"\n\
         prefix = [\"!roll\"]\n"
    );
    std::fs::write(folder.path().join("plugin.toml"), manifest)?;
    std::fs::copy(here(component)?, folder.path().join("plugin.wasm"))?;
    Ok(Asked { folder, grant: "all" })
}

fn hostile() -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    std::fs::copy(here("plugins/host/tests/hostile.toml")?, folder.path().join("plugin.toml"))?;
    std::fs::copy(here("plugins/host/tests/hostile.wasm")?, folder.path().join("hostile.wasm"))?;
    Ok(folder)
}

/// A file of the checkout: servers run in folders of their own.
fn here(path: &str) -> Result<String> {
    let found: PathBuf =
        Path::new(path).canonicalize().map_err(|error| format!("{path}: {error}; run ops/bench"))?;
    Ok(found.display().to_string())
}
