//! An address where nobody is.

use std::net::SocketAddr;

use tokio::net::TcpSocket;

/// A port that refuses all connections as long as the socket is held. One that was only given back may be somebody else's in
/// the next moment.
pub fn closed_port() -> (TcpSocket, SocketAddr) {
    let held = TcpSocket::new_v4().expect("a socket");
    held.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
    let address = held.local_addr().expect("its address");
    (held, address)
}
