//! The store of vectors in a Qdrant server: the contract of every store, and what becomes of it when the server is away.

use confab_protocol::ChannelId;
use confab_worker::embedding::ModelId;
use confab_worker::vectors::{Change, Qdrant, VectorStore};

use super::contract::{self, around, point};
use super::stand_in;

fn model(name: &str) -> ModelId {
    ModelId::new(name, contract::DIMENSIONS, "1")
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract() {
    let (url, _held) = stand_in::start().await;
    contract::keeps(&Qdrant::new(&url, None, &model("of tests")).unwrap()).await;
}

/// Also against a real server, where somebody has one.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_server_keeps_the_contract() {
    let (url, key) = (std::env::var("CONFAB_TEST_QDRANT_URL"), std::env::var("CONFAB_TEST_QDRANT_API_KEY"));
    let Ok(url) = url else { return };
    let store = Qdrant::new(&url, key.ok().as_deref(), &model("of tests")).unwrap();
    store.clear().await.unwrap();
    contract::keeps(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn models_have_collections_of_their_own_and_a_lost_one_is_made_again() {
    let (url, held) = stand_in::start().await;
    let (one, other) =
        (Qdrant::new(&url, None, &model("one")).unwrap(), Qdrant::new(&url, None, &model("other")).unwrap());
    let channel = ChannelId::new();
    let message = point(channel, 1);
    one.write(vec![Change::Put(message.clone())], "1".into()).await.unwrap();
    other.write(Vec::new(), "2".into()).await.unwrap();
    assert_eq!(held.collections().len(), 2);
    assert_eq!(one.count(vec![channel]).await.unwrap(), 1);
    assert_eq!(other.count(vec![channel]).await.unwrap(), 0);
    assert!(other.search(around(&message, &[channel])).await.unwrap().is_empty());

    held.forget();
    assert!(one.search(around(&message, &[channel])).await.unwrap().is_empty());
    assert_eq!(
        one.write(vec![Change::Put(message.clone())], "3".into()).await.unwrap_err().code(),
        "unavailable"
    );
    one.write(vec![Change::Put(message.clone())], "3".into()).await.unwrap();
    assert_eq!(one.place().await.unwrap().as_deref(), Some("3"));
    assert_eq!(one.search(around(&message, &[channel])).await.unwrap()[0].id, message.id);

    held.forget();
    assert_eq!(one.place().await.unwrap(), None, "what is to be made anew says so");
    one.clear().await.unwrap();
    one.write(vec![Change::Put(message.clone())], "4".into()).await.unwrap();
    assert_eq!(one.count(vec![channel]).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_other_models_only_our_own_collections_are_dropped() {
    let (url, held) = stand_in::start().await;
    let store = |name: &str| Qdrant::new(&url, None, &model(name)).unwrap();
    let (wanted, former, others) = (store("wanted"), store("former"), store("others"));
    let message = point(ChannelId::new(), 1);
    for (store, place) in [(&wanted, "ours"), (&former, "ours"), (&others, "theirs")] {
        store.write(vec![Change::Put(message.clone())], place.into()).await.unwrap();
    }
    // Nothing is noted there: it may be anybody's.
    let empty = store("empty");
    empty.clear().await.unwrap();
    assert_eq!(held.collections().len(), 4);
    let dropped = wanted.drop_others(&|noted| noted == "ours").await.unwrap();
    assert_eq!(dropped, [format!("confab-{}", model("former"))]);
    assert_eq!(held.collections().len(), 3);
    assert_eq!(wanted.place().await.unwrap().as_deref(), Some("ours"));
    assert_eq!(others.place().await.unwrap().as_deref(), Some("theirs"));
    assert_eq!(former.place().await.unwrap(), None);
    assert!(wanted.drop_others(&|noted| noted == "ours").await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_is_said_to_be() {
    // Held, so that nobody else listens there.
    let held = tokio::net::TcpSocket::new_v4().unwrap();
    held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = held.local_addr().unwrap();
    let store = Qdrant::new(&format!("http://{address}"), Some("sesame"), &model("of tests")).unwrap();
    let message = point(ChannelId::new(), 1);
    assert_eq!(store.place().await.unwrap_err().code(), "unavailable");
    assert_eq!(
        store.search(around(&message, &[message.channel_id])).await.unwrap_err().code(),
        "unavailable"
    );
    assert_eq!(store.write(vec![Change::Put(message)], "1".into()).await.unwrap_err().code(), "unavailable");
}
