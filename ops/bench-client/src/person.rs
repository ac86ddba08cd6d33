//! Somebody with an account, who posts and reads over REST.

use reqwest::Client;
use serde_json::{Value, json};

use crate::Result;

/// One account with a connection of its own, kept open as a browser keeps it.
pub struct Person {
    pub address: String,
    pub token: String,
    client: Client,
}

/// Makes accounts, one after the other: hashing a password takes a core for a while.
pub async fn register(address: &str, count: usize) -> Result<Vec<Person>> {
    let mut people = Vec::with_capacity(count);
    for number in 0..count {
        let client = Client::builder().pool_max_idle_per_host(1).build()?;
        let mut person = Person { address: address.to_owned(), token: String::new(), client };
        let form = json!({
            "username": format!("person{number}"),
            "email": format!("person{number}@example.org"),
            "password": "a person at a desk, measuring",
        });
        let made = person.post("auth/register", &form).await?;
        text(&made["access_token"])?.clone_into(&mut person.token);
        people.push(person);
    }
    Ok(people)
}

impl Person {
    /// Makes a public channel and answers its id.
    pub async fn create_channel(&self, name: &str) -> Result<String> {
        let made = self.post("channels", &json!({ "name": name, "kind": "public" })).await?;
        Ok(text(&made["id"])?.to_owned())
    }

    pub async fn join(&self, channel: &str) -> Result<()> {
        self.post(&format!("channels/{channel}/join"), &json!({})).await?;
        Ok(())
    }

    /// Posts and waits for the acknowledgement, which comes after the commit.
    pub async fn say(&self, channel: &str, content: &str) -> Result<Value> {
        self.post(&format!("channels/{channel}/messages"), &json!({ "content": content })).await
    }

    /// One page of history.
    pub async fn page(&self, channel: &str, before_seq: i64) -> Result<Value> {
        let path = format!("channels/{channel}/messages?limit=50&before_seq={before_seq}");
        let request = self.client.get(self.url(&path)).bearer_auth(&self.token);
        answer(request.send().await?).await
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let mut request = self.client.post(self.url(path)).json(body);
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        answer(request.send().await?).await
    }

    fn url(&self, path: &str) -> String {
        format!("{}/api/v1/{path}", self.address)
    }
}

async fn answer(response: reqwest::Response) -> Result<Value> {
    let (status, path) = (response.status(), response.url().path().to_owned());
    let text = response.text().await?;
    if !status.is_success() {
        return Err(format!("{path} answered {status}: {text}").into());
    }
    Ok(serde_json::from_str(&text)?)
}

/// The text of a field that must be there.
pub fn text(value: &Value) -> Result<&str> {
    value.as_str().ok_or_else(|| format!("a text was expected, not {value}").into())
}
