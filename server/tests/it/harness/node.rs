//! One `confab serve` process, which can be killed and started again on the same data.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::command::{UNREACHABLE, clean, confab_program};
use super::process::{Ending, Process};

/// Where a node answers now. Shared with its users, since a restart may choose another port.
#[derive(Clone)]
pub struct Address(Arc<Mutex<String>>);

impl Address {
    /// The address that a process printed in `line`.
    pub fn in_line(line: &str) -> Self {
        let start = line.find("http://").expect("the line holds the address");
        let http = line[start..].split_whitespace().next().expect("an address").trim_end_matches('/');
        Self(Arc::new(Mutex::new(http.to_owned())))
    }

    /// Such as `http://127.0.0.1:40123`.
    pub fn http(&self) -> String {
        self.0.lock().unwrap().clone()
    }

    /// The gateway's address.
    pub fn gateway(&self) -> String {
        format!("{}/ws", self.http().replacen("http://", "ws://", 1))
    }
}

/// A server process and what it takes to start it again.
pub struct Node {
    process: Process,
    pub address: Address,
    pub data: PathBuf,
    settings: Vec<(String, String)>,
}

impl Node {
    /// Starts a server on `data` and waits until it listens.
    pub async fn start(data: &Path, settings: &[(&str, &str)]) -> Self {
        let settings: Vec<(String, String)> =
            settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (process, address) = listening(data, &settings).await;
        let address = Address(Arc::new(Mutex::new(address)));
        Self { process, address, data: data.to_owned(), settings }
    }

    /// What it logged so far.
    pub fn output(&self) -> String {
        self.process.output()
    }

    /// A line of its log that contains `words`, waited for.
    pub async fn line_with(&mut self, words: &str) -> String {
        self.process.line_with(words).await
    }

    /// kill -9.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Lets it stand still.
    pub fn freeze(&self) {
        self.process.freeze();
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.process.thaw();
    }

    /// Asks it to stop, as a service manager does, and returns its exit code.
    pub async fn stop(&mut self) -> Option<i32> {
        self.process.terminate();
        super::wait_for("the server to stop", async || self.process.exited()).await.code()
    }

    /// Starts it again on the same data, at a new port.
    pub async fn restart(&mut self) {
        self.process.kill();
        let (process, address) = listening(&self.data, &self.settings).await;
        self.process = process;
        *self.address.0.lock().unwrap() = address;
    }
}

fn launch(data: &Path, settings: &[(String, String)]) -> Process {
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (&**name, &**value)).collect();
    let folder = data.parent().expect("the data folder stands in the test's folder");
    let mut command = clean(confab_program(), folder, &settings);
    command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data);
    Process::start("confab serve", command, Ending::Kill)
}

/// A server that listens, and the address it printed: it binds port 0, so only it knows the port, and no two tests can want the
/// same one. PostgreSQL and NATS have 3 s to answer it, which they may need longer for on a busy disk: it is started again then.
async fn listening(data: &Path, settings: &[(String, String)]) -> (Process, String) {
    const WORDS: &str = "listening on http://";
    let mut process = launch(data, settings);
    for _ in 0..5 {
        match process.line_or_end(WORDS).await {
            Err(status) if status.code() == Some(UNREACHABLE) => process = launch(data, settings),
            _ => break,
        }
    }
    let line = process.line_with(WORDS).await;
    let address = address_in(&line);
    (process, address)
}

fn address_in(line: &str) -> String {
    let start = line.find("http://").expect("the line holds the address");
    line[start..].split_whitespace().next().expect("an address").trim_end_matches('/').to_owned()
}
