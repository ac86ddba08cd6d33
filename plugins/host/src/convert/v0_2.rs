//! Version 0.2.

super::common!(crate::bindings::v0_2);

use crate::words::{
    Button, ButtonStyle, ChannelMember, Completion, HttpRequest, HttpResponse, Incoming, Press, Role,
    Suggestion, Tick, ToolCall,
};
use bindings::confab::plugin::{chat, http};
use bindings::exports::confab::plugin::{
    action_handler, completion_handler, timer_handler, tool_handler, webhook_handler,
};

impl From<types::Draft> for Draft {
    fn from(draft: types::Draft) -> Self {
        let field =
            |field: types::Field| Field { title: field.title, value: field.value, inline: field.inline };
        Self {
            content: draft.content,
            fields: draft.fields.into_iter().map(field).collect(),
            buttons: draft.buttons.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<types::Button> for Button {
    fn from(button: types::Button) -> Self {
        let style = match button.style {
            types::ButtonStyle::Plain => ButtonStyle::Plain,
            types::ButtonStyle::Primary => ButtonStyle::Primary,
            types::ButtonStyle::Danger => ButtonStyle::Danger,
        };
        Self { action: button.action, payload: button.payload, label: button.label, style }
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
            OptionValue::User(id) => command_handler::OptionValue::User(id),
            OptionValue::Channel(id) => command_handler::OptionValue::Channel(id),
        };
        Self { name: argument.name, value }
    }
}

impl From<Completion> for completion_handler::Question {
    fn from(asked: Completion) -> Self {
        Self {
            command: asked.command,
            option: asked.option,
            typed: asked.typed,
            user: asked.user.into(),
            place: asked.place.into(),
        }
    }
}

impl From<completion_handler::Suggestion> for Suggestion {
    fn from(it: completion_handler::Suggestion) -> Self {
        Self { label: it.label.unwrap_or_else(|| it.value.clone()), value: it.value }
    }
}

impl From<Press> for action_handler::Press {
    fn from(press: Press) -> Self {
        Self {
            action: press.action,
            payload: press.payload,
            message: press.message_id,
            place: press.place.into(),
            user: press.user.into(),
        }
    }
}

impl From<Tick> for timer_handler::Tick {
    fn from(tick: Tick) -> Self {
        Self { name: tick.name, payload: tick.payload, due: tick.due_ms, attempt: tick.attempt }
    }
}

impl From<ToolCall> for tool_handler::Call {
    fn from(call: ToolCall) -> Self {
        Self { tool: call.tool, input: call.input, user: call.user.into(), channel: call.channel_id }
    }
}

impl From<http::Request> for HttpRequest {
    fn from(request: http::Request) -> Self {
        Self { method: request.method, url: request.url, headers: request.headers, body: request.body }
    }
}

impl From<HttpResponse> for http::Response {
    fn from(response: HttpResponse) -> Self {
        Self { status: response.status, headers: response.headers, body: response.body }
    }
}

impl From<ChannelMember> for chat::Member {
    fn from(member: ChannelMember) -> Self {
        let role = match member.role {
            Role::Owner => chat::Role::Owner,
            Role::Admin => chat::Role::Admin,
            Role::Member => chat::Role::Member,
            Role::Guest => chat::Role::Guest,
        };
        Self { user: member.user.into(), role }
    }
}

impl From<Incoming> for webhook_handler::Incoming {
    fn from(incoming: Incoming) -> Self {
        Self { name: incoming.name, headers: incoming.headers, body: incoming.body }
    }
}
