//! What a plugin costs here: one event again and again, on one thread, by the clock.

use crate::granted::Granted;
use crate::limits::Limits;
use crate::manifest::{Keeping, Manifest};
use crate::outcome::{CallError, LoadError};
use crate::plugin::Plugin;
use crate::rehearsal::Stage;
use crate::runtime::Runtime;
use crate::words::{Delivery, Event, Message, Place, User};
use std::path::Path;
use std::time::{Duration, Instant};

/// Loads of a start-up that is measured.
const LOADS: u32 = 100;
/// Calls that nobody counts: the first ones meet cold caches.
const WARM: u32 = 200;

/// What was found.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// Calls with an instance each.
    pub fresh: Times,
    /// Calls of instances that are kept.
    pub kept: Times,
    /// Until so many plugins were mapped whose code was compiled before.
    pub hundred_loads: Duration,
}

/// Of one call.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// Half of them were faster.
    pub p50: Duration,
    /// One in a hundred was slower.
    pub p99: Duration,
    /// Calls one after the other in a second.
    pub a_second: f64,
}

/// Why nothing was found.
#[derive(Debug, thiserror::Error)]
pub enum MeasureFault {
    /// The plugin cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// It failed at the event.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// Measures a plugin with a message of this text, so many times. What is compiled is kept in `cache`.
///
/// # Errors
/// When it cannot be loaded, or fails at the event.
pub async fn measure(
    cache: &Path,
    manifest: &Manifest,
    wasm: &[u8],
    text: &str,
    calls: u32,
) -> Result<Measured, MeasureFault> {
    let runtime = Runtime::new(Some(cache), Limits::default())?;
    let of = |instance: Keeping| {
        let mut manifest = manifest.clone();
        manifest.limits.instance = instance;
        runtime.load(manifest, wasm)
    };
    let (fresh, kept) = (of(Keeping::Fresh)?, of(Keeping::Kept)?);
    let begun = Instant::now();
    let mut loaded = Vec::new();
    for _ in 0..LOADS {
        loaded.push(of(Keeping::Fresh)?);
    }
    let hundred_loads = begun.elapsed();
    drop(loaded);
    Ok(Measured {
        fresh: times(&fresh, text, calls).await?,
        kept: times(&kept, text, calls).await?,
        hundred_loads,
    })
}

async fn times(plugin: &Plugin, text: &str, calls: u32) -> Result<Times, CallError> {
    let stage = Stage::new("measured", std::collections::BTreeMap::new());
    let asks = plugin.manifest().asks();
    let mut taken = Vec::with_capacity(calls as usize);
    for call in 0..WARM + calls {
        let host = Granted::new(stage.clone(), plugin.manifest(), &asks);
        let delivery = Delivery { sequence: u64::from(call), attempt: 1, at_ms: 0, event: said(text) };
        let begun = Instant::now();
        plugin.on_event(host, delivery).await?;
        if call >= WARM {
            taken.push(begun.elapsed());
        }
    }
    let all: Duration = taken.iter().sum();
    taken.sort_unstable();
    let at = |share: usize| taken.get(taken.len() * share / 100).copied().unwrap_or_default();
    let a_second = f64::from(calls) / all.as_secs_f64().max(f64::MIN_POSITIVE);
    Ok(Times { p50: at(50), p99: at(99), a_second })
}

fn said(text: &str) -> Event {
    let sender = User { id: "ada".into(), username: "ada".into(), display_name: "Ada".into(), is_bot: false };
    Event::MessagePosted(Message {
        id: "m1".into(),
        place: Place { channel_id: "general".into(), thread_id: None },
        sender,
        content: text.to_owned(),
        created_at_ms: 0,
        edited_at_ms: None,
        mentions: Vec::new(),
    })
}
