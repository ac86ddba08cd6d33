//! Who types where: told to those who hear it, in the channel or in a thread, and not too often.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::both;
use crate::harness::user::id;

fn typing(channel: &Value, parent: Option<&str>) -> Value {
    let mut d = json!({ "channel_id": id(channel) });
    if let Some(parent) = parent {
        d["parent_id"] = json!(parent);
    }
    json!({ "op": "typing", "d": d })
}

both! {
    async fn typing_is_told_in_its_thread_and_only_to_those_who_hear_the_channel(world) {
        let (ada, bob, eve) = (world.user("ada").await, world.user("bob").await, world.user("eve").await);
        let room = ada.create_channel("room", "private", 201).await;
        ada.add_member(id(&room), &bob, 201).await;
        let open = ada.create_channel("open", "public", 201).await;
        bob.join(id(&open), 200).await;
        eve.join(id(&open), 200).await;
        let first = ada.post(id(&room), "the root", 201).await;
        let answer = bob.reply(id(&room), id(&first), "an answer", 201).await;
        let elsewhere = ada.post(id(&open), "elsewhere", 201).await;
        let (mut hers, mut his, mut strangers) = (ada.connect().await, bob.connect().await, eve.connect().await);

        // Refused ones are silent: another channel's message, a channel that she may not know, no such message.
        hers.send(&typing(&room, Some(id(&elsewhere)))).await;
        strangers.send(&typing(&room, None)).await;
        hers.send(&typing(&room, Some(&ada.id))).await;
        hers.send(&typing(&room, Some(id(&answer)))).await;
        let told = his.signal("typing", |_| true).await;
        assert_eq!(told["channel_id"], room["id"], "{told}");
        assert_eq!(told["d"], json!({ "user_id": ada.id, "parent_id": first["id"] }), "a thread is its root");
        let began = Instant::now();
        hers.send(&typing(&room, None)).await;
        let told = his.signal("typing", |_| true).await;
        assert_eq!(told["d"], json!({ "user_id": ada.id }), "{told}");

        // Once in three seconds a place: the second of two is not told, another place is.
        hers.send(&typing(&room, None)).await;
        hers.send(&typing(&open, None)).await;
        let mut told = his.signal("typing", |_| true).await;
        if told["channel_id"] == room["id"] && began.elapsed() >= Duration::from_secs(3) {
            told = his.signal("typing", |_| true).await;
        }
        assert_eq!(told["channel_id"], open["id"], "{told}");
        // The first thing that the stranger hears is of the channel that she is in.
        let told = strangers.signal("typing", |_| true).await;
        assert_eq!(told["channel_id"], open["id"], "{told}");
    }
}
