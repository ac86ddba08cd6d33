//! The audit log: read, exported, checked.

use std::fmt::Write as _;

use confab_core::audit::{self, Action, Actor, Entry, Filter};
use confab_core::roles::Permission;
use confab_core::{Db, Fault, FutureExt, Result};
use confab_protocol::{Timestamp, UserId};
use futures_util::stream;
use poem::Body;
use poem_openapi::param::Query;
use poem_openapi::payload::{Binary, Json, Response};
use poem_openapi::{Enum, Object, OpenApi};
use serde_json::json;
use uuid::Uuid;

use super::auth::Bearer;
use super::{Answer, Area, app, cursor};
use crate::state::App;

/// Rows of an export that are read at once.
const BATCH: u32 = 500;

/// One row.
#[derive(Object)]
#[oai(rename = "AuditEntry", skip_serializing_if_is_none)]
struct EntryView {
    /// Dense, from 1.
    number: i64,
    at: Timestamp,
    action: String,
    actor_id: Option<UserId>,
    /// Their user name at that time; `operator` for the command line.
    actor_name: Option<String>,
    session_id: Option<Uuid>,
    ip_address: Option<String>,
    target_kind: Option<String>,
    target_id: Option<String>,
    detail: Option<serde_json::Value>,
    /// SHA-256 over this row and the hash before, in hex.
    hash: String,
}

#[derive(Object)]
struct EntryPage {
    items: Vec<EntryView>,
    next_cursor: Option<String>,
}

/// What a check of the chain found.
#[derive(Object)]
#[oai(rename = "AuditCheck", skip_serializing_if_is_none)]
struct Checked {
    ok: bool,
    /// Rows that hold.
    count: i64,
    /// The hash of the last of them.
    head: String,
    broken_at: Option<i64>,
    reason: Option<String>,
}

/// The form of an export.
#[derive(Clone, Copy, Debug, Default, Enum)]
#[oai(rename_all = "lowercase")]
enum Form {
    /// A JSON document a line.
    #[default]
    Ndjson,
    /// For spreadsheets.
    Csv,
}

pub struct Audit(pub Option<App>);

#[OpenApi(tag = "Area::Administration")]
impl Audit {
    /// The audit log, newest first. Needs `audit.read`.
    #[oai(path = "/admin/audit", method = "get")]
    #[allow(clippy::too_many_arguments)] // the query's parameters
    async fn list(
        &self,
        caller: Bearer,
        action: Query<Option<String>>,
        actor_id: Query<Option<Uuid>>,
        target_id: Query<Option<String>>,
        from: Query<Option<Timestamp>>,
        to: Query<Option<Timestamp>>,
        limit: Query<Option<i64>>,
        cursor: Query<Option<String>>,
    ) -> Answer<Json<EntryPage>> {
        caller.0.may(Permission::AuditRead)?;
        let limit = cursor::limit(limit.0)?;
        let before: Option<i64> = cursor::decode(cursor.0.as_deref())?;
        let filter = filter(action.0, actor_id.0, target_id.0, from.0, to.0)?;
        let found = audit::list(&mut app(&self.0)?.db.read(), &filter, before, limit).await?;
        let next_cursor =
            found.last().filter(|_| found.len() == limit as usize).and_then(|it| cursor::encode(&it.number));
        Ok(Json(EntryPage { items: found.into_iter().map(EntryView::from).collect(), next_cursor }))
    }

    /// The audit log as a file, newest first, as far back as the filters let. Needs `audit.read`; noted in the log.
    #[oai(path = "/admin/audit/export", method = "get")]
    #[allow(clippy::too_many_arguments)] // the query's parameters
    async fn export(
        &self,
        caller: Bearer,
        format: Query<Option<Form>>,
        action: Query<Option<String>>,
        actor_id: Query<Option<Uuid>>,
        target_id: Query<Option<String>>,
        from: Query<Option<Timestamp>>,
        to: Query<Option<Timestamp>>,
    ) -> Answer<Response<Binary<Body>>> {
        let app = app(&self.0)?;
        let by = caller.0.may(Permission::AuditRead)?;
        let form = format.0.unwrap_or_default();
        let filter = filter(action.0, actor_id.0, target_id.0, from.0, to.0)?;
        let actor: Actor = by.actor().clone();
        app.db
            .write(move |tx| {
                async move { audit::note(tx, &actor, Action::AuditExported, None, json!(null)).await }.boxed()
            })
            .await?;
        let (name, kind) = match form {
            Form::Ndjson => ("audit.ndjson", "application/x-ndjson"),
            Form::Csv => ("audit.csv", "text/csv; charset=utf-8"),
        };
        Ok(Response::new(Binary(rows(app.db.clone(), form, filter)))
            .header("content-type", kind)
            .header("content-disposition", format!("attachment; filename=\"{name}\"")))
    }

    /// Computes the whole chain of hashes again. Needs `audit.read`.
    #[oai(path = "/admin/audit/verify", method = "get")]
    async fn verify(&self, caller: Bearer) -> Answer<Json<Checked>> {
        caller.0.may(Permission::AuditRead)?;
        let found = audit::verify(&mut app(&self.0)?.db.read(), None, |_| ()).await?;
        let audit::Checked { ok, count, head, broken_at, reason } = found;
        Ok(Json(Checked { ok, count, head, broken_at, reason }))
    }
}

fn filter(
    action: Option<String>,
    actor: Option<Uuid>,
    target: Option<String>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> Result<Filter> {
    let action = action.filter(|word| !word.is_empty());
    if action.as_deref().is_some_and(|word| Action::from_word(word).is_none()) {
        let words: Vec<&str> = Action::ALL.iter().map(|it| it.as_str()).collect();
        return Err(Fault::invalid("action", format!("must be among {}", words.join(", "))));
    }
    let target_id = target.filter(|id| !id.is_empty());
    if target_id.as_ref().is_some_and(|id| id.len() > 200) {
        return Err(Fault::invalid("target_id", "has at most 200 bytes"));
    }
    Ok(Filter { action, actor_id: actor.map(UserId), target_id, from, to })
}

/// A page at a time: an export of years must not lie in memory.
fn rows(db: Db, form: Form, filter: Filter) -> Body {
    let head = match form {
        Form::Ndjson => String::new(),
        Form::Csv => {
            "number,at,action,actor_id,actor_name,session_id,ip_address,target_kind,target_id,detail,hash\r\n"
                .into()
        }
    };
    let start = (db, filter, None::<i64>, Some(head));
    Body::from_bytes_stream(stream::unfold(Some(start), move |state| async move {
        let (db, filter, before, head) = state?;
        let page = match audit::list(&mut db.read(), &filter, before, BATCH).await {
            Ok(page) => page,
            // The file must not look complete when it is not: the connection breaks off.
            Err(fault) => return Some((Err(std::io::Error::other(fault.to_string())), None)),
        };
        let last = page.last().map(|entry| entry.number);
        let is_done = page.len() < BATCH as usize;
        let mut text = head.unwrap_or_default();
        for entry in &page {
            match form {
                Form::Ndjson => text.push_str(&serde_json::to_string(entry).unwrap_or_default()),
                Form::Csv => text.push_str(&csv_line(entry)),
            }
            text.push_str(if matches!(form, Form::Csv) { "\r\n" } else { "\n" });
        }
        let next = (!is_done).then_some((db, filter, last, None));
        Some((Ok(text.into_bytes()), next))
    }))
}

/// RFC 4180. A cell that begins like a formula gets an apostrophe: spreadsheets would run it, and user names are chosen
/// by strangers.
fn csv_line(entry: &Entry) -> String {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let cells = [
        entry.number.to_string(),
        entry.at.to_string(),
        entry.action.clone(),
        entry.actor_id.map(|id| id.to_string()).unwrap_or_default(),
        text(&entry.actor_name),
        entry.session_id.map(|id| id.to_string()).unwrap_or_default(),
        text(&entry.ip_address),
        text(&entry.target_kind),
        text(&entry.target_id),
        entry.detail.as_ref().map(ToString::to_string).unwrap_or_default(),
        entry.hash.clone(),
    ];
    cells.iter().fold(String::new(), |mut line, cell| {
        if !line.is_empty() {
            line.push(',');
        }
        let guard = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
        let _ = write!(line, "\"{guard}{}\"", cell.replace('"', "\"\""));
        line
    })
}

impl From<Entry> for EntryView {
    fn from(entry: Entry) -> Self {
        Self {
            number: entry.number,
            at: entry.at,
            action: entry.action,
            actor_id: entry.actor_id,
            actor_name: entry.actor_name,
            session_id: entry.session_id,
            ip_address: entry.ip_address,
            target_kind: entry.target_kind,
            target_id: entry.target_id,
            detail: entry.detail,
            hash: entry.hash,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula() {
        let entry = Entry {
            number: 1,
            at: Timestamp(0),
            action: "account.created".into(),
            actor_id: None,
            actor_name: Some("=HYPERLINK(\"evil\")".into()),
            session_id: None,
            ip_address: None,
            target_kind: None,
            target_id: Some("-1".into()),
            detail: Some(json!({ "a": "b,c" })),
            hash: "00".into(),
        };
        assert_eq!(
            csv_line(&entry),
            "\"1\",\"1970-01-01T00:00:00.000Z\",\"account.created\",\"\",\"'=HYPERLINK(\"\"evil\"\")\",\"\",\"\",\"\",\"'-1\",\"{\"\"a\"\":\"\"b,c\"\"}\",\"00\""
        );
    }
}
