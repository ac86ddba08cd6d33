//! Direct and group conversations: found again whatever the order of the people.

use confab_protocol::{ChannelId, ChannelKind, ChannelRole, Timestamp, UserId};
use uuid::Uuid;

use super::{INSERT, announce};
use crate::db::{Tx, run};
use crate::fault::{Fault, Result};
use crate::{members, text, users};

/// Most people in one conversation.
const PEOPLE: usize = 20;
const FIND: &str = "select id from channels where direct_key = $1";

/// The conversation of `user` with `others`; made when there is none. Answers whether it was made.
///
/// # Errors
/// [`Fault::Invalid`] in `user_ids` for nobody, too many, or someone who does not exist.
pub async fn open_direct(tx: &mut Tx, user: UserId, others: &[UserId]) -> Result<(ChannelId, bool)> {
    let mut people: Vec<UserId> = others.to_vec();
    people.push(user);
    people.sort_unstable();
    people.dedup();
    if others.is_empty() || people.len() > PEOPLE {
        return Err(Fault::invalid("user_ids", format!("name 1 to {} other people", PEOPLE - 1)));
    }
    if users::refs(tx, &people).await?.len() != people.len() {
        return Err(Fault::invalid("user_ids", "names someone who does not exist"));
    }
    for other in others {
        // To a guest a stranger does not exist.
        if !users::may_look_up(tx, user, *other).await? {
            return Err(Fault::invalid("user_ids", "names someone who does not exist"));
        }
    }
    let ids: Vec<String> = people.iter().map(ToString::to_string).collect();
    let key = text::hash(&ids.join(" "));
    let found: Option<Uuid> = run!(tx, sqlx::query_scalar(FIND).bind(key.clone()), fetch_optional)?;
    if let Some(id) = found {
        // Whoever left a group conversation and opens it again is in it again.
        members::add(tx, ChannelId(id), &[(user, ChannelRole::Member)], Some(user)).await?;
        return Ok((ChannelId(id), false));
    }
    if !users::are_there(tx, others).await? {
        return Err(Fault::invalid("user_ids", "names someone who has no account any more"));
    }
    let id = ChannelId::new();
    let kind = if people.len() > 2 { ChannelKind::Group } else { ChannelKind::Direct };
    if run!(
        tx,
        sqlx::query(INSERT)
            .bind(id.0)
            .bind(kind.as_str())
            .bind("")
            .bind(None::<String>)
            .bind(None::<String>)
            .bind(Some(user.0))
            .bind(false)
            .bind(Some(key.clone()))
            .bind(Timestamp::now().0),
        execute
    )? == 0
    {
        // Someone else opened it in the same moment.
        let id: Uuid = run!(tx, sqlx::query_scalar(FIND).bind(key), fetch_one)?;
        return Ok((ChannelId(id), false));
    }
    announce(tx, id, Some(user)).await?;
    let all: Vec<_> = people.into_iter().map(|id| (id, ChannelRole::Member)).collect();
    members::add(tx, id, &all, Some(user)).await?;
    Ok((id, true))
}
