//! Real components against a host in memory: what works, what is refused, and what is contained.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod commands;
mod dice;
mod golden;
mod grants;
mod hostile;
mod manifests;
mod memory_host;
