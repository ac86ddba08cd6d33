//! A rehearsal: a plugin meets a conversation that its author wrote down, with people, messages, time and pages of the
//! web that exist in memory only. What it does is written below each line of the conversation and held against what
//! stands there. It runs through the same engine, limits and grants as on a server.

mod compare;
mod play;
mod script;
mod span;
mod stage;
mod written;

use crate::manifest::Manifest;
use crate::plugin::Plugin;
use play::Player;
use script::Script;
pub(crate) use stage::Stage;

/// What is wrong with a written conversation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct ScriptFault {
    /// Of the file, from 1.
    pub line: usize,
    /// A sentence for the author.
    pub message: String,
}

/// What came of a rehearsal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rehearsed {
    /// The conversation with what the plugin really did: what the file should say, if that is what is meant.
    pub written: String,
    /// Where the plugin did something else than the file says.
    pub differences: Vec<Difference>,
    /// Lines of the conversation that were played.
    pub scenes: usize,
}

/// Something else happened than was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Of the file, from 1: what somebody did.
    pub line: usize,
    /// What somebody did.
    pub act: String,
    /// What should have come of it.
    pub expected: Vec<String>,
    /// What came of it.
    pub happened: Vec<String>,
}

/// Plays a conversation, whole, whatever the plugin does.
///
/// # Errors
/// [`ScriptFault`] for a line that cannot be understood, before anything is played.
pub async fn rehearse(plugin: &Plugin, text: &str) -> Result<Rehearsed, ScriptFault> {
    let script = Script::parse(text)?;
    let mut player = Player::new(plugin);
    let (mut written, mut differences, mut scenes) = (String::new(), Vec::new(), 0);
    for part in script.parts {
        let scene = match part {
            script::Part::Aside(line) => {
                written.push_str(&line);
                written.push('\n');
                continue;
            }
            script::Part::Scene(scene) => scene,
        };
        let fault = |message| ScriptFault { line: scene.line, message };
        let happened = player.play(&scene.act).await.map_err(fault)?;
        scenes += 1;
        let fits = compare::fits(&scene.expected, &happened);
        written.push_str(&scene.text);
        written.push('\n');
        // What fits is left as its author wrote it: the dots stand for what differs from run to run.
        for line in if fits { &scene.expected } else { &happened } {
            written.push_str("  ");
            written.push_str(line);
            written.push('\n');
        }
        if !fits {
            let (line, act, expected) = (scene.line, scene.text, scene.expected);
            differences.push(Difference { line, act, expected, happened });
        }
    }
    Ok(Rehearsed { written, differences, scenes })
}

/// The name of a plugin's bot: the last word of its id.
fn bot_name(manifest: &Manifest) -> &str {
    manifest.id.rsplit('.').next().unwrap_or(&manifest.id)
}
