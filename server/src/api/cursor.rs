//! Cursors of lists: opaque to clients, checked when they come back.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use confab_core::{Fault, Result};
use confab_protocol::{PAGE_DEFAULT, PAGE_LIMIT};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Most items that `skip` passes over.
const MOST_SKIPPED: i64 = 10_000;

/// The page's size that a caller asked for.
///
/// # Errors
/// [`Fault::Invalid`] in `limit` outside 1 to 100.
pub fn limit(asked: Option<i64>) -> Result<u32> {
    match asked {
        None => Ok(PAGE_DEFAULT),
        Some(asked) => u32::try_from(asked)
            .ok()
            .filter(|limit| (1..=PAGE_LIMIT).contains(limit))
            .ok_or_else(|| Fault::invalid("limit", format!("must be between 1 and {PAGE_LIMIT}"))),
    }
}

/// How many items a caller of another system's habits wants to pass over (docs/limits.md). Cursors are the way through
/// long lists: what is passed over is walked through, and items that come meanwhile shift the pages.
///
/// # Errors
/// [`Fault::Invalid`] in `skip` outside 0 to 10,000, or beside another place in the list.
pub fn skip(asked: Option<i64>, has_place: bool) -> Result<i64> {
    match asked {
        None | Some(0) => Ok(0),
        Some(_) if has_place => Err(Fault::invalid("skip", "is not given together with another place")),
        Some(asked) if (1..=MOST_SKIPPED).contains(&asked) => Ok(asked),
        Some(_) => Err(Fault::invalid("skip", format!("must be between 0 and {MOST_SKIPPED}"))),
    }
}

/// A place in a list, in letters. It names nothing that the caller did not just see.
pub fn encode(place: &impl Serialize) -> Option<String> {
    serde_json::to_vec(place).ok().map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
}

/// The place again.
///
/// # Errors
/// [`Fault::Invalid`] in `cursor`.
pub fn decode<T: DeserializeOwned>(cursor: Option<&str>) -> Result<Option<T>> {
    let Some(cursor) = cursor else { return Ok(None) };
    let wrong = || Fault::invalid("cursor", "is not one that this list gave");
    if cursor.len() > 1_000 {
        return Err(wrong());
    }
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| wrong())?;
    if bytes.windows(6).any(|it| it == b"\\u0000") || bytes.contains(&0) {
        return Err(wrong());
    }
    serde_json::from_slice(&bytes).map(Some).map_err(|_| wrong())
}
