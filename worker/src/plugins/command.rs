//! Commands: which there are, and running one for a person.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use confab_core::access::{self, Admitted};
use confab_core::whispers::Whisper;
use confab_core::{Db, Fault, FutureExt as _, Result, channels, members, users};
use confab_plugin_host::{
    Argument, CallError, Command, Completion, Draft, Invocation, OptionValue, Reply, Suggestion, command_name,
};
use confab_protocol::{ChannelId, ChannelKind, Message, MessageId, UserId, UserRef};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::action;
use super::catalogue::{Catalogue, Loaded};
use super::host::{BotHost, Occasion};
use super::words;

/// Answers kept for those who ask again because an answer was lost.
const KEPT: usize = 256;

/// A command that a person gave.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Question {
    /// Who.
    pub user_id: UserId,
    /// Where.
    pub channel_id: ChannelId,
    /// In which thread.
    #[serde(default)]
    pub parent_id: Option<MessageId>,
    /// `/name …`
    pub text: String,
    /// The same for a repetition of the same request, which does nothing more.
    pub invocation_id: Uuid,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Answer {
    /// The command's name.
    pub command: String,
    /// Who sees it.
    pub outcome: Outcome,
    /// What is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The message in the channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Message>,
    /// What the person alone sees, with its buttons.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub whisper: Option<Whisper>,
}

impl Answer {
    pub(super) fn of(command: &str, outcome: Outcome) -> Self {
        Self { command: command.to_owned(), outcome, content: None, message: None, whisper: None }
    }
}

/// Who sees an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// Everyone in the channel.
    Public,
    /// Only the person who gave the command.
    Whisper,
    /// Nobody: there is nothing to see.
    Silent,
}

/// An option that a person is typing.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Completing {
    /// Who.
    pub user_id: UserId,
    /// Where.
    pub channel_id: ChannelId,
    /// Of which command.
    pub command: String,
    /// Which option.
    pub option: String,
    /// What stands there so far.
    pub typed: String,
}

/// Runs commands.
pub(super) struct Commands {
    db: Db,
    catalogue: Arc<Catalogue>,
    recent: Mutex<Recent>,
}

type Key = (UserId, ChannelId, Uuid, String);

#[derive(Default)]
struct Recent {
    answers: HashMap<Key, Arc<OnceCell<Answer>>>,
    order: VecDeque<Key>,
}

impl Commands {
    pub(super) fn new(db: &Db, catalogue: &Arc<Catalogue>) -> Self {
        Self { db: db.clone(), catalogue: Arc::clone(catalogue), recent: Mutex::default() }
    }

    /// Every command that can be given, by name.
    pub(super) fn list(&self) -> Value {
        let mut items: Vec<(String, Value)> = Vec::new();
        for loaded in self.catalogue.all().values() {
            for command in &loaded.manifest.commands {
                // Of two plugins with the same command, the one that would run it.
                if !items.iter().any(|(name, _)| *name == command.name) {
                    items.push((command.name.clone(), in_list(command, &loaded.id)));
                }
            }
        }
        items.sort_by(|one, other| one.0.cmp(&other.0));
        let items: Vec<Value> = items.into_iter().map(|(_, item)| item).collect();
        json!({ "items": items })
    }

    /// Runs a command.
    ///
    /// # Errors
    /// [`Fault::NotFound`] for a channel that the person may not know and for an unknown command; [`Fault::Forbidden`]
    /// for who is no member; [`Fault::Invalid`] in `text`; [`Fault::Conflict`] with code `channel_archived`,
    /// `not_a_member` (of the bot) or `plugin_failed`.
    pub(super) async fn run(&self, asked: Question) -> Result<Answer> {
        let person = access::admit(&mut self.db.read(), asked.user_id, asked.channel_id).await?;
        person.member()?;
        if person.is_archived() {
            return Err(Fault::conflict("channel_archived", "this channel is archived"));
        }
        let name = command_name(&asked.text).map_err(|fault| Fault::invalid("text", fault.0))?;
        let loaded = self.catalogue.with_command(name).ok_or(Fault::NotFound("command"))?;
        let command = loaded.manifest.command(name).ok_or(Fault::NotFound("command"))?;
        let arguments = command.arguments(&asked.text).map_err(|fault| Fault::invalid("text", fault.0))?;
        self.bring_in(&person, &loaded).await?;
        let answer = self.recent(&asked);
        let call = || self.call(&loaded, name, arguments, &asked);
        answer.get_or_try_init(call).await.cloned()
    }

    /// The place of the answer to a request. The same request twice at once waits for one answer. The person and the
    /// text are part of the key: nobody reads another's whisper by naming its id.
    fn recent(&self, asked: &Question) -> Arc<OnceCell<Answer>> {
        let key = (asked.user_id, asked.channel_id, asked.invocation_id, asked.text.clone());
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = recent.answers.get(&key) {
            return Arc::clone(known);
        }
        if recent.order.len() >= KEPT
            && let Some(oldest) = recent.order.pop_front()
        {
            recent.answers.remove(&oldest);
        }
        let answer = Arc::<OnceCell<Answer>>::default();
        recent.order.push_back(key.clone());
        recent.answers.insert(key, Arc::clone(&answer));
        answer
    }

    /// Makes the bot a member, as the person who gives the command could: in a public channel. Elsewhere someone must
    /// decide to let it read along.
    async fn bring_in(&self, person: &Admitted, loaded: &Loaded) -> Result<()> {
        let (channel, user, bot) = (person.channel_id(), person.user_id(), loaded.bot.id);
        let name = &loaded.bot.username;
        match access::admit(&mut self.db.read(), bot, channel).await {
            Ok(admitted) if admitted.role().is_some() => Ok(()),
            Ok(_) => self.db.write(move |tx| members::invite(tx, user, channel, bot).boxed()).await.map(drop),
            Err(Fault::NotFound(_)) if person.kind() == ChannelKind::Direct => Err(Fault::conflict(
                "not_a_member",
                format!("@{name} is not in this conversation: use the command in a channel"),
            )),
            Err(Fault::NotFound(_)) => {
                Err(Fault::conflict("not_a_member", format!("invite @{name} to this channel first")))
            }
            Err(fault) => Err(fault),
        }
    }

    /// Names of people and channels as the ids that plugins know.
    async fn named(&self, mut arguments: Vec<Argument>, user: UserId) -> Result<Vec<Argument>> {
        let mut on = self.db.read();
        for argument in &mut arguments {
            let unknown = |what: &str| Fault::invalid("text", format!("`{}` names no {what}", argument.name));
            argument.value = match &argument.value {
                OptionValue::User(name) => {
                    let found = users::by_names(&mut on, &[name.to_lowercase()]).await?.pop();
                    OptionValue::User(found.ok_or_else(|| unknown("user"))?.0.to_string())
                }
                OptionValue::Channel(name) => {
                    let found = channels::named(&mut on, user, name).await?.pop();
                    OptionValue::Channel(
                        found.ok_or_else(|| unknown("channel that you can see"))?.to_string(),
                    )
                }
                _ => continue,
            };
        }
        Ok(arguments)
    }

    /// What could stand at an option that somebody is typing. A plugin that takes too long suggests nothing.
    pub(super) async fn complete(&self, asked: Completing) -> Result<Value> {
        let person = access::admit(&mut self.db.read(), asked.user_id, asked.channel_id).await?;
        person.member()?;
        let none = json!({ "items": [] });
        let Some(loaded) = self.catalogue.with_command(&asked.command) else { return Ok(none) };
        let known = loaded.manifest.command(&asked.command);
        let option = known.and_then(|it| it.options.iter().find(|option| option.name == asked.option));
        if option.is_none_or(|option| !option.completes) {
            return Ok(none);
        }
        let person = users::refs(&mut self.db.read(), &[asked.user_id]).await?.pop();
        let user = words::user(&person.ok_or(Fault::NotFound("channel"))?);
        let host =
            self.catalogue.host(&loaded, Occasion::command(confab_protocol::fresh_id()), Some(asked.user_id));
        let place = words::place(asked.channel_id, None);
        let question =
            Completion { command: asked.command, option: asked.option, typed: asked.typed, user, place };
        let Ok(plugin) = self.catalogue.handlers(&loaded).await else { return Ok(none) };
        let Ok(found) = self.catalogue.call(&loaded, plugin.complete(host.granted(), question)).await else {
            return Ok(none);
        };
        let item = |it: &Suggestion| json!({ "value": it.value, "label": it.label });
        Ok(json!({ "items": found.iter().map(item).collect::<Vec<_>>() }))
    }

    async fn call(
        &self,
        loaded: &Arc<Loaded>,
        name: &str,
        arguments: Vec<Argument>,
        asked: &Question,
    ) -> Result<Answer> {
        let person = users::refs(&mut self.db.read(), &[asked.user_id]).await?.pop();
        let person: UserRef = person.ok_or(Fault::NotFound("channel"))?;
        let host = self.catalogue.host(loaded, Occasion::command(asked.invocation_id), Some(asked.user_id));
        let invocation = Invocation {
            command: name.to_owned(),
            arguments: self.named(arguments, asked.user_id).await?,
            user: words::user(&person),
            place: words::place(asked.channel_id, asked.parent_id),
        };
        let plugin =
            self.catalogue.handlers(loaded).await.map_err(|_| failed(loaded, "the plugin failed"))?;
        let call = self.catalogue.call(loaded, plugin.on_command(host.granted(), invocation));
        let patience = action::patience(plugin, loaded);
        let called = tokio::time::timeout(patience, call).await.map_err(|_| Fault::Busy)?;
        let answer = |outcome, content| Answer { content, ..Answer::of(name, outcome) };
        match called {
            Ok(Reply::Silent) => Ok(answer(Outcome::Silent, None)),
            Ok(Reply::Public(draft)) if loaded.may_reply() => {
                let message = say(&host, asked, draft, loaded).await?;
                let content = Some(message.content.clone());
                Ok(Answer { message: Some(message), ..answer(Outcome::Public, content) })
            }
            Ok(Reply::Whisper(draft) | Reply::Public(draft) | Reply::Update(draft)) => {
                let said = action::whisper(&host, (asked.channel_id, asked.parent_id), draft).await?;
                Ok(Answer { command: name.to_owned(), ..said })
            }
            // Its text is for the person who gave the command, and for nobody else.
            Err(CallError::Guest(text)) => Ok(answer(Outcome::Whisper, Some(text))),
            Err(CallError::Trap(_)) => Err(failed(loaded, "the plugin failed")),
            Err(error) => Err(failed(loaded, &error.to_string())),
        }
    }
}

async fn say(host: &BotHost, asked: &Question, draft: Draft, loaded: &Loaded) -> Result<Message> {
    host.say(asked.channel_id, asked.parent_id, draft).await.map_err(|fault| match fault {
        // Empty or too long: the person wrote nothing wrong.
        Fault::Invalid { .. } => failed(loaded, "the plugin's answer cannot be posted"),
        other => other,
    })
}

pub(super) fn failed(loaded: &Loaded, what: &str) -> Fault {
    Fault::conflict("plugin_failed", format!("{}: {what}", loaded.manifest.name))
}

fn default_text(value: &OptionValue) -> String {
    match value {
        OptionValue::Text(text)
        | OptionValue::Choice(text)
        | OptionValue::User(text)
        | OptionValue::Channel(text) => text.clone(),
        OptionValue::Integer(number) => number.to_string(),
        OptionValue::Number(number) => number.to_string(),
        OptionValue::Toggle(toggle) => toggle.to_string(),
    }
}

fn in_list(command: &Command, plugin_id: &str) -> Value {
    let options: Vec<Value> = command
        .options
        .iter()
        .map(|option| {
            json!({
                "name": option.name,
                "type": option.kind,
                "description": option.description,
                "required": option.required,
                "choices": option.choices,
                "min": option.min,
                "max": option.max,
                "default": option.default.as_ref().map(default_text),
                "complete": option.completes,
            })
        })
        .collect();
    json!({
        "name": command.name,
        "description": command.description,
        "options": options,
        "usage": command.usage(),
        "plugin_id": plugin_id,
    })
}
