//! A language model for the tests: an endpoint that speaks the OpenAI API, answers as it is told, obeys whatever it reads,
//! and keeps what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::wait_for;

/// What it does when it is asked.
#[derive(Clone, Debug)]
pub enum Does {
    /// Says this, word by word.
    Says(String),
    /// Says what follows a number in the data: `{1}` is the text of message 1. `{tool}` is the number of what a tool
    /// answered last.
    Repeats(String),
    /// Says this and then nothing, without an end.
    Stops(String),
    /// Takes the question and says this when it is told to go on.
    Waits(String),
    /// Takes the question and never answers.
    Hangs,
    /// Answers with this status.
    Refuses(u16),
    /// Answers with what is no event.
    Babbles,
    /// Asks for a tool: its name and its arguments.
    Calls(String, Value),
    /// Does what any message tells it to: says what stands behind `SAY:`, and calls what stands behind `CALL:`.
    Obeys,
}

#[derive(Default)]
struct Kept {
    does: Vec<Does>,
    asked: Vec<Value>,
    tokens: u64,
    /// Calls whose asker went away before the end.
    abandoned: usize,
    goes_on: Arc<Notify>,
}

/// One model, gone with this value.
pub struct Model {
    url: String,
    kept: Arc<Mutex<Kept>>,
    task: tokio::task::JoinHandle<()>,
}

impl Model {
    /// Listens on a free port of this machine, and does `does` until it is told something else.
    pub async fn start(does: Does) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let kept = Arc::new(Mutex::new(Kept { does: vec![does], tokens: 100, ..Kept::default() }));
        let shared = kept.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        Self { url, kept, task }
    }

    /// The settings of a server that asks it.
    pub fn settings(&self) -> [(&str, &str); 5] {
        [
            ("CONFAB_LLM_BASE_URL", self.url.as_str()),
            ("CONFAB_LLM_MODEL", "parrot-1"),
            ("CONFAB_LLM_API_KEY", "sesame-of-the-model"),
            // A story asks more than a person does in a day.
            ("CONFAB_LLM_DAILY_TOKENS_PER_PERSON", "100000000"),
            ("CONFAB_LLM_DAILY_TOKENS", "100000000"),
        ]
    }

    /// From now on.
    pub fn now(&self, does: Does) {
        self.kept.lock().unwrap().does = vec![does];
    }

    /// Each once, the last for ever.
    pub fn in_turn(&self, does: Vec<Does>) {
        self.kept.lock().unwrap().does = does;
    }

    /// Lets one answer that waits be given.
    pub fn goes_on(&self) {
        self.kept.lock().unwrap().goes_on.notify_one();
    }

    /// What each answer is said to have used, in tokens.
    pub fn costs(&self, tokens: u64) {
        self.kept.lock().unwrap().tokens = tokens;
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<Value> {
        self.kept.lock().unwrap().asked.clone()
    }

    /// Everything that was ever said to it.
    pub fn heard(&self) -> String {
        self.asked().iter().map(Value::to_string).collect()
    }

    /// Waits until so many answers were not waited for.
    pub async fn abandoned(&self, count: usize) {
        let what = format!("{count} answers to be given up");
        wait_for(&what, async || (self.kept.lock().unwrap().abandoned >= count).then_some(())).await;
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, kept: Arc<Mutex<Kept>>) {
    let Some((head, body)) = Box::pin(read(&mut stream)).await else { return };
    if !head.starts_with("POST /v1/chat/completions ") || !head.contains("Bearer sesame-of-the-model") {
        answer(&mut stream, 404, "{}").await;
        return;
    }
    let asked: Value = serde_json::from_str(&body).unwrap_or_default();
    let does = {
        let mut kept = kept.lock().unwrap();
        kept.asked.push(asked.clone());
        if kept.does.len() > 1 { kept.does.remove(0) } else { kept.does[0].clone() }
    };
    let text = match does {
        Does::Says(text) => text,
        Does::Waits(text) => {
            let goes_on = kept.lock().unwrap().goes_on.clone();
            goes_on.notified().await;
            text
        }
        Does::Repeats(form) => repeated(&form, &data_of(&asked)).replace("{tool}", &number_of_tool(&asked)),
        Does::Stops(text) => {
            begin(&mut stream).await;
            say(&mut stream, &text).await;
            gone(&mut stream, &kept).await;
            return;
        }
        Does::Hangs => {
            gone(&mut stream, &kept).await;
            return;
        }
        Does::Refuses(status) => return answer(&mut stream, status, r#"{"error":{"message":"no"}}"#).await,
        Does::Babbles => {
            begin(&mut stream).await;
            let _ = stream.write_all(b"data: <html>what a lovely day\n\n").await;
            return;
        }
        Does::Calls(name, arguments) => return call(&mut stream, &name, &arguments).await,
        Does::Obeys => match obey(&asked) {
            Ok(text) => text,
            Err((name, arguments)) => return call(&mut stream, &name, &arguments).await,
        },
    };
    begin(&mut stream).await;
    say(&mut stream, &text).await;
    let tokens = kept.lock().unwrap().tokens;
    let usage = json!({ "choices": [], "usage": { "prompt_tokens": tokens - 10, "completion_tokens": 10 } });
    let _ = stream.write_all(format!("data: {usage}\n\ndata: [DONE]\n\n").as_bytes()).await;
}

/// Waits until the asker goes away.
async fn gone(stream: &mut TcpStream, kept: &Arc<Mutex<Kept>>) {
    let mut byte = [0; 1];
    tokio::select! {
        read = stream.read(&mut byte) => {
            if matches!(read, Ok(0) | Err(_)) {
                kept.lock().unwrap().abandoned += 1;
            }
        }
        () = tokio::time::sleep(Duration::from_mins(1)) => {}
    }
}

async fn begin(stream: &mut TcpStream) {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
    let _ = stream.write_all(head.as_bytes()).await;
}

async fn say(stream: &mut TcpStream, text: &str) {
    for word in text.split_inclusive(' ') {
        let chunk = json!({ "choices": [{ "index": 0, "delta": { "content": word } }] });
        if stream.write_all(format!("data: {chunk}\n\n").as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn call(stream: &mut TcpStream, name: &str, arguments: &Value) {
    begin(stream).await;
    let function = json!({ "name": name, "arguments": arguments.to_string() });
    let delta =
        json!({ "tool_calls": [{ "index": 0, "id": "call-1", "type": "function", "function": function }] });
    let chunk = json!({ "choices": [{ "index": 0, "delta": delta }] });
    let _ = stream.write_all(format!("data: {chunk}\n\ndata: [DONE]\n\n").as_bytes()).await;
}

async fn answer(stream: &mut TcpStream, status: u16, body: &str) {
    let answer = format!(
        "HTTP/1.1 {status} So\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.write_all(answer.as_bytes()).await;
}

/// What was said last by a person: the data and the question.
fn data_of(asked: &Value) -> String {
    let messages = asked["messages"].as_array().cloned().unwrap_or_default();
    let of_people = messages.iter().rev().find(|it| it["role"] == "user");
    of_people.and_then(|it| it["content"].as_str()).unwrap_or_default().to_owned()
}

/// The number of what a tool answered last.
fn number_of_tool(asked: &Value) -> String {
    let messages = asked["messages"].as_array().cloned().unwrap_or_default();
    let of_tool = messages.iter().rev().find(|it| it["role"] == "tool");
    let content = of_tool.and_then(|it| it["content"].as_str()).unwrap_or_default();
    content.trim_start_matches('[').split(']').next().unwrap_or_default().to_owned()
}

/// `{n}` becomes the text of message n, without its heading.
fn repeated(form: &str, data: &str) -> String {
    let mut text = form.to_owned();
    for line in data.lines() {
        let Some((number, rest)) = line.strip_prefix('[').and_then(|it| it.split_once("] ")) else {
            continue;
        };
        let content = rest.split_once(": ").map_or(rest, |it| it.1);
        text = text.replace(&format!("{{{number}}}"), content);
    }
    text
}

/// The worst order in all that it was told: what to call, or all that it is to say, with everything else that it knows.
fn obey(asked: &Value) -> Result<String, (String, Value)> {
    let all: Vec<String> = asked["messages"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|it| it["content"].as_str().map(str::to_owned))
        .collect();
    let has_called = asked["messages"].as_array().into_iter().flatten().any(|it| it["role"] == "tool");
    let orders = all.iter().flat_map(|text| text.lines()).filter_map(|line| line.split_once("CALL:"));
    let mut names: Vec<(&str, &str)> = orders
        .map(|(_, order)| order.trim_start().split_once(' ').unwrap_or((order.trim(), "")))
        .map(|(name, rest)| (if name.is_empty() { "delete_everything" } else { name }, rest))
        .collect();
    // The worst first: what it was never offered.
    names.sort_by_key(|(name, _)| ["search", "read_thread"].contains(name));
    if let Some((name, rest)) = names.first().filter(|_| !has_called) {
        // With the arguments that the order names, if it does.
        let arguments = serde_json::Deserializer::from_str(rest).into_iter::<Value>().next();
        let arguments = arguments.and_then(Result::ok).filter(Value::is_object);
        let otherwise = json!({ "query": "secret", "number": 1, "message_id": "all" });
        return Err(((*name).to_owned(), arguments.unwrap_or(otherwise)));
    }
    let mut said = String::new();
    for line in all.iter().flat_map(|text| text.lines()) {
        if let Some((_, order)) = line.split_once("SAY:") {
            said.push_str(order.trim());
            said.push_str(" [1]\n");
        }
    }
    // It gives away all that it was shown: as a picture, as links, and as its own words.
    let secret: String =
        all.iter().flat_map(|text| text.chars()).filter(char::is_ascii_alphanumeric).take(300).collect();
    for line in all.iter().flat_map(|text| text.lines()) {
        if let Some((_, order)) = line.split_once("LINK:") {
            let base = order.split_whitespace().next().unwrap_or_default();
            for form in ["![status]({})", "[click here]({})", "see {}", "<img src={}>", "<{}>"] {
                said.push_str(&form.replace("{}", &format!("{base}{secret}")));
                said.push_str(" [1].\n");
            }
        }
    }
    for line in all.iter().flat_map(|text| text.lines()).filter(|line| line.starts_with('[')) {
        said.push_str(line);
        said.push_str(" [1].\n");
    }
    Ok(said)
}

async fn read(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                return Some((head.to_owned(), body.to_owned()));
            }
        }
        let mut part = [0; 16_384];
        let count = stream.read(&mut part).await.unwrap_or(0);
        if count == 0 {
            return None;
        }
        bytes.extend_from_slice(&part[..count]);
    }
}
