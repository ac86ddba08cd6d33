//! An embeddings endpoint that takes calls and answers none of them until it is opened.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

const DIMENSIONS: usize = 64;

pub struct Gated {
    port: u16,
    gate: watch::Sender<bool>,
}

impl Gated {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (gate, opened) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, opened.clone()));
            }
        });
        Self { port, gate }
    }

    pub fn open(&self) {
        self.gate.send_replace(true);
    }

    pub fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("embeddings_url", format!("http://127.0.0.1:{}/v1", self.port)),
            ("embeddings_model", "gated".into()),
            ("embeddings_dimensions", DIMENSIONS.to_string()),
        ]
    }
}

async fn serve(mut stream: TcpStream, mut opened: watch::Receiver<bool>) {
    let mut bytes = Vec::new();
    let mut part = vec![0; 65_536];
    let asked: Value = loop {
        let Ok(count) = stream.read(&mut part).await else { return };
        if count == 0 {
            return;
        }
        bytes.extend_from_slice(&part[..count]);
        let Some(head) = bytes.windows(4).position(|it| it == b"\r\n\r\n") else { continue };
        // Whole as soon as it can be read.
        if let Ok(asked) = serde_json::from_slice(&bytes[head + 4..]) {
            break asked;
        }
    };
    if opened.wait_for(|is_open| *is_open).await.is_err() {
        return;
    }
    let texts = asked["input"].as_array().cloned().unwrap_or_default();
    let data: Vec<Value> = (0..)
        .zip(&texts)
        .map(|(index, text): (usize, _)| json!({ "index": index, "embedding": vector(text.as_str().unwrap_or("")) }))
        .collect();
    let body = json!({ "object": "list", "data": data }).to_string();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.write_all(answer.as_bytes()).await;
}

/// A number for each word: what shares words lies close together.
fn vector(text: &str) -> Vec<f32> {
    let mut vector = vec![0.0; DIMENSIONS];
    for word in text.split_whitespace() {
        let place = word.bytes().fold(7_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        vector[place % DIMENSIONS] += 1.0;
    }
    vector
}
