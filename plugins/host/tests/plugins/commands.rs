//! From the text of a slash command to its arguments.

use confab_plugin_host::{Command, Manifest, OptionValue, bundled, command_name};

fn poll() -> Command {
    let text = bundled()[0].manifest.to_owned()
        + r#"
[[command]]
name = "poll"
description = "Ask the channel"
[[command.option]]
name = "question"
type = "text"
required = true
[[command.option]]
name = "hours"
type = "integer"
min = 1
max = 168
default = 24
[[command.option]]
name = "style"
type = "choice"
choices = ["Open", "Secret"]
[[command.option]]
name = "weight"
type = "number"
min = 0.5
[[command.option]]
name = "pin"
type = "toggle"
[[command.option]]
name = "note"
type = "text"
"#;
    Manifest::parse(&text).unwrap().command("poll").unwrap().clone()
}

fn arguments(text: &str) -> Vec<String> {
    let shown = |value: OptionValue| match value {
        OptionValue::Text(text)
        | OptionValue::Choice(text)
        | OptionValue::User(text)
        | OptionValue::Channel(text) => text,
        OptionValue::Integer(integer) => integer.to_string(),
        OptionValue::Number(number) => number.to_string(),
        OptionValue::Toggle(toggle) => toggle.to_string(),
    };
    let arguments = poll().arguments(text).unwrap();
    arguments.into_iter().map(|argument| format!("{}={}", argument.name, shown(argument.value))).collect()
}

fn fault(text: &str) -> String {
    let fault = poll().arguments(text).unwrap_err().to_string();
    fault.replace(". Usage: /poll <question> [hours] [style] [weight] [pin] [note]", "")
}

#[test]
fn values_come_in_order_or_by_name() {
    assert_eq!(arguments("/poll Tea?"), ["question=Tea?", "hours=24"]);
    assert_eq!(
        arguments("/poll \"Tea or coffee?\" 3 secret"),
        ["question=Tea or coffee?", "hours=3", "style=Secret"]
    );
    assert_eq!(arguments("/poll hours=3 Tea? Open"), ["question=Tea?", "hours=3", "style=Open"]);
    assert_eq!(
        arguments("/poll Tea? pin=yes weight=1.5"),
        ["question=Tea?", "hours=24", "weight=1.5", "pin=true"]
    );
    assert_eq!(
        arguments("/poll  Tea? 3 open 1 no and all of  the rest=of it "),
        [
            "question=Tea?",
            "hours=3",
            "style=Open",
            "weight=1",
            "pin=false",
            "note=and all of  the rest=of it"
        ]
    );
    assert_eq!(
        arguments(r#"/poll "say \"hi\"" note="x y""#),
        [r#"question=say "hi""#, "hours=24", "note=x y"]
    );
    assert_eq!(arguments("/poll a=b"), ["question=a=b", "hours=24"], "a is no option");
}

#[test]
fn mistakes_are_named() {
    assert_eq!(fault("/poll"), "`question` is missing");
    assert_eq!(fault("/poll Tea? soon"), "`hours` must be an integer");
    assert_eq!(fault("/poll Tea? 0"), "`hours` must be from 1 to 168");
    assert_eq!(fault("/poll Tea? 9007199254740993"), "`hours` is too large");
    assert_eq!(fault("/poll Tea? style=loud"), "`style` must be one of Open, Secret");
    assert_eq!(fault("/poll Tea? weight=NaN"), "`weight` must be a number");
    assert_eq!(fault("/poll Tea? weight=0.1"), "`weight` must be at least 0.5");
    assert_eq!(fault("/poll Tea? pin=maybe"), "`pin` must be yes or no");
    assert_eq!(fault("/poll Tea? hours=2 hours=3"), "`hours` is given twice");
    assert_eq!(fault("/poll \"Tea?"), "a quotation mark is not closed");
    assert_eq!(fault("/poll \"Tea\"or"), "a space is missing after a quotation");
    assert_eq!(fault("/poll a 1 open 1 yes note=x y"), "there is no option for `y`");
}

#[test]
fn the_name_is_what_follows_the_slash() {
    assert_eq!(command_name(" /roll 2d6").unwrap(), "roll");
    assert_eq!(command_name("/roll\n2d6").unwrap(), "roll");
    for text in ["roll", "/", "/ roll", ""] {
        assert!(command_name(text).is_err(), "{text}");
    }
    assert!(command_name(&format!("/{}", "x".repeat(5000))).is_err());
}
