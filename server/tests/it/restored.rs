//! A record that was brought back from a backup: what came after it is gone, and its positions are given again.

use serde_json::{Value, json};

use crate::harness::user::{id, items};
use crate::harness::{Socket, both, confab, wait_until};

both! {
    async fn who_holds_a_position_of_before_reads_anew(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let room = ada.create_channel("harbour", "public", 201).await;
        bob.join(id(&room), 200).await;
        let mut socket = bob.connect().await;
        ada.post(id(&room), "the lighthouse is lit", 201).await;
        socket.event("new_message").await;
        let (epoch, pos) = socket.cut();

        let settings = world.settings();
        let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (&**name, &**value)).collect();
        let folder = tempfile::tempdir().unwrap();
        // Not under a server that runs: it would go on in the epoch that it knows.
        let early = confab(folder.path(), &["migrate", "restored"], &settings).await;
        assert_eq!(early.code, 4, "{}", early.said());
        for node in &mut world.nodes {
            assert_eq!(node.stop().await, Some(0), "{}", node.output());
        }
        if world.is_scaled() {
            world.kill_worker().await;
        }
        let done = confab(folder.path(), &["migrate", "restored"], &settings).await;
        assert_eq!(done.code, 0, "{}", done.said());
        if world.is_scaled() {
            world.add_worker(&[]);
        }
        for node in &mut world.nodes {
            node.restart().await;
        }

        let mut socket = Socket::open(&bob.address).await;
        let (answer, missed) = socket.resume(&bob.access_token, &epoch, pos).await;
        assert_eq!((&answer["op"], &answer["d"]["reason"]), (&json!("invalid"), &json!("epoch")), "{answer}");
        assert!(missed.is_empty());
        let ready = socket.identify(&bob.access_token).await;
        assert_ne!(ready["epoch"], json!(epoch));
        ada.post(id(&room), "and so is the pier", 201).await;
        let heard: Value = socket.event("new_message").await;
        assert_eq!(heard["d"]["content"], "and so is the pier");
        for words in ["lighthouse", "pier"] {
            wait_until("the index to be there again", async || {
                let found = bob.call(reqwest::Method::GET, &format!("/api/v1/search/messages?q={words}&mode=keyword"), None).await;
                found.status == 200 && items(&found.body()).len() == 1
            })
            .await;
        }
    }
}
