//! Paths that other chat servers' clients use, rewritten to ours: the one table. No handler exists twice.

/// What stands in front, and what takes its place. The longest match wins; the rest of the path follows unchanged.
const PREFIXES: &[(&str, &str)] = &[
    ("/api/auth", "/api/v1/auth"),
    ("/api/channels", "/api/v1/channels"),
    ("/api/rooms", "/api/v1/channels"),
    ("/api/messages", "/api/v1/messages"),
    ("/api/users", "/api/v1/users"),
    ("/api/files", "/api/v1/files"),
    ("/api/search", "/api/v1/search"),
    ("/api/ws", "/ws"),
    ("/api/ws/voice", "/ws/voice"),
    ("/api/v1/ws/voice", "/ws/voice"),
    ("/ws/chat", "/ws"),
    ("/ws/presence", "/ws"),
    ("/auth", "/api/v1/auth"),
    ("/channels", "/api/v1/channels"),
    ("/users", "/api/v1/users"),
];

/// Slack's address of a webhook: names of its own, which mean nothing here, and last the secret.
pub const SLACK_WEBHOOKS: &str = "/services/";

/// The canonical path, when `path` is another name of it. A browser that asks for a page gets the web client there
/// instead: `/channels/…` is also one of its routes.
#[must_use]
pub fn canonical(path: &str, wants_page: bool) -> Option<String> {
    if let Some(names) = path.strip_prefix(SLACK_WEBHOOKS) {
        let secret = names.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        return Some(format!("/hooks/{secret}"));
    }
    if wants_page && !path.starts_with("/api/") {
        return None;
    }
    let trimmed = if path.len() > 1 { path.trim_end_matches('/') } else { path };
    let found = PREFIXES
        .iter()
        .filter(|(from, _)| {
            trimmed.strip_prefix(from).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
        .max_by_key(|(from, _)| from.len());
    match found {
        // A socket has no path below it: the room of `/api/ws/{room}` is one that the user hears anyway.
        Some((_, "/ws")) => Some("/ws".into()),
        Some((from, to)) => Some(format!("{to}{}", &trimmed[from.len()..])),
        None if trimmed != path && trimmed.starts_with("/api/v1/") => Some(trimmed.to_owned()),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn every_foreign_path_has_one_canonical_form() {
        for (from, to) in [
            ("/auth/login", "/api/v1/auth/login"),
            ("/api/rooms/1/messages", "/api/v1/channels/1/messages"),
            ("/api/rooms", "/api/v1/channels"),
            ("/channels/", "/api/v1/channels"),
            ("/users/me", "/api/v1/users/me"),
            ("/api/ws/5", "/ws"),
            ("/ws/chat", "/ws"),
            ("/api/v1/ws/voice/5", "/ws/voice/5"),
            ("/api/ws/voice/5", "/ws/voice/5"),
            ("/api/v1/channels/", "/api/v1/channels"),
            ("/services/T000/B000/secret", "/hooks/secret"),
            ("/services/secret/", "/hooks/secret"),
            ("/services/", "/hooks/"),
            ("/services/hooks/plugins", "/hooks/plugins"),
        ] {
            assert_eq!(canonical(from, false).as_deref(), Some(to), "{from}");
        }
        assert_eq!(canonical("/channels/5", true), None, "a page");
        assert_eq!(canonical("/ws/voice/5", false), None, "its own name");
        assert_eq!(canonical("/authority", false), None);
        assert_eq!(canonical("/services", false), None);
        assert_eq!(canonical("/api/v1/channels", false), None);
        assert_eq!(canonical("/", false), None);
    }
}
