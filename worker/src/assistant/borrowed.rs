//! Tools of plugins: which of them a model is offered for an answer, and what becomes of its calls.
//!
//! What one answers is material like a message: on one line, numbered, and cited or nothing. One that changes something is not
//! called here at all. It becomes a proposal, which is called as it stands when the asker says yes, and never else; so whatever a
//! message talks a model into, a person reads first. Calls are few and short, and what fails says so to the model alone.

use confab_core::conversations::confirmations::Proposal;
use confab_plugin_host::check_input;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant, timeout};

use super::book::Book;
use super::scope::Scope;
use super::{Desk, clean};
use crate::language_model::{Call, Offer, tokens_of};
use crate::plugins::{self, Tool, ToolAnswer, ToolUse, Tools};

/// Tools that a model is offered, and what describing them may take, in tokens. Those behind are left out.
const OFFERED: usize = 32;
const OFFERED_TOKENS: u64 = 4_000;
/// The list is in the memory of a worker; an answer goes on without it.
const LIST_WITHIN: Duration = Duration::from_secs(2);
/// Of one answer: calls, the time of all together, and what waits for a yes.
const CALLS: usize = 4;
const TIME: Duration = Duration::from_secs(8);
const PROPOSALS: usize = 3;
/// What a model may call one with.
const ARGUMENT_BYTES: usize = 4 * 1_024;
/// Of what a plugin says against a call, in characters.
const OBJECTION: usize = 300;
/// Longest name of a tool that models' endpoints take.
const NAME_BYTES: usize = 64;

/// See the module. One for each answer.
#[derive(Default)]
pub(super) struct Borrowed {
    tools: Vec<(Offer, Tool)>,
    calls_left: usize,
    time_left: Duration,
    /// What is to be confirmed.
    pub proposals: Vec<Proposal>,
}

impl Borrowed {
    /// Those for an answer of this scope. For one that a channel sees only what everybody may read; `may_propose`: also what
    /// changes something.
    pub async fn of(desk: &Desk, scope: &Scope, may_propose: bool) -> Self {
        let listed = timeout(LIST_WITHIN, desk.bus.ask::<_, Tools>(plugins::TOOLS, &json!({}))).await;
        let listed = match listed {
            Ok(Ok(listed)) => listed.items,
            Ok(Err(fault)) => {
                tracing::debug!(%fault, "an answer is made without the tools of plugins");
                Vec::new()
            }
            Err(_) => Vec::new(),
        };
        let fits = |tool: &Tool| match scope.seen_in {
            Some(_) => tool.is_read_only && tool.is_for_everyone,
            None => tool.is_read_only || may_propose,
        };
        let mut tokens_left = OFFERED_TOKENS;
        let mut tools = Vec::new();
        for tool in listed.into_iter().filter(fits).take(OFFERED) {
            let offer = offer(&tool);
            let Some(left) = tokens_left.checked_sub(tokens_of_offer(&offer)) else { break };
            tokens_left = left;
            tools.push((offer, tool));
        }
        Self { tools, calls_left: CALLS, time_left: TIME, proposals: Vec::new() }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.tools.is_empty()
    }

    /// How a model is told of them.
    pub fn offers(&self) -> impl Iterator<Item = Offer> + '_ {
        self.tools.iter().map(|(offer, _)| offer.clone())
    }

    /// What telling of them takes.
    pub fn tokens(&self) -> u64 {
        self.tools.iter().map(|(offer, _)| tokens_of_offer(offer)).sum()
    }

    /// Answers a call of the model; `None`: there is no such tool.
    pub async fn answer(
        &mut self,
        desk: &Desk,
        scope: &Scope,
        call: &Call,
        book: &mut Book,
    ) -> Option<String> {
        let tool = self.tools.iter().find(|(offer, _)| offer.name == call.name)?.1.clone();
        if call.arguments.len() > ARGUMENT_BYTES {
            return Some("the arguments are too long".into());
        }
        let text = call.arguments.trim();
        // Of a tool without any, some models write none.
        let Ok(input) = serde_json::from_str(if text.is_empty() { "{}" } else { text }) else {
            return Some("the arguments are no JSON".into());
        };
        Some(if tool.is_read_only {
            self.ask(desk, scope, tool, input, book).await
        } else {
            self.propose(tool, input)
        })
    }

    async fn ask(&mut self, desk: &Desk, scope: &Scope, tool: Tool, input: Value, book: &mut Book) -> String {
        if self.calls_left == 0 || self.time_left.is_zero() {
            return "no more calls for this answer".into();
        }
        self.calls_left -= 1;
        let asked = ToolUse {
            plugin_id: tool.plugin_id.clone(),
            tool: tool.name.clone(),
            input,
            user_id: scope.asker,
            channel_id: scope.seen_in,
            is_confirmed: false,
        };
        let begun = Instant::now();
        let answered = timeout(self.time_left, desk.bus.ask::<_, ToolAnswer>(plugins::TOOL, &asked)).await;
        self.time_left = self.time_left.saturating_sub(begun.elapsed());
        match answered {
            Ok(Ok(ToolAnswer { output: Some(output), sources, .. })) => {
                book.add_result(tool, &output, sources)
            }
            Ok(Ok(answer)) => {
                let objection = clean::line(&answer.error.unwrap_or_default(), OBJECTION);
                format!("the tool did not answer: {objection}")
            }
            Ok(Err(fault)) => {
                tracing::debug!(%fault, tool = tool.name, plugin = tool.plugin_id, "a tool of a plugin failed");
                "the tool failed".into()
            }
            Err(_) => "the tool took too long".into(),
        }
    }

    fn propose(&mut self, tool: Tool, arguments: Value) -> String {
        if let Err(faults) = check_input(&tool.schema, &arguments) {
            return format!("the arguments do not fit: {faults}");
        }
        if !is_exact(&arguments) {
            return "a number is too large to be shown exactly: write it as text".into();
        }
        let Tool { plugin_id, plugin, name, .. } = tool;
        let proposal = Proposal { plugin_id, plugin, tool: name, arguments };
        if !self.proposals.contains(&proposal) {
            if self.proposals.len() == PROPOSALS {
                return "no more of these for this answer".into();
            }
            self.proposals.push(proposal);
        }
        "This changes something, so the person is asked first. It is not done: do not say that it is.".into()
    }
}

/// Whether browsers read every whole number in it as it is written (2⁵³ − 1, ECMA-262's largest safe integer): what is shown for a yes is
/// what is called.
fn is_exact(value: &Value) -> bool {
    const SAFE: u64 = (1 << 53) - 1;
    match value {
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(whole), _) => whole <= SAFE,
            (None, Some(whole)) => whole.unsigned_abs() <= SAFE,
            (None, None) => true,
        },
        Value::Array(all) => all.iter().all(is_exact),
        Value::Object(all) => all.values().all(is_exact),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}

fn offer(tool: &Tool) -> Offer {
    let description = clean::line(&tool.description, 500);
    let plugin = clean::line(&tool.plugin, 60);
    Offer {
        name: name_of(tool),
        description: format!("{description} (A tool of {plugin}.)"),
        parameters: tool.schema.clone(),
    }
}

/// A name that no other tool has: ids hold no `_`, and neither do names. A long id is there by its hash, behind a mark with
/// which no id begins.
fn name_of(tool: &Tool) -> String {
    let name = format!("{}__{}", tool.plugin_id.replace('.', "_"), tool.name);
    if name.len() <= NAME_BYTES {
        return name;
    }
    let short: String = confab_core::text::hash(&tool.plugin_id).chars().take(24).collect();
    format!("_{short}__{}", tool.name)
}

fn tokens_of_offer(offer: &Offer) -> u64 {
    tokens_of(&offer.name) + tokens_of(&offer.description) + tokens_of(&offer.parameters.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(plugin_id: &str, name: &str) -> Tool {
        Tool {
            plugin_id: plugin_id.into(),
            plugin: "Stock".into(),
            name: name.into(),
            description: "Orders more.".into(),
            schema: json!({ "type": "object", "required": ["thing"] }),
            is_read_only: false,
            is_for_everyone: false,
        }
    }

    #[test]
    fn tools_of_two_plugins_have_two_names() {
        assert_eq!(name_of(&tool("chat.confab.stock", "level")), "chat_confab_stock__level");
        let long = |end: &str| name_of(&tool(&format!("org.{}.{end}", "x".repeat(80)), &"y".repeat(32)));
        assert_ne!(long("one"), long("two"));
        for name in [long("one"), name_of(&tool("org.example", "a-b"))] {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
            assert!(name.len() <= NAME_BYTES && name.bytes().all(is_plain), "{name}");
        }
    }

    #[test]
    fn what_changes_something_is_proposed_once_and_a_few_times() {
        let mut borrowed = Borrowed::default();
        assert!(borrowed.propose(tool("a.b", "order"), json!({})).contains("thing"), "it does not fit");
        for thing in ["anchors", "anchors", "buoys", "cleats", "anvils"] {
            borrowed.propose(tool("a.b", "order"), json!({ "thing": thing }));
        }
        let things: Vec<&Value> = borrowed.proposals.iter().map(|it| &it.arguments["thing"]).collect();
        assert_eq!(things, ["anchors", "buoys", "cleats"]);
    }
}
