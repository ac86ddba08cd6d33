//! What an import made of what: external ids and ours, so that a second run adds nothing and a killed one goes on.

use std::collections::HashMap;

use uuid::Uuid;

use crate::db::{Read, Tx, insert_rows, run};
use crate::fault::Result;

const KNOWN: &str =
    "select external_id, local_id from external_refs where source = $1 and kind = $2 and external_id > $3
    order by external_id limit $4";
const INSERT: &str = "insert into external_refs (source, kind, external_id, local_id) ";

/// All external ids of one kind that are imported, with ours.
pub async fn known(on: &mut impl Read, source: &str, kind: &str) -> Result<HashMap<String, Uuid>> {
    const PART: i64 = 10_000;
    let mut all = HashMap::new();
    let mut after = String::new();
    loop {
        let rows: Vec<(String, Uuid)> = run!(
            on,
            sqlx::query_as(KNOWN)
                .bind(source.to_owned())
                .bind(kind.to_owned())
                .bind(after.clone())
                .bind(PART),
            fetch_all
        )?;
        let count = rows.len() as i64;
        if let Some(last) = rows.last() {
            after.clone_from(&last.0);
        }
        all.extend(rows);
        if count < PART {
            return Ok(all);
        }
    }
}

/// Remembers what was made, in the transaction that made it.
///
/// # Errors
/// A unique violation when another import ran at the same time: its transaction is the one that counts.
pub async fn remember(tx: &mut Tx, source: &str, kind: &str, made: &[(String, Uuid)]) -> Result<()> {
    insert_rows!(
        tx,
        INSERT,
        made,
        |values, row| values
            .push_bind(source.to_owned())
            .push_bind(kind.to_owned())
            .push_bind(row.0.clone())
            .push_bind(row.1),
        ""
    );
    Ok(())
}
