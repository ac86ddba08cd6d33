//! A person (or a visitor without an account) who calls the API and says which status they expect.

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::node::Address;
use super::socket::Socket;
use super::wait::wait_until;

/// An answer, whole.
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Reply {
    /// The body as JSON; null when there is none.
    pub fn body(&self) -> Value {
        if self.text.is_empty() {
            return Value::Null;
        }
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.text))
    }

    /// One header's text, empty when absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// Somebody at a keyboard, connected to one node.
#[derive(Clone)]
pub struct User {
    pub name: String,
    pub id: String,
    pub address: Address,
    pub access_token: String,
    pub refresh_token: String,
    pub client: reqwest::Client,
}

impl User {
    /// Somebody without an account.
    pub fn visitor(address: &Address) -> Self {
        let client = reqwest::Client::builder()
            .timeout(super::wait::DEADLINE)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client without TLS always builds");
        Self {
            name: "a visitor".to_owned(),
            id: String::new(),
            address: address.clone(),
            access_token: String::new(),
            refresh_token: String::new(),
            client,
        }
    }

    /// Registers `name`, or logs in where the name is taken.
    pub async fn enter(name: &str, address: &Address) -> Self {
        let visitor = Self::visitor(address);
        let form = json!({
            "username": name,
            "email": format!("{name}@example.org"),
            "password": password_of(name),
        });
        let reply = visitor.call(Method::POST, "/api/v1/auth/register", Some(&form)).await;
        match reply.status {
            201 => visitor.signed_in(name, &reply.body()),
            409 => Self::log_in(name, &password_of(name), address).await,
            other => panic!("{name} could not register: {other} {}", reply.text),
        }
    }

    /// Logs in.
    pub async fn log_in(name: &str, password: &str, address: &Address) -> Self {
        let form = json!({ "username": name, "password": password });
        let visitor = Self::visitor(address);
        let body = visitor.send(Method::POST, "/api/v1/auth/login", Some(&form), 200).await;
        visitor.signed_in(name, &body)
    }

    /// The same person at another node.
    pub fn at(&self, address: &Address) -> Self {
        Self { address: address.clone(), ..self.clone() }
    }

    /// The person that a register, login or refresh answer speaks of.
    pub fn signed_in(&self, name: &str, body: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Self {
            name: name.to_owned(),
            id: text(&body["user"]["id"]),
            access_token: text(&body["access_token"]),
            refresh_token: text(&body["refresh_token"]),
            ..self.clone()
        }
    }

    /// A request with this person's token, for what the methods below do not say.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.address.http()));
        if self.access_token.is_empty() { request } else { request.bearer_auth(&self.access_token) }
    }

    /// Sends a request as it stands.
    pub async fn fetch(&self, request: RequestBuilder) -> Reply {
        self.try_fetch(request).await.unwrap_or_else(|error| panic!("{}: no answer: {error:?}", self.name))
    }

    /// The same, where the server may be gone.
    pub async fn try_fetch(&self, request: RequestBuilder) -> reqwest::Result<Reply> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Reply { status, headers, text: response.text().await? })
    }

    /// Waits until a worker answers the server for plugins. For administrators.
    pub async fn worker_answers(&self) {
        wait_until("the worker to answer", async || {
            self.call(Method::GET, "/api/v1/plugins", None).await.status == 200
        })
        .await;
    }

    /// Calls the API, whatever it answers.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Reply {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(body);
        }
        self.fetch(request).await
    }

    /// Calls the API and fails unless it answers `expected`.
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>, expected: u16) -> Value {
        let reply = self.call(method.clone(), path, body).await;
        assert_eq!(
            reply.status, expected,
            "{}: {method} {path} answered {}: {}",
            self.name, reply.status, reply.text
        );
        if reply.status >= 400 {
            assert_problem(&reply);
        }
        reply.body()
    }

    pub async fn get(&self, path: &str, expected: u16) -> Value {
        self.send(Method::GET, path, None, expected).await
    }

    /// A channel of the given kind: `public`, `private`.
    pub async fn create_channel(&self, name: &str, kind: &str, expected: u16) -> Value {
        let form = json!({ "name": name, "kind": kind });
        self.send(Method::POST, "/api/v1/channels", Some(&form), expected).await
    }

    pub async fn channels(&self, expected: u16) -> Value {
        self.get("/api/v1/channels?limit=100", expected).await
    }

    pub async fn join(&self, channel: &str, expected: u16) -> Value {
        self.send(Method::POST, &format!("/api/v1/channels/{channel}/join"), None, expected).await
    }

    pub async fn leave(&self, channel: &str, expected: u16) -> Value {
        self.send(Method::POST, &format!("/api/v1/channels/{channel}/leave"), None, expected).await
    }

    pub async fn add_member(&self, channel: &str, user: &User, expected: u16) -> Value {
        let form = json!({ "user_id": user.id });
        self.send(Method::POST, &format!("/api/v1/channels/{channel}/members"), Some(&form), expected).await
    }

    pub async fn post(&self, channel: &str, content: &str, expected: u16) -> Value {
        self.post_form(channel, &json!({ "content": content }), expected).await
    }

    pub async fn reply(&self, channel: &str, parent: &str, content: &str, expected: u16) -> Value {
        self.post_form(channel, &json!({ "content": content, "parent_id": parent }), expected).await
    }

    pub async fn post_form(&self, channel: &str, form: &Value, expected: u16) -> Value {
        self.send(Method::POST, &format!("/api/v1/channels/{channel}/messages"), Some(form), expected).await
    }

    /// A page of messages; `query` such as `before_seq=5&limit=2`, or empty.
    pub async fn list(&self, channel: &str, query: &str, expected: u16) -> Value {
        self.get(&format!("/api/v1/channels/{channel}/messages?{query}"), expected).await
    }

    pub async fn read(&self, message: &str, expected: u16) -> Value {
        self.get(&format!("/api/v1/messages/{message}"), expected).await
    }

    pub async fn edit(&self, message: &str, content: &str, expected: u16) -> Value {
        let form = json!({ "content": content });
        self.send(Method::PUT, &format!("/api/v1/messages/{message}"), Some(&form), expected).await
    }

    pub async fn delete(&self, message: &str, expected: u16) -> Value {
        self.send(Method::DELETE, &format!("/api/v1/messages/{message}"), None, expected).await
    }

    pub async fn thread(&self, message: &str, expected: u16) -> Value {
        self.get(&format!("/api/v1/messages/{message}/thread"), expected).await
    }

    pub async fn react(&self, message: &str, code: &str, expected: u16) -> Value {
        self.send(Method::PUT, &format!("/api/v1/messages/{message}/reactions/{code}"), None, expected).await
    }

    pub async fn search(&self, words: &str, expected: u16) -> Value {
        self.get(&format!("/api/v1/search/messages?q={}", in_query(words)), expected).await
    }

    pub async fn ask(&self, question: &str, expected: u16) -> Value {
        self.send(Method::POST, "/api/v1/ai/message", Some(&json!({ "content": question })), expected).await
    }

    pub async fn command(&self, channel: &str, text: &str, expected: u16) -> Value {
        let form = json!({ "text": text });
        self.send(Method::POST, &format!("/api/v1/channels/{channel}/commands"), Some(&form), expected).await
    }

    /// Opens a gateway connection and identifies.
    pub async fn connect(&self) -> Socket {
        let mut socket = Socket::open(&self.address).await;
        socket.identify(&self.access_token).await;
        socket
    }
}

/// Text as it stands in a query: every byte that is not plainly harmless is escaped.
pub fn in_query(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(escape).collect()
}

/// Long enough, and not in a list of common passwords.
pub fn password_of(name: &str) -> String {
    format!("{name} walks the quiet harbour")
}

/// Every refusal is a problem document (RFC 9457) whose status is the one of the answer.
pub fn assert_problem(reply: &Reply) {
    let kind = reply.header("content-type");
    assert!(kind.starts_with("application/problem+json"), "a refusal came as {kind:?}: {}", reply.text);
    let body = reply.body();
    assert_eq!(body["status"], reply.status, "{}", reply.text);
    for field in ["type", "title", "code", "request_id"] {
        assert!(body[field].as_str().is_some_and(|text| !text.is_empty()), "no {field} in {}", reply.text);
    }
}

/// The `id` field as text.
pub fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap_or_else(|| panic!("no id in {value}"))
}

/// The contents of a page of messages, in its order.
pub fn contents(page: &Value) -> Vec<&str> {
    items(page).iter().map(|item| item["content"].as_str().unwrap_or("?")).collect()
}

/// The items of a list.
pub fn items(page: &Value) -> &[Value] {
    page["items"].as_array().unwrap_or_else(|| panic!("no items in {page}"))
}
