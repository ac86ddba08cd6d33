//! A server process: started, watched, ended. What it costs is read from the system, not from the server.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use crate::Result;

/// What the kernel counts processor time in (`getconf CLK_TCK`, the same on every Linux that runs this).
const TICKS_A_SECOND: f64 = 100.0;
const START_WITHIN: Duration = Duration::from_mins(1);

/// One running server, which ends with this value.
pub struct Process {
    child: Child,
    id: u32,
}

impl Process {
    /// Starts `command` and waits until it writes a line that contains `words`; answers that line too.
    pub async fn start(name: &str, mut command: Command, words: &str) -> Result<(Self, String)> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{name} does not start: {error}"))?;
        let id = child.id().ok_or_else(|| format!("{name} ended at once"))?;
        let (sender, mut lines) = mpsc::channel(256);
        if let Some(pipe) = child.stdout.take() {
            tokio::spawn(read(pipe, sender.clone()));
        }
        if let Some(pipe) = child.stderr.take() {
            tokio::spawn(read(pipe, sender));
        }
        let line = tokio::time::timeout(START_WITHIN, line_with(&mut lines, words))
            .await
            .map_err(|_| format!("{name} was not ready within a minute"))?
            .map_err(|said| format!("{name} ended before it was ready:\n{said}"))?;
        // Goes on reading: a full pipe would stop the server.
        tokio::spawn(async move { while lines.recv().await.is_some() {} });
        Ok((Self { child, id }, line))
    }

    /// Ends it at once and waits until it has.
    pub async fn end(mut self) -> Result<()> {
        self.child.kill().await?;
        Ok(())
    }

    /// Asks it to end, as a service manager does, and waits until it has.
    pub async fn stop(mut self) -> Result<()> {
        Command::new("kill").args(["-TERM", &self.id.to_string()]).status().await?;
        if tokio::time::timeout(START_WITHIN, self.child.wait()).await.is_err() {
            self.child.kill().await?;
        }
        Ok(())
    }

    /// Processor time of all its threads so far, in microseconds.
    pub fn cpu_us(&self) -> Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id))?;
        // The name stands in brackets and may hold anything; fields are counted behind it.
        let (_, fields) = stat.rsplit_once(')').ok_or("a process without a name")?;
        let mut times = fields.split_whitespace().skip(11).map_while(|it| it.parse::<f64>().ok());
        let ticks = times.next().unwrap_or_default() + times.next().unwrap_or_default();
        Ok(ticks / TICKS_A_SECOND * 1e6)
    }

    /// Resident memory in KiB.
    pub fn resident_kib(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no resident memory")?;
        Ok(line.trim().trim_end_matches("kB").trim().parse()?)
    }
}

async fn read(pipe: impl AsyncRead + Unpin, lines: mpsc::Sender<String>) {
    let mut reader = BufReader::new(pipe).lines();
    while let Ok(Some(line)) = reader.next_line().await {
        if lines.send(line).await.is_err() {
            return;
        }
    }
}

async fn line_with(lines: &mut mpsc::Receiver<String>, words: &str) -> std::result::Result<String, String> {
    let mut said = Vec::new();
    while let Some(line) = lines.recv().await {
        if line.contains(words) {
            return Ok(line);
        }
        said.push(line);
    }
    Err(said.join("\n"))
}

/// The `host:port` in a line such as `… listening on http://127.0.0.1:40123`.
pub fn host_in(line: &str) -> Result<String> {
    let (_, rest) = line.split_once("http://").ok_or_else(|| format!("no address in: {line}"))?;
    Ok(rest.split_whitespace().next().unwrap_or_default().trim_end_matches('/').to_owned())
}
