//! A model in a folder, against what a program without any of this code computed (`ops/embedding/tiny_model.py`).

use std::path::{Path, PathBuf};

use confab_worker::embedding::{Embedder, Local, Purpose};
use confab_worker::search::Mode;

use super::{Known, cosine};
use crate::world::World;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/embedding/tiny")
}

#[tokio::test]
async fn a_model_in_a_folder_answers_what_it_must() {
    let model = Local::open(&folder()).unwrap();
    assert_eq!(model.id().dimensions(), 16);
    assert!(model.id().to_string().starts_with("local-16-"));
    let known: Vec<Known> = serde_json::from_str(include_str!("tiny/vectors.json")).unwrap();
    let texts = known.iter().map(|it| it.text.clone()).collect();
    let vectors = model.embed(texts, Purpose::Passage).await.unwrap();
    for (known, vector) in known.iter().zip(&vectors) {
        let farthest =
            known.vector.iter().zip(vector).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
        assert!(farthest < 1e-4, "{}: {farthest}", known.text);
        assert!((cosine(vector, vector) - 1.0).abs() < 1e-5);
    }
    let silent = model.embed(vec![" \t".into()], Purpose::Query).await.unwrap();
    assert_eq!(silent, [vec![0.0; 16]], "nothing is nearest to nothing");
}

#[test]
fn what_is_no_model_is_named() {
    let empty = tempfile::tempdir().unwrap();
    let said = |folder: &Path| match Local::open(folder) {
        Ok(_) => panic!("a model"),
        Err(fault) => fault.to_string(),
    };
    assert!(said(empty.path()).contains("config.json"));
    let copied = tempfile::tempdir().unwrap();
    for name in ["config.json", "vocab.txt", "model.safetensors"] {
        std::fs::copy(folder().join(name), copied.path().join(name)).unwrap();
    }
    assert!(Local::open(copied.path()).is_ok());
    let weights = std::fs::read(folder().join("model.safetensors")).unwrap();
    let file = copied.path().join("model.safetensors");
    for (broken, reason) in [
        (Vec::new(), "is empty"),
        (vec![255; 64], "cut off"),
        (weights[..weights.len() / 2].to_vec(), "cut off"),
        (weights[..200].to_vec(), "cut off"),
    ] {
        std::fs::write(&file, broken).unwrap();
        assert!(said(copied.path()).contains(reason), "{reason}: {}", said(copied.path()));
    }
    std::fs::write(&file, &weights).unwrap();
    let words = std::fs::read_to_string(folder().join("vocab.txt")).unwrap();
    std::fs::write(copied.path().join("vocab.txt"), words.replace("boat\n", "")).unwrap();
    assert!(said(copied.path()).contains("word_embeddings"));
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_are_answered_by_it() {
    let world = World::with(&[("embeddings_dir", folder().display().to_string())]).await;
    let ada = world.user("ada").await;
    let harbour = world.channel(ada, "harbour", confab_protocol::ChannelKind::Public).await;
    world.post(ada, harbour, "the ferry leaves the harbour.").await;
    world.settled().await;
    let q = "the ferry leaves the harbour";
    let found = world.try_search_by(Mode::Semantic, ada, q).await.unwrap();
    assert!(found.unavailable.is_empty() && found.items.len() == 1, "{found:?}");
    assert!(world.state().await.vectors.unwrap().serving.starts_with("local-16-"));
}
