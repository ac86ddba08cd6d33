//! Tokens: ours are short-lived and signed, others are an outside issuer's, or personal and bot tokens. Each is checked
//! against its session on every call.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use confab_core::api_tokens;
use confab_core::sessions::{self, Device, Live, Method};
use confab_core::{Db, Fault, FutureExt, Result, identities, text};
use confab_protocol::{SessionId, Timestamp, UserId};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use crate::caller::Caller;
use crate::oidc::{self, Issuer, Verified};

/// How long a token is good for.
pub const LASTS: Duration = Duration::from_mins(30);
/// Clocks may differ by this much.
const LEEWAY_SECONDS: i64 = 30;
/// A revoked session is noticed within this time even when its event gets lost.
const TRUSTED: Duration = Duration::from_secs(5);
/// Sessions remembered at once.
const REMEMBERED: usize = 50_000;
/// Longer ones are refused unread: no token of ours has a quarter of it, some of outside issuers have half.
const LONGEST_BYTES: usize = 8_192;
/// A session's last use is written down this often.
const NOTED_EVERY: Duration = Duration::from_mins(1);
/// The type of our access tokens (RFC 9068).
const TYPE: &str = "at+jwt";

const ISSUER: &str = "confab";
const AUDIENCE: &str = "confab-api";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    iss: String,
    aud: String,
    sub: UserId,
    sid: SessionId,
    jti: uuid::Uuid,
    iat: i64,
    nbf: i64,
    exp: i64,
}

/// Signs and checks. One key of at least 256 bits, so that HS256 is as strong as its hash.
///
/// Three kinds of tokens, told apart before anything is believed: ours by their issuer, an outside issuer's by exactly its
/// name, personal and bot tokens by their first letters. Each has one validator and no other.
pub struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    outside: Option<Arc<Issuer>>,
    known: Mutex<HashMap<SessionId, (Instant, Live)>>,
    /// How often something was forgotten.
    changes: AtomicU64,
    /// Sessions by the hash of the token that stands for them.
    by_hash: Mutex<HashMap<String, SessionId>>,
}

fn refused() -> Fault {
    Fault::Unauthenticated { code: "invalid_token", message: "the access token is missing, wrong or expired" }
}

impl Tokens {
    /// Uses `key`, which the settings have checked.
    #[must_use]
    pub fn new(key: &[u8], outside: Option<Arc<Issuer>>) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        // By default the crate checks these only when they are there.
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub", "nbf"]);
        // By this machine's clock; ours are held against the one that all servers go by.
        validation.validate_exp = false;
        Self {
            encoding: EncodingKey::from_secret(key),
            decoding: DecodingKey::from_secret(key),
            validation,
            outside,
            known: Mutex::default(),
            changes: AtomicU64::new(0),
            by_hash: Mutex::default(),
        }
    }

    /// A token for a session.
    pub fn issue(&self, user: UserId, session: SessionId) -> Result<String> {
        let now = Timestamp::now().0 / 1_000;
        let claims = Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: user,
            sid: session,
            jti: uuid::Uuid::new_v4(),
            iat: now,
            nbf: now,
            exp: now + LASTS.as_secs() as i64,
        };
        let header = Header { typ: Some(TYPE.into()), ..Header::new(Algorithm::HS256) };
        jsonwebtoken::encode(&header, &claims, &self.encoding).map_err(Fault::internal)
    }

    /// Who holds this token, if it is good and its session lives. `device` is where it came from.
    ///
    /// # Errors
    /// [`Fault::Unauthenticated`].
    pub async fn check(&self, db: &Db, token: &str, device: Device) -> Result<Caller> {
        if token.len() > LONGEST_BYTES {
            return Err(refused());
        }
        let address = device.ip_address.clone();
        let (live, expires_at) = if token.starts_with(api_tokens::PREFIX) {
            let live = Box::pin(self.of_api_token(db, token)).await?;
            (live, live.expires_at)
        } else {
            match &self.outside {
                Some(outside) if oidc::claimed_issuer(token).as_deref() == Some(outside.issuer()) => {
                    // Boxed: else every request would carry room for what an outside issuer's token needs.
                    Box::pin(self.of_outside(db, outside, token, device)).await?
                }
                _ => self.of_ours(db, token).await?,
            }
        };
        Ok(Caller::of(live, expires_at, address))
    }

    async fn of_ours(&self, db: &Db, token: &str) -> Result<(Live, Timestamp)> {
        if !is_strict(token) {
            return Err(refused());
        }
        let data =
            jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation).map_err(|_| refused())?;
        // A refresh or identity token of another kind must not pass as an access token, nor one that asks for an
        // extension which is not understood here (RFC 7515 §4.1.11; the crate passes over it).
        if data.header.typ.as_deref() != Some(TYPE) || data.header.crit.is_some() {
            return Err(refused());
        }
        let claims = data.claims;
        let now = Timestamp::now().0 / 1_000;
        let is_over = claims.exp < now - LEEWAY_SECONDS;
        let is_of_the_future = claims.iat.max(claims.nbf) > now + LEEWAY_SECONDS;
        if is_over || is_of_the_future || claims.exp.saturating_sub(claims.iat) > LASTS.as_secs() as i64 {
            return Err(refused());
        }
        let live = self.live(db, claims.sid).await?;
        // A session that stands for another kind of token has no access tokens of ours.
        if live.user_id != claims.sub || live.method == Method::Token {
            return Err(refused());
        }
        Ok((live, Timestamp(claims.exp.saturating_mul(1_000))))
    }

    async fn of_api_token(&self, db: &Db, token: &str) -> Result<Live> {
        let hash = text::hash(token);
        let known = self.by_hash.lock().unwrap_or_else(PoisonError::into_inner).get(&hash).copied();
        let session = match known {
            Some(session) => session,
            None => api_tokens::session_of(&mut db.read(), &hash).await?.ok_or_else(refused)?,
        };
        let live = self.live(db, session).await.map_err(|fault| match fault {
            // Tokens have no sessions to tell of.
            Fault::Unauthenticated { .. } | Fault::NotFound(_) => refused(),
            // A record that does not answer says nothing of the token: a bot would take itself for revoked.
            other => other,
        })?;
        self.remember(hash, session);
        Ok(live)
    }

    /// An outside issuer's token stands for a session of its own from its first use on, so that it is listed and can be
    /// revoked as any other way in.
    async fn of_outside(
        &self,
        db: &Db,
        outside: &Issuer,
        token: &str,
        device: Device,
    ) -> Result<(Live, Timestamp)> {
        let Verified { claims, expires_at, key } = outside.verify_access_token(token).await?;
        let known = self.by_hash.lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied();
        let known = match known {
            Some(session) => Some(session),
            None => sessions::of_external(&mut db.read(), &key).await?,
        };
        if let Some(session) = known {
            self.remember(key, session);
            return Ok((self.live(db, session).await?, expires_at));
        }
        let user = identities::user_of(&mut db.read(), &claims.issuer, &claims.subject).await?;
        let user = user.ok_or(Fault::Unauthenticated {
            code: "unknown_identity",
            message: "nobody here has this identity yet: POST auth/sync first",
        })?;
        let session = self.begin_outside(db, user, device, &key, expires_at).await?;
        Ok((self.live(db, session).await?, expires_at))
    }

    /// The session that an outside token stands for, made at its first use.
    pub async fn begin_outside(
        &self,
        db: &Db,
        user: UserId,
        device: Device,
        key: &str,
        expires_at: Timestamp,
    ) -> Result<SessionId> {
        let kept = key.to_owned();
        let started = db
            .write(move |tx| {
                async move { sessions::start_external(tx, user, device, &kept, expires_at).await }.boxed()
            })
            .await;
        match started {
            // Another call with the same token came first.
            Err(Fault::Unauthenticated { .. }) => {
                sessions::of_external(&mut db.read(), key).await?.ok_or_else(refused)
            }
            other => other,
        }
    }

    fn remember(&self, hash: String, session: SessionId) {
        let mut known = self.by_hash.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(hash, session);
    }

    /// A number that rises whenever a session or what somebody may has changed. Whoever finds the same number twice knows
    /// that what was checked between the two is as true at the second as it was then.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Forgets what is known of a session that ended.
    pub fn forget(&self, session: SessionId) {
        self.lose(|known| {
            known.remove(&session);
        });
    }

    /// Forgets everything: a user changed, and sessions are not kept by user.
    pub fn forget_all(&self) {
        self.lose(HashMap::clear);
    }

    fn lose(&self, what: impl FnOnce(&mut HashMap<SessionId, (Instant, Live)>)) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        what(&mut known);
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// What a session is worth now; asked again and again it costs nothing.
    ///
    /// # Errors
    /// [`Fault::Unauthenticated`] when it has ended.
    pub async fn live(&self, db: &Db, session: SessionId) -> Result<Live> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&session).copied();
        if let Some((since, live)) = known
            && since.elapsed() < TRUSTED
        {
            return Ok(live);
        }
        Box::pin(self.read(db, session)).await
    }

    async fn read(&self, db: &Db, session: SessionId) -> Result<Live> {
        let (asked, changes) = (Instant::now(), self.changes());
        let live = sessions::live(&mut db.read(), session).await?;
        note_use(db, &live);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.retain(|_, (since, _)| since.elapsed() < TRUSTED);
        }
        // An answer that was overtaken on its way is worth this call and no other.
        if known.len() < REMEMBERED && self.changes() == changes {
            known.insert(session, (asked, live));
        }
        Ok(live)
    }
}

/// Writes down that a session is in use, at most once a minute, and lets nobody wait for it.
fn note_use(db: &Db, live: &Live) {
    if Timestamp::now().0 - live.last_used_at.0 < NOTED_EVERY.as_millis() as i64 {
        return;
    }
    let (db, session) = (db.clone(), live.session_id);
    tokio::spawn(async move {
        let noted = db.write(move |tx| async move { sessions::touch(tx, session).await }.boxed()).await;
        if let Err(fault) = noted {
            tracing::debug!(%fault, "the use of a session was not noted");
        }
    });
}

/// Three parts of canonical base64: the decoder would pass over stray bits, and two texts would be one token.
fn is_strict(token: &str) -> bool {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let parts: Vec<&str> = token.split('.').collect();
    parts.len() == 3
        && parts.iter().all(|part| {
            URL_SAFE_NO_PAD.decode(part).is_ok_and(|bytes| URL_SAFE_NO_PAD.encode(bytes) == **part)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(tokens: &Tokens, token: &str) -> bool {
        jsonwebtoken::decode::<Claims>(token, &tokens.decoding, &tokens.validation).is_ok()
    }

    #[test]
    fn only_our_own_tokens_pass() {
        let tokens = Tokens::new(&[7; 32], None);
        let token = tokens.issue(UserId::new(), SessionId::new()).expect("a token");
        assert!(decode(&tokens, &token));
        assert!(!decode(&Tokens::new(&[8; 32], None), &token), "another key");
        let (head, signature) = token.rsplit_once('.').expect("three parts");
        assert!(!decode(&tokens, head), "no signature");
        assert!(!decode(&tokens, &format!("{head}.")), "an empty signature");
        assert!(!decode(&tokens, &format!("{head}.{}", &signature[..10])), "a cut signature");
        let claims = head.split('.').nth(1).expect("claims");
        // {"alg":"none"}
        assert!(!decode(&tokens, &format!("eyJhbGciOiJub25lIn0.{claims}.")), "alg none");
    }
}
