//! Every message of the record, for whoever builds something from all of them: an index has to begin without the log,
//! whose old events may be gone.

use confab_protocol::{Message, MessageId};

use super::view::{COLUMNS, MessageRow, plain_of_rows};
use crate::db::{Read, run};
use crate::fault::Result;

const ALL_AFTER: &str = "where m.id > $1 and m.deleted_at is null
    and exists (select 1 from channels c where c.id = m.channel_id and c.deleted_at is null) order by m.id limit $2";

// Without a condition: an index answers it alone, where a look at each row would read all texts a second time.
const COUNT: &str = "select count(*) from messages";

/// About how many messages [`all_after`] answers in all: deleted ones are counted too.
pub async fn count(on: &mut impl Read) -> Result<i64> {
    Ok(run!(on, sqlx::query_scalar(COUNT), fetch_one)?)
}

/// At most `limit` messages after `after` in order of id, of all channels; a nil id begins. Deleted messages and those
/// of deleted channels are left out, and `html` is what is kept of it. Nobody has been admitted: what is made of them must ask before it shows any.
pub async fn all_after(on: &mut impl Read, after: MessageId, limit: u32) -> Result<Vec<Message>> {
    let text = format!("{COLUMNS} {ALL_AFTER}");
    let rows: Vec<MessageRow> =
        run!(on, sqlx::query_as(sqlx::AssertSqlSafe(text)).bind(after.0).bind(i64::from(limit)), fetch_all)?;
    plain_of_rows(on, rows).await
}
