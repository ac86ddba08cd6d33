//! Between our words and the bindings'. They differ so that a second version of the contract can have bindings of its
//! own while the rest of Confab keeps its words.

use crate::bindings::confab::plugin::{events, kv, runtime, settings, types};
use crate::bindings::exports::confab::plugin::{command_handler, lifecycle};
use crate::words::{
    Argument, Delivery, Draft, Entry, Event, Failure, Field, Invocation, Level, Membership, Message,
    OptionValue, Place, Reaction, Reason, SettingValue, User,
};

impl From<User> for types::User {
    fn from(user: User) -> Self {
        Self { id: user.id, username: user.username, display_name: user.display_name, bot: user.is_bot }
    }
}

impl From<Place> for types::Place {
    fn from(place: Place) -> Self {
        Self { channel: place.channel_id, thread: place.thread_id }
    }
}

impl From<types::Place> for Place {
    fn from(place: types::Place) -> Self {
        Self { channel_id: place.channel, thread_id: place.thread }
    }
}

impl From<Message> for types::Message {
    fn from(message: Message) -> Self {
        Self {
            id: message.id,
            place: message.place.into(),
            sender: message.sender.into(),
            content: message.content,
            created: message.created_at_ms,
            edited: message.edited_at_ms,
        }
    }
}

impl From<types::Draft> for Draft {
    fn from(draft: types::Draft) -> Self {
        let field =
            |field: types::Field| Field { title: field.title, value: field.value, inline: field.inline };
        Self { content: draft.content, fields: draft.fields.into_iter().map(field).collect() }
    }
}

impl From<Failure> for types::Failure {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Denied(what) => Self::Denied(what),
            Failure::NotFound => Self::NotFound,
            Failure::Invalid(why) => Self::Invalid(why),
            Failure::Throttled { after_ms } => Self::Throttled(after_ms),
            Failure::OverQuota(which) => Self::OverQuota(which),
            Failure::Conflict => Self::Conflict,
            Failure::Unavailable(why) => Self::Unavailable(why),
            Failure::Other(text) => Self::Other(text),
        }
    }
}

impl From<Reaction> for events::Reaction {
    fn from(reaction: Reaction) -> Self {
        Self {
            message: reaction.message_id,
            place: reaction.place.into(),
            user: reaction.user.into(),
            code: reaction.code,
        }
    }
}

impl From<Membership> for events::Membership {
    fn from(membership: Membership) -> Self {
        Self { place: membership.place.into(), user: membership.user.into() }
    }
}

impl From<Event> for events::Event {
    fn from(event: Event) -> Self {
        match event {
            Event::MessagePosted(message) => Self::MessagePosted(message.into()),
            Event::MessageEdited(message) => Self::MessageEdited(message.into()),
            Event::MessageDeleted { message_id, place } => Self::MessageDeleted((message_id, place.into())),
            Event::ReactionAdded(reaction) => Self::ReactionAdded(reaction.into()),
            Event::ReactionRemoved(reaction) => Self::ReactionRemoved(reaction.into()),
            Event::MemberJoined(membership) => Self::MemberJoined(membership.into()),
            Event::MemberLeft(membership) => Self::MemberLeft(membership.into()),
            Event::ChannelCreated(place) => Self::ChannelCreated(place.into()),
            Event::Other { kind, json } => Self::Other((kind, json)),
        }
    }
}

impl From<Delivery> for events::Delivery {
    fn from(delivery: Delivery) -> Self {
        Self {
            sequence: delivery.sequence,
            attempt: delivery.attempt,
            at: delivery.at_ms,
            event: delivery.event.into(),
        }
    }
}

impl From<Argument> for command_handler::Argument {
    fn from(argument: Argument) -> Self {
        let value = match argument.value {
            OptionValue::Text(text) => command_handler::OptionValue::Text(text),
            OptionValue::Integer(integer) => command_handler::OptionValue::Integer(integer),
            OptionValue::Number(number) => command_handler::OptionValue::Number(number),
            OptionValue::Toggle(toggle) => command_handler::OptionValue::Toggle(toggle),
            OptionValue::Choice(choice) => command_handler::OptionValue::Choice(choice),
        };
        Self { name: argument.name, value }
    }
}

impl From<Invocation> for command_handler::Invocation {
    fn from(call: Invocation) -> Self {
        Self {
            command: call.command,
            arguments: call.arguments.into_iter().map(Into::into).collect(),
            user: call.user.into(),
            place: call.place.into(),
        }
    }
}

impl From<Reason> for lifecycle::Reason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Installed => Self::Installed,
            Reason::Upgraded => Self::Upgraded,
            Reason::SettingsChanged => Self::SettingsChanged,
        }
    }
}

impl From<Entry> for kv::Entry {
    fn from(entry: Entry) -> Self {
        Self { value: entry.value, revision: entry.revision }
    }
}

impl From<SettingValue> for settings::Value {
    fn from(value: SettingValue) -> Self {
        match value {
            SettingValue::Text(text) => Self::Text(text),
            SettingValue::Integer(integer) => Self::Integer(integer),
            SettingValue::Number(number) => Self::Number(number),
            SettingValue::Toggle(toggle) => Self::Toggle(toggle),
        }
    }
}

impl From<runtime::Level> for Level {
    fn from(level: runtime::Level) -> Self {
        match level {
            runtime::Level::Debug => Self::Debug,
            runtime::Level::Info => Self::Info,
            runtime::Level::Warn => Self::Warn,
            runtime::Level::Error => Self::Error,
        }
    }
}
