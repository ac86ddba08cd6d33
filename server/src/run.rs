//! The whole program, from settings to the last closed socket.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use confab_core::db::{self, Opened};
use confab_core::{
    Bus, Fault, FutureExt, Result, Settings, Tx, assistant, channel_invitations, conversations, idempotency,
    identities, log, notifications, plugins, push, rate_limits, reactions, scheduled_messages, sessions,
    tickets, whispers,
};
use confab_protocol::EventKind;
use confab_worker::Worker;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use poem::listener::{Acceptor, Listener, TcpListener};
use poem::middleware::{CatchPanic, Cors};
use poem::{EndpointExt, IntoEndpoint, Route, Server, get, post};
use tokio_util::sync::CancellationToken;

use crate::activity::Activity;
use crate::due::Due;
use crate::egress::Egress;
use crate::file_care::FileCare;
use crate::gateway::Hub;
use crate::http::edge::Edge;
use crate::http::idempotent::Idempotent;
use crate::http::patience::Patient;
use crate::http::problem;
use crate::http::templates::Templates;
use crate::intake::Receiving;
use crate::limits::Limits;
use crate::mail::Mailer;
use crate::oidc::Issuer;
use crate::picture_places::PicturePlaces;
use crate::presence::Keeper;
use crate::push::Pusher;
use crate::state::{App, Parts};
use crate::storage::Storage;
use crate::tokens::Tokens;
use crate::transfers::Transfers;
use crate::{
    api, due, egress, errands, first_run, gateway, hooks, intake, previews, rendering, transfers, voice, web,
};

/// Steps in which the log is trimmed each minute: as much as 300 events a second would need for ever.
const TRIMS: usize = 20;
/// Running requests may end within this time after the signal (docs/limits.md).
const DRAIN: Duration = Duration::from_secs(25);
/// Sockets are told to go elsewhere within this time.
const FAREWELL: Duration = Duration::from_secs(3);

/// Serves until `stop`.
///
/// # Errors
/// One sentence for whatever keeps the server from starting.
pub async fn serve(settings: Settings, stop: CancellationToken) -> Result<()> {
    first_run::prepare_folder(&settings.data_dir)?;
    let opened = if settings.is_scaled() { Opened::Current } else { Opened::Migrated };
    let db = db::open(&settings, opened).await?;
    // First, or what the parts say of themselves at their start is lost.
    let metrics = metrics()?;
    // Parts behind the server end later than it: requests that are being answered still need them.
    let parts_stop = CancellationToken::new();
    let bus = Bus::open(&settings, &db, parts_stop.clone()).await?;
    let keys = (first_run::token_key(&settings, &db).await?, first_run::push_key(&settings, &db).await?);
    let set_up = first_run::prepare_record(&settings, &db).await?;
    let worker = if settings.is_scaled() {
        None
    } else {
        Some(confab_worker::start(db.clone(), bus.clone(), &settings, parts_stop.clone()).await?)
    };
    let acceptor = TcpListener::bind(settings.listen).into_acceptor().await.map_err(|error| {
        Fault::conflict("address_in_use", format!("cannot listen on {}: {error}", settings.listen))
    })?;
    let address = acceptor
        .local_addr()
        .into_iter()
        .find_map(|it| it.as_socket_addr().copied())
        .unwrap_or(settings.listen);
    let app =
        assemble(settings, db.clone(), bus, &keys, metrics, local_url(address), parts_stop.clone()).await?;
    let due = tokio::spawn(due::run(app.clone(), parts_stop.clone()));
    announce(&app, address, set_up.as_deref());
    prepare_client();
    let route = routes(&app);
    let draining = app.hub.clone();
    let signal = async move {
        stop.cancelled().await;
        tracing::info!("stopping: sockets are sent elsewhere, requests may end");
        draining.drain().await;
    };
    let acceptor = Patient::new(acceptor, app.settings.sockets_total);
    let served = Server::new_with_acceptor(acceptor)
        .idle_timeout(Duration::from_secs(90))
        .run_with_graceful_shutdown(route, signal, Some(DRAIN))
        .await;
    // Sockets are no requests to the framework: whoever reads hears where to go before this process ends.
    gateway::all_have_left(FAREWELL).await;
    parts_stop.cancel();
    let _ = due.await;
    if let Some(worker) = worker {
        Worker::finished(worker).await;
    }
    db.close().await;
    served.map_err(Fault::internal)
}

async fn assemble(
    settings: Settings,
    db: confab_core::Db,
    bus: Bus,
    (key, push_key): &(Vec<u8>, String),
    metrics: PrometheusHandle,
    local_url: String,
    stop: CancellationToken,
) -> Result<App> {
    let outside = settings.oidc.as_ref().map(|oidc| Issuer::new(oidc).map(Arc::new)).transpose()?;
    let mail = settings.mail.as_ref().map(Mailer::new).transpose()?;
    let push = Pusher::new(push_key, contact(&settings, &local_url), settings.push_loopback)?;
    let tokens = Arc::new(Tokens::new(key, outside.clone()));
    let watched = tokens.clone();
    let voice = Arc::new(voice::Rooms::new(settings.voice.participants));
    let (rooms, signals) = (voice.clone(), bus.signals());
    let on_change: gateway::OnChange = Box::new(move |event| match event.kind {
        EventKind::SessionEnded => watched.forget(event.ref_id.into()),
        EventKind::UserUpdated | EventKind::AccessChanged => watched.forget_all(),
        _ => rooms.heed(event),
    });
    let hub = Hub::start(db.clone(), bus.clone(), settings.sockets_per_user, on_change, stop.clone()).await?;
    let storage = Storage::open(&settings)?;
    let app = App::new(Parts {
        due: Due::default(),
        limits: Limits::new(settings.rate_limits),
        file_care: start_file_care(&db, &storage, &stop),
        storage,
        picture_places: PicturePlaces::new(
            std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
        ),
        receiving: Receiving::default(),
        outside,
        egress: Egress::new(settings.egress_allow.clone()),
        mail,
        push,
        presences: Keeper::default(),
        transfers: Transfers::default(),
        voice,
        db,
        bus,
        settings,
        tokens,
        hub,
        activity: Activity::default(),
        metrics,
        local_url,
    });
    egress::calling::offer(&app.bus, app.egress.clone()).await?;
    errands::start(&app, &stop);
    tokio::spawn(voice::keeper::keep(app.clone(), signals, stop.clone()));
    tokio::spawn(rendering::keep_up(app.db.clone(), stop.clone()));
    if app.settings.link_previews {
        let (app, stop) = (app.clone(), stop.clone());
        tokio::spawn(async move {
            if let Err(fault) = previews::follow(app, stop).await {
                tracing::warn!(%fault, "links have no previews until the next start");
            }
        });
    }
    let swept = app.clone();
    tokio::spawn(async move {
        while stop.run_until_cancelled(tokio::time::sleep(Duration::from_mins(1))).await.is_some() {
            swept.limits.sweep();
            swept.metrics.run_upkeep();
            let done = swept.db.write(|tx| sweep(tx).boxed()).await;
            if let Err(fault) = done {
                tracing::debug!(%fault, "what has expired stays for another minute");
            }
            if let Err(fault) = transfers::sweep(&swept.storage).await {
                tracing::debug!(%fault, "an old archive stays for another minute");
            }
            if let Err(fault) = trim_log(&swept.db).await {
                tracing::debug!(%fault, "the oldest of the log stays for another minute");
            }
        }
    });
    Ok(app)
}

fn start_file_care(db: &confab_core::Db, storage: &Storage, stop: &CancellationToken) -> FileCare {
    intake::clear(storage.temporary());
    let care = FileCare::default();
    care.start(db, storage, stop);
    care
}

/// Whom a push service may write to: the sender of mail, or the public address.
fn contact(settings: &Settings, local_url: &str) -> String {
    let mail = settings.mail.as_ref().and_then(|it| it.from.parse::<lettre::message::Mailbox>().ok());
    mail.map_or_else(
        || settings.public_url.clone().unwrap_or_else(|| local_url.to_owned()),
        |it| format!("mailto:{}", it.email),
    )
}

/// A bounded part of what is too old leaves the log: more in a minute.
async fn trim_log(db: &confab_core::Db) -> confab_core::Result<()> {
    for _ in 0..TRIMS {
        if !db.write(|tx| log::trim(tx, log::KEPT).boxed()).await? {
            break;
        }
    }
    Ok(())
}

/// Drops what has expired long enough ago. Several servers may do so at once.
async fn sweep(tx: &mut Tx) -> Result<()> {
    rate_limits::sweep(tx).await?;
    idempotency::sweep(tx).await?;
    identities::sweep(tx).await?;
    tickets::sweep(tx).await?;
    channel_invitations::sweep(tx).await?;
    notifications::sweep(tx).await?;
    scheduled_messages::sweep(tx).await?;
    push::sweep(tx).await?;
    assistant::usage::sweep(tx).await?;
    conversations::confirmations::sweep(tx).await?;
    whispers::sweep(tx).await?;
    plugins::parts::sweep(tx).await?;
    reactions::sweep(tx).await?;
    sessions::sweep(tx).await
}

fn routes(app: &App) -> impl IntoEndpoint + use<> {
    let (api, document) = api::routes(app);
    let route: Route = api
        .at("/openapi.json", get(api::openapi))
        .at("/docs", get(api::docs))
        .at("/ws", get(gateway::open))
        .at("/ws/voice/:channel_id", get(voice::open))
        .at("/hooks/:token", get(hooks::explain).post(hooks::receive))
        .at("/hooks/plugins/:plugin/:name", post(hooks::plugins::receive))
        .at("/health", get(api::health))
        .at("/ready", get(api::ready))
        .at("/db-test", get(api::database_test))
        .at("/metrics", get(api::figures))
        .at("/assets/*path", get(web::asset))
        .at("/", get(web::page))
        .at("/setup", get(web::page))
        .at("/register", get(web::page))
        .at("/login", get(web::page))
        .at("/search", get(web::page))
        .at("/admin", get(web::page))
        .at("/admin/*path", get(web::page))
        .at("/preferences", get(web::page))
        .at("/preferences/*path", get(web::page))
        .at("/threads", get(web::page))
        .at("/saved", get(web::page))
        .at("/later", get(web::page))
        .at("/join", get(web::page))
        .at("/sw.js", get(web::service_worker))
        .at("/forgot", get(web::page))
        .at("/reset", get(web::page))
        .at("/channels/*path", get(web::page));
    let panicked =
        |_: Box<dyn std::any::Any + Send>| problem::response(Fault::Internal("a handler panicked".into()));
    let guarded = route.data(app.clone()).with(CatchPanic::new().with_handler(panicked));
    let templates = Arc::new(Templates::of(&document));
    let guarded = Idempotent::new(guarded, app.clone(), templates.clone());
    let edge = Edge::new(guarded, app.clone(), templates);
    // The framework's `Cors` without origins allows every page: it is added only with the exact ones named.
    let origins = &app.settings.allowed_origins;
    if origins.is_empty() {
        edge.boxed()
    } else {
        edge.with(Cors::new().allow_origins(origins.iter().map(String::as_str)).allow_credentials(false))
            .map_to_response()
            .boxed()
    }
}

fn local_url(address: SocketAddr) -> String {
    let host = if address.ip().is_unspecified() { "localhost".to_owned() } else { address.ip().to_string() };
    let host = if address.is_ipv6() && host != "localhost" { format!("[{host}]") } else { host };
    format!("http://{host}:{}", address.port())
}

fn announce(app: &App, address: SocketAddr, set_up: Option<&str>) {
    let mode = if app.settings.is_scaled() {
        "scaled: PostgreSQL and NATS"
    } else {
        "embedded: SQLite, one process"
    };
    tracing::info!(version = env!("CARGO_PKG_VERSION"), mode, data_dir = %app.settings.data_dir.display(), "confab starts");
    // Plain lines on standard output: people and scripts read them, whatever the log's filter is.
    println!("confab listening on http://{address}");
    println!("Open: {}", app.public_url());
    if let Some(secret) = set_up {
        println!("Set up: {}/setup#{secret}", app.public_url());
        println!("        (works once, for 24 hours; a restart prints a new one)");
    }
}

fn metrics() -> Result<PrometheusHandle> {
    const SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)
        .map_err(Fault::internal)?
        .install_recorder()
        .map_err(Fault::internal)?;
    metrics::describe_counter!(
        "confab_http_requests_total",
        "Answered requests by method, route and status."
    );
    metrics::describe_histogram!(
        "confab_http_request_duration_seconds",
        metrics::Unit::Seconds,
        "Time to answer, by route."
    );
    metrics::describe_counter!("confab_join_codes_refused_total", "Codes of channels that did not work.");
    metrics::describe_counter!("confab_messages_posted_total", "Messages acknowledged by this server.");
    metrics::describe_counter!("confab_pushes_total", "Web pushes that were tried, by outcome.");
    metrics::describe_counter!("confab_record_writes_total", "Pieces of work that this server wrote.");
    metrics::describe_counter!("confab_ws_closed_total", "Sockets that this server closed, by code.");
    metrics::describe_gauge!("confab_ws_connections", "Signed-in sockets.");
    Ok(handle)
}

/// Nobody waits for it, and those who come right after the start must not wait because of it.
fn prepare_client() {
    let work = || web::prepare(confab_worker::stand_back);
    if let Err(error) = std::thread::Builder::new().name("confab-behind".into()).spawn(work) {
        tracing::debug!(%error, "the client is made ready when it is first asked for");
    }
}
