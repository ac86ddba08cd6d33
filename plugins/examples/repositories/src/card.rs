//! What is posted, and how foreign texts get into it.

use serde_json::Value;

/// Of one push.
const MOST_COMMITS: usize = 5;
const TITLE_CHARACTERS: usize = 160;
const BODY_CHARACTERS: usize = 300;

/// A message about a repository.
#[derive(Debug, PartialEq, Eq)]
pub struct Card {
    /// Its full name.
    pub repository: String,
    /// Markdown.
    pub text: String,
}

/// The text at a path such as `/sender/login`; empty if there is none.
pub fn text<'v>(of: &'v Value, path: &str) -> &'v str {
    of.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

/// A foreign text on one line: it links nothing, and calls nobody who has the same name here.
pub fn plain(text: &str) -> String {
    let line: String =
        text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(TITLE_CHARACTERS).collect();
    line.chars().fold(String::new(), |mut out, letter| {
        match letter {
            '@' => out.push_str("@\u{200b}"),
            '\\' | '*' | '_' | '[' | ']' | '`' | '<' | '~' | '|' | '#' => {
                out.push('\\');
                out.push(letter);
            }
            _ => out.push(letter),
        }
        out
    })
}

/// A link with a foreign text; without an address of the web, the text.
pub fn link(label: &str, address: &str) -> String {
    let is_web = address.starts_with("https://") || address.starts_with("http://");
    if !is_web || address.contains([' ', '(', ')', '<', '>', '\n']) {
        return plain(label);
    }
    format!("[{}]({address})", plain(label))
}

/// The beginning of a longer foreign text, as a quotation; empty for none.
pub fn quoted(text: &str) -> String {
    let short: String = text.trim().chars().take(BODY_CHARACTERS).collect();
    if short.is_empty() {
        return String::new();
    }
    let lines: Vec<String> = short.lines().take(4).map(|line| format!("> {}", plain(line))).collect();
    format!("\n{}", lines.join("\n"))
}

/// A line for each of the newest commits, and how many more there are.
pub fn commits(of: &Value) -> String {
    let Some(all) = of.get("commits").and_then(Value::as_array) else { return String::new() };
    let mut lines = String::new();
    for commit in all.iter().rev().take(MOST_COMMITS).rev() {
        let id: String = text(commit, "/id").chars().take(7).collect();
        let title = text(commit, "/message").lines().next().unwrap_or_default();
        lines.push_str(&format!("\n- {} {}", link(&id, text(commit, "/url")), plain(title)));
    }
    if all.len() > MOST_COMMITS {
        lines.push_str(&format!("\n- … and {} before", all.len() - MOST_COMMITS));
    }
    lines
}

/// `1 commit`, `3 commits`.
pub fn count_of(commits: &Value) -> String {
    match commits.as_array().map_or(0, Vec::len) {
        1 => "1 commit".into(),
        count => format!("{count} commits"),
    }
}
