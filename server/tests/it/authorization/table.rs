//! The table of who may do what, as it stands in `rows.txt`, beside the document that the server serves.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::Value;

use super::cast::Actor;
use super::place::Kind;

const TEXT: &str = include_str!("rows.txt");

/// What is left after an answer that changed something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spends {
    Nothing,
    /// The channel and what stands in it are made anew for the next call.
    Place,
    /// The caller signs in again.
    Actor,
}

/// One operation, how it is called, and what each actor is answered.
pub struct Row {
    pub method: Method,
    /// As in the document below the base, with names of things for its parameters.
    pub path: String,
    pub body: Option<String>,
    pub spends: Spends,
    /// One letter for each actor; `None` as a kind: the operation is about no channel.
    pub expected: Vec<(Option<Kind>, String)>,
}

/// How a thing that rows name comes to be: by a call whose answer holds it.
pub struct Recipe {
    pub by: Actor,
    pub pointer: String,
    pub method: Method,
    pub path: String,
    pub body: Option<String>,
}

pub struct Table {
    pub rows: Vec<Row>,
    pub recipes: BTreeMap<String, Recipe>,
}

/// Reads `rows.txt`; its head says what a line means.
pub fn table() -> Table {
    let mut rules: BTreeMap<&str, Vec<(Option<Kind>, String)>> = BTreeMap::new();
    let mut table = Table { rows: Vec::new(), recipes: BTreeMap::new() };
    let lines = TEXT.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    for line in lines {
        let (first, rest) = word(line);
        if first == "rule" {
            let (name, cells) = word(rest);
            rules.insert(name, cells_of(cells, line));
        } else if first == "thing" {
            let (name, rest) = word(rest);
            let (by, rest) = word(rest);
            let (pointer, rest) = word(rest);
            let (method, rest) = word(rest);
            let (path, body) = word(rest);
            let by = Actor::named(by).unwrap_or_else(|| panic!("no such actor: {line}"));
            let (pointer, method, path) = (pointer.to_owned(), method_of(method), path.to_owned());
            table.recipes.insert(name.to_owned(), Recipe { by, pointer, method, path, body: text(body) });
        } else {
            table.rows.push(row(first, rest, &rules, line));
        }
    }
    table
}

fn row(method: &str, rest: &str, rules: &BTreeMap<&str, Vec<(Option<Kind>, String)>>, line: &str) -> Row {
    let (path, rest) = word(rest);
    let (rule, rest) = word(rest);
    let (spends, body) = match word(rest) {
        ("spends", body) => (Spends::Place, body),
        ("ends", body) => (Spends::Actor, body),
        _ => (Spends::Nothing, rest),
    };
    let expected = rules.get(rule).unwrap_or_else(|| panic!("rows.txt has no rule {rule:?}: {line}")).clone();
    Row { method: method_of(method), path: path.to_owned(), body: text(body), spends, expected }
}

fn cells_of(cells: &str, line: &str) -> Vec<(Option<Kind>, String)> {
    let words: Vec<&str> = cells.split_whitespace().collect();
    let cell = |pair: &[&str]| {
        assert_eq!(pair[1].len(), Actor::ALL.len(), "a word has one letter for each actor: {line}");
        let kind = Kind::ALL.into_iter().find(|kind| kind.word() == pair[0]);
        assert!(kind.is_some() || pair[0] == "any", "{:?} is no kind of channel: {line}", pair[0]);
        (kind, pair[1].to_owned())
    };
    words.chunks(2).map(cell).collect()
}

fn word(line: &str) -> (&str, &str) {
    let (first, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    (first, rest.trim_start())
}

fn text(body: &str) -> Option<String> {
    (!body.is_empty()).then(|| body.to_owned())
}

fn method_of(name: &str) -> Method {
    Method::from_bytes(name.as_bytes()).unwrap_or_else(|_| panic!("{name} is no method"))
}

/// The names in braces of a text.
pub fn names(template: &str) -> Vec<String> {
    let mut found = Vec::new();
    for part in template.split('{').skip(1) {
        let Some((name, _)) = part.split_once('}') else { continue };
        if !name.is_empty() && name.chars().all(|it| it.is_ascii_lowercase() || it == '_') {
            found.push(name.to_owned());
        }
    }
    found
}

/// Whether a row's path, without its query, is one of an operation: a parameter stands for whatever the row has there.
fn fits(path: &str, template: &str) -> bool {
    let path: Vec<&str> = path.split('?').next().unwrap_or_default().split('/').collect();
    let template: Vec<&str> = template.split('/').collect();
    path.len() == template.len()
        && path.iter().zip(&template).all(|(part, known)| part == known || known.starts_with('{'))
}

/// Operations of the document: method and path.
pub fn operations(document: &Value) -> Vec<(Method, String)> {
    let paths = document["paths"].as_object().expect("a document has paths");
    let methods = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    paths
        .iter()
        .flat_map(|(path, operations)| {
            let here = methods.iter().filter(|it| operations.get(it.as_str().to_lowercase()).is_some());
            here.map(|method| (method.clone(), path.clone()))
        })
        .collect()
}

/// In sentences: operations without a row, and rows without an operation.
pub fn differences(table: &Table, document: &Value) -> Vec<String> {
    let operations = operations(document);
    // `/users/me` is no user's id: of several that fit, the one with the fewest parameters is meant.
    let meant = |row: &Row| {
        let fitting =
            operations.iter().filter(|(method, path)| *method == row.method && fits(&row.path, path));
        fitting.min_by_key(|(_, path)| path.matches('{').count())
    };
    let covered: BTreeSet<String> =
        table.rows.iter().filter_map(meant).map(|(method, path)| format!("{method} {path}")).collect();
    let missing = operations.iter().filter(|(method, path)| !covered.contains(&format!("{method} {path}")));
    let mut sentences: Vec<String> =
        missing.map(|(method, path)| suggestion(document, method, path)).collect();
    let lost = table.rows.iter().filter(|row| meant(row).is_none());
    sentences
        .extend(lost.map(|row| format!("the document has no {} {}: delete its row", row.method, row.path)));
    sentences
}

/// The line that an operation without a row probably needs.
fn suggestion(document: &Value, method: &Method, path: &str) -> String {
    let operation = &document["paths"][path][method.as_str().to_lowercase()];
    let named: Vec<String> = path
        .split('/')
        .scan("", |before, part| {
            let shown = match (part, *before) {
                ("{id}", noun) => format!("{{{}}}", noun.trim_end_matches('s').replace('-', "_")),
                ("{user_id}", _) => "{other}".to_owned(),
                ("{message_id}", _) => "{message}".to_owned(),
                _ => part.to_owned(),
            };
            *before = part;
            Some(shown)
        })
        .collect();
    let path = named.join("/");
    let is_about_place = ["{channel}", "{message}", "{file}"].iter().any(|it| path.contains(it));
    let rule = match (is_about_place, method == Method::GET) {
        (true, true) => "reads",
        (true, false) => "writes",
        (false, true) => "signed_in",
        (false, false) => "writes_own",
    };
    let body = operation["requestBody"]["content"].as_object().map(|content| {
        let kind = content.keys().next().map(String::as_str).unwrap_or_default();
        if kind.starts_with("multipart") { "@text" } else { "{…}" }
    });
    format!(
        "rows.txt has no row for {method} {path}. Add this line, with the rule that is meant (and `spends` where a call that\n\
         succeeds uses up its channel, message or file):\n    {method} {path} {rule} {}",
        body.unwrap_or_default()
    )
}

#[test]
fn an_operation_without_a_row_is_named_and_a_row_without_an_operation_too() {
    let table = table();
    let new = serde_json::json!({ "paths": { "/channels/{id}/tides": { "get": {} } } });
    let said = differences(&table, &new);
    assert!(said[0].contains("    GET /channels/{channel}/tides reads"), "{}", said[0]);
    assert!(said.iter().any(|it| it.starts_with("the document has no GET /info")), "{said:?}");
    let known = serde_json::json!({ "paths": { "/users/me": { "get": {} }, "/users/{id}": { "get": {} } } });
    assert!(!differences(&table, &known).iter().any(|it| it.contains("no row")), "both have one");
}
