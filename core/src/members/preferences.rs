//! What one member prefers for one channel. Nobody else sees it; it ends with the membership.

use confab_protocol::{ChannelId, ChannelNotificationLevel, EventKind, UserId};
use serde_json::json;

use crate::access;
use crate::db::write::Emission;
use crate::db::{Tx, run};
use crate::fault::{Fault, Result};

const PREFER: &str = "update memberships set starred = coalesce($3, starred), muted = coalesce($4, muted),
    notification_level = nullif(coalesce($5, notification_level), 'default')
    where channel_id = $1 and user_id = $2 and to_seq is null returning starred, muted, notification_level";

/// Absent fields stay as they are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Preferences {
    /// Above the others.
    pub starred: Option<bool>,
    /// To hear as little of it as may be.
    pub muted: Option<bool>,
    /// What is brought to attention.
    pub notification_level: Option<ChannelNotificationLevel>,
}

/// Notes what a member prefers, and tells the member's other devices.
///
/// # Errors
/// [`Fault::Forbidden`] with code `not_a_member`; [`Fault::NotFound`] for who may not know the channel.
pub async fn prefer(tx: &mut Tx, user: UserId, channel: ChannelId, preferences: Preferences) -> Result<()> {
    access::admit(tx, user, channel).await?.member()?;
    let level = preferences.notification_level.map(ChannelNotificationLevel::as_str);
    let row: Option<(Option<bool>, Option<bool>, Option<String>)> = run!(
        tx,
        sqlx::query_as(PREFER)
            .bind(channel.0)
            .bind(user.0)
            .bind(preferences.starred)
            .bind(preferences.muted)
            .bind(level),
        fetch_optional
    )?;
    // Removed since the door was passed.
    let (starred, muted, level) = row.ok_or(Fault::NotFound("channel"))?;
    let detail = json!({
        "channel_id": channel,
        "starred": starred.unwrap_or(false),
        "muted": muted.unwrap_or(false),
        "notification_level": level_of(level.as_deref()),
    });
    let mut emission = Emission::new(EventKind::PreferencesUpdated, channel)
        .only_for(user)
        .by(user)
        .detail(detail.to_string());
    emission.place = Some((channel, 0));
    tx.emit(emission);
    Ok(())
}

/// What a stored word means; none is as the member chose for all channels.
pub(crate) fn level_of(word: Option<&str>) -> ChannelNotificationLevel {
    word.and_then(ChannelNotificationLevel::from_word).unwrap_or(ChannelNotificationLevel::Default)
}
