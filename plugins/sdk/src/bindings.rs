//! What wit-bindgen makes of `plugins/wit`: one module for the imports and one for each handler's world.
//!
//! Each world's export macro carries that world's exports, and no other code does: a plugin so exports the handlers
//! that it names and nothing else.
#![allow(
    unsafe_code,
    reason = "generated: a component's strings and lists cross to the host as pointers into its memory"
)]
#![allow(
    missing_docs,
    rust_2018_idioms,
    clippy::all,
    clippy::pedantic,
    reason = "generated; documented in plugins/wit"
)]

pub mod host {
    wit_bindgen::generate!({ path: "../wit/v0.2", world: "host", generate_all });
}

pub mod lifecycle {
    wit_bindgen::generate!({
        path: "../wit/v0.2",
        world: "lifecycle-plugin",
        pub_export_macro: true,
        export_macro_name: "export_lifecycle",
        with: {
            "confab:plugin/types@0.2.0": crate::bindings::host::confab::plugin::types,
            "confab:plugin/events@0.2.0": crate::bindings::host::confab::plugin::events,
            "confab:plugin/chat@0.2.0": crate::bindings::host::confab::plugin::chat,
            "confab:plugin/kv@0.2.0": crate::bindings::host::confab::plugin::kv,
            "confab:plugin/schedule@0.2.0": crate::bindings::host::confab::plugin::schedule,
            "confab:plugin/http@0.2.0": crate::bindings::host::confab::plugin::http,
            "confab:plugin/settings@0.2.0": crate::bindings::host::confab::plugin::settings,
            "confab:plugin/runtime@0.2.0": crate::bindings::host::confab::plugin::runtime,
            "confab:plugin/search@0.2.0": crate::bindings::host::confab::plugin::search,
            "confab:plugin/assistant@0.2.0": crate::bindings::host::confab::plugin::assistant,
        },
    });
}

pub mod events {
    wit_bindgen::generate!({
        path: "../wit/v0.2",
        world: "event-plugin",
        pub_export_macro: true,
        export_macro_name: "export_events",
        with: {
            "confab:plugin/types@0.2.0": crate::bindings::host::confab::plugin::types,
            "confab:plugin/events@0.2.0": crate::bindings::host::confab::plugin::events,
            "confab:plugin/chat@0.2.0": crate::bindings::host::confab::plugin::chat,
            "confab:plugin/kv@0.2.0": crate::bindings::host::confab::plugin::kv,
            "confab:plugin/schedule@0.2.0": crate::bindings::host::confab::plugin::schedule,
            "confab:plugin/http@0.2.0": crate::bindings::host::confab::plugin::http,
            "confab:plugin/settings@0.2.0": crate::bindings::host::confab::plugin::settings,
            "confab:plugin/runtime@0.2.0": crate::bindings::host::confab::plugin::runtime,
            "confab:plugin/search@0.2.0": crate::bindings::host::confab::plugin::search,
            "confab:plugin/assistant@0.2.0": crate::bindings::host::confab::plugin::assistant,
        },
    });
}

pub mod commands {
    wit_bindgen::generate!({
        path: "../wit/v0.2",
        world: "command-plugin",
        pub_export_macro: true,
        export_macro_name: "export_commands",
        with: {
            "confab:plugin/types@0.2.0": crate::bindings::host::confab::plugin::types,
            "confab:plugin/events@0.2.0": crate::bindings::host::confab::plugin::events,
            "confab:plugin/chat@0.2.0": crate::bindings::host::confab::plugin::chat,
            "confab:plugin/kv@0.2.0": crate::bindings::host::confab::plugin::kv,
            "confab:plugin/schedule@0.2.0": crate::bindings::host::confab::plugin::schedule,
            "confab:plugin/http@0.2.0": crate::bindings::host::confab::plugin::http,
            "confab:plugin/settings@0.2.0": crate::bindings::host::confab::plugin::settings,
            "confab:plugin/runtime@0.2.0": crate::bindings::host::confab::plugin::runtime,
            "confab:plugin/search@0.2.0": crate::bindings::host::confab::plugin::search,
            "confab:plugin/assistant@0.2.0": crate::bindings::host::confab::plugin::assistant,
        },
    });
}

pub mod completion {
    wit_bindgen::generate!({
        path: "../wit/v0.2",
        world: "completion-plugin",
        pub_export_macro: true,
        export_macro_name: "export_completion",
        with: {
            "confab:plugin/types@0.2.0": crate::bindings::host::confab::plugin::types,
            "confab:plugin/events@0.2.0": crate::bindings::host::confab::plugin::events,
            "confab:plugin/chat@0.2.0": crate::bindings::host::confab::plugin::chat,
            "confab:plugin/kv@0.2.0": crate::bindings::host::confab::plugin::kv,
            "confab:plugin/schedule@0.2.0": crate::bindings::host::confab::plugin::schedule,
            "confab:plugin/http@0.2.0": crate::bindings::host::confab::plugin::http,
            "confab:plugin/settings@0.2.0": crate::bindings::host::confab::plugin::settings,
            "confab:plugin/runtime@0.2.0": crate::bindings::host::confab::plugin::runtime,
            "confab:plugin/search@0.2.0": crate::bindings::host::confab::plugin::search,
            "confab:plugin/assistant@0.2.0": crate::bindings::host::confab::plugin::assistant,
        },
    });
}

pub mod reactions {
    wit_bindgen::generate!({
        path: "../wit/v0.2",
        world: "reaction-plugin",
        pub_export_macro: true,
        export_macro_name: "export_reactions",
        with: {
            "confab:plugin/types@0.2.0": crate::bindings::host::confab::plugin::types,
            "confab:plugin/events@0.2.0": crate::bindings::host::confab::plugin::events,
            "confab:plugin/chat@0.2.0": crate::bindings::host::confab::plugin::chat,
            "confab:plugin/kv@0.2.0": crate::bindings::host::confab::plugin::kv,
            "confab:plugin/schedule@0.2.0": crate::bindings::host::confab::plugin::schedule,
            "confab:plugin/http@0.2.0": crate::bindings::host::confab::plugin::http,
            "confab:plugin/settings@0.2.0": crate::bindings::host::confab::plugin::settings,
            "confab:plugin/runtime@0.2.0": crate::bindings::host::confab::plugin::runtime,
            "confab:plugin/search@0.2.0": crate::bindings::host::confab::plugin::search,
            "confab:plugin/assistant@0.2.0": crate::bindings::host::confab::plugin::assistant,
        },
    });
}

pub mod gate {
    wit_bindgen::generate!({
        path: "../wit/v0.2",
        world: "gate-plugin",
        pub_export_macro: true,
        export_macro_name: "export_gate",
        with: {
            "confab:plugin/types@0.2.0": crate::bindings::host::confab::plugin::types,
            "confab:plugin/events@0.2.0": crate::bindings::host::confab::plugin::events,
            "confab:plugin/chat@0.2.0": crate::bindings::host::confab::plugin::chat,
            "confab:plugin/kv@0.2.0": crate::bindings::host::confab::plugin::kv,
            "confab:plugin/schedule@0.2.0": crate::bindings::host::confab::plugin::schedule,
            "confab:plugin/http@0.2.0": crate::bindings::host::confab::plugin::http,
            "confab:plugin/settings@0.2.0": crate::bindings::host::confab::plugin::settings,
            "confab:plugin/runtime@0.2.0": crate::bindings::host::confab::plugin::runtime,
            "confab:plugin/search@0.2.0": crate::bindings::host::confab::plugin::search,
            "confab:plugin/assistant@0.2.0": crate::bindings::host::confab::plugin::assistant,
        },
    });
}

pub mod actions {
    wit_bindgen::generate!({
        path: "../wit/v0.2",
        world: "action-plugin",
        pub_export_macro: true,
        export_macro_name: "export_actions",
        with: {
            "confab:plugin/types@0.2.0": crate::bindings::host::confab::plugin::types,
            "confab:plugin/events@0.2.0": crate::bindings::host::confab::plugin::events,
            "confab:plugin/chat@0.2.0": crate::bindings::host::confab::plugin::chat,
            "confab:plugin/kv@0.2.0": crate::bindings::host::confab::plugin::kv,
            "confab:plugin/schedule@0.2.0": crate::bindings::host::confab::plugin::schedule,
            "confab:plugin/http@0.2.0": crate::bindings::host::confab::plugin::http,
            "confab:plugin/settings@0.2.0": crate::bindings::host::confab::plugin::settings,
            "confab:plugin/runtime@0.2.0": crate::bindings::host::confab::plugin::runtime,
            "confab:plugin/search@0.2.0": crate::bindings::host::confab::plugin::search,
            "confab:plugin/assistant@0.2.0": crate::bindings::host::confab::plugin::assistant,
        },
    });
}

pub mod timers {
    wit_bindgen::generate!({
        path: "../wit/v0.2",
        world: "timer-plugin",
        pub_export_macro: true,
        export_macro_name: "export_timers",
        with: {
            "confab:plugin/types@0.2.0": crate::bindings::host::confab::plugin::types,
            "confab:plugin/events@0.2.0": crate::bindings::host::confab::plugin::events,
            "confab:plugin/chat@0.2.0": crate::bindings::host::confab::plugin::chat,
            "confab:plugin/kv@0.2.0": crate::bindings::host::confab::plugin::kv,
            "confab:plugin/schedule@0.2.0": crate::bindings::host::confab::plugin::schedule,
            "confab:plugin/http@0.2.0": crate::bindings::host::confab::plugin::http,
            "confab:plugin/settings@0.2.0": crate::bindings::host::confab::plugin::settings,
            "confab:plugin/runtime@0.2.0": crate::bindings::host::confab::plugin::runtime,
            "confab:plugin/search@0.2.0": crate::bindings::host::confab::plugin::search,
            "confab:plugin/assistant@0.2.0": crate::bindings::host::confab::plugin::assistant,
        },
    });
}

pub mod tools {
    wit_bindgen::generate!({
        path: "../wit/v0.2",
        world: "tool-plugin",
        pub_export_macro: true,
        export_macro_name: "export_tools",
        with: {
            "confab:plugin/types@0.2.0": crate::bindings::host::confab::plugin::types,
            "confab:plugin/events@0.2.0": crate::bindings::host::confab::plugin::events,
            "confab:plugin/chat@0.2.0": crate::bindings::host::confab::plugin::chat,
            "confab:plugin/kv@0.2.0": crate::bindings::host::confab::plugin::kv,
            "confab:plugin/schedule@0.2.0": crate::bindings::host::confab::plugin::schedule,
            "confab:plugin/http@0.2.0": crate::bindings::host::confab::plugin::http,
            "confab:plugin/settings@0.2.0": crate::bindings::host::confab::plugin::settings,
            "confab:plugin/runtime@0.2.0": crate::bindings::host::confab::plugin::runtime,
            "confab:plugin/search@0.2.0": crate::bindings::host::confab::plugin::search,
            "confab:plugin/assistant@0.2.0": crate::bindings::host::confab::plugin::assistant,
        },
    });
}

pub mod webhooks {
    wit_bindgen::generate!({
        path: "../wit/v0.2",
        world: "webhook-plugin",
        pub_export_macro: true,
        export_macro_name: "export_webhooks",
        with: {
            "confab:plugin/types@0.2.0": crate::bindings::host::confab::plugin::types,
            "confab:plugin/events@0.2.0": crate::bindings::host::confab::plugin::events,
            "confab:plugin/chat@0.2.0": crate::bindings::host::confab::plugin::chat,
            "confab:plugin/kv@0.2.0": crate::bindings::host::confab::plugin::kv,
            "confab:plugin/schedule@0.2.0": crate::bindings::host::confab::plugin::schedule,
            "confab:plugin/http@0.2.0": crate::bindings::host::confab::plugin::http,
            "confab:plugin/settings@0.2.0": crate::bindings::host::confab::plugin::settings,
            "confab:plugin/runtime@0.2.0": crate::bindings::host::confab::plugin::runtime,
            "confab:plugin/search@0.2.0": crate::bindings::host::confab::plugin::search,
            "confab:plugin/assistant@0.2.0": crate::bindings::host::confab::plugin::assistant,
        },
    });
}
