//! What other programs send to a plugin. The sender proves that they know the secret before any plugin runs: no guest sees
//! what a stranger wrote, nor the secret.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::{constant_time, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use confab_core::{Fault, Result};
use confab_plugin_host::{CallError, Incoming, Level, Permission, Proof, SettingValue, Webhook};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::catalogue::{Catalogue, Loaded};
use super::host::Occasion;

/// A secret that anybody guesses proves nothing.
const SECRET_BYTES: usize = 16;
/// Headers that say something to a plugin; the others are of the way here, and may hold what is not for it.
const HEADERS: [&str; 3] = ["content-type", "user-agent", "x-request-id"];

/// What came, as servers hand it on.
#[derive(Debug, Serialize, Deserialize)]
pub struct Received {
    /// Of the plugin.
    pub plugin_id: String,
    /// Which of its addresses.
    pub name: String,
    /// In lower case, each once.
    pub headers: BTreeMap<String, String>,
    /// In base64.
    pub body: String,
}

/// Hands it to the plugin, once for each delivery that the sender names.
///
/// # Errors
/// [`Fault::NotFound`] for an address that no running plugin has; [`Fault::Forbidden`] with code `webhook_not_set` or
/// `wrong_signature`; [`Fault::Conflict`] with code `plugin_failed`.
pub(super) async fn take(catalogue: &Arc<Catalogue>, received: Received) -> Result<Value> {
    let unknown = || Fault::NotFound("webhook");
    let loaded = catalogue.get(&received.plugin_id).ok_or_else(unknown)?;
    let named = loaded.manifest.webhooks.iter().find(|it| it.name == received.name);
    let webhook = named.filter(|_| loaded.grants.has(Permission::TakeWebhooks)).ok_or_else(unknown)?;
    let body = STANDARD.decode(&received.body).map_err(Fault::internal)?;
    check(&loaded, webhook, &received.headers, &body)?;
    let delivery = webhook.delivery_header.as_ref().and_then(|header| received.headers.get(header));
    let delivery = delivery.cloned().unwrap_or_else(|| confab_protocol::fresh_id().to_string());
    let headers =
        received.headers.into_iter().filter(|(name, _)| *name != webhook.header && is_told(name)).collect();
    let incoming = Incoming { name: received.name.clone(), headers, body };
    let host = catalogue.host(&loaded, Occasion::webhook(&received.name, &delivery), None);
    let called = match catalogue.handlers(&loaded).await {
        Ok(plugin) => catalogue.call(&loaded, plugin.on_webhook(host.granted(), incoming)).await,
        Err(error) => Err(error),
    };
    called.map_err(|error| {
        catalogue.notes().line(&loaded.id, Level::Warn, &format!("webhook {}: {error}", received.name));
        let text = match error {
            CallError::Guest(text) => text,
            _ => "the plugin failed".to_owned(),
        };
        Fault::conflict("plugin_failed", text)
    })?;
    Ok(json!({}))
}

/// Headers of the sender's own, and a few that every sender has. Those by which callers sign in here are never told.
fn is_told(name: &str) -> bool {
    HEADERS.contains(&name)
        || (name.starts_with("x-")
            && !name.starts_with("x-forwarded")
            && !name.contains("token")
            && !name.contains("signature"))
}

fn check(loaded: &Loaded, webhook: &Webhook, headers: &BTreeMap<String, String>, body: &[u8]) -> Result<()> {
    let Some(SettingValue::Text(secret)) = loaded.settings.get(&webhook.secret) else {
        let text = format!("the setting {} of the plugin is not set yet", webhook.secret);
        return Err(Fault::forbidden("webhook_not_set", text));
    };
    let secret = secret.trim();
    if secret.len() < SECRET_BYTES {
        let text =
            format!("the setting {} of the plugin has fewer than {SECRET_BYTES} letters", webhook.secret);
        return Err(Fault::forbidden("webhook_not_set", text));
    }
    let given = headers.get(&webhook.header).and_then(|it| it.strip_prefix(webhook.prefix.as_str()));
    if given.is_some_and(|given| proves(webhook.proof, secret, given.trim(), body)) {
        return Ok(());
    }
    metrics::counter!("confab_plugin_webhooks_refused_total", "plugin" => loaded.id.clone()).increment(1);
    Err(Fault::forbidden(
        "wrong_signature",
        format!("the header {} does not prove the secret", webhook.header),
    ))
}

/// Takes as long for a wrong proof as for a right one.
fn proves(proof: Proof, secret: &str, given: &str, body: &[u8]) -> bool {
    match proof {
        Proof::Token => {
            // Of equal length whatever was sent: the length of a secret is no one's to measure.
            let hash = |text: &str| confab_core::text::hash(text);
            constant_time::verify_slices_are_equal(hash(given).as_bytes(), hash(secret).as_bytes()).is_ok()
        }
        Proof::HmacSha256 => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
            bytes_of(given).is_some_and(|tag| hmac::verify(&key, body, &tag).is_ok())
        }
    }
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_knows_the_secret_proves_it() {
        // GitHub's own example (docs.github.com, "Validating webhook deliveries").
        let (secret, body) = ("It's a Secret to Everybody", b"Hello, World!");
        let tag = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert!(proves(Proof::HmacSha256, secret, tag, body));
        assert!(!proves(Proof::HmacSha256, secret, tag, b"Hello, World?"));
        assert!(!proves(Proof::HmacSha256, "another", tag, body));
        for wrong in ["", "757107ea", &"+1".repeat(32), &"é".repeat(32)] {
            assert!(!proves(Proof::HmacSha256, secret, wrong, body), "{wrong}");
        }
        assert!(proves(Proof::Token, secret, secret, body));
        assert!(!proves(Proof::Token, secret, "", body));
    }

    #[test]
    fn a_plugin_hears_no_secret_of_the_way_here() {
        for (name, expected) in [
            ("x-github-event", true),
            ("content-type", true),
            ("authorization", false),
            ("cookie", false),
            ("x-gitlab-token", false),
            ("x-hub-signature-256", false),
            ("x-forwarded-for", false),
            ("x-api-token", false),
        ] {
            assert_eq!(is_told(name), expected, "{name}");
        }
    }
}
