//! The bytes of uploads and of people's pictures: in a folder or in an S3-compatible bucket, under keys of ours.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use confab_core::config::{BucketAccess, FilesPlace};
use confab_core::{Fault, Result, Settings};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::prefix::PrefixStore;
use object_store::{
    ClientOptions, GetOptions, GetRange, ObjectStore, ObjectStoreExt, RetryConfig, WriteMultipart,
};
use tokio::io::AsyncReadExt;

/// Pieces in which a large object is written: S3 takes none below 5 MiB but the last.
const PIECE_BYTES: usize = 8 << 20;
/// Pieces of one object on their way at once.
const PIECES: usize = 2;
/// A bucket that does not answer within this time is tried again, and then given up.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);
const CONNECTS_WITHIN: Duration = Duration::from_secs(3);

/// See the module. Cheap to clone.
#[derive(Clone)]
pub struct Storage {
    store: Arc<dyn ObjectStore>,
    temporary: PathBuf,
}

impl Storage {
    /// Opens what the settings name.
    ///
    /// # Errors
    /// [`Fault::Invalid`] in `settings` for a place that cannot be used.
    pub fn open(settings: &Settings) -> Result<Self> {
        let store: Arc<dyn ObjectStore> = match &settings.files {
            FilesPlace::DataFolder => Arc::new(folder(&settings.data_dir)?),
            FilesPlace::Folder(path) => Arc::new(folder(path)?),
            FilesPlace::Bucket { bucket, prefix } if prefix.is_empty() => {
                Arc::new(self::bucket(bucket, &settings.bucket)?)
            }
            FilesPlace::Bucket { bucket, prefix } => {
                Arc::new(PrefixStore::new(self::bucket(bucket, &settings.bucket)?, prefix.as_str()))
            }
        };
        if settings.is_scaled() && settings.files == FilesPlace::DataFolder {
            tracing::warn!("files_url is not set: this server's files are unknown to the others");
        }
        let temporary = settings.data_dir.join("temporary");
        std::fs::create_dir_all(&temporary).map_err(disk)?;
        Ok(Self { store, temporary })
    }

    /// Where this server keeps what it is receiving.
    #[must_use]
    pub fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// A key that was never used: `kind` is `files` or `parts`. A sweep that removes an older object with equal bytes
    /// must not meet this one.
    #[must_use]
    pub fn new_key(kind: &str, sha256: &str) -> String {
        format!("{kind}/{}/{sha256}-{}", &sha256[..2.min(sha256.len())], uuid::Uuid::new_v4().simple())
    }

    /// Stores a few bytes.
    ///
    /// # Errors
    /// [`Fault::Full`], [`Fault::Unavailable`].
    pub async fn put(&self, key: &str, bytes: impl Into<Bytes>) -> Result<()> {
        self.store.put(&read_key(key)?, bytes.into().into()).await.map_err(|error| fault(&error))?;
        Ok(())
    }

    /// Stores a file, piece by piece: nothing is found under the key before all of it is there.
    ///
    /// # Errors
    /// [`Fault::Full`], [`Fault::Unavailable`].
    pub async fn put_file(&self, key: &str, path: &Path) -> Result<()> {
        let mut from = tokio::fs::File::open(path).await.map_err(disk)?;
        let mut piece = Vec::with_capacity(64 * 1_024);
        (&mut from).take(PIECE_BYTES as u64).read_to_end(&mut piece).await.map_err(disk)?;
        if piece.len() < PIECE_BYTES {
            return self.put(key, piece).await;
        }
        let upload = self.store.put_multipart(&read_key(key)?).await.map_err(|error| fault(&error))?;
        let mut write = WriteMultipart::new_with_chunk_size(upload, PIECE_BYTES);
        let sent = send_pieces(&mut write, piece, from).await;
        if let Err(failed) = sent {
            // Pieces that are left behind cost money in a bucket until somebody looks.
            let _ = write.abort().await;
            return Err(failed);
        }
        write.finish().await.map_err(|error| fault(&error))?;
        Ok(())
    }

    /// The bytes from `from` up to `to`, as a stream.
    ///
    /// # Errors
    /// [`Fault::NotFound`] when nothing is there, [`Fault::Unavailable`].
    pub async fn stream(
        &self,
        key: &str,
        range: Option<std::ops::Range<u64>>,
    ) -> Result<BoxStream<'static, std::io::Result<Bytes>>> {
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        let found = self.store.get_opts(&read_key(key)?, options).await.map_err(|error| fault(&error))?;
        Ok(found.into_stream().map_err(std::io::Error::other).boxed())
    }

    /// All bytes of something small.
    ///
    /// # Errors
    /// [`Fault::NotFound`] when nothing is there, [`Fault::Unavailable`].
    pub async fn read(&self, key: &str) -> Result<Bytes> {
        let found = self.store.get(&read_key(key)?).await.map_err(|error| fault(&error))?;
        found.bytes().await.map_err(|error| fault(&error))
    }

    /// Removes what lies under a key; what is gone already is as good.
    ///
    /// # Errors
    /// [`Fault::Unavailable`].
    pub async fn remove(&self, key: &str) -> Result<()> {
        match self.store.delete(&read_key(key)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(fault(&error)),
        }
    }
}

async fn send_pieces(write: &mut WriteMultipart, first: Vec<u8>, mut from: tokio::fs::File) -> Result<()> {
    let mut piece = first;
    while !piece.is_empty() {
        write.wait_for_capacity(PIECES).await.map_err(|error| fault(&error))?;
        write.put(Bytes::from(piece));
        piece = Vec::with_capacity(PIECE_BYTES);
        (&mut from).take(PIECE_BYTES as u64).read_to_end(&mut piece).await.map_err(disk)?;
    }
    Ok(())
}

fn folder(path: &Path) -> Result<LocalFileSystem> {
    let unusable = |error: String| Fault::invalid("settings", format!("files: {}: {error}", path.display()));
    std::fs::create_dir_all(path).map_err(|error| unusable(error.to_string()))?;
    // What is acknowledged survives a power failure.
    LocalFileSystem::new_with_prefix(path)
        .map(|store| store.with_fsync(true))
        .map_err(|error| unusable(error.to_string()))
}

fn bucket(name: &str, access: &BucketAccess) -> Result<object_store::aws::AmazonS3> {
    // No limit for a whole answer: a download lasts as long as the client takes to read it.
    let client = ClientOptions::new()
        .with_timeout_disabled()
        .with_connect_timeout(CONNECTS_WITHIN)
        .with_read_timeout(ANSWERS_WITHIN)
        .with_allow_http(access.allow_http);
    let retry = RetryConfig { max_retries: 3, retry_timeout: ANSWERS_WITHIN, ..RetryConfig::default() };
    let mut builder =
        AmazonS3Builder::from_env().with_client_options(client).with_retry(retry).with_bucket_name(name);
    for (value, set) in [
        (&access.region, AmazonS3Builder::with_region as fn(AmazonS3Builder, String) -> AmazonS3Builder),
        (&access.endpoint, AmazonS3Builder::with_endpoint),
        (&access.access_key_id, AmazonS3Builder::with_access_key_id),
        (&access.secret_access_key.0, AmazonS3Builder::with_secret_access_key),
        (&access.session_token.0, AmazonS3Builder::with_token),
    ] {
        if !value.is_empty() {
            builder = set(builder, value.clone());
        }
    }
    builder.build().map_err(|error| Fault::invalid("settings", format!("files_url: {error}")))
}

fn read_key(key: &str) -> Result<Key> {
    Key::parse(key).map_err(Fault::internal)
}

fn fault(error: &object_store::Error) -> Fault {
    if matches!(error, object_store::Error::NotFound { .. }) {
        return Fault::NotFound("file");
    }
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if let Some(inner) = inner.downcast_ref::<std::io::Error>()
            && is_full(inner)
        {
            return Fault::Full;
        }
        cause = inner.source();
    }
    tracing::warn!(%error, "the file store failed");
    Fault::Unavailable("the file store")
}

fn is_full(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
}

#[allow(clippy::needless_pass_by_value)] // the form that `map_err` calls
pub(crate) fn disk(error: std::io::Error) -> Fault {
    if is_full(&error) { Fault::Full } else { Fault::Internal(format!("storing a file: {error}")) }
}
