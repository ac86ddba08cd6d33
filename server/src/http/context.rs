//! What is known of the request that is being answered: its id and where it came from.

use std::net::{IpAddr, SocketAddr};

use poem::Request;
use poem::web::RemoteAddr;

use super::aliases::SLACK_WEBHOOKS;

tokio::task_local! {
    /// Set around every handler; problems and logs read it.
    pub static CONTEXT: Context;
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Context {
    /// Ours, in every log line and problem of this request.
    pub request_id: String,
    /// The path that was asked for, before aliases.
    pub path: String,
    /// The client's address.
    pub address: IpAddr,
}

impl Context {
    /// The present request's; a plain one outside any.
    #[must_use]
    pub fn current() -> Self {
        CONTEXT.try_with(Clone::clone).unwrap_or_else(|_| Self {
            request_id: String::new(),
            path: String::new(),
            address: IpAddr::from([0, 0, 0, 0]),
        })
    }

    /// Reads a request. `X-Forwarded-For` is believed only from proxies that the operator named, and then from its
    /// right end: everything left of the first stranger was written by the stranger.
    #[must_use]
    pub fn of(request: &Request, trusted: &[IpAddr]) -> Self {
        let peer = peer(request.remote_addr()).unwrap_or(IpAddr::from([0, 0, 0, 0]));
        let address = if trusted.contains(&peer) { forwarded(request, trusted, peer) } else { peer };
        Self { request_id: confab_protocol::fresh_id().to_string(), path: path_of(request), address }
    }
}

/// The address of a webhook is its secret, which no log and no answer repeats.
fn path_of(request: &Request) -> String {
    let path = request.uri().path();
    if path.starts_with(SLACK_WEBHOOKS) {
        return format!("{SLACK_WEBHOOKS}(secret)");
    }
    if path.starts_with("/hooks/") && !path.starts_with("/hooks/plugins/") {
        return "/hooks/(secret)".to_owned();
    }
    path.to_owned()
}

/// The first hop from the right that is no proxy of ours. What cannot be read ends the search: left of it stands what
/// anyone may have written.
fn forwarded(request: &Request, trusted: &[IpAddr], peer: IpAddr) -> IpAddr {
    let values = request.headers().get_all("x-forwarded-for");
    let hops: Vec<&str> =
        values.iter().flat_map(|value| value.to_str().unwrap_or("?").split(',')).map(str::trim).collect();
    for hop in hops.into_iter().rev() {
        match address_of(hop) {
            Some(address) if trusted.contains(&address) => {}
            Some(address) => return address,
            None => return peer,
        }
    }
    peer
}

/// Some proxies write the port too.
fn address_of(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(hop);
    let parsed = bare.parse::<IpAddr>().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|it| it.ip()));
    parsed.map(|it| it.to_canonical())
}

fn peer(address: &RemoteAddr) -> Option<IpAddr> {
    address.0.as_socket_addr().map(std::net::SocketAddr::ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hop_that_a_trusted_proxy_wrote_counts() {
        let proxy: IpAddr = [127, 0, 0, 1].into();
        let seen = |header: &str| {
            let request = Request::builder().header("x-forwarded-for", header).finish();
            forwarded(&request, &[proxy], proxy).to_string()
        };
        assert_eq!(seen("198.51.100.1, 192.0.2.7"), "192.0.2.7");
        assert_eq!(seen("198.51.100.1, 192.0.2.7:50001"), "192.0.2.7");
        assert_eq!(seen("198.51.100.1, [2001:db8::1]:443, 127.0.0.1"), "2001:db8::1");
        assert_eq!(seen("198.51.100.1, unknown"), "127.0.0.1", "what cannot be read hides nothing behind it");
        assert_eq!(seen(""), "127.0.0.1");
    }
}
