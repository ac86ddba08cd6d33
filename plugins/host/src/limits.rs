//! How much of the server a plugin may use.

use crate::manifest::{AskedLimits, Keeping};
use std::time::Duration;

/// How often a running plugin is interrupted; its CPU time is counted in these.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// The budget of one call into a plugin. The default is the server's cap; a manifest may ask for less.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all linear memories together.
    pub memory_bytes: usize,
    /// The same of a plugin whose instances are kept: an interpreter takes more than a small plugin.
    pub kept_memory_bytes: usize,
    /// Entries of each table.
    pub table_elements: usize,
    /// CPU time of any call.
    pub event_cpu: Duration,
    /// Time from the start to the end of an event or a configuration, waiting for host calls included.
    pub event_wall: Duration,
    /// Time from the start to the end of a command or a reaction, waiting included: a person waits.
    pub command_wall: Duration,
    /// Time from the start to the end of suggestions while somebody types.
    pub completion_wall: Duration,
    /// Processor time of a say before a reaction counts: somebody waits for their click.
    pub gate_cpu: Duration,
    /// Time of such a say. Much more than its caller waits for: what is late on a busy machine is no fault of the plugin, and counts
    /// for none.
    pub gate_wall: Duration,
    /// Instructions, about: stops a loop even when the ticks are late because the machine is overloaded.
    pub fuel: u64,
    /// Calls of chat and kv.
    pub host_calls: u32,
    /// Calls of settings and runtime, which cost little.
    pub cheap_calls: u32,
    /// Time that one host call may take.
    pub host_call: Duration,
    /// Bytes from the plugin to the host, all calls together and the reply; and of each answer to the plugin.
    pub io_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 64 << 20,
            kept_memory_bytes: 256 << 20,
            table_elements: 20_000,
            event_cpu: Duration::from_millis(200),
            event_wall: Duration::from_secs(10),
            command_wall: Duration::from_secs(2),
            completion_wall: Duration::from_millis(500),
            gate_cpu: Duration::from_millis(30),
            gate_wall: Duration::from_millis(500),
            fuel: 2_000_000_000,
            host_calls: 50,
            cheap_calls: 1000,
            host_call: Duration::from_secs(5),
            io_bytes: 256 * 1024,
        }
    }
}

impl Limits {
    /// The smaller of these and what the manifest asks for.
    #[must_use]
    pub fn narrowed(&self, asked: &AskedLimits) -> Self {
        let mut limits = self.clone();
        if asked.instance == Keeping::Kept {
            limits.memory_bytes = limits.kept_memory_bytes;
        }
        if let Some(mib) = asked.memory_mib {
            limits.memory_bytes = limits.memory_bytes.min(mib as usize * (1 << 20));
        }
        if let Some(ms) = asked.event_ms {
            limits.event_cpu = limits.event_cpu.min(Duration::from_millis(ms.into()));
        }
        if let Some(ms) = asked.command_ms {
            limits.command_wall = limits.command_wall.min(Duration::from_millis(ms.into()));
        }
        limits
    }
}
