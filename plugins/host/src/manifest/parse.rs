//! From the text of a manifest to the manifest, or to everything that is wrong with it.

use super::reactions::{images, is_file_name, reactions};
use super::section::{Faults, Section};
use super::{
    AskedLimits, Command, CommandOption, EventFilter, Fault, Keeping, Manifest, OptionKind, Setting,
    SettingKind, Tool, schema, webhooks,
};
use crate::permission::Permission;
use crate::words::{EventKind, OptionValue, SettingValue};
use std::collections::BTreeSet;

/// The versions of `confab:plugin` that this host runs.
const APIS: [&str; 2] = ["0.1", "0.2"];
const TEXT_BYTES: usize = 64 * 1024;
const MOST_COMMANDS: usize = 32;
const MOST_OPTIONS: usize = 16;
const MOST_CHOICES: usize = 25;
const MOST_SETTINGS: usize = 32;
const MOST_PREFIXES: usize = 16;
const MOST_TOOLS: usize = 16;
const MOST_ORIGINS: usize = 16;
const SCHEMA_BYTES: usize = 8 * 1024;
pub(super) const NAME_FORM: &str = "lower-case letters, digits and hyphens, beginning with a letter";

pub(super) fn manifest(text: &str) -> Result<Manifest, Vec<Fault>> {
    let whole = |message: String| vec![Fault { field: "plugin.toml".into(), message }];
    if text.len() > TEXT_BYTES {
        return Err(whole(format!("is larger than {TEXT_BYTES} bytes")));
    }
    let table = text.parse::<toml::Table>().map_err(|error| whole(error.to_string()))?;
    let faults = Faults::default();
    let manifest = read(Section::root(table, &faults));
    let faults = faults.into_inner();
    if faults.is_empty() { Ok(manifest) } else { Err(faults) }
}

fn read(mut root: Section<'_>) -> Manifest {
    let mut plugin = root.section("plugin");
    let reactions = reactions(&mut root);
    let manifest = Manifest {
        id: plugin.formed_text(
            "id",
            100,
            "a reverse domain name such as org.example.polls",
            is_reverse_domain,
        ),
        name: plugin.required_text("name", 60),
        version: plugin.formed_text("version", 32, "three numbers such as 1.2.3", is_version),
        api: plugin.formed_text("api", 16, "0.1 or 0.2, the versions that this server runs", |api| {
            APIS.contains(&api)
        }),
        description: plugin.text("description", 300).unwrap_or_default(),
        wasm: plugin.formed_text("wasm", 64, "a plain file name that ends in .wasm", |name| {
            is_file_name(name) && name.strip_suffix(".wasm").is_some()
        }),
        sha256: plugin.formed_text("sha256", 64, "64 hexadecimal digits in lower case", is_sha256),
        permissions: permissions(&mut plugin),
        events: events(&mut root),
        commands: commands(&mut root),
        images: images(&mut root, &reactions),
        reactions,
        settings: settings(&mut root),
        tools: tools(&mut root),
        webhooks: webhooks::read(&mut root),
        http: origins(root.section("http")),
        limits: limits(root.section("limits")),
    };
    // Read beside the text that it is of: `signature.rs`.
    root.value("signature");
    if manifest.api == "0.1" {
        only_since_0_2(&manifest, &plugin);
    }
    if manifest.permissions.contains(&Permission::Fetch) == manifest.http.is_empty() {
        plugin.note("permissions", "http.fetch and the table [http] belong together");
    }
    if manifest.permissions.contains(&Permission::OfferTools) == manifest.tools.is_empty() {
        plugin.note("permissions", "assistant.tools and [[tool]] belong together");
    }
    if manifest.permissions.contains(&Permission::TakeWebhooks) == manifest.webhooks.is_empty() {
        plugin.note("permissions", "webhooks.take and [[webhook]] belong together");
    }
    if manifest.reaches_for_nothing() {
        plugin.note("permissions", "channels.public and channels.all are for what hears of events or reads");
    }
    webhooks::check(&manifest, &root);
    plugin.finish();
    root.finish();
    manifest
}

/// What 0.1 has no words for: a component of that version could not be told of it.
fn only_since_0_2(manifest: &Manifest, plugin: &Section<'_>) {
    let option =
        |it: &CommandOption| it.completes || matches!(it.kind, OptionKind::User | OptionKind::Channel);
    let is_newer = !manifest.tools.is_empty()
        || !manifest.webhooks.is_empty()
        || !manifest.http.is_empty()
        || manifest.commands.iter().any(|command| command.options.iter().any(option))
        || manifest.reactions.iter().any(|it| it.asks)
        || manifest.settings.iter().any(|it| it.kind == SettingKind::Secret)
        || manifest.permissions.iter().any(|it| !Permission::SINCE_0_1.contains(it));
    if is_newer {
        plugin.note("api", "must be 0.2 for what this manifest asks for");
    }
}

fn tools(root: &mut Section<'_>) -> Vec<Tool> {
    let mut tools: Vec<Tool> = Vec::new();
    for mut section in root.sections("tool", MOST_TOOLS) {
        let name = section.formed_text("name", 32, NAME_FORM, is_name);
        let description = section.required_text("description", 500);
        let schema = schema(&mut section);
        let is_read_only = section.flag("read-only");
        if !name.is_empty() && tools.iter().any(|other| other.name == name) {
            section.note("name", format!("`{name}` stands here twice"));
        }
        let is_for_everyone = section.flag("for-everyone");
        if is_for_everyone && !is_read_only {
            section.note("for-everyone", "is for a tool that is read-only: no other is called in a channel");
        }
        tools.push(Tool { name, description, schema, is_read_only, is_for_everyone });
        section.finish();
    }
    tools
}

/// The schema is written as a TOML table, `[tool.input]`; a tool without input needs none.
fn schema(section: &mut Section<'_>) -> serde_json::Value {
    let empty = || serde_json::json!({ "type": "object", "properties": {} });
    let Some(value) = section.value("input") else { return empty() };
    let schema = serde_json::to_value(value).unwrap_or_default();
    if schema.get("type").and_then(serde_json::Value::as_str) != Some("object") {
        section.note("input", "must be the JSON schema of an object, with type = \"object\"");
        return empty();
    }
    if schema.to_string().len() > SCHEMA_BYTES {
        section.note("input", format!("has at most {SCHEMA_BYTES} bytes"));
    } else if let Err(message) = schema::validator(&schema) {
        section.note("input", message);
    }
    schema
}

fn origins(mut section: Section<'_>) -> Vec<String> {
    let origins = section.texts("allow", MOST_ORIGINS, 200);
    for (index, origin) in origins.iter().enumerate() {
        if !is_origin(origin) {
            section.note(&format!("allow[{index}]"), "must be an origin such as https://api.example.com");
        }
    }
    section.finish();
    origins
}

/// Scheme, host and perhaps a port: no path, no name and password, nothing that a URL parser would read otherwise.
fn is_origin(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let Some(rest) = rest else { return false };
    let (host, port) = rest.split_once(':').unwrap_or((rest, "443"));
    !host.is_empty()
        && host
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte))
        && port.parse::<u16>().is_ok_and(|port| port > 0)
}

fn permissions(plugin: &mut Section<'_>) -> BTreeSet<Permission> {
    let mut permissions = BTreeSet::new();
    for (index, text) in plugin.texts("permissions", 32, 64).iter().enumerate() {
        match text.parse() {
            Ok(Permission::Event(kind)) => {
                plugin.note(
                    &format!("permissions[{index}]"),
                    format!("ask for it with [[event]] name = \"{kind}\""),
                );
            }
            Ok(permission) => drop(permissions.insert(permission)),
            Err(message) => plugin.note(&format!("permissions[{index}]"), message),
        }
    }
    permissions
}

fn events(root: &mut Section<'_>) -> Vec<EventFilter> {
    let mut events: Vec<EventFilter> = Vec::new();
    for mut section in root.sections("event", EventKind::ALL.len()) {
        let name = section.required_text("name", 64);
        let filter = EventFilter {
            kind: name.parse().unwrap_or(EventKind::MessagePosted),
            prefix: section.texts("prefix", MOST_PREFIXES, 64),
            contains: section.texts("contains", MOST_PREFIXES, 64),
            mentions_bot: section.flag("mentions-bot"),
            from_bots: section.flag("from-bots"),
        };
        match name.parse::<EventKind>() {
            Err(message) if !name.is_empty() => section.note("name", message),
            Ok(kind) if events.iter().any(|other| other.kind == kind) => {
                section.note("name", format!("`{name}` stands here twice"));
            }
            Ok(kind) if !is_message(kind) && filter.reads_messages() => {
                section.note(
                    "name",
                    "prefix, contains and mentions-bot are for posted and edited messages only",
                );
            }
            _ => events.push(filter),
        }
        section.finish();
    }
    events
}

fn commands(root: &mut Section<'_>) -> Vec<Command> {
    let mut commands: Vec<Command> = Vec::new();
    for mut section in root.sections("command", MOST_COMMANDS) {
        let command = Command {
            name: section.formed_text("name", 32, NAME_FORM, is_name),
            description: section.required_text("description", 200),
            options: options(&mut section),
        };
        if !command.name.is_empty() && commands.iter().any(|other| other.name == command.name) {
            section.note("name", format!("`{}` stands here twice", command.name));
        }
        commands.push(command);
        section.finish();
    }
    commands
}

fn options(command: &mut Section<'_>) -> Vec<CommandOption> {
    let mut options: Vec<CommandOption> = Vec::new();
    for mut section in command.sections("option", MOST_OPTIONS) {
        let option = option(&mut section);
        if !option.name.is_empty() && options.iter().any(|other| other.name == option.name) {
            section.note("name", format!("`{}` stands here twice", option.name));
        }
        // Values without a name are given in order: one that is needed after one that is not could not be told apart.
        if option.required && options.last().is_some_and(|previous| !previous.required) {
            section.note("required", "required options come before the others");
        }
        options.push(option);
        section.finish();
    }
    options
}

fn option(section: &mut Section<'_>) -> CommandOption {
    let name = section.formed_text("name", 32, NAME_FORM, is_name);
    let kind_name = section.required_text("type", 16);
    let kind = match kind_name.as_str() {
        "integer" => OptionKind::Integer,
        "number" => OptionKind::Number,
        "toggle" => OptionKind::Toggle,
        "choice" => OptionKind::Choice,
        "user" => OptionKind::User,
        "channel" => OptionKind::Channel,
        other => {
            if !matches!(other, "text" | "") {
                section.note("type", "must be text, integer, number, toggle, choice, user or channel");
            }
            OptionKind::Text
        }
    };
    let mut option = CommandOption {
        name,
        description: section.text("description", 200).unwrap_or_default(),
        kind,
        required: section.flag("required"),
        min: section.number("min"),
        max: section.number("max"),
        choices: section.texts("choices", MOST_CHOICES, 100),
        default: None,
        completes: section.flag("complete"),
    };
    let bounded = matches!(kind, OptionKind::Integer | OptionKind::Number);
    if !bounded && (option.min.is_some() || option.max.is_some()) {
        section.note("min", "min and max are for integers and numbers only");
    }
    if option.min.zip(option.max).is_some_and(|(min, max)| min > max) {
        section.note("min", "must not be above max");
    }
    if (kind == OptionKind::Choice) == option.choices.is_empty() {
        section.note("choices", "the type choice has choices, the others have none");
    }
    if let Some(value) = section.value("default") {
        option.default = default_of(&option, &value);
        if option.default.is_none() || option.required {
            section.note("default", "must be a value that the option takes, and the option not required");
        }
    }
    option
}

fn default_of(option: &CommandOption, value: &toml::Value) -> Option<OptionValue> {
    let text = match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Integer(_) | toml::Value::Float(_) | toml::Value::Boolean(_) => value.to_string(),
        _ => return None,
    };
    let stated_as_text = matches!(value, toml::Value::String(_));
    let takes_text = matches!(option.kind, OptionKind::Text | OptionKind::Choice);
    if stated_as_text == takes_text { option.value(&text).ok() } else { None }
}

fn settings(root: &mut Section<'_>) -> Vec<Setting> {
    let mut settings: Vec<Setting> = Vec::new();
    for mut section in root.sections("setting", MOST_SETTINGS) {
        let key = section.formed_text("key", 32, NAME_FORM, is_name);
        let kind_name = section.required_text("type", 16);
        let kind = match kind_name.as_str() {
            "integer" => SettingKind::Integer,
            "number" => SettingKind::Number,
            "toggle" => SettingKind::Toggle,
            "secret" => SettingKind::Secret,
            other => {
                if !matches!(other, "text" | "") {
                    section.note("type", "must be text, integer, number, toggle or secret");
                }
                SettingKind::Text
            }
        };
        let has_default = section.has("default");
        let default = section.value("default").and_then(setting_value).and_then(|value| kind.accept(&value));
        if has_default && default.is_none() {
            section.note("default", format!("must be {}", kind.article()));
        }
        if has_default && kind == SettingKind::Secret {
            section.note("default", "a secret in a manifest is none");
        }
        let description = section.text("description", 200).unwrap_or_default();
        let required = section.flag("required");
        if required && has_default {
            section.note("required", "a setting with a default is never required");
        }
        if !key.is_empty() && settings.iter().any(|other| other.key == key) {
            section.note("key", format!("`{key}` stands here twice"));
        }
        settings.push(Setting { key, description, kind, default, required });
        section.finish();
    }
    settings
}

fn setting_value(value: toml::Value) -> Option<SettingValue> {
    match value {
        toml::Value::String(text) => Some(SettingValue::Text(text)),
        toml::Value::Integer(integer) => Some(SettingValue::Integer(integer)),
        toml::Value::Float(number) if number.is_finite() => Some(SettingValue::Number(number)),
        toml::Value::Boolean(toggle) => Some(SettingValue::Toggle(toggle)),
        _ => None,
    }
}

fn limits(mut section: Section<'_>) -> AskedLimits {
    let limits = AskedLimits {
        memory_mib: section.integer("memory-mib", 1..=4096),
        event_ms: section.integer("event-ms", 10..=60_000),
        command_ms: section.integer("command-ms", 10..=60_000),
        instance: match section.text("instance", 16).as_deref() {
            None | Some("fresh") => Keeping::Fresh,
            Some("kept") => Keeping::Kept,
            Some(_) => {
                section.note("instance", "must be fresh or kept");
                Keeping::Fresh
            }
        },
    };
    section.finish();
    limits
}

fn is_message(kind: EventKind) -> bool {
    matches!(kind, EventKind::MessagePosted | EventKind::MessageEdited)
}

fn is_reverse_domain(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.contains('.') && text.split('.').all(label)
}

fn is_version(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    parts.len() == 3
        && parts.iter().all(|part| part.parse::<u32>().is_ok_and(|number| number.to_string() == **part))
}

pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

pub(super) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}
