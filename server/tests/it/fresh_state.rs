//! State and events make the fresh state (INV-10): a client that starts from READY and first pages and folds the events
//! of its socket knows, after every change, what it would know if it began anew.

mod client;
mod counting;
mod fresh;
mod kinds;
mod walk;

use std::time::Instant;

use confab_protocol::EventKind;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::both;
use crate::harness::user::User;
use crate::harness::wait::DEADLINE;
use client::Client;
use kinds::{Case, case};
use walk::Walk;

both! {
    async fn every_kind_of_event_leads_to_the_fresh_state(world) {
        let document = world.visitor().get("/openapi.json", 200).await;
        let mut stage = Stage::new(world, &document).await;
        for kind in EventKind::ALL {
            match case(*kind) {
                Case::Heard(steps) => stage.show(*kind, &steps).await,
                Case::ServersOnly(_) | Case::HeardByNobody(_) | Case::WithoutPath(_) => {}
            }
        }
        stage.nothing_unforeseen();
    }

    async fn a_random_walk_leads_to_the_fresh_state(world) {
        // The same walk each time, so that what fails is what was changed; others are for whoever looks for more.
        let seed = std::env::var("CONFAB_WALK_SEED").ok().and_then(|it| it.parse().ok());
        let seed = seed.unwrap_or(20);
        println!("CONFAB_WALK_SEED={seed}");
        let document = world.visitor().get("/openapi.json", 200).await;
        let mut walk = Walk::begin(world, &document, seed).await;
        for _ in 0..walk::STEPS {
            walk.step().await;
        }
        walk.end().await;
    }
}

/// Four people with clients, and the places in which kinds of events are shown.
struct Stage {
    clients: Vec<Client>,
    admin: User,
    names: Vec<(&'static str, String)>,
}

impl Stage {
    async fn new(world: &mut crate::harness::World, document: &Value) -> Self {
        let mut people = Vec::new();
        for name in ["ada", "bob", "cyd", "dan"] {
            people.push(world.user(name).await);
        }
        let ada = &people[0];
        let channel = ada.create_channel("harbour", "public", 201).await["id"].clone();
        let room = ada.create_channel("cabin", "private", 201).await["id"].clone();
        for user in &people[1..3] {
            user.join(channel.as_str().unwrap_or_default(), 200).await;
            ada.add_member(room.as_str().unwrap_or_default(), user, 201).await;
        }
        let message = ada.post(channel.as_str().unwrap_or_default(), "high water", 201).await["id"].clone();
        let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
        let mut names = vec![("channel", text(&channel)), ("room", text(&room)), ("message", text(&message))];
        names.extend(
            [("ada", 0), ("bob", 1), ("cyd", 2), ("dan", 3)].map(|(name, at)| (name, people[at].id.clone())),
        );
        let mut clients = Vec::new();
        for user in people {
            clients.push(Client::start(user, document).await);
        }
        Self { clients, admin: world.admin().await, names }
    }

    /// Takes the steps of a case; after each, everybody's state is the fresh one. Somebody has heard the kind by then.
    async fn show(&mut self, kind: EventKind, steps: &[kinds::Step]) {
        let before: usize = self.heard(kind);
        for step in steps {
            let template = step.body.map(str::to_owned);
            let (path, body) = (self.filled(step.path), template.map(|it| self.filled(&it)));
            let user = match step.who {
                "warden" => &self.admin,
                name => &self.clients.iter().find(|it| it.user.name == name).expect("one of the four").user,
            };
            let method = Method::from_bytes(step.method.as_bytes()).expect("a method");
            let body: Option<Value> =
                body.map(|it| serde_json::from_str(&it).expect("a step's body is JSON"));
            let reply = user.call(method, &format!("/api/v1{path}"), body.as_ref()).await;
            let what = format!(
                "{}: {} {} {path}: {} {}",
                kind.as_str(),
                step.who,
                step.method,
                reply.status,
                reply.text
            );
            assert!(reply.status < 300, "{what}");
            let made = if reply.text.starts_with('{') { reply.body() } else { Value::Null };
            if let Some(id) = made["id"].as_str() {
                self.names.retain(|(name, _)| !matches!(*name, "last" | "seq"));
                self.names.extend([("last", id.to_owned()), ("seq", made["seq"].to_string())]);
            }
            for client in &mut self.clients {
                client.becomes_fresh(&what).await;
            }
        }
        // Some change nothing of the state, so nobody has waited for them yet.
        let started = Instant::now();
        while self.heard(kind) == before {
            let kind = kind.as_str();
            assert!(
                started.elapsed() < DEADLINE,
                "nobody heard {kind}: its case in fresh_state/kinds.rs must make one"
            );
            for client in &mut self.clients {
                client.listen().await;
            }
        }
    }

    fn filled(&self, template: &str) -> String {
        let now = confab_protocol::Timestamp::now();
        let soon = now.plus(std::time::Duration::from_hours(1)).to_string();
        let text = self
            .names
            .iter()
            .fold(template.to_owned(), |text, (name, id)| text.replace(&format!("{{{name}}}"), id));
        text.replace("{soon}", &soon).replace("{new}", &confab_protocol::fresh_id().simple().to_string())
    }

    fn heard(&self, kind: EventKind) -> usize {
        let of = |client: &Client| client.heard.iter().filter(|it| *it == kind.as_str()).count();
        self.clients.iter().map(of).sum()
    }

    /// What was said to reach no client reaches none.
    fn nothing_unforeseen(&self) {
        for kind in EventKind::ALL {
            let why = match case(*kind) {
                Case::ServersOnly(why) | Case::HeardByNobody(why) | Case::WithoutPath(why) => why,
                Case::Heard(_) => continue,
            };
            assert_eq!(self.heard(*kind), 0, "{} was heard although {why}: give it a case", kind.as_str());
        }
        let unknown: Vec<&String> = self
            .clients
            .iter()
            .flat_map(|client| &client.heard)
            .filter(|name| EventKind::from_name(name).is_none())
            .collect();
        assert!(unknown.is_empty(), "events without a kind: {unknown:?}");
    }
}

/// A frame that lacks what the state needs is found.
#[test]
fn a_difference_is_named() {
    let state = json!({ "channels": { "c": { "topic": "Tides" } } });
    let fresh = json!({ "channels": { "c": { "topic": "Boats" } } });
    assert_eq!(fresh::difference(&state, &fresh), ["/channels/c/topic: \"Tides\", fresh \"Boats\""]);
    assert!(fresh::difference(&fresh, &fresh).is_empty());
}
