//! How an answer of the worker crosses the bus: the value, or the fault in a form that can be read back. In process too, so
//! that a fault reads the same in both modes.

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
    "limit",
    "user_id",
    "conversation",
    "member",
    "user",
    "file",
    "code",
    "parent_id",
    "nonce",
    "cursor",
    "not_a_member",
    "not_confirmed",
    "channel_archived",
    "plugin_disabled",
    "plugin_failed",
    "reaction_day_limit",
    "reaction_message_limit",
    "reaction_not_allowed",
    "role_too_low",
    "nonce_reused",
    "assistant_off",
    "at",
    "bundled_plugin",
    "button",
    "component",
    "headers",
    "images",
    "manifest",
    "missing_permission",
    "name_taken",
    "not_yours",
    "plugin_stopped",
    "revision_changed",
    "settings",
    "signature",
    "tool",
    "untrusted_plugin",
    "value",
    "webhook",
    "webhook_not_set",
    "wrong_signature",
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
            Fault::Unconfirmed => ("unconfirmed", String::new(), String::new()),
            Fault::Full => ("full", String::new(), String::new()),
            Fault::RateLimited { retry_after_seconds } => {
                ("rate_limited", retry_after_seconds.to_string(), String::new())
            }
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
            "unconfirmed" => Fault::Unconfirmed,
            "full" => Fault::Full,
            "rate_limited" => Fault::RateLimited { retry_after_seconds: field.parse().unwrap_or(1) },
            _ => Fault::Internal(message.into_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_reads_the_same_on_the_other_side() {
        for fault in [
            Fault::NotFound("conversation"),
            Fault::forbidden("not_a_member", "join first"),
            Fault::conflict("plugin_failed", "it failed"),
            Fault::invalid("limit", "too large"),
            Fault::Gone("message"),
            Fault::Busy,
            Fault::Full,
            Fault::RateLimited { retry_after_seconds: 7 },
            Fault::Unavailable("the worker"),
            Fault::Unconfirmed,
        ] {
            let (code, said) = (fault.code(), fault.to_string());
            let back = Wire::from(Err(fault)).into_result().expect_err("a fault");
            assert_eq!((back.code(), back.to_string()), (code, said));
        }
    }
}
