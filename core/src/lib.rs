//! Rules and storage. Knows no HTTP, no plugin engine, no index: those are told by this, through the log.
//!
//! In reading order: [`fault`] is what can go wrong, [`config`] what an operator may choose, [`db`] the record on either
//! engine, [`log`] the events in it, [`bus`] how they travel. Then the nouns: [`users`] with [`passwords`],
//! [`sessions`] and [`tickets`]; [`channels`] and [`members`]; [`access`], the only doors; [`messages`],
//! [`reactions`], [`files`], [`presences`]; and what the worker keeps: [`keys`], [`cursors`], [`plugins`], [`imports`],
//! [`conversations`].

pub mod access;
pub mod bus;
pub mod channels;
pub mod config;
pub mod conversations;
pub mod cursors;
pub mod db;
pub mod fault;
pub mod files;
pub mod imports;
pub mod keys;
pub mod log;
pub mod members;
pub mod messages;
pub mod passwords;
pub mod plugins;
pub mod presences;
pub mod reactions;
pub mod sessions;
pub mod text;
pub mod tickets;
pub mod users;

pub use bus::Bus;
pub use config::Settings;
pub use db::{Db, Read, Reader, Tx};
pub use fault::{Fault, Result};
pub use futures_util::FutureExt;
