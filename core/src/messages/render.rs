//! Texts as people see them: what their words mean is looked up here, [`markdown`] writes them.
//!
//! A message is rendered where it is posted and edited, and kept so. What an import brought is rendered when it is read,
//! and little by little by [`render_waiting`]: an import that rendered too would take twice as long.

use std::collections::HashMap;

use confab_protocol::{ChannelId, MessageId, UserId};
use uuid::Uuid;

use super::append;
use crate::db::{Db, Read, run, run_in};
use crate::fault::Result;
use crate::markdown::{self, Names, Source, Symbol};
use crate::{FutureExt, reactions, text, users};

const OPEN_CHANNELS: &str = "select name_key, id from channels where kind in ('public', 'voice') and deleted_at is null and name_key in";
const WAITING: &str = "select m.id, m.version, m.content, m.mentions, u.is_bot from messages m
    join users u on u.id = m.sender_id where m.html is null and m.deleted_at is null order by m.id limit $1";
const KEEP: &str =
    "update messages set html = $3 where id = $1 and version = $2 and html is null and deleted_at is null";

/// One text.
pub(super) async fn one(
    on: &mut impl Read,
    content: &str,
    mentions: &[UserId],
    by_bot: bool,
) -> Result<String> {
    let source = Source { content, mentions, by_bot };
    let names = names(on, std::slice::from_ref(&source)).await?;
    Ok(markdown::html(&source, &names))
}

/// What a bot says that is no message: nobody is mentioned by it.
pub(crate) async fn rendered(on: &mut impl Read, content: &str) -> Result<String> {
    one(on, content, &[], true).await
}

/// What the words of texts mean: at most three queries for all of them, and none for plain words.
pub(super) async fn names(on: &mut impl Read, sources: &[Source<'_>]) -> Result<Names> {
    let mut people: Vec<UserId> = sources.iter().flat_map(|it| it.mentions).copied().collect();
    let (mut channels, mut codes) = (Vec::new(), Vec::new());
    for source in sources {
        let wanted = markdown::wanted(source.content);
        channels.extend(wanted.channels);
        codes.extend(wanted.codes);
    }
    for list in [&mut channels, &mut codes] {
        list.sort_unstable();
        list.dedup();
    }
    people.sort_unstable();
    people.dedup();
    let found = users::refs(on, &people).await?;
    Ok(Names {
        people: found.into_iter().map(|it| (text::key(&it.username), it.id)).collect(),
        channels: open_channels(on, &channels).await?,
        symbols: symbols(on, &codes).await?,
    })
}

async fn open_channels(on: &mut impl Read, names: &[String]) -> Result<HashMap<String, ChannelId>> {
    let mut found = HashMap::new();
    for part in names.chunks(500) {
        let part: Vec<&str> = part.iter().map(String::as_str).collect();
        let rows: Vec<(String, Uuid)> = run_in!(on, (String, Uuid), OPEN_CHANNELS, &part, "")?;
        found.extend(rows.into_iter().map(|(name, id)| (name, ChannelId(id))));
    }
    Ok(found)
}

async fn symbols(on: &mut impl Read, codes: &[String]) -> Result<HashMap<String, Symbol>> {
    let mut found = HashMap::new();
    for part in codes.chunks(500) {
        for custom in reactions::of_codes(on, part).await? {
            let symbol = match (custom.image_url(), custom.symbol) {
                (Some(path), _) => Symbol::Picture(path),
                (None, Some(symbol)) => Symbol::Text(symbol),
                (None, None) => continue,
            };
            found.insert(custom.code, symbol);
        }
    }
    Ok(found)
}

#[derive(sqlx::FromRow)]
struct WaitingRow {
    id: Uuid,
    version: i64,
    content: String,
    mentions: Option<String>,
    is_bot: bool,
}

/// Renders at most `limit` messages that are not yet kept so, and answers how many it found: fewer than `limit` means
/// that none is left. Rendered outside the transaction, so that nobody who writes waits for it; two processes at once
/// do the same work twice, and nothing else.
pub async fn render_waiting(db: &Db, limit: u32) -> Result<usize> {
    let mut on = db.read();
    let rows: Vec<WaitingRow> = run!(&mut on, sqlx::query_as(WAITING).bind(i64::from(limit)), fetch_all)?;
    if rows.is_empty() {
        return Ok(0);
    }
    let mentions: Vec<Vec<UserId>> =
        rows.iter().map(|row| append::mentions_of(row.mentions.as_deref())).collect();
    let sources: Vec<Source<'_>> = rows
        .iter()
        .zip(&mentions)
        .map(|(row, mentions)| Source { content: &row.content, mentions, by_bot: row.is_bot })
        .collect();
    let names = names(&mut on, &sources).await?;
    let mut made: Vec<(Uuid, i64, String)> = Vec::with_capacity(rows.len());
    for (row, source) in rows.iter().zip(&sources) {
        made.push((row.id, row.version, markdown::html(source, &names)));
        tokio::task::yield_now().await;
    }
    let count = made.len();
    db.write(move |tx| {
        async move {
            for (id, version, html) in made {
                run!(tx, sqlx::query(KEEP).bind(id).bind(version).bind(html.clone()), execute)?;
            }
            Ok(())
        }
        .boxed()
    })
    .await?;
    Ok(count)
}

/// The same for rows that are about to be shown.
pub(super) struct Row<'r> {
    pub id: MessageId,
    pub content: &'r str,
    pub mentions: Vec<UserId>,
    pub by_bot: bool,
}

/// The HTML of rows, by message.
pub(super) async fn of_rows(on: &mut impl Read, rows: &[Row<'_>]) -> Result<HashMap<MessageId, String>> {
    let sources: Vec<Source<'_>> = rows
        .iter()
        .map(|row| Source { content: row.content, mentions: &row.mentions, by_bot: row.by_bot })
        .collect();
    let names = names(on, &sources).await?;
    Ok(rows.iter().zip(&sources).map(|(row, source)| (row.id, markdown::html(source, &names))).collect())
}
