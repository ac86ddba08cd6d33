//! Stories told against the real programs: what is promised to people, in both modes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod harness;

mod accounts;
mod architecture;
mod attacks;
mod bad_inputs;
mod channels;
mod crash;
mod demo;
mod disk_full;
mod first_run;
mod gateway;
mod import;
mod messages;
mod plugins;
mod readme;
mod search;
mod service;
