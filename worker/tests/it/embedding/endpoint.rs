//! An HTTP server that answers by a script, one request a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

pub enum Script {
    Answer {
        status: u16,
        headers: String,
        body: &'static str,
    },
    /// Closes the connection without a word.
    Hangup,
}

impl Script {
    pub fn answer(status: u16, body: &'static str) -> Self {
        Self::Answer { status, headers: String::new(), body }
    }

    pub fn with(self, header: &str) -> Self {
        match self {
            Self::Answer { status, headers, body } => {
                Self::Answer { status, headers: format!("{headers}{header}\r\n"), body }
            }
            Self::Hangup => Self::Hangup,
        }
    }
}

pub struct Asked {
    pub head: String,
    pub body: String,
}

pub struct Endpoint {
    port: u16,
    asked: mpsc::UnboundedReceiver<Asked>,
    count: Arc<AtomicUsize>,
}

impl Endpoint {
    pub async fn start(scripts: Vec<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, asked) = mpsc::unbounded_channel();
        let count = Arc::new(AtomicUsize::new(0));
        let counted = count.clone();
        tokio::spawn(async move {
            for script in scripts {
                let Ok((mut stream, _)) = listener.accept().await else { return };
                let request = read(&mut stream).await;
                counted.fetch_add(1, Ordering::SeqCst);
                let _ = tell.send(request);
                if let Script::Answer { status, headers, body } = script {
                    let length = body.len();
                    let answer = format!(
                        "HTTP/1.1 {status} So\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{headers}\
                         Connection: close\r\n\r\n{body}"
                    );
                    let _ = stream.write_all(answer.as_bytes()).await;
                }
            }
        });
        Self { port, asked, count }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    /// The next request that came.
    pub async fn asked(&mut self) -> Asked {
        tokio::time::timeout(Duration::from_secs(10), self.asked.recv()).await.unwrap().unwrap()
    }

    pub fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// No request is waiting to be looked at.
    pub fn is_left_alone(&mut self) -> bool {
        self.asked.try_recv().is_err()
    }
}

async fn read(stream: &mut TcpStream) -> Asked {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
            });
            if body.len() >= length.unwrap_or(0) {
                return Asked { head: head.to_owned(), body: body.to_owned() };
            }
        }
        let mut part = [0; 4_096];
        let count = stream.read(&mut part).await.unwrap_or(0);
        if count == 0 {
            return Asked { head: text, body: String::new() };
        }
        bytes.extend_from_slice(&part[..count]);
    }
}
