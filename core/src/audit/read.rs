//! Reading the audit log, and checking its chain.

use confab_protocol::{Timestamp, UserId};

use super::Row;
use crate::db::{Read, run};
use crate::fault::Result;

/// Rows of the chain that are checked at once.
const BATCH: i64 = 1_000;

// One text for each leading filter, so that each has its index; the rest narrows what that index finds.
const COLUMNS: &str =
    "select number, at, action, actor_id, actor_name, session_id, ip_address, target_kind, target_id,
    detail, hash from audit_log";
const BY_NUMBER: &str = "where number < $1 and at >= $2 and at < $3 order by number desc limit $4";
const BY_ACTION: &str = "where action = $5 and number < $1 and at >= $2 and at < $3
    and ($6 = '' or target_id = $6) order by number desc limit $4";
const BY_TARGET: &str =
    "where target_id = $5 and number < $1 and at >= $2 and at < $3 order by number desc limit $4";
const BY_ACTOR: &str = "where actor_id = $5 and number < $1 and at >= $2 and at < $3
    and ($6 = '' or action = $6) and ($7 = '' or target_id = $7) order by number desc limit $4";
const ASCENDING: &str = "where number > $1 order by number limit $2";
const HEAD: &str = "select number, hash from audit_head where id = 1";

/// One row, as administrators read it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Entry {
    /// Dense, from 1.
    pub number: i64,
    /// When.
    pub at: Timestamp,
    /// What was done.
    pub action: String,
    /// By whom.
    pub actor_id: Option<UserId>,
    /// Their user name at that time.
    pub actor_name: Option<String>,
    /// On which device.
    pub session_id: Option<uuid::Uuid>,
    /// From where.
    pub ip_address: Option<String>,
    /// The noun that it was done to.
    pub target_kind: Option<String>,
    /// Which of them.
    pub target_id: Option<String>,
    /// What else belongs to it.
    pub detail: Option<serde_json::Value>,
    /// Of this row and all before.
    pub hash: String,
}

impl From<Row> for Entry {
    fn from(row: Row) -> Self {
        Self {
            number: row.number,
            at: Timestamp(row.at),
            action: row.action,
            actor_id: row.actor_id.map(UserId),
            actor_name: row.actor_name,
            session_id: row.session_id,
            ip_address: row.ip_address,
            target_kind: row.target_kind,
            target_id: row.target_id,
            detail: row.detail.and_then(|text| serde_json::from_str(&text).ok()),
            hash: row.hash,
        }
    }
}

/// What to show; absent fields let everything pass.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// An action's word.
    pub action: Option<String>,
    /// Done by this user.
    pub actor_id: Option<UserId>,
    /// Done to this.
    pub target_id: Option<String>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub to: Option<Timestamp>,
}

/// A page, newest first: rows before number `before`.
pub async fn list(
    on: &mut impl Read,
    filter: &Filter,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Entry>> {
    let before = before.unwrap_or(i64::MAX);
    let (from, to) = (filter.from.map_or(i64::MIN, |at| at.0), filter.to.map_or(i64::MAX, |at| at.0));
    let limit = i64::from(limit);
    let action = filter.action.clone().unwrap_or_default();
    let target = filter.target_id.clone().unwrap_or_default();
    macro_rules! page {
        ($text:expr $(, $bind:expr)*) => {{
            let text = sqlx::AssertSqlSafe(format!("{COLUMNS} {}", $text));
            run!(on, sqlx::query_as(text).bind(before).bind(from).bind(to).bind(limit)$(.bind($bind))*, fetch_all)?
        }};
    }
    let rows: Vec<Row> = match (filter.actor_id, action.is_empty(), target.is_empty()) {
        (Some(actor), ..) => page!(BY_ACTOR, actor.0, action.clone(), target.clone()),
        (None, false, _) => page!(BY_ACTION, action.clone(), target.clone()),
        (None, true, false) => page!(BY_TARGET, target.clone()),
        (None, true, true) => page!(BY_NUMBER),
    };
    Ok(rows.into_iter().map(Entry::from).collect())
}

/// How many rows there are.
pub async fn count(on: &mut impl Read) -> Result<i64> {
    let (last, _): (i64, String) = run!(on, sqlx::query_as(HEAD), fetch_one)?;
    Ok(last)
}

/// What a check of the chain found.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Checked {
    /// Nothing is wrong.
    pub ok: bool,
    /// Rows that hold, from the first on.
    pub count: i64,
    /// The hash of the last of them: an operator who writes it down elsewhere can tell later that nothing was cut off.
    pub head: String,
    /// The first number that does not hold.
    pub broken_at: Option<i64>,
    /// What is wrong there.
    pub reason: Option<String>,
}

/// Computes the whole chain again. `known` is number and hash of a row as an earlier check printed them: a chain that
/// was cut off and written anew is whole in itself, but not with them. `progress` hears how many rows came to be done.
pub async fn verify(
    on: &mut impl Read,
    known: Option<&(i64, String)>,
    mut progress: impl FnMut(i64) + Send,
) -> Result<Checked> {
    let (mut count, mut hash) = (0_i64, String::new());
    let broken = |count: i64, head: &str, reason: &str| Checked {
        ok: false,
        count,
        head: head.to_owned(),
        broken_at: Some(count + 1),
        reason: Some(reason.to_owned()),
    };
    // The end first: rows that are added meanwhile lie behind it.
    let (last, head): (i64, String) = run!(on, sqlx::query_as(HEAD), fetch_one)?;
    while count < last {
        let rows: Vec<Row> = run!(
            on,
            sqlx::query_as(sqlx::AssertSqlSafe(format!("{COLUMNS} {ASCENDING}")))
                .bind(count)
                .bind(BATCH.min(last - count)),
            fetch_all
        )?;
        if rows.is_empty() {
            return Ok(broken(count, &hash, "rows are missing at the end"));
        }
        let done = count;
        for row in rows {
            if row.number != count + 1 {
                return Ok(broken(count, &hash, "a row is missing"));
            }
            if row.chained(&hash) != row.hash {
                return Ok(broken(count, &hash, "the row is not what was written"));
            }
            if known.is_some_and(|(number, known)| *number == row.number && *known != row.hash) {
                return Ok(broken(count, &hash, "the row is another than at the earlier check"));
            }
            count = row.number;
            hash = row.hash;
        }
        progress(count - done);
    }
    if known.is_some_and(|(number, _)| *number > count) {
        return Ok(broken(count, &hash, "rows that an earlier check saw are missing at the end"));
    }
    if hash != head {
        return Ok(broken(count, &hash, "the chain does not end where its head says"));
    }
    Ok(Checked { ok: true, count, head: hash, broken_at: None, reason: None })
}
