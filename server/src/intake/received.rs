//! Bytes on their way in: counted, hashed and written to a temporary file, which goes with the value that owns it.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use confab_core::{Fault, Result, text};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use crate::storage::disk;

/// Who sends nothing for this long is not listened to any more.
const SILENCE: Duration = Duration::from_secs(30);
/// What an upload takes at most: 50 MiB at 60 kilobits a second. What is left of older ones belongs to nobody.
pub(super) const LONGEST: Duration = Duration::from_hours(2);
/// From so many bytes the type is found.
const HEAD_BYTES: usize = 8_192;
/// Of what is too large, so much is still taken: a client that still writes when the connection closes sees a broken
/// connection and never the answer that says why.
const DISCARDED_BYTES: u64 = 2 << 20;
const DISCARD_WITHIN: Duration = Duration::from_secs(2);

/// A file that is removed when this is dropped.
pub struct Temporary(PathBuf);

impl Temporary {
    /// A name in `folder` that nobody has.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self(folder.join(format!("upload-{}", uuid::Uuid::new_v4())))
    }

    /// Another one beside it.
    #[must_use]
    pub fn sibling(&self) -> Self {
        Self::new(self.0.parent().unwrap_or(Path::new(".")))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A whole file that came in.
pub struct Received {
    /// Its bytes.
    pub bytes: Temporary,
    /// In hex.
    pub sha256: String,
    /// In bytes.
    pub size: u64,
    /// How it begins.
    pub head: Vec<u8>,
}

impl Received {
    /// Reads a stream to its end.
    ///
    /// # Errors
    /// [`Fault::TooLarge`] as soon as `most` bytes are passed; [`Fault::Invalid`] in `file` for none, and for a stream
    /// that breaks off or stands still; [`Fault::Full`].
    pub async fn read(folder: &Path, mut from: impl AsyncRead + Unpin, most: u64) -> Result<Self> {
        let bytes = Temporary::new(folder);
        let mut file = tokio::fs::File::create(bytes.path()).await.map_err(disk)?;
        let (mut hash, mut size, mut head) = (Sha256::new(), 0_u64, Vec::new());
        let (mut part, ends) = (vec![0_u8; 64 * 1_024], Instant::now() + LONGEST);
        loop {
            let next = (Instant::now() + SILENCE).min(ends);
            let read = tokio::time::timeout_at(next, from.read(&mut part)).await;
            let read = read.ok().and_then(std::result::Result::ok);
            let read = read.ok_or_else(|| Fault::invalid("file", "the upload broke off"))?;
            if read == 0 {
                break;
            }
            size += read as u64;
            if size > most {
                drop((file, bytes));
                let mut rest = from.take(DISCARDED_BYTES);
                let sink = &mut tokio::io::sink();
                let _ = tokio::time::timeout(DISCARD_WITHIN, tokio::io::copy(&mut rest, sink)).await;
                return Err(Fault::too_large("too_large", format!("a file has at most {most} bytes")));
            }
            let wanted = (HEAD_BYTES - head.len()).min(read);
            head.extend_from_slice(&part[..wanted]);
            hash.update(&part[..read]);
            file.write_all(&part[..read]).await.map_err(disk)?;
        }
        file.flush().await.map_err(disk)?;
        if size == 0 {
            return Err(Fault::invalid("file", "is empty"));
        }
        Ok(Self { bytes, sha256: text::hex(&hash.finalize()), size, head })
    }
}

/// Hash and size of a file. Blocking.
pub(super) fn measure(path: &Path) -> Result<(String, u64)> {
    let mut file = std::fs::File::open(path).map_err(disk)?;
    let (mut hash, mut size, mut part) = (Sha256::new(), 0_u64, vec![0_u8; 64 * 1_024]);
    loop {
        let read = file.read(&mut part).map_err(disk)?;
        if read == 0 {
            return Ok((text::hex(&hash.finalize()), size));
        }
        hash.update(&part[..read]);
        size += read as u64;
    }
}
