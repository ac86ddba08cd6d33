//! Stories told against the real programs: what is promised to people, in both modes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod harness;

mod accounts;
mod administration;
mod architecture;
mod attacks;
mod audit;
mod authorization;
mod bad_inputs;
mod channels;
mod command_line;
mod crash;
mod demo;
mod disk_full;
mod external;
mod first_run;
mod forged;
mod gateway;
mod import;
mod messages;
mod notifications;
mod passwords;
mod people;
mod plugins;
mod profiles;
mod races;
mod readme;
mod search;
mod service;
mod sessions;
mod sign_in_limits;
mod tokens;
mod two_factor;
