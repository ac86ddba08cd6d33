//! Pictures of people and reactions on their way into the store: their bytes are promised before they are put, so that
//! whatever happens in between, the sweep finds what nothing came to show.

use confab_core::files::{objects, pictures};
use confab_core::{FutureExt, Result, text};
use sha2::{Digest, Sha256};

use crate::state::App;

/// Puts a picture under a name that nothing had before, and answers the name.
pub async fn put(app: &App, bytes: Vec<u8>) -> Result<String> {
    let name = pictures::new_name(&text::hex(&Sha256::digest(&bytes)));
    let key = pictures::key(&name);
    let promised = [key.clone()];
    app.db.write(move |tx| async move { objects::promise(tx, &promised).await }.boxed()).await?;
    let stored = app.storage.put(&key, bytes).await;
    if stored.is_err() {
        withdraw(app, &name).await;
    }
    stored.map(|()| name)
}

/// Gives up a picture that nothing came to show. When that fails too, the promise runs out by itself: what is told is why
/// it was not shown.
pub async fn withdraw(app: &App, name: &str) {
    let key = pictures::key(name);
    let done = app.db.write(move |tx| async move { objects::withdraw(tx, &[key]).await }.boxed()).await;
    match done {
        Ok(()) => app.file_care.went(),
        Err(fault) => tracing::debug!(%fault, "bytes that nothing names stay until their promise ends"),
    }
}
