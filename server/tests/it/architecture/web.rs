//! Which API calls the web client makes.

use serde_json::Value;

use super::tree::File;

/// The one script that may speak HTTP, so that a look at it sees every call.
const CLIENT: &str = "server/web/js/api.js";
/// What the client sends large bodies by, since only the older interface tells how far they are.
const SENDER: &str = "server/web/js/transfer.js";
const BASE: &str = "/api/v1/";

/// One call: where it stands, its method in lower case, its path below `/api/v1/` with `{}` for what is filled in.
pub struct Call {
    pub place: String,
    pub method: String,
    pub path: String,
}

/// The calls that a script hands to the client's `request`, `send` and `everyPage`.
pub fn calls(file: &File) -> Vec<Call> {
    let mut found = Vec::new();
    for (function, takes_method) in [("request(", true), ("send(", true), ("everyPage(", false)] {
        for (at, _) in file.text.match_indices(function) {
            let arguments = &file.text[at + function.len()..];
            let place = format!("{}:{}", file.path, file.text[..at].matches('\n').count() + 1);
            if let Some((method, path)) = method_and_path(arguments, takes_method) {
                found.push(Call { place, method, path });
            }
        }
    }
    found
}

/// Calls that the document does not have, in sentences.
pub fn unknown(calls: &[Call], document: &Value) -> Vec<String> {
    let paths = document["paths"].as_object().expect("a document has paths");
    let known = |call: &Call| {
        paths.iter().any(|(template, operations)| {
            fits(&call.path, template) && operations.get(&call.method).is_some()
        })
    };
    let lost = calls.iter().filter(|call| !known(call));
    lost.map(|call| {
        format!("{} calls {} {}, which the API document does not have", call.place, call.method, call.path)
    })
    .collect()
}

/// Ways around the client, which the other rule would not see.
pub fn ways_around(file: &File) -> Vec<String> {
    if file.path == CLIENT || file.path == SENDER {
        return Vec::new();
    }
    let words = ["fetch(", "XMLHttpRequest", BASE];
    let lines = file.text.lines().enumerate();
    lines
        .filter(|(_, line)| words.iter().any(|word| line.contains(word)) && !line.contains("import"))
        .map(|(at, _)| format!("{}:{} speaks HTTP past {CLIENT}", file.path, at + 1))
        .collect()
}

/// The first literals of an argument list: a method where one is taken, then a path.
fn method_and_path(arguments: &str, takes_method: bool) -> Option<(String, String)> {
    if !takes_method {
        return Some(("get".to_owned(), plain(literal(arguments)?.0)));
    }
    let (method, rest) = literal(arguments)?;
    let (path, _) = literal(rest.trim_start().strip_prefix(',')?.trim_start())?;
    Some((method.to_lowercase(), plain(path)))
}

/// The string literal at the start, and what follows it.
fn literal(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|it| matches!(it, '\'' | '"' | '`'))?;
    let body = &text[1..];
    let mut depth = 0_usize;
    for (at, character) in body.char_indices() {
        match character {
            '{' if depth > 0 || body[..at].ends_with('$') => depth += 1,
            '}' if depth > 0 => depth -= 1,
            _ if character == quote && depth == 0 => return Some((&body[..at], &body[at + 1..])),
            _ => {}
        }
    }
    None
}

/// A template's text with `{}` for each `${…}`, its query cut off.
fn plain(template: &str) -> String {
    let mut path = String::new();
    let mut depth = 0_usize;
    for character in template.chars() {
        match character {
            '{' if depth > 0 => depth += 1,
            '{' if path.ends_with('$') => {
                path.pop();
                path.push_str("{}");
                depth = 1;
            }
            '}' if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            '?' => break,
            _ => path.push(character),
        }
    }
    path
}

/// Segment by segment; `{}` in a call and `{name}` in the document stand for anything.
fn fits(path: &str, template: &str) -> bool {
    let template = template.strip_prefix(BASE).unwrap_or_else(|| template.trim_start_matches('/'));
    let path: Vec<&str> = path.split('/').collect();
    let template: Vec<&str> = template.split('/').collect();
    let same = |(call, known): (&&str, &&str)| *call == "{}" && known.starts_with('{') || call == known;
    path.len() == template.len() && path.iter().zip(&template).all(same)
}

#[test]
fn calls_are_found_and_unknown_ones_are_named() {
    let text = "request('GET', `channels/${id(channel.id)}/messages?limit=${n}`, {});\n\
                request('POST', 'info', { body: {} });\neveryPage('planted');\nrequest(method, path);\n";
    let file = File { path: CLIENT.to_owned(), text: text.to_owned() };
    let called = calls(&file);
    let shown: Vec<String> = called.iter().map(|call| format!("{} {}", call.method, call.path)).collect();
    assert_eq!(shown, ["get channels/{}/messages", "post info", "get planted"]);

    let document = serde_json::json!({ "paths": {
        "/api/v1/channels/{id}/messages": { "get": {} },
        "/info": { "get": {} },
    } });
    let lost = unknown(&called, &document);
    assert_eq!(lost.len(), 2, "a wrong method and a path that is not there: {lost:?}");

    let around = File { path: "server/web/js/x.js".to_owned(), text: "await fetch(address)".to_owned() };
    assert_eq!(ways_around(&around).len(), 1);
    assert!(ways_around(&file).is_empty());
}
