//! A message's text as it stands here.

use confab_protocol::{MESSAGE_CHARACTERS, UserId};

use super::Shared;
use super::markup::{Names, translate};
use super::report::Messages;
use super::shapes::{Attachment, SlackMessage};

/// What stands for a text that is none: an empty message would look like a fault.
const NO_TEXT: &str = "[no text]";
/// Where a long text is cut: at the last end of a line or word within this many characters, else anywhere.
const CUT_WITHIN: usize = 1_000;
/// What Slack writes itself: names in it mention nobody.
const OWN_LINES: [&str; 8] = [
    "channel_join",
    "channel_leave",
    "group_join",
    "group_leave",
    "channel_topic",
    "channel_purpose",
    "channel_name",
    "channel_archive",
];

/// A text, in one piece or several, and whom it mentions.
pub(super) struct Written {
    pub parts: Vec<String>,
    pub mentions: Vec<UserId>,
}

impl Names for Shared {
    fn person(&self, slack_id: &str) -> Option<(UserId, &str)> {
        self.people.get(slack_id).map(|person| (person.id, person.name.as_str()))
    }
    fn channel(&self, slack_id: &str) -> Option<&str> {
        self.channel_names.get(slack_id).map(String::as_str)
    }
}

/// Translates a message's text and adds what Slack keeps beside it.
pub(super) fn write(message: &SlackMessage, shared: &Shared, tally: &mut Messages) -> Written {
    let sent = message.text.as_deref().unwrap_or_default();
    let translated = translate(sent, shared.texts, shared);
    let (mut text, mut mentions) = (translated.text, translated.mentions);
    let subtype = message.subtype.as_deref().unwrap_or_default();
    if subtype == "me_message" && !text.trim().is_empty() {
        text = format!("_{}_", text.trim());
    }
    if OWN_LINES.contains(&subtype) {
        mentions.clear();
    }
    for attachment in message.attachments.iter().flatten().flatten() {
        let shown = translate(&of_attachment(attachment), shared.texts, shared).text;
        if !shown.trim().is_empty() && !text.contains(shown.trim()) {
            append(&mut text, shown.trim());
        }
    }
    for file in message.files.iter().flatten().flatten().chain(&message.file) {
        let name = file.name.as_deref().or(file.title.as_deref()).unwrap_or("without a name");
        append(&mut text, &format!("[file: {}]", name.replace(['\n', '\r'], " ")));
        tally.files_named += 1;
    }
    if text.contains('\0') {
        tally.characters_removed += text.matches('\0').count() as u64;
        text.retain(|letter| letter != '\0');
    }
    tally.edited += u64::from(message.edited.is_some());
    if text.trim().is_empty() {
        tally.without_text += 1;
        return Written { parts: vec![NO_TEXT.into()], mentions };
    }
    tally.changed += u64::from(text != sent);
    let parts = split(text);
    tally.split += u64::from(parts.len() > 1);
    tally.split_parts += parts.len() as u64 - 1;
    Written { parts, mentions }
}

fn append(text: &mut String, line: &str) {
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(line);
}

/// An attachment in words: what its maker meant for places like this, or its own lines.
fn of_attachment(attachment: &Attachment) -> String {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    if let Some(fallback) = given(&attachment.fallback).filter(|text| text != "[no preview available]") {
        return fallback;
    }
    let lines = [&attachment.pretext, &attachment.title, &attachment.text].map(given);
    lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

/// A text in pieces that a message may have. Put together again they are the text.
fn split(text: String) -> Vec<String> {
    // Bytes first: most texts are short, and counting characters is not free.
    if text.len() <= MESSAGE_CHARACTERS || text.chars().count() <= MESSAGE_CHARACTERS {
        return vec![text];
    }
    let mut parts = Vec::new();
    let mut rest = text.as_str();
    while let Some((most, _)) = rest.char_indices().nth(MESSAGE_CHARACTERS) {
        let near = rest[..most].char_indices().rev().nth(CUT_WITHIN).map_or(0, |it| it.0);
        let cut = rest[near..most].rfind('\n').or_else(|| rest[near..most].rfind(' '));
        let cut = cut.map_or(most, |at| near + at + 1);
        parts.push(rest[..cut].to_owned());
        rest = &rest[cut..];
    }
    if rest.trim().is_empty()
        && let Some(last) = parts.last_mut()
    {
        // White space alone is no message; nobody sees that it is gone from an end.
        last.truncate(last.trim_end().len());
    } else {
        parts.push(rest.to_owned());
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_lose_nothing() {
        for text in [
            "word ".repeat(10_000),
            "é".repeat(40_000),
            format!("{}\n{}", "a".repeat(15_900), "b".repeat(500)),
        ] {
            let parts = split(text.clone());
            assert!(parts.len() > 1 && parts.iter().all(|part| part.chars().count() <= MESSAGE_CHARACTERS));
            assert_eq!(parts.concat().trim_end(), text.trim_end());
        }
        assert_eq!(split("a".repeat(16_000)).len(), 1);
        let parts = split(format!("{}\n{}", "a".repeat(15_900), "b".repeat(500)));
        assert!(parts[0].ends_with('\n') && parts[1].starts_with('b'));
    }
}
