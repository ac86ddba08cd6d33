//! From who is concerned to who is told: what each prefers decides, and what is stored is announced and pushed.

use confab_protocol::{ChannelId, EventKind, MessageId, Timestamp, UserId};
use uuid::Uuid;

use super::Kind;
use crate::attention::{self, Concern, Level};
use crate::db::write::Emission;
use crate::db::{Tx, insert_rows};
use crate::fault::Result;
use crate::push;

/// What people are told of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct News {
    /// Where.
    pub channel_id: ChannelId,
    /// Of which message.
    pub message_id: MessageId,
    /// By whom.
    pub actor_id: UserId,
    /// When.
    pub created_at: Timestamp,
    /// Whether all of it is for its few people.
    pub is_conversation: bool,
}

struct Row {
    id: Uuid,
    user: UserId,
    kind: Kind,
    is_quiet: bool,
    web_push: bool,
}

/// Whether somebody wishes to be told. A muted channel tells nothing; what it counts as mentions it still counts.
fn wishes(concern: &Concern, kind: Kind, is_conversation: bool) -> bool {
    if concern.is_muted {
        return false;
    }
    match concern.channel.unwrap_or(concern.personal) {
        Level::Nothing => false,
        Level::All => true,
        // For a conversation somebody may say that only their name counts; by itself all of it is for them.
        Level::Mentions => match kind {
            Kind::ChannelMessage => false,
            Kind::DirectMessage => !(is_conversation && concern.channel == Some(Level::Mentions)),
            _ => true,
        },
    }
}

/// Stores a notification for each who wishes it, tells their devices, and queues what is to be pushed.
pub(crate) async fn store(tx: &mut Tx, news: &News, people: Vec<(UserId, Kind)>) -> Result<()> {
    if people.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = people.iter().map(|it| it.0.0).collect();
    let concerns = attention::concerning(tx, news.channel_id, &ids).await?;
    let rows: Vec<Row> = people
        .into_iter()
        .filter_map(|(user, kind)| {
            let concern = concerns.get(&user)?;
            let (is_quiet, web_push) = (concern.is_quiet, concern.web_push);
            let row = Row { id: confab_protocol::fresh_id(), user, kind, is_quiet, web_push };
            wishes(concern, kind, news.is_conversation).then_some(row)
        })
        .collect();
    insert_rows!(
        tx,
        "insert into notifications (id, user_id, kind, channel_id, message_id, actor_id, created_at, read_at, is_quiet) ",
        rows,
        |values, row| values
            .push_bind(row.id)
            .push_bind(row.user.0)
            .push_bind(row.kind.as_str())
            .push_bind(news.channel_id.0)
            .push_bind(news.message_id.0)
            .push_bind(news.actor_id.0)
            .push_bind(news.created_at.0)
            .push_bind(None::<i64>)
            .push_bind(row.is_quiet),
        ""
    );
    for row in &rows {
        let quiet = if row.is_quiet { " quiet" } else { "" };
        let detail = format!("{} {}{quiet}", row.kind.as_str(), news.message_id);
        let mut emission =
            Emission::new(EventKind::Notification, row.id).only_for(row.user).by(news.actor_id);
        emission.place = Some((news.channel_id, 0));
        tx.emit(emission.detail(detail));
    }
    let pushed: Vec<(UserId, Uuid)> =
        rows.iter().filter(|row| row.web_push && !row.is_quiet).map(|row| (row.user, row.id)).collect();
    push::queue(tx, &pushed).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channels_level_stands_before_ones_own() {
        let of = |channel, personal, is_muted| Concern {
            channel,
            personal,
            is_muted,
            is_quiet: false,
            web_push: true,
        };
        let plain = of(None, Level::Mentions, false);
        assert!(wishes(&plain, Kind::Mention, false) && wishes(&plain, Kind::DirectMessage, true));
        assert!(wishes(&plain, Kind::Keyword, false) && !wishes(&plain, Kind::ChannelMessage, false));
        assert!(!wishes(&of(Some(Level::Nothing), Level::All, false), Kind::Mention, false));
        assert!(wishes(&of(Some(Level::All), Level::Nothing, false), Kind::ChannelMessage, false));
        assert!(!wishes(&of(Some(Level::All), Level::All, true), Kind::Mention, false), "muted");
        let named = of(Some(Level::Mentions), Level::All, false);
        assert!(!wishes(&named, Kind::DirectMessage, true) && wishes(&named, Kind::Mention, true));
    }
}
