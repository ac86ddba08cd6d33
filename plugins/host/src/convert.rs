//! Between our words and the bindings'. They differ so that each version of the contract can have bindings of its own
//! while the rest of Confab keeps its words.

mod v0_1;
mod v0_2;

/// What is alike in all versions: to Rust each version's types are its own.
macro_rules! common {
    ($bindings:path) => {
        use $bindings as bindings;

        use crate::words::{
            Argument, Delivery, Draft, Entry, Event, Failure, Field, Invocation, Level, Membership, Message,
            OptionValue, Place, Reaction, Reason, SettingValue, User,
        };
        use bindings::confab::plugin::{events, kv, runtime, settings, types};
        use bindings::exports::confab::plugin::{command_handler, lifecycle};

        impl From<User> for types::User {
            fn from(user: User) -> Self {
                Self {
                    id: user.id,
                    username: user.username,
                    display_name: user.display_name,
                    bot: user.is_bot,
                }
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
                    Event::MessageDeleted { message_id, place } => {
                        Self::MessageDeleted((message_id, place.into()))
                    }
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
    };
}
use common;
