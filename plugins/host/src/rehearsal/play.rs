//! Plays what people do, and calls the plugin as a server would.

use super::script::Act;
use super::stage::{Page, Stage, channel, person, usual};
use super::written;
use crate::command::command_name;
use crate::granted::Granted;
use crate::manifest::SettingKind;
use crate::outcome::CallError;
use crate::permission::{Grants, Permission};
use crate::plugin::Plugin;
use crate::words::{
    Completion, Delivery, Draft, Event, Invocation, Membership, Place, Press, Reaction, Reason, Reply,
    SettingValue, Tick, ToolCall, Verdict,
};

/// Of one `pass`: a plugin that sets a timer whenever one fires would go on for ever.
const MOST_TIMERS: usize = 1000;

/// A conversation under way. Faults of the conversation are errors; whatever the plugin does is an answer.
pub(super) struct Player<'p> {
    plugin: &'p Plugin,
    stage: Stage,
    denied: Vec<Permission>,
    sequence: u64,
}

type Lines = Result<Vec<String>, String>;

impl<'p> Player<'p> {
    pub(super) fn new(plugin: &'p Plugin) -> Self {
        // Settings that an administrator must give have none yet: the conversation sets them.
        let settings = plugin.manifest().settings.iter();
        let defaults = settings.filter_map(|it| Some((it.key.clone(), it.default.clone()?))).collect();
        let stage = Stage::new(super::bot_name(plugin.manifest()), defaults);
        Self { plugin, stage, denied: Vec::new(), sequence: 0 }
    }

    /// Does it, and answers what the plugin did.
    pub(super) async fn play(&mut self, act: &Act) -> Lines {
        match act {
            Act::Says { who, channel: name, below, text } => {
                let place = Place { thread_id: below.clone(), ..channel(name) };
                if let Some(root) = below {
                    self.stage.world().find(Some(root))?;
                }
                if text.starts_with('/') {
                    self.command(who, place, text).await
                } else {
                    self.says(who, place, text).await
                }
            }
            Act::Edits { who, message, text } => self.edits(who, message, text).await,
            Act::Deletes { message } => self.deletes(message).await,
            Act::Reacts { who, code, message, added } => {
                self.reacts(who, code, message.as_deref(), *added).await
            }
            Act::Presses { who, label, on } => self.presses(who, label, on.as_deref()).await,
            Act::Types { who, command, option, typed } => self.types(who, command, option, typed).await,
            Act::Joins { who, channel: name } => {
                let membership = Membership { place: channel(name), user: person(who) };
                self.deliver(Event::MemberJoined(membership)).await
            }
            Act::Leaves { who, channel: name } => {
                let membership = Membership { place: channel(name), user: person(who) };
                self.deliver(Event::MemberLeft(membership)).await
            }
            Act::Tool { name, who, input } => self.tool(name, who, input).await,
            Act::Pass { seconds } => self.pass(*seconds).await,
            Act::Configure(reason) => self.configure(reason).await,
            Act::Deny(permission) => {
                self.denied.push(*permission);
                Ok(Vec::new())
            }
            Act::Set { key, value } => self.set(key, value),
            Act::Page { method, url, status, body } => {
                let (method, url, body) = (method.clone(), url.clone(), body.clone());
                self.stage.world().pages.push(Page { method, url, status: *status, body });
                Ok(Vec::new())
            }
        }
    }

    fn host(&self) -> Granted<Stage> {
        let asks = self.plugin.manifest().asks();
        let granted = Grants::of(asks.iter().filter(|it| !self.denied.contains(it)));
        Granted::new(self.stage.clone(), self.plugin.manifest(), &granted)
    }

    /// What the plugin did, and how the call ended if that says anything.
    fn lines(&self, end: Option<String>) -> Vec<String> {
        let mut lines = std::mem::take(&mut self.stage.world().told);
        lines.extend(end);
        lines
    }

    fn replied(&self, place: Place, reply: Result<Reply, CallError>, of: Option<&str>) -> Vec<String> {
        let mut world = self.stage.world();
        let line = match reply {
            Ok(reply) => world.reply(place, reply, of),
            Err(error) => written::error(&error),
        };
        drop(world);
        self.lines(Some(line))
    }

    async fn command(&mut self, who: &str, place: Place, text: &str) -> Lines {
        let name = command_name(text).map_err(|fault| fault.0)?;
        let command = self.plugin.manifest().command(name);
        let command = command.ok_or_else(|| format!("the manifest has no command `{name}`"))?;
        let arguments = match command.arguments(text) {
            Ok(arguments) => arguments,
            Err(fault) => return Ok(vec![format!("error: {fault}")]),
        };
        let call =
            Invocation { command: name.to_owned(), arguments, user: person(who), place: place.clone() };
        let reply = self.plugin.on_command(self.host(), call).await;
        Ok(self.replied(place, reply, None))
    }

    async fn says(&mut self, who: &str, place: Place, text: &str) -> Lines {
        let message = {
            let mut world = self.stage.world();
            let id = world.post(person(who), place, Draft::text(text));
            world.find(Some(&id))?.message.clone()
        };
        self.deliver(Event::MessagePosted(message)).await
    }

    async fn edits(&mut self, who: &str, id: &str, text: &str) -> Lines {
        let message = {
            let mut world = self.stage.world();
            let now = world.now_ms;
            let said = world.find(Some(id))?;
            if said.message.sender.username != who {
                return Err(format!("{who} did not write {id}"));
            }
            text.clone_into(&mut said.message.content);
            said.message.edited_at_ms = Some(now);
            said.message.clone()
        };
        self.deliver(Event::MessageEdited(message)).await
    }

    async fn deletes(&mut self, id: &str) -> Lines {
        let place = {
            let mut world = self.stage.world();
            let said = world.find(Some(id))?;
            said.is_deleted = true;
            said.message.place.clone()
        };
        self.deliver(Event::MessageDeleted { message_id: id.to_owned(), place }).await
    }

    async fn deliver(&mut self, event: Event) -> Lines {
        let bot = self.stage.world().bot.id.clone();
        if !self.plugin.manifest().wants(&event, &bot) {
            return Ok(Vec::new());
        }
        self.sequence += 1;
        let at_ms = self.stage.world().now_ms;
        let delivery = Delivery { sequence: self.sequence, attempt: 1, at_ms, event };
        let done = self.plugin.on_event(self.host(), delivery).await;
        Ok(self.lines(failed(done)))
    }

    async fn reacts(&mut self, who: &str, code: &str, message: Option<&str>, added: bool) -> Lines {
        let (thread, reaction) = {
            let mut world = self.stage.world();
            let said = world.find(message)?;
            let (message_id, place) = (said.message.id.clone(), said.message.place.clone());
            (said.thread(), Reaction { message_id, place, user: person(who), code: code.to_owned() })
        };
        let mut lines = Vec::new();
        let own = self.plugin.manifest().reaction(code);
        if added && own.is_some_and(|it| it.asks) {
            let verdict = self.plugin.may_react(self.host(), reaction.clone()).await;
            match verdict {
                Ok(Verdict::Refuse(text)) => return Ok(self.lines(Some(format!("refused: {text}")))),
                Ok(Verdict::Allow) => lines.extend(self.lines(None)),
                Err(error) => lines.extend(self.lines(Some(written::error(&error)))),
            }
        }
        if own.is_some() {
            let reply = self.plugin.on_reaction(self.host(), reaction.clone(), added).await;
            lines.extend(self.replied(thread, reply, None));
        }
        let event = if added { Event::ReactionAdded(reaction) } else { Event::ReactionRemoved(reaction) };
        lines.extend(self.deliver(event).await?);
        Ok(lines)
    }

    async fn presses(&mut self, who: &str, label: &str, on: Option<&str>) -> Lines {
        let (message, button) = self.stage.world().button(label, on)?;
        let is_whisper = message.id.starts_with('w');
        let press = Press {
            action: button.action,
            payload: button.payload,
            message_id: if is_whisper { String::new() } else { message.id.clone() },
            place: message.place.clone(),
            user: person(who),
        };
        let reply = self.plugin.on_action(self.host(), press).await;
        Ok(self.replied(message.place, reply, Some(&message.id)))
    }

    async fn types(&mut self, who: &str, command: &str, option: &str, typed: &str) -> Lines {
        let known = self.plugin.manifest().command(command).into_iter().flat_map(|it| &it.options);
        if !known.clone().any(|it| it.name == option && it.completes) {
            return Err(format!(
                "the manifest has no option `{option}` of /{command} with `complete = true`"
            ));
        }
        let question = Completion {
            command: command.to_owned(),
            option: option.to_owned(),
            typed: typed.to_owned(),
            user: person(who),
            place: usual(),
        };
        let end = match self.plugin.complete(self.host(), question).await {
            Ok(suggestions) => written::suggestions(&suggestions),
            Err(error) => written::error(&error),
        };
        Ok(self.lines(Some(end)))
    }

    async fn tool(&mut self, name: &str, who: &str, input: &str) -> Lines {
        if !self.plugin.manifest().tools.iter().any(|it| it.name == name) {
            return Err(format!("the manifest has no tool `{name}`"));
        }
        let call = ToolCall {
            tool: name.to_owned(),
            input: input.to_owned(),
            user: person(who),
            channel_id: Some(usual().channel_id),
        };
        let end = match self.plugin.call_tool(self.host(), call).await {
            Ok(answer) => format!("answers: {}", written::one_line(&answer)),
            Err(error) => written::error(&error),
        };
        Ok(self.lines(Some(end)))
    }

    /// Lets time pass; timers that are due meanwhile call, the earliest first.
    async fn pass(&mut self, seconds: u64) -> Lines {
        let until = self.stage.world().now_ms.saturating_add(seconds.saturating_mul(1000));
        let mut lines = Vec::new();
        for _ in 0..MOST_TIMERS {
            let tick = {
                let mut world = self.stage.world();
                let due =
                    world.timers.values().filter(|it| it.at_ms <= until).min_by_key(|it| it.at_ms).cloned();
                let Some(timer) = due else {
                    world.now_ms = until;
                    return Ok(lines);
                };
                world.now_ms = world.now_ms.max(timer.at_ms);
                world.timers.remove(&timer.name);
                if let Some(period) = timer.period_seconds {
                    let next = crate::words::Timer {
                        at_ms: timer.at_ms + u64::from(period) * 1000,
                        ..timer.clone()
                    };
                    world.timers.insert(timer.name.clone(), next);
                }
                Tick { name: timer.name, payload: timer.payload, due_ms: timer.at_ms, attempt: 1 }
            };
            lines.push(format!("timer {} fires", tick.name));
            let done = self.plugin.on_timer(self.host(), tick).await;
            lines.extend(self.lines(failed(done)));
        }
        Err(format!("more than {MOST_TIMERS} timers fire in this time"))
    }

    async fn configure(&mut self, reason: &str) -> Lines {
        let reason = match reason {
            "installed" => Reason::Installed,
            "upgraded" => Reason::Upgraded,
            _ => Reason::SettingsChanged,
        };
        let done = self.plugin.configure(self.host(), reason).await;
        Ok(self.lines(failed(done)))
    }

    fn set(&mut self, key: &str, value: &str) -> Lines {
        let manifest = self.plugin.manifest();
        let setting = manifest.settings.iter().find(|it| it.key == key);
        let setting = setting.ok_or_else(|| format!("the manifest has no setting `{key}`"))?;
        let read = match setting.kind {
            SettingKind::Text | SettingKind::Secret => Some(SettingValue::Text(value.to_owned())),
            SettingKind::Integer => value.parse().ok().map(SettingValue::Integer),
            SettingKind::Number => value.parse().ok().map(SettingValue::Number),
            SettingKind::Toggle => value.parse().ok().map(SettingValue::Toggle),
        };
        let read = read.ok_or_else(|| format!("`{value}` is no value of the setting `{key}`"))?;
        // A secret is for the host: no plugin reads one.
        if setting.kind != SettingKind::Secret {
            self.stage.world().settings.insert(key.to_owned(), read);
        }
        Ok(Vec::new())
    }
}

/// How a call ended that answers nothing. What is not granted is not delivered at all.
fn failed(done: Result<(), CallError>) -> Option<String> {
    match done {
        Ok(()) | Err(CallError::NotGranted(_) | CallError::NotHandled) => None,
        Err(error) => Some(written::error(&error)),
    }
}
