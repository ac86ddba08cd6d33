//! What a snapshot shows of an answer: ids, times and tokens differ from run to run and become names.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Replaces ids by `[id 1]`, `[id 2]`, … in order of appearance (the same id keeps its number), times by `[time]`, and
/// secrets by `[token]`. Keys come out sorted whatever order the server wrote them in.
pub fn shown(value: &Value) -> Value {
    Redaction::default().value("", value)
}

#[derive(Default)]
struct Redaction {
    ids: BTreeMap<String, usize>,
}

impl Redaction {
    fn value(&mut self, key: &str, value: &Value) -> Value {
        match value {
            Value::Object(fields) => {
                let mut sorted: Vec<_> = fields.iter().collect();
                sorted.sort_by_key(|(name, _)| name.as_str());
                let shown = sorted.into_iter().map(|(name, field)| (name.clone(), self.value(name, field)));
                Value::Object(shown.collect::<Map<_, _>>())
            }
            Value::Array(items) => Value::Array(items.iter().map(|item| self.value(key, item)).collect()),
            Value::String(text) => Value::String(self.text(key, text)),
            other => other.clone(),
        }
    }

    fn text(&mut self, key: &str, text: &str) -> String {
        if key.ends_with("token") || key == "ticket" {
            return "[token]".to_owned();
        }
        if key == "request_id" {
            return "[request id]".to_owned();
        }
        if key.ends_with("_at") && text.len() >= 20 && text.ends_with('Z') {
            return "[time]".to_owned();
        }
        let mut shown = String::new();
        let mut rest = text;
        // Byte by byte over character borders: an id may stand inside an address.
        while let Some(character) = rest.chars().next() {
            if let Some(id) = rest.get(..36).filter(|start| is_id(start)) {
                let next = self.ids.len() + 1;
                let number = *self.ids.entry(id.to_owned()).or_insert(next);
                shown.extend(["[id ", &number.to_string(), "]"]);
                rest = &rest[36..];
            } else {
                shown.push(character);
                rest = &rest[character.len_utf8()..];
            }
        }
        shown
    }
}

fn is_id(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}
