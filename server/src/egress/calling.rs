//! Calls that plugins make: to the origins that an administrator granted, which the worker has checked, and to no inside
//! address, which is checked here as for all that people write. No redirect is followed: it would lead to another origin.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use confab_core::{Bus, Fault, FutureExt, Result};
use confab_worker::plugins::{self, BODY_BYTES, Request, Response};
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::sync::Semaphore;
use url::Url;

use super::{Egress, PATIENCE, Refusal};

/// Calls at the same time; more wait, and the plugin's own limit ends their waiting.
const AT_ONCE: usize = 16;
/// What belongs to the connection and not to the message: a plugin that sets these could smuggle a second request.
const OURS: [&str; 6] = ["host", "content-length", "transfer-encoding", "connection", "upgrade", "te"];

/// Offers this server's way out to the workers' plugins.
pub async fn offer(bus: &Bus, egress: Egress) -> Result<()> {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let answer: confab_core::bus::Service = Arc::new(move |question| {
        let (egress, places) = (egress.clone(), Arc::clone(&places));
        async move {
            let request: Request = serde_json::from_slice(&question).map_err(Fault::internal)?;
            let _place = places.acquire().await;
            let called = tokio::time::timeout(PATIENCE, call(&egress, request)).await;
            let response = called.map_err(|_| Fault::Unavailable("the other system"))??;
            serde_json::to_value(response).map_err(Fault::internal)
        }
        .boxed()
    });
    bus.serve(plugins::FETCH, answer).await
}

async fn call(egress: &Egress, request: Request) -> Result<Response> {
    let url = Url::parse(&request.url).map_err(|_| Fault::invalid("url", "is no address"))?;
    let method = Method::from_bytes(request.method.as_bytes())
        .map_err(|_| Fault::invalid("method", "is no method"))?;
    let body = STANDARD.decode(&request.body).map_err(Fault::internal)?;
    let client = egress.client_for(&url).await.map_err(|refusal| refused(&url, &refusal))?;
    let sent = client.request(method, url.clone()).headers(headers(request.headers)?).body(body).send().await;
    let mut response = sent.map_err(|_| refused(&url, &Refusal::Unreachable))?;
    let mut read = Vec::new();
    while let Some(part) = response.chunk().await.map_err(|_| refused(&url, &Refusal::Unreachable))? {
        if read.len() + part.len() > BODY_BYTES {
            return Err(Fault::invalid("url", format!("answers with more than {BODY_BYTES} bytes")));
        }
        read.extend_from_slice(&part);
    }
    let named = |(name, value): (&HeaderName, &HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    let headers = response.headers().iter().filter_map(named).collect();
    Ok(Response { status: response.status().as_u16(), headers, body: STANDARD.encode(&read) })
}

fn headers(given: Vec<(String, String)>) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let invalid = || Fault::invalid("headers", "hold what is no header");
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?;
        if OURS.contains(&name.as_str()) {
            return Err(Fault::invalid("headers", format!("{name} is not for a plugin to set")));
        }
        let mut value = HeaderValue::from_str(&value).map_err(|_| invalid())?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

/// The plugin learns no more than that it did not work: whatever else would map the server's network.
fn refused(url: &Url, refusal: &Refusal) -> Fault {
    tracing::info!(host = url.host_str(), ?refusal, "a plugin's call did not leave");
    Fault::Unavailable("the other system")
}
