//! The webhooks of all open channels, for superusers, who manage them. Those of private channels are their owners' business.

use confab_protocol::{ChannelId, Timestamp, UserId};
use uuid::Uuid;

use super::Webhook;
use crate::db::{Read, run};
use crate::fault::Result;
use crate::roles::Granted;

const OF_OPEN: &str =
    "select w.id, w.channel_id, w.bot_id, w.created_by_id, w.name, w.created_at, w.last_used_at,
    c.name as channel_name, u.username as created_by from webhooks w
    join channels c on c.id = w.channel_id join users u on u.id = w.created_by_id
    where w.id > $1 and c.kind in ('public', 'voice') and c.deleted_at is null order by w.id limit $2";

/// A webhook, where it writes, and who is responsible for it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The webhook.
    pub webhook: Webhook,
    /// Its channel's name.
    pub channel_name: String,
    /// The user name of whoever made it or renewed its secret.
    pub created_by: String,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    channel_id: Uuid,
    bot_id: Uuid,
    created_by_id: Uuid,
    name: String,
    created_at: i64,
    last_used_at: Option<i64>,
    channel_name: String,
    created_by: String,
}

impl From<Row> for Listed {
    fn from(row: Row) -> Self {
        let webhook = Webhook {
            id: row.id,
            channel_id: ChannelId(row.channel_id),
            bot_id: UserId(row.bot_id),
            created_by_id: UserId(row.created_by_id),
            name: row.name,
            created_at: Timestamp(row.created_at),
            last_used_at: row.last_used_at.map(Timestamp),
        };
        Self { webhook, channel_name: row.channel_name, created_by: row.created_by }
    }
}

/// Webhooks of open channels behind `after`, the oldest first.
///
/// # Errors
/// [`crate::Fault::Forbidden`] for who is no superuser.
pub async fn list(on: &mut impl Read, by: &Granted, after: Option<Uuid>, limit: u32) -> Result<Vec<Listed>> {
    by.superuser()?;
    let after = after.unwrap_or(Uuid::nil());
    let rows: Vec<Row> = run!(on, sqlx::query_as(OF_OPEN).bind(after).bind(i64::from(limit)), fetch_all)?;
    Ok(rows.into_iter().map(Listed::from).collect())
}
