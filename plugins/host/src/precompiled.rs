//! Compiled plugins, kept on disk so that a start does not compile.
#![allow(
    unsafe_code,
    reason = "wasmtime runs what it is given as compiled code; this file hands it only what this server compiled"
)]

use crate::runtime::hex;
use sha2::{Digest as _, Sha256};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use wasmtime::Engine;
use wasmtime::component::Component;

const DIGEST_BYTES: usize = 32;

/// The component, from the cache if it is there. A cache that cannot be read or written costs time only.
pub(crate) fn component(
    engine: &Engine,
    wasm: &[u8],
    sha256: &str,
    folder: Option<&Path>,
) -> Result<Component, String> {
    let Some(folder) = folder else {
        return Component::new(engine, wasm).map_err(|error| format!("{error:#}"));
    };
    let path = folder.join(file_name(engine, sha256));
    if let Some(component) = read(engine, &path) {
        return Ok(component);
    }
    let compiled = engine.precompile_component(wasm).map_err(|error| format!("{error:#}"))?;
    if let Err(error) = write(&path, &compiled) {
        tracing::warn!(%error, path = %path.display(), "A compiled plugin could not be kept; the next start compiles it again");
    }
    revive(engine, &compiled).map_err(|error| format!("{error:#}"))
}

/// Names the component, the version of wasmtime, the processor and the engine's settings: another of any of these is
/// another file.
fn file_name(engine: &Engine, sha256: &str) -> String {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{sha256}-{:016x}.cwasm", hasher.finish())
}

/// The file ends with the SHA-256 of what comes before: a file that a full disk or a crash cut short is compiled anew
/// instead of run.
fn read(engine: &Engine, path: &Path) -> Option<Component> {
    let file = std::fs::read(path).ok()?;
    let (compiled, digest) = file.split_at_checked(file.len().checked_sub(DIGEST_BYTES)?)?;
    if Sha256::digest(compiled).as_slice() != digest {
        tracing::warn!(path = %path.display(), "A compiled plugin was damaged on disk and is compiled again");
        return None;
    }
    let revived = revive(engine, compiled);
    if let Err(error) = &revived {
        tracing::warn!(path = %path.display(), error = %format!("{error:#}"), "A compiled plugin was not accepted and is compiled again");
    }
    revived.ok()
}

fn revive(engine: &Engine, compiled: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `deserialize` asks for bytes that `precompile_component` made, unchanged. They come either straight from
    // it, or from a file of ours whose digest matches; the cache folder is writable for the server only, and plugins
    // are accepted as WebAssembly only, never as compiled code.
    unsafe { Component::deserialize(engine, compiled) }
}

/// Writes beside and renames: a reader sees a whole file or none.
fn write(path: &Path, compiled: &[u8]) -> std::io::Result<()> {
    let beside = beside(path);
    let mut file = std::fs::File::create(&beside)?;
    file.write_all(compiled)?;
    file.write_all(&Sha256::digest(compiled))?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

fn beside(path: &Path) -> PathBuf {
    // Two processes may compile the same plugin at once; each writes a file of its own.
    let mark = hex(&rand::random::<[u8; 8]>());
    path.with_extension(format!("{mark}.part"))
}
