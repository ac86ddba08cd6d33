//! What programs send to a webhook. Slack's and Mattermost's fields; those that mean nothing here are passed over, since
//! every program sends some, but what is there in another form than it should be is refused with its name.

use confab_core::{Fault, Result};
use confab_protocol::MessageId;
use serde_json::{Map, Value};

/// Attachments, and blocks, of one message; fields of one attachment.
const MOST: usize = 50;

/// See the module.
#[derive(Debug)]
pub(super) struct Payload(Map<String, Value>);

impl Payload {
    /// Reads a body: JSON, or a form whose `payload` is JSON. Many programs send JSON and call it a form.
    ///
    /// # Errors
    /// [`Fault::Invalid`] in the field at fault.
    pub fn read(content_type: &str, body: &[u8]) -> Result<Self> {
        let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let is_json = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        let value: Value = if kind == "application/x-www-form-urlencoded" && !is_json {
            let fields = url::form_urlencoded::parse(body);
            let found = fields.into_iter().find(|(name, _)| name == "payload");
            let (_, text) = found.ok_or_else(|| Fault::invalid("payload", "is missing from the form"))?;
            serde_json::from_str(&text).map_err(|_| Fault::invalid("payload", "must be JSON"))?
        } else {
            serde_json::from_slice(body)
                .map_err(|_| Fault::invalid("body", "must be JSON, or a form with a field payload"))?
        };
        let Value::Object(fields) = value else {
            return Err(Fault::invalid("body", "must be a JSON object"));
        };
        let payload = Self(fields);
        for name in ["text", "username", "icon_emoji", "icon_url"] {
            if payload.0.get(name).is_some_and(|value| !(value.is_string() || value.is_null())) {
                let field = if name == "text" { "text" } else { "body" };
                return Err(Fault::invalid(field, format!("{name} must be a text")));
            }
        }
        payload.check_list("attachments")?;
        payload.check_list("blocks")?;
        Ok(payload)
    }

    fn check_list(&self, name: &'static str) -> Result<()> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(()),
            Some(Value::Array(items)) if items.len() > MOST => {
                Err(Fault::invalid(name, format!("has at most {MOST} entries")))
            }
            Some(Value::Array(items)) if items.iter().all(Value::is_object) => Ok(()),
            Some(_) => Err(Fault::invalid(name, "must be a list of objects")),
        }
    }

    /// The text of a field, if there is something in it.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str().map(str::trim).filter(|text| !text.is_empty())
    }

    /// The entries of a list that was checked.
    pub fn list(&self, name: &str) -> &[Value] {
        self.0.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice)
    }

    /// The message that it answers: `thread_ts` as this server names messages. Another server's is none.
    pub fn answers(&self) -> Option<MessageId> {
        self.text("thread_ts").or_else(|| self.text("root_id"))?.parse().ok()
    }
}

/// The text of a field of something inside; numbers count too.
pub(super) fn text(of: &Value, name: &str) -> Option<String> {
    let text = match of.get(name)? {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// The entries of a list inside, as far as they are looked at.
pub(super) fn list<'v>(of: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    of.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice).iter().take(MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_forms_are_read_alike() {
        let json = br#"{"text": " hello ", "attachments": []}"#;
        let form = b"payload=%7B%22text%22%3A%22hello%22%7D&other=1";
        for (kind, body) in [
            ("application/json", &json[..]),
            ("application/json; charset=utf-8", json),
            ("", json),
            ("application/x-www-form-urlencoded", json),
            ("application/x-www-form-urlencoded", form),
        ] {
            let read = Payload::read(kind, body).map(|it| it.text("text").map(str::to_owned));
            assert_eq!(read.ok().flatten().as_deref(), Some("hello"), "{kind}");
        }
    }

    #[test]
    fn what_has_another_form_is_refused_with_its_name() {
        let wrong: [(&str, &[u8]); 7] = [
            ("application/json", b"hello"),
            ("application/json", b"[]"),
            ("application/json", br#"{"text": 7}"#),
            ("application/json", br#"{"attachments": {}}"#),
            ("application/json", br#"{"blocks": ["a"]}"#),
            ("application/x-www-form-urlencoded", b"text=hello"),
            ("application/x-www-form-urlencoded", b"payload=hello"),
        ];
        for (kind, body) in wrong {
            assert!(matches!(Payload::read(kind, body), Err(Fault::Invalid { .. })), "{body:?}");
        }
        let many = format!("{{\"attachments\": [{}]}}", vec!["{}"; MOST + 1].join(","));
        assert!(Payload::read("application/json", many.as_bytes()).is_err());
    }
}
