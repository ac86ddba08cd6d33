//! What one socket, one address and one server take of the gateway, and how the next one is told.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use socket2::{Domain, Socket as Bare, Type};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::harness::socket::Next;
use crate::harness::{Socket, World, limited, wait_for, wait_until};

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

    async fn who_comes_back_all_the_time_is_told_to_wait(world) with [("CONFAB_RATE_LIMITS", "on")] {
        let bob = world.user("bob").await;
        let identify = json!({ "op": "identify", "d": { "token": bob.access_token } });
        let mut greeted = 0;
        let (told, mut socket) = loop {
            let mut socket = Socket::open(&bob.address).await;
            socket.send(&identify).await;
            match socket.next().await {
                Next::Frame(frame) if frame["op"] == "ready" => greeted += 1,
                Next::Frame(frame) if frame["op"] == "reconnect" => break (frame, socket),
                // One of the five before has not been missed yet.
                Next::Closed(Some(4014)) => {}
                other => panic!("neither greeted nor told to wait: {other:?}"),
            }
            assert!(greeted < 200, "nobody said a word");
        };
        assert!(greeted >= 20, "only {greeted} were greeted");
        assert!(told["d"]["after_ms"].as_u64().is_some_and(|wait| wait > 1_000), "{told}");
        assert_eq!(socket.closed().await, Some(4012));
        bob.get("/api/v1/auth/me", 200).await;
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

/// How often a port is used again: of so many one met the end of the connection before it.
const AGAIN: usize = 60;

/// Some proxies end connections with a reset, and use their ports again at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_from_a_port_that_was_used_before_opens_a_socket() {
    let world = World::embedded().await;
    let server: SocketAddr = world.nodes[0].address.http().trim_start_matches("http://").parse().unwrap();
    let upgrades = tokio::task::spawn_blocking(move || {
        (0..AGAIN).map(|_| upgraded_behind_a_reset(server)).collect::<Vec<String>>()
    });
    for answer in upgrades.await.unwrap() {
        assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
    }
    // What speaks HTTP/1.0, as some proxies do, is told so.
    let answer = asked(&TcpStream::connect(server).unwrap(), "1.0");
    assert!(answer.contains(" 400 "), "{answer}");
}

fn upgraded_behind_a_reset(server: SocketAddr) -> String {
    let first = bound(0);
    first.connect(&server.into()).unwrap();
    let port = first.local_addr().unwrap().as_socket().unwrap().port();
    first.set_linger(Some(Duration::ZERO)).unwrap();
    let mut first = TcpStream::from(first);
    write!(first, "GET /health HTTP/1.1\r\nHost: {server}\r\n\r\n").unwrap();
    assert!(first.read(&mut [0; 1_024]).unwrap() > 0);
    drop(first);
    let second = bound(port);
    second.connect(&server.into()).unwrap();
    asked(&TcpStream::from(second), "1.1")
}

fn bound(port: u16) -> Bare {
    let socket = Bare::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_reuse_address(true).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into()).unwrap();
    socket
}

/// The first line of what a handshake of this version of HTTP is answered with.
fn asked(mut stream: &TcpStream, version: &str) -> String {
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    write!(
        stream,
        "GET /ws HTTP/{version}\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    .unwrap();
    let mut answer = [0; 64];
    let length = stream.read(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[..length]).lines().next().unwrap_or_default().to_owned()
}
