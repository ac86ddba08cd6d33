//! What a plugin reaches beyond its channels: other systems, through the server's one way out, the search, and the
//! assistant.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use confab_core::{Fault, Result, access, messages};
use confab_plugin_host as plugin;
use confab_plugin_host::{SettingKind, SettingValue};
use serde::{Deserialize, Serialize};

use super::{BotHost, chat};
use crate::assistant::{Told, as_post};
use crate::plugins::{FETCH, words};
use crate::search::Order;
use crate::services::{self, Search, SearchAnswer, Summarize};

/// Largest body of an answer, in bytes: what one host call may bring into a plugin.
pub const BODY_BYTES: usize = 192 * 1_024;
/// Hits that are asked for, since the bot may not read all that the person does.
const ASKED: u32 = 50;
/// Summaries in one call of a plugin: each may use a share of the person's tokens.
const SUMMARIES: u32 = 2;

/// A call out, for whoever serves [`FETCH`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Request {
    /// Such as `GET`.
    pub method: String,
    /// Of an origin that was granted.
    pub url: String,
    /// Secrets are in them by now.
    pub headers: Vec<(String, String)>,
    /// In base64.
    pub body: String,
}

/// What came back.
#[derive(Debug, Serialize, Deserialize)]
pub struct Response {
    /// Such as 200.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// In base64.
    pub body: String,
}

impl BotHost {
    /// Asks a server to call out: servers alone do, at one place.
    pub(super) async fn call_out(&self, request: plugin::HttpRequest) -> Result<plugin::HttpResponse> {
        let headers = request
            .headers
            .into_iter()
            .map(|(name, value)| Ok((name, self.with_secrets(&value)?)))
            .collect::<Result<_>>()?;
        let body = STANDARD.encode(&request.body);
        let question = Request { method: request.method, url: request.url, headers, body };
        let answer: Response = self.bus.ask(FETCH, &question).await?;
        let body = STANDARD.decode(&answer.body).map_err(Fault::internal)?;
        Ok(plugin::HttpResponse { status: answer.status, headers: answer.headers, body })
    }

    /// Puts secrets into the value of a header.
    fn with_secrets(&self, value: &str) -> Result<String> {
        let secrets: BTreeMap<&str, &str> = self
            .of
            .manifest
            .settings
            .iter()
            .filter(|setting| setting.kind == SettingKind::Secret)
            .filter_map(|setting| match self.of.settings.get(&setting.key)? {
                SettingValue::Text(text) => Some((setting.key.as_str(), text.as_str())),
                _ => None,
            })
            .collect();
        filled(value, &secrets)
    }

    /// What the person finds and the plugin may read; without a person, what it finds.
    pub(super) async fn look_for(&self, query: String, limit: u32) -> Result<Vec<plugin::Message>> {
        let reader = self.of.reader();
        let (user_id, reach) = match self.person {
            Some(person) => (person, None),
            None => (reader.id, Some(reader.reach)),
        };
        let question = Search {
            user_id,
            q: query,
            limit: ASKED,
            cursor: None,
            mode: None,
            order: Order::default(),
            reach,
        };
        let found: SearchAnswer = self.bus.ask(services::SEARCH, &question).await?;
        let ids: Vec<_> = found.items.iter().map(|hit| hit.message.id).collect();
        let mut on = self.db.read();
        let visible = access::bots::channels_of_bot(&mut on, reader).await?;
        let readable = messages::readable(&mut on, &visible, &ids).await?;
        let told = readable.iter().filter(|it| self.may_tell(it)).take(limit as usize);
        Ok(told.map(words::message).collect())
    }
}

impl BotHost {
    /// What the assistant makes, for the person who is answered, of a channel or thread that they and the plugin both read.
    pub(super) async fn sum_up(&self, place: plugin::Place) -> Result<String> {
        let user_id =
            self.person.ok_or_else(|| Fault::forbidden("forbidden", "nobody is answered at this moment"))?;
        if self.summaries.fetch_add(1, Ordering::Relaxed) >= SUMMARIES {
            return Err(Fault::RateLimited { retry_after_seconds: 1 });
        }
        let (channel, message_id) = (chat::id(&place.channel_id, "channel")?, chat::root(&place)?);
        // The thread too: its message could be one of another channel.
        let of = match message_id {
            Some(root) => self.door(root).await?.admitted,
            None => self.admit(channel).await?,
        };
        if of.channel_id() != channel {
            return Err(Fault::NotFound("message"));
        }
        let asked = Summarize {
            user_id,
            channel_id: Some(channel),
            message_id,
            is_unread: false,
            since: None,
            until: None,
            conversation_id: None,
            is_unkept: true,
        };
        let mut answers = self.bus.ask_for_pieces(services::SUMMARIZE, &asked).await?;
        while let Some(piece) = answers.next().await {
            match serde_json::from_value(piece?).map_err(Fault::internal)? {
                Told::Done(answer) if answer.supported => {
                    return Ok(as_post(&answer.answer, &answer.citations, None));
                }
                Told::Done(_) => return Err(Fault::NotFound("message")),
                Told::Step { .. } | Told::Citation(_) | Told::Text { .. } => {}
            }
        }
        Err(Fault::Unavailable("the assistant"))
    }
}

/// `${secret:KEY}` becomes the secret; a key without one is a mistake that must not be sent as it stands.
fn filled(value: &str, secrets: &BTreeMap<&str, &str>) -> Result<String> {
    const OPEN: &str = "${secret:";
    let (mut rest, mut filled) = (value, String::with_capacity(value.len()));
    while let Some((before, after)) = rest.split_once(OPEN) {
        let Some((key, behind)) = after.split_once('}') else { break };
        let secret = secrets.get(key);
        let secret =
            secret.ok_or_else(|| Fault::invalid("headers", format!("the secret {key} is not set")))?;
        filled.push_str(before);
        filled.push_str(secret);
        rest = behind;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_put_in_and_missing_ones_are_a_fault() {
        let secrets = BTreeMap::from([("token", "s3cret")]);
        assert_eq!(filled("Bearer ${secret:token}", &secrets).ok().as_deref(), Some("Bearer s3cret"));
        assert_eq!(filled("plain ${secret", &secrets).ok().as_deref(), Some("plain ${secret"));
        assert!(filled("${secret:other}", &secrets).is_err());
    }
}
