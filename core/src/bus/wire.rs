//! How an answer of the worker crosses NATS: the value, or the fault in a form that can be read back.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::fault::{Fault, Result};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wire {
    Answer(serde_json::Value),
    Fault { kind: String, code: String, field: String, message: String },
}

/// Codes and fields that services use; others become the plain one of their kind, since a `Fault` holds only words
/// known at compile time.
const WORDS: &[&str] = &[
    "not_found",
    "forbidden",
    "conflict",
    "invalid",
    "message",
    "channel",
    "command",
    "plugin",
    "text",
    "q",
    "content",
    "query",
    "cursor",
    "not_a_member",
    "channel_archived",
    "plugin_disabled",
    "plugin_failed",
    "role_too_low",
    "nonce_reused",
];

fn word(text: &str, otherwise: &'static str) -> &'static str {
    WORDS.iter().copied().find(|it| *it == text).unwrap_or(otherwise)
}

impl From<Result<serde_json::Value>> for Wire {
    fn from(result: Result<serde_json::Value>) -> Self {
        let fault = match result {
            Ok(answer) => return Self::Answer(answer),
            Err(fault) => fault,
        };
        let (kind, field, message) = match &fault {
            Fault::NotFound(what) => ("not_found", (*what).to_owned(), String::new()),
            Fault::Forbidden { message, .. } => ("forbidden", String::new(), message.to_string()),
            Fault::Conflict { message, .. } => ("conflict", String::new(), message.to_string()),
            Fault::Invalid { field, message } => ("invalid", (*field).to_owned(), message.to_string()),
            Fault::Gone(what) => ("gone", (*what).to_owned(), String::new()),
            Fault::Busy => ("busy", String::new(), String::new()),
            Fault::Unavailable(_) => ("unavailable", String::new(), String::new()),
            other => ("internal", String::new(), other.to_string()),
        };
        Self::Fault { kind: kind.into(), code: fault.code().into(), field, message }
    }
}

impl Wire {
    pub fn into_result(self) -> Result<serde_json::Value> {
        let (kind, code, field, message) = match self {
            Self::Answer(answer) => return Ok(answer),
            Self::Fault { kind, code, field, message } => (kind, code, field, Cow::Owned(message)),
        };
        Err(match kind.as_str() {
            "not_found" => Fault::NotFound(word(&field, "message")),
            "forbidden" => Fault::Forbidden { code: word(&code, "forbidden"), message },
            "conflict" => Fault::Conflict { code: word(&code, "conflict"), message },
            "invalid" => Fault::Invalid { field: word(&field, "content"), message },
            "gone" => Fault::Gone(word(&field, "message")),
            "busy" => Fault::Busy,
            "unavailable" => Fault::Unavailable("the worker"),
            _ => Fault::Internal(message.into_owned()),
        })
    }
}
