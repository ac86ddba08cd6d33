//! What each part may not know. ARCHITECTURE.md says it in prose; here it fails when somebody forgets.
//!
//! Every rule is a plain function over text, tried below on a planted violation: a rule that cannot fail protects nothing.

mod literals;
mod manifests;
mod tree;
mod web;

use manifests::{Crate, Rule, broken};
use serde_json::Value;
use tree::{File, files};

use crate::harness::confab;

/// Which crates each crate may name, or may not. Dependencies point one way:
/// server → worker → core → protocol, and worker → plugins/host, which knows no core.
const RULES: &[(&str, Rule)] = &[
    ("confab-protocol", Rule::Only(&["jiff", "serde", "serde_json", "uuid", "poem-openapi (optional)"])),
    (
        "confab-core",
        Rule::Never(&[
            "poem",
            "poem-openapi",
            "http",
            "hyper",
            "reqwest",
            "wasmtime",
            "tantivy",
            "qdrant-client",
            "clap",
            "confab-worker",
            "confab-server",
            "confab-plugin-host",
        ]),
    ),
    (
        "confab-plugin-host",
        Rule::Never(&["sqlx", "confab-core", "confab-worker", "confab-server", "poem", "async-nats"]),
    ),
    ("confab-plugin-sdk", Rule::Only(&["confab-protocol", "serde", "serde_json", "wit-bindgen"])),
    ("confab-worker", Rule::Never(&["sqlx", "poem", "poem-openapi", "tokio-tungstenite", "confab-server"])),
    ("confab-server", Rule::Never(&["sqlx", "tantivy", "wasmtime", "qdrant-client", "async-nats"])),
    (
        "confab-bench",
        Rule::Never(&[
            "confab-server",
            "confab-core",
            "confab-worker",
            "confab-protocol",
            "confab-plugin-host",
        ]),
    ),
    (
        "confab-torture",
        Rule::Never(&[
            "confab-server",
            "confab-core",
            "confab-worker",
            "confab-protocol",
            "confab-plugin-host",
            "sqlx",
            "async-nats",
        ]),
    ),
];

/// Nobody reads a longer file to its end; a noun that outgrows it has behaviours that want files of their own.
const LONGEST_FILE_LINES: usize = 450;

#[test]
fn crates_depend_one_way() {
    let crates = manifests::workspace();
    let names: Vec<&str> = crates.iter().map(|it| it.name.as_str()).collect();
    for (name, _) in RULES.iter().filter(|(name, _)| *name != "confab-bench") {
        assert!(
            names.contains(name),
            "{name} is not in the workspace, so its rule guards nothing: {names:?}"
        );
    }
    let found: Vec<String> = crates.iter().flat_map(|it| broken(it, RULES)).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn only_core_writes_sql() {
    let found: Vec<String> =
        rust_files(&["server/src", "worker/src", "plugins/host/src", "plugins/sdk/src", "protocol/src"])
            .iter()
            .flat_map(sql_in)
            .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn core_knows_no_http() {
    let words = ["StatusCode", "poem::", "application/problem+json"];
    let found: Vec<String> = rust_files(&["core/src", "protocol/src"])
        .iter()
        .filter(|file| file.path != "protocol/src/openapi.rs")
        .flat_map(|file| words_in(file, &words))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn worker_knows_no_socket() {
    let found: Vec<String> = rust_files(&["worker/src"])
        .iter()
        .flat_map(|file| words_in(file, &["poem::", "tungstenite", "WebSocket"]))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

/// A fault that a worker answers crosses the bus by its words: one that the bus does not know comes out as another.
#[test]
fn the_bus_knows_the_words_of_services() {
    let known =
        files().into_iter().find(|file| file.path == "core/src/bus/wire.rs").expect("the bus's words");
    let services = ["worker/src/assistant", "worker/src/plugins", "worker/src/search"];
    let found: Vec<String> = rust_files(&services)
        .iter()
        .flat_map(|file| words_of_faults(&file.text).into_iter().map(|word| format!("{}: {word}", file.path)))
        .filter(|found| {
            found
                .rsplit_once(' ')
                .is_some_and(|(_, word)| !known.text.contains(&format!("    \"{word}\",\n")))
        })
        .collect();
    assert!(found.is_empty(), "add them to WORDS in core/src/bus/wire.rs: {found:#?}");
}

#[test]
fn files_stay_short() {
    let found: Vec<String> = files()
        .iter()
        // A catalogue of words is a table, not code.
        .filter(|file| {
            file.has_ending(&["rs", "js", "mjs"])
                && !["/vendor/", "/js/words/"].iter().any(|part| file.path.contains(part))
        })
        .filter_map(|file| too_long(file, LONGEST_FILE_LINES))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn no_file_names_a_machine() {
    let found: Vec<String> = files().iter().flat_map(machine_paths_in).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test]
async fn web_client_calls_only_what_the_api_document_has() {
    let document = openapi_document().await;
    let scripts: Vec<File> =
        files().into_iter().filter(|file| file.path.starts_with("server/web/js/")).collect();
    let called: Vec<web::Call> = scripts.iter().flat_map(web::calls).collect();
    assert!(
        called.len() > 10,
        "only {} calls found in server/web/js: the rule no longer sees them",
        called.len()
    );
    let mut found = web::unknown(&called, &document);
    found.extend(scripts.iter().flat_map(web::ways_around));
    assert!(found.is_empty(), "{found:#?}");
}

/// The document is what other people's programs are generated from, so a change to it is made on purpose:
/// `confab openapi > server/tests/it/openapi.json`.
#[tokio::test]
async fn openapi_document_is_the_one_agreed_on() {
    let agreed: Value = serde_json::from_str(include_str!("openapi.json")).expect("openapi.json is JSON");
    let now = openapi_document().await;
    let mut differences = Vec::new();
    compare("", &agreed, &now, &mut differences);
    assert!(
        differences.is_empty(),
        "the API document changed; confab openapi writes the new one:\n{}",
        differences.join("\n")
    );
}

async fn openapi_document() -> Value {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let outcome = confab(folder.path(), &["openapi"], &[]).await;
    assert_eq!(outcome.code, 0, "{}", outcome.said());
    outcome.json()
}

fn rust_files(folders: &[&str]) -> Vec<File> {
    let found: Vec<File> = files()
        .into_iter()
        .filter(|file| file.has_ending(&["rs"]) && folders.iter().any(|folder| file.path.starts_with(folder)))
        .collect();
    assert!(found.len() >= folders.len(), "no sources under {folders:?}: the rule no longer sees them");
    found
}

/// String literals that are SQL, and any mention of the SQL library.
fn sql_in(file: &File) -> Vec<String> {
    let literals = literals::of_rust(&file.text);
    let sql = literals.iter().filter(|literal| literals::is_sql(literal));
    let mut found: Vec<String> = sql.map(|literal| format!("{}: SQL {literal:?}", file.path)).collect();
    found.extend(words_in(file, &["sqlx::"]));
    found
}

/// Lines of code (comments aside) that hold one of `words`.
fn words_in(file: &File, words: &[&str]) -> Vec<String> {
    let code = file.text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    code.filter_map(|(at, line)| {
        let word = words.iter().find(|word| line.contains(**word))?;
        Some(format!("{}:{} knows {word}", file.path, at + 1))
    })
    .collect()
}

/// What stands first in every fault that is made here.
fn words_of_faults(source: &str) -> Vec<&str> {
    let kinds = ["conflict(", "forbidden(", "invalid(", "NotFound(", "Gone("];
    let made =
        source.split("Fault::").skip(1).filter_map(|it| kinds.iter().find_map(|kind| it.strip_prefix(kind)));
    made.filter_map(|it| it.trim_start().strip_prefix('"')?.split('"').next()).collect()
}

fn too_long(file: &File, most: usize) -> Option<String> {
    let lines = file.text.lines().count();
    (lines > most).then(|| format!("{} has {lines} lines, more than {most}", file.path))
}

/// Paths of one machine, and hosts of registries: both tie the project to where it happens to be built.
fn machine_paths_in(file: &File) -> Vec<String> {
    // Spelled in two halves, since this file is searched too.
    let words = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("pypi", ".org"),
        concat!("registry.npmjs", ".org"),
    ];
    // The lock file and licence texts are others' words.
    if file.path == "Cargo.lock" || file.path.contains("/vendor/") || file.path.starts_with("LICENSE") {
        return Vec::new();
    }
    let lines = file.text.lines().enumerate();
    lines
        .filter_map(|(at, line)| {
            let word = words.iter().find(|word| names(line, word))?;
            Some(format!("{}:{} names {word}", file.path, at + 1))
        })
        .collect()
}

/// Whether `word` stands in `line` by itself and not as the tail of a longer path such as `net/work/`.
fn names(line: &str, word: &str) -> bool {
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(|before: char| before.is_alphanumeric() || before == '.'))
}

fn compare(path: &str, agreed: &Value, now: &Value, differences: &mut Vec<String>) {
    match (agreed, now) {
        (Value::Object(left), Value::Object(right)) => {
            for (name, value) in left {
                match right.get(name) {
                    Some(other) => compare(&format!("{path}/{name}"), value, other, differences),
                    None => differences.push(format!("{path}/{name}: gone")),
                }
            }
            let added = right.keys().filter(|name| !left.contains_key(*name));
            differences.extend(added.map(|name| format!("{path}/{name}: new")));
        }
        (left, right) if left != right => differences.push(format!("{path}: {left} became {right}")),
        _ => {}
    }
}

#[test]
fn each_rule_sees_a_planted_violation() {
    assert_eq!(words_of_faults("Err(Fault::conflict(\n    \"odd_word\",\n))"), ["odd_word"]);
    let planted = |text: &str| File { path: "server/src/planted.rs".to_owned(), text: text.to_owned() };

    let sql = planted("const READ: &str = \"\n    select id from message where id = $1\";\n");
    assert_eq!(sql_in(&sql).len(), 1);
    assert_eq!(sql_in(&planted("fn f() { sqlx::query(TEXT) }")).len(), 1);
    assert!(
        sql_in(&planted("// select id from message\nlet text = \"select a channel from the list\";"))
            .is_empty()
    );

    assert_eq!(words_in(&planted("use poem::http::StatusCode;"), &["StatusCode"]).len(), 1);
    assert!(words_in(&planted("/// StatusCode is not known here"), &["StatusCode"]).is_empty());

    assert!(too_long(&planted(&"line\n".repeat(451)), 450).is_some());
    assert!(too_long(&planted(&"line\n".repeat(450)), 450).is_none());

    assert_eq!(machine_paths_in(&planted(concat!("let path = \"/wo", "rk/main\";"))).len(), 1);
    assert!(machine_paths_in(&planted(concat!("see net/wo", "rk/notes"))).is_empty());

    let mut differences = Vec::new();
    compare(
        "",
        &serde_json::json!({"a": 1, "b": {"c": 2}}),
        &serde_json::json!({"b": {"c": 3}, "d": 4}),
        &mut differences,
    );
    assert_eq!(differences, ["/a: gone", "/b/c: 2 became 3", "/d: new"]);

    let reaching = Crate::planted("confab-core", &[("poem", false)]);
    assert_eq!(broken(&reaching, RULES).len(), 1);
    let heavy =
        Crate::planted("confab-protocol", &[("serde", false), ("poem-openapi", false), ("tokio", false)]);
    assert_eq!(
        broken(&heavy, RULES).len(),
        2,
        "an optional crate must stay optional, and tokio is not allowed"
    );
}
