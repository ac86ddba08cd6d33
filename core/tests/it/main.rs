//! What would take a story of the server hundreds of calls, or what it cannot see: bounds, plans of statements, the record
//! itself.
#![allow(clippy::expect_used, missing_docs)]

mod accounts;
mod broadcasts;
mod channels;
mod files;
mod harness;
mod log;
mod pages;
mod plans;
mod presences;
mod push;
mod reactions;
mod record;
mod schedule;
mod together;
