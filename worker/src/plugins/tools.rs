//! The tools that plugins offer to the assistant: which there are, and calling one for the person who asks it.
//!
//! A call does no more than the tool says of itself. One that is read-only writes nothing in the chat; one for everyone
//! reads nothing there, and no other is called for an answer that a channel sees. Any other than a read-only one needs a yes.

use std::sync::Arc;
use std::time::Duration;

use confab_core::conversations::Source;
use confab_core::{Db, Fault, Result, assistant, users};
use confab_plugin_host::{CallError, Grants, Level, Permission, ToolCall, check_input};
use confab_protocol::{ChannelId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::catalogue::Catalogue;
use super::host::Reading;
use super::words;

/// A tool has 2 s (its host stops it then); the rest is for waiting until a place is free.
const WITHIN: Duration = Duration::from_secs(5);

/// A tool that is granted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tool {
    /// Whose.
    pub plugin_id: String,
    /// What people call the plugin.
    pub plugin: String,
    /// Unique in the plugin.
    pub name: String,
    /// For the model.
    pub description: String,
    /// A JSON schema of its input.
    pub schema: Value,
    /// Whether it changes nothing.
    pub is_read_only: bool,
    /// Whether everybody may read what it answers.
    #[serde(default)]
    pub is_for_everyone: bool,
}

/// All of them, in order of plugin and manifest.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Tools {
    /// Of the plugins that run.
    pub items: Vec<Tool>,
}

/// A call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ToolUse {
    /// Whose tool.
    pub plugin_id: String,
    /// Its name there.
    pub tool: String,
    /// What it is called with.
    pub input: Value,
    /// For whom.
    pub user_id: UserId,
    /// Where the answer will be seen, if not by them alone.
    #[serde(default)]
    pub channel_id: Option<ChannelId>,
    /// Whether this person said yes to exactly this call.
    #[serde(default)]
    pub is_confirmed: bool,
}

/// What came of it: one of the two.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ToolAnswer {
    /// Text or JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The messages that the plugin read for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
}

impl ToolAnswer {
    fn error(text: impl Into<String>) -> Self {
        Self { error: Some(text.into()), ..Self::default() }
    }
}

pub(super) fn list(catalogue: &Catalogue) -> Tools {
    let mut items = Vec::new();
    for loaded in catalogue.all().values().filter(|it| it.grants.has(Permission::OfferTools)) {
        items.extend(loaded.manifest.tools.iter().map(|tool| Tool {
            plugin_id: loaded.id.clone(),
            plugin: loaded.manifest.name.clone(),
            name: tool.name.clone(),
            description: tool.description.clone(),
            schema: tool.schema.clone(),
            is_read_only: tool.is_read_only,
            is_for_everyone: tool.is_for_everyone,
        }));
    }
    Tools { items }
}

/// Calls a tool for the person whom the assistant answers. What the plugin says against it is an answer too: the model
/// may try otherwise.
///
/// # Errors
/// [`Fault::NotFound`] for a tool that is not there any more; [`Fault::Forbidden`] with code `not_confirmed`, or
/// `assistant_off` for who has none.
pub(super) async fn call(db: &Db, catalogue: &Arc<Catalogue>, asked: ToolUse) -> Result<ToolAnswer> {
    let loaded = catalogue.get(&asked.plugin_id).ok_or(Fault::NotFound("tool"))?;
    let tool = loaded.manifest.tools.iter().find(|it| it.name == asked.tool);
    let tool = tool.ok_or(Fault::NotFound("tool"))?;
    let is_seen_by_others = asked.channel_id.is_some();
    if !tool.is_read_only && (is_seen_by_others || !asked.is_confirmed) {
        return Err(Fault::forbidden("not_confirmed", "this changes something: the person must say yes"));
    }
    if is_seen_by_others && !tool.is_for_everyone {
        return Err(Fault::forbidden("forbidden", "what this tool answers is not for everybody"));
    }
    if let Err(faults) = check_input(&tool.schema, &asked.input) {
        return Ok(ToolAnswer::error(format!("the arguments do not fit: {faults}")));
    }
    let (switches, person) = {
        let mut on = db.read();
        let switches = assistant::switches(&mut on).await?;
        (switches, users::refs(&mut on, &[asked.user_id]).await?.pop())
    };
    assistant::is_off_for(&switches, asked.user_id)?;
    let grants = narrowed(&loaded.grants, tool.is_read_only, is_seen_by_others);
    let call = ToolCall {
        tool: asked.tool,
        input: asked.input.to_string(),
        user: words::user(&person.ok_or(Fault::NotFound("user"))?),
        channel_id: asked.channel_id.map(|it| it.to_string()),
    };
    let host = catalogue.host_of_tool(&loaded, asked.user_id, Reading::new(switches));
    let called = async {
        let plugin = catalogue.handlers(&loaded).await?;
        catalogue.call(&loaded, plugin.call_tool(host.granted_only(&grants), call)).await
    };
    match tokio::time::timeout(WITHIN, called).await.map_err(|_| Fault::Busy)? {
        Ok(output) => Ok(ToolAnswer { output: Some(output), error: None, sources: host.told() }),
        Err(CallError::Guest(text)) => Ok(ToolAnswer::error(text)),
        Err(error) => {
            catalogue.notes().line(&loaded.id, Level::Warn, &format!("tool: {error}"));
            Ok(ToolAnswer::error("the tool failed"))
        }
    }
}

/// What a call may do of what the plugin was granted.
fn narrowed(grants: &Grants, is_read_only: bool, is_seen_by_others: bool) -> Grants {
    let may = |it: &Permission| match it {
        Permission::PostMessages
        | Permission::EditOwnMessages
        | Permission::React
        | Permission::SendDirect
        | Permission::CreateChannels
        | Permission::UseTimers => !is_read_only,
        Permission::ReadMessages | Permission::Search | Permission::ReadUsers => !is_seen_by_others,
        // What a summary rests on would not be noted, it asks by the person's rights alone, and the assistant would ask itself.
        Permission::Summarize => false,
        _ => true,
    };
    Grants::of(grants.iter().filter(may))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_may_less_than_its_plugin() {
        let all =
            [Permission::PostMessages, Permission::ReadMessages, Permission::Summarize, Permission::Storage];
        let left = |is_read_only, is_seen_by_others| {
            let left = narrowed(&Grants::of(all), is_read_only, is_seen_by_others);
            all.map(|it| left.has(it))
        };
        assert_eq!(
            left(false, false),
            [true, true, false, true],
            "the assistant is never asked for a summary by its own tool"
        );
        assert_eq!(left(true, false), [false, true, false, true]);
        assert_eq!(
            left(true, true),
            [false, false, false, true],
            "what others see rests on nothing that was read"
        );
    }
}
