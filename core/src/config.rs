//! Settings: where each comes from, and every fault of them named at once.
//!
//! `config.default.toml` is the manual and the list of keys. A key that is not in it is a fault, never ignored: a
//! misspelt setting that silently does nothing is how servers end up open.

mod check;
mod embeddings;
mod files;
mod language_model;
mod vectors;
mod voice;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;

use crate::fault::{Fault, Result};

pub use embeddings::{Embeddings, EmbeddingsEndpoint};
pub use files::{BucketAccess, FilesPlace};
pub use language_model::LanguageModel;
pub use vectors::QdrantServer;
pub use voice::Voice;

/// The manual: every key with its comment and default.
pub const MANUAL: &str = include_str!("config.default.toml");

/// Key, names in the environment (ours first), and whether its value is a secret.
const KEYS: &[(&str, &[&str], bool)] = &[
    ("listen", &["CONFAB_LISTEN"], false),
    ("data_dir", &["CONFAB_DATA_DIR"], false),
    ("public_url", &["CONFAB_PUBLIC_URL"], false),
    ("database_url", &["DATABASE_URL", "DB_URL"], true),
    ("nats_url", &["NATS_URL"], true),
    ("nats_prefix", &["CONFAB_NATS_PREFIX"], false),
    ("secret_key", &["CONFAB_SECRET_KEY", "SECRET_KEY"], true),
    ("admin_username", &["CONFAB_ADMIN_USERNAME"], false),
    ("admin_email", &["CONFAB_ADMIN_EMAIL"], false),
    ("admin_password", &["CONFAB_ADMIN_PASSWORD"], true),
    ("registration", &["CONFAB_REGISTRATION"], false),
    ("login_or_create", &["CONFAB_LOGIN_OR_CREATE"], false),
    ("oidc_issuer", &["CONFAB_OIDC_ISSUER", "AUTH0_DOMAIN"], false),
    ("oidc_audience", &["CONFAB_OIDC_AUDIENCE", "AUTH0_API_IDENTIFIER"], false),
    ("oidc_client_id", &["CONFAB_OIDC_CLIENT_ID"], false),
    ("oidc_client_secret", &["CONFAB_OIDC_CLIENT_SECRET"], true),
    ("oidc_required_claims", &["CONFAB_OIDC_REQUIRED_CLAIMS"], false),
    ("oidc_registration", &["CONFAB_OIDC_REGISTRATION"], false),
    ("oidc_name", &["CONFAB_OIDC_NAME"], false),
    ("smtp_url", &["CONFAB_SMTP_URL"], true),
    ("mail_from", &["CONFAB_MAIL_FROM"], false),
    ("rate_limits", &["CONFAB_RATE_LIMITS"], false),
    ("sockets_per_user", &["MAX_WEBSOCKET_CONNECTIONS_PER_USER"], false),
    ("sockets_total", &["MAX_TOTAL_WEBSOCKET_CONNECTIONS"], false),
    ("socket_token_in_url", &["CONFAB_SOCKET_TOKEN_IN_URL"], false),
    ("allowed_origins", &["CONFAB_ALLOWED_ORIGINS"], false),
    ("trusted_proxies", &["CONFAB_TRUSTED_PROXIES"], false),
    ("files_url", &["CONFAB_FILES_URL"], false),
    ("aws_region", &["AWS_REGION", "AWS_DEFAULT_REGION"], false),
    ("aws_endpoint_url", &["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"], false),
    ("aws_access_key_id", &["AWS_ACCESS_KEY_ID"], false),
    ("aws_secret_access_key", &["AWS_SECRET_ACCESS_KEY"], true),
    ("aws_session_token", &["AWS_SESSION_TOKEN"], true),
    ("aws_allow_http", &["AWS_ALLOW_HTTP"], false),
    ("upload_bytes", &["CONFAB_UPLOAD_BYTES"], false),
    ("upload_quota_bytes", &["CONFAB_UPLOAD_QUOTA_BYTES"], false),
    ("away_after_seconds", &["CONFAB_AWAY_AFTER_SECONDS"], false),
    ("digest_after_seconds", &["CONFAB_DIGEST_AFTER_SECONDS"], false),
    ("push_loopback", &["CONFAB_PUSH_LOOPBACK"], false),
    ("link_previews", &["CONFAB_LINK_PREVIEWS"], false),
    ("egress_allow", &["CONFAB_EGRESS_ALLOW"], false),
    ("embeddings", &["CONFAB_EMBED"], false),
    ("embeddings_dir", &["CONFAB_EMBEDDINGS_DIR", "CONFAB_EMBED_MODEL_DIR"], false),
    ("rerank_dir", &["CONFAB_RERANK_DIR"], false),
    ("embeddings_url", &["CONFAB_EMBEDDINGS_URL", "CONFAB_EMBED_BASE_URL"], false),
    ("embeddings_model", &["CONFAB_EMBEDDINGS_MODEL", "CONFAB_EMBED_MODEL"], false),
    ("embeddings_key", &["CONFAB_EMBEDDINGS_KEY", "CONFAB_EMBED_API_KEY"], true),
    ("embeddings_dimensions", &["CONFAB_EMBEDDINGS_DIMENSIONS"], false),
    ("embeddings_daily_characters", &["CONFAB_EMBEDDINGS_DAILY_CHARACTERS"], false),
    ("qdrant_url", &["QDRANT_URL"], false),
    ("qdrant_key", &["QDRANT_API_KEY"], true),
    ("plugin_trusted_keys", &["CONFAB_PLUGIN_TRUSTED_KEYS"], false),
    ("llm_base_url", &["CONFAB_LLM_BASE_URL"], false),
    ("llm_model", &["CONFAB_LLM_MODEL"], false),
    ("llm_api_key", &["CONFAB_LLM_API_KEY"], true),
    ("llm_daily_tokens_per_person", &["CONFAB_LLM_DAILY_TOKENS_PER_PERSON"], false),
    ("llm_daily_tokens", &["CONFAB_LLM_DAILY_TOKENS"], false),
    ("ice_servers", &["CONFAB_ICE_SERVERS"], false),
    ("turn_secret", &["CONFAB_TURN_SECRET"], true),
    ("voice_participants", &["CONFAB_VOICE_PARTICIPANTS"], false),
    ("log", &["CONFAB_LOG"], false),
    ("log_format", &["CONFAB_LOG_FORMAT"], false),
];

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The manual.
    Default,
    /// `confab.toml`.
    File,
    /// `.env`, under this name.
    DotEnv(String),
    /// The environment, under this name.
    Environment(String),
    /// The command line.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => out.write_str("default"),
            Self::File => out.write_str("confab.toml"),
            Self::DotEnv(name) => write!(out, ".env {name}"),
            Self::Environment(name) => write!(out, "environment {name}"),
            Self::Flag => out.write_str("flag"),
        }
    }
}

/// Text that never prints.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(if self.0.is_empty() { "(none)" } else { "(secret)" })
    }
}

/// Who may make an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registration {
    /// Whoever holds an invitation.
    Invite,
    /// Anyone.
    Open,
    /// Anyone with an e-mail address of these domains.
    Domain(Vec<String>),
    /// Nobody.
    Off,
}

impl Registration {
    /// The word for clients.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Invite => "invite",
            Self::Open => "open",
            Self::Domain(_) => "domain",
            Self::Off => "off",
        }
    }
}

/// The first administrator, when the settings name one.
#[derive(Clone, Debug)]
pub struct Admin {
    /// User name.
    pub username: String,
    /// E-mail address.
    pub email: String,
    /// Password.
    pub password: Secret,
}

/// An outside issuer whose word on who somebody is counts.
#[derive(Clone, Debug)]
pub struct Oidc {
    /// Exactly as it stands in tokens.
    pub issuer: String,
    /// What access tokens must be meant for; `None`: only signing in by the browser is possible.
    pub audience: Option<String>,
    /// Who we are to it; `None`: only its tokens are accepted.
    pub client_id: Option<String>,
    /// Empty for a public client.
    pub client_secret: Secret,
    /// Claims that every token must have with exactly this value.
    pub required_claims: Vec<(String, String)>,
    /// Whoever it knows may have an account, whatever `registration` says.
    pub is_open: bool,
    /// What the button says.
    pub name: String,
}

/// How mail leaves.
#[derive(Clone, Debug)]
pub struct Mail {
    /// `smtp://` or `smtps://`, with user name and password where the server asks for them.
    pub smtp_url: Secret,
    /// The sender.
    pub from: String,
}

/// All settings, checked.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // each is a setting
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Record, keys, index and files.
    pub data_dir: PathBuf,
    /// The address that people use; `None`: from each request.
    pub public_url: Option<String>,
    database_url: Secret,
    /// The bus; `None`: in process.
    pub nats_url: Option<Secret>,
    /// Prefix of subjects and stream.
    pub nats_prefix: String,
    /// Signs access tokens; empty: made at first start.
    pub secret_key: Secret,
    /// The first administrator.
    pub admin: Option<Admin>,
    /// Who may make an account.
    pub registration: Registration,
    /// Networks from which an unknown name signs in by making its account; empty: none.
    pub login_or_create: Vec<IpNet>,
    /// The outside issuer.
    pub oidc: Option<Oidc>,
    /// How mail leaves; `None`: it does not.
    pub mail: Option<Mail>,
    /// Whether to limit rates.
    pub rate_limits: bool,
    /// Sockets of one user.
    pub sockets_per_user: usize,
    /// Sockets of this server.
    pub sockets_total: usize,
    /// Whether `?token=` in a socket's address counts as its first frame.
    pub socket_token_in_url: bool,
    /// Origins other than our own whose pages may call the API.
    pub allowed_origins: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Where the bytes of uploads lie.
    pub files: FilesPlace,
    /// How a bucket is reached.
    pub bucket: BucketAccess,
    /// Largest upload, in bytes.
    pub upload_bytes: u64,
    /// Files of one user together, in bytes.
    pub upload_quota_bytes: u64,
    /// A device that does nothing for so long is away.
    pub away_after: Duration,
    /// What is unread for so long is mailed.
    pub digest_after: Duration,
    /// Whether push services on this machine are spoken to: for tests.
    pub push_loopback: bool,
    /// Whether links are looked at.
    pub link_previews: bool,
    /// Inside addresses that this server's own requests may reach.
    pub egress_allow: Vec<SocketAddr>,
    /// Who makes vectors of texts.
    pub embeddings: Embeddings,
    /// The folder of a model that puts the best hits of a search in order.
    pub rerank: Option<PathBuf>,
    /// Where vectors are kept when not in the data folder.
    pub qdrant: Option<QdrantServer>,
    /// Fingerprints of the keys one of which must have signed a plugin; empty: none need have.
    pub plugin_trusted_keys: Vec<String>,
    /// Who writes the assistant's answers; `None`: they are quotations.
    pub language_model: Option<LanguageModel>,
    /// How people talk.
    pub voice: Voice,
    /// Tracing filter.
    pub log: String,
    /// Logs as JSON lines.
    pub log_json: bool,
    values: BTreeMap<&'static str, (String, Origin)>,
}

impl Settings {
    /// Reads all sources. `flags` are key and value of the command line; `file` is `confab.toml` (or what `--config`
    /// names), `folder` holds `.env`, `environment` is the process's.
    ///
    /// # Errors
    /// [`Fault::Invalid`] that lists every fault found, one a line.
    pub fn read(
        flags: &[(&'static str, String)],
        file: Option<&Path>,
        folder: &Path,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self> {
        let mut faults = Vec::new();
        let mut values = defaults();
        let chosen = file.map_or_else(|| folder.join("confab.toml"), Path::to_path_buf);
        if file.is_some() || chosen.exists() {
            read_file(&chosen, &mut values, &mut faults);
        }
        let dot_env = folder.join(".env");
        if dot_env.exists() {
            match dotenvy::from_path_iter(&dot_env) {
                Ok(lines) => {
                    let lines: Vec<_> = lines
                        .filter_map(|line| line.map_err(|error| faults.push(format!(".env: {error}"))).ok())
                        .collect();
                    read_environment(lines.into_iter(), Origin::DotEnv, &mut values, &mut faults);
                }
                Err(error) => faults.push(format!(".env: {error}")),
            }
        }
        read_environment(environment, Origin::Environment, &mut values, &mut faults);
        for (key, value) in flags {
            values.insert(key, (value.clone(), Origin::Flag));
        }
        check::settings(values, faults)
    }

    /// The record's address.
    #[must_use]
    pub fn database_url(&self) -> String {
        if self.database_url.0.is_empty() {
            format!("sqlite:{}", self.data_dir.join("confab.db").display())
        } else {
            self.database_url.0.clone()
        }
    }

    /// Whether several processes share PostgreSQL and NATS.
    #[must_use]
    pub fn is_scaled(&self) -> bool {
        self.nats_url.is_some()
    }

    /// Every key, its value (secrets masked) and where it came from.
    #[must_use]
    pub fn shown(&self) -> Vec<(&'static str, String, String)> {
        KEYS.iter()
            .filter_map(|(key, _, secret)| {
                let (value, origin) = self.values.get(key)?;
                let value = if *secret && !value.is_empty() { "(secret)".into() } else { value.clone() };
                Some((*key, value, origin.to_string()))
            })
            .collect()
    }
}

type Values = BTreeMap<&'static str, (String, Origin)>;

fn defaults() -> Values {
    let manual: toml::Table = MANUAL.parse().unwrap_or_default();
    KEYS.iter()
        .map(|(key, ..)| (*key, (manual.get(*key).map(text_of).unwrap_or_default(), Origin::Default)))
        .collect()
}

fn text_of(value: &toml::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn read_file(path: &Path, values: &mut Values, faults: &mut Vec<String>) {
    let name = path
        .file_name()
        .map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return faults.push(format!("{name}: {error}")),
    };
    let table: toml::Table = match text.parse() {
        Ok(table) => table,
        Err(error) => return faults.push(format!("{name}: {}", error.to_string().replace('\n', " "))),
    };
    for (key, value) in &table {
        match KEYS.iter().find(|(known, ..)| known == key) {
            Some((known, ..)) if matches!(value, toml::Value::String(_) | toml::Value::Integer(_)) => {
                values.insert(known, (text_of(value), Origin::File));
            }
            Some(_) => faults.push(format!("{name}: {key} must be a text or a number")),
            None => faults.push(format!("{name}: unknown setting {key}{}", nearest(key))),
        }
    }
}

fn read_environment(
    lines: impl Iterator<Item = (String, String)>,
    origin: fn(String) -> Origin,
    values: &mut Values,
    faults: &mut Vec<String>,
) {
    let mut rank: BTreeMap<&'static str, usize> = BTreeMap::new();
    for (name, value) in lines {
        let (plain, is_file) =
            name.strip_suffix("_FILE").map_or((name.as_str(), false), |plain| (plain, true));
        let found = KEYS
            .iter()
            .find_map(|(key, names, _)| names.iter().position(|it| *it == plain).map(|at| (*key, at)));
        let Some((key, at)) = found else {
            if name.starts_with("CONFAB_") && !name.starts_with("CONFAB_TEST_") {
                faults.push(format!("environment: unknown setting {name}"));
            }
            continue;
        };
        // Our own name wins over an alias of another system.
        if rank.get(key).is_some_and(|known| *known < at) {
            continue;
        }
        let value = if is_file {
            match std::fs::read_to_string(&value) {
                Ok(text) => text.trim_end_matches(['\n', '\r']).to_owned(),
                Err(error) => {
                    faults.push(format!("{name}: {error}"));
                    continue;
                }
            }
        } else {
            value
        };
        rank.insert(key, at);
        values.insert(key, (value, origin(name)));
    }
}

fn nearest(key: &str) -> String {
    let like = KEYS.iter().map(|(known, ..)| *known).find(|known| {
        let shared = known.chars().filter(|letter| key.contains(*letter)).count();
        known.len().abs_diff(key.len()) <= 2 && shared + 2 >= known.len()
    });
    like.map(|known| format!(" (did you mean {known}?)")).unwrap_or_default()
}

pub(crate) fn all_faults(faults: &[String]) -> Fault {
    Fault::invalid("settings", faults.join("\n  "))
}
