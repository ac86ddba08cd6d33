//! Keeps a stock of things: a reaction of its own that may be refused, suggestions, tools, calls out. Only tests use it.

use confab_plugin_sdk::prelude::*;

const THINGS: [&str; 4] = ["anchors", "anvils", "buoys", "cleats"];

struct Probe;

impl CommandHandler for Probe {
    fn on_command(call: Invocation) -> Result<Reply, String> {
        let thing = call.text("thing").unwrap_or_default();
        let asked = Request {
            method: "GET".into(),
            url: format!("{}{thing}", text_setting("url").unwrap_or_default()),
            headers: vec![("authorization".into(), "Bearer ${secret:token}".into())],
            body: Vec::new(),
        };
        let answer = http::fetch(&asked)?;
        Ok(Reply::tell(format!("{}: {}", answer.status, String::from_utf8_lossy(&answer.body))))
    }
}

impl CompletionHandler for Probe {
    fn complete(question: Question) -> Vec<Suggestion> {
        let fitting = THINGS.iter().filter(|thing| thing.starts_with(&question.typed));
        fitting.map(|thing| Suggestion { value: (*thing).to_owned(), label: None }).collect()
    }
}

impl ReactionGate for Probe {
    /// A message is sold once.
    fn may_react(reaction: Reaction) -> Verdict {
        match kv::get(&format!("sold:{}", reaction.message)) {
            Ok(Some(_)) => Verdict::Refuse("This is sold already.".into()),
            _ => Verdict::Allow,
        }
    }
}

impl ReactionHandler for Probe {
    fn on_reaction(reaction: Reaction, added: bool) -> Result<Reply, String> {
        let key = format!("sold:{}", reaction.message);
        if !added {
            kv::delete(&key)?;
            return Ok(Reply::Silent);
        }
        kv::set(&key, reaction.user.username.as_bytes(), None)?;
        Ok(Reply::say(format!("Sold to {}.", reaction.user.display_name)))
    }
}

impl ToolHandler for Probe {
    fn call_tool(call: ToolCall) -> Result<String, String> {
        // The one key that is looked for: a plugin of substance reads JSON with a crate.
        let thing = THINGS.into_iter().find(|thing| call.input.contains(thing));
        let thing = thing.ok_or("there is no such thing")?;
        match call.tool.as_str() {
            "stock-level" => {
                let level = kv::get(thing)?.map_or_else(|| "7".into(), |entry| String::from_utf8_lossy(&entry.value).into_owned());
                Ok(format!("There are {level} {thing} in stock."))
            }
            _ => {
                kv::set(thing, b"100", None)?;
                Ok(format!("{} ordered {thing}.", call.user.username))
            }
        }
    }
}

confab_plugin_sdk::export!(Probe: commands, completion, gate, reactions, tools);
