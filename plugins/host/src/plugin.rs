//! A loaded plugin, and its handlers.

mod held;

use crate::call::Call;
use crate::granted::{Granted, cut};
use crate::handlers::{Handler, Handlers, Replied};
use crate::host::Host;
use crate::limits::Limits;
use crate::manifest::{Fault, Keeping, Manifest};
use crate::outcome::{CallError, LoadError};
use crate::permission::{Grants, Permission};
use crate::runtime::Runtime;
use crate::words::{
    Completion, Delivery, Incoming, Invocation, Press, Reaction, Reason, Reply, Suggestion, Tick, ToolCall,
    Verdict,
};
use held::Held;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use wasmtime::component::{Component, InstancePre, Linker};

const CHAT: [Permission; 7] = [
    Permission::ReadMessages,
    Permission::PostMessages,
    Permission::EditOwnMessages,
    Permission::React,
    Permission::ReadUsers,
    Permission::SendDirect,
    Permission::CreateChannels,
];
/// Of what a tool answers.
const TOOL_ANSWER_BYTES: usize = 16 * 1024;
/// Of why a reaction is refused: a person reads it.
const REFUSAL_BYTES: usize = 1000;

/// A plugin that is ready to be called. Calls that run side by side have an instance each.
pub struct Plugin {
    runtime: Runtime,
    manifest: Manifest,
    limits: Limits,
    component: InstancePre<Call>,
    handlers: Handlers,
    /// Under which its instances are kept.
    number: u64,
}

/// Runs one call; gives its instance back with the answer.
macro_rules! run {
    ($self:ident, $host:ident, $handler:expr, $cpu:expr, $wall:expr, $call:ident($($argument:expr),*)) => {{
        if !$self.handlers.has($handler) {
            return Err(CallError::NotHandled);
        }
        let mut held = $self.hold().await;
        let called = async {
            let (store, instance) = held.begin(Arc::new($host), $cpu).await?;
            $self.handlers.$call(store, &instance, $($argument),*).await
        };
        let answer = within($wall, called).await?.map_err(|text| CallError::guest(&text));
        held.is_sound = true;
        (held, answer)
    }};
}

impl Drop for Plugin {
    fn drop(&mut self) {
        self.runtime.idle().forget(self.number);
    }
}

impl Plugin {
    pub(crate) fn new(
        runtime: Runtime,
        manifest: Manifest,
        (component, linker): (&Component, &Linker<Call>),
        limits: Limits,
    ) -> Result<Self, LoadError> {
        let faults = import_faults(&manifest, component);
        if !faults.is_empty() {
            return Err(LoadError::Interface(faults));
        }
        let component = linker.instantiate_pre(component).map_err(|error| {
            LoadError::Interface(vec![Fault { field: "wasm".into(), message: format!("{error:#}") }])
        })?;
        let handlers = Handlers::of(&component, &manifest.api);
        let faults = handlers.missing(&manifest);
        if !faults.is_empty() {
            return Err(LoadError::Interface(faults));
        }
        let number = runtime.number();
        Ok(Self { runtime, manifest, limits, component, handlers, number })
    }

    fn is_kept(&self) -> bool {
        self.manifest.limits.instance == Keeping::Kept
    }

    /// Its manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// How long a command or a button may take, whose person waits. What may ask the assistant may wait for it once.
    #[must_use]
    pub fn answering(&self, grants: &Grants) -> Duration {
        let asks = grants.has(Permission::Summarize) && self.manifest.asks().has(Permission::Summarize);
        self.limits.command_wall + if asks { self.limits.host_call } else { Duration::ZERO }
    }

    /// Tells it that it was installed or upgraded, or that its settings changed. Succeeds if it does not care.
    pub async fn configure<H: Host + 'static>(
        &self,
        host: Granted<H>,
        reason: Reason,
    ) -> Result<(), CallError> {
        if !self.handlers.has(Handler::Lifecycle) {
            return Ok(());
        }
        let (cpu, wall) = (self.limits.event_cpu, self.limits.event_wall);
        run!(self, host, Handler::Lifecycle, cpu, wall, configure(reason)).1
    }

    /// Delivers an event. Whether the plugin wants it is for [`Manifest::wants`] to say before.
    pub async fn on_event<H: Host + 'static>(
        &self,
        host: Granted<H>,
        delivery: Delivery,
    ) -> Result<(), CallError> {
        need(&host, Permission::Event(delivery.event.kind().ok_or(CallError::NotHandled)?))?;
        let (cpu, wall) = (self.limits.event_cpu, self.limits.event_wall);
        run!(self, host, Handler::Events, cpu, wall, event(delivery)).1
    }

    /// Runs a command of its manifest.
    pub async fn on_command<H: Host + 'static>(
        &self,
        host: Granted<H>,
        call: Invocation,
    ) -> Result<Reply, CallError> {
        let wall = self.answering(host.grants());
        let (mut held, answer) =
            run!(self, host, Handler::Commands, self.limits.event_cpu, wall, command(call));
        reply(&mut held, answer?)
    }

    /// What could stand at an option that somebody is typing.
    pub async fn complete<H: Host + 'static>(
        &self,
        host: Granted<H>,
        question: Completion,
    ) -> Result<Vec<Suggestion>, CallError> {
        let wall = self.limits.completion_wall;
        let (mut held, answer) =
            run!(self, host, Handler::Completion, self.limits.event_cpu, wall, completion(question));
        let answer = answer?;
        held.take_in(answer.iter().map(|it| it.value.len() + it.label.len()).sum())?;
        Ok(answer)
    }

    /// Tells it that a reaction of its manifest was added to a message, or taken back.
    pub async fn on_reaction<H: Host + 'static>(
        &self,
        host: Granted<H>,
        reaction: Reaction,
        added: bool,
    ) -> Result<Reply, CallError> {
        let wall = self.limits.command_wall;
        let (mut held, answer) =
            run!(self, host, Handler::Reactions, self.limits.event_cpu, wall, reaction(reaction, added));
        reply(&mut held, answer?)
    }

    /// Asks whether a reaction of its manifest may be added.
    pub async fn may_react<H: Host + 'static>(
        &self,
        host: Granted<H>,
        reaction: Reaction,
    ) -> Result<Verdict, CallError> {
        let (cpu, wall) = (self.limits.gate_cpu.min(self.limits.event_cpu), self.limits.gate_wall);
        Ok(match run!(self, host, Handler::Gate, cpu, wall, gate(reaction)).1? {
            Verdict::Refuse(text) => Verdict::Refuse(cut(&text, REFUSAL_BYTES).to_owned()),
            Verdict::Allow => Verdict::Allow,
        })
    }

    /// Tells it that a button of its own was pressed.
    pub async fn on_action<H: Host + 'static>(
        &self,
        host: Granted<H>,
        press: Press,
    ) -> Result<Reply, CallError> {
        let wall = self.answering(host.grants());
        let (mut held, answer) =
            run!(self, host, Handler::Actions, self.limits.event_cpu, wall, action(press));
        reply(&mut held, answer?)
    }

    /// Tells it that a timer of its own is due.
    pub async fn on_timer<H: Host + 'static>(&self, host: Granted<H>, tick: Tick) -> Result<(), CallError> {
        need(&host, Permission::UseTimers)?;
        let (cpu, wall) = (self.limits.event_cpu, self.limits.event_wall);
        run!(self, host, Handler::Timers, cpu, wall, timer(tick)).1
    }

    /// Hands it what another program sent to an address of its manifest. That the sender may is for the caller to check.
    pub async fn on_webhook<H: Host + 'static>(
        &self,
        host: Granted<H>,
        incoming: Incoming,
    ) -> Result<(), CallError> {
        need(&host, Permission::TakeWebhooks)?;
        let (cpu, wall) = (self.limits.event_cpu, self.limits.event_wall);
        run!(self, host, Handler::Webhooks, cpu, wall, webhook(incoming)).1
    }

    /// Calls a tool of its manifest for the assistant; answers text or JSON.
    pub async fn call_tool<H: Host + 'static>(
        &self,
        host: Granted<H>,
        call: ToolCall,
    ) -> Result<String, CallError> {
        need(&host, Permission::OfferTools)?;
        let wall = self.limits.command_wall;
        let (mut held, answer) = run!(self, host, Handler::Tools, self.limits.event_cpu, wall, tool(call));
        let answer = answer?;
        held.take_in(answer.len())?;
        Ok(cut(&answer, TOOL_ANSWER_BYTES).to_owned())
    }
}

fn need<H: Host>(host: &Granted<H>, permission: Permission) -> Result<(), CallError> {
    if host.grants().has(permission) { Ok(()) } else { Err(CallError::NotGranted(permission)) }
}

/// What the component imports and either nobody offers or its manifest does not ask for.
fn import_faults(manifest: &Manifest, component: &Component) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fault = |field: &str, message: String| faults.push(Fault { field: field.to_owned(), message });
    let version = format!("@{}.0", manifest.api);
    let asks = |permission: Permission| manifest.permissions.contains(&permission);
    for (name, _) in component.component_type().imports(component.engine()) {
        let offered = name.strip_prefix("confab:plugin/").and_then(|name| name.strip_suffix(&version));
        let asked = match offered {
            Some("chat") if !CHAT.into_iter().any(asks) => "uses chat: ask for messages, reactions or users",
            Some("kv") if !asks(Permission::Storage) => "uses kv: ask for storage",
            Some("schedule") if !asks(Permission::UseTimers) => "uses schedule: ask for timers.use",
            Some("http") if !asks(Permission::Fetch) => "uses http: ask for http.fetch",
            Some("search") if !asks(Permission::Search) => "uses search: ask for search.use",
            Some("assistant") if !asks(Permission::Summarize) => {
                "uses assistant: ask for assistant.summarize"
            }
            Some("chat" | "kv" | "settings" | "runtime" | "events" | "types") => continue,
            Some("schedule" | "http" | "search" | "assistant") if manifest.api != "0.1" => continue,
            _ => {
                fault("wasm", format!("the component imports {name}, which this server does not offer"));
                continue;
            }
        };
        fault("plugin.permissions", format!("the component {asked}"));
    }
    faults
}

/// Waits for a call for so long. What the call left behind is dropped with its store.
async fn within<T>(
    wall: Duration,
    called: impl Future<Output = wasmtime::Result<T>>,
) -> Result<T, CallError> {
    match tokio::time::timeout(wall, called).await {
        Ok(answer) => answer.map_err(CallError::from),
        Err(_) => Err(CallError::Deadline),
    }
}

fn reply(held: &mut Held<'_>, answer: Replied) -> Result<Reply, CallError> {
    held.take_in(answer.bytes())?;
    match answer {
        Replied::Known(reply) => {
            if let Reply::Whisper(draft) | Reply::Public(draft) | Reply::Update(draft) = &reply {
                draft.check().map_err(|failure| CallError::guest(&failure.to_string()))?;
            }
            Ok(reply)
        }
        Replied::Unknown(kind) => Err(CallError::guest(&format!(
            "The plugin answered with `{kind}`, which this server does not know."
        ))),
    }
}
