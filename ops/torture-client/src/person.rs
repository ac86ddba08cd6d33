//! Somebody with an account, who calls the API through the doors and does not give up.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::{Client, Method};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Result;
use crate::board::Board;
use crate::evidence::id;
use crate::findings::Kind;

/// The first and the longest wait before a request is made again.
const AGAIN_AFTER: Duration = Duration::from_millis(25);
const AGAIN_AFTER_AT_MOST: Duration = Duration::from_millis(400);
/// No fault lasts so long: whoever still has no answer then is stuck.
const GIVE_UP: Duration = Duration::from_mins(3);

/// An answer, whole.
#[derive(Default)]
pub struct Answer {
    pub status: u16,
    pub text: String,
    pub shown: Shown,
}

/// A token and the server that it was shown to: others of the same account may have another one by now.
#[derive(Default)]
pub struct Shown {
    pub server: usize,
    pub token: Arc<str>,
    /// For a socket: how far ahead that server's clock was then. When it ends the socket was decided by that.
    pub ahead: Option<i64>,
}

impl Answer {
    /// The body as JSON; null when it is none.
    pub fn body(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }
}

/// How somebody reaches the servers.
#[derive(Clone)]
pub struct Way {
    /// Shared by all: making one reads the machine's certificates, which nobody here needs.
    pub client: Client,
    /// `http://…` of each server.
    pub doors: Vec<String>,
    /// How long one request may take.
    pub patience: Duration,
}

/// See the module.
pub struct Person {
    pub name: String,
    pub id: Uuid,
    password: String,
    way: Way,
    /// Which door is used now.
    door: AtomicUsize,
    token: Mutex<(Arc<str>, Instant)>,
    board: Arc<Board>,
}

impl Person {
    /// Registers.
    pub async fn register(name: &str, way: &Way, board: &Arc<Board>) -> Result<Self> {
        let person = Self::visitor(name, &format!("{name} walks the quiet harbour"), way, board);
        let form =
            json!({ "username": name, "email": format!("{name}@example.org"), "password": person.password });
        let answer = person.insist(Method::POST, "auth/register", Some(&form)).await?;
        person.signed_in(&answer)
    }

    /// Signs in to an account that is there.
    pub async fn sign_in(name: &str, password: &str, way: &Way, board: &Arc<Board>) -> Result<Self> {
        let person = Self::visitor(name, password, way, board);
        let answer = person.insist(Method::POST, "auth/login", Some(&person.credentials())).await?;
        person.signed_in(&answer)
    }

    fn visitor(name: &str, password: &str, way: &Way, board: &Arc<Board>) -> Self {
        Self {
            name: name.to_owned(),
            id: Uuid::nil(),
            password: password.to_owned(),
            way: way.clone(),
            door: AtomicUsize::new(0),
            token: Mutex::new((Arc::from(""), Instant::now())),
            board: board.clone(),
        }
    }

    fn signed_in(mut self, answer: &Answer) -> Result<Self> {
        let body = answer.body();
        let token =
            body["access_token"].as_str().ok_or_else(|| unexpected(&self.name, "signing in", answer))?;
        self.id = id(&body["user"]["id"]).ok_or("an account without an id")?;
        self.keep(token);
        Ok(self)
    }

    /// The same account by another way.
    pub fn by(&self, way: &Way) -> Self {
        let mut other = Self::visitor(&self.name, &self.password, way, &self.board);
        other.id = self.id;
        other.keep(&self.token());
        other
    }

    /// The same account, signed in nowhere.
    pub fn signed_out(&self) -> Self {
        let mut other = Self::visitor(&self.name, &self.password, &self.way, &self.board);
        other.id = self.id;
        other
    }

    /// Begins with another door than the first.
    pub fn prefer(self, door: usize) -> Self {
        self.door.store(door, Ordering::Relaxed);
        self
    }

    /// What proves who they are.
    pub fn token(&self) -> Arc<str> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    fn keep(&self, token: &str) {
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = (Arc::from(token), Instant::now());
    }

    /// Signs in anew, after a server refused this token. When it should have been good still, that is a broken promise.
    pub async fn renew(&self, shown: &Shown, refusal: &str) -> Result<()> {
        let age = {
            let kept = self.token.lock().unwrap_or_else(PoisonError::into_inner);
            if *kept.0 != *shown.token {
                return Ok(());
            }
            kept.1.elapsed()
        };
        if !self.board.clocks.excuse(shown) {
            self.board.note(
                Kind::Refused,
                format!("{}: a good token of {age:?} was refused: {refusal}", self.name),
            );
        }
        let answer = Box::pin(self.insist(Method::POST, "auth/login", Some(&self.credentials()))).await?;
        let body = answer.body();
        let token =
            body["access_token"].as_str().ok_or_else(|| unexpected(&self.name, "signing in", &answer))?;
        self.keep(token);
        Ok(())
    }

    /// What they registered with.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// What `auth/login` takes.
    pub fn credentials(&self) -> Value {
        json!({ "username": self.name, "password": self.password })
    }

    /// The door that is used now.
    pub fn door(&self) -> &str {
        self.door_of(self.server())
    }

    /// The number of the server to which it leads.
    pub fn server(&self) -> usize {
        self.door.load(Ordering::Relaxed) % self.way.doors.len()
    }

    /// The door of a server.
    pub fn door_of(&self, server: usize) -> &str {
        &self.way.doors[server % self.way.doors.len()]
    }

    /// Goes to the door of this server.
    pub fn turn_to(&self, server: usize) {
        self.door.store(server, Ordering::Relaxed);
    }

    /// Goes on to the next one.
    pub fn next_door(&self) {
        self.door.fetch_add(1, Ordering::Relaxed);
    }

    /// One request through the present door. An answer that no sound server gives is noted.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> reqwest::Result<Answer> {
        let (server, token) = (self.server(), self.token());
        let url = format!("{}/api/v1/{path}", self.door_of(server));
        let mut request = self.way.client.request(method.clone(), url).timeout(self.way.patience);
        if !token.is_empty() {
            request = request.bearer_auth(&token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = self.answered(request, &format!("{method} {path}")).await?;
        Ok(Answer { shown: Shown { server, token, ahead: None }, ..answer })
    }

    async fn answered(&self, request: reqwest::RequestBuilder, what: &str) -> reqwest::Result<Answer> {
        let response = request.send().await?;
        let status = response.status().as_u16();
        let is_patient = response.headers().contains_key("retry-after");
        let text = response.text().await?;
        let is_sound = match status {
            503 => is_patient || text.contains("\"outcome_unknown\""),
            507 => true,
            429 | 500.. => false,
            _ => true,
        };
        if !is_sound {
            let text = format!("{}: {what} answered {status} (Retry-After: {is_patient}): {text}", self.name);
            self.board.note(Kind::Refused, text);
        }
        Ok(Answer { status, text, ..Answer::default() })
    }

    /// Uploads a small text, once, through the present door.
    pub async fn upload(&self, name: &str, text: &str) -> reqwest::Result<Answer> {
        let part = reqwest::multipart::Part::text(text.to_owned()).file_name(name.to_owned());
        let form = reqwest::multipart::Form::new().part("file", part);
        let url = format!("{}/api/v1/files/upload", self.door());
        let request = self.way.client.post(url).timeout(self.way.patience).bearer_auth(self.token());
        self.answered(request.multipart(form), "uploading").await
    }

    /// The same request until there is an answer to it, through whichever door.
    pub async fn insist(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer> {
        let (started, mut pause, mut tries) = (Instant::now(), AGAIN_AFTER, 0_u32);
        loop {
            tries += 1;
            let why = match self.call(method.clone(), path, body).await {
                Ok(answer) if answer.status == 401 && !self.token().is_empty() => {
                    self.renew(&answer.shown, &answer.text).await?;
                    "its token was refused".to_owned()
                }
                // "Not now", and what was noted as unsound already.
                Ok(answer) if answer.status == 429 || answer.status >= 500 => answer.text,
                Ok(answer) => return Ok(answer),
                Err(error) => error.to_string(),
            };
            if started.elapsed() > GIVE_UP {
                let text = format!("{}: {method} {path} had no answer after {tries} tries: {why}", self.name);
                self.board.note(Kind::Stuck, text.as_str());
                return Err(text.into());
            }
            self.board.retries.add();
            self.next_door();
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(AGAIN_AFTER_AT_MOST);
        }
    }

    /// The same, where only these statuses are right.
    pub async fn expect(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        right: &[u16],
    ) -> Result<Value> {
        let answer = self.insist(method.clone(), path, body).await?;
        if right.contains(&answer.status) {
            return Ok(answer.body());
        }
        self.board.note(
            Kind::Refused,
            format!("{}: {method} {path} answered {}: {}", self.name, answer.status, answer.text),
        );
        Err(unexpected(&self.name, path, &answer))
    }

    /// A GET that must succeed.
    pub async fn get(&self, path: &str) -> Result<Value> {
        self.expect(Method::GET, path, None, &[200]).await
    }
}

fn unexpected(name: &str, what: &str, answer: &Answer) -> Box<dyn std::error::Error + Send + Sync> {
    format!("{name}: {what} answered {}: {}", answer.status, answer.text).into()
}
