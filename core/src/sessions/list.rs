//! The devices on which somebody is signed in, as shown to them.

use confab_protocol::{SessionId, Timestamp, UserId};
use uuid::Uuid;

use super::Method;
use crate::db::{Read, run};
use crate::fault::Result;

const LIST: &str =
    "select id, device_info, ip_address, method, created_at, last_used_at, expires_at from sessions
    where user_id = $1 and ended_at is null and expires_at > $2 and (method is null or method <> 'token')
    order by last_used_at desc limit 100";

/// A signed-in device.
#[derive(Clone, Debug)]
pub struct Session {
    /// Which.
    pub id: SessionId,
    /// The client's own words.
    pub device_info: Option<String>,
    /// Where it was started from.
    pub ip_address: Option<String>,
    /// How it began.
    pub method: Method,
    /// When.
    pub created_at: Timestamp,
    /// When it was last used, to about a minute.
    pub last_used_at: Timestamp,
    /// When it ends unless it is refreshed.
    pub expires_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct SessionRow {
    id: Uuid,
    device_info: Option<String>,
    ip_address: Option<String>,
    method: Option<String>,
    created_at: i64,
    last_used_at: i64,
    expires_at: i64,
}

/// The live sessions of a user, the last used first.
pub async fn list(on: &mut impl Read, user: UserId) -> Result<Vec<Session>> {
    let rows: Vec<SessionRow> =
        run!(on, sqlx::query_as(LIST).bind(user.0).bind(Timestamp::now().0), fetch_all)?;
    Ok(rows
        .into_iter()
        .map(|row| Session {
            id: SessionId(row.id),
            device_info: row.device_info,
            ip_address: row.ip_address,
            method: Method::from_word(row.method.as_deref()),
            created_at: Timestamp(row.created_at),
            last_used_at: Timestamp(row.last_used_at),
            expires_at: Timestamp(row.expires_at),
        })
        .collect())
}
