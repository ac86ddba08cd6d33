//! Bringing in what people wrote elsewhere.
//!
//! Every import is one command that can be stopped anywhere and run again: what is in is remembered with it, in the
//! same transaction.

pub(crate) mod names;
pub mod slack;
