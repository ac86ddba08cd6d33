//! What a plugin does, as lines below what somebody did.

use super::span;
use crate::outcome::CallError;
use crate::words::{Draft, Place, Reply, Suggestion, Timer};

/// A text on one line.
pub(super) fn one_line(text: &str) -> String {
    text.replace('\n', "\\n")
}

/// A draft on one line, with its buttons in brackets.
pub(super) fn draft(draft: &Draft) -> String {
    let mut line = one_line(&draft.markdown());
    for button in &draft.buttons {
        line.push_str(" [");
        line.push_str(&one_line(&button.label));
        line.push(']');
    }
    line
}

/// `` in #harbour`` or `` below m1``; nothing for where people talk anyway.
pub(super) fn place(place: &Place) -> String {
    match &place.thread_id {
        Some(root) => format!(" below {root}"),
        None if place.channel_id == super::script::CHANNEL => String::new(),
        None => format!(" in #{}", place.channel_id),
    }
}

/// The answer to a person.
pub(super) fn reply(reply: &Reply) -> String {
    match reply {
        Reply::Silent => "silent".into(),
        Reply::Whisper(it) => format!("whisper: {}", draft(it)),
        Reply::Public(it) => format!("public: {}", draft(it)),
        Reply::Update(it) => format!("update: {}", draft(it)),
    }
}

/// A call that gave no answer.
pub(super) fn error(error: &CallError) -> String {
    match error {
        CallError::Guest(text) => format!("error: {}", one_line(text)),
        other => format!("fails: {}", one_line(&other.to_string())),
    }
}

/// When a timer will call.
pub(super) fn timer(timer: &Timer, now_ms: u64) -> String {
    let wait = timer.at_ms.saturating_sub(now_ms).div_ceil(1000);
    let period = timer.period_seconds.map(|it| format!(", then every {}", span::written(u64::from(it))));
    format!("timer {} in {}{}", timer.name, span::written(wait), period.unwrap_or_default())
}

/// What could stand there.
pub(super) fn suggestions(all: &[Suggestion]) -> String {
    let one = |it: &Suggestion| {
        if it.label == it.value { it.value.clone() } else { format!("{} ({})", it.value, it.label) }
    };
    format!("suggests: {}", one_line(&all.iter().map(one).collect::<Vec<_>>().join(", ")))
}
