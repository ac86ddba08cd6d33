//! What the assistant was asked to do and may not before somebody said yes: calls of plugins' tools that change something.
//!
//! Each waits for ten minutes, for the session that asked, and is taken once: by the statement that takes its row. What was
//! taken and then failed is not tried again; a yes is for one call.

use std::time::Duration;

use confab_protocol::{SessionId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::audit::{self, Action, Actor, Target};
use crate::db::{Tx, insert_rows, run};
use crate::fault::{Fault, Result};

/// How long one waits.
const WAITS: Duration = Duration::from_mins(10);

const ADD: &str = "insert into assistant_confirmations
    (id, conversation_id, session_id, plugin_id, tool, arguments, expires_at) ";
const TAKE: &str = "delete from assistant_confirmations
    where id = $1 and conversation_id = $2 and session_id = $3 and expires_at > $4
    and exists (select 1 from sessions where id = $3 and ended_at is null)
    returning plugin_id, tool, arguments";
const SWEEP: &str = "delete from assistant_confirmations where expires_at <= $1";

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Whose tool.
    pub plugin_id: String,
    /// What people call the plugin.
    pub plugin: String,
    /// The tool's name in it.
    pub tool: String,
    /// What it is called with, as the asker is shown it.
    pub arguments: Value,
}

/// What waits for a yes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// Which.
    pub id: Uuid,
    /// Whose tool.
    pub plugin_id: String,
    /// What people call the plugin.
    pub plugin: String,
    /// The tool's name in it.
    pub tool: String,
    /// What it will be called with, and nothing else.
    pub arguments: Value,
    /// Until when.
    pub expires_at: Timestamp,
}

/// A call that was confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmed {
    /// Whose tool.
    pub plugin_id: String,
    /// Its name.
    pub tool: String,
    /// As they were shown.
    pub arguments: Value,
}

/// Keeps what an answer proposed, for the session that asked.
pub async fn add(
    tx: &mut Tx,
    conversation: Uuid,
    session: SessionId,
    proposals: Vec<Proposal>,
) -> Result<Vec<Confirmation>> {
    let expires_at = Timestamp::now().plus(WAITS);
    let made: Vec<Confirmation> = proposals
        .into_iter()
        .map(|Proposal { plugin_id, plugin, tool, arguments }| Confirmation {
            id: confab_protocol::fresh_id(),
            plugin_id,
            plugin,
            tool,
            arguments,
            expires_at,
        })
        .collect();
    let rows: Vec<&Confirmation> = made.iter().collect();
    insert_rows!(
        tx,
        ADD,
        rows,
        |values, row| values
            .push_bind(row.id)
            .push_bind(conversation)
            .push_bind(session.0)
            .push_bind(row.plugin_id.clone())
            .push_bind(row.tool.clone())
            .push_bind(row.arguments.to_string())
            .push_bind(expires_at.0),
        ""
    );
    Ok(made)
}

/// Takes what waits because its asker says yes. From here on it is theirs to have done.
///
/// # Errors
/// [`Fault::NotFound`] for what was taken already, waited too long, or is for another session.
pub async fn confirm(
    tx: &mut Tx,
    by: &Actor,
    session: SessionId,
    conversation: Uuid,
    id: Uuid,
) -> Result<Confirmed> {
    let taken = take(tx, session, conversation, id).await?;
    // What it is called with stays between the two: whoever reads the log need not be of the channels that it may name.
    let target = Target::named("plugin", &taken.plugin_id);
    audit::note(tx, by, Action::ToolConfirmed, Some(target), json!({ "tool": taken.tool })).await?;
    Ok(taken)
}

/// Takes what waits because its asker says no: nobody can say yes any more.
///
/// # Errors
/// As [`confirm`].
pub async fn refuse(tx: &mut Tx, session: SessionId, conversation: Uuid, id: Uuid) -> Result<()> {
    take(tx, session, conversation, id).await.map(drop)
}

async fn take(tx: &mut Tx, session: SessionId, conversation: Uuid, id: Uuid) -> Result<Confirmed> {
    let row: Option<(String, String, String)> = run!(
        tx,
        sqlx::query_as(TAKE).bind(id).bind(conversation).bind(session.0).bind(Timestamp::now().0),
        fetch_optional
    )?;
    let (plugin_id, tool, arguments) = row.ok_or(Fault::NotFound("confirmation"))?;
    let arguments = serde_json::from_str(&arguments).map_err(Fault::internal)?;
    Ok(Confirmed { plugin_id, tool, arguments })
}

/// Drops what nobody said yes to in time.
pub async fn sweep(tx: &mut Tx) -> Result<()> {
    run!(tx, sqlx::query(SWEEP).bind(Timestamp::now().0), execute)?;
    Ok(())
}
