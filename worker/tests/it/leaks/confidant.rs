//! A language model that repeats whatever it was told, asks for whatever it is wished to, and keeps all that it heard.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Messages that one answer repeats.
const REPEATED: usize = 6;

#[derive(Default)]
struct Kept {
    heard: Vec<String>,
    wish: Option<String>,
}

pub struct Confidant {
    port: u16,
    kept: Arc<Mutex<Kept>>,
}

impl Confidant {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let kept = Arc::new(Mutex::new(Kept::default()));
        let told = kept.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, told.clone()));
            }
        });
        Self { port, kept }
    }

    pub fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("llm_base_url", format!("http://127.0.0.1:{}/v1", self.port)),
            ("llm_model", "confidant".into()),
            ("llm_daily_tokens_per_person", "1000000000".into()),
            ("llm_daily_tokens", "1000000000".into()),
        ]
    }

    /// Before its next answer it searches for this.
    pub fn wishes(&self, query: &str) {
        self.kept.lock().unwrap().wish = Some(query.to_owned());
    }

    /// What it was told since the last look.
    pub fn heard(&self) -> Vec<String> {
        let mut kept = self.kept.lock().unwrap();
        kept.wish = None;
        std::mem::take(&mut kept.heard)
    }
}

async fn serve(mut stream: TcpStream, kept: Arc<Mutex<Kept>>) {
    let Some(body) = read(&mut stream).await else { return };
    let wish = {
        let mut kept = kept.lock().unwrap();
        kept.heard.push(body.clone());
        kept.wish.take()
    };
    let delta = match wish {
        Some(query) => {
            let function = json!({ "name": "search", "arguments": json!({ "query": query }).to_string() });
            json!({ "tool_calls": [{ "index": 0, "id": "call-1", "type": "function", "function": function }] })
        }
        None => json!({ "content": repeated(&body) }),
    };
    let chunk = json!({ "choices": [{ "index": 0, "delta": delta }] });
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\ndata: {chunk}\n\ndata: [DONE]\n\n"
    );
    let _ = stream.write_all(answer.as_bytes()).await;
}

/// The messages that it was told, each with its number.
fn repeated(body: &str) -> String {
    let asked: Value = serde_json::from_str(body).unwrap_or_default();
    let said = asked["messages"].as_array().cloned().unwrap_or_default();
    let texts = said.iter().filter(|it| it["role"] != "system").filter_map(|it| it["content"].as_str());
    let lines = texts.flat_map(str::lines).filter_map(|line| {
        let (number, rest) = line.strip_prefix('[')?.split_once("] ")?;
        let (_, content) = rest.split_once(": ")?;
        Some(format!("{content} [{number}]."))
    });
    lines.take(REPEATED).collect::<Vec<_>>().join(" ")
}

async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut part = vec![0; 65_536];
    loop {
        if let Some(head) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
            let length: usize =
                text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())?;
            if bytes.len() >= head + 4 + length {
                return String::from_utf8(bytes[head + 4..head + 4 + length].to_vec()).ok();
            }
        }
        match stream.read(&mut part).await {
            Ok(count) if count > 0 => bytes.extend_from_slice(&part[..count]),
            _ => return None,
        }
    }
}
