//! How bytes that somebody sends become a file: received into a temporary file, looked at, encoded anew where they are a
//! picture, stored once for all equal ones, recorded.

mod received;
mod receiving;
mod sniff;

use std::path::Path;

use bytes::Bytes;
use confab_core::files::objects::{self, Keys};
use confab_core::files::{self, Measures, NewFile};
use confab_core::{Db, Fault, FutureExt, Result, sessions, uploads};
use confab_protocol::{File, SessionId, UserId};
use uuid::Uuid;

pub use received::{DISCARDED_BYTES, Received, Temporary, discard};
pub use receiving::{Receipt, Receiving};

use crate::images::{self, Image};
use crate::state::App;
use crate::storage::Storage;

/// Tries to record a file whose bytes were swept in between.
const TRIES: usize = 3;

/// A received file, ready to be stored.
struct Prepared {
    bytes: Temporary,
    sha256: String,
    size: u64,
    file_type: String,
    picture: Option<(Measures, Bytes)>,
    /// Held until the record counts the file.
    receipt: Option<Receipt>,
}

/// Who uploads, and how.
pub struct Sender {
    /// Whose file it will be.
    pub user: UserId,
    /// It must be live when the file is recorded: an upload takes long enough to be signed out.
    pub session: SessionId,
    /// The upload in parts that this completes.
    pub upload: Option<Uuid>,
}

/// Makes a file of what was received.
///
/// # Errors
/// Those of [`files::create`]; [`Fault::Busy`] while too many pictures are being decoded; [`Fault::Full`] and
/// [`Fault::Unavailable`] of the store.
pub async fn keep(app: &App, sender: &Sender, filename: String, received: Received) -> Result<File> {
    let mut prepared = prepare(app, sender.user, received).await?;
    let quota = i64::try_from(app.settings.upload_quota_bytes).unwrap_or(i64::MAX);
    let mut tried = 0;
    loop {
        tried += 1;
        let known = objects::known_to(&mut app.db.read(), sender.user, &prepared.sha256).await?;
        let file = store(&app.db, &app.storage, &prepared, known, filename.clone()).await?;
        let stored = file.keys.clone();
        let recorded = record(&app.db, sender, file, quota).await;
        match recorded {
            Ok(file) => {
                if let Some(receipt) = &mut prepared.receipt {
                    receipt.recorded(prepared.size);
                }
                app.file_care.came();
                return Ok(file);
            }
            Err(fault) => {
                withdraw(&app.db, stored).await;
                match fault {
                    Fault::Conflict { code: objects::BYTES_GONE, .. } if tried < TRIES => {}
                    Fault::Conflict { code: objects::BYTES_GONE, .. } => return Err(Fault::Busy),
                    fault => return Err(fault),
                }
            }
        }
    }
}

async fn record(db: &Db, sender: &Sender, file: NewFile, quota: i64) -> Result<File> {
    let &Sender { user, session, upload } = sender;
    db.write(move |tx| {
        async move {
            sessions::live(tx, session).await?;
            if let Some(upload) = upload {
                uploads::make_room(tx, upload).await?;
            }
            let file = files::create(tx, user, file, quota).await?;
            if let Some(upload) = upload {
                uploads::complete(tx, upload, file.id).await?;
            }
            Ok(file)
        }
        .boxed()
    })
    .await
}

/// Stores bytes for a record that the caller writes: for what a command brings in.
///
/// # Errors
/// [`Fault::Full`], [`Fault::Unavailable`].
pub async fn bring_in(db: &Db, storage: &Storage, filename: String, bytes: &[u8]) -> Result<NewFile> {
    let received = Received::read(storage.temporary(), bytes, bytes.len() as u64, None).await?;
    let prepared = look_at(received).await?;
    let known = objects::known(&mut db.read(), &prepared.sha256).await?;
    store(db, storage, &prepared, known, filename).await
}

async fn prepare(app: &App, user: UserId, received: Received) -> Result<Prepared> {
    if !images::is_candidate(sniff::file_type(&received.head)) {
        return look_at(received).await;
    }
    let _place = app.picture_places.take(user, images::WAIT).await?;
    look_at(received).await
}

/// Finds out what the bytes are. A picture that cannot be decoded is some bytes and nothing more.
async fn look_at(received: Received) -> Result<Prepared> {
    let file_type = sniff::file_type(&received.head);
    if !images::is_candidate(file_type) {
        let Received { bytes, sha256, size, receipt, .. } = received;
        return Ok(Prepared { bytes, sha256, size, file_type: file_type.to_owned(), picture: None, receipt });
    }
    tokio::task::spawn_blocking(move || {
        let target = received.bytes.sibling();
        let file_type = sniff::file_type(&received.head);
        match images::encode_anew(received.bytes.path(), target.path(), file_type)? {
            Some(image) => of_image(target, image, file_type, received.receipt),
            None => Ok(Prepared {
                bytes: received.bytes,
                sha256: received.sha256,
                size: received.size,
                file_type: sniff::UNKNOWN.to_owned(),
                picture: None,
                receipt: received.receipt,
            }),
        }
    })
    .await
    .map_err(Fault::internal)?
}

fn of_image(bytes: Temporary, image: Image, file_type: &str, receipt: Option<Receipt>) -> Result<Prepared> {
    let (sha256, size) = received::measure(bytes.path())?;
    let measures =
        Measures { width: i64::from(image.width), height: i64::from(image.height), blurhash: image.blurhash };
    let picture = Some((measures, image.thumbnail.into()));
    Ok(Prepared { bytes, sha256, size, file_type: file_type.to_owned(), picture, receipt })
}

/// Puts the bytes where nobody finds them yet, unless equal ones are known to be there.
async fn store(
    db: &Db,
    storage: &Storage,
    prepared: &Prepared,
    known: Option<Keys>,
    filename: String,
) -> Result<NewFile> {
    let is_enough = known.is_some_and(|keys| prepared.picture.is_none() || keys.thumbnail.is_some());
    let keys = if is_enough { None } else { Some(put(db, storage, prepared).await?) };
    Ok(NewFile {
        filename,
        has_text: sniff::has_text(&prepared.file_type),
        file_type: prepared.file_type.clone(),
        file_size: i64::try_from(prepared.size).unwrap_or(i64::MAX),
        sha256: prepared.sha256.clone(),
        measures: prepared.picture.as_ref().map(|(measures, _)| measures.clone()),
        keys,
    })
}

async fn put(db: &Db, storage: &Storage, prepared: &Prepared) -> Result<Keys> {
    let key = Storage::new_key("files", &prepared.sha256);
    let keys = Keys { thumbnail: prepared.picture.as_ref().map(|_| format!("{key}-small")), key };
    let promised = all(&keys);
    db.write(move |tx| async move { objects::promise(tx, &promised).await }.boxed()).await?;
    let done = put_under(storage, &keys, prepared).await;
    if done.is_err() {
        withdraw(db, Some(keys.clone())).await;
    }
    done.map(|()| keys)
}

async fn put_under(storage: &Storage, keys: &Keys, prepared: &Prepared) -> Result<()> {
    if let (Some(key), Some((_, thumbnail))) = (&keys.thumbnail, &prepared.picture) {
        storage.put(key, thumbnail.clone()).await?;
    }
    storage.put_file(&keys.key, prepared.bytes.path()).await
}

fn all(keys: &Keys) -> Vec<String> {
    std::iter::once(keys.key.clone()).chain(keys.thumbnail.clone()).collect()
}

/// Gives up what was put for nothing. When that fails too, the promise runs out by itself.
async fn withdraw(db: &Db, keys: Option<Keys>) {
    let Some(keys) = keys else { return };
    let done = db.write(move |tx| async move { objects::withdraw(tx, &all(&keys)).await }.boxed()).await;
    if let Err(fault) = done {
        tracing::debug!(%fault, "bytes that nothing names stay until their promise ends");
    }
}

/// Removes what an earlier process was receiving when it was killed.
pub fn clear(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let age = entry.metadata().and_then(|it| it.modified()).ok().and_then(|it| it.elapsed().ok());
        // A younger one may belong to another server with the same folder.
        if age.is_some_and(|age| age > received::LONGEST) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
