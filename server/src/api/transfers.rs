//! Import and export, for superusers.

use confab_core::Fault;
use poem::Body;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::{Binary, Json, Response};
use poem_openapi::{ApiResponse, Object, OpenApi};
use uuid::Uuid;

use super::auth::Bearer;
use super::files::FileForm;
use super::{Answer, Area, app};
use crate::export::Options;
use crate::intake::Received;
use crate::state::App;
use crate::transfers::{self, IMPORT_BYTES, Transfer, TransferKind, TransferStatus};

#[derive(ApiResponse)]
enum Begun {
    /// It goes on from behind; `GET /admin/transfers/newest` tells how far it is.
    #[oai(status = 202)]
    Accepted(Json<Transfer>),
}

/// What an export holds.
#[derive(Debug, Object)]
struct NewExport {
    /// The caller's private channels too; conversations never.
    #[oai(default)]
    private: bool,
}

/// The newest transfer.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct Newest {
    /// Absent where there never was one.
    transfer: Option<Transfer>,
}

pub struct Administered(pub Option<App>);

#[OpenApi(tag = "Area::Administration")]
impl Administered {
    /// Imports a Slack export, the ZIP as Slack made it, or an export of this server. What is in already is not brought in again, and private channels that came whole before are left alone. Superusers.
    #[oai(path = "/admin/imports", method = "post")]
    async fn import(&self, caller: Bearer, form: FileForm, dry_run: Query<Option<bool>>) -> Answer<Begun> {
        let app = app(&self.0)?;
        if let Err(fault) = caller.0.superuser() {
            form.discard().await;
            return Err(fault.into());
        }
        // Not after two gigabytes have come.
        if transfers::newest(&app.storage).await?.is_some_and(|it| it.status == TransferStatus::Running) {
            form.discard().await;
            return Err(transfers::running().into());
        }
        let _place = app.receiving.enter(caller.0.user_id)?;
        let (filename, field) = form.file().await?;
        let bytes = std::pin::pin!(field.into_async_read());
        let received = Received::read(app.storage.temporary(), bytes, IMPORT_BYTES, None).await?;
        if !received.head.starts_with(b"PK") {
            return Err(Fault::invalid("file", "is no ZIP archive").into());
        }
        let (actor, by) = (caller.0.actor(), caller.0.user_id);
        let sent = (filename, received);
        Ok(Begun::Accepted(Json(transfers::import(app, actor, by, sent, dry_run.0.unwrap_or(false)).await?)))
    }

    /// Makes an archive of the public channels, and on request of the caller's private ones, in the shape of a Slack export. Superusers.
    #[oai(path = "/admin/exports", method = "post")]
    async fn export(&self, caller: Bearer, body: Json<NewExport>) -> Answer<Begun> {
        caller.0.superuser()?;
        let options = Options { private: body.0.private };
        let (actor, by) = (caller.0.actor(), caller.0.user_id);
        Ok(Begun::Accepted(Json(transfers::export(app(&self.0)?, actor, by, options).await?)))
    }

    /// How far the newest import or export is, or how it ended. Superusers.
    #[oai(path = "/admin/transfers/newest", method = "get")]
    async fn newest(&self, caller: Bearer) -> Answer<Json<Newest>> {
        caller.0.superuser()?;
        Ok(Json(Newest { transfer: transfers::newest(&app(&self.0)?.storage).await? }))
    }

    /// The archive of the newest export, for the superuser who asked for it: it holds what they may read. It is kept until something else is
    /// imported or exported, and for a day at most.
    #[oai(path = "/admin/exports/:id/download", method = "get")]
    async fn download(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Response<Binary<Body>>> {
        let app = app(&self.0)?;
        caller.0.superuser()?;
        let made = transfers::newest(&app.storage).await?.filter(|it| {
            it.id == id.0
                && it.kind == TransferKind::Export
                && it.is_kept()
                && it.started_by_id == caller.0.user_id
        });
        let made = made.ok_or(Fault::NotFound("export"))?;
        let bytes = app.storage.stream(&transfers::key_of(made.id), None).await?;
        let day: String = made.started_at.to_string().chars().take(10).collect();
        Ok(Response::new(Binary(Body::from_bytes_stream(bytes)))
            .header("content-type", "application/zip")
            .header("content-length", made.size_bytes.unwrap_or_default().to_string())
            .header("content-disposition", format!("attachment; filename=\"confab-{day}.zip\"")))
    }
}
