//! The macro that turns a type with handlers into the component's exports.

/// Exports the handlers of a type: `export!(Dice: commands, events)`. The handlers are `lifecycle`, `events`,
/// `commands` and `reactions`; each needs its trait. Call it once, at the root of the crate.
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
    ($plugin:ident, reactions) => {
        impl $crate::bindings::reactions::exports::confab::plugin::reaction_handler::Guest for $plugin {
            fn on_reaction(reaction: $crate::types::Reaction, added: bool) -> Result<$crate::types::Reply, String> {
                $crate::install_panic_hook();
                <$plugin as $crate::ReactionHandler>::on_reaction(reaction, added)
            }
        }
        $crate::bindings::reactions::export_reactions!($plugin with_types_in $crate::bindings::reactions);
    };
}
