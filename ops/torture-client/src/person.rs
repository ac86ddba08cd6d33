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

/// Access tokens are good for 30 minutes; an older one may be refused with good reason.
const TOKEN_IS_GOOD: Duration = Duration::from_mins(25);
/// The first and the longest wait before a request is made again.
const AGAIN_AFTER: Duration = Duration::from_millis(25);
const AGAIN_AFTER_AT_MOST: Duration = Duration::from_millis(400);
/// No fault lasts so long: whoever still has no answer then is stuck.
const GIVE_UP: Duration = Duration::from_mins(3);

/// An answer, whole.
pub struct Answer {
    pub status: u16,
    pub text: String,
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

    /// Signs in anew. When the token should have been good still, that is a broken promise.
    pub async fn renew(&self, refusal: &str) -> Result<()> {
        let age = self.token.lock().unwrap_or_else(PoisonError::into_inner).1.elapsed();
        if age < TOKEN_IS_GOOD {
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

    /// What `auth/login` takes.
    pub fn credentials(&self) -> Value {
        json!({ "username": self.name, "password": self.password })
    }

    /// The door that is used now.
    pub fn door(&self) -> &str {
        &self.way.doors[self.door.load(Ordering::Relaxed) % self.way.doors.len()]
    }

    /// Goes on to the next one.
    pub fn next_door(&self) {
        self.door.fetch_add(1, Ordering::Relaxed);
    }

    /// One request through the present door. An answer that no sound server gives is noted.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> reqwest::Result<Answer> {
        let mut request = self.way.client.request(method.clone(), format!("{}/api/v1/{path}", self.door()));
        request = request.timeout(self.way.patience);
        let token = self.token();
        if !token.is_empty() {
            request = request.bearer_auth(&token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let is_patient = response.headers().contains_key("retry-after");
        let text = response.text().await?;
        let is_sound = match status {
            503 => is_patient,
            507 => true,
            429 | 500.. => false,
            _ => true,
        };
        if !is_sound {
            let text = format!(
                "{}: {method} {path} answered {status} (Retry-After: {is_patient}): {text}",
                self.name
            );
            self.board.note(Kind::Refused, text);
        }
        Ok(Answer { status, text })
    }

    /// The same request until there is an answer to it, through whichever door.
    pub async fn insist(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer> {
        let (started, mut pause, mut tries) = (Instant::now(), AGAIN_AFTER, 0_u32);
        loop {
            tries += 1;
            let why = match self.call(method.clone(), path, body).await {
                Ok(answer) if answer.status == 401 && !self.token().is_empty() => {
                    self.renew(&answer.text).await?;
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
