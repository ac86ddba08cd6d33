//! What the buttons of plugins' messages and whispers mean. People see labels; what a press brings back to the plugin is
//! read from here, never taken from a client.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::db::{Read, Tx, insert_rows, run};
use crate::fault::{Fault, Result};

const CLEAR: &str = "delete from plugin_buttons where owner_id = $1";
const PUT: &str = "insert into plugin_buttons (owner_id, number, plugin_id, action, payload) ";
const FIND: &str =
    "select plugin_id, action, payload from plugin_buttons where owner_id = $1 and number = $2";

/// A button of a message that is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewButton {
    /// The plugin's own name for what it does.
    pub action: String,
    /// Comes back unchanged.
    pub payload: String,
    /// What people read.
    pub label: String,
    /// `plain`, `primary` or `danger`.
    pub style: String,
}

/// What a button means.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Button {
    /// Whose.
    pub plugin_id: String,
    /// The plugin's own name for what it does.
    pub action: String,
    /// Comes back unchanged.
    pub payload: String,
}

/// Buttons as everyone sees them: blocks of a message.
#[must_use]
pub fn blocks(buttons: &[NewButton]) -> Vec<Value> {
    let block = |(number, button): (usize, &NewButton)| json!({ "type": "button", "id": number.to_string(), "label": button.label, "style": button.style });
    buttons.iter().enumerate().map(block).collect()
}

/// Puts these into the place of those that the message or whisper had.
pub async fn put(tx: &mut Tx, owner: Uuid, plugin: &str, buttons: &[NewButton]) -> Result<()> {
    clear(tx, owner).await?;
    let rows: Vec<(i64, &NewButton)> = (0_i64..).zip(buttons).collect();
    insert_rows!(
        tx,
        PUT,
        rows,
        |values, row| values
            .push_bind(owner)
            .push_bind(row.0)
            .push_bind(plugin.to_owned())
            .push_bind(row.1.action.clone())
            .push_bind(row.1.payload.clone()),
        ""
    );
    Ok(())
}

/// Forgets those of a message or whisper.
pub(crate) async fn clear(tx: &mut Tx, owner: Uuid) -> Result<()> {
    run!(tx, sqlx::query(CLEAR).bind(owner), execute)?;
    Ok(())
}

/// What a button of a message or whisper means.
///
/// # Errors
/// [`Fault::NotFound`] for one that is not there any more.
pub async fn find(on: &mut impl Read, owner: Uuid, id: &str) -> Result<Button> {
    let number: i64 = id.parse().map_err(|_| Fault::NotFound("button"))?;
    let found: Option<Button> = run!(on, sqlx::query_as(FIND).bind(owner).bind(number), fetch_optional)?;
    found.ok_or(Fault::NotFound("button"))
}
