//! `/roll`, and commands that must not run.

use confab_core::Fault;
use confab_protocol::ChannelKind;

use super::*;
use crate::plugins::command::Outcome;

#[tokio::test]
async fn a_command_is_answered_by_the_bot_once_however_often_it_is_asked() {
    let world = World::new().await;
    let harbour = world.channel("harbour", ChannelKind::Public).await;
    let asked = world.asked(harbour, "/roll 2d6");
    let first = world.commands.run(asked.clone()).await.unwrap();
    assert_eq!((first.command.as_str(), first.outcome), ("roll", Outcome::Public));
    let again = world.commands.run(asked.clone()).await.unwrap();
    // A worker that does not remember the first answer, such as another one.
    let elsewhere = Commands::new(&world.db, &world.catalogue).run(asked).await.unwrap();

    let said = world.said(harbour).await;
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(said[0].sender_id, world.dice().bot.id);
    for answer in [first, again, elsewhere] {
        assert_eq!(answer.message.unwrap().id, said[0].id);
        assert_eq!(answer.content.as_deref(), Some(said[0].content.as_str()));
    }
    world.commands.run(world.asked(harbour, "/roll 2d6")).await.unwrap();
    assert_eq!(world.said(harbour).await.len(), 2, "another request is another roll");
}

#[tokio::test]
async fn a_mistake_is_told_to_the_person_alone() {
    let world = World::new().await;
    let general = world.general().await;
    let answer = world.commands.run(world.asked(general, "/roll a pair")).await.unwrap();
    assert_eq!(answer.outcome, Outcome::Whisper);
    assert!(answer.content.is_some_and(|text| !text.is_empty()));
    assert!(world.said(general).await.is_empty());
}

#[tokio::test]
async fn commands_run_only_where_person_and_bot_may_speak() {
    let world = World::new().await;
    let vault = world.channel("vault", ChannelKind::Private).await;
    let harbour = world.channel("harbour", ChannelKind::Public).await;
    let refused = world.commands.run(world.asked(vault, "/roll")).await.unwrap_err();
    assert_eq!(refused.code(), "not_a_member");
    assert!(refused.to_string().contains("invite @dice"), "{refused}");
    world.add(vault, world.dice().bot.id).await;
    assert_eq!(world.commands.run(world.asked(vault, "/roll")).await.unwrap().outcome, Outcome::Public);

    let bob = new_user(&world.db, "bob").await;
    let by_bob = |channel| Question { user_id: bob, ..world.asked(channel, "/roll") };
    assert!(matches!(world.commands.run(by_bob(vault)).await, Err(Fault::NotFound("channel"))));
    let outside = world.commands.run(by_bob(harbour)).await.unwrap_err();
    assert!(matches!(outside, Fault::Forbidden { code: "not_a_member", .. }), "{outside}");

    for (text, code) in
        [("/nothing", "not_found"), ("no slash", "invalid"), ("", "invalid"), ("/", "invalid")]
    {
        let fault = world.commands.run(world.asked(harbour, text)).await.unwrap_err();
        assert_eq!(fault.code(), code, "{text:?}: {fault}");
    }
    assert!(world.said(harbour).await.is_empty());
}

#[tokio::test]
async fn a_plugin_that_fails_five_times_is_stopped_and_says_why() {
    let world = World::with(&HOSTILE_BUNDLE).await;
    let general = world.general().await;
    let whisper = world.commands.run(world.asked(general, "/misbehave refuse")).await.unwrap();
    assert_eq!(whisper.content.as_deref(), Some("I do not want to."));
    for _ in 0..5 {
        let fault = world.commands.run(world.asked(general, "/misbehave panic")).await.unwrap_err();
        assert_eq!(fault.code(), "plugin_failed");
        assert_eq!(fault.to_string(), "Hostile: the plugin failed");
    }
    let gone = world.commands.run(world.asked(general, "/misbehave behave")).await.unwrap_err();
    assert!(matches!(gone, Fault::NotFound("command")), "{gone}");
    let listed = crate::plugins::offered::installed(&world.db, &world.catalogue).await.unwrap();
    assert_eq!(listed["items"][0]["id"], HOSTILE);
    assert_eq!(listed["items"][0]["enabled"], false);
    let reason = listed["items"][0]["disabled_reason"].as_str().unwrap();
    assert!(reason.starts_with("stopped by the server: failed 5 times"), "{reason}");
}
