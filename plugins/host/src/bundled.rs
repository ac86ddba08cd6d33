//! The plugins that come with Confab, built by `plugins/build`.

/// A plugin that is part of the program. It is loaded as any other is: its manifest is parsed, its hash checked, and
/// what it may do is for the administrator to say.
#[derive(Debug, Clone, Copy)]
pub struct Bundled {
    /// Its folder's name under `plugins/bundled`.
    pub name: &'static str,
    /// The text of its `plugin.toml`.
    pub manifest: &'static str,
    /// Its component.
    pub wasm: &'static [u8],
}

/// All of them.
pub fn bundled() -> &'static [Bundled] {
    &[Bundled {
        name: "dice",
        manifest: include_str!("../../bundled/dice/plugin.toml"),
        wasm: include_bytes!("../../bundled/dice/dice.wasm"),
    }]
}
