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
    wit_bindgen::generate!({ path: "../wit/v0.1", world: "host", generate_all });
}

pub mod lifecycle {
    wit_bindgen::generate!({
        path: "../wit/v0.1",
        world: "lifecycle-plugin",
        pub_export_macro: true,
        export_macro_name: "export_lifecycle",
        with: {
            "confab:plugin/types@0.1.0": crate::bindings::host::confab::plugin::types,
            "confab:plugin/events@0.1.0": crate::bindings::host::confab::plugin::events,
            "confab:plugin/chat@0.1.0": crate::bindings::host::confab::plugin::chat,
            "confab:plugin/kv@0.1.0": crate::bindings::host::confab::plugin::kv,
            "confab:plugin/settings@0.1.0": crate::bindings::host::confab::plugin::settings,
            "confab:plugin/runtime@0.1.0": crate::bindings::host::confab::plugin::runtime,
        },
    });
}

pub mod events {
    wit_bindgen::generate!({
        path: "../wit/v0.1",
        world: "event-plugin",
        pub_export_macro: true,
        export_macro_name: "export_events",
        with: {
            "confab:plugin/types@0.1.0": crate::bindings::host::confab::plugin::types,
            "confab:plugin/events@0.1.0": crate::bindings::host::confab::plugin::events,
            "confab:plugin/chat@0.1.0": crate::bindings::host::confab::plugin::chat,
            "confab:plugin/kv@0.1.0": crate::bindings::host::confab::plugin::kv,
            "confab:plugin/settings@0.1.0": crate::bindings::host::confab::plugin::settings,
            "confab:plugin/runtime@0.1.0": crate::bindings::host::confab::plugin::runtime,
        },
    });
}

pub mod commands {
    wit_bindgen::generate!({
        path: "../wit/v0.1",
        world: "command-plugin",
        pub_export_macro: true,
        export_macro_name: "export_commands",
        with: {
            "confab:plugin/types@0.1.0": crate::bindings::host::confab::plugin::types,
            "confab:plugin/events@0.1.0": crate::bindings::host::confab::plugin::events,
            "confab:plugin/chat@0.1.0": crate::bindings::host::confab::plugin::chat,
            "confab:plugin/kv@0.1.0": crate::bindings::host::confab::plugin::kv,
            "confab:plugin/settings@0.1.0": crate::bindings::host::confab::plugin::settings,
            "confab:plugin/runtime@0.1.0": crate::bindings::host::confab::plugin::runtime,
        },
    });
}

pub mod reactions {
    wit_bindgen::generate!({
        path: "../wit/v0.1",
        world: "reaction-plugin",
        pub_export_macro: true,
        export_macro_name: "export_reactions",
        with: {
            "confab:plugin/types@0.1.0": crate::bindings::host::confab::plugin::types,
            "confab:plugin/events@0.1.0": crate::bindings::host::confab::plugin::events,
            "confab:plugin/chat@0.1.0": crate::bindings::host::confab::plugin::chat,
            "confab:plugin/kv@0.1.0": crate::bindings::host::confab::plugin::kv,
            "confab:plugin/settings@0.1.0": crate::bindings::host::confab::plugin::settings,
            "confab:plugin/runtime@0.1.0": crate::bindings::host::confab::plugin::runtime,
        },
    });
}
