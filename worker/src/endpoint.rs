//! Endpoints that speak the OpenAI API: how they are called, and when they are left alone. Nothing that they answer is
//! believed or written into a log.

mod breaker;
mod sse;
mod transport;

use std::time::Duration;

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use confab_core::config::Secret;
use confab_core::{Fault, Result};

pub(crate) use breaker::Breaker;
pub(crate) use transport::{Refused, Transport};

/// A client that asks exactly `url`.
///
/// # Errors
/// [`Fault::Invalid`] in `field` when none can be made.
pub(crate) fn client(field: &'static str, url: &str, key: &Secret) -> Result<Client<OpenAIConfig>> {
    // Set one by one, since what is left out would come from OPENAI_* variables of the environment: a stray one would
    // send what people write to somebody else.
    let config =
        OpenAIConfig::new().with_api_base(url).with_api_key(&key.0).with_org_id("").with_project_id("");
    let transport = Transport::new().map_err(|error| Fault::invalid(field, format!("no client: {error}")))?;
    Ok(Client::build(transport.client(), config).with_http_service(transport))
}

/// Why an endpoint did not answer. The texts are for the log; they never hold a key or what was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trouble {
    /// The same call may succeed, but not before `after`.
    #[error("{reason}")]
    Retryable { after: Duration, reason: String },
    /// This call never will.
    #[error("{0}")]
    Permanent(String),
    /// None will, until an operator changes something.
    #[error("{0}")]
    Misconfigured(String),
}

impl Trouble {
    /// It may be better soon.
    pub fn later(reason: &str) -> Self {
        Self::Retryable { after: Duration::ZERO, reason: reason.to_owned() }
    }

    /// What the library says, sorted.
    pub fn of(error: OpenAIError) -> Self {
        let boxed = match error {
            OpenAIError::Boxed(boxed) => boxed,
            OpenAIError::Reqwest(error) => {
                return Self::later(&format!("the endpoint is not reached: {}", error.without_url()));
            }
            // Its text may repeat what was answered.
            OpenAIError::StreamError(_) => return Self::later("the endpoint's stream broke off"),
            other => return Self::Permanent(other.to_string()),
        };
        let Ok(refused) = boxed.downcast::<Refused>() else {
            return Self::later("the endpoint is not reached");
        };
        let said = refused.to_string();
        match refused.status {
            Some(408 | 409 | 425 | 429 | 500..) => {
                Self::Retryable { after: refused.retry_after.unwrap_or_default(), reason: said }
            }
            // Of the key, the model's name or the path; without a status, what answers is no such endpoint.
            None | Some(401..=407) => Self::Misconfigured(said),
            Some(_) => Self::Permanent(said),
        }
    }
}
