//! Frames that are compressed (RFC 7692), for clients that offer it; bytes on a connection, since the harness's client
//! does not speak it.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::both;
use crate::harness::node::Address;
use crate::harness::user::id;

const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

struct Raw(TcpStream);

impl Raw {
    /// Opens a socket with an offer, and answers what was agreed.
    async fn open(address: &Address, offer: &str) -> (Self, String) {
        let host = address.http().replace("http://", "");
        let mut stream = TcpStream::connect(&host).await.unwrap();
        let request = format!(
            "GET /ws HTTP/1.1\r\nhost: {host}\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-extensions: {offer}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        assert!(head.starts_with("http/1.1 101"), "{head}");
        let agreed = head.lines().find_map(|line| line.strip_prefix("sec-websocket-extensions: "));
        (Self(stream), agreed.unwrap_or_default().to_owned())
    }

    /// The next text, and whether it came compressed. `Err`: the close code.
    async fn next(&mut self) -> Result<(Value, bool), u16> {
        let (first, second) = (self.0.read_u8().await.unwrap(), self.0.read_u8().await.unwrap());
        let length = match second {
            126 => u64::from(self.0.read_u16().await.unwrap()),
            127 => self.0.read_u64().await.unwrap(),
            short => u64::from(short),
        };
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.0.read_exact(&mut payload).await.unwrap();
        if first & 0xf == 0x8 {
            return Err(u16::from_be_bytes([payload[0], payload[1]]));
        }
        let is_deflated = first & 0x40 != 0;
        if is_deflated {
            payload.extend_from_slice(&TAIL);
            let mut text = Vec::with_capacity(1 << 20);
            Decompress::new(false).decompress_vec(&payload, &mut text, FlushDecompress::Sync).unwrap();
            payload = text;
        }
        Ok((serde_json::from_slice(&payload).unwrap(), is_deflated))
    }

    async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> (Value, bool) {
        loop {
            let frame = self.next().await.unwrap();
            if wanted(&frame.0) {
                return frame;
            }
        }
    }

    /// Says a text, compressed. The mask is zero, which the protocol allows.
    async fn say(&mut self, text: &[u8]) {
        let mut packed = Vec::with_capacity(text.len() + 1_024);
        Compress::new(Compression::fast(), false)
            .compress_vec(text, &mut packed, FlushCompress::Sync)
            .unwrap();
        packed.truncate(packed.len() - TAIL.len());
        let mut frame = vec![0xc1];
        match packed.len() {
            short @ ..126 => frame.push(0x80 | u8::try_from(short).unwrap()),
            long => {
                frame.push(0x80 | 0x7e);
                frame.extend_from_slice(&u16::try_from(long).unwrap().to_be_bytes());
            }
        }
        frame.extend_from_slice(&[0; 4]);
        frame.extend_from_slice(&packed);
        self.0.write_all(&frame).await.unwrap();
    }
}

both! {
    async fn who_offers_compression_gets_it_and_others_hear_the_same(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let channel = ada.create_channel("room", "public", 201).await;
        bob.join(id(&channel), 200).await;
        let mut plain = bob.connect().await;
        let (mut packed, agreed) = Raw::open(&bob.address, "permessage-deflate; client_max_window_bits").await;
        assert_eq!(agreed, "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
        let identify = json!({ "op": "identify", "d": { "token": bob.access_token } });
        packed.say(identify.to_string().as_bytes()).await;
        let (ready, is_deflated) = packed.until(|it| it["op"] == "ready").await;
        assert_eq!((&ready["d"]["user"]["id"], is_deflated), (&json!(bob.id), true));

        ada.post(id(&channel), &"the same again ".repeat(100), 201).await;
        let (came, is_deflated) = packed.until(|it| it["t"] == "new_message").await;
        assert!(is_deflated);
        assert_eq!(plain.event("new_message").await, came);

        packed.say(br#"{"op":"heartbeat","d":{"pos":0}}"#).await;
        packed.until(|it| it["op"] == "heartbeat_ack").await;
        // Some hundred bytes that stand for a megabyte.
        packed.say(&vec![b' '; 1 << 20]).await;
        let closed = loop {
            if let Err(code) = packed.next().await {
                break code;
            }
        };
        assert_eq!(closed, 1009);

        let (_, agreed) = Raw::open(&bob.address, "x-unknown").await;
        assert_eq!(agreed, "");
    }
}
