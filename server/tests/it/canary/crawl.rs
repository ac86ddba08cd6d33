//! Everything that somebody can get by asking.

use reqwest::Method;
use serde_json::{Value, json};

use super::plants::Planted;
use crate::harness::user::{User, in_query};

/// What a search is asked for besides the words themselves: it stands beside each of them.
const BESIDE: &str = "anchor";

/// Answers, whole, each with what was asked.
pub struct Crawl {
    calls: Vec<(String, bool)>,
    answers: Vec<Answer>,
}

struct Answer {
    what: String,
    text: String,
    with_ids: bool,
}

impl Crawl {
    /// Every GET of the document with every id and word.
    pub fn of(document: &Value, planted: &Planted) -> Self {
        let mut ids: Vec<&str> = planted.ids.iter().chain(&planted.people).map(String::as_str).collect();
        ids.push("tada");
        let words: Vec<&str> = planted.words.iter().map(|it| it.text.as_str()).chain([BESIDE]).collect();
        let mut calls = Vec::new();
        for (path, operations) in document["paths"].as_object().expect("a document has paths") {
            let get = &operations["get"];
            if get.is_null() {
                continue;
            }
            for path in with_ids(path, &ids) {
                for query in queries(get, &words, &ids) {
                    calls.push((format!("/api/v1{path}{query}"), false));
                }
            }
        }
        calls.extend([("/".to_owned(), false), ("/docs".to_owned(), false)]);
        Self { calls, answers: Vec::new() }
    }

    /// Asks for all of it as `user`, and the assistant.
    pub async fn everything(&mut self, user: &User) {
        let mut found = Vec::new();
        for (path, _) in &self.calls {
            let reply = user.call(Method::GET, path, None).await;
            assert!(reply.status < 500, "{}: GET {path} answered {} {}", user.name, reply.status, reply.text);
            let headers: Vec<String> =
                reply.headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
            // What the caller sent comes back as the problem's place.
            let instance = path.split('?').next().unwrap_or_default();
            let text = format!("{}\n{}", headers.join("\n"), reply.text).replace(instance, "");
            found.push(Answer { what: format!("{}: GET {path}", user.name), text, with_ids: true });
        }
        for question in ["what is the anchor?", "who spoke of an anchor in a conversation?"] {
            let form = json!({ "content": question });
            let reply = user.call(Method::POST, "/api/v1/ai/message", Some(&form)).await;
            found.push(Answer {
                what: format!("{}: {question}", user.name),
                text: reply.text,
                with_ids: true,
            });
        }
        // An administrator's lists name what was done to which channel and person: ids, and no word of theirs.
        if user.name == crate::harness::world::ADMIN {
            found.iter_mut().filter(|it| it.what.contains("/admin/")).for_each(|it| it.with_ids = false);
        }
        self.answers.extend(found);
    }

    /// Something else that those outside can see.
    pub fn note(&mut self, what: &str, text: &str) {
        self.answers.push(Answer { what: what.to_owned(), text: text.to_owned(), with_ids: true });
    }

    /// The same, where ids are no secret.
    pub fn note_words_only(&mut self, what: &str, text: &str) {
        self.answers.push(Answer { what: what.to_owned(), text: text.to_owned(), with_ids: false });
    }

    pub fn count(&self) -> usize {
        self.answers.len()
    }

    pub fn holds(&self, word: &str) -> bool {
        self.answers.iter().any(|answer| answer.text.contains(word))
    }

    /// Where a private word or id stands, in sentences.
    pub fn finds(&self, planted: &Planted) -> Vec<String> {
        let mut found = Vec::new();
        for answer in &self.answers {
            let words = planted.words.iter().map(|it| (it.what, it.text.as_str()));
            let ids = planted.ids.iter().map(|id| ("an id", id.as_str())).filter(|_| answer.with_ids);
            for (what, word) in words.chain(ids).filter(|(_, word)| answer.text.contains(word)) {
                let at = answer.text.find(word).unwrap_or_default();
                let from = answer.text.floor_char_boundary(at.saturating_sub(160));
                let to = answer.text.floor_char_boundary((at + 160).min(answer.text.len()));
                found.push(format!("{what} in {}: …{}…", answer.what, &answer.text[from..to]));
            }
        }
        found
    }
}

/// A path with each of its parameters in every id; two parameters get pairs of which the first is the private channel.
fn with_ids(template: &str, ids: &[&str]) -> Vec<String> {
    let Some(start) = template.find('{') else { return vec![template.to_owned()] };
    let end = template[start..].find('}').expect("a brace closes") + start + 1;
    let is_first = !template[..start].contains("zq") && !template[..start].contains('-');
    let chosen = if is_first && template[end..].contains('{') { &ids[..1] } else { ids };
    let filled = chosen.iter().map(|id| format!("{}{}{}", &template[..start], in_path(id), &template[end..]));
    filled.flat_map(|path| with_ids(&path, ids)).collect()
}

fn in_path(id: &str) -> String {
    in_query(id)
}

/// The queries of an operation: none where none must be, each word where it takes words, each id where it takes one.
fn queries(operation: &Value, words: &[&str], ids: &[&str]) -> Vec<String> {
    let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    let in_its_query: Vec<&Value> = parameters.iter().filter(|it| it["in"] == "query").collect();
    let mut found = Vec::new();
    if in_its_query.iter().all(|it| it["required"] != true) {
        found.push(String::new());
    }
    for parameter in in_its_query {
        let name = parameter["name"].as_str().unwrap_or_default();
        let values: &[&str] = match name {
            "q" | "query" => words,
            name if name.ends_with("_id") => ids,
            "unread" => &["true"],
            "after_seq" => &["0"],
            _ => &[],
        };
        found.extend(values.iter().map(|value| format!("?{name}={}", in_query(value))));
    }
    found
}
