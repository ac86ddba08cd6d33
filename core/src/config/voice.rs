//! How voice channels work: who helps browsers to find each other, and how many talk in one room.

use std::net::Ipv6Addr;

use super::Secret;

/// Helpers that browsers are told of; more only make them slower.
const SERVERS: usize = 8;
/// Each sends to all others: more would ask too much of a browser.
const MOST_PARTICIPANTS: usize = 50;

/// See the module.
#[derive(Clone, Debug)]
pub struct Voice {
    /// `stun:` and `turn:` addresses.
    pub ice_servers: Vec<String>,
    /// Shared with the TURN servers; empty where there are none.
    pub turn_secret: Secret,
    /// People in one room.
    pub participants: usize,
}

pub(super) fn voice(
    servers: Vec<String>,
    turn_secret: String,
    participants: &str,
    faults: &mut Vec<String>,
) -> Voice {
    if servers.len() > SERVERS {
        faults.push(format!("ice_servers: at most {SERVERS} addresses, not {}", servers.len()));
    }
    for server in servers.iter().filter(|server| !is_server(server)) {
        faults.push(format!("ice_servers: {server:?} is no address such as stun:stun.example.org:3478 or turns:turn.example.org:5349?transport=tcp"));
    }
    let has_turn = servers.iter().any(|server| server.starts_with("turn"));
    if has_turn && turn_secret.is_empty() {
        faults.push("ice_servers: turn: needs turn_secret, the static-auth-secret of the TURN server".into());
    }
    if !has_turn && !turn_secret.is_empty() {
        faults.push("turn_secret needs a turn: or turns: address in ice_servers".into());
    }
    let count = participants.parse().ok().filter(|count| (2..=MOST_PARTICIPANTS).contains(count));
    if count.is_none() {
        faults.push(format!(
            "voice_participants must be between 2 and {MOST_PARTICIPANTS}, not {participants:?}"
        ));
    }
    Voice { ice_servers: servers, turn_secret: Secret(turn_secret), participants: count.unwrap_or(2) }
}

/// `stun:HOST[:PORT]`, `turn:HOST[:PORT][?transport=udp|tcp]`, and the same over TLS: what browsers take. One that they
/// do not take would end every call before it begins.
fn is_server(address: &str) -> bool {
    let Some((scheme, rest)) = address.split_once(':') else { return false };
    let (place, is_relay) = match scheme {
        "stun" | "stuns" => (rest, false),
        "turn" | "turns" => (rest, true),
        _ => return false,
    };
    let (place, transport) =
        place.split_once('?').map_or((place, None), |(place, query)| (place, Some(query)));
    if !transport.is_none_or(|query| is_relay && ["transport=udp", "transport=tcp"].contains(&query)) {
        return false;
    }
    let (is_host, port) =
        if let Some((host, port)) = place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            let port = port.strip_prefix(':').or(port.is_empty().then_some("1"));
            (host.parse::<Ipv6Addr>().is_ok(), port)
        } else {
            let (host, port) = place.split_once(':').unwrap_or((place, "1"));
            let is_letter = |it: char| it.is_ascii_alphanumeric() || matches!(it, '.' | '-');
            (!host.is_empty() && host.chars().all(is_letter), Some(port))
        };
    is_host && port.is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

#[cfg(test)]
mod tests {
    use super::{is_server, voice};

    #[test]
    fn addresses_are_those_that_browsers_take() {
        for address in [
            "stun:stun.example.org",
            "stun:10.0.0.1:3478",
            "stuns:s.example.org:5349",
            "turn:turn.example.org:3478?transport=udp",
            "turns:turn.example.org?transport=tcp",
            "turn:[2001:db8::1]:3478",
            "stun:[2001:db8::1]",
        ] {
            assert!(is_server(address), "{address}");
        }
        for address in [
            "",
            "stun:",
            "stun.example.org",
            "https://turn.example.org",
            "turn://turn.example.org",
            "stun:host?transport=udp",
            "turn:host?transport=sctp",
            "turn:host:0",
            "turn:host:99999",
            "turn:[nothing]:1",
            "turn:[::1]x",
            "turn:user:password@host",
        ] {
            assert!(!is_server(address), "{address}");
        }
    }

    #[test]
    fn what_cannot_work_is_said_in_one_sentence_each() {
        let faults_of = |servers: &[&str], secret: &str, participants: &str| {
            let mut faults = Vec::new();
            let servers = servers.iter().map(|it| (*it).to_owned()).collect();
            voice(servers, secret.to_owned(), participants, &mut faults);
            faults
        };
        assert!(faults_of(&[], "", "12").is_empty());
        assert!(faults_of(&["stun:a", "turn:b"], "secret", "50").is_empty());
        for (servers, secret, participants, words) in [
            (&["turn:b"][..], "", "12", "needs turn_secret"),
            (&["stun:a"], "secret", "12", "needs a turn:"),
            (&["http://a"], "", "12", "is no address"),
            (&["stun:a"; 9], "", "12", "at most 8"),
            (&[], "", "1", "between 2 and 50"),
            (&[], "", "many", "between 2 and 50"),
        ] {
            let faults = faults_of(servers, secret, participants);
            assert!(faults.len() == 1 && faults[0].contains(words), "{faults:?}");
        }
    }
}
