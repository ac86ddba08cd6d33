//! Version 0.1: no buttons, and options are values alone.

super::common!(crate::bindings::v0_1);

impl From<types::Draft> for Draft {
    fn from(draft: types::Draft) -> Self {
        let field =
            |field: types::Field| Field { title: field.title, value: field.value, inline: field.inline };
        Self {
            content: draft.content,
            fields: draft.fields.into_iter().map(field).collect(),
            buttons: Vec::new(),
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
            // A manifest for this version has no such options.
            OptionValue::User(id) => command_handler::OptionValue::Other(("user".into(), id)),
            OptionValue::Channel(id) => command_handler::OptionValue::Other(("channel".into(), id)),
        };
        Self { name: argument.name, value }
    }
}
