//! From a message's text to the HTML that people see: once, when it is posted, on the server, so that no client has to
//! keep a second renderer in step.
//!
//! Two gates, each enough by itself: [`write`] writes only elements of its own from the parsed tree and escapes every
//! text, and [`sanitise`] lets nothing through that is not on a fixed list. Mentions, channels and emoji are found in the
//! tree's texts, never in HTML, so that code stays code.

mod characters;
mod sanitise;
mod words;
mod write;

#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::collections::HashMap;
use std::time::{Duration, Instant};

use comrak::nodes::{Node, NodeValue};
use comrak::{Arena, Options, try_parse_document};
use confab_protocol::{ChannelId, UserId};

pub(crate) use words::names_behind;
pub use words::{Wanted, wanted};

/// Deepest nesting of elements that is shown as such.
const DEPTH: usize = 32;
/// Most elements of one message: about as many as 16,000 characters need when each means something.
const NODES: usize = 20_000;
/// Most cells that a table may be filled up to: 2,000 columns over 2,000 nearly empty rows are 16,000 characters too.
const CELLS: usize = 10_000;
/// Longest address whose page is looked at, in bytes.
const LINK_BYTES: usize = 2_048;
/// Longest result, in bytes.
const BYTES: usize = 256 * 1_024;
/// Most character references such as `&lt;`: the sanitiser's parser takes time that grows with their square.
const REFERENCES: usize = 4_000;
/// Steps of 256 lines, inlines or elements that parsing may take. Counted, so that a text is shown alike on a busy
/// machine and an idle one.
const STEPS: u32 = 400;
/// The last resort against a step that takes long by itself. No less: a machine that stands still for a moment would have a
/// message shown plainly for ever.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a custom reaction looks like in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Symbol {
    /// As text.
    Text(String),
    /// As a picture at this path of ours.
    Picture(String),
}

/// What the words of texts mean: people, open channels and custom reactions, by their folded names.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// By user name.
    pub people: HashMap<String, UserId>,
    /// Channels that everyone may find; others stay text, so that nobody learns of them.
    pub channels: HashMap<String, ChannelId>,
    /// By code.
    pub symbols: HashMap<String, Symbol>,
}

/// A text to be shown.
#[derive(Clone, Debug)]
pub struct Source<'t> {
    /// Markdown.
    pub content: &'t str,
    /// Whom it mentions: nobody else is shown as mentioned.
    pub mentions: &'t [UserId],
    /// Links of bots show where they lead: a model's words must not hide an address behind others (exfiltration by
    /// links that somebody clicks).
    pub by_bot: bool,
}

/// The text as sanitised HTML; empty for an empty text. What is too deep or too large is shown as plain text.
#[must_use]
pub fn html(source: &Source<'_>, names: &Names) -> String {
    let content = characters::plain(source.content);
    if content.trim().is_empty() {
        return String::new();
    }
    if is_one_line(&content) {
        // Nine messages of ten: nothing in them means anything to Markdown, so escaping is all that is done.
        return format!("<p dir=\"auto\">{content}</p>");
    }
    formatted(&content, source, names).unwrap_or_else(|| escaped(&content))
}

/// The first addresses on the web that a text links to, each once. What stands in code is no link.
#[must_use]
pub fn links(content: &str, most: usize) -> Vec<String> {
    let content = characters::plain(content);
    let arena = Arena::new();
    let steps = Cell::new(0_u32);
    let too_long = || {
        steps.set(steps.get() + 1);
        steps.get() > STEPS
    };
    if !content.contains("http") && !has_bare_address(&content) {
        return Vec::new();
    }
    let mut found: Vec<String> = Vec::new();
    let Ok(root) = try_parse_document(&arena, &content, &options(fills_no_table(&content)), &too_long) else {
        return found;
    };
    for node in root.descendants().take(NODES) {
        if let NodeValue::Link(link) = &node.data().value {
            let address: String = link.url.chars().filter(|it| !characters::is_zero_width(*it)).collect();
            let is_web =
                sanitise::is_outside(&address) && !address.to_ascii_lowercase().starts_with("mailto:");
            if is_web && address.len() <= LINK_BYTES && !found.contains(&address) {
                found.push(address);
            }
        }
        if found.len() == most {
            break;
        }
    }
    found
}

/// The texts of a message that are neither code nor a link, one for each run of words between two marks.
#[must_use]
pub fn texts(content: &str) -> Vec<String> {
    let content = characters::plain(content);
    // What means nothing to Markdown is one text.
    if is_one_line(&content) {
        return vec![content.into_owned()];
    }
    let arena = Arena::new();
    let steps = Cell::new(0_u32);
    let too_long = || {
        steps.set(steps.get() + 1);
        steps.get() > STEPS
    };
    let Ok(root) = try_parse_document(&arena, &content, &options(fills_no_table(&content)), &too_long) else {
        // It is shown as it was written.
        return vec![content.into_owned()];
    };
    let mut texts = Vec::new();
    for node in root.descendants().take(NODES) {
        if let NodeValue::Text(text) = &node.data().value {
            // The words of a link lead where it leads, and are nothing else.
            if !node.ancestors().any(|it| matches!(it.data().value, NodeValue::Link(_))) {
                texts.push(text.to_string());
            }
        }
    }
    texts
}

/// The words of a piece of HTML that somebody else wrote, such as a page's title: on one line, at most `most`
/// characters, without anything that hides or turns around. `None`: there are none.
#[must_use]
pub fn words_of(html: &str, most: usize) -> Option<String> {
    let text = sanitise::text_of(html);
    let words: String = characters::plain(&text)
        .split_whitespace()
        .map(|word| word.chars().filter(|it| !characters::is_zero_width(*it)).collect::<String>())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    if words.chars().count() <= most {
        return Some(words).filter(|words| !words.is_empty());
    }
    let cut: String = words.chars().take(most.saturating_sub(1)).collect();
    Some(format!("{}…", cut.trim_end()))
}

/// Whether the text is one line of words without a character that Markdown, our own marks or HTML know.
fn is_one_line(content: &str) -> bool {
    let begins = content.chars().next().is_some_and(char::is_alphabetic);
    let harmless = |it: char| {
        it.is_alphanumeric()
            || matches!(it, ' ' | '.' | ',' | '!' | '?' | '\'' | '"' | '(' | ')' | ';' | '/' | '%')
            || ('\u{2010}'..='\u{2026}').contains(&it)
            || it >= '\u{1F000}'
    };
    begins && !content.ends_with(' ') && content.chars().all(harmless) && !has_bare_address(content)
}

/// `www.` is a link without any scheme.
fn has_bare_address(content: &str) -> bool {
    content.as_bytes().windows(4).any(|it| it.eq_ignore_ascii_case(b"www."))
}

fn formatted(content: &str, source: &Source<'_>, names: &Names) -> Option<String> {
    let options = options(fills_no_table(content));
    let arena = Arena::new();
    let (steps, started) = (Cell::new(0_u32), Instant::now());
    let too_long = || {
        steps.set(steps.get() + 1);
        steps.get() > STEPS || started.elapsed() > PATIENCE
    };
    let root = try_parse_document(&arena, content, &options, &too_long).ok()?;
    if !is_bounded(root) {
        return None;
    }
    let written = write::html(root, source, names);
    if written.len() > BYTES || written.bytes().filter(|it| *it == b'&').count() > REFERENCES {
        return None;
    }
    let clean = sanitise::clean(&written);
    (clean.len() <= BYTES && !clean.trim().is_empty()).then_some(clean)
}

fn options(tables: bool) -> Options<'static> {
    let mut options = Options::default();
    options.extension.strikethrough = true;
    options.extension.table = tables;
    options.extension.autolink = true;
    options.extension.tasklist = true;
    // In a chat, a line of dashes under a sentence is a line, not a title.
    options.parse.ignore_setext = true;
    options
}

/// Whether no table of this text can grow far beyond what was written: missing cells are filled in.
fn fills_no_table(content: &str) -> bool {
    let columns = content.lines().map(|line| line.matches('|').count() + 1).max().unwrap_or(0);
    let rows = content.lines().count();
    columns.saturating_mul(rows) <= CELLS
}

fn is_bounded(root: Node<'_>) -> bool {
    let mut count = 0;
    let mut waiting = vec![(root, 0_usize)];
    while let Some((node, depth)) = waiting.pop() {
        count += 1;
        let is_word = matches!(node.data().value, NodeValue::Text(_));
        if count > NODES || (depth > DEPTH && !is_word) {
            return false;
        }
        waiting.extend(node.children().map(|child| (child, depth + 1)));
    }
    true
}

/// The text as it is, with its lines.
fn escaped(content: &str) -> String {
    let mut text = String::with_capacity(content.len() + content.len() / 8 + 32);
    text.push_str("<p dir=\"auto\">");
    for (number, line) in content.trim_end().lines().enumerate() {
        if number > 0 {
            text.push_str("<br>");
        }
        write::escape(&mut text, line);
    }
    text.push_str("</p>");
    text
}
