//! The REST endpoints: a file for each noun. A handler reads its input, passes a door of core, acts, answers.

mod accounts;
mod activity;
mod administration;
mod assistant;
mod assistant_settings;
mod attention;
mod audit;
mod auth;
mod bookmarks;
mod catalogue;
mod channel_invitations;
mod channel_roles;
mod channels;
mod commands;
mod cursor;
mod direct_messages;
mod directory;
mod drafts;
mod external;
mod files;
mod invitations;
mod members;
mod messages;
mod notifications;
mod passwords;
mod pictures;
mod pins;
mod plugins;
mod policies;
mod push;
mod reactions;
mod read_state;
mod registration;
mod reminders;
mod retention;
mod roles;
mod scheduled_messages;
mod search;
mod service;
mod sessions;
mod strict;
mod threads;
mod tokens;
mod transfers;
mod two_factor;
mod uploads;
mod users;
mod voice;
mod webhooks;
mod written;

use std::sync::LazyLock;

use bytes::Bytes;
use poem::{Response, Route, handler};
use poem_openapi::{OpenApiService, Tags};

pub use auth::bearer::device;
pub use service::{database_test, figures, health, ready};
pub use uploads::PART_BYTES;

use crate::http::problem::ApiError;
use crate::state::App;

/// What every handler answers.
pub type Answer<T> = std::result::Result<T, ApiError>;

/// Areas of the document.
#[derive(Tags)]
pub enum Area {
    /// Signing in and one's own account.
    Auth,
    /// People and bots.
    Users,
    /// Channels and their members.
    Channels,
    /// Messages, threads and reactions.
    Messages,
    /// Uploads.
    Files,
    /// Finding messages and files.
    Search,
    /// The assistant.
    Assistant,
    /// Commands and plugins.
    Plugins,
    /// For those who run the server: each needs a permission.
    Administration,
    /// The server itself.
    Service,
}

macro_rules! endpoints {
    ($app:expr) => {
        (
            (
                registration::Registration($app.clone()),
                auth::Auth($app.clone()),
                passwords::Passwords($app.clone()),
                two_factor::TwoFactor($app.clone()),
                sessions::Sessions($app.clone()),
                tokens::ApiTokens($app.clone()),
                external::External($app.clone()),
                invitations::Invitations($app.clone()),
            ),
            (
                accounts::Accounts($app.clone()),
                roles::Roles($app.clone()),
                policies::Policies($app.clone()),
                audit::Audit($app.clone()),
                transfers::Administered($app.clone()),
            ),
            users::Users($app.clone()),
            (
                notifications::Notifications($app.clone()),
                attention::Attention($app.clone()),
                push::Push($app.clone()),
            ),
            (
                channels::Channels($app.clone()),
                channel_roles::ChannelRoles($app.clone()),
                channel_invitations::ChannelInvitations($app.clone()),
                directory::Directory($app.clone()),
                members::Members($app.clone()),
                voice::Voice($app.clone()),
                webhooks::Webhooks($app.clone()),
            ),
            (
                messages::Messages($app.clone()),
                threads::Threads($app.clone()),
                pins::Pins($app.clone()),
                bookmarks::Bookmarks($app.clone()),
                read_state::ReadState($app.clone()),
                direct_messages::DirectMessages($app.clone()),
            ),
            (
                drafts::Drafts($app.clone()),
                scheduled_messages::ScheduledMessages($app.clone()),
                reminders::Reminders($app.clone()),
                retention::ChannelRetention($app.clone()),
            ),
            (reactions::Reactions($app.clone()), catalogue::Catalogue($app.clone())),
            (files::Files($app.clone()), uploads::Uploads($app.clone())),
            search::Search($app.clone()),
            (assistant::Assistant($app.clone()), assistant_settings::AssistantSettings($app.clone())),
            (commands::Commands($app.clone()), plugins::Plugins($app.clone())),
            (administration::Administration($app.clone()), activity::Figures($app.clone())),
            service::Service($app.clone()),
        )
    };
}

macro_rules! service {
    ($app:expr) => {
        OpenApiService::new(endpoints!($app), "Confab", env!("CARGO_PKG_VERSION"))
            .description("Team chat that remembers, answers and loses nothing.")
            .server("/api/v1")
    };
}

/// The routes under `/api/v1`, and the document that describes them.
#[must_use]
pub fn routes(app: &App) -> (Route, String) {
    let service = service!(Some(app.clone()));
    let document = service.spec();
    (Route::new().nest("/api/v1", service), document)
}

/// The document. It has a megabyte, which a server keeps from when somebody first asks for it.
#[handler]
pub fn openapi() -> Response {
    static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(document()));
    Response::builder().content_type("application/json").body(DOCUMENT.clone())
}

/// The document as a page to try it in. It has three megabytes, which nobody needs who never looks: it is made when somebody does.
#[handler]
pub fn docs() -> Response {
    static PAGE: LazyLock<Bytes> = LazyLock::new(|| {
        let none: Option<App> = None;
        Bytes::from(service!(none).swagger_ui_html())
    });
    Response::builder().content_type("text/html; charset=utf-8").body(PAGE.clone())
}

/// The document alone, without a server: `confab openapi`.
#[must_use]
pub fn document() -> String {
    let none: Option<App> = None;
    service!(none).spec()
}

/// The shared parts. Handlers run only in a server, where they are there; the document is made without.
#[allow(clippy::result_large_err, clippy::ref_option)] // both are the forms that every handler has
fn app(of: &Option<App>) -> Answer<&App> {
    of.as_ref().ok_or_else(|| confab_core::Fault::Internal("no server around this handler".into()).into())
}
