//! Version 0.2.

use super::{Answered, Handler, Replied, none};
use crate::bindings::v0_2::confab::plugin::types;
use crate::bindings::v0_2::exports::confab::plugin::{
    action_handler, command_handler, completion_handler, event_handler, lifecycle, reaction_gate,
    reaction_handler, timer_handler, tool_handler,
};
use crate::call::Call;
use crate::words::{
    Completion, Delivery, Invocation, Press, Reaction, Reason, Reply, Suggestion, Tick, ToolCall, Verdict,
};
use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

/// Most suggestions that are looked at.
const SUGGESTIONS: usize = 25;

pub(crate) struct Handlers {
    lifecycle: Option<lifecycle::GuestIndices>,
    events: Option<event_handler::GuestIndices>,
    commands: Option<command_handler::GuestIndices>,
    completion: Option<completion_handler::GuestIndices>,
    reactions: Option<reaction_handler::GuestIndices>,
    gate: Option<reaction_gate::GuestIndices>,
    actions: Option<action_handler::GuestIndices>,
    timers: Option<timer_handler::GuestIndices>,
    tools: Option<tool_handler::GuestIndices>,
}

impl Handlers {
    pub(super) fn of(component: &InstancePre<Call>) -> Self {
        Self {
            lifecycle: lifecycle::GuestIndices::new(component).ok(),
            events: event_handler::GuestIndices::new(component).ok(),
            commands: command_handler::GuestIndices::new(component).ok(),
            completion: completion_handler::GuestIndices::new(component).ok(),
            reactions: reaction_handler::GuestIndices::new(component).ok(),
            gate: reaction_gate::GuestIndices::new(component).ok(),
            actions: action_handler::GuestIndices::new(component).ok(),
            timers: timer_handler::GuestIndices::new(component).ok(),
            tools: tool_handler::GuestIndices::new(component).ok(),
        }
    }

    pub(super) fn has(&self, handler: Handler) -> bool {
        match handler {
            Handler::Lifecycle => self.lifecycle.is_some(),
            Handler::Events => self.events.is_some(),
            Handler::Commands => self.commands.is_some(),
            Handler::Completion => self.completion.is_some(),
            Handler::Reactions => self.reactions.is_some(),
            Handler::Gate => self.gate.is_some(),
            Handler::Actions => self.actions.is_some(),
            Handler::Timers => self.timers.is_some(),
            Handler::Tools => self.tools.is_some(),
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

    pub(super) async fn completion(
        &self,
        store: &mut Store<Call>,
        instance: &Instance,
        question: Completion,
    ) -> Answered<Vec<Suggestion>> {
        let Some(handler) = &self.completion else { return none() };
        let found = handler.load(&mut *store, instance)?.call_complete(&mut *store, &question.into()).await?;
        Ok(Ok(found.into_iter().take(SUGGESTIONS).map(Into::into).collect()))
    }

    pub(super) async fn gate(
        &self,
        store: &mut Store<Call>,
        instance: &Instance,
        reaction: Reaction,
    ) -> Answered<Verdict> {
        let Some(handler) = &self.gate else { return none() };
        let verdict =
            handler.load(&mut *store, instance)?.call_may_react(&mut *store, &reaction.into()).await?;
        Ok(Ok(match verdict {
            reaction_gate::Verdict::Refuse(text) => Verdict::Refuse(text),
            // What a later version means by another word is not known here, and a doubt is no refusal.
            reaction_gate::Verdict::Allow | reaction_gate::Verdict::Other(_) => Verdict::Allow,
        }))
    }

    pub(super) async fn action(
        &self,
        store: &mut Store<Call>,
        instance: &Instance,
        press: Press,
    ) -> Answered<Replied> {
        let Some(handler) = &self.actions else { return none() };
        let answer = handler.load(&mut *store, instance)?.call_on_action(&mut *store, &press.into()).await?;
        Ok(answer.map(replied))
    }

    pub(super) async fn timer(
        &self,
        store: &mut Store<Call>,
        instance: &Instance,
        tick: Tick,
    ) -> Answered<()> {
        let Some(handler) = &self.timers else { return none() };
        handler.load(&mut *store, instance)?.call_on_timer(&mut *store, &tick.into()).await
    }

    pub(super) async fn tool(
        &self,
        store: &mut Store<Call>,
        instance: &Instance,
        call: ToolCall,
    ) -> Answered<String> {
        let Some(handler) = &self.tools else { return none() };
        handler.load(&mut *store, instance)?.call_call_tool(&mut *store, &call.into()).await
    }
}

fn replied(reply: types::Reply) -> Replied {
    Replied::Known(match reply {
        types::Reply::Silent => Reply::Silent,
        types::Reply::Whisper(draft) => Reply::Whisper(draft.into()),
        types::Reply::Public(draft) => Reply::Public(draft.into()),
        types::Reply::Update(draft) => Reply::Update(draft.into()),
        types::Reply::Other((kind, _)) => return Replied::Unknown(kind),
    })
}
