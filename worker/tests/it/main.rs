//! The worker through its bus services, on a record of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod assistant;
mod consumer;
mod embedding;
mod index;
mod leaks;
mod meaning;
mod program;
mod search;
mod vectors;
mod world;
