//! The schema of a tool's input, and whether an input fits it: a model that asks for a tool may write anything.

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use crate::granted::cut;

/// Told of one input.
const FAULTS: usize = 5;
/// Of each, in bytes: it repeats the input.
const FAULT_BYTES: usize = 200;
/// Keys by which a schema names another, or itself: one that goes round in circles would never end.
const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];

/// Whether `input` fits the schema of a tool.
///
/// # Errors
/// What does not fit, for whoever made the input; or that the schema is none.
pub fn check_input(schema: &Value, input: &Value) -> Result<(), String> {
    let validator = validator(schema)?;
    let fault = |fault: jsonschema::ValidationError<'_>| {
        cut(&format!("{} {fault}", fault.instance_path()), FAULT_BYTES).trim().to_owned()
    };
    let faults: Vec<String> = validator.iter_errors(input).take(FAULTS).map(fault).collect();
    if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
}

/// Reads a schema.
///
/// # Errors
/// Why it is none that tools may have.
pub(super) fn validator(schema: &Value) -> Result<Validator, String> {
    if refers(schema) {
        return Err(format!("must be whole in itself, without {}", REFERENCES[0]));
    }
    // Patterns in linear time: what they are held against comes from a model.
    let options = jsonschema::options().with_pattern_options(PatternOptions::regex());
    options.build(schema).map_err(|error| cut(&error.to_string(), FAULT_BYTES).to_owned())
}

fn refers(schema: &Value) -> bool {
    match schema {
        Value::Object(keys) => {
            keys.iter().any(|(key, value)| REFERENCES.contains(&key.as_str()) || refers(value))
        }
        Value::Array(items) => items.iter().any(refers),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_input_fits_or_is_told_why_not() {
        let schema = json!({
            "type": "object",
            "required": ["thing", "count"],
            "properties": {
                "thing": { "type": "string", "pattern": "^[a-z]+$" },
                "count": { "type": "integer", "minimum": 1 },
            },
            "additionalProperties": false,
        });
        assert_eq!(check_input(&schema, &json!({ "thing": "anchors", "count": 3 })), Ok(()));
        for (input, told) in [
            (json!({ "thing": "anchors" }), "count"),
            (json!({ "thing": "anchors", "count": 0 }), "minimum"),
            (json!({ "thing": "anchors", "count": "3" }), "integer"),
            (json!({ "thing": "An Anchor", "count": 3 }), "/thing"),
            (json!({ "thing": "anchors", "count": 3, "to": "mallory" }), "to"),
            (json!("anchors"), "object"),
            (Value::Null, "object"),
        ] {
            let fault = check_input(&schema, &input).err().unwrap_or_default();
            assert!(fault.contains(told), "{input}: {fault}");
        }
        let long = check_input(&json!({ "type": "object" }), &json!("x".repeat(10_000))).err();
        assert!(long.is_some_and(|it| it.len() <= FAULT_BYTES));
    }

    #[test]
    fn a_schema_is_one_and_stands_alone() {
        assert!(validator(&json!({ "type": "object", "properties": {} })).is_ok());
        for bad in [
            json!({ "type": "thing" }),
            json!({ "type": "object", "properties": { "a": { "pattern": "(" } } }),
            json!({ "type": "object", "properties": { "a": { "$ref": "#" } } }),
            json!({ "type": "object", "allOf": [{ "$ref": "https://schemas.example.org/a.json" }] }),
        ] {
            assert!(validator(&bad).is_err(), "{bad}");
        }
    }
}
