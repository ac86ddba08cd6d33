//! What is known of the issuer: its addresses and keys, fetched when they are needed.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey};

use super::cached::{Cached, Terms};
use super::discovery::Discovery;
use super::egress::{Egress, Failure};
use super::keys::Keys;
use super::verify::Refusal;

/// Signing in must go on through an outage of the issuer's publications, but not for ever.
const STALE: Duration = Duration::from_hours(24);
/// Tokens with invented key ids must not make us ask the issuer more often than this.
const APART: Duration = Duration::from_mins(1);
/// Shorter while nothing is known: the issuer may be starting together with us.
const APART_WITHOUT: Duration = Duration::from_secs(5);

const OF_ADDRESSES: Terms =
    Terms { fresh: Duration::from_hours(1), stale: STALE, apart: APART, apart_without: APART_WITHOUT };
/// A key that the issuer withdrew counts no longer than this.
const OF_KEYS: Terms = Terms { fresh: Duration::from_mins(10), ..OF_ADDRESSES };

/// The issuer, from here.
#[derive(Clone)]
pub struct Provider {
    issuer: Arc<str>,
    egress: Egress,
    discovery: Cached<Discovery>,
    keys: Cached<Keys>,
}

impl Provider {
    /// Nothing is known yet.
    pub fn new(issuer: &str, egress: Egress) -> Self {
        let discovery = Cached::new("the identity provider's addresses", OF_ADDRESSES);
        let keys = Cached::new("the identity provider's keys", OF_KEYS);
        Self { issuer: issuer.into(), egress, discovery, keys }
    }

    /// How it is asked.
    pub fn egress(&self) -> &Egress {
        &self.egress
    }

    /// Its addresses, when they can be had.
    pub async fn discovery(&self) -> Option<Arc<Discovery>> {
        let (egress, issuer) = (self.egress.clone(), Arc::clone(&self.issuer));
        self.discovery.get(async move { Discovery::fetch(&egress, &issuer).await }).await
    }

    /// The key that a token names. An unknown one may be a new one: then the keys are fetched again.
    pub async fn key(&self, id: Option<&str>, algorithm: Algorithm) -> Result<Arc<DecodingKey>, Refusal> {
        let keys = self.keys.get(self.fetch_keys()).await.ok_or(Refusal::NoKeys)?;
        if let Some(key) = keys.find(id, algorithm) {
            return Ok(key);
        }
        let keys = self.keys.after(keys, self.fetch_keys()).await;
        keys.find(id, algorithm).ok_or(Refusal::Defect("no such key"))
    }

    fn fetch_keys(&self) -> impl Future<Output = Result<Keys, Failure>> + Send + 'static {
        let this = self.clone();
        async move {
            let unknown = || Failure::Unreachable("where they are is not known".into());
            let discovery = this.discovery().await.ok_or_else(unknown)?;
            this.egress.get(&discovery.keys, None).await.map(Keys::of)
        }
    }
}
