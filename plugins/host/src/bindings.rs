//! What wasmtime makes of `plugins/wit`.
//!
//! One world with every handler is bound for each version of the contract; a component that has only some of them is met through the per-interface
//! export indices, so no component has to export what it does not handle.
#![allow(
    missing_docs,
    rust_2018_idioms,
    clippy::all,
    clippy::pedantic,
    reason = "generated; documented in plugins/wit"
)]

pub mod v0_1 {
    wasmtime::component::bindgen!({
        path: "../wit/v0.1",
        world: "plugin",
        imports: { default: async | trappable },
        exports: { default: async },
    });
}

pub mod v0_2 {
    wasmtime::component::bindgen!({
        path: "../wit/v0.2",
        world: "full-plugin",
        imports: { default: async | trappable },
        exports: { default: async },
    });
}
