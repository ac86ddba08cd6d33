//! The assistant with a language model, which is a script here: what no message says is dropped, and whatever goes wrong
//! with the model, there is an answer.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::user::{User, id, items};
use crate::harness::{Does, Events, MockLlm, World, wait_for, wait_until};

const MESSAGE: &str = "/api/v1/ai/message";
const SUMMARIZE: &str = "/api/v1/ai/summarize";
const OFFICE: &str = "The harbour master's office opens at seven in the morning.";
const QUESTION: &str = "When does the harbour master's office open?";

/// Tells one story twice, with a model.
macro_rules! with_a_model {
    ($(async fn $story:ident($world:ident, $model:ident) $body:block)+) => { $(
        mod $story {
            #[allow(unused_imports)]
            use super::*;

            async fn story(mut world: $crate::harness::World, model: $crate::harness::Model) {
                #[allow(unused_variables)]
                let ($world, $model) = (&mut world, &model);
                $body
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn embedded() {
                let model = $crate::harness::Model::start($crate::harness::Does::Says("I do not know.".into())).await;
                let world = $crate::harness::World::embedded_with(&model.settings()).await;
                story(world, model).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn scaled() {
                let model = $crate::harness::Model::start($crate::harness::Does::Says("I do not know.".into())).await;
                let world = $crate::harness::World::scaled_with(&model.settings()).await;
                story(world, model).await;
            }
        }
    )+ };
}
pub(crate) use with_a_model;

with_a_model! {
    async fn a_model_answers_what_messages_say(world, model) {
        crate::harness::past_midnight().await;
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let (harbour, told) = office(&ada).await;
        ada.post(id(&harbour), "Bring your papers when you come to the office. Ask for Ömer.", 201).await;
        found(&bob, "papers", 1).await;

        // Two sentences stand in messages; one is invented, one has another number, one cites nothing, one what is not there,
        // one quotes what nobody wrote.
        model.now(Does::Says(
            "The office opens at seven in the morning. [1] You should bring your papers when you come [2]. It opens at 8 in the \
             morning [1]. The harbour master likes tea and long walks [1]. Gulls are loud. The office opens at seven [77]. \
             Ada says \"the office is always open on Sundays\" [1]."
                .into(),
        ));
        let answer = bob.ask(QUESTION, 200).await;
        let text = answer["answer"].as_str().unwrap();
        assert_eq!(
            text, "The office opens at seven in the morning. [1] You should bring your papers when you come. [2]",
            "{answer}"
        );
        assert_eq!((&answer["model"], &answer["supported"], &answer["fallback"]), (&json!("parrot-1"), &json!(true), &Value::Null));
        let cited: Vec<&Value> = answer["citations"].as_array().unwrap().iter().map(|it| &it["message_id"]).collect();
        assert_eq!((cited.len(), cited[0]), (2, &told["id"]));
        for citation in answer["citations"].as_array().unwrap() {
            let message = bob.read(citation["message_id"].as_str().unwrap(), 200).await;
            assert!(message["content"].as_str().unwrap().contains(citation["quote"].as_str().unwrap()), "{citation}");
        }

        // The same as it is made.
        let events = Events::of(&bob, MESSAGE, &json!({ "content": QUESTION })).await.all().await;
        let kinds: Vec<&str> = events.iter().map(|it| it.0.as_str()).collect();
        assert_eq!(kinds, ["step", "step", "step", "citation", "text", "citation", "text", "done"], "{events:?}");
        let steps: Vec<&Value> = events.iter().filter(|it| it.0 == "step").map(|it| &it.1["step"]).collect();
        assert_eq!(steps, [&json!("searching"), &json!("reading"), &json!("answering")]);
        let said: String = events.iter().filter_map(|it| it.1["text"].as_str()).collect();
        assert_eq!(said.trim(), text);
        assert_eq!(events[7].1["answer"], *text);
        assert!(events[3].1["url"].as_str().unwrap().starts_with("http"), "{events:?}");

        // The key is the model's alone, and it was paid for.
        assert!(!world.output().contains("sesame-of-the-model"));
        let shown = world.admin().await.get("/api/v1/admin/assistant", 200).await;
        assert_eq!((&shown["model"], &shown["people"][0]["username"]), (&json!("parrot-1"), &json!("bob")));
        assert_eq!((&shown["days"][0]["questions"], &shown["days"][0]["tokens"]), (&json!(2), &json!(200)));
        bob.get("/api/v1/admin/assistant", 403).await;
    }

    async fn whatever_the_model_does_there_is_an_answer(world, model) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let (_, told) = office(&ada).await;
        for (does, reason) in [
            (Does::Refuses(500), "model_unavailable"),
            (Does::Refuses(401), "model_unavailable"),
            (Does::Babbles, "model_unavailable"),
            (Does::Says(String::new()), "unsupported"),
            (Does::Says("The moon is made of cheese [1].".into()), "unsupported"),
            (Does::Stops("The office".into()), "model_unavailable"),
            (Does::Hangs, "model_unavailable"),
        ] {
            let said = format!("{does:?}");
            model.now(does);
            let answer = bob.ask(QUESTION, 200).await;
            assert_eq!((&answer["model"], &answer["fallback"]), (&json!("extractive"), &json!(reason)), "{said}");
            assert_eq!(answer["citations"][0]["message_id"], told["id"], "{said}: {answer}");
        }
        // What was said and stands in a message is kept where the model stops after it.
        model.now(Does::Stops("The office opens at seven in the morning [1]. And th".into()));
        let answer = bob.ask(QUESTION, 200).await;
        assert_eq!((&answer["model"], &answer["fallback"]), (&json!("parrot-1"), &json!("cut_short")), "{answer}");
        // It is left alone for a while once it failed again and again.
        let asked = model.asked().len();
        model.now(Does::Refuses(503));
        for _ in 0..8 {
            bob.ask(QUESTION, 200).await;
        }
        assert!(model.asked().len() - asked < 8, "asked {} times", model.asked().len() - asked);
    }

    async fn whoever_goes_away_stops_the_model(world, model) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        office(&ada).await;
        model.now(Does::Stops("The office opens at seven in the morning [1]. And ".into()));
        let mut events = Events::of(&bob, MESSAGE, &json!({ "content": QUESTION })).await;
        let text = events.until("text").await;
        assert_eq!(text["text"].as_str().unwrap().trim(), "The office opens at seven in the morning. [1]");
        drop(events);
        model.abandoned(1).await;
        // Nothing of it was kept.
        assert_eq!(bob.get("/api/v1/ai/conversations", 200).await["items"], json!([]));
    }

    async fn it_remembers_what_may_still_be_read(world, model) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let vault = ada.create_channel("vault", "private", 201).await;
        ada.add_member(id(&vault), &bob, 201).await;
        let told = ada.post(id(&vault), "The combination of the safe is quicksilver", 201).await;
        found(&bob, "quicksilver", 1).await;
        model.now(Does::Repeats("{1} [1].".into()));
        let first = bob.ask("What is the combination of the safe?", 200).await;
        assert!(first["answer"].as_str().unwrap().contains("quicksilver"), "{first}");
        let conversation = first["conversation_id"].as_str().unwrap().to_owned();
        let more = |question: &str| json!({ "content": question, "conversation_id": conversation });
        bob.send(Method::POST, MESSAGE, Some(&more("and who said so?")), 200).await;
        let last = model.asked().pop().unwrap();
        assert!(last["messages"][1]["content"].as_str().unwrap().contains("combination of the safe"), "{last}");
        assert!(last["messages"][2]["content"].as_str().unwrap().contains("quicksilver"), "{last}");
        let path = format!("/api/v1/ai/conversations/{conversation}");
        assert!(bob.get(&path, 200).await["items"][0]["answer"].as_str().unwrap().contains("quicksilver"));
        ada.get(&path, 404).await;
        ada.send(Method::POST, MESSAGE, Some(&more("and to me?")), 404).await;

        // What is not to be kept is in no list of conversations.
        let all_kept = "/api/v1/ai/conversations";
        let before = bob.get(all_kept, 200).await;
        let unkept = json!({ "content": "What is the combination of the safe?", "keep": false });
        let answer = bob.send(Method::POST, MESSAGE, Some(&unkept), 200).await;
        assert!(answer["answer"].as_str().unwrap().contains("quicksilver"), "{answer}");
        assert_eq!((&answer["conversation_id"], &answer["number"]), (&Value::Null, &json!(0)));
        assert_eq!(bob.get(all_kept, 200).await, before);

        // Out of the channel, its words do not come back through what was remembered.
        let before = model.asked().len();
        ada.send(Method::DELETE, &format!("/api/v1/channels/{}/members/{}", id(&vault), bob.id), None, 204).await;
        let answer = bob.send(Method::POST, MESSAGE, Some(&more("and what was it again?")), 200).await;
        let heard: String = model.asked()[before..].iter().map(Value::to_string).collect();
        assert!(!answer.to_string().contains("quicksilver") && !heard.contains("quicksilver"), "{answer} {heard}");
        let turns = bob.get(&path, 200).await;
        assert!(!turns.to_string().contains("quicksilver") && items(&turns).len() == 3, "{turns}");

        // Nor what was deleted, to whoever may read the channel.
        let own = ada.ask("What is the combination of the safe?", 200).await;
        assert!(own["answer"].as_str().unwrap().contains("quicksilver"), "{own}");
        ada.delete(id(&told), 204).await;
        let path = format!("/api/v1/ai/conversations/{}", own["conversation_id"].as_str().unwrap());
        assert!(!ada.get(&path, 200).await.to_string().contains("quicksilver"));
        ada.send(Method::DELETE, &path, None, 204).await;
        ada.get(&path, 404).await;
    }

    async fn it_sums_up_with_citations(world, model) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let harbour = ada.create_channel("harbour", "public", 201).await;
        bob.join(id(&harbour), 200).await;
        let root = ada.post(id(&harbour), "We decided that the crane is repaired on Monday", 201).await;
        ada.reply(id(&harbour), id(&root), "The parts for the crane come from Oslo", 201).await;
        ada.post(id(&harbour), "lunch?", 201).await;
        model.now(Does::Says("The crane is repaired on Monday [1]. Its parts come from Oslo [2].".into()));
        for body in [
            json!({ "channel_id": id(&harbour) }),
            json!({ "channel_id": id(&harbour), "unread": true }),
            json!({ "message_id": id(&root) }),
            json!({}),
        ] {
            let summary = bob.send(Method::POST, SUMMARIZE, Some(&body), 200).await;
            assert_eq!(summary["model"], "parrot-1", "{body}: {summary}");
            assert!(summary["answer"].as_str().unwrap().starts_with("The crane is repaired on Monday. ["), "{summary}");
        }
        // Without the model the messages that stand out, word by word.
        model.now(Does::Refuses(500));
        let events = Events::of(&bob, SUMMARIZE, &json!({ "channel_id": id(&harbour) })).await.all().await;
        let summary = &events.last().unwrap().1;
        assert_eq!((&summary["model"], &summary["fallback"]), (&json!("extractive"), &json!("model_unavailable")));
        let quotes: Vec<&str> =
            summary["citations"].as_array().unwrap().iter().map(|it| it["quote"].as_str().unwrap()).collect();
        assert!(quotes.contains(&"We decided that the crane is repaired on Monday"), "{summary}");
        // A time in which nothing was said, and what is not one's own to read.
        let past = json!({ "channel_id": id(&harbour), "until": "2020-01-01T00:00:00Z" });
        assert_eq!(bob.send(Method::POST, SUMMARIZE, Some(&past), 200).await["citations"], json!([]));
        bob.send(Method::POST, SUMMARIZE, Some(&json!({ "until": "2020-01-01T00:00:00Z" })), 400).await;
        let vault = ada.create_channel("vault", "private", 201).await;
        let secret = ada.post(id(&vault), "quicksilver", 201).await;
        for body in [json!({ "channel_id": id(&vault) }), json!({ "message_id": id(&secret) })] {
            bob.send(Method::POST, SUMMARIZE, Some(&body), 404).await;
        }
    }

    async fn it_looks_for_more_with_the_askers_rights(world, model) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let (harbour, _) = office(&ada).await;
        ada.post(id(&harbour), "The ferry to the island costs four pennies", 201).await;
        let vault = ada.create_channel("vault", "private", 201).await;
        ada.post(id(&vault), "The ferry of the smugglers is called quicksilver", 201).await;
        found(&ada, "ferry", 2).await;
        let search = |query: &str| Does::Calls("search".into(), json!({ "query": query }));
        model.in_turn(vec![search("ferry"), Does::Says("The ferry to the island costs four pennies [2].".into())]);
        let answer = bob.ask(QUESTION, 200).await;
        assert_eq!(answer["model"], "parrot-1", "{answer}");
        let asked = model.asked();
        let told = asked[1]["messages"].as_array().unwrap().last().unwrap();
        assert!(told["role"] == "tool" && told["content"].as_str().unwrap().starts_with('['), "{told}");
        assert!(asked[1].to_string().contains("four pennies"), "{told}");
        assert!(!model.heard().contains("quicksilver"));
        // What is not in the list is not run, and nobody asks for tools for ever.
        model.now(Does::Calls("delete_message".into(), json!({ "message_id": "all" })));
        let before = model.asked().len();
        let answer = bob.ask(QUESTION, 200).await;
        assert_eq!(answer["fallback"], "unsupported", "{answer}");
        assert_eq!(model.asked().len() - before, 3);
        assert!(model.heard().contains("there is no such tool"));
    }

    async fn it_answers_over_a_socket_too(world, model) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        office(&ada).await;
        let mut other = bob.connect().await;
        let mut socket = bob.connect().await;
        model.now(Does::Says("The office opens at seven in the morning [1].".into()));
        let ask = |nonce: &str| json!({ "op": "ask", "d": { "nonce": nonce, "content": QUESTION } });
        socket.send(&ask("one")).await;
        let mut kinds = Vec::new();
        let answer = loop {
            let frame = socket.frame("assistant").await["d"].clone();
            assert_eq!(frame["nonce"], "one");
            kinds.push(frame["type"].as_str().unwrap().to_owned());
            if frame["type"] == "done" {
                break frame;
            }
        };
        assert_eq!(kinds, ["step", "step", "step", "citation", "text", "done"]);
        assert_eq!(answer["answer"], "The office opens at seven in the morning. [1]");
        // What is refused says so by the nonce.
        socket.send(&json!({ "op": "ask", "d": { "nonce": "two", "content": " " } })).await;
        assert_eq!(socket.frame("error").await["d"]["nonce"], "two");
        // Stopped by a frame, and by the end of the socket; heartbeats are answered meanwhile.
        model.now(Does::Stops("The office opens at seven in the morning [1]. And ".into()));
        socket.send(&ask("three")).await;
        while socket.frame("assistant").await["d"]["type"] != "text" {}
        socket.send(&json!({ "op": "heartbeat", "d": { "pos": 0 } })).await;
        socket.frame("heartbeat_ack").await;
        socket.send(&json!({ "op": "ask_stop", "d": { "nonce": "three" } })).await;
        model.abandoned(1).await;
        socket.send(&ask("four")).await;
        while socket.frame("assistant").await["d"]["type"] != "text" {}
        drop(socket);
        model.abandoned(2).await;
        // Nobody else heard any of it, not even the same person elsewhere.
        ada.post(id(&ada.create_channel("fence", "public", 201).await), "fence", 201).await;
        while let Some(frame) = other.within(std::time::Duration::from_millis(300)).await {
            assert_ne!(frame["op"], "assistant", "{frame}");
        }
    }
}

with_a_model! {
    async fn a_mention_is_answered_once_in_its_thread(world, model) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let (harbour, _) = office(&ada).await;
        bob.join(id(&harbour), 200).await;
        let vault = bob.create_channel("vault", "private", 201).await;
        bob.post(id(&vault), "The harbour master's office has a back door called quicksilver", 201).await;
        found(&bob, "quicksilver", 1).await;
        model.now(Does::Repeats("{1} [1]. The back door is called quicksilver [1][2]. Ask @channel.".into()));
        let asked = bob.post(id(&harbour), &format!("@assistant {QUESTION}"), 201).await;
        let thread = answered(&bob, id(&asked), 1).await;
        let reply = &items(&thread)[1];
        assert_eq!((&reply["sender"]["username"], &reply["is_bot"]), (&json!("assistant"), &json!(true)));
        let content = reply["content"].as_str().unwrap();
        assert!(content.contains("seven in the morning") && content.contains("ada"), "{content}");
        // What not everyone there may read neither reached the model nor comes out.
        assert!(!model.heard().contains("quicksilver") && !content.contains("quicksilver"), "{content}");
        // Nobody is called by it.
        assert!(!content.contains('@') && reply["mentions"].as_array().is_none_or(Vec::is_empty), "{reply}");

        // Not by itself, not by bots, not in a channel that nobody brought it into; the last one comes after all of these.
        let admin = world.admin().await;
        let bot = json!({ "username": "parrot", "is_bot": true });
        let bot = admin.send(Method::POST, "/api/v1/auth/users", Some(&bot), 201).await;
        let token = json!({ "name": "parrot", "user_id": bot["user"]["id"], "scopes": ["read", "write"] });
        let token = admin.send(Method::POST, "/api/v1/auth/tokens", Some(&token), 201).await;
        let mut parrot = world.visitor();
        parrot.access_token = token["token"].as_str().unwrap().to_owned();
        parrot.join(id(&harbour), 200).await;
        let by_bot = parrot.post(id(&harbour), &format!("@assistant {QUESTION}"), 201).await;
        let inside = bob.post(id(&vault), &format!("@assistant {QUESTION}"), 201).await;
        let last = ada.reply(id(&harbour), id(&asked), &format!("@assistant, {QUESTION}"), 201).await;
        answered(&ada, id(&last), 3).await;
        for message in [&by_bot, &inside] {
            assert_eq!(items(&bob.thread(id(message), 200).await).len(), 1, "{message}");
        }
        assert_eq!(items(&bob.thread(id(&asked), 200).await).len(), 4, "each mention once");

        // To it alone: no name is needed, and what is said there is nobody else's.
        let account = items(&bob.get("/api/v1/users?q=assistant", 200).await)[0]["id"].clone();
        let with = json!({ "user_ids": [account] });
        let direct = bob.send(Method::POST, "/api/v1/channels/direct", Some(&with), 201).await;
        bob.post(id(&direct), QUESTION, 201).await;
        let said = wait_for("an answer between the two", async || {
            let page = bob.list(id(&direct), "", 200).await;
            (items(&page).len() == 2).then_some(page)
        })
        .await;
        assert!(items(&said)[1]["content"].as_str().unwrap().contains("seven in the morning"), "{said}");
    }
}

/// A server of the OpenAI API that nobody here wrote: it streams, and it refuses.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_implementation_is_understood() {
    let model = MockLlm::start().await;
    let mut world = World::embedded_with(&model.settings()).await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let (_, told) = office(&ada).await;
    let answer = bob.ask(QUESTION, 200).await;
    assert_eq!(answer["answer"], "The office opens at seven in the morning. [1]", "{answer}");
    assert_eq!((&answer["model"], &answer["citations"][0]["message_id"]), (&json!("mock-llm"), &told["id"]));
    let answer = bob.ask(&format!("{QUESTION} Or is there an outage?"), 200).await;
    assert_eq!((&answer["model"], &answer["fallback"]), (&json!("extractive"), &json!("model_unavailable")));
}

/// A channel with the office's hours.
async fn office(ada: &User) -> (Value, Value) {
    let harbour = ada.create_channel("harbour", "public", 201).await;
    let told = ada.post(id(&harbour), OFFICE, 201).await;
    found(ada, "office", 1).await;
    (harbour, told)
}

/// Waits until a search finds so many messages.
pub async fn found(user: &User, words: &str, count: usize) {
    let what = format!("{} to find {count} × {words:?}", user.name);
    wait_until(&what, async || items(&user.search(words, 200).await).len() == count).await;
}

/// The thread once it has so many answers.
async fn answered(user: &User, message: &str, replies: usize) -> Value {
    wait_for("the assistant to answer", async || {
        let thread = user.thread(message, 200).await;
        (items(&thread).len() > replies).then_some(thread)
    })
    .await
}
