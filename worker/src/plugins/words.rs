//! From Confab's words to those that plugins read.

use confab_core::Fault;
use confab_plugin_host as plugin;
use confab_protocol::{ChannelId, Message, MessageId, Timestamp, UserRef};

/// How long a plugin waits before it asks a busy server again.
const BUSY_MS: u32 = 1_000;

/// A user, without anything that only they or an administrator may see.
pub(super) fn user(user: &UserRef) -> plugin::User {
    let full_name = user.full_name.clone().filter(|name| !name.is_empty());
    plugin::User {
        id: user.id.to_string(),
        username: user.username.clone(),
        display_name: full_name.unwrap_or_else(|| user.username.clone()),
        is_bot: user.is_bot,
    }
}

/// A channel, or the thread below `root` in it.
pub(super) fn place(channel: ChannelId, root: Option<MessageId>) -> plugin::Place {
    plugin::Place { channel_id: channel.to_string(), thread_id: root.map(|id| id.to_string()) }
}

/// A message that is not deleted.
pub(super) fn message(message: &Message) -> plugin::Message {
    plugin::Message {
        id: message.id.to_string(),
        place: place(message.channel_id, message.parent_id),
        sender: user(&message.sender),
        content: message.content.clone(),
        created_at_ms: milliseconds(message.created_at),
        edited_at_ms: message.edited_at.map(milliseconds),
        mentions: message.mentions.iter().map(ToString::to_string).collect(),
    }
}

/// Milliseconds since 1970; an imported time before that is the beginning.
pub(super) fn milliseconds(at: Timestamp) -> u64 {
    u64::try_from(at.0).unwrap_or(0)
}

/// What a plugin is told when a call of it went wrong. Texts of our own mistakes go to the log, never to a plugin.
pub(super) fn failure(plugin_id: &str, fault: Fault) -> plugin::Failure {
    use plugin::Failure as F;
    match fault {
        Fault::NotFound(_) | Fault::Gone(_) => F::NotFound,
        Fault::Conflict { code: "plugin_storage_full", message } | Fault::TooLarge { message, .. } => {
            F::OverQuota(message.into_owned())
        }
        Fault::Conflict { code: "channel_archived" | "too_many_reactions", message }
        | Fault::Forbidden { message, .. } => F::Denied(message.into_owned()),
        Fault::Conflict { .. } => F::Conflict,
        invalid @ Fault::Invalid { .. } => F::Invalid(invalid.to_string()),
        Fault::Busy => F::Throttled { after_ms: BUSY_MS },
        Fault::RateLimited { retry_after_seconds } => {
            let after_ms = u32::try_from(retry_after_seconds.saturating_mul(1_000)).unwrap_or(u32::MAX);
            F::Throttled { after_ms }
        }
        unreachable @ (Fault::Unavailable(_) | Fault::Unconfirmed | Fault::Full | Fault::TooSlow(_)) => {
            F::Unavailable(unreachable.to_string())
        }
        ours @ (Fault::Unauthenticated { .. } | Fault::Internal(_)) => {
            tracing::error!(plugin = plugin_id, fault = %ours, "a plugin's call failed");
            F::Other("the server failed".into())
        }
    }
}
