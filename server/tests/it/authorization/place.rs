//! What calls are about: a channel of each kind with everybody in their role, and what stands in it.

use std::collections::BTreeMap;

use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::cast::{Actor, Cast};
use super::table::{Recipe, names};
use crate::harness::user::{Reply, User, id};

/// What kind of channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Public,
    Private,
    Direct,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Public, Self::Private, Self::Direct];

    pub fn word(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
            Self::Direct => "direct",
        }
    }
}

/// A channel and its things by the names that rows give them.
pub struct Place {
    things: BTreeMap<String, String>,
}

impl Place {
    /// A channel in which every role is held, with a message and an answer of the member's and a file in it.
    pub async fn new(kind: Kind, cast: &Cast, number: usize) -> Self {
        let (owner, member) = (cast.of(Actor::Owner), cast.of(Actor::Member));
        let channel = match kind {
            Kind::Direct => direct(cast).await,
            _ => peopled(kind, cast, number).await,
        };
        let part = Part::bytes(format!("tide table {number}").into_bytes()).file_name("tides.txt");
        let form = Form::new().part("file", part);
        let uploaded =
            member.fetch(member.request(Method::POST, "/api/v1/files/upload").multipart(form)).await;
        assert_eq!(uploaded.status, 201, "{}", uploaded.text);
        let file = uploaded.body();
        let form = json!({ "content": "low tide at six", "file_ids": [file["id"]] });
        let message = member.post_form(&channel, &form, 201).await;
        let reply = member.reply(&channel, id(&message), "and high at noon", 201).await;
        owner.react(id(&message), "wave", 204).await;
        let things = [
            ("channel", channel.as_str()),
            ("message", id(&message)),
            ("reply", id(&reply)),
            ("file", id(&file)),
            ("guest", &cast.of(Actor::Guest).id),
            ("member", &member.id),
            ("outsider", &cast.of(Actor::Outsider).id),
        ];
        Self { things: things.map(|(name, id)| (name.to_owned(), id.to_owned())).into() }
    }

    /// The names of things that only those inside may know.
    pub fn secrets(template: &str, recipes: &BTreeMap<String, Recipe>) -> Vec<String> {
        let is_secret = |name: &String| {
            matches!(name.as_str(), "channel" | "message" | "reply" | "file")
                || recipes.get(name).is_some_and(|it| !Self::secrets(&it.text(), recipes).is_empty())
        };
        let mut found: Vec<String> = names(template).into_iter().filter(is_secret).collect();
        found.dedup();
        found
    }

    /// The thing of that name, made at its first mention.
    async fn thing(&mut self, name: &str, cast: &Cast, recipes: &BTreeMap<String, Recipe>) -> String {
        if let Some(known) = self.things.get(name) {
            return known.clone();
        }
        let recipe = recipes
            .get(name)
            .unwrap_or_else(|| panic!("rows.txt names {{{name}}}: give it a line `thing {name} …`"));
        let by = recipe.by;
        let mut filled = BTreeMap::new();
        for name in names(&recipe.text()) {
            let value = Box::pin(self.value(&name, by, cast, recipes)).await;
            filled.insert(name, value);
        }
        let reply = ask(cast.of(by), &recipe.method, &recipe.path, recipe.body.as_deref(), &filled).await;
        assert!(reply.status < 300, "thing {name}: {} {}", reply.status, reply.text);
        let made = reply.body();
        let found = made.pointer(&recipe.pointer).and_then(Value::as_str);
        let found =
            found.unwrap_or_else(|| panic!("thing {name}: no {} in {made}", recipe.pointer)).to_owned();
        self.things.insert(name.to_owned(), found.clone());
        found
    }

    /// What stands for a name when `actor` calls.
    async fn value(
        &mut self,
        name: &str,
        actor: Actor,
        cast: &Cast,
        recipes: &BTreeMap<String, Recipe>,
    ) -> String {
        match name {
            "me" => cast.of(actor).id.clone(),
            "username" => cast.of(actor).name.clone(),
            "password" => Cast::password(actor),
            "refresh" => cast.of(actor).refresh_token.clone(),
            "absent" => "0198c0de-0000-7000-8000-00000000dead".to_owned(),
            // Differs at each call.
            "new" => confab_protocol::fresh_id().simple().to_string(),
            // When scheduled things happen: an hour from now.
            "soon" => confab_protocol::Timestamp::now().plus(std::time::Duration::from_hours(1)).to_string(),
            _ => self.thing(name, cast, recipes).await,
        }
    }

    /// What stands for all names of a text when `actor` calls.
    pub async fn values(
        &mut self,
        template: &str,
        actor: Actor,
        cast: &Cast,
        recipes: &BTreeMap<String, Recipe>,
    ) -> BTreeMap<String, String> {
        let mut values = BTreeMap::new();
        for name in names(template) {
            let value = self.value(&name, actor, cast, recipes).await;
            values.insert(name, value);
        }
        values
    }
}

impl Recipe {
    /// All that names of things may stand in.
    pub fn text(&self) -> String {
        format!("{} {}", self.path, self.body.as_deref().unwrap_or_default())
    }
}

async fn peopled(kind: Kind, cast: &Cast, number: usize) -> String {
    let owner = cast.of(Actor::Owner);
    let channel = owner.create_channel(&format!("{}-{number}", kind.word()), kind.word(), 201).await;
    let channel = id(&channel);
    for actor in [Actor::Admin, Actor::Member, Actor::Guest, Actor::ExMember] {
        owner.add_member(channel, cast.of(actor), 201).await;
    }
    for (actor, role) in [(Actor::Admin, "admin"), (Actor::Guest, "guest")] {
        cast.give_role(channel, actor, role).await;
    }
    let path = format!("/api/v1/channels/{channel}/members/{}", cast.of(Actor::ExMember).id);
    owner.send(Method::DELETE, &path, None, 204).await;
    channel.to_owned()
}

/// Conversations are found again by their people: this one is the same for all calls.
async fn direct(cast: &Cast) -> String {
    let form = json!({ "user_ids": [cast.of(Actor::Member).id] });
    let reply = cast.of(Actor::Owner).call(Method::POST, "/api/v1/channels/direct", Some(&form)).await;
    assert!(reply.status < 300, "{}", reply.text);
    id(&reply.body()).to_owned()
}

/// Sends a call as its row says.
pub async fn ask(
    user: &User,
    method: &Method,
    path: &str,
    body: Option<&str>,
    values: &BTreeMap<String, String>,
) -> Reply {
    let request = user.request(method.clone(), &format!("/api/v1{}", filled(path, values)));
    user.fetch(with_body(request, body, values)).await
}

fn with_body(
    request: RequestBuilder,
    body: Option<&str>,
    values: &BTreeMap<String, String>,
) -> RequestBuilder {
    let file =
        |bytes: Vec<u8>, name: &'static str| Form::new().part("file", Part::bytes(bytes).file_name(name));
    match body {
        None => request,
        Some("@text") => request.multipart(file(b"tide table".to_vec(), "tides.txt")),
        Some("@picture") => request.multipart(file(picture(), "boat.png")),
        Some("@emoji") => {
            let code = format!("boat-{}", &confab_protocol::fresh_id().simple().to_string()[12..]);
            let form = Form::new().text("code", code).text("name", "A boat");
            request.multipart(form.part("image", Part::bytes(picture()).file_name("boat.png")))
        }
        Some("@bytes") => {
            let request = request.header("upload-offset", "0").header("content-range", "bytes 0-3/4");
            request.header("content-type", "application/octet-stream").body("tide")
        }
        Some(json) => request.header("content-type", "application/json").body(filled(json, values)),
    }
}

/// The smallest picture that is one: 1×1, PNG.
pub fn picture() -> Vec<u8> {
    let mut png = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(1, 1)
        .write_to(&mut png, image::ImageFormat::Png)
        .expect("a picture in memory");
    png.into_inner()
}

/// A text with values for its names.
pub fn filled(template: &str, values: &BTreeMap<String, String>) -> String {
    let mut text = template.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    text
}
