//! One call into a plugin: whom it can ask, and what is left of its budget.

mod imports;

use crate::host::{Answer, Host};
use crate::limits::{Limits, TICK};
use crate::outcome::{CallError, Stop};
use crate::words::{Entry, Failure, Message};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wasmtime::{ResourceLimiter, UpdateDeadline};

/// A host call that took this long was waiting, and the tick that passed meanwhile is not the plugin's.
const RESTED: Duration = Duration::from_millis(1);

/// The state of a store.
pub(crate) struct Call {
    /// None between the calls of an instance that is kept: whom it served last is not held on to.
    host: Option<Arc<dyn Host>>,
    limits: Limits,
    ticks_left: u128,
    rested: bool,
    host_calls_left: u32,
    cheap_calls_left: u32,
    io_bytes_left: usize,
    memory_bytes: usize,
}

impl Call {
    /// No call yet.
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            host: None,
            ticks_left: 0,
            rested: false,
            host_calls_left: 0,
            cheap_calls_left: 0,
            io_bytes_left: 0,
            memory_bytes: 0,
            limits,
        }
    }

    /// A fresh budget with so much CPU time. The memory that the instance has is what it has.
    pub(crate) fn begin(&mut self, host: Arc<dyn Host>, cpu: Duration) {
        self.host = Some(host);
        self.ticks_left = (cpu.as_millis() / TICK.as_millis()).max(1);
        self.rested = false;
        self.host_calls_left = self.limits.host_calls;
        self.cheap_calls_left = self.limits.cheap_calls;
        self.io_bytes_left = self.limits.io_bytes;
    }

    /// The call is over.
    pub(crate) fn end(&mut self) {
        self.host = None;
    }

    /// Whom the plugin can ask.
    fn host(&self) -> wasmtime::Result<Arc<dyn Host>> {
        // No code of the plugin runs between two calls.
        self.host.clone().ok_or_else(|| stop(CallError::Trap("it asked outside of a call".into())))
    }

    /// Called for each tick in which the plugin ran: lets others run, until its time is over.
    pub(crate) fn tick(&mut self) -> wasmtime::Result<UpdateDeadline> {
        if std::mem::take(&mut self.rested) {
            return Ok(UpdateDeadline::Yield(1));
        }
        self.ticks_left = self.ticks_left.saturating_sub(1);
        if self.ticks_left == 0 { Err(stop(CallError::Deadline)) } else { Ok(UpdateDeadline::Yield(1)) }
    }

    /// Takes bytes that came from the plugin off its budget.
    pub(crate) fn take_in(&mut self, bytes: usize) -> wasmtime::Result<()> {
        let left = self.io_bytes_left.checked_sub(bytes);
        self.io_bytes_left =
            left.ok_or_else(|| limit(format!("{} bytes to the host", self.limits.io_bytes)))?;
        Ok(())
    }

    /// Asks the host, within the plugin's budget of calls, bytes and time. The outer error stops the plugin, the
    /// inner one is its to handle: so a retry loop that ignores failures ends too.
    async fn ask<T: Weight + Send>(
        &mut self,
        bytes: usize,
        call: impl for<'h> FnOnce(&'h dyn Host) -> Answer<'h, T> + Send,
    ) -> wasmtime::Result<Result<T, Failure>> {
        let left = self.host_calls_left.checked_sub(1);
        self.host_calls_left = left.ok_or_else(|| limit(format!("{} host calls", self.limits.host_calls)))?;
        self.take_in(bytes)?;
        let host = self.host()?;
        let answer = self.wait(call(&*host)).await;
        let most = self.limits.io_bytes;
        Ok(answer.and_then(|answer| {
            if answer.bytes() > most {
                return Err(Failure::OverQuota(format!("an answer has at most {most} bytes")));
            }
            Ok(answer)
        }))
    }

    async fn wait<T>(&mut self, answer: Answer<'_, T>) -> Result<T, Failure> {
        let begun = Instant::now();
        let answer = tokio::time::timeout(self.limits.host_call, answer).await;
        self.rested |= begun.elapsed() >= RESTED;
        answer.unwrap_or_else(|_| Err(Failure::Unavailable("the call took too long".into())))
    }

    /// Counts a call of settings or runtime.
    fn cheap(&mut self) -> wasmtime::Result<()> {
        let left = self.cheap_calls_left.checked_sub(1);
        self.cheap_calls_left =
            left.ok_or_else(|| limit(format!("{} calls of settings and runtime", self.limits.cheap_calls)))?;
        Ok(())
    }
}

impl ResourceLimiter for Call {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // Over all memories: a component may have several.
        let total = self.memory_bytes.saturating_add(desired.saturating_sub(current));
        if total > self.limits.memory_bytes {
            return Err(stop(CallError::Memory));
        }
        self.memory_bytes = total;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > self.limits.table_elements { Err(stop(CallError::Memory)) } else { Ok(true) }
    }

    /// A component of Python is linked of some forty modules.
    fn instances(&self) -> usize {
        128
    }

    fn tables(&self) -> usize {
        32
    }

    fn memories(&self) -> usize {
        8
    }
}

pub(crate) fn stop(why: CallError) -> wasmtime::Error {
    wasmtime::Error::from(Stop(why))
}

fn limit(which: String) -> wasmtime::Error {
    stop(CallError::HostLimit(which))
}

/// How many bytes an answer brings into the plugin, about.
trait Weight {
    fn bytes(&self) -> usize;
}

macro_rules! weightless {
    ($($kind:ty),+) => { $(impl Weight for $kind { fn bytes(&self) -> usize { size_of::<Self>() } })+ };
}
weightless!((), bool, u64, i64, crate::words::User, crate::words::ChannelMember);

impl Weight for String {
    fn bytes(&self) -> usize {
        self.len()
    }
}

impl Weight for Message {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.content.len()
    }
}

impl Weight for crate::words::HttpResponse {
    fn bytes(&self) -> usize {
        self.headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() + self.body.len()
    }
}

impl Weight for Entry {
    fn bytes(&self) -> usize {
        self.value.len()
    }
}

impl<T: Weight> Weight for Option<T> {
    fn bytes(&self) -> usize {
        self.as_ref().map_or(0, Weight::bytes)
    }
}

impl<T: Weight> Weight for Vec<T> {
    fn bytes(&self) -> usize {
        self.iter().map(Weight::bytes).sum()
    }
}
