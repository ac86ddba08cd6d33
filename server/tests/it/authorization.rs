//! Who may do what: every operation that the running server's document has, asked by everybody there is, about public,
//! private and direct channels (INV-6).
//!
//! `authorization/rows.txt` is the table. An operation without a row fails, and so does a row without an operation. On
//! top of the table: about what is private, those outside are answered byte by byte as about what does not exist.

mod cast;
mod place;
mod table;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use cast::{Actor, Cast};
use place::{Kind, Place, ask, filled};
use table::{Row, Spends, Table, differences, table};

use crate::harness::both;
use crate::harness::user::Reply;

both! {
    async fn everybody_is_answered_as_the_table_says(world) {
        let document = world.visitor().get("/openapi.json", 200).await;
        let table = table();
        let differences = differences(&table, &document);
        assert!(differences.is_empty(), "{}", differences.join("\n"));

        let cast = Cast::gather(world).await;
        let mut stage = Stage { cast, places: BTreeMap::new(), made: 0, faults: Vec::new() };
        for row in &table.rows {
            stage.play(row, &table).await;
        }
        assert!(stage.faults.is_empty(), "{} faults:\n{}", stage.faults.len(), stage.faults.join("\n"));
    }
}

/// What the calls are made with.
struct Stage {
    cast: Cast,
    places: BTreeMap<Kind, Place>,
    made: usize,
    faults: Vec<String>,
}

impl Stage {
    /// All calls of one row; a fault says what was answered, as it would stand in the table.
    async fn play(&mut self, row: &Row, table: &Table) {
        for (kind, expected) in &row.expected {
            let mut answered = String::new();
            for (actor, letter) in Actor::ALL.into_iter().zip(expected.chars()) {
                if letter == '-' {
                    answered.push('-');
                    continue;
                }
                let reply = self.call(row, table, kind.unwrap_or(Kind::Public), actor).await;
                answered.push(letter_of(reply.status));
                if letter != letter_of(reply.status) {
                    let (method, path, who) = (&row.method, &row.path, actor.word());
                    let kind = kind.map_or("any", Kind::word);
                    let text: String = reply.text.chars().take(200).collect();
                    let said = format!("{method} {path} ({kind}): {who} got {} {text}", reply.status);
                    self.faults.push(said);
                }
            }
            if *expected != answered {
                let mut said = String::new();
                let kind = kind.map_or("any", Kind::word);
                let _ = write!(
                    said,
                    "    {} {}: the table says {kind} {expected}, the server {kind} {answered}",
                    row.method, row.path
                );
                self.faults.push(said);
            }
        }
    }

    /// One call, and the same about nothing where the caller must see no difference.
    async fn call(&mut self, row: &Row, table: &Table, kind: Kind, actor: Actor) -> Reply {
        self.prepare(kind).await;
        let place = self.places.get_mut(&kind).expect("prepared");
        let template = format!("{} {}", row.path, row.body.as_deref().unwrap_or_default());
        let values = place.values(&template, actor, &self.cast, &table.recipes).await;
        let user = self.cast.of(actor);
        let reply = ask(user, &row.method, &row.path, row.body.as_deref(), &values).await;

        let secrets = Place::secrets(&template, &table.recipes);
        if kind != Kind::Public && actor.is_outside() && !secrets.is_empty() {
            let mut absent = values.clone();
            for name in &secrets {
                absent.insert(name.clone(), confab_protocol::fresh_id().to_string());
            }
            let other = ask(user, &row.method, &row.path, row.body.as_deref(), &absent).await;
            let (hidden, nothing) = (told(&reply, &secrets, &values), told(&other, &secrets, &absent));
            if hidden != nothing {
                let call = format!("{} {}", row.method, filled(&row.path, &values));
                self.faults.push(format!(
                    "{call}: {} can tell a {} thing from none:\n{hidden}\n-- and about nothing:\n{nothing}",
                    actor.word(),
                    kind.word()
                ));
            }
        }
        if reply.status < 300 {
            match row.spends {
                Spends::Nothing => {}
                Spends::Place => drop(self.places.remove(&kind)),
                Spends::Actor => {
                    self.cast.renew(actor).await;
                    self.places.remove(&kind);
                }
            }
        }
        reply
    }

    async fn prepare(&mut self, kind: Kind) {
        if !self.places.contains_key(&kind) {
            self.made += 1;
            let place = Place::new(kind, &self.cast, self.made).await;
            self.places.insert(kind, place);
        }
    }
}

/// Everything that a caller can see of an answer, with names for the ids that they sent and without what differs from
/// answer to answer.
fn told(reply: &Reply, secrets: &[String], values: &BTreeMap<String, String>) -> String {
    let mut headers: Vec<String> = reply
        .headers
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "date" | "x-request-id"))
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap_or("?")))
        .collect();
    headers.sort();
    let mut text = format!("{}\n{}\n{}", reply.status, headers.join("\n"), reply.text);
    for name in secrets {
        text = text.replace(&values[name], name);
    }
    let request = reply.header("x-request-id");
    if request.is_empty() { text } else { text.replace(request, "request") }
}

/// A status in the table.
fn letter_of(status: u16) -> char {
    match status {
        200..300 => 'o',
        300..400 => 'r',
        400 => 'b',
        401 => 'u',
        403 => 'f',
        404 => 'n',
        409 => 'c',
        410 => 'g',
        413 | 415 => 't',
        429 => 'l',
        503 => 's',
        _ => '!',
    }
}
