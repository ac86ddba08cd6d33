//! Uploads in parts: what breaks off goes on where it stopped, at whichever server.

use bytes::Bytes;
use confab_core::files::{self, objects};
use confab_core::uploads::{self, Completing, Progress};
use confab_core::{Fault, FutureExt, Result};
use confab_protocol::{File, FileId, Timestamp, UserId};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use poem::Body;
use poem_openapi::param::{Header, Path};
use poem_openapi::payload::{Binary, Json};
use poem_openapi::{ApiResponse, Object, OpenApi};
use tokio_util::io::StreamReader;
use uuid::Uuid;

use super::auth::{Bearer, Done};
use super::strict::Text;
use super::{Answer, Area, app};
use crate::http::problem::ApiError;
use crate::intake::{self, Receipt, Received, Sender, discard};
use crate::state::App;
use crate::storage::Storage;

/// Largest part.
pub const PART_BYTES: u64 = 8 << 20;

/// A file that is about to be sent.
#[derive(Debug, Object)]
struct NewUpload {
    filename: Text,
    /// In bytes.
    size: i64,
    /// Of all bytes, in hex: checked when they are together.
    sha256: Option<Text>,
}

/// How far an upload is.
#[derive(Object)]
struct Upload {
    id: Uuid,
    filename: String,
    /// In bytes.
    size: i64,
    /// Where the next part begins.
    offset: i64,
    /// Largest part, in bytes.
    part_bytes: u64,
    /// Smallest part but the last, in bytes.
    least_part_bytes: i64,
    /// It goes then, unless another part comes.
    expires_at: Timestamp,
    /// Once it is complete.
    file_id: Option<FileId>,
}

impl From<Progress> for Upload {
    fn from(it: Progress) -> Self {
        Self {
            id: it.id,
            filename: it.filename,
            // What is complete has given its place to the file.
            size: it.file_size.max(it.received),
            offset: it.received,
            part_bytes: PART_BYTES,
            least_part_bytes: uploads::LEAST_PART_BYTES,
            expires_at: it.expires_at,
            file_id: it.file_id,
        }
    }
}

#[derive(ApiResponse)]
enum Begun {
    /// Parts may come.
    #[oai(status = 201)]
    Created(Json<Upload>),
}

#[derive(ApiResponse)]
enum Completed {
    /// It was complete before.
    #[oai(status = 200)]
    Known(Json<File>),
    /// The bytes and the record are stored.
    #[oai(status = 201)]
    Created(Json<File>),
}

pub struct Uploads(pub Option<App>);

#[OpenApi(tag = "Area::Files")]
impl Uploads {
    /// Begins an upload in parts, for large files. Its size counts against the quota at once.
    #[oai(path = "/files/uploads", method = "post")]
    async fn begin(&self, caller: Bearer, form: Json<NewUpload>) -> Answer<Begun> {
        let (app, user) = (app(&self.0)?, caller.0.user_id);
        let NewUpload { filename, size, sha256 } = form.0;
        let most = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        let limits = (most(app.settings.upload_bytes), most(app.settings.upload_quota_bytes));
        let sha256 = sha256.map(|it| it.0);
        let begun = app
            .db
            .write(move |tx| {
                async move { uploads::begin(tx, user, &filename.0, size, sha256, limits).await }.boxed()
            })
            .await?;
        Ok(Begun::Created(Json(begun.into())))
    }

    /// How far an upload is.
    #[oai(path = "/files/uploads/:id", method = "get")]
    async fn get(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Json<Upload>> {
        Ok(Json(uploads::find(&mut app(&self.0)?.db.read(), caller.0.user_id, id.0).await?.into()))
    }

    /// Sends the part that begins at `Upload-Offset`, at most `part_bytes`, and unless it is the last at least
    /// `least_part_bytes`. Where another one is wanted, the answer is 409
    /// with code `wrong_offset`, and `errors` holds the right one. Of a part that breaks off, nothing is kept.
    #[oai(path = "/files/uploads/:id", method = "patch")]
    async fn append(
        &self,
        caller: Bearer,
        id: Path<Uuid>,
        #[oai(name = "Upload-Offset")] offset: Header<i64>,
        part: Binary<Body>,
    ) -> Answer<Json<Upload>> {
        let (app, user, offset) = (app(&self.0)?, caller.0.user_id, offset.0);
        let before = uploads::find(&mut app.db.read(), user, id.0).await?;
        if before.file_id.is_some() {
            return Err(Fault::conflict("complete", "this upload is complete").into());
        }
        if before.received != offset {
            return Err(ApiError::wrong_offset(before.received));
        }
        let rest = (before.file_size - before.received).unsigned_abs();
        if rest == 0 {
            return Err(Fault::invalid("body", "every byte is there; complete the upload").into());
        }
        let most = rest.min(PART_BYTES);
        // Its bytes count since the upload began; its place does not.
        let receipt = match app.receiving.enter(user) {
            Ok(receipt) => Some(receipt),
            Err(fault) => {
                discard(part.0.into_async_read()).await;
                return Err(fault.into());
            }
        };
        let part = Received::read(app.storage.temporary(), part.0.into_async_read(), most, receipt).await?;
        uploads::check_part(&before, i64::try_from(part.size).unwrap_or(i64::MAX))?;
        if let Some(progress) = keep_part(app, user, &before, part).await? {
            return Ok(Json(progress.into()));
        }
        let now = uploads::find(&mut app.db.read(), user, id.0).await?;
        Err(ApiError::wrong_offset(now.received))
    }

    /// Makes a file of the parts. When it was done before, the same file is answered.
    #[oai(path = "/files/uploads/:id/complete", method = "post")]
    async fn complete(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Completed> {
        let (app, user, id) = (app(&self.0)?.clone(), caller.0.user_id, id.0);
        let receipt = app.receiving.enter(user)?;
        let claimed =
            app.db.write(move |tx| async move { uploads::claim(tx, user, id).await }.boxed()).await?;
        let (progress, keys) = match claimed {
            Completing::Done(file) => {
                return Ok(Completed::Known(Json(files::find(&mut app.db.read(), user, file).await?)));
            }
            Completing::Parts(progress, keys) => (progress, keys),
        };
        let sender = Sender { user, session: caller.0.session_id, upload: Some(id) };
        // It goes on when the client goes away, and the next call finds it done.
        let work = tokio::spawn(async move {
            let done = put_together(&app, &sender, progress, (keys, receipt)).await;
            match &done {
                Ok(_) => app.file_care.went(),
                Err(fault) => give_back(&app, &sender, fault).await,
            }
            done
        });
        let file = work.await.map_err(Fault::internal)??;
        Ok(Completed::Created(Json(file)))
    }

    /// Gives an upload up.
    #[oai(path = "/files/uploads/:id", method = "delete")]
    async fn delete(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Done> {
        let (user, id) = (caller.0.user_id, id.0);
        let app = app(&self.0)?;
        app.db.write(move |tx| async move { uploads::delete(tx, user, id).await }.boxed()).await?;
        app.file_care.went();
        Ok(Done::NoContent)
    }
}

/// Stores a part; `None` when another was first.
async fn keep_part(app: &App, user: UserId, before: &Progress, part: Received) -> Result<Option<Progress>> {
    let key = Storage::new_key("parts", &part.sha256);
    let promised = vec![key.clone()];
    app.db.write(move |tx| async move { objects::promise(tx, &promised).await }.boxed()).await?;
    let stored = app.storage.put_file(&key, part.bytes.path()).await;
    let (id, offset, bytes) = (before.id, before.received, i64::try_from(part.size).unwrap_or(i64::MAX));
    app.db
        .write(move |tx| {
            async move {
                match stored {
                    Ok(()) => uploads::append(tx, user, id, offset, bytes, key).await,
                    Err(fault) => {
                        objects::withdraw(tx, &[key]).await?;
                        Ok(Err(fault)?)
                    }
                }
            }
            .boxed()
        })
        .await
}

/// One file of all parts, checked against what was announced.
async fn put_together(
    app: &App,
    sender: &Sender,
    progress: Progress,
    (keys, receipt): (Vec<String>, Receipt),
) -> Result<File> {
    let size = progress.file_size.unsigned_abs();
    let parts = parts(app.storage.clone(), keys);
    let received =
        Received::read(app.storage.temporary(), StreamReader::new(parts), size, Some(receipt)).await;
    let received = received.map_err(|fault| match fault {
        // What broke off is the store's answer, and no mistake of the caller.
        Fault::Invalid { .. } | Fault::TooLarge { .. } | Fault::TooSlow(_) => {
            Fault::Unavailable("the file store")
        }
        other => other,
    })?;
    if received.size != size {
        return Err(Fault::Unavailable("the file store"));
    }
    if progress.sha256.is_some_and(|announced| announced != received.sha256) {
        return Err(Fault::invalid("sha256", "the bytes that came have another one; the upload is given up"));
    }
    intake::keep(app, sender, progress.filename, received).await
}

fn parts(storage: Storage, keys: Vec<String>) -> BoxStream<'static, std::io::Result<Bytes>> {
    futures_util::stream::iter(keys)
        .then(move |key| {
            let storage = storage.clone();
            async move {
                storage.stream(&key, None).await.map_err(|fault| std::io::Error::other(fault.to_string()))
            }
        })
        .try_flatten()
        .boxed()
}

/// After a failure: wrong bytes stay wrong, everything else may be tried again.
async fn give_back(app: &App, sender: &Sender, fault: &Fault) {
    let Some(id) = sender.upload else { return };
    let (user, is_wrong) = (sender.user, matches!(fault, Fault::Invalid { field: "sha256", .. }));
    let done = app
        .db
        .write(move |tx| {
            async move {
                if is_wrong { uploads::delete(tx, user, id).await } else { uploads::unclaim(tx, id).await }
            }
            .boxed()
        })
        .await;
    if let Err(fault) = done {
        tracing::debug!(%fault, "an upload can be completed again when its claim has ended");
    }
}
