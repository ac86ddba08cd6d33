//! What plugins say of themselves: the newest lines of each, for those who administer them.

use confab_protocol::Timestamp;
use uuid::Uuid;

use crate::db::{Read, Tx, insert_rows, run};
use crate::fault::Result;

/// Lines kept of one plugin (docs/limits.md).
pub const LINES: i64 = 1_000;

const ADD: &str = "insert into plugin_logs (id, plugin_id, level, content, created_at) ";
const TRIM: &str = "delete from plugin_logs where plugin_id = $1 and id <
    (select id from plugin_logs where plugin_id = $1 order by id desc limit 1 offset $2)";
const PAGE: &str = "select id, plugin_id, level, content, created_at from plugin_logs
    where plugin_id = $1 and id < $2 order by id desc limit $3";
const AFTER: &str = "select id, plugin_id, level, content, created_at from plugin_logs
    where plugin_id = $1 and id > $2 order by id limit $3";

/// A line.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Line {
    /// In order of time.
    pub id: Uuid,
    /// Whose.
    pub plugin_id: String,
    /// `debug`, `info`, `warn` or `error`.
    pub level: String,
    /// What it said.
    pub content: String,
    /// When, in milliseconds.
    pub created_at: i64,
}

impl Line {
    /// One said now.
    #[must_use]
    pub fn new(plugin_id: &str, level: &str, content: String) -> Self {
        let (plugin_id, level) = (plugin_id.to_owned(), level.to_owned());
        Self { id: confab_protocol::fresh_id(), plugin_id, level, content, created_at: Timestamp::now().0 }
    }
}

/// Keeps lines; the oldest give way. A plugin that is gone keeps none.
pub async fn add(tx: &mut Tx, lines: &[Line]) -> Result<()> {
    let mut plugins: Vec<&str> = lines.iter().map(|line| line.plugin_id.as_str()).collect();
    plugins.sort_unstable();
    plugins.dedup();
    let known = super::all(tx).await?;
    plugins.retain(|id| known.iter().any(|it| it.id == *id));
    let lines: Vec<&Line> = lines.iter().filter(|line| plugins.contains(&line.plugin_id.as_str())).collect();
    insert_rows!(
        tx,
        ADD,
        lines,
        |values, row| values
            .push_bind(row.id)
            .push_bind(row.plugin_id.clone())
            .push_bind(row.level.clone())
            .push_bind(row.content.clone())
            .push_bind(row.created_at),
        "on conflict do nothing"
    );
    for id in plugins {
        run!(tx, sqlx::query(TRIM).bind(id.to_owned()).bind(LINES - 1), execute)?;
    }
    Ok(())
}

/// The newest lines before `before`, the newest first.
pub async fn page(on: &mut impl Read, plugin: &str, before: Option<Uuid>, limit: u32) -> Result<Vec<Line>> {
    let before = before.unwrap_or(Uuid::max());
    Ok(run!(on, sqlx::query_as(PAGE).bind(plugin.to_owned()).bind(before).bind(i64::from(limit)), fetch_all)?)
}

/// Lines behind one, in order.
pub async fn after(on: &mut impl Read, plugin: &str, after: Uuid, limit: u32) -> Result<Vec<Line>> {
    Ok(run!(on, sqlx::query_as(AFTER).bind(plugin.to_owned()).bind(after).bind(i64::from(limit)), fetch_all)?)
}
