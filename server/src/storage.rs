//! The bytes of uploads: one file each under its own hash, in the data folder.

use std::path::{Path, PathBuf};

use confab_core::{Fault, Result};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

/// See the module.
#[derive(Clone)]
pub struct Storage {
    folder: PathBuf,
    most: u64,
}

/// Bytes that are stored.
pub struct Stored {
    /// In hex.
    pub sha256: String,
    /// In bytes.
    pub size: u64,
    /// Found from the bytes.
    pub file_type: &'static str,
}

impl Storage {
    /// Keeps files under `data_dir`/files, at most `most` bytes each.
    #[must_use]
    pub fn new(data_dir: &Path, most: u64) -> Self {
        Self { folder: data_dir.join("files"), most }
    }

    /// Keeps people's pictures under `data_dir`/pictures.
    #[must_use]
    pub fn pictures(data_dir: &Path, most: u64) -> Self {
        Self { folder: data_dir.join("pictures"), most }
    }

    /// Where the bytes of that hash lie. The hash is ours, never a name that someone sent.
    #[must_use]
    pub fn path(&self, sha256: &str) -> PathBuf {
        self.folder.join(&sha256[..2.min(sha256.len())]).join(sha256)
    }

    /// Stores a stream: first under a temporary name, then under its hash, so that half a file is never found.
    ///
    /// # Errors
    /// [`Fault::Invalid`] in `file` for none or too many bytes, [`Fault::Full`] when the disk is.
    pub async fn put(&self, mut from: impl AsyncRead + Unpin) -> Result<Stored> {
        tokio::fs::create_dir_all(&self.folder).await.map_err(disk)?;
        let temporary = self.folder.join(format!("upload-{}", uuid::Uuid::new_v4()));
        let stored = self.write(&temporary, &mut from).await;
        let stored = match stored {
            Ok(stored) => stored,
            Err(fault) => {
                let _ = tokio::fs::remove_file(&temporary).await;
                return Err(fault);
            }
        };
        let path = self.path(&stored.sha256);
        if let Some(folder) = path.parent() {
            tokio::fs::create_dir_all(folder).await.map_err(disk)?;
        }
        tokio::fs::rename(&temporary, &path).await.map_err(disk)?;
        Ok(stored)
    }

    async fn write(&self, path: &Path, from: &mut (impl AsyncRead + Unpin)) -> Result<Stored> {
        let mut file = tokio::fs::File::create(path).await.map_err(disk)?;
        let (mut hash, mut size) = (Sha256::new(), 0_u64);
        let mut first: Vec<u8> = Vec::new();
        let mut part = vec![0_u8; 64 * 1_024];
        loop {
            let read =
                from.read(&mut part).await.map_err(|_| Fault::invalid("file", "the upload broke off"))?;
            if read == 0 {
                break;
            }
            size += read as u64;
            if size > self.most {
                return Err(Fault::invalid("file", format!("has more than {} bytes", self.most)));
            }
            if first.len() < 8_192 {
                first.extend_from_slice(&part[..read.min(8_192)]);
            }
            hash.update(&part[..read]);
            file.write_all(&part[..read]).await.map_err(disk)?;
        }
        if size == 0 {
            return Err(Fault::invalid("file", "is empty"));
        }
        file.sync_all().await.map_err(disk)?;
        let file_type = infer::get(&first).map_or_else(
            || {
                if std::str::from_utf8(&first[..first.len().min(1_024)]).is_ok() {
                    "text/plain"
                } else {
                    "application/octet-stream"
                }
            },
            |found| found.mime_type(),
        );
        Ok(Stored { sha256: confab_core::text::hex(&hash.finalize()), size, file_type })
    }
}

#[allow(clippy::needless_pass_by_value)] // the form that `map_err` calls
fn disk(error: std::io::Error) -> Fault {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Fault::Full,
        _ => Fault::Internal(format!("storing a file: {error}")),
    }
}
