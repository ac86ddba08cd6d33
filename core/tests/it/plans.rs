//! Every statement of core is explained: none may walk through a table that grows.

use std::path::Path;

use sqlx::Row;

use crate::harness::{record, rows};

/// Tables that stay small, and statements that read a bounded part on purpose: where and why.
const MAY_SCAN: &[(&str, &str)] = &[
    ("log_meta", "one row"),
    ("plugins", "a handful, installed by administrators"),
    ("cursors", "one row for each consumer"),
    ("reactions", "the catalogue is read whole, in order of its key"),
    ("ANY_SUPERUSER", "asked at start and by the client's first page; stops at the first one found"),
    ("COUNT", "an administrator's figure"),
    ("CLEAR", "once, when a server starts alone"),
    ("DEFAULTS", "once for each new account; channels are few"),
    ("OTHER_PEOPLE", "when a demo is asked for; stops at the second person"),
    ("EVERY", "all ids are the answer, for a plugin that reads every channel"),
];

fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs")
            && !path.ends_with("relay.rs")
            && !path.ends_with("db/clock.rs")
        {
            found.push((path.display().to_string(), std::fs::read_to_string(&path).expect("a text")));
        }
    }
}

/// Named texts of a file: `const NAME: &str = "…";`
fn constants(text: &str) -> Vec<(String, String)> {
    text.split("const ")
        .skip(1)
        .filter_map(|part| {
            let (name, rest) = part.split_once(": &str =")?;
            let rest = rest.trim_start().strip_prefix('"')?;
            let (value, _) = rest.split_once("\";")?;
            Some((name.trim().to_owned(), value.split_whitespace().collect::<Vec<_>>().join(" ")))
        })
        .collect()
}

/// The whole statements of a file: fragments are put behind the columns that they are used with.
fn statements(text: &str, columns_of_messages: &str) -> Vec<(String, String)> {
    let all = constants(text);
    let columns =
        all.iter().find(|(name, _)| name == "COLUMNS").map_or(columns_of_messages, |(_, value)| value);
    all.iter()
        .filter_map(|(name, value)| {
            let first = value.split(' ').next()?;
            let whole = match first {
                // What sets a PostgreSQL connection up reads no table.
                "select" if value.starts_with("select set_config(") => return None,
                "select" | "update" | "delete" if name != "COLUMNS" => value.clone(),
                "where" | "join" | "left" => format!("{columns} {value}"),
                _ => return None,
            };
            let whole = if whole.ends_with(" in") { format!("{whole} ($1, $2)") } else { whole };
            Some((name.clone(), whole))
        })
        .collect()
}

/// Whether a channel was converted since is asked for each event that a plugin hears of: no walk through what followed it.
#[tokio::test]
async fn what_is_asked_of_each_event_has_an_index_of_its_own() {
    let (db, folder) = record().await;
    let mut reader = rows(&folder).await;
    let source = include_str!("../../src/access/bots.rs");
    let query =
        constants(source).into_iter().find(|(name, _)| name == "CONVERTED_SINCE").expect("the query").1;
    let plan = sqlx::query(sqlx::AssertSqlSafe(format!("explain query plan {query}")));
    let steps = plan.fetch_all(&mut reader).await.expect("a plan");
    let steps: Vec<String> = steps.iter().map(|step| step.get("detail")).collect();
    assert!(
        steps.len() == 1 && steps[0].contains("events_of_privacy (channel_id=? AND kind=? AND seq>?)"),
        "{steps:?}"
    );
    db.close().await;
}

#[tokio::test]
async fn every_statement_has_an_index() {
    let (db, folder) = record().await;
    let mut reader = rows(&folder).await;
    let mut files = Vec::new();
    sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut files);
    let views =
        files.iter().find(|(path, _)| path.ends_with("messages/view.rs")).expect("the messages' view");
    let columns =
        constants(&views.1).into_iter().find(|(name, _)| name == "COLUMNS").expect("their columns").1;
    let (mut explained, mut faults) = (0, Vec::new());
    for (path, text) in &files {
        for (name, statement) in statements(text, &columns) {
            explained += 1;
            let plan = format!("explain query plan {statement}");
            let rows = sqlx::query(sqlx::AssertSqlSafe(plan)).fetch_all(&mut reader).await;
            let rows = match rows {
                Ok(rows) => rows,
                Err(error) => {
                    faults.push(format!("{path} {name}: {error}"));
                    continue;
                }
            };
            for row in rows {
                let step: String = row.get("detail");
                let walks =
                    step.starts_with("SCAN ") && !step.contains("USING") && !step.contains("CONSTANT");
                let walks = walks && !step.starts_with("SCAN (") && !step.starts_with("SCAN found");
                let allowed =
                    MAY_SCAN.iter().any(|(what, _)| *what == name || step == format!("SCAN {what}"));
                if walks && !allowed {
                    faults.push(format!("{path} {name}: {step}\n    {statement}"));
                }
            }
        }
    }
    assert!(explained > 60, "only {explained} statements were found");
    assert!(faults.is_empty(), "statements without an index:\n{}", faults.join("\n"));
    db.close().await;
}
