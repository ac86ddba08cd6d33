//! Models: the built-in one against vectors that were computed without any code of this project, and an endpoint that
//! misbehaves in every way that endpoints do.

mod endpoint;
mod local;

use std::time::Duration;

use confab_core::config::{EmbeddingsEndpoint, Secret};
use confab_worker::embedding::{EmbedError, Embedder, Purpose, Remote, Table, table};
use endpoint::{Endpoint, Script};
use serde::Deserialize;
use sha2::{Digest, Sha256};

#[derive(Deserialize)]
struct Known {
    text: String,
    vector: Vec<f32>,
}

fn known() -> Vec<Known> {
    serde_json::from_str(include_str!("embedding/vectors.json")).unwrap()
}

fn cosine(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

#[test]
fn the_table_is_the_one_that_is_named() {
    let digest = Sha256::digest(include_bytes!("../../src/embedding/table.bin"));
    let digest: Vec<String> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let digest = digest.concat();
    assert_eq!(
        digest,
        table::CHECKSUM,
        "another table is another model: name it, so that vectors are made anew"
    );
}

#[test]
fn the_built_in_model_answers_what_others_computed() {
    let table = Table::built_in().unwrap();
    for Known { text, vector } in known() {
        let found = table.vector(&text);
        let difference =
            found.iter().zip(&vector).map(|(one, other)| (one - other).abs()).fold(0.0_f32, f32::max);
        assert!(found.len() == vector.len() && difference < 2e-6, "{text:?} differs by {difference}");
    }
}

#[tokio::test]
async fn the_built_in_model_finds_what_means_alike() {
    let table = Table::built_in().unwrap();
    assert_eq!(table.id().dimensions(), 256);
    let texts = ["how do I restart the web server", "reboot apache", "my cat likes fish", "", "ภาษาไทย"];
    let vectors = table.embed(texts.map(str::to_owned).to_vec(), Purpose::Passage).await.unwrap();
    assert!(cosine(&vectors[0], &vectors[1]) > 0.2 + cosine(&vectors[0], &vectors[2]));
    assert!((cosine(&vectors[0], &vectors[0]) - 1.0).abs() < 1e-5);
    assert!(vectors[3..].iter().flatten().all(|part| *part == 0.0), "what says nothing is like nothing");
    let long = "gull ".repeat(10_000);
    let beginning = long[..8_192].to_owned();
    let vectors = table.embed(vec![long, beginning], Purpose::Passage).await.unwrap();
    assert_eq!(vectors[0], vectors[1]);
    let many = table.embed(vec!["gull".to_owned(); table.most_texts()], Purpose::Passage).await.unwrap();
    assert_eq!(many.len(), table.most_texts());
}

fn remote(endpoint: &Endpoint, dimensions: usize, daily_characters: u64) -> Remote {
    Remote::new(&EmbeddingsEndpoint {
        url: endpoint.url(),
        model: "small".into(),
        key: Secret("sesame".into()),
        dimensions,
        daily_characters,
    })
    .unwrap()
}

async fn embed(remote: &Remote, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
    remote.embed(texts.iter().map(|text| (*text).to_owned()).collect(), Purpose::Passage).await
}

const TWO: &str = r#"{"object":"list","data":[{"index":1,"embedding":[0,2]},{"index":0,"embedding":[3,0]}]}"#;

#[tokio::test]
async fn an_endpoint_is_asked_as_openai_is() {
    let mut endpoint = Endpoint::start(vec![Script::answer(200, TWO)]).await;
    let remote = remote(&endpoint, 2, 1_000);
    assert_eq!(embed(&remote, &["gull", "tern"]).await, Ok(vec![vec![1.0, 0.0], vec![0.0, 1.0]]));
    let asked = endpoint.asked().await;
    assert!(asked.head.starts_with("POST /v1/embeddings HTTP/1.1"), "{}", asked.head);
    assert!(asked.head.to_lowercase().contains("authorization: bearer sesame"), "{}", asked.head);
    let body: serde_json::Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(
        body,
        serde_json::json!({ "model": "small", "input": ["gull", "tern"], "encoding_format": "float" })
    );
    assert_eq!(embed(&remote, &[]).await, Ok(Vec::new()), "nothing is not asked for");
}

#[tokio::test]
async fn a_busy_endpoint_is_asked_again_when_it_says() {
    let mut endpoint = Endpoint::start(vec![
        Script::answer(429, r#"{"error":{"message":"slow down"}}"#).with("Retry-After: 1"),
        Script::answer(503, "<html>bad gateway</html>"),
        Script::Hangup,
        Script::answer(200, TWO),
    ])
    .await;
    let remote = remote(&endpoint, 2, 1_000);
    assert!(embed(&remote, &["gull", "tern"]).await.is_ok());
    for _ in 0..4 {
        endpoint.asked().await;
    }
}

#[tokio::test]
async fn what_cannot_get_better_is_not_tried_again() {
    let wrong_key = r#"{"error":{"message":"Incorrect API key"}}"#;
    let cases = [
        (Script::answer(401, wrong_key), "Incorrect API key"),
        (Script::answer(404, "gull, tern"), "404"),
        (Script::answer(302, "").with("Location: http://127.0.0.1:9/v1/embeddings"), "302"),
        (Script::answer(200, "no JSON"), "no JSON"),
        (Script::answer(200, r#"{"data":"none"}"#), "something else"),
        (Script::answer(200, r#"{"data":[{"embedding":[1,2]}]}"#), "1 vectors for 2 texts"),
        (Script::answer(200, r#"{"data":[{"embedding":[1]},{"embedding":[2]}]}"#), "vectors of 1 numbers"),
        (
            Script::answer(200, r#"{"data":[{"index":5,"embedding":[1,2]},{"index":6,"embedding":[2,1]}]}"#),
            "numbered",
        ),
    ];
    for (script, said) in cases {
        let mut endpoint = Endpoint::start(vec![script, Script::answer(200, TWO)]).await;
        let remote = remote(&endpoint, 2, 1_000);
        let error = embed(&remote, &["gull", "tern"]).await.unwrap_err();
        assert!(matches!(error, EmbedError::Misconfigured(_) | EmbedError::Permanent(_)), "{error}");
        let text = error.to_string();
        assert!(text.contains(said) && !text.contains("gull") && !text.contains("sesame"), "{text}");
        endpoint.asked().await;
        assert!(endpoint.is_left_alone());
    }
}

#[tokio::test]
async fn an_endpoint_that_fails_is_left_alone_and_words_answer_at_once() {
    let scripts = (0..8).map(|_| Script::answer(500, "").with("Retry-After: 120")).collect();
    let endpoint = Endpoint::start(scripts).await;
    let remote = remote(&endpoint, 2, 1_000);
    for number in 0..8 {
        let error = embed(&remote, &["gull", "tern"]).await.unwrap_err();
        let EmbedError::Retryable { after, .. } = error else { panic!("{error}") };
        assert!(after > Duration::from_secs(10), "{number}: {after:?}");
    }
    assert_eq!(endpoint.count(), 5, "then it is left alone");
}

#[tokio::test]
async fn a_day_has_its_allowance() {
    let scripts = (0..4).map(|_| Script::answer(200, TWO)).collect();
    let endpoint = Endpoint::start(scripts).await;
    let remote = remote(&endpoint, 2, 20);
    assert!(embed(&remote, &["gull", "tern"]).await.is_ok());
    assert!(embed(&remote, &["gull", "tern"]).await.is_ok());
    let error = embed(&remote, &["gull", "tern"]).await.unwrap_err();
    assert!(matches!(error, EmbedError::Retryable { .. }) && error.to_string().contains("daily"), "{error}");
    assert_eq!(endpoint.count(), 2);
}
