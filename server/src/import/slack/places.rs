//! The export's conversations as channels.

use std::collections::{HashMap, HashSet};

use confab_core::channels::{self, LINE_CHARACTERS, NAME_CHARACTERS, NewChannel};
use confab_core::imports::{self, Settled};
use confab_core::{Db, Fault, FutureExt as _, Result, access, members, read_state, text};
use confab_protocol::{ChannelId, ChannelKind, ChannelRole, Timestamp, UserId};

use super::people::People;
use super::report::{Renamed, Report};
use super::survey::Conversation;
use super::{BATCH, SOURCE};
use crate::import::names;

/// What a channel, a membership, and a channel whose past is read are called in the table of imported things.
const KIND: &str = "channel";
const MEMBER: &str = "member";
const READ: &str = "read";
/// Most people of one direct conversation here.
const DIRECT_PEOPLE: usize = 20;

/// A conversation and the channel that it is here.
pub(super) struct Place {
    pub conversation: Conversation,
    pub channel: ChannelId,
    /// This run made it: nothing of it can be known.
    pub is_new: bool,
}

/// Makes a channel of every conversation that has none.
pub(super) async fn open(
    db: &Db,
    conversations: Vec<Conversation>,
    people: &People,
    report: &mut Report,
) -> Result<Vec<Place>> {
    let known = imports::known(&mut db.read(), SOURCE, KIND).await?;
    let mut taken = HashSet::new();
    let mut places = Vec::with_capacity(conversations.len());
    for mut conversation in conversations {
        if let Some(id) = known.get(&conversation.slack_id) {
            report.channels.known += 1;
            let channel = ChannelId(*id);
            // It may have been given another name here since, and of its kind an archive says what it likes.
            let here = channels::for_event(&mut db.read(), channel).await?;
            (conversation.name, conversation.kind) = (here.name, here.kind);
            places.push(Place { conversation, channel, is_new: false });
            continue;
        }
        let is_direct = matches!(conversation.kind, ChannelKind::Direct | ChannelKind::Group);
        let members = members_of(&conversation, people);
        if is_direct && (conversation.days.is_empty() || members.is_empty()) {
            report.leave_out("conversations without messages or people", || conversation.slack_id.clone());
            continue;
        }
        let channel = if is_direct && members.len() <= DIRECT_PEOPLE {
            open_direct(db, &conversation, members, report.dry_run).await?
        } else {
            if is_direct {
                conversation.kind = ChannelKind::Private;
            }
            make(db, &mut conversation, people, &mut taken, report).await?
        };
        report.channels.new += 1;
        report.channels.archived += u64::from(conversation.is_archived && !is_direct);
        places.push(Place { conversation, channel, is_new: true });
    }
    Ok(places)
}

/// The accounts of a conversation's people, each once.
fn members_of(conversation: &Conversation, people: &People) -> Vec<UserId> {
    let mut seen = HashSet::new();
    let all = conversation.members.iter().filter_map(|id| people.get(id)).map(|person| person.id);
    all.filter(|id| seen.insert(*id)).collect()
}

async fn open_direct(
    db: &Db,
    conversation: &Conversation,
    members: Vec<UserId>,
    dry: bool,
) -> Result<ChannelId> {
    if dry {
        return Ok(ChannelId::new());
    }
    let made = conversation.slack_id.clone();
    db.write(move |tx| {
        async move {
            // A conversation with oneself is one where the other is oneself.
            let others = if members.len() > 1 { &members[1..] } else { &members[..] };
            let (id, _) = channels::open_direct(tx, members[0], others).await?;
            imports::remember(tx, SOURCE, KIND, &[(made, id.0)]).await?;
            Ok(id)
        }
        .boxed()
    })
    .await
}

async fn make(
    db: &Db,
    conversation: &mut Conversation,
    people: &People,
    taken: &mut HashSet<String>,
    report: &mut Report,
) -> Result<ChannelId> {
    let name = free_name(db, conversation, taken, report).await?;
    let (topic, purpose) = (&conversation.topic, &conversation.purpose);
    let description = if purpose.trim().is_empty() { topic } else { purpose };
    let shown = |text: &str| {
        let plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        names::line(&plain, LINE_CHARACTERS)
    };
    let mut new = NewChannel::check(&name, conversation.kind, shown(description).as_deref())?;
    if conversation.created_seconds > 0 {
        new.created_at = Timestamp(conversation.created_seconds.saturating_mul(1_000));
    }
    let settled =
        Settled { topic: shown(topic), is_archived: conversation.is_archived, created_at: new.created_at };
    let owner = conversation.creator.as_deref().and_then(|id| people.get(id)).map(|person| person.id);
    let made = conversation.slack_id.clone();
    // From here on the channel goes by the name that it has here.
    conversation.name = name;
    if report.dry_run {
        return Ok(ChannelId::new());
    }
    db.write(move |tx| {
        async move {
            let id = channels::create(tx, owner, new).await?;
            if settled.topic.is_some() || settled.is_archived {
                imports::settle(tx, id, settled).await?;
            }
            imports::remember(tx, SOURCE, KIND, &[(made, id.0)]).await?;
            Ok(id)
        }
        .boxed()
    })
    .await
}

async fn free_name(
    db: &Db,
    conversation: &Conversation,
    taken: &mut HashSet<String>,
    report: &mut Report,
) -> Result<String> {
    let sent = &conversation.name;
    let wanted = names::line(sent.trim_start_matches('#'), NAME_CHARACTERS)
        .and_then(|name| NewChannel::check(&name, ChannelKind::Public, None).ok())
        .map_or_else(|| conversation.slack_id.clone(), |new| new.name);
    let mut name = wanted.clone();
    let mut number = 1;
    while taken.contains(&text::key(&name)) || channels::by_name(&mut db.read(), &name).await?.is_some() {
        let suffix = if number == 1 { "-slack".to_owned() } else { format!("-slack-{number}") };
        name = wanted.chars().take(NAME_CHARACTERS - suffix.len()).collect::<String>() + &suffix;
        number += 1;
    }
    taken.insert(text::key(&name));
    if name != *sent {
        report.renamed.push(Renamed {
            kind: "channel",
            slack_id: conversation.slack_id.clone(),
            from: sent.clone(),
            to: name.clone(),
            reason: if name == wanted { "not allowed in a channel's name" } else { "taken" },
        });
    }
    Ok(name)
}

/// Lets the members in, after the messages: what was written before is there to read and not unread. Whoever was let in
/// once and left is not let in again. Answers how many came in.
pub(super) async fn let_in(db: &Db, place: &Place, people: &People, dry: bool) -> Result<u64> {
    let Place { conversation, channel, .. } = place;
    let channel = *channel;
    let creator = conversation.creator.as_deref();
    let mut wanted: HashMap<String, (UserId, ChannelRole)> = HashMap::new();
    for slack_id in &conversation.members {
        if let Some(person) = people.get(slack_id) {
            let role = if creator == Some(slack_id) { ChannelRole::Owner } else { ChannelRole::Member };
            wanted.insert(format!("{}/{slack_id}", conversation.slack_id), (person.id, role));
        }
    }
    let ids: Vec<String> = wanted.keys().cloned().collect();
    let known = imports::among(&mut db.read(), SOURCE, MEMBER, &ids).await?;
    let mut new: Vec<(String, (UserId, ChannelRole))> =
        wanted.into_iter().filter(|(id, _)| !known.contains_key(id)).collect();
    new.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    if dry {
        return Ok(new.len() as u64);
    }
    let mut count = 0;
    for part in new.chunks(BATCH) {
        let made: Vec<_> = part.iter().map(|(id, (user, _))| (id.clone(), user.0)).collect();
        let mut part: Vec<_> = part.iter().map(|(_, member)| *member).collect();
        // Two accounts in Slack may be one here: the same row twice would be refused.
        part.sort_unstable_by_key(|(user, role)| (*user, std::cmp::Reverse(*role)));
        part.dedup_by_key(|(user, _)| *user);
        let is_direct = matches!(conversation.kind, ChannelKind::Direct | ChannelKind::Group);
        count += db
            .write(move |tx| {
                async move {
                    // Direct conversations have had their people from the first moment.
                    let added = if is_direct { 0 } else { members::add(tx, channel, &part, None).await? };
                    imports::remember(tx, SOURCE, MEMBER, &made).await?;
                    Ok(added as u64)
                }
                .boxed()
            })
            .await?;
    }
    Ok(count)
}

/// Whether a private channel or conversation came whole before.
pub(super) async fn is_closed_and_complete(db: &Db, place: &Place) -> Result<bool> {
    if place.is_new || place.conversation.kind.is_open() {
        return Ok(false);
    }
    let id = place.conversation.slack_id.clone();
    Ok(!imports::among(&mut db.read(), SOURCE, READ, &[id]).await?.is_empty())
}

/// For those who are members from the first moment, the past is read too; once, since what they read later is theirs.
pub(super) async fn mark_read(db: &Db, place: &Place, people: &People) -> Result<()> {
    let Place { conversation, channel, .. } = place;
    let channel = *channel;
    let done = [(conversation.slack_id.clone(), channel.0)];
    if !imports::among(&mut db.read(), SOURCE, READ, &[done[0].0.clone()]).await?.is_empty() {
        return Ok(());
    }
    let early: Vec<UserId> = match conversation.kind {
        ChannelKind::Direct | ChannelKind::Group => members_of(conversation, people),
        _ => conversation.creator.iter().filter_map(|id| people.get(id)).map(|it| it.id).collect(),
    };
    db.write(move |tx| {
        async move {
            for user in early {
                match access::admit(tx, user, channel).await {
                    Ok(admitted) if admitted.role().is_some() => {
                        read_state::mark_read(tx, user, channel, admitted.last_seq()).await?;
                    }
                    // Gone since an earlier run that was cut short.
                    Ok(_) | Err(Fault::NotFound(_)) => {}
                    Err(fault) => return Err(fault),
                }
            }
            imports::remember(tx, SOURCE, READ, &done).await
        }
        .boxed()
    })
    .await
}
