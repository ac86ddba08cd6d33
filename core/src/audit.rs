//! The audit log: what concerns security, append-only, chained by hashes.
//!
//! Each row's hash covers the row and the hash before it (as in RFC 9162's spirit, but a plain list): whoever changes,
//! removes or inserts a row must recompute all that follow, and the head that an operator wrote down elsewhere tells.

mod action;
mod read;

use confab_protocol::{SessionId, Timestamp, UserId};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub use action::Action;
pub use read::{Checked, Entry, Filter, count, list, verify};

use crate::db::{Tx, run};
use crate::fault::Result;
use crate::text;

// The row is locked until the transaction ends, so numbers are dense and in order of commit. It is taken when all else
// is done (see `store`): one order for all, or two transactions could wait for each other.
const NEXT: &str = "update audit_head set number = number + 1 where id = 1 returning number, hash";
const HEAD: &str = "update audit_head set hash = $1 where id = 1";
const NAME: &str = "select username from users where id = $1";
const INSERT: &str =
    "insert into audit_log (number, at, action, actor_id, actor_name, session_id, ip_address,
    target_kind, target_id, detail, hash) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

/// Who does something, and from where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actor {
    /// `None`: nobody who is signed in, or the operator at the command line.
    pub user_id: Option<UserId>,
    /// On which device.
    pub session_id: Option<SessionId>,
    /// The client's address.
    pub ip_address: Option<String>,
    is_operator: bool,
}

impl Actor {
    /// Somebody who is not signed in, at this address.
    #[must_use]
    pub fn stranger(ip_address: Option<String>) -> Self {
        Self { ip_address, ..Self::default() }
    }

    /// Whoever runs commands on the server's machine.
    #[must_use]
    pub fn operator() -> Self {
        Self { is_operator: true, ..Self::default() }
    }

    /// A signed-in user on a device.
    #[must_use]
    pub fn user(user: UserId, session: Option<SessionId>, ip_address: Option<String>) -> Self {
        Self { user_id: Some(user), session_id: session, ip_address, is_operator: false }
    }
}

impl From<UserId> for Actor {
    fn from(user: UserId) -> Self {
        Self::user(user, None, None)
    }
}

/// What something was done to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    kind: &'static str,
    id: String,
}

impl Target {
    /// `kind` is the noun, such as `user`.
    #[must_use]
    pub fn new(kind: &'static str, id: impl Into<Uuid>) -> Self {
        Self { kind, id: id.into().to_string() }
    }

    /// What has a name and no id.
    #[must_use]
    pub fn named(kind: &'static str, name: &str) -> Self {
        Self { kind, id: name.to_owned() }
    }

    /// A user.
    #[must_use]
    pub fn user(id: UserId) -> Self {
        Self::new("user", id)
    }
}

/// Something to be written into the log.
pub(crate) struct Note {
    actor: Actor,
    action: Action,
    target: Option<Target>,
    detail: Value,
    at: Timestamp,
}

/// Notes that something was done; written just before the commit, or not at all. `detail` never holds a secret or what
/// a person typed into a password field.
pub async fn note(
    tx: &mut Tx,
    actor: &Actor,
    action: Action,
    target: Option<Target>,
    detail: Value,
) -> Result<()> {
    tx.note(Note { actor: actor.clone(), action, target, detail, at: Timestamp::now() });
    Ok(())
}

/// Writes what a transaction noted: its last act.
pub(crate) async fn store(tx: &mut Tx, notes: Vec<Note>) -> Result<()> {
    for note in notes {
        write(tx, note).await?;
    }
    Ok(())
}

async fn write(tx: &mut Tx, note: Note) -> Result<()> {
    let Note { actor, action, target, detail, at } = note;
    let actor_name: Option<String> = match actor.user_id {
        Some(user) => run!(tx, sqlx::query_scalar(NAME).bind(user.0), fetch_optional)?,
        None => actor.is_operator.then(|| "operator".to_owned()),
    };
    let (number, before): (i64, String) = run!(tx, sqlx::query_as(NEXT), fetch_one)?;
    let (target_kind, target_id) = target.map_or((None, None), |it| (Some(it.kind.to_owned()), Some(it.id)));
    let mut row = Row {
        number,
        at: at.0,
        action: action.as_str().to_owned(),
        actor_id: actor.user_id.map(|id| id.0),
        actor_name,
        session_id: actor.session_id.map(|id| id.0),
        ip_address: actor.ip_address,
        target_kind,
        target_id,
        detail: (!detail.is_null()).then(|| detail.to_string()),
        hash: String::new(),
    };
    row.hash = row.chained(&before);
    run!(
        tx,
        sqlx::query(INSERT)
            .bind(row.number)
            .bind(row.at)
            .bind(row.action.clone())
            .bind(row.actor_id)
            .bind(row.actor_name.clone())
            .bind(row.session_id)
            .bind(row.ip_address.clone())
            .bind(row.target_kind.clone())
            .bind(row.target_id.clone())
            .bind(row.detail.clone())
            .bind(row.hash.clone()),
        execute
    )?;
    run!(tx, sqlx::query(HEAD).bind(row.hash.clone()), execute)?;
    Ok(())
}

#[derive(Clone, Debug, sqlx::FromRow)]
struct Row {
    number: i64,
    at: i64,
    action: String,
    actor_id: Option<Uuid>,
    actor_name: Option<String>,
    session_id: Option<Uuid>,
    ip_address: Option<String>,
    target_kind: Option<String>,
    target_id: Option<String>,
    detail: Option<String>,
    hash: String,
}

impl Row {
    /// SHA-256 over the hash before and every field, as a JSON array: no two rows have the same text.
    fn chained(&self, before: &str) -> String {
        let fields = serde_json::json!([
            before,
            self.number,
            self.at,
            self.action,
            self.actor_id,
            self.actor_name,
            self.session_id,
            self.ip_address,
            self.target_kind,
            self.target_id,
            self.detail,
        ]);
        text::hex(&Sha256::digest(fields.to_string().as_bytes()))
    }
}
