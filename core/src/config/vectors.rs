//! Where vectors are kept when several workers share them.

use super::Secret;
use super::embeddings::is_endpoint;

/// A Qdrant server.
#[derive(Clone, Debug)]
pub struct QdrantServer {
    /// Its gRPC address: port 6334 where nothing else was set.
    pub url: String,
    /// Empty where none is asked for.
    key: Secret,
}

impl QdrantServer {
    /// What it asks for, if it does.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        Some(self.key.0.as_str()).filter(|key| !key.is_empty())
    }
}

pub(super) fn qdrant(text: &impl Fn(&str) -> String, faults: &mut Vec<String>) -> Option<QdrantServer> {
    let (url, key) = (text("qdrant_url"), text("qdrant_key"));
    if url.is_empty() {
        if !key.is_empty() {
            faults.push("qdrant_key needs the qdrant_url of a server".into());
        }
        return None;
    }
    // A key in the address would be in every log of it.
    if !is_endpoint(&url) {
        faults
            .push("qdrant_url must be http(s)://HOST[:PORT], such as http://qdrant.example.org:6334".into());
    }
    Some(QdrantServer { url: url.trim_end_matches('/').to_owned(), key: Secret(key) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_needed_and_holds_no_key() {
        let read = |url: &str, key: &str| {
            let mut faults = Vec::new();
            let text = |name: &str| if name == "qdrant_url" { url.to_owned() } else { key.to_owned() };
            (qdrant(&text, &mut faults), faults.len())
        };
        assert!(matches!(read("", ""), (None, 0)));
        assert!(matches!(read("", "sesame"), (None, 1)));
        let (server, faults) = read("http://vectors:6334/", "sesame");
        let server = server.unwrap();
        assert_eq!((server.url.as_str(), server.key(), faults), ("http://vectors:6334", Some("sesame"), 0));
        assert!(!format!("{server:?}").contains("sesame"));
        for wrong in ["vectors:6334", "http://", "http://key@vectors", "ftp://vectors"] {
            assert_eq!(read(wrong, "").1, 1, "{wrong}");
        }
    }
}
