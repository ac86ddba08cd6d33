//! Which addresses may be called, and which are on the Internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use super::Refusal;

/// Networks of IPv4 that are not, from IANA's registry of special purposes: first address and length.
const INSIDE: &[([u8; 4], u32)] = &[
    ([0, 0, 0, 0], 8),       // this network
    ([10, 0, 0, 0], 8),      // private
    ([100, 64, 0, 0], 10),   // shared by carriers; some clouds' metadata
    ([127, 0, 0, 0], 8),     // this machine
    ([169, 254, 0, 0], 16),  // the link; clouds' metadata
    ([172, 16, 0, 0], 12),   // private
    ([192, 0, 0, 0], 24),    // protocols
    ([192, 0, 2, 0], 24),    // documents
    ([192, 31, 196, 0], 24), // AS112
    ([192, 52, 193, 0], 24), // multicast tunnels
    ([192, 88, 99, 0], 24),  // relays of 6to4
    ([192, 168, 0, 0], 16),  // private
    ([192, 175, 48, 0], 24), // AS112
    ([198, 18, 0, 0], 15),   // benchmarks
    ([198, 51, 100, 0], 24), // documents
    ([203, 0, 113, 0], 24),  // documents
    ([224, 0, 0, 0], 4),     // multicast
    ([240, 0, 0, 0], 4),     // reserved, broadcast
];

/// Networks inside 2000::/3 that are not, or that carry an IPv4 address somewhere else: first segments and length.
const INSIDE_V6: &[([u16; 3], u32)] = &[
    ([0x2001, 0, 0], 23),           // protocols, Teredo, ORCHID
    ([0x2001, 0x0db8, 0], 32),      // documents
    ([0x2002, 0, 0], 16),           // 6to4
    ([0x2620, 0x004f, 0x8000], 48), // AS112
    ([0x3ffe, 0, 0], 16),           // the 6bone that was
    ([0x3fff, 0, 0], 20),           // documents
];

/// The host that an address names; none of those with a user's name in it, which are sent to who is there. The parser has
/// read decimal, octal and hexadecimal forms as the addresses that they are.
pub(super) fn host_of(url: &Url) -> Result<Host<&str>, Refusal> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refusal::Address("a user's name in it"));
    }
    url.host().ok_or(Refusal::Address("no host"))
}

/// Whether an address is on the Internet: not this machine, not its networks, none that only means another.
#[must_use]
pub fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_global_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => is_global_v4(mapped),
            None => is_global_v6(address),
        },
    }
}

fn is_global_v4(address: Ipv4Addr) -> bool {
    let bits = u32::from(address);
    !INSIDE.iter().any(|(first, length)| (bits ^ u32::from(Ipv4Addr::from(*first))) >> (32 - length) == 0)
}

/// Only 2000::/3 is given out: what is elsewhere (loopback, local, multicast, NAT64, IPv4-compatible) is not global.
fn is_global_v6(address: Ipv6Addr) -> bool {
    let bits = u128::from(address);
    let begins = |first: Ipv6Addr, length: u32| (bits ^ u128::from(first)) >> (128 - length) == 0;
    begins(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3)
        && !INSIDE_V6
            .iter()
            .any(|([a, b, c], length)| begins(Ipv6Addr::new(*a, *b, *c, 0, 0, 0, 0, 0), *length))
}
