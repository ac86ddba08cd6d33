//! Taking away what was written: a ZIP in the shape of a Slack export, which other programs read and `confab import slack` brings back.
//!
//! An export is somebody's: it holds what they may read, through the same door as their client. Texts are Markdown with Slack's entities
//! and mentions, which the file `confab.json` says. Bytes of uploads are not in it: messages name them.

mod shapes;
mod zip;

use std::collections::HashMap;
use std::path::Path;

use confab_core::audit::{self, Action, Actor};
use confab_core::messages::{self, Side};
use confab_core::{Db, Fault, FutureExt as _, Result, access, channels, members, reactions, users};
use confab_protocol::{Channel, ChannelKind, Message, User, UserId};
use serde::Serialize;
use serde_json::json;

use self::shapes::{ExportedChannel, ExportedMessage, ExportedReaction, ExportedUser, Line, day_of, moment};
use self::zip::Archive;
use crate::import::slack::OURS;
use crate::progress::Progress;

/// Rows read at once.
const PAGE: u32 = 500;
/// People named under one reaction.
const REACTED: u32 = 1_000;

/// What an export holds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Private channels of the reader too; conversations never.
    pub private: bool,
}

/// What was written.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Accounts.
    pub people: u64,
    /// Channels.
    pub channels: u64,
    /// Messages.
    pub messages: u64,
}

impl std::fmt::Display for Report {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} messages of {} channels, {} people", self.messages, self.channels, self.people)
    }
}

/// Writes what `reader` may read to `to`, and notes that `actor` did.
///
/// # Errors
/// [`Fault::Full`] and others of the disk; the record's own.
pub async fn run(
    db: &Db,
    actor: &Actor,
    reader: UserId,
    options: Options,
    to: &Path,
    progress: &Progress,
) -> Result<Report> {
    let (noted, detail) = (actor.clone(), json!({ "private": options.private }));
    db.write(move |tx| {
        async move { audit::note(tx, &noted, Action::DataExported, None, detail).await }.boxed()
    })
    .await?;
    let (db, to, progress) = (db.clone(), to.to_owned(), progress.clone());
    let here = tokio::runtime::Handle::current();
    // On a thread of its own, since packing and writing take their time.
    tokio::task::spawn_blocking(move || here.block_on(write(&db, reader, options, &to, &progress)))
        .await
        .map_err(Fault::internal)?
}

async fn write(db: &Db, reader: UserId, options: Options, to: &Path, progress: &Progress) -> Result<Report> {
    let mut archive = Archive::create(to)?;
    archive.whole(OURS, &json!({ "texts": "markdown", "version": env!("CARGO_PKG_VERSION") }))?;
    let people = people(db).await?;
    let names: HashMap<UserId, String> = people.iter().map(|user| (user.id, user.username.clone())).collect();
    archive.whole("users.json", &people.iter().map(ExportedUser::of).collect::<Vec<_>>())?;
    let places = places(db, reader, options).await?;
    let mut report =
        Report { people: people.len() as u64, channels: places.len() as u64, ..Report::default() };
    for (list, is_private) in [("channels.json", false), ("groups.json", true)] {
        let mut listed = Vec::new();
        for channel in places.iter().filter(|it| it.is_private == is_private) {
            listed.push(described(db, channel).await?);
        }
        archive.whole(list, &listed)?;
    }
    progress.begin("Messages", places.iter().map(|it| it.message_count.max(0) as u64).sum());
    for channel in &places {
        report.messages += one(db, reader, channel, &names, &mut archive, progress).await?;
    }
    archive.finish()?;
    progress.end();
    Ok(report)
}

/// Every account, the deleted too: what they wrote is there.
async fn people(db: &Db) -> Result<Vec<User>> {
    let mut all = Vec::new();
    for listed in [users::Listed::Everyone, users::Listed::Deleted] {
        let mut after = String::new();
        loop {
            let page = users::accounts(&mut db.read(), listed, "", &after, PAGE).await?;
            let Some(last) = page.last().filter(|_| page.len() == PAGE as usize) else {
                all.extend(page);
                break;
            };
            after = confab_core::text::key(&last.username);
            all.extend(page);
        }
    }
    Ok(all)
}

/// The channels of the export, by name.
async fn places(db: &Db, reader: UserId, options: Options) -> Result<Vec<Channel>> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page =
            channels::list(&mut db.read(), reader, channels::Scope::Readable, after.take(), PAGE).await?;
        let next = page.last().filter(|_| page.len() == PAGE as usize);
        after = next.map(|last| (last.name.clone(), last.id));
        found.extend(page.into_iter().filter(|channel| match channel.kind {
            ChannelKind::Public | ChannelKind::Voice => true,
            ChannelKind::Private => options.private,
            ChannelKind::Direct | ChannelKind::Group => false,
        }));
        if after.is_none() {
            return Ok(found);
        }
    }
}

async fn described(db: &Db, channel: &Channel) -> Result<ExportedChannel> {
    let (mut people, mut after) = (Vec::new(), Some(String::new()));
    while let Some(from) = after {
        let (page, next) = members::list(&mut db.read(), channel.id, &from, PAGE).await?;
        people.extend(page.into_iter().map(|member| shapes::person(member.user.id)));
        after = next;
    }
    Ok(ExportedChannel {
        id: shapes::place(channel.id),
        name: channel.name.clone(),
        created: channel.created_at.0 / 1_000,
        creator: channel.owner_id.map(shapes::person),
        is_archived: channel.archived_at.is_some(),
        members: people,
        topic: Line::of(channel.topic.as_deref()),
        purpose: Line::of(channel.description.as_deref()),
    })
}

/// One channel's messages, a file a day. Answers how many.
async fn one(
    db: &Db,
    reader: UserId,
    channel: &Channel,
    names: &HashMap<UserId, String>,
    archive: &mut Archive,
    progress: &Progress,
) -> Result<u64> {
    // Asked again for each page: who leaves the channel meanwhile takes no more away.
    let (mut after, mut count, mut roots) = (0, 0, HashMap::new());
    let folder = shapes::place(channel.id);
    loop {
        let admitted = match access::admit(&mut db.read(), reader, channel.id).await {
            // Deleted or left meanwhile: the rest is still worth having.
            Err(Fault::NotFound(_)) => return Ok(count),
            found => found?,
        };
        let page = messages::page(&mut db.read(), &admitted, Side::After(after), PAGE).await?;
        for message in &page.messages {
            after = message.seq;
            progress.add(1);
            if message.deleted_at.is_some() {
                continue;
            }
            let ts = moment(message);
            if message.reply_count > 0 {
                roots.insert(message.id, ts.clone());
            }
            let root = message.parent_id.and_then(|id| roots.get(&id).cloned());
            let thread = root.or_else(|| (message.reply_count > 0).then(|| ts.clone()));
            let reactions = reacted(db, message).await?;
            archive.message(
                &folder,
                &day_of(message),
                &ExportedMessage::of(message, ts, thread, reactions, names),
            )?;
            count += 1;
        }
        if !page.has_after || page.messages.is_empty() {
            return Ok(count);
        }
    }
}

async fn reacted(db: &Db, message: &Message) -> Result<Vec<ExportedReaction>> {
    let mut found = Vec::with_capacity(message.reactions.len());
    for reaction in &message.reactions {
        let people = if reaction.count > reaction.user_ids.len() as i64 {
            let page = reactions::people(&mut db.read(), message.id, &reaction.code, None, REACTED).await?;
            page.into_iter().map(|it| it.user.id).collect()
        } else {
            reaction.user_ids.clone()
        };
        found.push(ExportedReaction {
            name: reaction.code.clone(),
            count: reaction.count,
            users: people.into_iter().map(shapes::person).collect(),
        });
    }
    Ok(found)
}
