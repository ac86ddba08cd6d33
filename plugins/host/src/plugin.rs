//! A loaded plugin, and its handlers.

use crate::bindings::confab::plugin::types;
use crate::bindings::exports::confab::plugin::{command_handler, event_handler, lifecycle, reaction_handler};
use crate::call::Call;
use crate::granted::Granted;
use crate::host::Host;
use crate::limits::Limits;
use crate::manifest::{Fault, Manifest};
use crate::outcome::{CallError, LoadError};
use crate::permission::Permission;
use crate::runtime::Runtime;
use crate::words::{Delivery, Draft, Invocation, Reaction, Reason, Reply};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use wasmtime::Store;
use wasmtime::component::{Component, InstancePre};

const CHAT: [Permission; 5] = [
    Permission::ReadMessages,
    Permission::PostMessages,
    Permission::EditOwnMessages,
    Permission::React,
    Permission::ReadUsers,
];

/// A plugin that is ready to be called. Each call runs in an instance of its own, so calls may run side by side.
pub struct Plugin {
    runtime: Runtime,
    manifest: Manifest,
    limits: Limits,
    component: InstancePre<Call>,
    handlers: Handlers,
}

/// The handlers that the component exports.
struct Handlers {
    lifecycle: Option<lifecycle::GuestIndices>,
    events: Option<event_handler::GuestIndices>,
    commands: Option<command_handler::GuestIndices>,
    reactions: Option<reaction_handler::GuestIndices>,
}

impl Plugin {
    pub(crate) fn new(
        runtime: Runtime,
        manifest: Manifest,
        component: &Component,
        limits: Limits,
    ) -> Result<Self, LoadError> {
        let faults = import_faults(&runtime, &manifest, component);
        if !faults.is_empty() {
            return Err(LoadError::Interface(faults));
        }
        let component = runtime.linker().instantiate_pre(component).map_err(|error| {
            LoadError::Interface(vec![Fault { field: "wasm".into(), message: format!("{error:#}") }])
        })?;
        let handlers = Handlers {
            lifecycle: lifecycle::GuestIndices::new(&component).ok(),
            events: event_handler::GuestIndices::new(&component).ok(),
            commands: command_handler::GuestIndices::new(&component).ok(),
            reactions: reaction_handler::GuestIndices::new(&component).ok(),
        };
        let faults = handlers.missing(&manifest);
        if !faults.is_empty() {
            return Err(LoadError::Interface(faults));
        }
        Ok(Self { runtime, manifest, limits, component, handlers })
    }

    /// Its manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Tells it that it was installed or upgraded, or that its settings changed. Succeeds if it does not care.
    pub async fn configure<H: Host + 'static>(
        &self,
        host: Granted<H>,
        reason: Reason,
    ) -> Result<(), CallError> {
        let Some(handler) = &self.handlers.lifecycle else { return Ok(()) };
        let _place = self.runtime.place().await;
        let mut store = self.runtime.store(Arc::new(host), &self.limits, self.limits.event_cpu)?;
        let called = async {
            let instance = self.component.instantiate_async(&mut store).await?;
            handler.load(&mut store, &instance)?.call_configure(&mut store, &reason.into()).await
        };
        within(self.limits.event_wall, called).await?.map_err(|text| CallError::guest(&text))
    }

    /// Delivers an event. Whether the plugin wants it is for [`Manifest::wants`] to say before.
    pub async fn on_event<H: Host + 'static>(
        &self,
        host: Granted<H>,
        delivery: Delivery,
    ) -> Result<(), CallError> {
        let handler = self.handlers.events.as_ref().ok_or(CallError::NotHandled)?;
        let permission = Permission::Event(delivery.event.kind().ok_or(CallError::NotHandled)?);
        if !host.grants().has(permission) {
            return Err(CallError::NotGranted(permission));
        }
        let _place = self.runtime.place().await;
        let mut store = self.runtime.store(Arc::new(host), &self.limits, self.limits.event_cpu)?;
        let called = async {
            let instance = self.component.instantiate_async(&mut store).await?;
            handler.load(&mut store, &instance)?.call_on_event(&mut store, &delivery.into()).await
        };
        within(self.limits.event_wall, called).await?.map_err(|text| CallError::guest(&text))
    }

    /// Runs a command of its manifest.
    pub async fn on_command<H: Host + 'static>(
        &self,
        host: Granted<H>,
        call: Invocation,
    ) -> Result<Reply, CallError> {
        let handler = self.handlers.commands.as_ref().ok_or(CallError::NotHandled)?;
        let _place = self.runtime.place().await;
        let mut store = self.runtime.store(Arc::new(host), &self.limits, self.limits.command_wall)?;
        let called = async {
            let instance = self.component.instantiate_async(&mut store).await?;
            handler.load(&mut store, &instance)?.call_on_command(&mut store, &call.into()).await
        };
        let answer = within(self.limits.command_wall, called).await?;
        reply(&mut store, answer)
    }

    /// Tells it that a reaction of its manifest was added to a message, or taken back.
    pub async fn on_reaction<H: Host + 'static>(
        &self,
        host: Granted<H>,
        reaction: Reaction,
        added: bool,
    ) -> Result<Reply, CallError> {
        let handler = self.handlers.reactions.as_ref().ok_or(CallError::NotHandled)?;
        let _place = self.runtime.place().await;
        let mut store = self.runtime.store(Arc::new(host), &self.limits, self.limits.command_wall)?;
        let called = async {
            let instance = self.component.instantiate_async(&mut store).await?;
            handler.load(&mut store, &instance)?.call_on_reaction(&mut store, &reaction.into(), added).await
        };
        let answer = within(self.limits.command_wall, called).await?;
        reply(&mut store, answer)
    }
}

impl Handlers {
    /// What the manifest announces and the component does not do.
    fn missing(&self, manifest: &Manifest) -> Vec<Fault> {
        let announced = [
            ("event", !manifest.events.is_empty(), self.events.is_some(), "event-handler"),
            ("command", !manifest.commands.is_empty(), self.commands.is_some(), "command-handler"),
            ("reaction", !manifest.reactions.is_empty(), self.reactions.is_some(), "reaction-handler"),
        ];
        let missing = announced.iter().filter(|(_, announced, there, _)| *announced && !there);
        missing
            .map(|(field, _, _, interface)| Fault {
                field: (*field).to_owned(),
                message: format!("the component does not export confab:plugin/{interface}@0.1.0"),
            })
            .collect()
    }
}

/// What the component imports and either nobody offers or its manifest does not ask for.
fn import_faults(runtime: &Runtime, manifest: &Manifest, component: &Component) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fault = |field: &str, message: String| faults.push(Fault { field: field.to_owned(), message });
    for (name, _) in component.component_type().imports(runtime.engine()) {
        let offered = name.strip_prefix("confab:plugin/").and_then(|name| name.strip_suffix("@0.1.0"));
        match offered {
            Some("chat") if !CHAT.iter().any(|permission| manifest.permissions.contains(permission)) => {
                fault(
                    "plugin.permissions",
                    "the component uses chat: ask for messages, reactions or users".into(),
                );
            }
            Some("kv") if !manifest.permissions.contains(&Permission::Storage) => {
                fault("plugin.permissions", "the component uses kv: ask for storage".into());
            }
            Some("chat" | "kv" | "settings" | "runtime" | "events" | "types") => {}
            _ => fault("wasm", format!("the component imports {name}, which this server does not offer")),
        }
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

fn reply(store: &mut Store<Call>, answer: Result<types::Reply, String>) -> Result<Reply, CallError> {
    let reply = match answer {
        Ok(types::Reply::Silent) => Reply::Silent,
        Ok(types::Reply::Whisper(draft)) => Reply::Whisper(draft.into()),
        Ok(types::Reply::Public(draft)) => Reply::Public(draft.into()),
        Ok(types::Reply::Other((kind, _))) => {
            return Err(CallError::guest(&format!(
                "The plugin answered with `{kind}`, which this server does not know."
            )));
        }
        Err(text) => return Err(CallError::guest(&text)),
    };
    let bytes = match &reply {
        Reply::Silent => 0,
        Reply::Whisper(draft) | Reply::Public(draft) => Draft::bytes(draft),
    };
    store.data_mut().take_in(bytes)?;
    Ok(reply)
}
