//! A program's message as Markdown: its text, its blocks, its attachments as quotations with a line for each field.

use confab_core::{Fault, Result};
use confab_protocol::MESSAGE_CHARACTERS;
use serde_json::Value;

use super::payload::{Payload, list, text};
use crate::import::slack::markdown_of;

/// Longest name that a program may call itself by.
const NAME_CHARACTERS: usize = 80;
/// What stands at the end of a message that is too long: an alert that is cut is better than none.
const CUT: &str = "\n\n… _cut_";

/// Writes it all. A name of the program's own stands in the text and not above it: the sender is the webhook, whatever a
/// payload says.
///
/// # Errors
/// [`Fault::Invalid`] in `text` when there is nothing to say.
pub(super) fn markdown(payload: &Payload, webhook: &str) -> Result<String> {
    let mut parts: Vec<String> = Vec::new();
    if let Some(text) = payload.text("text") {
        parts.push(markdown_of(text));
    }
    parts.extend(payload.list("blocks").iter().filter_map(block));
    parts.extend(payload.list("attachments").iter().filter_map(attachment));
    if parts.is_empty() {
        return Err(Fault::invalid("text", "there is no text, and no attachment with one"));
    }
    if let Some(name) = name(payload, webhook) {
        parts[0] = format!("{name}  \n{}", parts[0]);
    }
    // No statement takes it, and nothing shows it.
    Ok(cut(&parts.join("\n\n").replace('\0', "")))
}

fn name(payload: &Payload, webhook: &str) -> Option<String> {
    let symbol = payload.text("icon_emoji").map(|it| it.trim_matches(':')).filter(|code| {
        code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-+".contains(&byte))
    });
    let name = payload.text("username").filter(|name| *name != webhook).map(|name| {
        let bare: String = name.chars().filter(|it| !it.is_control()).take(NAME_CHARACTERS).collect();
        format!("**{}**", plain(&bare))
    });
    match (symbol, name) {
        (Some(symbol), Some(name)) => Some(format!(":{symbol}: {name}")),
        (None, Some(name)) => Some(name),
        (Some(symbol), None) => Some(format!(":{symbol}:")),
        (None, None) => None,
    }
}

/// One block of Slack's Block Kit; `None` for those that show nothing here.
fn block(block: &Value) -> Option<String> {
    let inner = |name: &str| block.get(name).and_then(|it| text(it, "text"));
    match block.get("type")?.as_str()? {
        "header" => Some(format!("### {}", one_line(&inner("text")?))),
        "section" => {
            let fields = list(block, "fields").filter_map(|it| text(it, "text"));
            let parts: Vec<String> = inner("text").into_iter().chain(fields).collect();
            let link = block.get("accessory").and_then(button);
            let parts: Vec<String> = parts.iter().map(|it| markdown_of(it)).chain(link).collect();
            (!parts.is_empty()).then(|| parts.join("\n\n"))
        }
        "context" => {
            let parts: Vec<String> = list(block, "elements")
                .filter_map(|it| text(it, "text"))
                .map(|it| markdown_of(&it))
                .collect();
            (!parts.is_empty()).then(|| parts.join(" · "))
        }
        "divider" => Some("---".into()),
        "image" => {
            let label = text(block, "title").or_else(|| text(block, "alt_text"));
            link(&label.unwrap_or_else(|| "image".into()), &text(block, "image_url")?)
        }
        "actions" => {
            let links: Vec<String> = list(block, "elements").filter_map(button).collect();
            (!links.is_empty()).then(|| links.join(" · "))
        }
        _ => None,
    }
}

/// A button with an address is a link; the others call a server that is not this one.
fn button(of: &Value) -> Option<String> {
    let label = of.get("text").and_then(|it| match it {
        Value::String(label) => Some(label.clone()),
        other => text(other, "text"),
    });
    link(&label.unwrap_or_else(|| "link".into()), &text(of, "url")?)
}

/// An attachment of Slack's and Mattermost's older form.
fn attachment(of: &Value) -> Option<String> {
    let mut lines: Vec<String> = Vec::new();
    let titled = |name: &str, address: &str| {
        let label = text(of, name)?;
        let linked = text(of, address).and_then(|address| link(&label, &address));
        Some(linked.unwrap_or_else(|| plain(&one_line(&label))))
    };
    if let Some(author) = titled("author_name", "author_link") {
        lines.push(author);
    }
    if let Some(title) = titled("title", "title_link") {
        lines.push(format!("**{title}**"));
    }
    lines.extend(text(of, "text").map(|it| markdown_of(&it)));
    lines.extend(list(of, "blocks").filter_map(block));
    lines.extend(fields(of));
    lines.extend(text(of, "image_url").and_then(|address| link("image", &address)));
    let buttons: Vec<String> = list(of, "actions").filter_map(button).collect();
    if !buttons.is_empty() {
        lines.push(buttons.join(" · "));
    }
    lines.extend(text(of, "footer").map(|it| format!("_{}_", plain(&one_line(&it)))));
    if lines.is_empty() {
        lines.extend(text(of, "fallback").map(|it| markdown_of(&it)));
    }
    let before = text(of, "pretext").map(|it| markdown_of(&it));
    if lines.is_empty() {
        return before;
    }
    if let Some(colour) = colour(of) {
        lines[0] = format!("{colour} {}", lines[0]);
    }
    let quoted: Vec<String> =
        lines.join("\n\n").lines().map(|line| format!("> {line}").trim_end().to_owned()).collect();
    Some(before.into_iter().chain([quoted.join("\n")]).collect::<Vec<_>>().join("\n\n"))
}

/// A line for each field; short ones that follow each other share one.
fn fields(of: &Value) -> Option<String> {
    let mut out = String::new();
    let mut was_short = false;
    for field in list(of, "fields") {
        let (title, value) = (text(field, "title"), text(field, "value").map(|it| markdown_of(&it)));
        if title.is_none() && value.is_none() {
            continue;
        }
        let is_short = field.get("short").and_then(Value::as_bool).unwrap_or(false);
        if !out.is_empty() {
            out.push_str(if is_short && was_short { " · " } else { "  \n" });
        }
        if let Some(title) = title {
            out.extend(["**", &plain(&one_line(&title)), "** "]);
        }
        out.push_str(&value.unwrap_or_default());
        was_short = is_short;
    }
    (!out.is_empty()).then_some(out)
}

fn colour(of: &Value) -> Option<&'static str> {
    match text(of, "color")?.as_str() {
        "good" => Some("🟢"),
        "warning" => Some("🟡"),
        "danger" => Some("🔴"),
        _ => None,
    }
}

/// A link; `None` for what is no address of the web. "javascript:" behind a harmless word is an attack on whoever shows it.
fn link(label: &str, address: &str) -> Option<String> {
    let parsed = url::Url::parse(address).ok()?;
    if !matches!(parsed.scheme(), "http" | "https" | "mailto") {
        return None;
    }
    let address = parsed.as_str().replace('(', "%28").replace(')', "%29");
    Some(format!("[{}]({address})", plain(&one_line(label))))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Letters that Markdown would read as marks, as themselves.
fn plain(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut plain, letter| {
        if matches!(letter, '\\' | '*' | '_' | '[' | ']' | '`' | '<' | '~' | '|') {
            plain.push('\\');
        }
        plain.push(letter);
        plain
    })
}

fn cut(text: &str) -> String {
    let Some((at, _)) = text.char_indices().nth(MESSAGE_CHARACTERS) else { return text.to_owned() };
    let most = MESSAGE_CHARACTERS - CUT.chars().count();
    let end = text.char_indices().nth(most).map_or(at, |(end, _)| end);
    format!("{}{CUT}", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn written(payload: &Value) -> String {
        let payload = Payload::read("application/json", payload.to_string().as_bytes()).expect("a payload");
        markdown(&payload, "CI").expect("something to say")
    }

    #[test]
    fn a_text_is_translated_and_a_name_stands_in_it() {
        assert_eq!(
            written(&json!({ "text": "*done*: <https://e.org/1|build 1>", "username": "CI" })),
            "**done**: [build 1](https://e.org/1)"
        );
        assert_eq!(
            written(&json!({ "text": "ok", "username": "Ada [admin]", "icon_emoji": ":rocket:" })),
            ":rocket: **Ada \\[admin\\]**  \nok"
        );
        assert_eq!(written(&json!({ "text": "ok", "icon_emoji": "<b>" })), "ok");
    }

    #[test]
    fn an_alert_of_grafana_is_a_card() {
        let text = written(&json!({ "attachments": [{
            "color": "danger", "title": "[FIRING:1] Disk", "title_link": "https://grafana.example/a", "text": "*90 %* full",
            "fields": [{ "title": "host", "value": "db1", "short": true }, { "title": "level", "value": 9, "short": true }, { "title": "why", "value": "logs" }],
            "footer": "Grafana", "image_url": "javascript:alert(1)",
        }] }));
        assert_eq!(
            text,
            "> 🔴 **[\\[FIRING:1\\] Disk](https://grafana.example/a)**\n>\n> **90 %** full\n>\n> **host** db1 · **level** 9\n> **why** logs\n>\n> _Grafana_"
        );
    }

    #[test]
    fn blocks_are_lines_and_links() {
        let text = written(&json!({ "blocks": [
            { "type": "header", "text": { "type": "plain_text", "text": "Release" } },
            { "type": "section", "text": { "type": "mrkdwn", "text": "*1.2* is out" }, "fields": [{ "text": "by ada" }] },
            { "type": "divider" },
            { "type": "actions", "elements": [{ "type": "button", "text": { "text": "Notes" }, "url": "https://e.org/notes" }, { "type": "button", "text": { "text": "Bad" }, "url": "javascript:x" }] },
            { "type": "rich_text" },
        ] }));
        assert_eq!(text, "### Release\n\n**1.2** is out\n\nby ada\n\n---\n\n[Notes](https://e.org/notes)");
    }

    #[test]
    fn what_is_too_long_is_cut_and_nothing_is_refused() {
        let text = written(&json!({ "text": "é".repeat(MESSAGE_CHARACTERS + 1) }));
        assert_eq!(text.chars().count(), MESSAGE_CHARACTERS);
        assert!(text.ends_with("_cut_"));
        let nothing =
            Payload::read("application/json", br#"{"attachments": [{"color": "good"}], "text": "  "}"#)
                .expect("a payload");
        assert!(markdown(&nothing, "CI").is_err());
    }
}
