//! A push service for the tests: takes what a real one takes, answers as it is told, and keeps what it took. And the
//! browser behind it, which alone can read that.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use web_push_native::Auth;
use web_push_native::p256::SecretKey;
use web_push_native::p256::elliptic_curve::sec1::ToEncodedPoint;

use super::wait_for;

/// What was taken.
#[derive(Clone, Debug)]
pub struct Taken {
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
    pub status: u16,
}

#[derive(Default)]
struct Kept {
    answers: BTreeMap<String, VecDeque<(u16, u64)>>,
    taken: Vec<Taken>,
    silent: BTreeSet<String>,
    /// Messages that are answered by nothing, now and at most.
    unanswered: usize,
    most_unanswered: usize,
}

/// One service, gone with this value.
pub struct PushService {
    address: String,
    kept: Arc<Mutex<Kept>>,
    task: tokio::task::JoinHandle<()>,
}

impl PushService {
    /// Listens on a free port of this machine.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let kept = Arc::new(Mutex::new(Kept::default()));
        let shared = kept.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        Self { address, kept, task }
    }

    /// A browser that this service knows as `name`.
    pub fn browser(&self, name: &str) -> Browser {
        Browser {
            endpoint: format!("{}/{name}", self.address),
            secret: SecretKey::from_slice(&rand::random::<[u8; 32]>()).expect("a key"),
            auth: rand::random(),
        }
    }

    /// Answers the next messages for `name` with these statuses; then with 201 again.
    pub fn answer(&self, name: &str, statuses: &[u16]) {
        let mut kept = self.kept.lock().unwrap();
        kept.answers.entry(format!("/{name}")).or_default().extend(statuses.iter().map(|it| (*it, 0)));
    }

    /// Answers the next message for `name` with 429 and asks to be left alone for so long.
    pub fn ask_to_wait(&self, name: &str, seconds: u64) {
        let mut kept = self.kept.lock().unwrap();
        kept.answers.entry(format!("/{name}")).or_default().push_back((429, seconds));
    }

    /// Takes messages for `name` from now on and never answers.
    pub fn fall_silent(&self, name: &str) {
        self.kept.lock().unwrap().silent.insert(format!("/{name}"));
    }

    /// Messages that wait for an answer in vain: now, and at most at once.
    pub fn unanswered(&self) -> (usize, usize) {
        let kept = self.kept.lock().unwrap();
        (kept.unanswered, kept.most_unanswered)
    }

    /// What was taken for `name` so far, refused ones too.
    pub fn taken(&self, name: &str) -> Vec<Taken> {
        let path = format!("/{name}");
        self.kept.lock().unwrap().taken.iter().filter(|it| it.path == path).cloned().collect()
    }

    /// The message for `name` with this number, from 0, waited for.
    pub async fn message(&self, name: &str, number: usize) -> Taken {
        wait_for(&format!("push {number} for {name}"), async || self.taken(name).get(number).cloned()).await
    }
}

impl Drop for PushService {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, kept: Arc<Mutex<Kept>>) {
    let mut bytes = Vec::new();
    let (head, rest) = loop {
        let mut part = [0; 4_096];
        match stream.read(&mut part).await {
            Ok(count) if count > 0 => bytes.extend_from_slice(&part[..count]),
            _ => return,
        }
        if let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
            break (String::from_utf8_lossy(&bytes[..end]).into_owned(), bytes[end + 4..].to_vec());
        }
    };
    let mut lines = head.lines();
    let path = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned();
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let length: usize = headers.get("content-length").and_then(|it| it.parse().ok()).unwrap_or(0);
    let mut body = rest;
    while body.len() < length {
        let mut part = [0; 4_096];
        match stream.read(&mut part).await {
            Ok(count) if count > 0 => body.extend_from_slice(&part[..count]),
            _ => return,
        }
    }
    let (status, seconds) = {
        let mut kept = kept.lock().unwrap();
        let is_silent = kept.silent.contains(&path);
        let answer = kept.answers.get_mut(&path).and_then(VecDeque::pop_front);
        let (status, seconds) = if is_silent { (0, 0) } else { answer.unwrap_or((201, 0)) };
        kept.unanswered += usize::from(is_silent);
        kept.most_unanswered = kept.most_unanswered.max(kept.unanswered);
        kept.taken.push(Taken { path, headers, body, status });
        (status, seconds)
    };
    if status == 0 {
        // Until who asked has enough of it.
        let _ = stream.read(&mut [0; 16]).await;
        kept.lock().unwrap().unanswered -= 1;
        return;
    }
    let wait = if seconds > 0 { format!("retry-after: {seconds}\r\n") } else { String::new() };
    let answer = format!("HTTP/1.1 {status} Told\r\n{wait}content-length: 0\r\nconnection: close\r\n\r\n");
    let _ = stream.write_all(answer.as_bytes()).await;
}

/// A browser with a subscription.
pub struct Browser {
    pub endpoint: String,
    secret: SecretKey,
    auth: [u8; 16],
}

impl Browser {
    /// What `PushSubscription.toJSON()` gives.
    pub fn subscription(&self) -> Value {
        let point = self.secret.public_key().to_encoded_point(false);
        json!({
            "endpoint": self.endpoint,
            "expirationTime": null,
            "keys": { "p256dh": URL_SAFE_NO_PAD.encode(point.as_bytes()), "auth": URL_SAFE_NO_PAD.encode(self.auth) },
        })
    }

    /// Reads a message that was meant for it.
    pub fn read(&self, taken: &Taken) -> Value {
        let auth = Auth::clone_from_slice(&self.auth);
        let text = web_push_native::decrypt(taken.body.clone(), &self.secret, &auth)
            .unwrap_or_else(|error| panic!("the browser cannot read it: {error}"));
        serde_json::from_slice(&text).expect("a push is JSON")
    }
}
