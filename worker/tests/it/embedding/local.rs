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

/// The real one, where somebody has it: `take_model.py` and `check_model.py` of `ops/embedding` make its folder.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_model_answers_what_others_computed() {
    let Some(folder) = std::env::var_os("CONFAB_TEST_MODEL_DIR").map(PathBuf::from) else { return };
    let model = Local::open(&folder).unwrap();
    let known: Vec<Known> =
        serde_json::from_slice(&std::fs::read(folder.join("vectors.json")).unwrap()).unwrap();
    let texts: Vec<String> = known.iter().map(|it| it.text.clone()).collect();
    let started = std::time::Instant::now();
    let vectors = model.embed(texts, Purpose::Passage).await.unwrap();
    println!("{:?} for each of {} texts", started.elapsed() / known.len() as u32, known.len());
    for (known, vector) in known.iter().zip(&vectors) {
        let near = cosine(&known.vector, vector);
        assert!(near > 0.999, "{:?}: {near}", known.text);
    }
    let near = async |one: &str, other: &str| {
        let vectors = model.embed(vec![one.into(), other.into()], Purpose::Query).await.unwrap();
        cosine(&vectors[0], &vectors[1])
    };
    let (question, answer) = ("how do I restart the web server", "reboot apache after you changed the vhost");
    assert!(near(question, answer).await > 0.2 + near(question, "my cat likes fish").await);
}

#[tokio::test]
async fn texts_taken_together_have_the_vectors_that_each_has_alone() {
    let model = Local::open(&folder()).unwrap();
    let texts = ["the ferry leaves", "", "boats", "the harbour. the harbour?", " ", "zebra leaves the boat"];
    let many: Vec<String> = texts.iter().cycle().take(120).map(|text| (*text).to_owned()).collect();
    let together = model.embed(many.clone(), Purpose::Passage).await.unwrap();
    for (text, vector) in many.into_iter().zip(&together) {
        let alone = model.embed(vec![text.clone()], Purpose::Passage).await.unwrap();
        let farthest =
            alone[0].iter().zip(vector).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
        assert!(farthest < 1e-5, "{text}: {farthest}");
    }
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

/// Another model than that of the vectors puts hits in order, and reads nothing where no model may.
#[tokio::test(flavor = "multi_thread")]
async fn the_best_hits_are_looked_at_again() {
    let plain = World::new().await;
    let again = World::with(&[("rerank_dir", folder().display().to_string())]).await;
    let q = "the ferry leaves the harbour";
    let mut orders = Vec::new();
    for world in [&plain, &again] {
        let ada = world.user("ada").await;
        let harbour = world.channel(ada, "harbour", confab_protocol::ChannelKind::Public).await;
        for text in [
            "boats leave the harbour",
            "the ferry leaves",
            "zebra ferry ferry",
            "the ferry leaves the harbour",
        ] {
            world.post(ada, harbour, text).await;
        }
        world.settled().await;
        let found = world.try_search_by(Mode::Hybrid, ada, q).await.unwrap();
        assert!(found.unavailable.is_empty(), "{:?}", found.unavailable);
        let texts: Vec<String> = found.items.into_iter().map(|hit| hit.message.content).collect();
        assert_eq!(texts[0], q, "what says the same is nearest to both: {texts:?}");
        orders.push(texts);
    }
    for order in &mut orders {
        order.sort_unstable();
    }
    assert_eq!(orders[0], orders[1], "the same hits, whatever their order");
    let wrong = tempfile::tempdir().unwrap();
    let mut world = World::quiet().await;
    world.set(&[("rerank_dir", wrong.path().display().to_string())]);
    let fault = world.try_start().await.unwrap_err();
    assert!(fault.to_string().contains("config.json"), "{fault}");
}
