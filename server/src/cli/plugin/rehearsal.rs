//! `confab plugin test`: plays the conversation that a plugin's author wrote, without a server.

use std::path::{Path, PathBuf};

use confab_core::{Fault, Result};
use confab_worker::plugins::{self, Difference, Rehearsed};
use serde_json::{Value, json};

use super::super::{Common, refused, say};

/// A conversation that the folder holds unless another is named.
const CONVERSATION: &str = "conversation.txt";

/// Plays it; with `write` the file says afterwards what happened.
///
/// # Errors
/// [`Fault::Invalid`] for a plugin or a conversation that is not sound; [`Fault::Conflict`] with code
/// `played_differently` when the plugin did something else.
pub async fn run(folder: &Path, conversation: Option<PathBuf>, write: bool, common: &Common) -> Result<()> {
    let path = conversation.unwrap_or_else(|| folder.join(CONVERSATION));
    let unreadable = |error| refused("unreadable", format!("{}: {error}", path.display()));
    let text = std::fs::read_to_string(&path).map_err(unreadable)?;
    let (manifest, component) = super::files(folder)?;
    let played = plugins::rehearse(manifest, component, text, super::cache()).await?;
    if write {
        std::fs::write(&path, &played.written).map_err(unreadable)?;
        say(common, &shown(&played), || format!("{} says what happened", path.display()));
        return Ok(());
    }
    say(common, &shown(&played), || told(&played));
    match played.differences.len() {
        0 => Ok(()),
        one_or_more => {
            let message =
                format!("{one_or_more} of {} went otherwise than {} says", played.scenes, path.display());
            Err(Fault::conflict("played_differently", message))
        }
    }
}

fn shown(played: &Rehearsed) -> Value {
    let difference = |it: &Difference| json!({ "line": it.line, "act": it.act, "expected": it.expected, "happened": it.happened });
    json!({
        "scenes": played.scenes,
        "differences": played.differences.iter().map(difference).collect::<Vec<_>>(),
        "written": played.written,
    })
}

fn told(played: &Rehearsed) -> String {
    let mut text = played.written.trim_end().to_owned();
    for it in &played.differences {
        text.extend(["\n\nline ", &it.line.to_string(), ": ", &it.act]);
        text.push_str(&lines("\n  expected:", &it.expected));
        text.push_str(&lines("\n  happened:", &it.happened));
    }
    if played.differences.is_empty() {
        text.extend(["\n\nAll ", &played.scenes.to_string(), " went as written."]);
    }
    text
}

fn lines(head: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return format!("{head} nothing");
    }
    lines.iter().fold(head.to_owned(), |text, line| text + "\n    " + line)
}
