//! `plugin.toml`: what a plugin is, what it handles, and what it asks for. `plugins/README.md` describes it.

mod parse;
mod reactions;
mod schema;
mod section;
mod webhooks;

pub use reactions::{CustomReaction, MOST_REACTIONS, Who, image_files};
pub use schema::check_input;

use crate::permission::{Grants, Permission};
use crate::words::{Event, EventKind, OptionValue, SettingValue};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Something wrong with a manifest or with settings: where, and what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Such as `command[0].name`.
    pub field: String,
    /// A sentence for the author.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.field, self.message)
    }
}

/// A manifest without a fault.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Manifest {
    /// Reverse DNS; the name of its storage and of its bot.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// `1.2.3`.
    pub version: String,
    /// The version of `confab:plugin` that it was built for.
    pub api: String,
    /// One sentence.
    pub description: String,
    /// The component's file name.
    pub wasm: String,
    /// SHA-256 of the component, 64 hexadecimal digits in lower case.
    pub sha256: String,
    /// The permissions it lists; see [`Manifest::asks`] for all.
    pub permissions: BTreeSet<Permission>,
    /// The events it wants.
    pub events: Vec<EventFilter>,
    /// Its slash commands.
    pub commands: Vec<Command>,
    /// Reactions that it adds to the catalogue.
    pub reactions: Vec<CustomReaction>,
    /// The files of their images, each with its SHA-256; without those that nothing has been installed of.
    pub images: BTreeMap<String, String>,
    /// What an administrator can set.
    pub settings: Vec<Setting>,
    /// What it offers to the assistant.
    pub tools: Vec<Tool>,
    /// Addresses at which other programs call it.
    pub webhooks: Vec<Webhook>,
    /// Origins that it calls, such as `https://api.example.com`.
    pub http: Vec<String>,
    /// Limits below the server's.
    pub limits: AskedLimits,
}

/// Which events of one kind are delivered. Checked before the plugin runs: an event that it does not want costs it,
/// and the server, nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventFilter {
    /// The kind.
    pub kind: EventKind,
    /// For messages: only those whose content starts with one of these; empty: all.
    pub prefix: Vec<String>,
    /// For messages: only those whose content holds one of these; empty: all.
    pub contains: Vec<String>,
    /// For messages: only those that mention the plugin's bot.
    pub mentions_bot: bool,
    /// Also what other bots did. The plugin's own bot never triggers it.
    pub from_bots: bool,
}

impl EventFilter {
    /// Whether it says anything that only a message can have.
    fn reads_messages(&self) -> bool {
        self.mentions_bot || !self.prefix.is_empty() || !self.contains.is_empty()
    }
}

/// A slash command.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Command {
    /// Without the slash.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// In the order in which values without a name are given.
    pub options: Vec<CommandOption>,
}

/// An option of a command.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CommandOption {
    /// Its name.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// What values it takes; `type` in the manifest.
    #[serde(rename = "type")]
    pub kind: OptionKind,
    /// Whether the command needs it.
    pub required: bool,
    /// The least integer or number.
    pub min: Option<f64>,
    /// The largest integer or number.
    pub max: Option<f64>,
    /// What may be chosen.
    pub choices: Vec<String>,
    /// The value if none is given.
    pub default: Option<OptionValue>,
    /// Whether the plugin suggests values while somebody types; `complete` in the manifest.
    pub completes: bool,
}

/// The types of options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it all")]
pub enum OptionKind {
    Text,
    Integer,
    Number,
    Toggle,
    Choice,
    User,
    Channel,
}

/// A tool for the assistant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tool {
    /// Unique in the plugin.
    pub name: String,
    /// For the model: when to use it.
    pub description: String,
    /// A JSON schema of an object.
    pub schema: serde_json::Value,
    /// Whether it changes nothing, so that the assistant may call it without asking first; `read-only` in the manifest.
    pub is_read_only: bool,
    /// Whether everybody may read what it answers: it reads nothing of the chat and depends on nobody's rights, so that the
    /// assistant may call it for an answer that a whole channel sees; `for-everyone` in the manifest.
    pub is_for_everyone: bool,
}

/// An address of the plugin, `/hooks/plugins/{id}/{name}`, and how a sender proves that they may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Webhook {
    /// Unique in the plugin.
    pub name: String,
    /// The setting, of type `secret`, with what the sender knows.
    pub secret: String,
    /// What stands in `header`.
    pub proof: Proof,
    /// In lower case.
    pub header: String,
    /// What stands before the proof.
    pub prefix: String,
    /// The header with the sender's own id of what they send: the same one twice is the same delivery.
    pub delivery_header: Option<String>,
}

/// How a sender proves that they know a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// The HMAC-SHA256 of the body in hex, as GitHub and Gitea do.
    HmacSha256,
    /// The secret itself, as GitLab does.
    Token,
}

/// A setting.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Setting {
    /// Its name to the plugin.
    pub key: String,
    /// One sentence for the administrator.
    pub description: String,
    /// What values it takes; `type` in the manifest.
    #[serde(rename = "type")]
    pub kind: SettingKind,
    /// The value if none is set.
    pub default: Option<SettingValue>,
    /// Whether the administrator must set it (only without a default).
    pub required: bool,
}

/// The types of settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it all")]
pub enum SettingKind {
    Text,
    Integer,
    Number,
    Toggle,
    /// A text that nobody reads again: the host puts it into headers of calls out.
    Secret,
}

/// Limits below the server's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AskedLimits {
    /// Memory, MiB.
    pub memory_mib: Option<u32>,
    /// CPU time of an event, ms.
    pub event_ms: Option<u32>,
    /// Time of a command, ms.
    pub command_ms: Option<u32>,
    /// How long an instance lives.
    pub instance: Keeping,
}

/// How long an instance of a plugin lives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Keeping {
    /// For one call.
    #[default]
    Fresh,
    /// For several, one after the other: for plugins that carry an interpreter.
    Kept,
}

impl Manifest {
    /// Reads a manifest. The error names every fault at once, unless the text is not TOML at all.
    pub fn parse(text: &str) -> Result<Self, Vec<Fault>> {
        parse::manifest(text)
    }

    /// All that it asks for: the listed permissions, and `events.*` for the events it wants. Who asks for all channels may be
    /// given the public ones alone.
    pub fn asks(&self) -> Grants {
        let events = self.events.iter().map(|filter| Permission::Event(filter.kind));
        let less = self.permissions.contains(&Permission::AllChannels).then_some(Permission::PublicChannels);
        Grants::of(self.permissions.iter().copied().chain(events).chain(less))
    }

    /// Whether it asks to read in more channels, and neither hears nor reads anything there.
    fn reaches_for_nothing(&self) -> bool {
        const READING: [Permission; 4] =
            [Permission::ReadMessages, Permission::ReadUsers, Permission::Search, Permission::Summarize];
        let reaches = [Permission::PublicChannels, Permission::AllChannels];
        let asks = |any: &[Permission]| any.iter().any(|it| self.permissions.contains(it));
        asks(&reaches) && !asks(&READING) && self.events.is_empty() && self.reactions.is_empty()
    }

    /// Whether its filters let the event through. Nothing that its own bot did does: it would answer itself for ever.
    pub fn wants(&self, event: &Event, bot_id: &str) -> bool {
        let Some(filter) = self.events.iter().find(|filter| Some(filter.kind) == event.kind()) else {
            return false;
        };
        let actor = match event {
            Event::MessagePosted(message) | Event::MessageEdited(message) => Some(&message.sender),
            Event::ReactionAdded(reaction) | Event::ReactionRemoved(reaction) => Some(&reaction.user),
            Event::MemberJoined(membership) | Event::MemberLeft(membership) => Some(&membership.user),
            Event::MessageDeleted { .. } | Event::ChannelCreated(_) | Event::Other { .. } => None,
        };
        if actor.is_some_and(|user| user.id == bot_id || (user.is_bot && !filter.from_bots)) {
            return false;
        }
        match event {
            Event::MessagePosted(message) | Event::MessageEdited(message) => {
                let starts = filter.prefix.iter().any(|prefix| message.content.starts_with(prefix.as_str()));
                let mentions = message.mentions.iter().any(|mentioned| mentioned == bot_id);
                let holds = filter.contains.iter().any(|part| message.content.contains(part.as_str()));
                (filter.prefix.is_empty() || starts)
                    && (filter.contains.is_empty() || holds)
                    && (!filter.mentions_bot || mentions)
            }
            _ => true,
        }
    }

    /// The command of this name.
    pub fn command(&self, name: &str) -> Option<&Command> {
        self.commands.iter().find(|command| command.name == name)
    }

    /// The reaction of this code.
    pub fn reaction(&self, code: &str) -> Option<&CustomReaction> {
        self.reactions.iter().find(|reaction| reaction.code == code)
    }

    /// What the plugin reads when an administrator gave these settings: defaults filled in, every fault named at once.
    pub fn settings(
        &self,
        given: &BTreeMap<String, SettingValue>,
    ) -> Result<BTreeMap<String, SettingValue>, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut fault = |key: &str, message: String| faults.push(Fault { field: key.to_owned(), message });
        for key in given.keys().filter(|key| !self.settings.iter().any(|setting| setting.key == **key)) {
            fault(key, "there is no such setting".into());
        }
        let mut settings = BTreeMap::new();
        for setting in &self.settings {
            match (given.get(&setting.key), &setting.default) {
                (Some(value), _) => match setting.kind.accept(value) {
                    Some(value) => drop(settings.insert(setting.key.clone(), value)),
                    None => fault(&setting.key, format!("must be {}", setting.kind.article())),
                },
                (None, Some(default)) => drop(settings.insert(setting.key.clone(), default.clone())),
                (None, None) if setting.required => fault(&setting.key, "is required".into()),
                (None, None) => {}
            }
        }
        if faults.is_empty() { Ok(settings) } else { Err(faults) }
    }
}

impl SettingKind {
    /// The value as this kind has it: JSON does not tell 10 from 10.0, so a number may come as an integer.
    fn accept(self, value: &SettingValue) -> Option<SettingValue> {
        match (self, value) {
            (Self::Number, SettingValue::Integer(integer)) => Some(SettingValue::Number(*integer as f64)),
            (Self::Text | Self::Secret, SettingValue::Text(_))
            | (Self::Integer, SettingValue::Integer(_))
            | (Self::Number, SettingValue::Number(_))
            | (Self::Toggle, SettingValue::Toggle(_)) => Some(value.clone()),
            _ => None,
        }
    }

    const fn article(self) -> &'static str {
        match self {
            Self::Text | Self::Secret => "a text",
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::Toggle => "true or false",
        }
    }
}
