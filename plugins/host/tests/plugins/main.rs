//! Real components against a host in memory: what works, what is refused, and what is contained.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod commands;
mod dice;
mod every_entry;
mod golden;
mod grants;
mod hostile;
mod kept;
mod manifests;
mod memory_host;
mod rehearsals;
