//! `[[reaction]]`: reactions that a plugin adds to the catalogue, and who may put them how often. `[images]`: the files
//! of their pictures, with a hash each, so that a signature of the manifest covers them.

use super::parse::is_sha256;
use super::section::Section;
use serde::Serialize;
use std::collections::BTreeMap;

/// Most reactions of one plugin.
pub const MOST_REACTIONS: usize = 32;
const MOST_PER_MESSAGE: u32 = 1_000;
const MOST_PER_DAY: u32 = 1_000;
const IMAGE_CHARACTERS: usize = 64;

/// A reaction of the plugin's own: shown as an image of the plugin's package, or as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomReaction {
    /// Unique on a server.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// An emoji or a few characters: where there is no image, or none can be shown.
    pub text: Option<String>,
    /// A file name beside the manifest.
    pub image: Option<String>,
    /// Whether the plugin is asked before one is added; `ask` in the manifest.
    pub asks: bool,
    /// Who may put it.
    pub who: Who,
    /// Most of it under one message; `per-message` in the manifest.
    pub per_message: Option<u32>,
    /// How often a person may put it in a day of UTC; `per-day` in the manifest.
    pub per_day: Option<u32>,
}

/// Who may put a reaction. Superusers may put every one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Who {
    /// Every member of the channel, guests too.
    #[default]
    Everyone,
    /// Whoever is a member and no guest.
    Member,
    /// The channel's admins and owners.
    Admin,
    /// The channel's owners.
    Owner,
    /// Those who administer the whole server.
    Superuser,
}

impl Who {
    const ALL: [(&'static str, Self); 5] = [
        ("everyone", Self::Everyone),
        ("member", Self::Member),
        ("admin", Self::Admin),
        ("owner", Self::Owner),
        ("superuser", Self::Superuser),
    ];

    /// The word for whoever is not everyone: the least role in a channel, or `superuser`.
    #[must_use]
    pub fn word(self) -> Option<&'static str> {
        Self::ALL.into_iter().find(|(_, who)| *who == self && self != Self::Everyone).map(|(word, _)| word)
    }
}

pub(super) fn reactions(root: &mut Section<'_>) -> Vec<CustomReaction> {
    let mut reactions: Vec<CustomReaction> = Vec::new();
    for mut section in root.sections("reaction", MOST_REACTIONS) {
        let reaction = reaction(&mut section);
        if reaction.text.is_none() && reaction.image.is_none() {
            section.note("text", "a reaction has a text, an image, or both");
        }
        if reaction.image.as_deref().is_some_and(|image| !is_file_name(image)) {
            section.note("image", "must be a plain file name");
        }
        if !reaction.code.is_empty() && reactions.iter().any(|other| other.code == reaction.code) {
            section.note("code", format!("`{}` stands here twice", reaction.code));
        }
        reactions.push(reaction);
        section.finish();
    }
    reactions
}

fn reaction(section: &mut Section<'_>) -> CustomReaction {
    CustomReaction {
        code: section.formed_text("code", 32, "lower-case letters, digits, hyphens and underscores", is_code),
        name: section.required_text("name", 60),
        text: section.text("text", 8),
        image: section.text("image", IMAGE_CHARACTERS),
        asks: section.flag("ask"),
        who: who(section),
        per_message: section.integer("per-message", 1..=MOST_PER_MESSAGE),
        per_day: section.integer("per-day", 1..=MOST_PER_DAY),
    }
}

fn who(section: &mut Section<'_>) -> Who {
    let Some(word) = section.text("who", 16) else { return Who::Everyone };
    let found = Who::ALL.into_iter().find(|(known, _)| *known == word);
    if found.is_none() {
        section.note("who", "must be everyone, member, admin, owner or superuser");
    }
    found.map(|(_, who)| who).unwrap_or_default()
}

/// Authors need not write it: what installs a plugin does.
pub(super) fn images(root: &mut Section<'_>, reactions: &[CustomReaction]) -> BTreeMap<String, String> {
    let table = match root.value("images") {
        None => return BTreeMap::new(),
        Some(toml::Value::Table(table)) => table,
        Some(_) => {
            root.note("images", "must be a table");
            return BTreeMap::new();
        }
    };
    let mut images = BTreeMap::new();
    for (file, hash) in table {
        let field = format!("images.{file}");
        if !reactions.iter().any(|it| it.image.as_ref() == Some(&file)) {
            root.note(&field, "is the image of no reaction");
            continue;
        }
        match hash {
            toml::Value::String(hash) if is_sha256(&hash) => drop(images.insert(file, hash)),
            _ => root.note(&field, "must be 64 hexadecimal digits in lower case"),
        }
    }
    images
}

/// The files that the reactions of a manifest name, each once, whatever else is wrong with it: what stands beside it is
/// read before it is whole. What is no plain file name is left out.
#[must_use]
pub fn image_files(manifest: &str) -> Vec<String> {
    let table = manifest.parse::<toml::Table>().unwrap_or_default();
    let reactions = table.get("reaction").and_then(toml::Value::as_array);
    let named = reactions.into_iter().flatten().take(MOST_REACTIONS);
    let named = named.filter_map(|it| it.get("image").and_then(toml::Value::as_str));
    let mut files: Vec<String> = named
        .filter(|file| file.chars().count() <= IMAGE_CHARACTERS && is_file_name(file))
        .map(str::to_owned)
        .collect();
    files.sort_unstable();
    files.dedup();
    files
}

fn is_code(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte))
}

/// A name without a path: `../` in one would reach outside of the plugin's package.
pub(super) fn is_file_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('.')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}
