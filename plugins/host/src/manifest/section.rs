//! A table of a manifest, read key by key. A fault is noted and reading goes on, so that an author learns of all of
//! them at once; keys that nobody asked for are faults, because a misspelt filter would otherwise filter nothing.

use super::Fault;
use std::cell::RefCell;
use std::ops::RangeInclusive;

/// The faults found so far.
#[derive(Debug, Default)]
pub(super) struct Faults(RefCell<Vec<Fault>>);

impl Faults {
    pub(super) fn note(&self, field: impl Into<String>, message: impl Into<String>) {
        self.0.borrow_mut().push(Fault { field: field.into(), message: message.into() });
    }

    pub(super) fn into_inner(self) -> Vec<Fault> {
        self.0.into_inner()
    }
}

/// A table, and where it stands.
pub(super) struct Section<'f> {
    path: String,
    table: toml::Table,
    faults: &'f Faults,
}

impl<'f> Section<'f> {
    pub(super) fn root(table: toml::Table, faults: &'f Faults) -> Self {
        Self { path: String::new(), table, faults }
    }

    pub(super) fn note(&self, key: &str, message: impl Into<String>) {
        self.faults.note(self.field(key), message);
    }

    /// A table inside; an empty one if it is absent.
    pub(super) fn section(&mut self, key: &str) -> Section<'f> {
        let table = match self.table.remove(key) {
            None => toml::Table::new(),
            Some(toml::Value::Table(table)) => table,
            Some(_) => {
                self.note(key, "must be a table");
                toml::Table::new()
            }
        };
        Section { path: self.field(key), table, faults: self.faults }
    }

    /// The tables of an array, at most `most`.
    pub(super) fn sections(&mut self, key: &str, most: usize) -> Vec<Section<'f>> {
        let items = match self.table.remove(key) {
            None => return Vec::new(),
            Some(toml::Value::Array(items)) => items,
            Some(_) => {
                self.note(key, format!("must be an array of tables: write [[{}]]", self.field(key)));
                return Vec::new();
            }
        };
        if items.len() > most {
            self.note(key, format!("at most {most} are allowed"));
        }
        let mut sections = Vec::new();
        for (index, item) in items.into_iter().take(most).enumerate() {
            let path = format!("{}[{index}]", self.field(key));
            match item {
                toml::Value::Table(table) => sections.push(Section { path, table, faults: self.faults }),
                _ => self.faults.note(path, "must be a table"),
            }
        }
        sections
    }

    /// A text of 1 to `most` characters on one line.
    pub(super) fn text(&mut self, key: &str, most: usize) -> Option<String> {
        match self.table.remove(key)? {
            toml::Value::String(text)
                if (1..=most).contains(&text.chars().count()) && !has_control(&text) =>
            {
                Some(text)
            }
            toml::Value::String(_) => {
                self.note(key, format!("must have 1 to {most} characters, on one line"));
                None
            }
            _ => {
                self.note(key, "must be a text");
                None
            }
        }
    }

    /// A text that must be there; an empty one after a fault.
    pub(super) fn required_text(&mut self, key: &str, most: usize) -> String {
        if !self.table.contains_key(key) {
            self.note(key, "is missing");
        }
        self.text(key, most).unwrap_or_default()
    }

    /// A text that must be there and pass `valid`; `form` says in the fault what does.
    pub(super) fn formed_text(
        &mut self,
        key: &str,
        most: usize,
        form: &str,
        valid: impl Fn(&str) -> bool,
    ) -> String {
        let text = self.required_text(key, most);
        if !text.is_empty() && !valid(&text) {
            self.note(key, format!("`{text}` must be {form}"));
        }
        text
    }

    pub(super) fn flag(&mut self, key: &str) -> bool {
        match self.table.remove(key) {
            None => false,
            Some(toml::Value::Boolean(flag)) => flag,
            Some(_) => {
                self.note(key, "must be true or false");
                false
            }
        }
    }

    pub(super) fn integer(&mut self, key: &str, range: RangeInclusive<u32>) -> Option<u32> {
        let value = self.table.remove(key)?;
        let integer = value.as_integer().and_then(|integer| u32::try_from(integer).ok());
        let valid = integer.filter(|integer| range.contains(integer));
        if valid.is_none() {
            self.note(key, format!("must be an integer from {} to {}", range.start(), range.end()));
        }
        valid
    }

    pub(super) fn number(&mut self, key: &str) -> Option<f64> {
        let value = self.table.remove(key)?;
        let number = match value {
            toml::Value::Integer(integer) => Some(integer as f64),
            toml::Value::Float(number) => Some(number).filter(|number| number.is_finite()),
            _ => None,
        };
        if number.is_none() {
            self.note(key, "must be a number");
        }
        number
    }

    /// At most `most` texts of at most `characters` characters.
    pub(super) fn texts(&mut self, key: &str, most: usize, characters: usize) -> Vec<String> {
        let Some(value) = self.table.remove(key) else { return Vec::new() };
        let toml::Value::Array(items) = value else {
            self.note(key, "must be an array of texts");
            return Vec::new();
        };
        if items.len() > most {
            self.note(key, format!("at most {most} are allowed"));
        }
        let mut texts = Vec::new();
        for (index, item) in items.into_iter().take(most).enumerate() {
            match item {
                toml::Value::String(text) if (1..=characters).contains(&text.chars().count()) => {
                    texts.push(text);
                }
                _ => self.note(
                    &format!("{key}[{index}]"),
                    format!("must be a text of 1 to {characters} characters"),
                ),
            }
        }
        texts
    }

    pub(super) fn value(&mut self, key: &str) -> Option<toml::Value> {
        self.table.remove(key)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Notes the keys that nobody read.
    pub(super) fn finish(self) {
        for key in self.table.keys() {
            self.note(key, "is not known here");
        }
    }

    fn field(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}
