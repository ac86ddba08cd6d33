//! Version 0.2: more handlers.

super::common!(v0_2, {
    Lifecycle: lifecycle in lifecycle,
    Events: events in event_handler,
    Commands: commands in command_handler,
    Completion: completion in completion_handler,
    Reactions: reactions in reaction_handler,
    Gate: gate in reaction_gate,
    Actions: actions in action_handler,
    Timers: timers in timer_handler,
    Tools: tools in tool_handler,
    Webhooks: webhooks in webhook_handler,
}, others { Update });

use crate::words::{Completion, Incoming, Press, Suggestion, Tick, ToolCall, Verdict};

/// Most suggestions that are looked at.
const SUGGESTIONS: usize = 25;

impl Handlers {
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

    pub(super) async fn webhook(
        &self,
        store: &mut Store<Call>,
        instance: &Instance,
        incoming: Incoming,
    ) -> Answered<()> {
        let Some(handler) = &self.webhooks else { return none() };
        handler.load(&mut *store, instance)?.call_on_webhook(&mut *store, &incoming.into()).await
    }
}
