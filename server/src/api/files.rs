//! Uploads and downloads.

use confab_core::files::{self, NewFile};
use confab_core::{Fault, FutureExt};
use confab_protocol::{File, FileId};
use poem_openapi::param::Path;
use poem_openapi::payload::{Attachment, AttachmentType, Json, Response};
use poem_openapi::types::multipart::Upload;
use poem_openapi::{ApiResponse, Multipart, OpenApi};
use uuid::Uuid;

use super::auth::{Bearer, Done};
use super::{Answer, Area, app};
use crate::state::App;

#[derive(Debug, Multipart)]
struct UploadForm {
    file: Upload,
}

#[derive(ApiResponse)]
enum Uploaded {
    /// The bytes and the record are stored.
    #[oai(status = 201)]
    Created(Json<File>),
}

pub struct Files(pub Option<App>);

#[OpenApi(tag = "Area::Files")]
impl Files {
    /// Uploads a file; a message may then carry it.
    #[oai(path = "/files/upload", method = "post")]
    async fn upload(&self, caller: Bearer, form: UploadForm) -> Answer<Uploaded> {
        let app = app(&self.0)?;
        let user = caller.0.user_id;
        let filename = form.file.file_name().unwrap_or("file").to_owned();
        let stored = app.storage.put(form.file.into_async_read()).await?;
        let file = NewFile {
            filename,
            file_type: stored.file_type.into(),
            file_size: i64::try_from(stored.size).unwrap_or(i64::MAX),
            sha256: stored.sha256,
        };
        let file = app.db.write(move |tx| async move { files::create(tx, user, file).await }.boxed()).await?;
        Ok(Uploaded::Created(Json(file)))
    }

    /// What is known of a file.
    #[oai(path = "/files/:id", method = "get")]
    async fn get(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Json<File>> {
        Ok(Json(files::find(&mut app(&self.0)?.db.read(), caller.0.user_id, FileId(id.0)).await?))
    }

    /// Deletes one's own file.
    #[oai(path = "/files/:id", method = "delete")]
    async fn delete(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Done> {
        let (user, id) = (caller.0.user_id, FileId(id.0));
        app(&self.0)?.db.write(move |tx| async move { files::delete(tx, user, id).await }.boxed()).await?;
        Ok(Done::NoContent)
    }

    /// The bytes, always as an attachment: what someone uploaded never runs in our origin.
    #[oai(path = "/files/:id/download", method = "get")]
    async fn download(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Response<Attachment<poem::Body>>> {
        let app = app(&self.0)?;
        let file = files::find(&mut app.db.read(), caller.0.user_id, FileId(id.0)).await?;
        let bytes = tokio::fs::File::open(app.storage.path(&file.sha256)).await.map_err(|error| {
            Fault::Internal(format!("the bytes of file {} are missing: {error}", file.id))
        })?;
        let body = poem::Body::from_async_read(bytes);
        let attachment =
            Attachment::new(body).attachment_type(AttachmentType::Attachment).filename(file.filename);
        Ok(Response::new(attachment)
            .header("content-security-policy", "sandbox; default-src 'none'")
            .header("cross-origin-resource-policy", "same-origin")
            .header("content-length", file.file_size.to_string()))
    }
}
