//! The first look: everything is read once and nothing is written, so that a damaged export is refused as a whole, and
//! so that it is known what is to come.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use confab_core::Result;
use confab_protocol::ChannelKind;

use super::OURS;
use super::archive::{Archive, Entry};
use super::markup::{self, Texts};
use super::report::Report;
use super::shapes::{Moment, SlackChannel, SlackMessage, SlackUser, each, repaired};
use crate::progress::Progress;

/// Most people, conversations, and messages of a day. Far above what Slack has, far below what would fill the memory.
const PEOPLE: usize = 1_000_000;
const CONVERSATIONS: usize = 200_000;
pub(super) const MESSAGES_A_DAY: usize = 5_000_000;

/// Where a thread's first message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root {
    /// In this export.
    Here,
    /// Not in this export: perhaps in an earlier one.
    Elsewhere,
}

/// A conversation of the export.
#[derive(Debug)]
pub(super) struct Conversation {
    pub slack_id: String,
    pub name: String,
    pub kind: ChannelKind,
    pub created_seconds: i64,
    pub creator: Option<String>,
    pub is_archived: bool,
    pub topic: String,
    pub purpose: String,
    pub members: Vec<String>,
    pub days: Vec<Entry>,
    /// The first messages that replies name.
    pub threads: HashMap<Moment, Root>,
}

/// Someone who writes or is a member but is not in `users.json`.
#[derive(Debug)]
pub(super) struct Stranger {
    pub name: String,
    pub is_bot: bool,
}

/// What the export holds.
pub(super) struct Survey {
    pub users: Vec<SlackUser>,
    pub strangers: BTreeMap<String, Stranger>,
    pub conversations: Vec<Conversation>,
    pub messages: u64,
    pub texts: Texts,
}

/// Reads all of it. Notes in the report what is left out.
pub(super) fn survey(archive: &Archive, report: &mut Report, progress: &Progress) -> Result<Survey> {
    let mut users: Vec<SlackUser> = Vec::new();
    for name in ["users.json", "org_users.json"] {
        if let Some(entry) = archive.list(name) {
            each(&entry, &repaired(archive.bytes(&entry)?).0, PEOPLE, |user: SlackUser| {
                users.push(user);
                Ok(())
            })?;
        }
    }
    let mut conversations = conversations(archive)?;
    note_left_out(archive, &conversations, report);
    let days = conversations.iter().map(|it| it.days.len() as u64).sum();
    progress.begin("Reading", days);
    let mut known = HashSet::new();
    for user in &users {
        known.extend(user.id.iter().map(String::as_str));
        known.extend(user.profile.iter().filter_map(|profile| profile.bot_id.as_deref()));
    }
    let mut reader = Reader { known, strangers: BTreeMap::new(), messages: 0, encoded: 0, raw: 0 };
    for conversation in &mut conversations {
        reader.read(archive, conversation, progress)?;
    }
    let Reader { strangers, messages, encoded, raw, .. } = reader;
    let texts = match () {
        () if archive.list(OURS).is_some() => Texts::Markdown,
        () if raw <= encoded => Texts::Slack,
        () => Texts::Plain,
    };
    Ok(Survey { users, strangers, conversations, messages, texts })
}

fn conversations(archive: &Archive) -> Result<Vec<Conversation>> {
    let mut found: Vec<Conversation> = Vec::new();
    let mut taken = BTreeSet::new();
    for (list, kind) in [
        ("channels.json", ChannelKind::Public),
        ("groups.json", ChannelKind::Private),
        ("dms.json", ChannelKind::Direct),
        ("mpims.json", ChannelKind::Group),
    ] {
        let Some(entry) = archive.list(list) else { continue };
        each(&entry, &repaired(archive.bytes(&entry)?).0, CONVERSATIONS, |channel: SlackChannel| {
            let mut conversation = of_shape(channel, kind);
            // The name, and the id for those without one; a second conversation must not read the first one's days.
            for folder in [conversation.name.clone(), conversation.slack_id.clone()] {
                if conversation.days.is_empty() && !folder.is_empty() && !taken.contains(&folder) {
                    conversation.days = archive.days(&folder);
                    if !conversation.days.is_empty() {
                        taken.insert(folder);
                    }
                }
            }
            if !conversation.slack_id.is_empty() {
                found.push(conversation);
            }
            Ok(())
        })?;
    }
    Ok(found)
}

fn of_shape(channel: SlackChannel, kind: ChannelKind) -> Conversation {
    let line = |line: Option<super::shapes::Line>| line.and_then(|it| it.value).unwrap_or_default();
    let name = channel.name.unwrap_or_default();
    Conversation {
        // Lists of other origin may name a channel without an id.
        slack_id: channel.id.filter(|id| !id.is_empty()).unwrap_or_else(|| name.clone()),
        name,
        kind,
        created_seconds: channel.created.unwrap_or_default(),
        creator: channel.creator.filter(|id| !id.is_empty()),
        is_archived: channel.is_archived.unwrap_or_default(),
        topic: line(channel.topic),
        purpose: line(channel.purpose),
        members: channel.members.unwrap_or_default(),
        days: Vec::new(),
        threads: HashMap::new(),
    }
}

fn note_left_out(archive: &Archive, conversations: &[Conversation], report: &mut Report) {
    let used: HashSet<&str> =
        conversations.iter().flat_map(|it| &it.days).map(|day| day.name.as_str()).collect();
    for folder in archive.folders() {
        let days = archive.days(folder);
        if days.first().is_some_and(|day| !used.contains(day.name.as_str())) {
            report.notes.push(format!(
                "folder {folder} ({} days) was left out: no list names it, so it is unknown who may read it",
                days.len()
            ));
        }
    }
    if archive.list("integration_logs.json").is_some() {
        report.notes.push("integration_logs.json was left out: it holds no messages".into());
    }
    if archive.other_entries > 0 {
        report
            .notes
            .push(format!("{} other files (canvases, for example) were left out", archive.other_entries));
    }
}

struct Reader<'a> {
    known: HashSet<&'a str>,
    strangers: BTreeMap<String, Stranger>,
    messages: u64,
    encoded: u64,
    raw: u64,
}

impl Reader<'_> {
    fn read(
        &mut self,
        archive: &Archive,
        conversation: &mut Conversation,
        progress: &Progress,
    ) -> Result<()> {
        for key in conversation.members.iter().chain(&conversation.creator) {
            self.meet(key, None, false);
        }
        let (mut seen, mut named) = (HashSet::new(), HashSet::new());
        for day in &conversation.days {
            let (bytes, _) = repaired(archive.bytes(day)?);
            each(day, &bytes, MESSAGES_A_DAY, |message: SlackMessage| {
                self.messages += 1;
                self.note(&message);
                if let Some(moment) = message.ts.as_deref().and_then(Moment::read) {
                    seen.insert(moment);
                    named.extend(
                        message.thread_ts.as_deref().and_then(Moment::read).filter(|root| *root != moment),
                    );
                }
                Ok(())
            })?;
            progress.add(1);
        }
        conversation.threads = named
            .into_iter()
            .map(|root| (root, if seen.contains(&root) { Root::Here } else { Root::Elsewhere }))
            .collect();
        Ok(())
    }

    fn note(&mut self, message: &SlackMessage) {
        let sender = message.sender();
        self.meet(&sender, message.bot_name(), message.is_by_bot());
        // Slack writes its own lines itself; what people wrote shows where the texts come from.
        if message.subtype.is_none()
            && let Some(text) = &message.text
        {
            match markup::is_encoded(text) {
                Some(true) => self.encoded += 1,
                Some(false) => self.raw += 1,
                None => {}
            }
        }
    }

    fn meet(&mut self, key: &str, bot_name: Option<&str>, is_bot: bool) {
        if self.known.contains(key) || self.strangers.contains_key(key) {
            return;
        }
        let is_bot = is_bot || key == "USLACKBOT";
        let name = match (is_bot, bot_name) {
            (true, Some(name)) => name,
            (true, None) if key == "USLACKBOT" => "slackbot",
            _ => key,
        };
        self.strangers.insert(key.to_owned(), Stranger { name: name.to_owned(), is_bot });
    }
}
