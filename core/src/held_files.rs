//! Uploads that a draft or a scheduled message is to carry: nobody has them in a message yet, and nobody may take them
//! for forgotten meanwhile.

use std::collections::{HashMap, HashSet};

use confab_protocol::{FILES_PER_MESSAGE, FileId, UserId};
use uuid::Uuid;

use crate::db::{Read, Tx, insert_rows, run, run_in};
use crate::fault::{Fault, Result};

const FREE: &str =
    "select id from files where uploaded_by_id = $1 and message_id is null and deleted_at is null and id in";
const HOLD: &str = "insert into held_files (holder_id, file_id, place) ";
const RELEASE: &str = "delete from held_files where holder_id = $1";
const OF_ONE: &str = "select file_id from held_files where holder_id = $1 order by place";
// What was deleted since is not offered any more.
const OF_HOLDERS: &str = "select h.holder_id, h.file_id from held_files h join files f on f.id = h.file_id
    where f.message_id is null and f.deleted_at is null and h.holder_id in";

/// Holds these files for `holder` and no others: uploads of `user` that stand in no message.
///
/// # Errors
/// [`Fault::Invalid`] in `file_ids` for too many, and for one that is not theirs, is in use or is named twice.
pub(crate) async fn hold(tx: &mut Tx, user: UserId, holder: Uuid, files: &[FileId]) -> Result<()> {
    check(files)?;
    let ids: Vec<Uuid> = files.iter().map(|id| id.0).collect();
    let free: Vec<(Uuid,)> = run_in!(tx, (Uuid,), FREE, &ids, "", bind user.0)?;
    if free.len() != ids.len() {
        return Err(Fault::invalid("file_ids", "names a file that is not yours or is in use"));
    }
    release(tx, holder).await?;
    let rows: Vec<(i64, Uuid)> = (0_i64..).zip(ids).collect();
    insert_rows!(
        tx,
        HOLD,
        rows,
        |values, row| values.push_bind(holder).push_bind(row.1).push_bind(row.0),
        ""
    );
    Ok(())
}

fn check(files: &[FileId]) -> Result<()> {
    if files.len() > FILES_PER_MESSAGE {
        let message = format!("at most {FILES_PER_MESSAGE} files go with a message");
        return Err(Fault::invalid("file_ids", message));
    }
    if files.iter().collect::<HashSet<_>>().len() != files.len() {
        return Err(Fault::invalid("file_ids", "names a file twice"));
    }
    Ok(())
}

/// Holds nothing for `holder` any more.
pub(crate) async fn release(tx: &mut Tx, holder: Uuid) -> Result<()> {
    run!(tx, sqlx::query(RELEASE).bind(holder), execute)?;
    Ok(())
}

/// What a holder holds, in order, with what was deleted since: a message that lost its file is not sent without it.
pub(crate) async fn all_of(on: &mut impl Read, holder: Uuid) -> Result<Vec<FileId>> {
    let rows: Vec<Uuid> = run!(on, sqlx::query_scalar(OF_ONE).bind(holder), fetch_all)?;
    Ok(rows.into_iter().map(FileId).collect())
}

/// What each of these holds and can still send, in order.
pub(crate) async fn of(on: &mut impl Read, holders: &[Uuid]) -> Result<HashMap<Uuid, Vec<FileId>>> {
    let mut held: HashMap<Uuid, Vec<FileId>> = HashMap::new();
    let rows: Vec<(Uuid, Uuid)> =
        run_in!(on, (Uuid, Uuid), OF_HOLDERS, holders, "order by h.holder_id, h.place")?;
    for (holder, file) in rows {
        held.entry(holder).or_default().push(FileId(file));
    }
    Ok(held)
}
