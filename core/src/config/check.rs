//! From texts to settings: each value read and checked, all faults collected.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::{Admin, Mail, Oidc, Registration, Secret, Settings, Values, all_faults};
use crate::fault::Result;

/// Keys that others have published as examples; a server that starts with one is open to everyone who can read.
const KNOWN_KEYS: &[&str] = &[
    "secret",
    "secret_key",
    "your-secret-key",
    "your-secret-key-here",
    "your_secret_key",
    "changeme",
    "change-me",
    "supersecret",
    "supersecretkey",
    "mysecretkey",
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
];

#[allow(clippy::too_many_lines)] // a line for each setting
pub(super) fn settings(values: Values, mut faults: Vec<String>) -> Result<Settings> {
    let text = |key: &str| values.get(key).map(|(value, _)| value.trim().to_owned()).unwrap_or_default();
    let list = |key: &str| -> Vec<String> {
        text(key).split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let mut number = |key: &str, least: u64| -> u64 {
        match text(key).parse::<u64>() {
            Ok(value) if value >= least => value,
            _ => {
                faults.push(format!("{key} must be a number of at least {least}, not {:?}", text(key)));
                least
            }
        }
    };
    let sockets_per_user = number("sockets_per_user", 1) as usize;
    let sockets_total = number("sockets_total", 1) as usize;
    let upload_bytes = number("upload_bytes", 1);
    let upload_quota_bytes = number("upload_quota_bytes", 1);
    let away_after = Duration::from_secs(number("away_after_seconds", 1));
    let digest_after = Duration::from_secs(number("digest_after_seconds", 0));
    let listen = address(&text("listen"), &mut faults);
    let mut choice = |key: &str, words: [&str; 2]| -> bool {
        let value = text(key);
        if !words.contains(&value.as_str()) {
            faults.push(format!("{key} must be {} or {}, not {value:?}", words[0], words[1]));
        }
        value == words[0]
    };
    let rate_limits = choice("rate_limits", ["on", "off"]);
    let log_json = choice("log_format", ["json", "text"]);
    let push_loopback = choice("push_loopback", ["on", "off"]);
    let link_previews = choice("link_previews", ["on", "off"]);
    let socket_token_in_url = choice("socket_token_in_url", ["on", "off"]);
    let registration = registration(&text("registration"), &mut faults);
    let public_url = public_url(&text("public_url"), &mut faults);
    let trusted_proxies = parsed("trusted_proxies", &list("trusted_proxies"), "address", &mut faults);
    let egress_allow = parsed("egress_allow", &list("egress_allow"), "IP:PORT", &mut faults);
    let allowed_origins = origins(list("allowed_origins"), &mut faults);
    let login_or_create = networks(&list("login_or_create"), &mut faults);
    let oidc = oidc(&text, &list("oidc_required_claims"), &mut faults);
    let files = super::files::place(&text("files_url"), &mut faults);
    let bucket = super::files::access(&text, &files, &mut faults);
    let embeddings = super::embeddings::embeddings(&text, &mut faults);
    let rerank = super::embeddings::rerank(&text("rerank_dir"), &embeddings, &mut faults);
    let qdrant = super::vectors::qdrant(&text, &mut faults);
    let language_model = super::language_model::language_model(&text, &mut faults);
    let voice = super::voice::voice(
        list("ice_servers"),
        text("turn_secret"),
        &text("voice_participants"),
        &mut faults,
    );
    let plugin_trusted_keys = fingerprints(list("plugin_trusted_keys"), &mut faults);
    let mail = mail(&text("smtp_url"), &text("mail_from"), &mut faults);
    let nats_url = Some(text("nats_url")).filter(|url| !url.is_empty());
    check_database(&text("database_url"), nats_url.is_some(), &mut faults);
    let secret_key = text("secret_key");
    check_secret(&secret_key, &mut faults);
    let admin = admin(&text("admin_username"), &text("admin_email"), &text("admin_password"), &mut faults);
    let nats_prefix = text("nats_prefix");
    if nats_prefix.is_empty()
        || !nats_prefix.chars().all(|it| it.is_ascii_alphanumeric() || it == '_' || it == '-')
    {
        faults.push("nats_prefix must be letters, digits, - and _".into());
    }
    if text("data_dir").is_empty() {
        faults.push("data_dir must not be empty".into());
    }
    if !faults.is_empty() {
        return Err(all_faults(&faults));
    }
    Ok(Settings {
        listen,
        data_dir: PathBuf::from(text("data_dir")),
        public_url,
        database_url: Secret(text("database_url")),
        nats_url: nats_url.map(Secret),
        nats_prefix,
        secret_key: Secret(secret_key),
        admin,
        registration,
        login_or_create,
        oidc,
        mail,
        rate_limits,
        sockets_per_user,
        sockets_total,
        socket_token_in_url,
        allowed_origins,
        trusted_proxies,
        files,
        bucket,
        upload_bytes,
        upload_quota_bytes,
        away_after,
        digest_after,
        push_loopback,
        link_previews,
        egress_allow,
        embeddings,
        rerank,
        qdrant,
        plugin_trusted_keys,
        language_model,
        voice,
        log: text("log"),
        log_json,
        values,
    })
}

fn address(text: &str, faults: &mut Vec<String>) -> SocketAddr {
    text.parse().unwrap_or_else(|_| {
        faults.push(format!("listen must be ADDRESS:PORT, not {text:?}"));
        ([127, 0, 0, 1], 8000).into()
    })
}

fn origins(list: Vec<String>, faults: &mut Vec<String>) -> Vec<String> {
    for origin in list.iter().filter(|origin| !is_origin(origin)) {
        faults.push(format!("allowed_origins: {origin:?} is no origin such as https://chat.example.org"));
    }
    list
}

/// A misspelt key would let nothing in, and nobody would know why.
fn fingerprints(list: Vec<String>, faults: &mut Vec<String>) -> Vec<String> {
    let is_letter = |it: u8| it.is_ascii_alphanumeric() || it == b'+' || it == b'/';
    let is_one = |it: &str| it.len() == 43 && it.bytes().all(is_letter);
    for key in list.iter().filter(|it| !it.strip_prefix("SHA256:").is_some_and(is_one)) {
        faults.push(format!("plugin_trusted_keys: {key:?} is no fingerprint: SHA256: and 43 letters"));
    }
    list
}

/// The parts of a list that can be read; `form` is what each must be.
fn parsed<T: std::str::FromStr>(key: &str, parts: &[String], form: &str, faults: &mut Vec<String>) -> Vec<T> {
    let mut read = |part: &String| {
        let read = part.parse().ok();
        if read.is_none() {
            faults.push(format!("{key}: {part:?} is no {form}"));
        }
        read
    };
    parts.iter().filter_map(&mut read).collect()
}

fn registration(text: &str, faults: &mut Vec<String>) -> Registration {
    match text {
        "invite" => Registration::Invite,
        "open" => Registration::Open,
        "off" => Registration::Off,
        other => {
            let domains: Vec<String> = other
                .strip_prefix("domain:")
                .unwrap_or_default()
                .split(',')
                .map(|part| part.trim().to_lowercase())
                .filter(|part| !part.is_empty())
                .collect();
            if domains.is_empty() {
                faults.push(format!("registration must be invite, open, domain:NAME or off, not {other:?}"));
            }
            Registration::Domain(domains)
        }
    }
}

/// Networks, or `off`. A network of everybody would be an open door to every account that does not exist yet.
fn networks(parts: &[String], faults: &mut Vec<String>) -> Vec<IpNet> {
    if parts.iter().any(|part| part == "off") {
        return Vec::new();
    }
    let mut found = Vec::new();
    for part in parts {
        match part.parse::<IpNet>().ok().or_else(|| part.parse::<IpAddr>().ok().map(IpNet::from)) {
            Some(network) if network.prefix_len() > 0 => found.push(network),
            _ => faults.push(format!(
                "login_or_create must be off or networks such as 10.0.0.0/8, and not all of them: {part:?}"
            )),
        }
    }
    found
}

fn oidc(text: &impl Fn(&str) -> String, required: &[String], faults: &mut Vec<String>) -> Option<Oidc> {
    let optional = |key: &str| Some(text(key)).filter(|value| !value.is_empty());
    let (client_id, audience) = (optional("oidc_client_id"), optional("oidc_audience"));
    let Some(issuer) = optional("oidc_issuer") else {
        if client_id.is_some() || audience.is_some() {
            faults.push("oidc_client_id and oidc_audience need an oidc_issuer".into());
        }
        return None;
    };
    // Auth0's name of it is a domain; its tokens name it with scheme and slash.
    let issuer = if issuer.contains("://") { issuer } else { format!("https://{issuer}/") };
    let is_local = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"];
    if !issuer.starts_with("https://") && !is_local.iter().any(|start| issuer.starts_with(start)) {
        faults.push(format!("oidc_issuer must begin with https://, not {issuer:?}"));
    }
    if client_id.is_none() && audience.is_none() {
        faults.push(
            "oidc_issuer needs oidc_audience (to accept tokens), oidc_client_id (to sign in) or both".into(),
        );
    }
    let mut required_claims = Vec::new();
    for part in required {
        match part.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() => {
                required_claims.push((name.trim().to_owned(), value.trim().to_owned()));
            }
            _ => faults.push(format!("oidc_required_claims must be NAME=VALUE[,…], not {part:?}")),
        }
    }
    let registration = text("oidc_registration");
    if !["same", "open"].contains(&registration.as_str()) {
        faults.push(format!("oidc_registration must be same or open, not {registration:?}"));
    }
    Some(Oidc {
        issuer,
        audience,
        client_id,
        client_secret: Secret(text("oidc_client_secret")),
        required_claims,
        is_open: registration == "open",
        name: text("oidc_name"),
    })
}

fn mail(url: &str, from: &str, faults: &mut Vec<String>) -> Option<Mail> {
    if url.is_empty() && from.is_empty() {
        return None;
    }
    if !url.starts_with("smtp://") && !url.starts_with("smtps://") {
        faults.push("smtp_url must begin with smtp:// or smtps://".into());
    }
    if !from.contains('@') {
        faults.push("mail_from must be an e-mail address; it goes together with smtp_url".into());
    }
    Some(Mail { smtp_url: Secret(url.to_owned()), from: from.to_owned() })
}

fn public_url(text: &str, faults: &mut Vec<String>) -> Option<String> {
    let text = text.trim_end_matches('/');
    if text.is_empty() {
        return None;
    }
    if !is_origin(text) {
        faults.push(format!("public_url must be http(s)://HOST[:PORT] without a path, not {text:?}"));
    }
    Some(text.to_owned())
}

fn is_origin(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|host| {
        !host.is_empty()
            && host.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '.' | '-' | ':' | '[' | ']'))
    })
}

fn check_database(url: &str, has_bus: bool, faults: &mut Vec<String>) {
    let is_postgres = url.starts_with("postgres://") || url.starts_with("postgresql://");
    if !url.is_empty() && !url.starts_with("sqlite:") && !is_postgres {
        faults.push("database_url must begin with sqlite: or postgres://".into());
    }
    if is_postgres && !has_bus {
        faults.push("a PostgreSQL database needs nats_url (NATS_URL) too: several servers share it".into());
    }
    if !is_postgres && has_bus {
        faults.push("nats_url needs a PostgreSQL database_url (DATABASE_URL) too".into());
    }
}

fn check_secret(key: &str, faults: &mut Vec<String>) {
    if key.is_empty() {
        return;
    }
    let distinct = key.chars().collect::<std::collections::BTreeSet<_>>().len();
    if KNOWN_KEYS.contains(&key.to_lowercase().as_str()) {
        faults.push("secret_key is a well-known example; make one with `openssl rand -hex 32`".into());
    } else if key.len() < 32 || distinct < 8 {
        faults.push(
            "secret_key is too weak: at least 32 random bytes; make one with `openssl rand -hex 32`".into(),
        );
    }
}

fn admin(username: &str, email: &str, password: &str, faults: &mut Vec<String>) -> Option<Admin> {
    let given = [username, email, password].iter().filter(|part| !part.is_empty()).count();
    if given != 0 && given != 3 {
        faults.push("admin_username, admin_email and admin_password go together".into());
    }
    (given == 3).then(|| Admin {
        username: username.into(),
        email: email.into(),
        password: Secret(password.into()),
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Origin, Settings};

    fn read(environment: &[(&str, &str)], file: &str) -> Result<Settings, String> {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("confab.toml"), file).expect("a file");
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Settings::read(&[], None, folder.path(), environment).map_err(|fault| fault.to_string())
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let faults = read(
            &[("CONFAB_LISTN", "x"), ("SECRET_KEY", "changeme"), ("NATS_URL", "nats://localhost")],
            "listn = 1\nrate_limits = \"maybe\"\nlisten = \"nowhere\"\n",
        )
        .expect_err("six faults");
        insta::assert_snapshot!(faults, @r#"
        settings: confab.toml: unknown setting listn (did you mean listen?)
          environment: unknown setting CONFAB_LISTN
          listen must be ADDRESS:PORT, not "nowhere"
          rate_limits must be on or off, not "maybe"
          nats_url needs a PostgreSQL database_url (DATABASE_URL) too
          secret_key is a well-known example; make one with `openssl rand -hex 32`
        "#);
    }

    #[test]
    fn the_environment_wins_over_the_file_and_our_name_over_an_alias() {
        let settings = read(
            &[
                ("CONFAB_LISTEN", "127.0.0.1:1"),
                ("DB_URL", "sqlite:/other.db"),
                ("DATABASE_URL", "sqlite:/ours.db"),
            ],
            "listen = \"127.0.0.1:2\"\nsockets_total = 7\n",
        )
        .expect("settings");
        assert_eq!(settings.listen.port(), 1);
        assert_eq!(settings.database_url(), "sqlite:/ours.db");
        assert_eq!(settings.sockets_total, 7);
        let origin = |key| settings.values.get(key).map(|(_, origin)| origin.clone());
        assert_eq!(origin("listen"), Some(Origin::Environment("CONFAB_LISTEN".into())));
        assert_eq!(origin("sockets_total"), Some(Origin::File));
        assert!(settings.shown().iter().any(|(key, value, _)| *key == "database_url" && value == "(secret)"));
    }
}
