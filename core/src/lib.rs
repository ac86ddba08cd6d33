//! Rules and storage. Knows no HTTP, no plugin engine, no index: those are told by this, through the log.
//!
//! In reading order: [`fault`] is what can go wrong, [`config`] what an operator may choose, [`db`] the record on either
//! engine, [`log`] the events in it, [`bus`] how they travel. Then the nouns: [`users`] with [`passwords`],
//! [`two_factor`], [`sessions`], [`api_tokens`], [`identities`] and [`tickets`], brought together by [`registrations`] and [`sign_in`]; [`roles`],
//! [`policies`], the [`workspace`]'s name, [`rate_limits`], [`idempotency`] and the [`audit`] log; [`channels`], [`channel_invitations`], [`webhooks`] and [`members`]; [`access`], the only doors, and [`break_glass`]; [`messages`] with
//! [`threads`], [`pins`], [`bookmarks`], [`read_state`] and [`direct_messages`], [`notifications`] with [`attention`], [`broadcasts`], [`push`] and [`digests`], [`reactions`], [`files`] with [`uploads`], [`presences`]; what has its time: [`drafts`], [`scheduled_messages`], [`reminders`], [`retention`]; and what the worker keeps: [`keys`], [`cursors`], [`latency`], [`plugins`], [`imports`],
//! [`assistant`], [`conversations`].

pub mod access;
pub mod api_tokens;
pub mod assistant;
pub mod attention;
pub mod audit;
pub mod bookmarks;
pub mod break_glass;
pub mod broadcasts;
pub mod bus;
pub mod channel_invitations;
pub mod channels;
pub mod config;
pub mod conversations;
pub mod cursors;
pub mod db;
pub mod digests;
pub mod direct_messages;
pub mod drafts;
pub mod fault;
pub mod files;
mod held_files;
pub mod idempotency;
pub mod identities;
pub mod imports;
pub mod keys;
pub mod latency;
pub mod log;
pub mod markdown;
pub mod members;
pub mod messages;
pub mod notifications;
pub mod passwords;
pub mod pins;
pub mod plugins;
pub mod policies;
pub mod presences;
pub mod push;
pub mod rate_limits;
pub mod reactions;
pub mod read_state;
pub mod registrations;
pub mod reminders;
pub mod retention;
pub mod roles;
pub mod scheduled_messages;
pub mod sessions;
pub mod sign_in;
pub mod text;
pub mod threads;
pub mod tickets;
pub mod two_factor;
pub mod typos;
pub mod uploads;
pub mod users;
pub mod webhooks;
pub mod whispers;
pub mod workspace;

pub use bus::Bus;
pub use config::Settings;
pub use db::{Db, Read, Reader, Tx};
pub use fault::{Fault, Result};
pub use futures_util::FutureExt;
