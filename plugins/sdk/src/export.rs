//! The macro that turns a type with handlers into the component's exports.

/// Exports the handlers of a type: `export!(Dice: commands, events)`. The handlers are `lifecycle`, `events`,
/// `commands`, `completion`, `reactions`, `gate`, `actions`, `timers`, `tools` and `webhooks`; each needs its trait. Call it
/// once, at the root of the crate.
#[macro_export]
macro_rules! export {
    ($plugin:ident: $($handler:ident),+ $(,)?) => { $($crate::export_handler!($plugin, $handler);)+ };
}

#[doc(hidden)]
#[macro_export]
macro_rules! export_handler {
    ($plugin:ident, lifecycle) => {
        impl $crate::bindings::lifecycle::exports::confab::plugin::lifecycle::Guest for $plugin {
            fn configure(reason: $crate::types::Reason) -> Result<(), String> {
                $crate::install_panic_hook();
                <$plugin as $crate::Lifecycle>::configure(reason)
            }
        }
        $crate::bindings::lifecycle::export_lifecycle!($plugin with_types_in $crate::bindings::lifecycle);
    };
    ($plugin:ident, events) => {
        impl $crate::bindings::events::exports::confab::plugin::event_handler::Guest for $plugin {
            fn on_event(delivery: $crate::types::Delivery) -> Result<(), String> {
                $crate::install_panic_hook();
                <$plugin as $crate::EventHandler>::on_event(delivery)
            }
        }
        $crate::bindings::events::export_events!($plugin with_types_in $crate::bindings::events);
    };
    ($plugin:ident, commands) => {
        impl $crate::bindings::commands::exports::confab::plugin::command_handler::Guest for $plugin {
            fn on_command(call: $crate::types::Invocation) -> Result<$crate::types::Reply, String> {
                $crate::install_panic_hook();
                <$plugin as $crate::CommandHandler>::on_command(call)
            }
        }
        $crate::bindings::commands::export_commands!($plugin with_types_in $crate::bindings::commands);
    };
    ($plugin:ident, completion) => {
        impl $crate::bindings::completion::exports::confab::plugin::completion_handler::Guest for $plugin {
            fn complete(question: $crate::types::Question) -> Vec<$crate::types::Suggestion> {
                $crate::install_panic_hook();
                <$plugin as $crate::CompletionHandler>::complete(question)
            }
        }
        $crate::bindings::completion::export_completion!($plugin with_types_in $crate::bindings::completion);
    };
    ($plugin:ident, reactions) => {
        impl $crate::bindings::reactions::exports::confab::plugin::reaction_handler::Guest for $plugin {
            fn on_reaction(reaction: $crate::types::Reaction, added: bool) -> Result<$crate::types::Reply, String> {
                $crate::install_panic_hook();
                <$plugin as $crate::ReactionHandler>::on_reaction(reaction, added)
            }
        }
        $crate::bindings::reactions::export_reactions!($plugin with_types_in $crate::bindings::reactions);
    };
    ($plugin:ident, gate) => {
        impl $crate::bindings::gate::exports::confab::plugin::reaction_gate::Guest for $plugin {
            fn may_react(reaction: $crate::types::Reaction) -> $crate::types::Verdict {
                $crate::install_panic_hook();
                <$plugin as $crate::ReactionGate>::may_react(reaction)
            }
        }
        $crate::bindings::gate::export_gate!($plugin with_types_in $crate::bindings::gate);
    };
    ($plugin:ident, actions) => {
        impl $crate::bindings::actions::exports::confab::plugin::action_handler::Guest for $plugin {
            fn on_action(press: $crate::types::Press) -> Result<$crate::types::Reply, String> {
                $crate::install_panic_hook();
                <$plugin as $crate::ActionHandler>::on_action(press)
            }
        }
        $crate::bindings::actions::export_actions!($plugin with_types_in $crate::bindings::actions);
    };
    ($plugin:ident, timers) => {
        impl $crate::bindings::timers::exports::confab::plugin::timer_handler::Guest for $plugin {
            fn on_timer(tick: $crate::types::Tick) -> Result<(), String> {
                $crate::install_panic_hook();
                <$plugin as $crate::TimerHandler>::on_timer(tick)
            }
        }
        $crate::bindings::timers::export_timers!($plugin with_types_in $crate::bindings::timers);
    };
    ($plugin:ident, tools) => {
        impl $crate::bindings::tools::exports::confab::plugin::tool_handler::Guest for $plugin {
            fn call_tool(call: $crate::types::ToolCall) -> Result<String, String> {
                $crate::install_panic_hook();
                <$plugin as $crate::ToolHandler>::call_tool(call)
            }
        }
        $crate::bindings::tools::export_tools!($plugin with_types_in $crate::bindings::tools);
    };
    ($plugin:ident, webhooks) => {
        impl $crate::bindings::webhooks::exports::confab::plugin::webhook_handler::Guest for $plugin {
            fn on_webhook(incoming: $crate::types::Incoming) -> Result<(), String> {
                $crate::install_panic_hook();
                <$plugin as $crate::WebhookHandler>::on_webhook(incoming)
            }
        }
        $crate::bindings::webhooks::export_webhooks!($plugin with_types_in $crate::bindings::webhooks);
    };
}
