//! The README's examples, run as they stand there.

use std::process::Command;

use serde_json::Value;

use crate::harness::{World, wait_until};

const README: &str = include_str!("../../../README.md");

/// The shell block below a heading.
fn block(heading: &str) -> &'static str {
    let (_, below) = README.split_once(heading).unwrap_or_else(|| panic!("README has no {heading:?}"));
    let (_, block) = below.split_once("```sh\n").expect("a shell block stands below it");
    block.split_once("```").expect("the block ends").0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_program_can_do() {
    let world = World::embedded().await;
    let visitor = world.visitor();
    let form =
        serde_json::json!({ "username": "ada", "email": "ada@example.org", "password": "correct horse" });
    let made = visitor.send(reqwest::Method::POST, "/api/v1/auth/register", Some(&form), 201).await;
    let ada = visitor.signed_in("ada", &made);
    let channels = ada.get("/api/v1/channels/me", 200).await;
    let general = channels["items"][0]["id"].as_str().unwrap();
    ada.post(general, "my wireless card works with this driver now", 201).await;
    wait_until("the message to be found", async || {
        !ada.search("wireless driver", 200).await["items"].as_array().unwrap().is_empty()
    })
    .await;

    let script = block("## Use it from a program").replace("http://localhost:8000", &ada.address.http());
    let output = Command::new("bash").args(["-euo", "pipefail", "-c", &script]).output().expect("bash runs");
    let (said, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{wrong}");
    // curl writes no line end behind an answer, so the answers are read one after the other.
    let answers: Vec<Value> = serde_json::Deserializer::from_str(&said)
        .into_iter()
        .collect::<Result<_, _>>()
        .expect("answers in JSON");
    let (channel, rest) = (&answers[0], &answers[answers.len() - 3..]);
    assert_eq!(channel["name"], "general", "{said}");
    assert_eq!(rest[0]["content"], "Hello", "{said}");
    assert_eq!(rest[1]["items"].as_array().unwrap().len(), 1, "{said}");
    assert_eq!(rest[2]["supported"], true, "{said}");
}

#[test]
fn the_two_commands_stand_first() {
    assert_eq!(block("## Start it").trim(), "cargo run --release");
    assert_eq!(block("## Test it").trim(), "ops/test");
}
