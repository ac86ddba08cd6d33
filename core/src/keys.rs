//! Keys that several servers share. One that can be in a file of its own (embedded mode) never stands here.

use confab_protocol::Timestamp;

use crate::db::{Tx, run};
use crate::fault::Result;

const KEEP: &str =
    "insert into server_keys (name, value, created_at) values ($1, $2, $3) on conflict (name) do nothing";
const GET: &str = "select value from server_keys where name = $1";

/// The key of that name; `made` when there is none yet. All servers get the same.
pub async fn get_or_keep(tx: &mut Tx, name: &str, made: &str) -> Result<String> {
    run!(
        tx,
        sqlx::query(KEEP).bind(name.to_owned()).bind(made.to_owned()).bind(Timestamp::now().0),
        execute
    )?;
    Ok(run!(tx, sqlx::query_scalar(GET).bind(name.to_owned()), fetch_one)?)
}
