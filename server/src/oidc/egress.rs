//! The only way out to an issuer: no redirects, five seconds, one mebibyte, JSON.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use confab_core::{Fault, Result};
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Request, StatusCode};
use serde::de::DeserializeOwned;
use url::Url;

/// From the first byte sent to the last received.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longer answers are not read to their end.
const MOST_BYTES: usize = 1024 * 1024;

/// Why there is no answer. The text is for the log; it never holds a secret, because no address that is asked does.
#[derive(Debug)]
pub enum Failure {
    /// It may answer later.
    Unreachable(String),
    /// It answered, and not with what was asked for.
    Refused(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) | Self::Refused(why) => out.write_str(why),
        }
    }
}

impl Error for Failure {}

/// Asks the issuer.
#[derive(Clone)]
pub struct Egress {
    client: Client,
    is_local: bool,
}

struct Answer {
    status: StatusCode,
    kind: Option<HeaderValue>,
    body: Vec<u8>,
}

impl Egress {
    /// `is_local`: the issuer is on this machine and spoken to without TLS.
    ///
    /// # Errors
    /// [`Fault::Invalid`] when this machine trusts no authority for TLS.
    pub fn new(is_local: bool) -> Result<Self> {
        let builder = || {
            Client::builder()
                .user_agent(concat!("confab/", env!("CARGO_PKG_VERSION")))
                // A redirect would take a client secret, a code or a token to an address that nobody checked.
                .redirect(Policy::none())
                .timeout(PATIENCE)
                .https_only(!is_local)
        };
        let built = if is_local {
            // To this machine there is no proxy, and a machine that trusts no authority can still ask itself.
            let builder = || builder().no_proxy();
            builder().build().or_else(|_| builder().tls_certs_only([]).build())
        } else {
            builder().build()
        };
        let client = built.map_err(|error| {
            Fault::invalid("oidc_issuer", format!("no secure connection is possible: {}", chain(&error)))
        })?;
        Ok(Self { client, is_local })
    }

    /// The address, when it may be asked.
    pub fn admitted(&self, address: &str) -> Option<Url> {
        let url = Url::parse(address).ok()?;
        let is_safe = match url.scheme() {
            "https" => true,
            "http" => self.is_local && super::is_loopback(&url),
            _ => false,
        };
        let is_plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        (is_safe && is_plain).then_some(url)
    }

    /// Asks for a JSON document, with a token where one is needed.
    pub async fn get<T: DeserializeOwned>(&self, url: &Url, token: Option<&str>) -> Result<T, Failure> {
        let request = self.client.get(url.clone()).header(ACCEPT, "application/json");
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let request = request.build().map_err(|error| Failure::Refused(chain(&error)))?;
        let answer = self.send(request).await?;
        if answer.status != StatusCode::OK {
            return Err(Failure::Refused(format!("{url} answered with status {}", answer.status)));
        }
        if !answer.kind.as_ref().is_some_and(is_json) {
            return Err(Failure::Refused(format!("{url} answered with something other than JSON")));
        }
        serde_json::from_slice(&answer.body)
            .map_err(|error| Failure::Refused(format!("{url} answered with JSON of another kind: {error}")))
    }

    async fn send(&self, request: Request) -> Result<Answer, Failure> {
        let url = request.url().clone();
        let unreachable = |error: reqwest::Error| Failure::Unreachable(chain(&error));
        let mut response = self.client.execute(request).await.map_err(unreachable)?;
        let status = response.status();
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(Failure::Unreachable(format!("{url} answered with status {status}")));
        }
        let too_long = || Failure::Refused(format!("{url} answered with more than {MOST_BYTES} bytes"));
        if response.content_length().is_some_and(|length| length > MOST_BYTES as u64) {
            return Err(too_long());
        }
        let kind = response.headers().get(CONTENT_TYPE).cloned();
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(unreachable)? {
            if body.len() + part.len() > MOST_BYTES {
                return Err(too_long());
            }
            body.extend_from_slice(&part);
        }
        Ok(Answer { status, kind, body })
    }
}

impl<'c> AsyncHttpClient<'c> for Egress {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Failure>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let request = Request::try_from(request).map_err(|error| Failure::Refused(chain(&error)))?;
            let answer = self.send(request).await?;
            let mut response = HttpResponse::new(answer.body);
            *response.status_mut() = answer.status;
            if let Some(kind) = answer.kind {
                response.headers_mut().insert(CONTENT_TYPE, kind);
            }
            Ok(response)
        })
    }
}

/// `application/json`, or a kind of it such as `application/jwk-set+json`.
fn is_json(kind: &HeaderValue) -> bool {
    let Ok(kind) = kind.to_str() else { return false };
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.strip_prefix("application/").is_some_and(|it| it == "json" || it.ends_with("+json"))
}

/// The whole story: the crate's own text leaves out why a connection failed.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_safe_addresses_are_asked() {
        let local = Egress::new(true).expect("a client");
        let remote = Egress { is_local: false, ..local.clone() };
        assert!(remote.admitted("https://id.example/token").is_some());
        assert!(local.admitted("http://127.0.0.1:99/token").is_some());
        assert!(remote.admitted("http://127.0.0.1:99/token").is_none(), "an issuer elsewhere leads in here");
        assert!(local.admitted("http://id.example/token").is_none(), "no TLS");
        for bad in ["file:///etc/passwd", "https://a:b@id.example/", "https://id.example/#x", "/token", ""] {
            assert!(local.admitted(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn only_json_is_read() {
        let is_json = |text: &'static str| is_json(&HeaderValue::from_static(text));
        assert!(is_json("application/json"));
        assert!(is_json("Application/JSON; charset=utf-8"));
        assert!(is_json("application/jwk-set+json"));
        for bad in ["text/html", "application/jwt", "application/jsonx", "json", ""] {
            assert!(!is_json(bad), "{bad}");
        }
    }
}
