//! Pictures of people and reactions in the store. A name is part of an address that pages load, and is never used twice:
//! named by their bytes alone, the picture that one person takes away would be the one that another adds in that moment.

use uuid::Uuid;

use super::objects;
use crate::db::Tx;
use crate::fault::Result;
use crate::text;

/// What the address of a picture begins with; its name follows.
const ADDRESSES: &str = "/api/v1/pictures/";

/// The address that pages load the picture of that name from.
#[must_use]
pub fn address(name: &str) -> String {
    format!("{ADDRESSES}{name}")
}

/// The name in a picture's address, if it is one of ours.
pub(crate) fn name_in(address: &str) -> Option<&str> {
    address.strip_prefix(ADDRESSES)
}

/// A new name for bytes with this hash: 256 bits in hex.
#[must_use]
pub fn new_name(sha256: &str) -> String {
    text::hash(&format!("{sha256} {}", Uuid::new_v4()))
}

/// Where the picture of that name lies. The name is ours, never one that someone sent.
#[must_use]
pub fn key(name: &str) -> String {
    format!("pictures/{}/{name}", &name[..2.min(name.len())])
}

/// Takes the promise of a picture's key: a row names it from now on.
///
/// # Errors
/// [`crate::Fault::Conflict`] with code [`objects::BYTES_GONE`].
pub(crate) async fn keep(tx: &mut Tx, name: &str) -> Result<()> {
    objects::keep_promise(tx, &key(name)).await
}

/// Nothing shows the picture any more: the sweep removes it.
pub(crate) async fn give_up(tx: &mut Tx, name: &str) -> Result<()> {
    objects::give_up(tx, &key(name)).await
}
