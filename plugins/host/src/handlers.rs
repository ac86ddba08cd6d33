//! The handlers that a component exports, by the version of the contract that it was built for.

mod v0_1;
mod v0_2;

use crate::call::Call;
use crate::manifest::{Fault, Manifest};
use crate::words::{
    Completion, Delivery, Draft, Incoming, Invocation, Press, Reaction, Reason, Reply, Suggestion, Tick,
    ToolCall, Verdict,
};
use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

/// What a handler answers: the outer error is the engine's, the inner one the guest's text.
pub(crate) type Answered<T> = wasmtime::Result<Result<T, String>>;

/// See the module.
pub(crate) enum Handlers {
    V0_1(v0_1::Handlers),
    V0_2(Box<v0_2::Handlers>),
}

/// A kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handler {
    Lifecycle,
    Events,
    Commands,
    Completion,
    Reactions,
    Gate,
    Actions,
    Timers,
    Tools,
    Webhooks,
}

impl Handler {
    /// The interface that a component exports for it.
    const fn interface(self) -> &'static str {
        match self {
            Self::Lifecycle => "lifecycle",
            Self::Events => "event-handler",
            Self::Commands => "command-handler",
            Self::Completion => "completion-handler",
            Self::Reactions => "reaction-handler",
            Self::Gate => "reaction-gate",
            Self::Actions => "action-handler",
            Self::Timers => "timer-handler",
            Self::Tools => "tool-handler",
            Self::Webhooks => "webhook-handler",
        }
    }
}

impl Handlers {
    /// Those of a component of version `api`.
    pub(crate) fn of(component: &InstancePre<Call>, api: &str) -> Self {
        if api == "0.1" {
            Self::V0_1(v0_1::Handlers::of(component))
        } else {
            Self::V0_2(Box::new(v0_2::Handlers::of(component)))
        }
    }

    /// Whether the component has one.
    pub(crate) fn has(&self, handler: Handler) -> bool {
        match self {
            Self::V0_1(handlers) => handlers.has(handler),
            Self::V0_2(handlers) => handlers.has(handler),
        }
    }

    /// What the manifest announces and the component does not do.
    pub(crate) fn missing(&self, manifest: &Manifest) -> Vec<Fault> {
        let completes =
            |command: &crate::manifest::Command| command.options.iter().any(|option| option.completes);
        let announced = [
            ("event", !manifest.events.is_empty(), Handler::Events),
            ("command", !manifest.commands.is_empty(), Handler::Commands),
            ("command", manifest.commands.iter().any(completes), Handler::Completion),
            ("reaction", !manifest.reactions.is_empty(), Handler::Reactions),
            ("reaction", manifest.reactions.iter().any(|it| it.asks), Handler::Gate),
            ("tool", !manifest.tools.is_empty(), Handler::Tools),
            ("webhook", !manifest.webhooks.is_empty(), Handler::Webhooks),
            (
                "plugin.permissions",
                manifest.permissions.contains(&crate::permission::Permission::UseTimers),
                Handler::Timers,
            ),
        ];
        let missing =
            announced.into_iter().filter(|(_, announced, handler)| *announced && !self.has(*handler));
        let api = &manifest.api;
        missing
            .map(|(field, _, handler)| Fault {
                field: field.to_owned(),
                message: format!(
                    "the component does not export confab:plugin/{}@{api}.0",
                    handler.interface()
                ),
            })
            .collect()
    }
}

/// What is alike in all versions: to Rust each version's interfaces are its own. `others` are kinds of replies that not
/// all of them have.
macro_rules! common {
    ($bindings:ident, { $($handler:ident: $field:ident in $module:ident),+ $(,)? }, others { $($other:ident),* }) => {
        use super::{Answered, Handler, Replied, none};
        use crate::bindings::$bindings::confab::plugin::types;
        use crate::bindings::$bindings::exports::confab::plugin::{$($module),+};
        use crate::call::Call;
        use crate::words::{Delivery, Invocation, Reaction, Reason, Reply};
        use wasmtime::Store;
        use wasmtime::component::{Instance, InstancePre};

        pub(crate) struct Handlers {
            $($field: Option<$module::GuestIndices>,)+
        }

        impl Handlers {
            pub(super) fn of(component: &InstancePre<Call>) -> Self {
                Self { $($field: $module::GuestIndices::new(component).ok(),)+ }
            }

            pub(super) fn has(&self, handler: Handler) -> bool {
                match handler {
                    $(Handler::$handler => self.$field.is_some(),)+
                    #[allow(unreachable_patterns, reason = "the newest version has them all")]
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
                $(types::Reply::$other(draft) => Reply::$other(draft.into()),)*
                types::Reply::Other((kind, _)) => return Replied::Unknown(kind),
            })
        }
    };
}
use common;

/// The calls that every version has, and those that only newer ones have.
macro_rules! calls {
    (
        { $($name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)* }
        { $($new:ident($new_argument:ident: $new_type:ty) -> $new_answer:ty;)* }
    ) => {
        impl Handlers {
            $(pub(crate) async fn $name(
                &self,
                store: &mut Store<Call>,
                instance: &Instance,
                $($argument: $type),*
            ) -> Answered<$answer> {
                match self {
                    Self::V0_1(handlers) => handlers.$name(store, instance, $($argument),*).await,
                    Self::V0_2(handlers) => handlers.$name(store, instance, $($argument),*).await,
                }
            })*
            $(pub(crate) async fn $new(
                &self,
                store: &mut Store<Call>,
                instance: &Instance,
                $new_argument: $new_type,
            ) -> Answered<$new_answer> {
                match self {
                    Self::V0_1(_) => Ok(Err("version 0.1 knows no such call".into())),
                    Self::V0_2(handlers) => handlers.$new(store, instance, $new_argument).await,
                }
            })*
        }
    };
}

calls! {
    {
        configure(reason: Reason) -> ();
        event(delivery: Delivery) -> ();
        command(call: Invocation) -> Replied;
        reaction(reaction: Reaction, added: bool) -> Replied;
    }
    {
        completion(question: Completion) -> Vec<Suggestion>;
        gate(reaction: Reaction) -> Verdict;
        action(press: Press) -> Replied;
        timer(tick: Tick) -> ();
        tool(call: ToolCall) -> String;
        webhook(incoming: Incoming) -> ();
    }
}

/// A reply, or the name of a kind of a later version.
pub(crate) enum Replied {
    Known(Reply),
    Unknown(String),
}

impl Replied {
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Known(Reply::Whisper(draft) | Reply::Public(draft) | Reply::Update(draft)) => {
                Draft::bytes(draft)
            }
            Self::Known(Reply::Silent) | Self::Unknown(_) => 0,
        }
    }
}

/// No such handler: the manifest was held against the component, so this is said of none that it announces.
// In the form that every handler answers in.
#[allow(clippy::unnecessary_wraps)]
fn none<T>() -> Answered<T> {
    Ok(Err("the plugin does not handle this".into()))
}
