//! Where private words are put.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::user::{User, id};

/// Put under private messages only.
pub const EMOJI: &str = "🦤";

/// One word in one place.
pub struct Word {
    pub what: &'static str,
    pub text: String,
    /// Whether those inside still see it: what was deleted or replaced, nobody does.
    pub is_shown: bool,
}

/// All that is private.
pub struct Planted {
    pub words: Vec<Word>,
    /// Of channels, messages and files.
    pub ids: Vec<String>,
    pub people: Vec<String>,
    /// The private channel.
    pub channel: String,
    /// A message of the ex-member there.
    pub of_rex: String,
    /// A message that is deleted later.
    pub deleted: String,
}

impl Planted {
    /// A word that stands nowhere else.
    pub fn new_word(&mut self, what: &'static str, is_shown: bool) -> String {
        let word = format!("zq{}", Uuid::new_v4().simple());
        self.words.push(Word { what, text: word.clone(), is_shown });
        word
    }

    pub fn word(&self, what: &str) -> String {
        self.words.iter().find(|it| it.what == what).map(|it| it.text.clone()).unwrap_or_default()
    }
}

/// Makes private places and puts words into all parts of them. `rex` is a member for now.
pub async fn plant(document: &Value, ada: &User, bob: &User, rex: &User) -> Planted {
    let mut planted = Planted {
        words: Vec::new(),
        ids: Vec::new(),
        people: [ada, bob, rex].map(|user| user.id.clone()).into(),
        channel: String::new(),
        of_rex: String::new(),
        deleted: String::new(),
    };
    planted.words.push(Word { what: "reaction", text: EMOJI.into(), is_shown: true });
    let vault = channel(&mut planted, ada).await;
    for user in [bob, rex] {
        ada.add_member(&vault, user, 201).await;
    }
    messages(&mut planted, &vault, ada, bob, rex).await;
    file(&mut planted, &vault, ada).await;
    for (what, people) in [("direct", vec![&bob.id]), ("group", vec![&bob.id, &planted.people[2].clone()])] {
        let form = json!({ "user_ids": people });
        let place = ada.send(Method::POST, "/api/v1/channels/direct", Some(&form), 201).await;
        let place = id(&place).to_owned();
        if what == "group" {
            rex.leave(&place, 204).await;
        }
        let word = planted.new_word(what, true);
        let posted = bob.post(&place, &format!("{word} anchor of a {what} conversation"), 201).await;
        planted.ids.extend([place, id(&posted).to_owned()]);
    }
    of_other_parts(&mut planted, document, &vault, ada, rex).await;
    planted
}

async fn channel(planted: &mut Planted, ada: &User) -> String {
    let (name, topic) = (planted.new_word("channel name", true), planted.new_word("topic", true));
    let description = planted.new_word("description", true);
    let made = ada.create_channel(&name, "private", 201).await;
    let change = json!({ "topic": topic, "description": description });
    ada.send(Method::PUT, &format!("/api/v1/channels/{}", id(&made)), Some(&change), 200).await;
    id(&made).clone_into(&mut planted.channel);
    planted.ids.push(id(&made).to_owned());
    id(&made).to_owned()
}

async fn messages(planted: &mut Planted, vault: &str, ada: &User, bob: &User, rex: &User) {
    let word = planted.new_word("message", true);
    let message = bob.post(vault, &format!("@rex @ada {word} anchor"), 201).await;
    bob.react(id(&message), EMOJI, 204).await;
    let (old, new) = (planted.new_word("replaced", true), planted.new_word("edited", true));
    let edited = ada.post(vault, &format!("{old} anchor"), 201).await;
    ada.edit(id(&edited), &format!("{new} anchor"), 200).await;
    let word = planted.new_word("of rex", true);
    let of_rex = rex.post(vault, &format!("{word} anchor"), 201).await;
    let word = planted.new_word("reply", true);
    let reply = bob.reply(vault, id(&of_rex), &format!("@rex {word} anchor"), 201).await;
    let word = planted.new_word("deleted", false);
    let deleted = ada.post(vault, &format!("@rex @bob {word} anchor"), 201).await;
    id(&of_rex).clone_into(&mut planted.of_rex);
    id(&deleted).clone_into(&mut planted.deleted);
    for made in [&message, &edited, &of_rex, &reply, &deleted] {
        planted.ids.push(id(made).to_owned());
    }
    // Earlier versions are shown where the document has a path for them.
    if let Some(word) = planted.words.iter_mut().find(|it| it.what == "replaced") {
        word.is_shown = false;
    }
}

async fn file(planted: &mut Planted, vault: &str, ada: &User) {
    let (name, text) = (planted.new_word("file name", true), planted.new_word("file content", true));
    let part = Part::bytes(format!("{text} anchor").into_bytes()).file_name(format!("{name}.txt"));
    let form = Form::new().part("file", part);
    let reply = ada.fetch(ada.request(Method::POST, "/api/v1/files/upload").multipart(form)).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    let file = reply.body();
    let form = json!({ "content": "see the anchor", "file_ids": [file["id"]] });
    let message = ada.post_form(vault, &form, 201).await;
    planted.ids.extend([id(&file).to_owned(), id(&message).to_owned()]);
}

/// Who, the method, what word, the document's path, the id in it, the body.
type Plant<'a> = (&'a User, &'a str, Option<&'static str>, &'a str, String, Value);

/// What is there only with other parts: drafts, scheduled messages, reminders; and all that rex might keep of a place
/// that he is to leave.
async fn of_other_parts(planted: &mut Planted, document: &Value, vault: &str, ada: &User, rex: &User) {
    let message = planted.ids[1].clone();
    let soon = confab_protocol::Timestamp::now().plus(std::time::Duration::from_hours(1)).to_string();
    let plants: [Plant<'_>; 8] = [
        (ada, "PUT", Some("draft"), "/channels/{id}/draft", vault.to_owned(), json!({ "content": "{word}" })),
        (
            ada,
            "POST",
            Some("scheduled message"),
            "/scheduled-messages",
            String::new(),
            json!({ "channel_id": vault, "content": "{word}", "send_at": soon }),
        ),
        (
            ada,
            "POST",
            Some("reminder"),
            "/reminders",
            String::new(),
            json!({ "channel_id": vault, "text": "{word}", "remind_at": soon }),
        ),
        (ada, "POST", None, "/channels/{id}/invite", vault.to_owned(), json!({})),
        (ada, "PUT", None, "/messages/{id}/pin", message.clone(), Value::Null),
        (rex, "PUT", None, "/messages/{id}/bookmark", message.clone(), Value::Null),
        (rex, "PUT", None, "/messages/{id}/follow", message.clone(), Value::Null),
        (rex, "POST", None, "/reminders", String::new(), json!({ "message_id": message, "remind_at": soon })),
    ];
    for (user, method, what, template, of, body) in plants {
        assert!(
            !document["paths"][template][method.to_lowercase()].is_null(),
            "{method} {template} is gone: plant this word by another path"
        );
        let word = what.map(|what| planted.new_word(what, true)).unwrap_or_default();
        let body: Value =
            serde_json::from_str(&body.to_string().replace("{word}", &word)).expect("still JSON");
        let path = format!("/api/v1{}", template.replace("{id}", &of));
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let reply = user.call(method.clone(), &path, Some(&body).filter(|it| !it.is_null())).await;
        assert!(reply.status < 300, "{method} {path}: {} {}", reply.status, reply.text);
    }
    if !document["paths"]["/messages/{id}/history"].is_null()
        && let Some(word) = planted.words.iter_mut().find(|it| it.what == "replaced")
    {
        word.is_shown = true;
    }
}
