//! What ends in the middle of an answer: a session, a worker.

use reqwest::Method;
use serde_json::json;

use super::assistant::with_a_model;
use crate::harness::user::{id, items};
use crate::harness::{Does, Events, wait_for, wait_until};

const MESSAGE: &str = "/api/v1/ai/message";
const OFFICE: &str = "The harbour master's office opens at seven in the morning.";
const QUESTION: &str = "When does the harbour master's office open?";

with_a_model! {
    async fn an_answer_ends_with_the_session_that_asked(world, model) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let harbour = ada.create_channel("harbour", "public", 201).await;
        ada.post(id(&harbour), OFFICE, 201).await;
        crate::assistant::found(&bob, "office", 1).await;
        model.now(Does::Stops("The office opens at seven in the morning [1]. And ".into()));
        let other = world.user("bob").await;
        let sessions = bob.get("/api/v1/auth/sessions", 200).await;
        let own = items(&sessions).iter().find(|it| it["is_current"] == true).expect("the session");
        let mut events = Events::of(&bob, MESSAGE, &json!({ "content": QUESTION })).await;
        events.until("text").await;
        other.send(Method::DELETE, &format!("/api/v1/auth/sessions/{}", id(own)), None, 204).await;
        // The model would be waited for much longer; nobody is there to read what it says.
        let (mut last, mut count) = (None, 0);
        while let Some(event) = events.next().await {
            count += 1;
            last = Some(event);
        }
        let (kind, data) = last.expect("an end");
        assert_eq!((kind.as_str(), &data["code"], count), ("error", &json!("session_ended"), 1), "{data}");
        model.abandoned(1).await;
        assert_eq!(other.get("/api/v1/ai/conversations", 200).await["items"], json!([]));
    }

    async fn what_is_deleted_while_the_model_writes_is_not_quoted_in_its_stead(world, model) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let harbour = ada.create_channel("harbour", "public", 201).await;
        let told = ada.post(id(&harbour), OFFICE, 201).await;
        let closes = ada.post(id(&harbour), "The harbour master's office closes at noon.", 201).await;
        crate::assistant::found(&bob, "office", 2).await;
        model.now(Does::Waits("The office opens at seven in the morning [1].".into()));
        let before = model.asked().len();
        let meanwhile = async {
            wait_until("the model to be asked", async || model.asked().len() > before).await;
            ada.delete(id(&told), 204).await;
            model.goes_on();
        };
        let (answer, ()) = tokio::join!(bob.ask(QUESTION, 200), meanwhile);
        assert_eq!(answer["fallback"], "changed_meanwhile", "{answer}");
        assert!(!answer.to_string().contains("seven"), "{answer}");
        assert_eq!(answer["citations"][0]["message_id"], closes["id"], "{answer}");
    }

    async fn a_mention_is_answered_once_whatever_worker_dies(world, model) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let harbour = ada.create_channel("harbour", "public", 201).await;
        bob.join(id(&harbour), 200).await;
        ada.post(id(&harbour), OFFICE, 201).await;
        crate::assistant::found(&bob, "office", 1).await;
        if world.is_scaled() {
            world.add_worker(&model.settings());
        }
        model.now(Does::Hangs);
        let before = model.asked().len();
        let asked = bob.post(id(&harbour), &format!("@assistant {QUESTION}"), 201).await;
        wait_until("the model to be asked", async || model.asked().len() > before).await;
        model.now(Does::Repeats("{1} [1].".into()));
        world.kill_worker().await;
        let answered = async |message: &str, count: usize| {
            wait_for("the assistant to answer", async || {
                let thread = bob.thread(message, 200).await;
                (items(&thread).len() > count).then_some(thread)
            })
            .await
        };
        let thread = answered(id(&asked), 1).await;
        assert!(items(&thread)[1]["content"].as_str().expect("a text").contains("seven"), "{thread}");
        // What comes after it is answered too, and by then a second answer to the first would be there.
        let last = bob.post(id(&harbour), &format!("@assistant, {QUESTION}"), 201).await;
        answered(id(&last), 1).await;
        let thread = bob.thread(id(&asked), 200).await;
        assert_eq!(items(&thread).len(), 2, "{thread}");
    }
}
