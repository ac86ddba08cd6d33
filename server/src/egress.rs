//! The one way out to addresses that people write: pages, for the previews of links ([`Egress`]), and the push services that
//! browsers name ([`Postbox`]). What an operator writes (an issuer, a mail server, a bucket) is called by what needs it.
//!
//! Whoever can make a server call an address reaches what only the server reaches (SSRF): the machine itself, its
//! network, a cloud's metadata. So every address is resolved here, checked, and connected to exactly as it was checked:
//! a name that answers otherwise a moment later (rebinding) is never asked again. No redirect is followed without the same
//! check, and no proxy asked, which would resolve the name itself.

mod address;
pub mod calling;
mod postbox;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response};
use url::{Host, Url};

use address::{host_of, is_global};
pub use postbox::Postbox;

/// From asking for the first name to the last byte, over all redirects.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// What is read of an answer.
pub const MOST_BYTES: usize = 1 << 20;
/// Redirects that are followed, each checked anew.
const REDIRECTS: usize = 3;

/// Why nothing was fetched. For the log alone: told to a person it would map the server's network.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No address that may be called.
    Address(&'static str),
    /// It leads to a place that is not on the Internet.
    Inside(IpAddr),
    /// The name has no address, or there is no answer.
    Unreachable,
    /// The answer is not what was asked for.
    Answer(&'static str),
    /// It took too long.
    Slow,
}

/// An answer.
pub struct Fetched {
    /// Where it came from, after redirects.
    pub url: Url,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its first [`MOST_BYTES`].
    pub body: Vec<u8>,
}

/// Calls out.
#[derive(Clone, Debug)]
pub struct Egress {
    /// Inside addresses that an operator allows.
    allowed: Vec<SocketAddr>,
}

impl Egress {
    /// `allowed`: inside addresses that may be reached, with their ports.
    #[must_use]
    pub fn new(allowed: Vec<SocketAddr>) -> Self {
        Self { allowed }
    }

    /// Gets a page of one of the types `kinds`, such as `text/html`.
    pub async fn get(&self, address: &str, kinds: &[&str]) -> Result<Fetched, Refusal> {
        tokio::time::timeout(PATIENCE, self.follow(address, kinds)).await.unwrap_or(Err(Refusal::Slow))
    }

    async fn follow(&self, address: &str, kinds: &[&str]) -> Result<Fetched, Refusal> {
        let mut url = Url::parse(address).map_err(|_| Refusal::Address("no address"))?;
        for _ in 0..=REDIRECTS {
            let client = self.client_for(&url).await?;
            let request = client.get(url.clone()).header(ACCEPT, kinds.join(", "));
            let response = request.send().await.map_err(|_| Refusal::Unreachable)?;
            if response.status().is_redirection() {
                let next = response.headers().get(LOCATION).and_then(|it| it.to_str().ok());
                let next = next.ok_or(Refusal::Answer("a redirect to nowhere"))?;
                url = url.join(next).map_err(|_| Refusal::Address("a redirect to no address"))?;
                continue;
            }
            return read(url, response, kinds).await;
        }
        Err(Refusal::Answer("too many redirects"))
    }

    /// A client that reaches the checked address of this URL's host, and no other place under that name. It follows no
    /// redirects, asks no proxy, and gives up after [`PATIENCE`].
    pub async fn client_for(&self, url: &Url) -> Result<Client, Refusal> {
        let address = self.checked(url).await?;
        let builder = closed(" (link preview)");
        // Without TLS no authorities are needed: reading the machine's takes longer than the whole request.
        let builder = if url.scheme() == "http" { builder.tls_certs_only([]) } else { builder };
        builder
            .pool_max_idle_per_host(0)
            .timeout(PATIENCE)
            .connect_timeout(PATIENCE)
            .dns_resolver(Arc::new(Pinned(address)))
            .build()
            .map_err(|_| Refusal::Unreachable)
    }

    /// The one address that may be connected to for this URL.
    async fn checked(&self, url: &Url) -> Result<SocketAddr, Refusal> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refusal::Address("neither http nor https"));
        }
        let host = host_of(url)?;
        let port = url.port_or_known_default().ok_or(Refusal::Address("no port"))?;
        let is_usual = matches!(port, 80 | 443);
        if !is_usual && !self.allowed.iter().any(|it| it.port() == port) {
            return Err(Refusal::Address("another port than 80 and 443"));
        }
        let found: Vec<SocketAddr> = match host {
            // The parser has read decimal, octal and hexadecimal forms as the addresses that they are.
            Host::Ipv4(ip) => vec![SocketAddr::new(ip.into(), port)],
            Host::Ipv6(ip) => vec![SocketAddr::new(ip.into(), port)],
            Host::Domain(name) => {
                let found = tokio::net::lookup_host((name, port)).await;
                found.map_err(|_| Refusal::Unreachable)?.collect()
            }
        };
        // One inside address is enough to refuse all: a name that has both waits for us to choose.
        for address in &found {
            let is_allowed = self.allowed.contains(&SocketAddr::new(address.ip().to_canonical(), port));
            let is_outside = is_usual && is_global(address.ip());
            if !is_allowed && !is_outside {
                return Err(Refusal::Inside(address.ip()));
            }
        }
        found.first().copied().ok_or(Refusal::Unreachable)
    }
}

/// A client that goes nowhere by itself: no redirects, and no proxy, which would resolve names unchecked.
fn closed(purpose: &str) -> ClientBuilder {
    Client::builder()
        .user_agent(format!("confab/{}{purpose}", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .no_proxy()
        .referer(false)
}

/// Answers every name with the address that was checked.
struct Pinned(SocketAddr);

impl Resolve for Pinned {
    fn resolve(&self, _: Name) -> Resolving {
        let addresses: Addrs = Box::new(std::iter::once(self.0));
        Box::pin(std::future::ready(Ok(addresses)))
    }
}

async fn read(url: Url, mut response: Response, kinds: &[&str]) -> Result<Fetched, Refusal> {
    if !response.status().is_success() {
        return Err(Refusal::Answer("no success"));
    }
    let headers = response.headers().clone();
    let kind = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !kinds.contains(&kind.as_str()) {
        return Err(Refusal::Answer("another type"));
    }
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(|_| Refusal::Unreachable)? {
        let room = MOST_BYTES - body.len();
        body.extend_from_slice(&part[..part.len().min(room)]);
        if body.len() == MOST_BYTES {
            break;
        }
    }
    Ok(Fetched { url, headers, body })
}

#[cfg(test)]
mod tests;
