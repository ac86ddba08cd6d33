//! The server itself: is it alive, is it ready, what can it do.

use std::time::{Duration, Instant};

use confab_core::{assistant, log, users, workspace};
use confab_protocol::{FILES_PER_MESSAGE, MESSAGE_CHARACTERS, PAGE_LIMIT};
use confab_worker::services;
use poem::http::StatusCode;
use poem::web::Data;
use poem::{IntoResponse, Response, handler};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use serde_json::json;

use super::{Answer, Area, app};
use crate::http::problem;
use crate::state::App;

/// What clients should know before they sign in.
#[derive(Object)]
struct Info {
    /// What the workspace is called.
    name: String,
    version: String,
    /// Nobody administers this server yet.
    setup_required: bool,
    /// `invite`, `open`, `domain` or `off`.
    registration: String,
    /// `embedded` or `scaled`.
    mode: String,
    limits: InfoLimits,
    features: Features,
}

#[derive(Object)]
struct InfoLimits {
    message_chars: u64,
    files_per_message: u64,
    upload_bytes: u64,
    /// Of an upload in parts, each at most.
    upload_part_bytes: u64,
    /// All files of one user together.
    upload_quota_bytes: u64,
    picture_bytes: u64,
    page: u32,
}

#[derive(Object)]
#[allow(clippy::struct_excessive_bools)] // each is a field of the API
struct Features {
    search: bool,
    assistant: bool,
    /// The assistant has a language model; without one its answers are quotations.
    language_model: bool,
    plugins: bool,
    /// A forgotten password can be chosen anew by mail.
    mail: bool,
    /// People can sign in at an outside issuer.
    oidc: bool,
    /// What the button for it says.
    oidc_name: String,
}

pub struct Service(pub Option<App>);

#[OpenApi(tag = "Area::Service")]
impl Service {
    /// What this server is and allows.
    #[oai(path = "/info", method = "get")]
    async fn info(&self) -> Answer<Json<Info>> {
        let app = app(&self.0)?;
        Ok(Json(Info {
            name: workspace::name(&mut app.db.read()).await?,
            version: env!("CARGO_PKG_VERSION").into(),
            setup_required: !users::has_superuser(&mut app.db.read()).await?,
            registration: app.settings.registration.as_str().into(),
            mode: if app.settings.is_scaled() { "scaled" } else { "embedded" }.into(),
            limits: InfoLimits {
                message_chars: MESSAGE_CHARACTERS as u64,
                files_per_message: FILES_PER_MESSAGE as u64,
                upload_bytes: app.settings.upload_bytes,
                upload_part_bytes: super::PART_BYTES,
                upload_quota_bytes: app.settings.upload_quota_bytes,
                picture_bytes: crate::pictures::MOST_BYTES,
                page: PAGE_LIMIT,
            },
            features: Features {
                search: true,
                assistant: !assistant::rules(&mut app.db.read()).await?.is_off,
                language_model: app.settings.language_model.is_some(),
                plugins: true,
                mail: app.mail.is_some(),
                oidc: app.outside.as_ref().is_some_and(|it| it.can_sign_in()),
                oidc_name: app.settings.oidc.as_ref().map(|it| it.name.clone()).unwrap_or_default(),
            },
        }))
    }
}

/// The process runs.
#[handler]
pub fn health() -> Response {
    poem::web::Json(json!({ "status": "ok" })).into_response()
}

/// Those who ask whether a server is ready often wait for a second only.
const SEARCH_ANSWERS_WITHIN: Duration = Duration::from_millis(300);

/// Every part that requests need answers; each is named.
#[handler]
pub async fn ready(app: Data<&App>) -> Response {
    let database = log::head(&mut app.db.read()).await;
    let bus = app.bus.is_connected();
    // Search keeps no server from its work, and a worker that says nothing keeps nobody from hearing that it is ready.
    let nothing = json!({});
    let asked = app.bus.ask::<_, serde_json::Value>(services::INDEX_STATE, &nothing);
    let index = tokio::time::timeout(SEARCH_ANSWERS_WITHIN, asked).await;
    let is_ready = database.is_ok() && !app.hub.is_draining();
    let parts = json!({
        "status": if is_ready { "ready" } else { "not ready" },
        "database": database.as_ref().map_or_else(ToString::to_string, |_| "ok".into()),
        "bus": if bus { "ok" } else { "not connected; events go on from the record" },
        "search": match &index {
            Ok(Ok(_)) => "ok".into(),
            Ok(Err(fault)) => fault.to_string(),
            Err(_) => "does not answer".to_owned(),
        },
        "draining": app.hub.is_draining(),
    });
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    poem::web::Json(parts).with_status(status).into_response()
}

/// A round trip to the record.
#[handler]
pub async fn database_test(app: Data<&App>) -> Response {
    let started = Instant::now();
    match log::head(&mut app.db.read()).await {
        Ok(_) => {
            let latency_ms = started.elapsed().as_secs_f64() * 1_000.0;
            poem::web::Json(
                json!({ "status": "ok", "engine": app.db.engine_name(), "latency_ms": latency_ms }),
            )
            .into_response()
        }
        Err(fault) => problem::response(fault),
    }
}

/// Figures in Prometheus' text format.
#[handler]
#[allow(clippy::needless_pass_by_value)] // the form of a handler
pub fn figures(app: Data<&App>) -> Response {
    metrics::gauge!("confab_ws_connections").set(app.hub.socket_count() as f64);
    metrics::counter!("confab_record_writes_total").absolute(app.db.write_count());
    Response::builder().content_type("text/plain; version=0.0.4").body(app.metrics.render())
}
