//! A real mail server, `aiosmtpd` from PyPI, and the letters it was handed.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use super::installed::installed;
use super::process::{Ending, Process};

/// One server, gone with this value.
pub struct Smtp {
    process: Process,
    url: String,
    read: BTreeMap<String, usize>,
}

impl Smtp {
    /// Starts a server that takes everything from everybody.
    pub async fn start() -> Self {
        let python = installed("smtp/bin/aiosmtpd", "PyPI package aiosmtpd").with_file_name("python");
        let mut command = Command::new(python);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/smtp/server.py"));
        let mut process = Process::start("smtp server", command, Ending::Kill);
        let line = process.line_with("smtp listening on ").await;
        let address = line.rsplit(' ').next().expect("a line has a last word");
        Self { url: format!("smtp://{address}"), process, read: BTreeMap::new() }
    }

    /// What `CONFAB_SMTP_URL` is set to.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The next message to `address` that was not read yet, waited for: `from`, `to`, `subject` and `text`.
    pub async fn message_to(&mut self, address: &str) -> Value {
        let beginning = self.next_for(address);
        let line = self.process.line_with(&beginning).await;
        *self.read.entry(address.to_owned()).or_default() += 1;
        let (_, message) = line.split_once(": ").expect("a message stands behind its address");
        serde_json::from_str(message).unwrap_or_else(|error| panic!("not JSON ({error}): {message}"))
    }

    /// Whether a message to `address` is there that was not read yet: what must not be sent is looked for after
    /// something that was.
    pub fn has_more_for(&self, address: &str) -> bool {
        self.process.find(&self.next_for(address)).is_some()
    }

    /// How the line of the next message to `address` begins; the server numbers them.
    fn next_for(&self, address: &str) -> String {
        let number = self.read.get(address).map_or(1, |read| read + 1);
        format!("mail {number} for {address}: ")
    }
}
