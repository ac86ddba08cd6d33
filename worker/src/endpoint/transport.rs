//! How requests leave: to exactly the host that the settings name, with an answer of bounded length.
//!
//! It also keeps answers away from the library's log, which writes down what it cannot read: an endpoint may well repeat
//! there what people wrote.

use std::fmt;
use std::task::{Context, Poll};
use std::time::Duration;

use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Body, Client, Response};
use serde::de::IgnoredAny;
use tower_service::Service;

use super::sse;

/// Of an answer that does not stream: a call's vectors are a tenth of it.
const MOST_BYTES: usize = 32 * 1024 * 1024;
/// Until a connection stands. How long a whole call may take the caller says.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// What an endpoint may ask us to wait; more is not believed.
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// Of what an endpoint says of itself, in characters.
const SAID: usize = 200;

/// Why there is no answer. Its text is for the log.
#[derive(Debug)]
pub(crate) struct Refused {
    /// `None`: it answered with success, but nothing that can be read.
    pub status: Option<u16>,
    pub retry_after: Option<Duration>,
    said: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(out, "the endpoint answers {status}: {:?}", self.said),
            None => write!(out, "the endpoint answers {}", self.said),
        }
    }
}

impl std::error::Error for Refused {}

/// See the module.
#[derive(Clone)]
pub(crate) struct Transport(Client);

impl Transport {
    pub fn new() -> reqwest::Result<Self> {
        let client = Client::builder()
            .user_agent(concat!("confab/", env!("CARGO_PKG_VERSION")))
            // The key and the texts are for this host only.
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT_TIME)
            .build()?;
        Ok(Self(client))
    }

    /// What makes requests.
    pub fn client(&self) -> Client {
        self.0.clone()
    }
}

impl Service<HttpRequestFactory> for Transport {
    type Response = Response;
    type Error = OpenAIError;
    type Future = BoxFuture<'static, Result<Response, OpenAIError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), OpenAIError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequestFactory) -> Self::Future {
        let client = self.0.clone();
        async move {
            let request = request.build().await?;
            let mut response = client.execute(request).await?;
            let status = response.status();
            let retry_after =
                response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
            if status.is_success() && kind.is_some_and(|it| it.starts_with("text/event-stream")) {
                let parts = sse::checked(response.bytes_stream().boxed());
                return Ok(Response::from(http::Response::new(Body::wrap_stream(parts))));
            }
            let mut body = Vec::new();
            while let Some(part) = response.chunk().await? {
                if body.len() + part.len() > MOST_BYTES {
                    return Err(refused(None, None, "more than can be an answer".into()));
                }
                body.extend_from_slice(&part);
            }
            if !status.is_success() {
                let wait = retry_after.map(|seconds| Duration::from_secs(seconds).min(LONGEST_WAIT));
                return Err(refused(Some(status.as_u16()), wait, said(&body)));
            }
            if serde_json::from_slice::<IgnoredAny>(&body).is_err() {
                return Err(refused(None, None, "what is no JSON".into()));
            }
            Ok(Response::from(http::Response::new(body)))
        }
        .boxed()
    }
}

fn refused(status: Option<u16>, retry_after: Option<Duration>, said: String) -> OpenAIError {
    OpenAIError::Boxed(Box::new(Refused { status, retry_after, said }))
}

/// The message of an error as OpenAI writes it. Nothing of any other body: it may repeat the texts.
fn said(body: &[u8]) -> String {
    let read: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let message =
        read.as_ref().and_then(|it| it.pointer("/error/message")).and_then(serde_json::Value::as_str);
    message.unwrap_or_default().chars().filter(|letter| !letter.is_control()).take(SAID).collect()
}
