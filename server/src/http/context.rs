//! What is known of the request that is being answered: its id and where it came from.

use std::net::IpAddr;

use poem::Request;
use poem::web::RemoteAddr;

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
        let address = if trusted.contains(&peer) {
            request
                .headers()
                .get_all("x-forwarded-for")
                .iter()
                .filter_map(|value| value.to_str().ok())
                .flat_map(|value| value.split(','))
                .filter_map(|part| part.trim().parse::<IpAddr>().ok())
                .rfind(|hop| !trusted.contains(hop))
                .unwrap_or(peer)
        } else {
            peer
        };
        Self { request_id: uuid::Uuid::now_v7().to_string(), path: request.uri().path().to_owned(), address }
    }
}

fn peer(address: &RemoteAddr) -> Option<IpAddr> {
    address.0.as_socket_addr().map(std::net::SocketAddr::ip)
}
