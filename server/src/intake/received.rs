//! Bytes on their way in: counted, hashed and written to a temporary file, which goes with the value that owns it.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use confab_core::{Fault, Result, text};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use super::receiving::Receipt;
use crate::storage::disk;

/// So many bytes come within [`WAITED`], or the upload ends: who sends a byte a second holds a place and never comes to
/// an end.
const LEAST_BYTES: u64 = 64 << 10;
/// What is waited for them. Time in which the server writes does not count.
const WAITED: Duration = Duration::from_secs(30);
/// What an upload takes at most: 50 MiB at 60 kilobits a second. What is left of older ones belongs to nobody.
pub(super) const LONGEST: Duration = Duration::from_hours(2);
/// From so many bytes the type is found.
const HEAD_BYTES: usize = 8_192;
/// Of what is refused, so much is still taken, and kept nowhere: a client that still writes when the connection closes
/// sees a broken connection and never the answer that says why.
pub const DISCARDED_BYTES: u64 = 64 << 20;
const DISCARD_WITHIN: Duration = Duration::from_secs(5);
const TOO_SLOW: &str = "the upload brings too few bytes to be waited for";

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
    /// What it holds of its sender's quota, and their place.
    pub receipt: Option<Receipt>,
}

/// How fast bytes come.
struct Pace {
    came: u64,
    waited: Duration,
    ends: Instant,
}

impl Pace {
    fn new() -> Self {
        Self { came: 0, waited: Duration::ZERO, ends: Instant::now() + LONGEST }
    }

    async fn read(&mut self, from: &mut (impl AsyncRead + Unpin), into: &mut [u8]) -> Result<usize> {
        let began = Instant::now();
        let until = (began + WAITED.saturating_sub(self.waited)).min(self.ends);
        let read = tokio::time::timeout_at(until, from.read(into)).await;
        let read = read.map_err(|_| Fault::TooSlow(TOO_SLOW))?;
        let read = read.map_err(|_| Fault::invalid("file", "the upload broke off"))?;
        self.came += read as u64;
        self.waited += began.elapsed();
        if self.came >= LEAST_BYTES {
            (self.came, self.waited) = (0, Duration::ZERO);
        }
        Ok(read)
    }
}

impl Received {
    /// Reads a stream to its end.
    ///
    /// # Errors
    /// [`Fault::TooLarge`] as soon as `most` bytes or the quota of the receipt are passed; [`Fault::Invalid`] in `file`
    /// for none, and for a stream that breaks off; [`Fault::TooSlow`]; [`Fault::Full`].
    pub async fn read(
        folder: &Path,
        mut from: impl AsyncRead + Unpin,
        most: u64,
        mut receipt: Option<Receipt>,
    ) -> Result<Self> {
        let bytes = Temporary::new(folder);
        let mut file = tokio::fs::File::create(bytes.path()).await.map_err(disk)?;
        let (mut hash, mut size, mut head) = (Sha256::new(), 0_u64, Vec::new());
        let (mut part, mut pace) = (vec![0_u8; 64 * 1_024], Pace::new());
        loop {
            let read = pace.read(&mut from, &mut part).await?;
            if read == 0 {
                break;
            }
            size += read as u64;
            let counted = match &mut receipt {
                _ if size > most => {
                    Err(Fault::too_large("too_large", format!("a file has at most {most} bytes")))
                }
                Some(receipt) => receipt.arrived(read as u64),
                None => Ok(()),
            };
            if let Err(fault) = counted {
                drop((file, bytes, receipt));
                discard(from).await;
                return Err(fault);
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
        Ok(Self { bytes, sha256: text::hex(&hash.finalize()), size, head, receipt })
    }
}

/// Takes a little of what is refused, see [`DISCARDED_BYTES`].
pub async fn discard(from: impl AsyncRead + Unpin) {
    let mut rest = from.take(DISCARDED_BYTES);
    let _ = tokio::time::timeout(DISCARD_WITHIN, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
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
