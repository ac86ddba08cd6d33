//! Personal access tokens and bot tokens: for programs, scoped, stored as hashes, shown once.
//!
//! Each stands on a session row: revoking one ends that session, which closes its sockets as any other end does.

use std::time::Duration;

use confab_protocol::{SessionId, Timestamp, UserId};
use serde_json::json;
use uuid::Uuid;

use crate::audit::{self, Action, Actor, Target};
use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};
use crate::roles::{Granted, Permission, Standing, ask};
use crate::sessions::{self, Device, Method};
use crate::{text, users};

/// What a token of ours begins with, so that people and scanners of secrets recognise one.
pub const PREFIX: &str = "cfb_";
/// Longest name (docs/limits.md).
const NAME_CHARACTERS: usize = 100;
/// Most live tokens of one user.
const MOST: i64 = 100;
/// Longest life, in days.
const LONGEST_DAYS: u64 = 3_650;
/// The end of a token that has none: 9999-12-31T23:59:59Z, the last second that RFC 3339 can write.
const NEVER: Timestamp = Timestamp(253_402_300_799_000);

const INSERT: &str =
    "insert into api_tokens (session_id, user_id, created_by_id, name, token_hash, scopes, created_at)
    values ($1, $2, $3, $4, $5, $6, $7)";
const OF_HASH: &str = "select session_id from api_tokens where token_hash = $1";
const LIST: &str = "select t.session_id, t.user_id, t.created_by_id, t.name, t.scopes, t.created_at, s.last_used_at, s.expires_at
    from api_tokens t join sessions s on s.id = t.session_id
    where t.user_id = $1 and s.ended_at is null and s.expires_at > $2 order by t.created_at limit 100";
const FIND: &str = "select t.session_id, t.user_id, t.created_by_id, t.name, t.scopes, t.created_at, s.last_used_at, s.expires_at
    from api_tokens t join sessions s on s.id = t.session_id where t.session_id = $1 and s.ended_at is null";
const COUNT_LIVE: &str = "select count(*) from api_tokens t join sessions s on s.id = t.session_id
    where t.user_id = $1 and s.ended_at is null and s.expires_at > $2";

/// What a token may do of what its user may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes {
    /// Look.
    pub read: bool,
    /// Change.
    pub write: bool,
    /// Administer, as far as its user may.
    pub admin: bool,
}

impl Scopes {
    /// The words there are.
    pub const WORDS: [&str; 3] = ["read", "write", "admin"];

    /// Reads what a caller wrote.
    ///
    /// # Errors
    /// [`Fault::Invalid`] in `scopes` for none, or a word that is none.
    pub fn parse(words: &[String]) -> Result<Self> {
        if words.is_empty() || words.iter().any(|it| !Self::WORDS.contains(&it.as_str())) {
            return Err(Fault::invalid("scopes", "must hold some of read, write and admin"));
        }
        Ok(Self::from_words(&words.join(" ")))
    }

    pub(crate) fn from_words(text: &str) -> Self {
        let has = |word: &str| text.split(' ').any(|it| it == word);
        Self { read: has("read"), write: has("write"), admin: has("admin") }
    }

    /// As words, in a fixed order.
    #[must_use]
    pub fn words(self) -> Vec<&'static str> {
        let held = [self.read, self.write, self.admin];
        Self::WORDS.iter().zip(held).filter(|(_, is_held)| *is_held).map(|(word, _)| *word).collect()
    }
}

/// A token without its secret.
#[derive(Clone, Debug)]
pub struct ApiToken {
    /// Which; also the id of its session.
    pub id: SessionId,
    /// Whom it acts as.
    pub user_id: UserId,
    /// Who made it.
    pub created_by_id: UserId,
    /// What for.
    pub name: String,
    /// What it may.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, to about a minute.
    pub last_used_at: Option<Timestamp>,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct TokenRow {
    session_id: Uuid,
    user_id: Uuid,
    created_by_id: Uuid,
    name: String,
    scopes: String,
    created_at: i64,
    last_used_at: i64,
    expires_at: i64,
}

impl From<TokenRow> for ApiToken {
    fn from(row: TokenRow) -> Self {
        Self {
            id: SessionId(row.session_id),
            user_id: UserId(row.user_id),
            created_by_id: UserId(row.created_by_id),
            name: row.name,
            scopes: Scopes::from_words(&row.scopes),
            created_at: Timestamp(row.created_at),
            last_used_at: Some(Timestamp(row.last_used_at)).filter(|at| at.0 > row.created_at),
            expires_at: Some(Timestamp(row.expires_at)).filter(|at| *at < NEVER),
        }
    }
}

/// What a token shall be.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What for, 1 to 100 characters.
    pub name: String,
    /// What it may.
    pub scopes: Scopes,
    /// Days until it ends by itself.
    pub expires_in_days: Option<u64>,
}

/// Makes a token for oneself, or for a bot that one made. Answers it with its secret, which is shown this once.
///
/// # Errors
/// [`Fault::NotFound`] for a user whose tokens are not the caller's to make; [`Fault::Conflict`] with code
/// `too_many_tokens`.
pub async fn create(
    tx: &mut Tx,
    by: &Actor,
    standing: Standing,
    user: UserId,
    new: NewToken,
) -> Result<(ApiToken, String)> {
    let maker = may_handle(tx, by, standing, user).await?;
    let name = text::line("name", &new.name, NAME_CHARACTERS)?;
    if new.expires_in_days.is_some_and(|days| !(1..=LONGEST_DAYS).contains(&days)) {
        return Err(Fault::invalid("expires_in_days", format!("must be between 1 and {LONGEST_DAYS}")));
    }
    let now = Timestamp::now();
    let count: i64 = run!(tx, sqlx::query_scalar(COUNT_LIVE).bind(user.0).bind(now.0), fetch_one)?;
    if count >= MOST {
        return Err(Fault::conflict("too_many_tokens", format!("there can be at most {MOST} tokens")));
    }
    let expires =
        new.expires_in_days.map_or(NEVER, |days| now.plus(Duration::from_secs(days.saturating_mul(86_400))));
    let device = Device { info: None, ip_address: by.ip_address.clone() };
    let id = sessions::open(tx, user, device, Method::Token, expires, None).await?;
    let secret = format!("{PREFIX}{}", text::secret());
    run!(
        tx,
        sqlx::query(INSERT)
            .bind(id.0)
            .bind(user.0)
            .bind(maker.0)
            .bind(name.clone())
            .bind(text::hash(&secret))
            .bind(new.scopes.words().join(" "))
            .bind(now.0),
        execute
    )?;
    let detail = json!({ "user_id": user, "name": name, "scopes": new.scopes.words() });
    audit::note(tx, by, Action::TokenCreated, Some(Target::new("token", id)), detail).await?;
    Ok((find(tx, id).await?, secret))
}

/// The session that a token stands for. Answers none for a token that never was.
pub async fn session_of(on: &mut impl Read, hash: &str) -> Result<Option<SessionId>> {
    let id: Option<Uuid> = run!(on, sqlx::query_scalar(OF_HASH).bind(hash.to_owned()), fetch_optional)?;
    Ok(id.map(SessionId))
}

/// The live tokens of oneself, or of a bot that one made.
pub async fn list(on: &mut impl Read, by: &Actor, standing: Standing, user: UserId) -> Result<Vec<ApiToken>> {
    may_handle(on, by, standing, user).await?;
    let rows: Vec<TokenRow> =
        run!(on, sqlx::query_as(LIST).bind(user.0).bind(Timestamp::now().0), fetch_all)?;
    Ok(rows.into_iter().map(ApiToken::from).collect())
}

async fn find(on: &mut impl Read, id: SessionId) -> Result<ApiToken> {
    let row: Option<TokenRow> = run!(on, sqlx::query_as(FIND).bind(id.0), fetch_optional)?;
    row.map(ApiToken::from).ok_or(Fault::NotFound("token"))
}

/// Makes a token void; its sockets close.
///
/// # Errors
/// [`Fault::NotFound`] alike for another's and one that never was.
pub async fn revoke(tx: &mut Tx, by: &Actor, standing: Standing, id: SessionId) -> Result<()> {
    let token = find(tx, id).await?;
    may_handle(tx, by, standing, token.user_id).await.map_err(|fault| match fault {
        Fault::NotFound(_) | Fault::Forbidden { .. } => Fault::NotFound("token"),
        other => other,
    })?;
    sessions::end(tx, id, token.user_id).await?;
    let detail = json!({ "user_id": token.user_id, "name": token.name });
    audit::note(tx, by, Action::TokenRevoked, Some(Target::new("token", id)), detail).await
}

/// Whose tokens somebody may make, see and revoke: their own, and those of bots that they made. A superuser may handle
/// every bot's, but no other person's: that would be acting as them without a trace for them to see. Answers who is to
/// be noted as the maker.
async fn may_handle(on: &mut impl Read, by: &Actor, standing: Standing, user: UserId) -> Result<UserId> {
    let Some(caller) = by.user_id else {
        // The operator at the command line.
        users::find(on, user).await?;
        return Ok(user);
    };
    if caller == user {
        return Ok(caller);
    }
    let bot = users::find(on, user).await?;
    if !bot.is_bot || bot.deleted_at.is_some() {
        return Err(Fault::NotFound("user"));
    }
    let granted: Granted = ask(by.clone(), standing, Permission::BotsManage)?;
    if !granted.standing().is_superuser {
        if users::created_by(on, user).await? != Some(caller) {
            return Err(Fault::NotFound("user"));
        }
        // Somebody may have given the bot more than its maker has.
        users::covered(on, &granted, user).await?;
    }
    Ok(caller)
}
