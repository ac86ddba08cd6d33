//! Access tokens: short-lived, signed, and checked against the session on every call.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use confab_core::sessions::{self, Live};
use confab_core::{Db, Fault, Result};
use confab_protocol::{SessionId, Timestamp, UserId};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

/// How long a token is good for.
pub const LASTS: Duration = Duration::from_mins(30);
/// Clocks may differ by this much.
const LEEWAY_SECONDS: u64 = 30;
/// A revoked session is noticed within this time even when its event gets lost.
const TRUSTED: Duration = Duration::from_secs(5);
/// Sessions remembered at once.
const REMEMBERED: usize = 50_000;
/// Longer ones are refused unread: no token of ours has half of it.
const LONGEST_BYTES: usize = 4_096;

const ISSUER: &str = "confab";
const AUDIENCE: &str = "confab-api";

#[derive(Serialize, Deserialize)]
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

/// Who is calling.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// Which user.
    pub user_id: UserId,
    /// On which device.
    pub session_id: SessionId,
    /// May administer.
    pub is_superuser: bool,
    /// When the token ends.
    pub expires_at: Timestamp,
}

/// Signs and checks. One key of at least 256 bits, so that HS256 is as strong as its hash.
pub struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    known: Mutex<HashMap<SessionId, (Instant, Live)>>,
}

fn refused() -> Fault {
    Fault::Unauthenticated { code: "invalid_token", message: "the access token is missing, wrong or expired" }
}

impl Tokens {
    /// Uses `key`, which the settings have checked.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        // By default the crate checks these only when they are there.
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub", "nbf"]);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY_SECONDS;
        Self {
            encoding: EncodingKey::from_secret(key),
            decoding: DecodingKey::from_secret(key),
            validation,
            known: Mutex::default(),
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
        let header = Header { typ: Some("at+jwt".into()), ..Header::new(Algorithm::HS256) };
        jsonwebtoken::encode(&header, &claims, &self.encoding).map_err(Fault::internal)
    }

    /// Who holds this token, if it is good and its session lives.
    ///
    /// # Errors
    /// [`Fault::Unauthenticated`].
    pub async fn check(&self, db: &Db, token: &str) -> Result<Caller> {
        if token.len() > LONGEST_BYTES {
            return Err(refused());
        }
        let data =
            jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation).map_err(|_| refused())?;
        // A refresh or identity token of another kind must not pass as an access token.
        if data.header.typ.as_deref() != Some("at+jwt") {
            return Err(refused());
        }
        let claims = data.claims;
        let live = self.live(db, claims.sid).await?;
        if live.user_id != claims.sub {
            return Err(refused());
        }
        Ok(Caller {
            user_id: claims.sub,
            session_id: claims.sid,
            is_superuser: live.is_superuser,
            expires_at: Timestamp(claims.exp * 1_000),
        })
    }

    /// Forgets what is known of a session that ended.
    pub fn forget(&self, session: SessionId) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(&session);
    }

    /// Forgets everything: a user changed, and sessions are not kept by user.
    pub fn forget_all(&self) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    async fn live(&self, db: &Db, session: SessionId) -> Result<Live> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&session).copied();
        if let Some((since, live)) = known
            && since.elapsed() < TRUSTED
        {
            return Ok(live);
        }
        let live = sessions::live(&mut db.read(), session).await?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.retain(|_, (since, _)| since.elapsed() < TRUSTED);
        }
        if known.len() < REMEMBERED {
            known.insert(session, (Instant::now(), live));
        }
        Ok(live)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(tokens: &Tokens, token: &str) -> bool {
        jsonwebtoken::decode::<Claims>(token, &tokens.decoding, &tokens.validation).is_ok()
    }

    #[test]
    fn only_our_own_tokens_pass() {
        let tokens = Tokens::new(&[7; 32]);
        let token = tokens.issue(UserId::new(), SessionId::new()).expect("a token");
        assert!(decode(&tokens, &token));
        assert!(!decode(&Tokens::new(&[8; 32]), &token), "another key");
        let (head, signature) = token.rsplit_once('.').expect("three parts");
        assert!(!decode(&tokens, head), "no signature");
        assert!(!decode(&tokens, &format!("{head}.")), "an empty signature");
        assert!(!decode(&tokens, &format!("{head}.{}", &signature[..10])), "a cut signature");
        let claims = head.split('.').nth(1).expect("claims");
        // {"alg":"none"}
        assert!(!decode(&tokens, &format!("eyJhbGciOiJub25lIn0.{claims}.")), "alg none");
    }
}
