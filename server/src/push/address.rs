//! Which addresses a push service may have. Whoever subscribes names one: without this check that would be a way to make
//! the server call whatever stands beside it.

use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::egress::is_global;

/// The address, when it may be a push service's: https, nothing of a user in it, and no address of a network that is not
/// everybody's. What a name leads to is checked when it is resolved, by [`Guard`].
#[must_use]
pub fn admitted(text: &str, allows_loopback: bool) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return None;
    }
    let literal = match url.host()? {
        Host::Ipv4(it) => Some(IpAddr::V4(it)),
        Host::Ipv6(it) => Some(IpAddr::V6(it)),
        Host::Domain(name) => {
            // A name without a dot is one of this network, whatever it resolves to.
            if !name.trim_end_matches('.').contains('.') {
                return None;
            }
            None
        }
    };
    match (url.scheme(), literal) {
        (_, Some(address)) if allows_loopback && address.is_loopback() => Some(url),
        ("https", Some(address)) => is_global(address).then_some(url),
        ("https", None) => Some(url),
        _ => None,
    }
}

/// Resolves names for the client that sends, and answers only addresses that may be spoken to. The client connects to
/// exactly these: a name that leads elsewhere a moment later is not asked again.
pub struct Guard {
    /// See [`admitted`].
    pub allows_loopback: bool,
}

impl Resolve for Guard {
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
    async fn a_name_that_leads_inside_is_not_followed() {
        let resolve = async |allows_loopback| {
            let name = "localhost".parse().expect("a name");
            Guard { allows_loopback }.resolve(name).await.is_ok()
        };
        assert!(!resolve(false).await);
        assert!(resolve(true).await);
    }
}
