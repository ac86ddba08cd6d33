//! What an import made of what: external ids and ours, so that a second run adds nothing and a killed one goes on.

use std::collections::HashMap;

use confab_protocol::{ChannelId, EventKind, FileId, MessageId, Timestamp, UserId};
use uuid::Uuid;

use crate::access::{self, Take};
use crate::db::write::Emission;
use crate::db::{Read, Tx, insert_rows, run, run_in};
use crate::fault::Result;
use crate::{channels, files, text};

const KNOWN: &str =
    "select external_id, local_id from external_refs where source = $1 and kind = $2 and external_id > $3
    order by external_id limit $4";
const INSERT: &str = "insert into external_refs (source, kind, external_id, local_id) ";
const CLAIM: &str = "insert into external_refs (source, kind, external_id, local_id) values ($1, $2, $3, $4) on conflict do nothing";
const AMONG: &str =
    "select external_id, local_id from external_refs where source = $1 and kind = $2 and external_id in";
const BY_EMAIL_KEYS: &str = "select id, email_key from users where email_key in";
const SETTLE: &str =
    "update channels set topic = coalesce($2, topic), archived_at = $3, created_at = $4 where id = $1";
const REACT: &str = "insert into message_reactions (message_id, code, user_id, created_at) ";
const COUNT_REACTIONS: &str = "update messages set reaction_count = reaction_count + $2 where id = $1";

/// All external ids of one kind that are imported, with ours.
pub async fn known(on: &mut impl Read, source: &str, kind: &str) -> Result<HashMap<String, Uuid>> {
    const PART: i64 = 10_000;
    let mut all = HashMap::new();
    let mut after = String::new();
    loop {
        let rows: Vec<(String, Uuid)> = run!(
            on,
            sqlx::query_as(KNOWN)
                .bind(source.to_owned())
                .bind(kind.to_owned())
                .bind(after.clone())
                .bind(PART),
            fetch_all
        )?;
        let count = rows.len() as i64;
        if let Some(last) = rows.last() {
            after.clone_from(&last.0);
        }
        all.extend(rows);
        if count < PART {
            return Ok(all);
        }
    }
}

/// Remembers what was made, in the transaction that made it.
///
/// # Errors
/// A unique violation when another import ran at the same time: its transaction is the one that counts.
pub async fn remember(tx: &mut Tx, source: &str, kind: &str, made: &[(String, Uuid)]) -> Result<()> {
    insert_rows!(
        tx,
        INSERT,
        made,
        |values, row| values
            .push_bind(source.to_owned())
            .push_bind(kind.to_owned())
            .push_bind(row.0.clone())
            .push_bind(row.1),
        ""
    );
    Ok(())
}

/// Remembers one, unless another import has: of several at once, on whatever servers, one hears `true`.
pub async fn claim(tx: &mut Tx, source: &str, kind: &str, external_id: &str, local: Uuid) -> Result<bool> {
    let claimed = run!(
        tx,
        sqlx::query(CLAIM)
            .bind(source.to_owned())
            .bind(kind.to_owned())
            .bind(external_id.to_owned())
            .bind(local),
        execute
    )?;
    Ok(claimed == 1)
}

/// Which of these external ids of one kind are imported, with ours: for kinds too many to hold all at once.
pub async fn among(
    on: &mut impl Read,
    source: &str,
    kind: &str,
    external_ids: &[String],
) -> Result<HashMap<String, Uuid>> {
    let mut found = HashMap::new();
    for part in external_ids.chunks(500) {
        let part: Vec<&str> = part.iter().map(String::as_str).collect();
        let rows: Vec<(String, Uuid)> =
            run_in!(on, (String, Uuid), AMONG, &part, "", bind source.to_owned(), bind kind.to_owned())?;
        found.extend(rows);
    }
    Ok(found)
}

/// Whose these e-mail addresses are, by folded address: the same person must not come twice.
pub async fn people_by_emails(on: &mut impl Read, emails: &[String]) -> Result<HashMap<String, UserId>> {
    let keys: Vec<String> = emails.iter().map(|email| text::key(email)).collect();
    let mut found = HashMap::new();
    for part in keys.chunks(500) {
        let part: Vec<&str> = part.iter().map(String::as_str).collect();
        let rows: Vec<(Uuid, String)> = run_in!(on, (Uuid, String), BY_EMAIL_KEYS, &part, "")?;
        found.extend(rows.into_iter().map(|(id, key)| (key, UserId(id))));
    }
    Ok(found)
}

/// What a channel was where it came from.
#[derive(Clone, Debug)]
pub struct Settled {
    /// What is talked about.
    pub topic: Option<String>,
    /// Nobody wrote there any more.
    pub is_archived: bool,
    /// When it began.
    pub created_at: Timestamp,
}

/// Gives a channel that was just made what it had where it came from. Messages can be imported into an archived
/// channel all the same.
///
/// # Errors
/// [`crate::Fault::Invalid`] in `topic` for one that is too long or no single line.
pub async fn settle(tx: &mut Tx, channel: ChannelId, settled: Settled) -> Result<()> {
    let topic = text::optional_line("topic", settled.topic.as_deref(), channels::LINE_CHARACTERS)?;
    let place = access::place_of_system(tx, channel, Take::Events(1)).await?;
    run!(
        tx,
        sqlx::query(SETTLE)
            .bind(channel.0)
            .bind(topic.clone())
            .bind(settled.is_archived.then(|| Timestamp::now().0))
            .bind(settled.created_at.0),
        execute
    )?;
    tx.emit(Emission::new(EventKind::ChannelUpdate, channel).at(channel, place.first_seq));
    Ok(())
}

/// A reaction to be stored. The code is one that [`crate::reactions::resolve`] answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NewReaction {
    /// Under what.
    pub message_id: MessageId,
    /// Which.
    pub code: String,
    /// Whose.
    pub user_id: UserId,
    /// When.
    pub created_at: Timestamp,
}

/// Stores reactions under messages that this transaction imports, without repetition.
pub async fn react(tx: &mut Tx, channel: ChannelId, reactions: &[NewReaction]) -> Result<()> {
    if reactions.is_empty() {
        return Ok(());
    }
    let place = access::place_of_system(tx, channel, Take::Events(reactions.len() as i64)).await?;
    insert_rows!(
        tx,
        REACT,
        reactions,
        |values, row| values
            .push_bind(row.message_id.0)
            .push_bind(row.code.clone())
            .push_bind(row.user_id.0)
            .push_bind(row.created_at.0),
        ""
    );
    let mut counts: HashMap<MessageId, i64> = HashMap::new();
    for reaction in reactions {
        *counts.entry(reaction.message_id).or_default() += 1;
    }
    for (message, count) in counts {
        run!(tx, sqlx::query(COUNT_REACTIONS).bind(message.0).bind(count), execute)?;
    }
    for (reaction, seq) in reactions.iter().zip(place.first_seq..) {
        tx.emit(
            Emission::new(EventKind::ReactionAdded, reaction.message_id)
                .at(channel, seq)
                .by(reaction.user_id)
                .detail(&*reaction.code),
        );
    }
    Ok(())
}

/// Ties uploads of `user` to a message that this transaction imports with `has_attachments`.
///
/// # Errors
/// [`crate::Fault::Invalid`] in `file_ids` for one that is not theirs or is in use.
pub async fn attach(tx: &mut Tx, user: UserId, message: MessageId, ids: &[FileId]) -> Result<()> {
    files::attach(tx, user, message, ids).await.map(|_| ())
}
