//! Uploads and downloads.

mod download;
mod envelope;
mod form;
mod range;

use confab_core::files;
use confab_core::{Fault, FutureExt};
use confab_protocol::{File, FileId, Timestamp};
use poem_openapi::param::{Header, Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use uuid::Uuid;

use super::auth::{Bearer, Done};
use super::{Answer, Area, app, cursor};
use crate::intake::{self, Received, Sender};
use crate::state::App;
use download::{Asked, Downloaded};
pub(super) use form::FileForm;

#[derive(ApiResponse)]
enum Uploaded {
    /// The bytes and the record are stored.
    #[oai(status = 201)]
    Created(Json<File>),
}

/// How much one keeps, and may keep.
#[derive(Object)]
#[oai(rename = "Quota")]
struct Usage {
    /// Of files, and of uploads in progress.
    used_bytes: i64,
    /// Of both together.
    quota_bytes: i64,
    /// Files.
    files: i64,
}

/// A page of files.
#[derive(Object)]
struct FilePage {
    items: Vec<File>,
    next_cursor: Option<String>,
}

pub struct Files(pub Option<App>);

#[OpenApi(tag = "Area::Files")]
impl Files {
    /// Uploads a file; a message may then carry it. A PNG, JPEG, GIF or WebP picture is encoded anew, without what its
    /// file said of where and with what it was taken.
    #[oai(path = "/files/upload", method = "post")]
    async fn upload(&self, caller: Bearer, form: FileForm) -> Answer<Uploaded> {
        let app = app(&self.0)?;
        let user = caller.0.user_id;
        let (declared, quota) = (form.least_file_bytes(), app.settings.upload_quota_bytes);
        let receipt = match app.receiving.begin(&app.db, user, declared, quota).await {
            Ok(receipt) => Some(receipt),
            Err(fault) => {
                form.discard().await;
                return Err(fault.into());
            }
        };
        let (filename, field) = form.file().await?;
        let folder = app.storage.temporary();
        let bytes = std::pin::pin!(field.into_async_read());
        let received = Received::read(folder, bytes, app.settings.upload_bytes, receipt).await?;
        let sender = Sender { user, session: caller.0.session_id, upload: None };
        Ok(Uploaded::Created(Json(intake::keep(app, &sender, filename, received).await?)))
    }

    /// What is known of a file.
    #[oai(path = "/files/:id", method = "get")]
    async fn get(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Json<File>> {
        Ok(Json(files::find(&mut app(&self.0)?.db.read(), caller.0.user_id, FileId(id.0)).await?))
    }

    /// Deletes one's own file. The message that carries it is shown without it.
    #[oai(path = "/files/:id", method = "delete")]
    async fn delete(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Done> {
        let (user, id) = (caller.0.user_id, FileId(id.0));
        let app = app(&self.0)?;
        app.db.write(move |tx| async move { files::delete(tx, user, id).await }.boxed()).await?;
        app.file_care.went();
        Ok(Done::NoContent)
    }

    /// The bytes, as an attachment: what someone uploaded never runs in our origin. `inline=1` asks for a picture that
    /// was encoded anew as a picture; for anything else it changes nothing. One range is answered, several are not.
    #[oai(path = "/files/:id/download", method = "get")]
    async fn download(
        &self,
        caller: Bearer,
        id: Path<Uuid>,
        inline: Query<Option<u8>>,
        #[oai(name = "Range")] range: Header<Option<String>>,
        #[oai(name = "If-Range")] if_range: Header<Option<String>>,
        #[oai(name = "If-None-Match")] if_none_match: Header<Option<String>>,
    ) -> Answer<Downloaded> {
        let app = app(&self.0)?;
        app.limits.download(caller.0.user_id)?;
        let file = files::find(&mut app.db.read(), caller.0.user_id, FileId(id.0)).await?;
        let asked = Asked {
            range: range.0,
            if_range: if_range.0,
            if_none_match: if_none_match.0,
            is_inline: inline.0.is_some_and(|it| it != 0),
        };
        download::whole(app, &file, asked).await
    }

    /// A picture in at most 480 pixels.
    #[oai(path = "/files/:id/thumbnail", method = "get")]
    async fn thumbnail(
        &self,
        caller: Bearer,
        id: Path<Uuid>,
        #[oai(name = "If-None-Match")] if_none_match: Header<Option<String>>,
    ) -> Answer<Downloaded> {
        let app = app(&self.0)?;
        app.limits.download(caller.0.user_id)?;
        let file = files::find(&mut app.db.read(), caller.0.user_id, FileId(id.0)).await?;
        if file.width.is_none() {
            return Err(Fault::NotFound("thumbnail").into());
        }
        download::small(app, &file, if_none_match.0).await
    }

    /// One's own files, the newest first.
    #[oai(path = "/users/me/files", method = "get")]
    async fn own(
        &self,
        caller: Bearer,
        limit: Query<Option<i64>>,
        cursor: Query<Option<String>>,
    ) -> Answer<Json<FilePage>> {
        let limit = cursor::limit(limit.0)?;
        let before = cursor::decode::<(Timestamp, FileId)>(cursor.0.as_deref())?;
        let items = files::own(&mut app(&self.0)?.db.read(), caller.0.user_id, before, limit).await?;
        let last = items.last().filter(|_| items.len() == limit as usize);
        let next_cursor = last.and_then(|file| cursor::encode(&(file.created_at, file.id)));
        Ok(Json(FilePage { items, next_cursor }))
    }

    /// How much the caller keeps.
    #[oai(path = "/users/me/quota", method = "get")]
    async fn quota(&self, caller: Bearer) -> Answer<Json<Usage>> {
        let app = app(&self.0)?;
        let usage = files::usage(&mut app.db.read(), caller.0.user_id).await?;
        Ok(Json(Usage {
            used_bytes: usage.used_bytes,
            quota_bytes: i64::try_from(app.settings.upload_quota_bytes).unwrap_or(i64::MAX),
            files: usage.files,
        }))
    }
}
