//! The tables `[[webhook]]` of a manifest: where other programs call the plugin, and how they prove that they may.

use super::parse::{NAME_FORM, is_name};
use super::section::Section;
use super::{Manifest, Proof, Setting, SettingKind, Webhook};

const MOST_WEBHOOKS: usize = 8;

pub(super) fn read(root: &mut Section<'_>) -> Vec<Webhook> {
    let mut webhooks: Vec<Webhook> = Vec::new();
    for mut section in root.sections("webhook", MOST_WEBHOOKS) {
        let name = section.formed_text("name", 32, NAME_FORM, is_name);
        let secret = section.formed_text("secret", 32, NAME_FORM, is_name);
        let proof = match section.required_text("proof", 16).as_str() {
            "token" => Proof::Token,
            other => {
                if !matches!(other, "hmac-sha256" | "") {
                    section.note("proof", "must be hmac-sha256 or token");
                }
                Proof::HmacSha256
            }
        };
        let form = "the name of a header in lower case";
        let header = section.formed_text("header", 64, form, is_name);
        let prefix = section.text("prefix", 32).unwrap_or_default();
        let delivery_header = section.text("delivery-header", 64);
        if delivery_header.as_deref().is_some_and(|it| !is_name(it)) {
            section.note("delivery-header", format!("must be {form}"));
        }
        if !name.is_empty() && webhooks.iter().any(|other| other.name == name) {
            section.note("name", format!("`{name}` stands here twice"));
        }
        webhooks.push(Webhook { name, secret, proof, header, prefix, delivery_header });
        section.finish();
    }
    webhooks
}

/// A webhook whose secret nobody can set would be open to nobody, or worse.
pub(super) fn check(manifest: &Manifest, root: &Section<'_>) {
    for (index, webhook) in manifest.webhooks.iter().enumerate() {
        let is_secret = |it: &Setting| it.key == webhook.secret && it.kind == SettingKind::Secret;
        if !manifest.settings.iter().any(is_secret) {
            root.note(&format!("webhook[{index}].secret"), "must be the key of a setting of type secret");
        }
    }
}
