//! Forwarding: a message's text, copied to where others may read it, and gone from there with the original.

use confab_protocol::{ChannelId, Message, MessageId, Timestamp, UserId};
use uuid::Uuid;

use super::view;
use crate::db::{Read, Tx, run, run_in};
use crate::fault::{Fault, Result};

/// Most copies of one message: deleting it empties them all in one transaction (docs/limits.md).
const MOST: i64 = 200;

const SOURCE_OF: &str =
    "select source_id, sender_id, content, has_attachments, created_at from forwards where message_id = $1";
const COUNT: &str = "select count(*) from forwards where source_id = $1";
const KEEP: &str =
    "insert into forwards (message_id, source_id, sender_id, content, has_attachments, created_at)
    values ($1, $2, $3, $4, $5, $6)";
const MARK: &str = "update messages set is_forward = true where id = $1";
const PLACES: &str = "select distinct m.channel_id from forwards f join messages m on m.id = f.message_id
    join channels c on c.id = m.channel_id and c.deleted_at is null
    where m.deleted_at is null and f.source_id in";
const COPIES: &str = "select m.id, m.channel_id from forwards f join messages m on m.id = f.message_id
    where f.source_id = $1 and m.deleted_at is null order by m.channel_id, m.seq";
// A reader keeps what it knows of the same version.
const RAISE: &str = "update messages set version = version + 1, updated_at = $2
    where id in (select message_id from forwards where source_id = $1) and deleted_at is null";
const EMPTY: &str = "update forwards set content = '', has_attachments = false where source_id = $1";
const FORGET: &str = "delete from forwards where message_id = $1";

/// What is copied.
#[derive(sqlx::FromRow)]
#[allow(clippy::struct_field_names)] // the columns' own
pub(super) struct Source {
    source_id: Uuid,
    sender_id: Uuid,
    content: String,
    has_attachments: bool,
    created_at: i64,
}

/// What `user` would forward with message `id`, held until the transaction ends. A forward without words of its own
/// passes on what it brought.
///
/// # Errors
/// [`Fault::NotFound`] for what they may not read, [`Fault::Forbidden`] with code `not_a_member` for what they only look
/// at, [`Fault::Gone`] for what was deleted, [`Fault::Conflict`] with code `too_many_forwards`.
pub(super) async fn source(tx: &mut Tx, user: UserId, id: MessageId) -> Result<Source> {
    let (admitted, message) = view::find(tx, user, id).await?;
    if !admitted.kind().is_open() {
        // A superuser who broke the glass reads, and does no more.
        admitted.member()?;
    }
    let passed_on = message.forwarded.as_ref().filter(|_| message.content.is_empty());
    if passed_on.is_some_and(|it| it.is_deleted) {
        return Err(Fault::Gone("message"));
    }
    let passed_on = passed_on.is_some();
    let source = if passed_on {
        let kept: Option<Source> = run!(tx, sqlx::query_as(SOURCE_OF).bind(id.0), fetch_optional)?;
        kept.ok_or(Fault::Gone("message"))?
    } else {
        of_message(&message)
    };
    view::hold(tx, MessageId(source.source_id)).await?;
    if message.deleted_at.is_some() {
        return Err(Fault::Gone("message"));
    }
    let copies: i64 = run!(tx, sqlx::query_scalar(COUNT).bind(source.source_id), fetch_one)?;
    if copies >= MOST {
        let text = format!("a message is forwarded at most {MOST} times; link to it instead");
        return Err(Fault::conflict("too_many_forwards", text));
    }
    if passed_on {
        return Ok(source);
    }
    // As it is now that it is held: it may have been edited a moment ago.
    view::views(tx, &[id]).await?.first().map(of_message).ok_or(Fault::NotFound("message"))
}

fn of_message(message: &Message) -> Source {
    Source {
        source_id: message.id.0,
        sender_id: message.sender_id.0,
        content: message.content.clone(),
        has_attachments: message.has_attachments,
        created_at: message.created_at.0,
    }
}

/// Ties the copy to the message that brings it.
pub(super) async fn keep(tx: &mut Tx, message: MessageId, source: Source) -> Result<()> {
    run!(
        tx,
        sqlx::query(KEEP)
            .bind(message.0)
            .bind(source.source_id)
            .bind(source.sender_id)
            .bind(source.content.clone())
            .bind(source.has_attachments)
            .bind(source.created_at),
        execute
    )?;
    run!(tx, sqlx::query(MARK).bind(message.0), execute)?;
    Ok(())
}

/// Whether a message brings what a forward of `asked` would bring.
pub(super) async fn is_of(on: &mut impl Read, message: MessageId, asked: MessageId) -> Result<bool> {
    let kept: Option<Source> = run!(on, sqlx::query_as(SOURCE_OF).bind(message.0), fetch_optional)?;
    let passed_on: Option<Source> = run!(on, sqlx::query_as(SOURCE_OF).bind(asked.0), fetch_optional)?;
    Ok(kept.is_some_and(|kept| {
        kept.source_id == asked.0 || passed_on.is_some_and(|it| it.source_id == kept.source_id)
    }))
}

/// The channels in which copies of messages stand, in order of id.
pub(super) async fn places(on: &mut impl Read, sources: &[MessageId]) -> Result<Vec<ChannelId>> {
    let ids: Vec<Uuid> = sources.iter().map(|id| id.0).collect();
    let rows: Vec<(Uuid,)> = run_in!(on, (Uuid,), PLACES, &ids, "order by 1")?;
    Ok(rows.into_iter().map(|row| ChannelId(row.0)).collect())
}

/// Empties every copy of a message, and answers which messages show one.
pub(super) async fn empty(tx: &mut Tx, source: MessageId) -> Result<Vec<(MessageId, ChannelId)>> {
    if run!(tx, sqlx::query(EMPTY).bind(source.0), execute)? == 0 {
        return Ok(Vec::new());
    }
    run!(tx, sqlx::query(RAISE).bind(source.0).bind(Timestamp::now().0), execute)?;
    let rows: Vec<(Uuid, Uuid)> = run!(tx, sqlx::query_as(COPIES).bind(source.0), fetch_all)?;
    Ok(rows.into_iter().map(|(id, channel)| (MessageId(id), ChannelId(channel))).collect())
}

/// Forgets what a message brought.
pub(super) async fn forget(tx: &mut Tx, message: MessageId) -> Result<()> {
    run!(tx, sqlx::query(FORGET).bind(message.0), execute)?;
    Ok(())
}
