//! An answer that comes in events.

use reqwest::{Method, Response};
use serde_json::Value;

use super::user::User;

/// One event: its kind and what it says.
pub type Event = (String, Value);

/// A stream of events that is read as it comes; dropping it closes the connection.
pub struct Events {
    response: Response,
    waiting: String,
}

impl Events {
    /// Asks for events and fails unless they begin.
    pub async fn of(user: &User, path: &str, body: &Value) -> Self {
        let request = user.request(Method::POST, path).header("accept", "text/event-stream").json(body);
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200, "{path}");
        let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
        assert!(kind.starts_with("text/event-stream"), "{kind}");
        Self { response, waiting: String::new() }
    }

    /// The next one; `None` at the end.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.waiting.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.waiting = rest;
                let field =
                    |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                match field("data: ") {
                    Some(data) => {
                        let data = serde_json::from_str(&data).expect("JSON");
                        return Some((field("event: ").unwrap_or_default(), data));
                    }
                    // A comment that keeps the connection alive.
                    None => continue,
                }
            }
            let part = self.response.chunk().await.expect("the stream goes on")?;
            self.waiting.push_str(std::str::from_utf8(&part).expect("UTF-8"));
        }
    }

    /// Up to the first of this kind.
    pub async fn until(&mut self, kind: &str) -> Value {
        while let Some((found, data)) = self.next().await {
            if found == kind {
                return data;
            }
            assert_ne!(found, "error", "{data}");
        }
        panic!("no {kind} came");
    }

    /// All that is left.
    pub async fn all(mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }
}
