//! Version 0.1.

use super::{Answered, Handler, Replied, none};
use crate::bindings::v0_1::confab::plugin::types;
use crate::bindings::v0_1::exports::confab::plugin::{
    command_handler, event_handler, lifecycle, reaction_handler,
};
use crate::call::Call;
use crate::words::{Delivery, Invocation, Reaction, Reason, Reply};
use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

pub(crate) struct Handlers {
    lifecycle: Option<lifecycle::GuestIndices>,
    events: Option<event_handler::GuestIndices>,
    commands: Option<command_handler::GuestIndices>,
    reactions: Option<reaction_handler::GuestIndices>,
}

impl Handlers {
    pub(super) fn of(component: &InstancePre<Call>) -> Self {
        Self {
            lifecycle: lifecycle::GuestIndices::new(component).ok(),
            events: event_handler::GuestIndices::new(component).ok(),
            commands: command_handler::GuestIndices::new(component).ok(),
            reactions: reaction_handler::GuestIndices::new(component).ok(),
        }
    }

    pub(super) fn has(&self, handler: Handler) -> bool {
        match handler {
            Handler::Lifecycle => self.lifecycle.is_some(),
            Handler::Events => self.events.is_some(),
            Handler::Commands => self.commands.is_some(),
            Handler::Reactions => self.reactions.is_some(),
            _ => false,
        }
    }

    pub(super) async fn configure(
        &self,
        store: &mut Store<Call>,
        instance: &Instance,
        reason: Reason,
    ) -> Answered<()> {
        let Some(handler) = &self.lifecycle else { return none() };
        handler.load(&mut *store, instance)?.call_configure(&mut *store, &reason.into()).await
    }

    pub(super) async fn event(
        &self,
        store: &mut Store<Call>,
        instance: &Instance,
        delivery: Delivery,
    ) -> Answered<()> {
        let Some(handler) = &self.events else { return none() };
        handler.load(&mut *store, instance)?.call_on_event(&mut *store, &delivery.into()).await
    }

    pub(super) async fn command(
        &self,
        store: &mut Store<Call>,
        instance: &Instance,
        call: Invocation,
    ) -> Answered<Replied> {
        let Some(handler) = &self.commands else { return none() };
        let answer = handler.load(&mut *store, instance)?.call_on_command(&mut *store, &call.into()).await?;
        Ok(answer.map(replied))
    }

    pub(super) async fn reaction(
        &self,
        store: &mut Store<Call>,
        instance: &Instance,
        reaction: Reaction,
        added: bool,
    ) -> Answered<Replied> {
        let Some(handler) = &self.reactions else { return none() };
        let answer = handler
            .load(&mut *store, instance)?
            .call_on_reaction(&mut *store, &reaction.into(), added)
            .await?;
        Ok(answer.map(replied))
    }
}

fn replied(reply: types::Reply) -> Replied {
    Replied::Known(match reply {
        types::Reply::Silent => Reply::Silent,
        types::Reply::Whisper(draft) => Reply::Whisper(draft.into()),
        types::Reply::Public(draft) => Reply::Public(draft.into()),
        types::Reply::Other((kind, _)) => return Replied::Unknown(kind),
    })
}
