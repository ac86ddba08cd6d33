//! What one socket, one address and one server take of the gateway, and how the next one is told.

use futures_util::future::join_all;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::harness::{Socket, limited, wait_for, wait_until};

limited! {
    async fn who_never_pauses_is_closed(world) with [("CONFAB_RATE_LIMITS", "on")] {
        let bob = world.user("bob").await;
        let mut socket = bob.connect().await;
        let beat = json!({ "op": "heartbeat", "d": {} });
        for _ in 0..119 {
            socket.send(&beat).await;
            socket.frame("heartbeat_ack").await;
        }
        socket.flood(&Message::text(beat.to_string()), 3).await;
        assert_eq!(socket.closed().await, Some(4008), "more than 120 frames in a minute");

        let mut socket = bob.connect().await;
        socket.flood(&Message::Ping("are you there".into()), 250).await;
        assert_eq!(socket.closed().await, Some(4008), "nothing but pings");

        let mut socket = bob.connect().await;
        let nothing = |code| Message::Frame(Frame::message("", OpCode::Data(code), false));
        socket.flood(&nothing(Data::Text), 1).await;
        socket.flood(&nothing(Data::Continue), 250).await;
        assert_eq!(socket.closed().await, Some(4008), "a message that never ends");
    }

    async fn an_address_has_twenty_sockets_of_nobody(world) with [("CONFAB_RATE_LIMITS", "on")] {
        let bob = world.user("bob").await;
        // They are let go after 10 s: on a busy machine some may be before the last is there.
        let mut strangers = wait_for("twenty strangers at once", async || {
            // Those of a try before may not be forgotten yet.
            let strangers = join_all((0..20).map(|_| Socket::try_open(&bob.address))).await;
            let strangers: Vec<Socket> = strangers.into_iter().collect::<Result<_, _>>().ok()?;
            (Socket::turned_away(&bob.address).await == Some(4014)).then_some(strangers)
        })
        .await;
        // Who says who they are makes room for the next.
        strangers[0].identify(&bob.access_token).await;
        assert_eq!(Socket::turned_away(&bob.address).await, None);
    }

    async fn a_full_server_takes_no_more(world) with [("MAX_TOTAL_WEBSOCKET_CONNECTIONS", "3")] {
        let bob = world.user("bob").await;
        let mut open = vec![bob.connect().await, bob.connect().await, bob.connect().await];
        assert_eq!(Socket::turned_away(&bob.address).await, Some(4014));
        open.pop();
        wait_until("the place of the one that left", async || {
            Socket::turned_away(&bob.address).await.is_none()
        })
        .await;
        // Who was there already hears on.
        open[0].send(&json!({ "op": "heartbeat", "d": {} })).await;
        open[0].frame("heartbeat_ack").await;
    }
}
