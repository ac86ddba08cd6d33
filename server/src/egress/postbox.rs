//! Posts to services that people name, over connections that are kept: many letters go to few services.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use confab_core::{Fault, Result};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, StatusCode};
use url::{Host, Url};

use super::address::{host_of, is_global};
use super::{Refusal, closed};

/// From asking for the name to the head of the answer. What a service says beyond that is not read.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// Connections to one host that are kept, and how long.
const KEPT: usize = 8;
const KEPT_FOR: Duration = Duration::from_secs(30);

/// What a service said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// How it went.
    pub status: StatusCode,
    /// How long it asks to be left alone.
    pub retry_after: Option<Duration>,
}

/// Posts.
#[derive(Clone, Debug)]
pub struct Postbox {
    client: Client,
    checked: Checked,
}

impl Postbox {
    /// `allows_loopback`: services of this machine itself may be spoken to, without TLS.
    ///
    /// # Errors
    /// [`Fault::Internal`] when there can be no client.
    pub fn new(allows_loopback: bool) -> Result<Self> {
        let checked = Checked { allows_loopback };
        let builder = || {
            closed("")
                .dns_resolver(Arc::new(checked))
                .https_only(!allows_loopback)
                .pool_max_idle_per_host(KEPT)
                .pool_idle_timeout(KEPT_FOR)
                .timeout(PATIENCE)
        };
        // A machine that trusts no authority reaches no service, and serves people all the same.
        let client = builder().build().or_else(|_| builder().tls_certs_only([]).build());
        Ok(Self { client: client.map_err(Fault::internal)?, checked })
    }

    /// The address, when it may be a service's: https, nothing of a user in it, and no address of a network that is not
    /// everybody's. What a name leads to is checked when it is resolved.
    #[must_use]
    pub fn admitted(&self, text: &str) -> Option<Url> {
        self.checked.admits(text)
    }

    /// Posts to an address that is [admitted](Self::admitted) now, whatever was so when it was noted.
    pub async fn post(&self, address: &str, headers: HeaderMap, body: Vec<u8>) -> Result<Answered, Refusal> {
        let url = self.admitted(address).ok_or(Refusal::Address("no push service's"))?;
        let answer = self.client.post(url).headers(headers).body(body).send().await.map_err(|error| {
            // Without the address: it is a secret of the browser's.
            tracing::debug!(error = %error.without_url(), "a service was not reached");
            Refusal::Unreachable
        })?;
        let seconds = answer.headers().get(RETRY_AFTER).and_then(|it| it.to_str().ok()?.parse().ok());
        Ok(Answered { status: answer.status(), retry_after: seconds.map(Duration::from_secs) })
    }
}

/// The check. Resolves names for the client too, and answers only addresses that may be spoken to: the client connects to
/// exactly these.
#[derive(Clone, Copy, Debug)]
struct Checked {
    allows_loopback: bool,
}

impl Checked {
    fn admits(self, text: &str) -> Option<Url> {
        let url = Url::parse(text).ok()?;
        let literal = match host_of(&url).ok()? {
            Host::Ipv4(it) => Some(IpAddr::V4(it)),
            Host::Ipv6(it) => Some(IpAddr::V6(it)),
            // A name without a dot is one of this network, whatever it resolves to.
            Host::Domain(name) if !name.trim_end_matches('.').contains('.') => return None,
            Host::Domain(_) => None,
        };
        let is_good = match (url.scheme(), literal) {
            ("http" | "https", Some(address)) if self.allows_loopback && address.is_loopback() => true,
            ("https", Some(address)) => is_global(address),
            ("https", None) => true,
            _ => false,
        };
        (is_good && url.fragment().is_none()).then_some(url)
    }
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let allows_loopback = self.allows_loopback;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let good: Vec<SocketAddr> =
                found.filter(|it| is_global(it.ip()) || (allows_loopback && it.ip().is_loopback())).collect();
            if good.is_empty() {
                return Err("the name leads to no address of the internet".into());
            }
            Ok(Box::new(good.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_internet_is_spoken_to() {
        let admitted = |text: &str, allows_loopback| Checked { allows_loopback }.admits(text);
        for good in ["https://fcm.googleapis.com/fcm/send/a", "https://8.8.8.8/x", "https://[2606:4700::1]/x"]
        {
            assert!(admitted(good, false).is_some(), "{good}");
        }
        for bad in [
            "http://push.example.org/x",
            "ftp://push.example.org/x",
            "https://ada:secret@push.example.org/x",
            "https://push.example.org/x#y",
            "https://localhost/x",
            "https://metadata/x",
            "https://127.0.0.1/x",
            "https://2130706433/x",
            "https://0x7f.1/x",
            "https://0177.0.0.1/x",
            "https://[::1]/x",
            "https://[::ffff:127.0.0.1]/x",
            "https://[::ffff:a00:1]/x",
            "https://169.254.169.254/latest",
            "https://10.0.0.1/x",
            "https://172.31.255.255/x",
            "https://192.168.1.1/x",
            "https://100.64.0.1/x",
            "https://198.18.0.1/x",
            "https://0.0.0.0/x",
            "https://224.0.0.1/x",
            "https://255.255.255.255/x",
            "https://[fc00::1]/x",
            "https://[fe80::1]/x",
            "https://[2002:7f00:1::]/x",
            "https://[2001:0:7f00:1::]/x",
            "https://[64:ff9b::7f00:1]/x",
            "https://[::]/x",
            "not an address",
            "",
        ] {
            assert!(admitted(bad, false).is_none(), "{bad}");
        }
        assert!(admitted("http://127.0.0.1:99/x", true).is_some());
        assert!(
            admitted("http://10.0.0.1/x", true).is_none() && admitted("https://10.0.0.1/x", true).is_none()
        );
    }

    #[tokio::test]
    async fn what_is_not_admitted_is_not_called_either() {
        let postbox = Postbox::new(false).expect("a client");
        for inside in ["http://127.0.0.1:9/", "https://localhost/", "https://[::1]/", "https://a@8.8.8.8/"] {
            let refused = postbox.post(inside, HeaderMap::new(), Vec::new()).await.err();
            assert_eq!(refused, Some(Refusal::Address("no push service's")), "{inside}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_followed() {
        let resolve = async |allows_loopback| {
            let name = "localhost".parse().expect("a name");
            Checked { allows_loopback }.resolve(name).await.is_ok()
        };
        assert!(!resolve(false).await);
        assert!(resolve(true).await);
    }
}
