//! Manifests: a bad one lists all its faults.

use crate::memory_host::{message, user};
use confab_plugin_host::{
    Draft, Event, Field, Grants, Manifest, Permission, SettingValue, Who, bundled, image_files,
};
use std::collections::BTreeMap;

const BAD: &str = r#"
surprise = 1

[plugin]
id = "Dice"
name = ""
version = "1.2"
api = "9.9"
wasm = "../dice.wasm"
permissions = ["messages.post", "root", "events.message-posted"]
colour = "red"

[[event]]
name = "message-shredded"

[[event]]
name = "member-joined"
prefix = ["!"]

[[command]]
name = "Roll Dice"

[[command.option]]
name = "optional"
type = "text"
min = 1

[[command.option]]
name = "needed"
type = "choice"
required = true

[[command.option]]
name = "count"
type = "integer"
max = 3
default = 4

[[reaction]]
code = "no spaces"
name = "None"

[[setting]]
key = "size"
type = "integer"
default = "large"

[limits]
memory-mib = 0
"#;

#[test]
fn a_bad_manifest_lists_all_its_faults() {
    let faults = Manifest::parse(BAD).unwrap_err();
    let mut fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "command[0].description",
            "command[0].name",
            "command[0].option[0].min",
            "command[0].option[1].choices",
            "command[0].option[1].required",
            "command[0].option[2].default",
            "event[0].name",
            "event[1].name",
            "limits.memory-mib",
            "plugin.api",
            "plugin.colour",
            "plugin.id",
            "plugin.name",
            "plugin.permissions[1]",
            "plugin.permissions[2]",
            "plugin.sha256",
            "plugin.version",
            "plugin.wasm",
            "reaction[0].code",
            "reaction[0].text",
            "setting[0].default",
            "surprise",
        ]
    );
    let told = |field: &str| faults.iter().find(|fault| fault.field == field).unwrap().to_string();
    assert_eq!(told("plugin.permissions[1]"), "plugin.permissions[1]: there is no permission `root`");
    assert_eq!(told("plugin.sha256"), "plugin.sha256: is missing");
    assert_eq!(told("surprise"), "surprise: is not known here");
}

#[test]
fn what_is_no_toml_is_one_fault() {
    assert_eq!(Manifest::parse("[plugin").unwrap_err().len(), 1);
    assert_eq!(Manifest::parse(&"#".repeat(100_000)).unwrap_err().len(), 1);
    assert!(!Manifest::parse("").unwrap_err().is_empty());
    assert!(!Manifest::parse("plugin = 3\ncommand = 4\nevent = [5]").unwrap_err().is_empty());
}

#[test]
fn the_bundled_manifests_are_good() {
    for plugin in bundled() {
        let manifest = Manifest::parse(plugin.manifest).unwrap();
        assert!(!manifest.description.is_empty(), "{} has no description", plugin.name);
    }
}

#[test]
fn events_are_asked_for_like_permissions() {
    let dice = Manifest::parse(bundled()[0].manifest).unwrap();
    let asked: Vec<String> = dice.asks().iter().map(|permission| permission.to_string()).collect();
    assert_eq!(asked, ["messages.post", "storage", "events.message-posted"]);
    assert!(dice.asks().iter().all(|permission| !permission.describe().is_empty()));
    assert_eq!(Grants::none().missing(&dice.asks()), dice.asks());
    assert_eq!("events.channel-created".parse::<Permission>().unwrap().to_string(), "events.channel-created");
}

#[test]
fn who_asks_to_read_further_says_what_for_and_may_be_given_less() {
    let with = |permissions: &str| {
        let dice = bundled()[0].manifest;
        assert!(dice.contains(r#"["messages.post", "storage"]"#));
        dice.replace(r#"["messages.post", "storage"]"#, permissions)
    };
    let asked = |permissions: &str| -> Vec<String> {
        let manifest = Manifest::parse(&with(permissions)).unwrap();
        manifest.asks().iter().map(|it| it.to_string()).filter(|it| it.starts_with("channels.")).collect()
    };
    assert_eq!(asked(r#"["messages.post", "storage"]"#), Vec::<String>::new());
    assert_eq!(asked(r#"["storage", "channels.public"]"#), ["channels.public"]);
    assert_eq!(asked(r#"["storage", "channels.all"]"#), ["channels.public", "channels.all"]);
    // An update from the one to the other asks for more, the way back does not.
    let public = Manifest::parse(&with(r#"["channels.public"]"#)).unwrap().asks();
    let all = Manifest::parse(&with(r#"["channels.all"]"#)).unwrap().asks();
    assert_eq!(public.missing(&all), Grants::of([Permission::AllChannels]));
    assert_eq!(all.missing(&public), Grants::none());

    let deaf = |permissions: &str| {
        let head = with(permissions);
        head.split("[[").next().unwrap().to_owned()
    };
    let faults = Manifest::parse(&deaf(r#"["storage", "channels.all"]"#)).unwrap_err();
    assert_eq!((faults.len(), faults[0].field.as_str()), (1, "plugin.permissions"), "{faults:?}");
    assert!(Manifest::parse(&deaf(r#"["messages.read", "channels.all"]"#)).is_ok());
    let old = with(r#"["messages.read", "channels.public"]"#).replace("api = \"0.2\"", "api = \"0.1\"");
    assert!(old.contains("0.1"));
    assert!(Manifest::parse(&old).unwrap_err().iter().any(|it| it.field == "plugin.api"));
}

#[test]
fn settings_are_checked_and_filled_in() {
    let text = bundled()[0].manifest.to_owned()
        + r#"
[[setting]]
key = "sides"
type = "integer"
default = 6
[[setting]]
key = "luck"
type = "number"
required = true
"#;
    let manifest = Manifest::parse(&text).unwrap();
    let given = |json: &str| serde_json::from_str::<BTreeMap<String, SettingValue>>(json).unwrap();
    let settings = manifest.settings(&given(r#"{"luck": 1}"#)).unwrap();
    assert_eq!(settings["luck"], SettingValue::Number(1.0));
    assert_eq!(settings["sides"], SettingValue::Integer(6));
    let faults = manifest.settings(&given(r#"{"sides": "many", "colour": true}"#)).unwrap_err();
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        faults,
        ["colour: there is no such setting", "sides: must be an integer", "luck: is required"]
    );
}

#[test]
fn a_draft_becomes_one_text() {
    let field = |title: &str, inline| Field { title: title.into(), value: "1".into(), inline };
    let draft = Draft {
        content: "Result".into(),
        fields: vec![field("a", true), field("b", true), field("c", false)],
        buttons: Vec::new(),
    };
    assert_eq!(draft.markdown(), "Result\n\n**a** 1 · **b** 1\n**c** 1");
    assert_eq!(Draft { fields: vec![field("a", false)], ..Draft::default() }.markdown(), "**a** 1");
}

#[test]
fn a_webhook_needs_a_secret_that_can_be_set_and_the_permission() {
    let hook = r#"
[[webhook]]
name = "build"
secret = "key"
proof = "hmac-sha256"
header = "x-signature"
"#;
    let fields = |text: String| -> Vec<String> {
        Manifest::parse(&text)
            .map_or_else(|faults| faults.into_iter().map(|it| it.field).collect(), |_| Vec::new())
    };
    let repositories = bundled().iter().find(|it| it.name == "repositories").unwrap().manifest;
    assert_eq!(fields(repositories.to_owned()), Vec::<String>::new());
    assert_eq!(fields(repositories.to_owned() + hook), ["webhook[2].secret"]);
    let without = repositories.replace(", \"webhooks.take\"", "");
    assert_eq!(fields(without), ["plugin.permissions"]);
    let wrong = hook
        .replace("hmac-sha256", "md5")
        .replace("x-signature", "X Signature")
        .replace("\"key\"", "\"github-secret\"");
    assert_eq!(fields(repositories.to_owned() + &wrong), ["webhook[2].proof", "webhook[2].header"]);
}

/// Dice, with a reaction more.
fn with_reaction(rules: &str) -> String {
    format!("{}\n[[reaction]]\ncode = \"badge\"\nname = \"Badge\"\n{rules}\n", bundled()[0].manifest)
}

#[test]
fn a_reaction_says_who_may_put_it_and_how_often() {
    let plain = Manifest::parse(&with_reaction("text = \"B\"")).unwrap();
    let badge = plain.reaction("badge").unwrap();
    assert_eq!(
        (badge.who, badge.who.word(), badge.per_message, badge.per_day),
        (Who::Everyone, None, None, None)
    );
    for (word, who) in
        [("member", Who::Member), ("admin", Who::Admin), ("owner", Who::Owner), ("superuser", Who::Superuser)]
    {
        let rules = format!("text = \"B\"\nwho = \"{word}\"\nper-message = 1\nper-day = 1000");
        let manifest = Manifest::parse(&with_reaction(&rules)).unwrap();
        let badge = manifest.reaction("badge").unwrap();
        assert_eq!((badge.who, badge.who.word()), (who, Some(word)));
        assert_eq!((badge.per_message, badge.per_day), (Some(1), Some(1_000)));
    }
    for (rules, field) in [
        ("text = \"B\"\nwho = \"captain\"", "reaction[1].who"),
        ("text = \"B\"\nwho = 3", "reaction[1].who"),
        ("text = \"B\"\nper-message = 0", "reaction[1].per-message"),
        ("text = \"B\"\nper-message = 1001", "reaction[1].per-message"),
        ("text = \"B\"\nper-day = \"often\"", "reaction[1].per-day"),
        ("text = \"B\"\nper-day = -1", "reaction[1].per-day"),
        ("text = \"B\"\nper-week = 1", "reaction[1].per-week"),
        ("image = \"../badge.png\"", "reaction[1].image"),
        ("who = \"admin\"", "reaction[1].text"),
    ] {
        let faults = Manifest::parse(&with_reaction(rules)).unwrap_err();
        let fields: Vec<&str> = faults.iter().map(|it| it.field.as_str()).collect();
        assert_eq!(fields, [field], "{rules}");
    }
}

#[test]
fn images_are_named_by_reactions_and_known_by_their_hashes() {
    let hash = "0".repeat(64);
    let text = with_reaction("text = \"B\"\nimage = \"badge.png\"");
    assert_eq!(image_files(&text), ["badge.png"]);
    assert_eq!(Manifest::parse(&text).unwrap().images, BTreeMap::new(), "as its author writes it");
    let whole = format!("{text}\n[images]\n\"badge.png\" = \"{hash}\"\n");
    assert_eq!(
        Manifest::parse(&whole).unwrap().images,
        BTreeMap::from([("badge.png".to_owned(), hash.clone())])
    );
    for (from, to, field) in [
        (hash.as_str(), "abc", "images.badge.png"),
        ("\"badge.png\" = ", "\"other.png\" = ", "images.other.png"),
    ] {
        let faults = Manifest::parse(&whole.replace(from, to)).unwrap_err();
        assert_eq!(faults.iter().map(|it| it.field.as_str()).collect::<Vec<_>>(), [field]);
    }
    // What is read from the disk is beside the manifest, whatever it says.
    assert!(image_files(&with_reaction("image = \"../../etc/passwd\"")).is_empty());
    assert!(image_files("this is no manifest").is_empty() && image_files("reaction = 3").is_empty());
}

#[test]
fn events_are_filtered_by_what_a_message_holds() {
    let karma = bundled().iter().find(|it| it.name == "karma").unwrap();
    let karma = Manifest::parse(karma.manifest).unwrap();
    let wants =
        |text: &str| karma.wants(&Event::MessagePosted(message("m", user("ada", false), text)), "bot");
    assert!(wants("well done, bob++") && !wants("well done, bob"));
}
