//! Short ways to say common things with the shared words.

use crate::bindings::host::confab::plugin::settings;
use crate::types::{
    Button, ButtonStyle, Draft, Failure, Field, Invocation, Message, OptionValue, Place, Reaction, Reply,
    Value,
};

impl Draft {
    /// A message of text (Markdown) alone.
    pub fn text(content: impl Into<String>) -> Self {
        Self { content: content.into(), fields: Vec::new(), buttons: Vec::new() }
    }

    /// With one more button below.
    #[must_use]
    pub fn button(mut self, button: Button) -> Self {
        self.buttons.push(button);
        self
    }

    /// With one more field below the text.
    #[must_use]
    pub fn field(mut self, title: impl Into<String>, value: impl Into<String>) -> Self {
        self.fields.push(Field { title: title.into(), value: value.into(), inline: false });
        self
    }
}

impl Button {
    /// A plain button: pressed, it brings `action` and `payload` back.
    pub fn new(action: impl Into<String>, payload: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            payload: payload.into(),
            label: label.into(),
            style: ButtonStyle::Plain,
        }
    }

    /// The one that people press most.
    #[must_use]
    pub fn primary(mut self) -> Self {
        self.style = ButtonStyle::Primary;
        self
    }

    /// One that ends or removes something.
    #[must_use]
    pub fn danger(mut self) -> Self {
        self.style = ButtonStyle::Danger;
        self
    }
}

/// The text of a setting, if it has one.
pub fn text_setting(key: &str) -> Option<String> {
    match settings::get(key)? {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// The number of an integer setting, if it has one.
pub fn integer_setting(key: &str) -> Option<i64> {
    match settings::get(key)? {
        Value::Integer(number) => Some(number),
        _ => None,
    }
}

impl Reply {
    /// The bot answers where everybody sees it.
    pub fn say(content: impl Into<String>) -> Self {
        Self::Public(Draft::text(content))
    }

    /// Only the person who acted sees the answer.
    pub fn tell(content: impl Into<String>) -> Self {
        Self::Whisper(Draft::text(content))
    }
}

impl Message {
    /// The thread below this message, or the thread that it is in.
    pub fn thread(&self) -> Place {
        thread_of(&self.place, &self.id)
    }
}

impl Reaction {
    /// The thread of the message that was reacted to.
    pub fn thread(&self) -> Place {
        thread_of(&self.place, &self.message)
    }
}

fn thread_of(place: &Place, message: &str) -> Place {
    Place {
        channel: place.channel.clone(),
        thread: Some(place.thread.clone().unwrap_or_else(|| message.to_owned())),
    }
}

impl Invocation {
    /// The value of an option, if it was given or has a default.
    pub fn argument(&self, name: &str) -> Option<&OptionValue> {
        self.arguments.iter().find(|argument| argument.name == name).map(|argument| &argument.value)
    }

    /// The value of a text or choice option, or the id of a user or a channel.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.argument(name)? {
            OptionValue::Text(text)
            | OptionValue::Choice(text)
            | OptionValue::User(text)
            | OptionValue::Channel(text) => Some(text),
            _ => None,
        }
    }

    /// The value of an integer option.
    pub fn integer(&self, name: &str) -> Option<i64> {
        match self.argument(name)? {
            OptionValue::Integer(integer) => Some(*integer),
            _ => None,
        }
    }

    /// The value of a number option.
    pub fn number(&self, name: &str) -> Option<f64> {
        match self.argument(name)? {
            OptionValue::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The value of a yes-or-no option; false if it was not given.
    pub fn toggle(&self, name: &str) -> bool {
        matches!(self.argument(name), Some(OptionValue::Toggle(true)))
    }
}

/// Lets `?` turn a failed host call into a handler's error text.
impl From<Failure> for String {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Denied(what) => format!("not permitted: {what}"),
            Failure::NotFound => "not found".into(),
            Failure::Invalid(why) => format!("invalid: {why}"),
            Failure::Throttled(after_ms) => format!("too many requests; try again in {after_ms} ms"),
            Failure::OverQuota(which) => format!("quota used up: {which}"),
            Failure::Conflict => "somebody else wrote first".into(),
            Failure::Unavailable(why) => format!("not available now: {why}"),
            Failure::Other(text) => text,
        }
    }
}
