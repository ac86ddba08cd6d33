//! The index as a whole: what it holds is what one that is built anew from the record holds, and nothing was given up on the way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;

use crate::Result;
use crate::board::Board;
use crate::findings::Kind;
use crate::person::Person;

/// The index has everything within this time after the last message, or after it was begun anew.
const WHOLE_WITHIN: Duration = Duration::from_mins(3);

/// Has the index built anew and compares. A message that is there twice, or under words that it does not hold any more beside
/// those that it holds, is found by few searches and counted by this.
pub async fn is_as_the_record(admin: &Person, board: &Arc<Board>) -> Result<()> {
    let letters = admin.get("admin/dead-letters").await?;
    for letter in letters["items"].as_array().into_iter().flatten() {
        board.note(Kind::Lost, format!("a consumer gave up an event: {letter}"));
    }
    let Some(grown) = whole(admin, board, |_| true).await? else { return Ok(()) };
    admin.expect(Method::POST, "admin/reindex", None, &[202]).await?;
    let origin = grown["origin"].as_i64();
    let Some(built) = whole(admin, board, |index| index["origin"].as_i64() > origin).await? else {
        return Ok(());
    };
    let (held, due) = (grown["documents"].as_i64(), built["documents"].as_i64());
    if held != due || due.is_none() {
        let kind = if held > due { Kind::Duplicated } else { Kind::Lost };
        board.note(kind, format!("the index held {held:?} documents, built anew it holds {due:?}"));
    }
    Ok(())
}

/// Waits until the index has everything and is as `wanted`; answers what it says of itself, `None` if it does not get there.
pub async fn whole(
    admin: &Person,
    board: &Arc<Board>,
    wanted: impl Fn(&Value) -> bool,
) -> Result<Option<Value>> {
    let started = Instant::now();
    loop {
        let mut stats = admin.get("admin/stats").await?;
        let index = stats["index"].take();
        if index["lag"] == 0 && index["building"].is_null() && wanted(&index) {
            return Ok(Some(index));
        }
        if started.elapsed() > WHOLE_WITHIN {
            board.note(Kind::Stuck, format!("the index does not catch up: {index}"));
            return Ok(None);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
