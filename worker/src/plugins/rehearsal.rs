//! A plugin on its author's desk: its conversation played, its calls measured. No record, no bus, no server.

use std::path::{Path, PathBuf};

use confab_core::{Fault, Result};
use confab_plugin_host::{self as plugin, Rehearsed, Times};
use serde_json::{Value, json};

use super::check;

/// Plays `conversation` with the plugin. What is compiled is kept in `cache`.
///
/// # Errors
/// [`Fault::Invalid`] in `manifest`, `component` or `conversation`, which says what is wrong.
pub async fn rehearse(
    manifest: String,
    component: Vec<u8>,
    conversation: String,
    cache: Option<PathBuf>,
) -> Result<Rehearsed> {
    // Compiling takes a tenth of a second to tens of seconds of CPU.
    let made = tokio::task::spawn_blocking(move || check::loaded(&manifest, &component, cache.as_deref()));
    let (_, plugin) = made.await.map_err(Fault::internal)??;
    let played = plugin::rehearse(&plugin, &conversation).await;
    played.map_err(|fault| Fault::invalid("conversation", fault.to_string()))
}

/// What an event with this text costs the plugin here: microseconds of a call, and milliseconds until a hundred plugins are
/// mapped. What is compiled is kept in `cache`.
///
/// # Errors
/// [`Fault::Invalid`] in `manifest` or `component`, which says what is wrong.
pub async fn measure(
    manifest: &str,
    component: &[u8],
    text: &str,
    calls: u32,
    cache: &Path,
) -> Result<Value> {
    let (_, loaded) = check::loaded(manifest, component, Some(cache))?;
    let measured = plugin::measure(cache, loaded.manifest(), component, text, calls).await;
    let measured = measured.map_err(|fault| Fault::invalid("component", fault.to_string()))?;
    let shown = |times: Times| {
        let micros = |it: std::time::Duration| it.as_secs_f64() * 1e6;
        json!({ "p50_us": micros(times.p50), "p99_us": micros(times.p99), "a_second": times.a_second })
    };
    Ok(json!({
        "fresh": shown(measured.fresh),
        "kept": shown(measured.kept),
        "hundred_loads_ms": measured.hundred_loads.as_secs_f64() * 1e3,
    }))
}
