//! The plugins that come with Confab, built by `plugins/build`.

/// A plugin that is part of the program. It is loaded as any other is: its manifest is parsed, its hash checked, and
/// what it may do is for the administrator to say.
#[derive(Debug, Clone, Copy)]
pub struct Bundled {
    /// Its folder's name under `plugins/bundled`.
    pub name: &'static str,
    /// The text of its `plugin.toml`.
    pub manifest: &'static str,
    /// Whether it runs on a new server from the beginning; others wait for an administrator.
    pub starts: bool,
    /// Its component.
    pub wasm: &'static [u8],
    /// The images of its reactions, by the names of their files: PNG as the server itself encodes it, which is what
    /// becomes of other plugins' images.
    pub images: &'static [(&'static str, &'static [u8])],
}

macro_rules! bundle {
    ($name:literal, $starts:literal $(, $image:literal)*) => {
        Bundled {
            name: $name,
            manifest: include_str!(concat!("../../bundled/", $name, "/plugin.toml")),
            starts: $starts,
            wasm: include_bytes!(concat!("../../bundled/", $name, "/", $name, ".wasm")),
            images: &[$(($image, include_bytes!(concat!("../../bundled/", $name, "/", $image)) as &[u8])),*],
        }
    };
}

/// All of them.
pub fn bundled() -> &'static [Bundled] {
    &[
        bundle!("dice", true),
        bundle!("polls", true),
        bundle!("reminders", true),
        bundle!("incident", false),
        bundle!("karma", false, "karma.png"),
        bundle!("moderation", false),
        bundle!("repositories", false),
        bundle!("standup", false),
    ]
}
