//! People with accounts: made and brought into channels over REST, connected over the gateway.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use crate::Result;
use crate::http::{Connection, Pool, request};
use crate::socket::Socket;

/// Calls that set something up run so many at a time.
const TOGETHER: usize = 8;
/// Long enough, and not among those that are refused as easy to guess.
const PASSWORD: &str = "a person at a desk, measuring";

/// One account.
#[derive(Clone)]
pub struct Person {
    /// Good for half an hour.
    pub token: Arc<str>,
}

/// Makes accounts. Hashing a password takes a core for a while.
pub async fn register(host: &str, count: usize) -> Result<Vec<Person>> {
    let pool = Pool::new(host);
    stream::iter(0..count)
        .map(|number| {
            let pool = &pool;
            async move {
                let form = json!({
                    "username": format!("person{number}"),
                    "email": format!("person{number}@example.org"),
                    "password": PASSWORD,
                });
                let made = call(pool, "POST", "auth/register", "", &form).await?;
                Ok(Person { token: text(&made["access_token"])?.into() })
            }
        })
        .buffered(TOGETHER)
        .try_collect()
        .await
}

/// The same people, signed in anew: a long run outlives their tokens.
pub async fn sign_in(host: &str, people: &mut [Person]) -> Result<()> {
    let pool = Pool::new(host);
    let signed_in: Vec<Person> = stream::iter(0..people.len())
        .map(|number| {
            let pool = &pool;
            async move { enter(pool, &format!("person{number}"), PASSWORD).await }
        })
        .buffered(TOGETHER)
        .try_collect()
        .await?;
    people.clone_from_slice(&signed_in);
    Ok(())
}

/// Signs one account in.
pub async fn log_in(host: &str, username: &str, password: &str) -> Result<Person> {
    enter(&Pool::new(host), username, password).await
}

async fn enter(pool: &Pool, username: &str, password: &str) -> Result<Person> {
    let form = json!({ "username": username, "password": password });
    let made = call(pool, "POST", "auth/login", "", &form).await?;
    Ok(Person { token: text(&made["access_token"])?.into() })
}

/// Makes a channel that nobody but its owner may read, and answers its id.
pub async fn private_channel(host: &str, name: &str, owner: &Person) -> Result<String> {
    let form = json!({ "name": name, "kind": "private" });
    let made = call(&Pool::new(host), "POST", "channels", &owner.token, &form).await?;
    Ok(text(&made["id"])?.to_owned())
}

/// Makes a public channel of these people and answers its id.
pub async fn channel(host: &str, name: &str, people: &[Person]) -> Result<String> {
    let pool = Pool::new(host);
    let (owner, others) = people.split_first().ok_or("a channel of nobody")?;
    let form = json!({ "name": name, "kind": "public" });
    let made = call(&pool, "POST", "channels", &owner.token, &form).await?;
    let id = text(&made["id"])?.to_owned();
    let path = format!("channels/{id}/join");
    stream::iter(others)
        .map(|person| call(&pool, "POST", &path, &person.token, &Value::Null))
        .buffer_unordered(TOGETHER)
        .try_for_each(|_| async { Ok(()) })
        .await?;
    Ok(id)
}

/// The path of a channel's messages.
pub fn messages_of(channel: &str) -> String {
    format!("/api/v1/channels/{channel}/messages")
}

/// The request that posts `content` into a channel.
pub fn post(person: &Person, channel: &str, content: &str) -> Vec<u8> {
    post_to(person, &messages_of(channel), content)
}

/// The same to the path of a channel's messages.
pub fn post_to(person: &Person, path: &str, content: &str) -> Vec<u8> {
    request("POST", path, &person.token, &json!({ "content": content }).to_string())
}

/// The request that reads the page before a number, by the path of a channel's messages.
pub fn page(person: &Person, path: &str, before_seq: i64) -> Vec<u8> {
    request("GET", &format!("{path}?limit=50&before_seq={before_seq}"), &person.token, "")
}

/// The number of the newest message.
pub async fn last_seq(host: &str, person: &Person, channel: &str) -> Result<i64> {
    let newest = Connection::open(host).await?.call(&page(person, &messages_of(channel), i64::MAX)).await?;
    let items = newest["items"].as_array().ok_or("a page without items")?;
    Ok(items.last().and_then(|item| item["seq"].as_i64()).unwrap_or(0))
}

/// Opens a socket and waits until it is `ready`.
pub async fn connect(host: &str, person: &Person) -> Result<Socket> {
    let mut socket = Socket::open(host, "/ws").await?;
    socket.say(&json!({ "op": "identify", "d": { "token": &*person.token } }).to_string()).await?;
    socket.hear_first(r#"{"op":"ready""#).await?;
    Ok(socket)
}

async fn call(pool: &Pool, method: &str, path: &str, token: &str, body: &Value) -> Result<Value> {
    let body = if body.is_null() { "{}".to_owned() } else { body.to_string() };
    let bytes = request(method, &format!("/api/v1/{path}"), token, &body);
    let reply = pool.exchange(&bytes).await?;
    reply.require_success(&bytes)?;
    Ok(serde_json::from_slice(&reply.body)?)
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().ok_or_else(|| format!("a text was expected, not {value}").into())
}
