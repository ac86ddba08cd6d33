//! The plan becomes rows.

use confab_core::channels::{self, NewChannel};
use confab_core::files::{self, NewFile};
use confab_core::imports::{self, NewReaction};
use confab_core::messages::{self, NewMessage};
use confab_core::users::{self, NewUser};
use confab_core::{Db, FutureExt as _, Result, access, members, passwords, presences, read_state};
use confab_protocol::gateway::PresenceStatus;
use confab_protocol::{ChannelId, ChannelKind, ChannelRole, MessageId, Timestamp, UserId};

use super::plan::{self, Line, Person, Place, PlaceKind};
use super::{Options, PASSWORD, Report, SPAN};
use crate::import::names::Usernames;
use crate::intake;
use crate::progress::Progress;
use crate::storage::Storage;

/// Rows of one transaction.
const BATCH: usize = 250;
/// The newest messages of a channel, unread by its members.
const UNREAD: usize = 6;

/// Makes everything, and counts it.
pub(super) async fn all(
    db: &Db,
    storage: &Storage,
    options: &Options,
    progress: &Progress,
    report: &mut Report,
) -> Result<()> {
    let mut people = plan::people(options);
    let places = plan::places(options, &people);
    let ids = make_people(db, &mut people, options).await?;
    report.users = people.len() as u64;
    report.bots = people.iter().filter(|person| person.is_bot).count() as u64;
    report.username = people.first().map(|person| person.username.clone()).unwrap_or_default();
    let now = Timestamp::now();
    for place in &places {
        let channel = open(db, place, &ids).await?;
        match place.kind {
            PlaceKind::Channel { .. } => report.channels += 1,
            PlaceKind::Direct => report.direct_conversations += 1,
        }
        let scribe = Scribe { db, storage, ids: &ids, beside: options.beside, channel, now };
        scribe.write(place, &people, progress, report).await?;
    }
    report.presences = set_presences(db, &people, &ids).await?;
    Ok(())
}

/// Accounts, all with one password or none. It is hashed once: each hash takes 19 MiB and a core.
async fn make_people(db: &Db, people: &mut [Person], options: &Options) -> Result<Vec<UserId>> {
    let hash = if options.can_sign_in { Some(passwords::hash(PASSWORD.into()).await?) } else { None };
    let wanted: Vec<String> = people.iter().map(|person| person.username.clone()).collect();
    let mut names = Usernames::beside(&mut db.read(), &wanted).await?;
    let mut users = Vec::with_capacity(people.len());
    for person in people.iter_mut() {
        person.username = names.give(&mut db.read(), &person.username).await?;
        // The address holds the seed, so that two seeds can stand side by side; the domain can never be anyone's.
        let email = format!("{}.{}@demo.example", person.username, options.seed);
        let mut user = NewUser::check(&person.username, Some(&email), Some(&person.full_name))?;
        user.is_bot = person.is_bot;
        if person.is_bot {
            user.email = None;
        } else {
            user.password_hash.clone_from(&hash);
        }
        users.push(user);
    }
    let ids: Vec<UserId> = users.iter().map(|user| user.id).collect();
    for part in users.chunks(BATCH) {
        let part = part.to_vec();
        db.write(move |tx| {
            async move {
                for user in part {
                    users::create(tx, user).await?;
                }
                Ok(())
            }
            .boxed()
        })
        .await?;
    }
    Ok(ids)
}

async fn open(db: &Db, place: &Place, ids: &[UserId]) -> Result<ChannelId> {
    let members: Vec<UserId> = place.members.iter().map(|member| ids[*member]).collect();
    let (name, description, is_private) = match &place.kind {
        PlaceKind::Direct => {
            return db
                .write(move |tx| {
                    async move { Ok(channels::open_direct(tx, members[0], &members[1..]).await?.0) }.boxed()
                })
                .await;
        }
        PlaceKind::Channel { name, description, is_private } => (name, description, *is_private),
    };
    let mut free = name.clone();
    let mut number = 1;
    while channels::by_name(&mut db.read(), &free).await?.is_some() {
        free = if number == 1 { format!("{name}-demo") } else { format!("{name}-demo-{number}") };
        number += 1;
    }
    let kind = if is_private { ChannelKind::Private } else { ChannelKind::Public };
    let mut new = NewChannel::check(&free, kind, Some(description))?;
    new.created_at = Timestamp(Timestamp::now().0 - SPAN.as_millis() as i64);
    let owner = members.first().copied();
    db.write(move |tx| async move { channels::create(tx, owner, new).await }.boxed()).await
}

/// Writes what is said in one place.
struct Scribe<'a> {
    db: &'a Db,
    storage: &'a Storage,
    ids: &'a [UserId],
    beside: Option<UserId>,
    channel: ChannelId,
    now: Timestamp,
}

/// A message with what goes with it.
struct Sheet {
    message: NewMessage,
    reactions: Vec<NewReaction>,
    file: Option<NewFile>,
}

impl Scribe<'_> {
    async fn write(
        &self,
        place: &Place,
        people: &[Person],
        progress: &Progress,
        report: &mut Report,
    ) -> Result<()> {
        let lines = plan::lines(place, people);
        let message_ids: Vec<MessageId> = lines.iter().map(|_| MessageId::new()).collect();
        let threads: std::collections::HashSet<usize> =
            lines.iter().filter_map(|line| line.answers).collect();
        report.threads += threads.len() as u64;
        // Members come in before the last messages: those are unread, the long past is not.
        let unread_from = lines.len().saturating_sub(UNREAD);
        let mut number = 0;
        let mut are_in = false;
        while number < lines.len() || !are_in {
            if number == unread_from && !are_in {
                are_in = true;
                self.let_in(place).await?;
                continue;
            }
            let most = if are_in { lines.len() } else { unread_from };
            let end = (number + BATCH).min(most);
            let mut sheets = Vec::with_capacity(end - number);
            for (line, at) in lines[number..end].iter().zip(number..) {
                sheets.push(self.sheet(line, at, &message_ids).await?);
            }
            count(&sheets, report);
            progress.add(sheets.len() as u64);
            self.store(sheets).await?;
            number = end;
        }
        let last: Vec<UserId> = lines[unread_from..].iter().map(|line| self.ids[line.sender]).collect();
        self.mark_read(last).await
    }

    async fn sheet(&self, line: &Line, number: usize, ids: &[MessageId]) -> Result<Sheet> {
        let before_ms = ((1.0 - line.at) * SPAN.as_millis() as f64) as i64;
        let at = Timestamp(self.now.0 - before_ms);
        let file = match &line.attachment {
            None => None,
            Some(attachment) => {
                let filename = attachment.filename.clone();
                Some(intake::bring_in(self.db, self.storage, filename, &attachment.bytes).await?)
            }
        };
        let message = NewMessage {
            id: ids[number],
            sender_id: self.ids[line.sender],
            content: line.text.clone(),
            html: None,
            parent_id: line.answers.map(|root| ids[root]),
            nonce: None,
            mentions: line.mentions.iter().map(|person| self.ids[*person]).collect(),
            has_attachments: file.is_some(),
            created_at: at,
        };
        let reactions = line.reactions.iter().map(|(person, code)| NewReaction {
            message_id: ids[number],
            code: (*code).to_owned(),
            user_id: self.ids[*person],
            created_at: at,
        });
        Ok(Sheet { message, reactions: reactions.collect(), file })
    }

    async fn store(&self, sheets: Vec<Sheet>) -> Result<()> {
        let channel = self.channel;
        self.db
            .write(move |tx| {
                async move {
                    let (mut rows, mut reactions, mut files) = (Vec::new(), Vec::new(), Vec::new());
                    for sheet in sheets {
                        files
                            .extend(sheet.file.map(|file| (sheet.message.sender_id, sheet.message.id, file)));
                        reactions.extend(sheet.reactions);
                        rows.push(sheet.message);
                    }
                    messages::import(tx, channel, &rows).await?;
                    imports::react(tx, channel, &reactions).await?;
                    for (sender, message, file) in files {
                        let file = files::create(tx, sender, file, i64::MAX).await?;
                        imports::attach(tx, sender, message, &[file.id]).await?;
                    }
                    Ok(())
                }
                .boxed()
            })
            .await
    }

    async fn let_in(&self, place: &Place) -> Result<()> {
        let channel = self.channel;
        let mut all: Vec<(UserId, ChannelRole)> =
            place.members.iter().map(|member| (self.ids[*member], ChannelRole::Member)).collect();
        // Who made the place is in it from the first moment, as both are in a direct conversation.
        let early: Vec<UserId> = match place.kind {
            PlaceKind::Direct => all.iter().map(|it| it.0).collect(),
            PlaceKind::Channel { .. } => all.iter().take(1).map(|it| it.0).collect(),
        };
        self.mark_read(early).await?;
        if matches!(place.kind, PlaceKind::Channel { .. }) {
            all.extend(self.beside.map(|it| (it, ChannelRole::Member)));
        }
        for part in all.chunks(BATCH) {
            let part = part.to_vec();
            self.db
                .write(move |tx| {
                    async move { members::add(tx, channel, &part, None).await.map(|_| ()) }.boxed()
                })
                .await?;
        }
        Ok(())
    }

    /// Nobody has what they wrote themselves unread.
    async fn mark_read(&self, people: Vec<UserId>) -> Result<()> {
        let channel = self.channel;
        self.db
            .write(move |tx| {
                async move {
                    for user in people {
                        let last = access::admit(tx, user, channel).await?.last_seq();
                        read_state::mark_read(tx, user, channel, last).await?;
                    }
                    Ok(())
                }
                .boxed()
            })
            .await
    }
}

fn count(sheets: &[Sheet], report: &mut Report) {
    for sheet in sheets {
        report.messages += 1;
        report.replies += u64::from(sheet.message.parent_id.is_some());
        report.reactions += sheet.reactions.len() as u64;
        report.files += u64::from(sheet.file.is_some());
    }
}

async fn set_presences(db: &Db, people: &[Person], ids: &[UserId]) -> Result<u64> {
    const STATES: [PresenceStatus; 5] = [
        PresenceStatus::Online,
        PresenceStatus::Away,
        PresenceStatus::Offline,
        PresenceStatus::Online,
        PresenceStatus::Busy,
    ];
    let states: Vec<(UserId, PresenceStatus)> = people
        .iter()
        .zip(ids)
        .filter(|(person, _)| !person.is_bot)
        .zip(STATES.iter().cycle())
        .map(|((_, id), state)| (*id, *state))
        .collect();
    let count = states.len() as u64;
    db.write(move |tx| {
        async move {
            for (user, state) in states {
                presences::leave_as(tx, user, state).await?;
            }
            Ok(())
        }
        .boxed()
    })
    .await?;
    Ok(count)
}
