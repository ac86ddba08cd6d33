//! The chat server. It contains no SQL and no rule of its own: it turns requests and frames into calls of core, and
//! what core answers into problems, pages and frames.
//!
//! In reading order: [`run`] is the whole program; [`state`] what every handler shares; [`first_run`] what happens in
//! an empty folder; [`tokens`] and [`caller`] who is calling, with [`oidc`] for an outside issuer's; [`limits`] how often; [`mail`] and
//! [`pictures`] what their names say; [`due`] does what has its time. [`intake`] makes files of what is sent, with [`images`], [`storage`] keeps them, [`plugin_images`] what plugins bring, [`file_care`]
//! looks after them, with [`document`], [`egress`] the way out to addresses that people write, [`previews`] and [`rendering`] what happens to messages
//! afterwards. [`http`] is what surrounds every request, [`api`] the endpoints,
//! [`gateway`] the sockets with [`presence`] and [`voice`], [`errands`] what is done from behind: [`push`] and [`digest`]; [`web`] the client's files. [`cli`] is the command line with [`import`], [`export`] and [`demo`];
//! [`transfers`] does the first two for administrators.

pub mod activity;
pub mod api;
pub mod caller;
pub mod cli;
pub mod demo;
pub mod digest;
pub mod document;
pub mod due;
pub mod egress;
pub mod errands;
pub mod export;
pub mod file_care;
pub mod first_run;
pub mod gateway;
pub mod hooks;
pub mod http;
pub mod images;
pub mod import;
pub mod intake;
pub mod limits;
pub mod mail;
pub mod oidc;
pub mod picture_places;
pub mod pictures;
pub mod plugin_images;
pub mod presence;
pub mod previews;
pub mod progress;
pub mod push;
pub mod rendering;
pub mod run;
pub mod state;
pub mod storage;
pub mod tokens;
pub mod transfers;
pub mod voice;
pub mod web;
