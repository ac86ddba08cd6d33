//! A written conversation: what people do stands at the beginning of a line, what the plugin should do below it,
//! indented. docs/plugins/testing.md says it to authors.

use super::{ScriptFault, span};
use crate::permission::Permission;

const TEXT_BYTES: usize = 1 << 20;
/// Where something is said if the line names no channel.
pub(super) const CHANNEL: &str = "general";

/// See the module.
pub(super) struct Script {
    pub parts: Vec<Part>,
}

/// A line, or a line with those below it.
pub(super) enum Part {
    /// A comment or an empty line.
    Aside(String),
    Scene(Scene),
}

/// What somebody does, and what should come of it.
pub(super) struct Scene {
    /// Of the file, from 1.
    pub line: usize,
    /// As it is written.
    pub text: String,
    pub act: Act,
    /// Without their indentation.
    pub expected: Vec<String>,
}

/// What somebody does.
#[derive(Debug, PartialEq)]
pub(super) enum Act {
    Says {
        who: String,
        channel: String,
        below: Option<String>,
        text: String,
    },
    Edits {
        who: String,
        message: String,
        text: String,
    },
    Deletes {
        message: String,
    },
    Reacts {
        who: String,
        code: String,
        message: Option<String>,
        added: bool,
    },
    Presses {
        who: String,
        label: String,
        on: Option<String>,
    },
    Types {
        who: String,
        command: String,
        option: String,
        typed: String,
    },
    Joins {
        who: String,
        channel: String,
    },
    Leaves {
        who: String,
        channel: String,
    },
    Tool {
        name: String,
        who: String,
        input: String,
    },
    /// The administrator grants everything but this.
    Deny(Permission),
    Set {
        key: String,
        value: String,
    },
    Configure(String),
    Page {
        method: String,
        url: String,
        status: u16,
        body: String,
    },
    Pass {
        seconds: u64,
    },
}

impl Script {
    pub(super) fn parse(text: &str) -> Result<Self, ScriptFault> {
        if text.len() > TEXT_BYTES {
            let message = format!("the conversation is larger than {TEXT_BYTES} bytes");
            return Err(ScriptFault { line: 1, message });
        }
        let mut parts: Vec<Part> = Vec::new();
        for (line, text) in (1..).zip(text.lines()) {
            let fault = |message: String| ScriptFault { line, message };
            let text = text.trim_end();
            if text.is_empty() || text.starts_with('#') {
                parts.push(Part::Aside(text.to_owned()));
            } else if text.starts_with([' ', '\t']) {
                let Some(Part::Scene(scene)) = parts.last_mut() else {
                    let message = "what the plugin does stands directly below what somebody did";
                    return Err(fault(message.into()));
                };
                scene.expected.push(text.trim_start().to_owned());
            } else {
                let act = act(text).map_err(fault)?;
                parts.push(Part::Scene(Scene { line, text: text.to_owned(), act, expected: Vec::new() }));
            }
        }
        Ok(Self { parts })
    }
}

fn act(text: &str) -> Result<Act, String> {
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    let rest = rest.trim();
    match first {
        "deny" => rest.parse().map(Act::Deny),
        "set" => {
            let (key, value) = rest.split_once('=').ok_or("write `set KEY = VALUE`")?;
            Ok(Act::Set { key: key.trim().into(), value: value.trim().into() })
        }
        "configure" if ["installed", "upgraded", "settings-changed"].contains(&rest) => {
            Ok(Act::Configure(rest.into()))
        }
        "configure" => Err("write `configure installed`, `upgraded` or `settings-changed`".into()),
        "pass" => {
            let seconds = span::seconds(rest).ok_or("write a time such as `pass 1h 30m`")?;
            Ok(Act::Pass { seconds })
        }
        "page" => page(rest),
        "tool" => {
            let form = "write `tool NAME for PERSON: {…}`";
            let (head, input) = rest.split_once(':').ok_or(form)?;
            let (name, who) = head.split_once(" for ").ok_or(form)?;
            let input = serde_json::from_str::<serde_json::Value>(input.trim())
                .map_err(|error| format!("the input is no JSON: {error}"))?;
            let (name, who) = (name.trim().into(), who.trim().into());
            Ok(Act::Tool { name, who, input: input.to_string() })
        }
        _ => of_a_person(text),
    }
}

fn page(rest: &str) -> Result<Act, String> {
    let form = "write `page METHOD URL answers STATUS BODY`";
    let (asked, answer) = rest.split_once(" answers ").ok_or(form)?;
    let (method, url) = asked.split_once(' ').ok_or(form)?;
    let (status, body) = answer.split_once(' ').unwrap_or((answer, ""));
    let status = status.parse().map_err(|_| form)?;
    Ok(Act::Page { method: method.into(), url: url.trim().into(), status, body: several_lines(body) })
}

/// `ada: hello`, `ada in #harbour: hello`, `ada reacts dice to m1` and so on.
fn of_a_person(text: &str) -> Result<Act, String> {
    const FORM: &str = "nobody does that in a rehearsal; write what somebody says as `NAME: text`";
    let end = text.find([' ', ':']).ok_or(FORM)?;
    let (who, rest) = text.split_at(end);
    let is_name = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || "._-".contains(it);
    if who.is_empty() || !who.chars().all(is_name) {
        return Err(format!("`{who}` is no name: lower-case letters, digits, `.`, `-` and `_`"));
    }
    let who = who.to_owned();
    if let Some(said) = rest.strip_prefix(':') {
        let (channel, text) = (CHANNEL.to_owned(), several_lines(said.trim()));
        return Ok(Act::Says { who, channel, below: None, text });
    }
    let (verb, rest) = rest.trim().split_once(' ').ok_or(FORM)?;
    let rest = rest.trim();
    let said = || rest.split_once(':').ok_or("write the text after a colon");
    let channel = |name: &str| name.trim().trim_start_matches('#').to_owned();
    Ok(match verb {
        "in" => {
            let (place, text) = said()?;
            Act::Says { who, channel: channel(place), below: None, text: several_lines(text.trim()) }
        }
        "below" => {
            let (root, text) = said()?;
            let below = Some(root.trim().to_owned());
            Act::Says { who, channel: CHANNEL.into(), below, text: several_lines(text.trim()) }
        }
        "edits" => {
            let (message, text) = said()?;
            Act::Edits { who, message: message.trim().into(), text: several_lines(text.trim()) }
        }
        "deletes" => Act::Deletes { message: rest.into() },
        "reacts" | "unreacts" => {
            let (code, message) = rest.split_once(" to ").map_or((rest, None), |(code, it)| (code, Some(it)));
            let message = message.map(|it| it.trim().to_owned());
            Act::Reacts { who, code: code.trim().into(), message, added: verb == "reacts" }
        }
        "presses" => {
            let (label, on) = match rest.rsplit_once(" on ") {
                Some((label, on)) if is_id(on) => (label, Some(on.to_owned())),
                _ => (rest, None),
            };
            Act::Presses { who, label: label.trim().into(), on }
        }
        "types" => {
            let form = "write `NAME types /command option=text`";
            let (command, option) = rest.strip_prefix('/').and_then(|it| it.split_once(' ')).ok_or(form)?;
            let (option, typed) = option.split_once('=').ok_or(form)?;
            Act::Types { who, command: command.into(), option: option.trim().into(), typed: typed.into() }
        }
        "joins" => Act::Joins { who, channel: channel(rest) },
        "leaves" => Act::Leaves { who, channel: channel(rest) },
        _ => return Err(FORM.into()),
    })
}

/// `m1` or `w1`: a message or a whisper, numbered as they came.
fn is_id(text: &str) -> bool {
    let number = text.strip_prefix(['m', 'w']).unwrap_or_default();
    !number.is_empty() && number.bytes().all(|it| it.is_ascii_digit())
}

/// A line break is written `\n`.
fn several_lines(text: &str) -> String {
    text.replace("\\n", "\n")
}
