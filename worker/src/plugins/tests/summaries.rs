//! What a plugin gets of the assistant: for the person whom it answers, of what they and the bot both read.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use confab_core::FutureExt as _;
use confab_core::bus::Listener;
use confab_plugin_host::{Failure, Host as _, Place};
use confab_protocol::{ChannelId, ChannelKind, MessageId};

use super::{World, new_user};
use crate::assistant::{Extent, Step, Told};
use crate::plugins::host::Occasion;
use crate::services::{Answer, SUMMARIZE, Summarize};

fn place(channel: ChannelId, thread: Option<MessageId>) -> Place {
    Place { channel_id: channel.to_string(), thread_id: thread.map(|it| it.to_string()) }
}

/// Answers everybody the same, and remembers who asked for what.
async fn serve(world: &World) -> Arc<Mutex<Vec<Summarize>>> {
    let asked: Arc<Mutex<Vec<Summarize>>> = Arc::default();
    let remembered = Arc::clone(&asked);
    let service = move |question: Bytes, listener: Listener| {
        remembered.lock().unwrap().push(serde_json::from_slice(&question).unwrap());
        async move {
            let answer = Answer {
                answer: "*All* is well [1], @channel.".into(),
                citations: Vec::new(),
                model: "m".into(),
                fallback: None,
                conversation_id: None,
                number: 0,
                supported: true,
                confirmations: Vec::new(),
            };
            for told in [Told::Step { step: Step::Reading, of: Extent::default() }, Told::Done(answer)] {
                listener.say(Ok(serde_json::to_value(told).unwrap())).await;
            }
        }
        .boxed()
    };
    world.bus.serve_pieces(SUMMARIZE, Arc::new(service)).await.unwrap();
    asked
}

#[tokio::test]
async fn a_summary_is_of_what_person_and_bot_both_read() {
    let world = World::new().await;
    let asked = serve(&world).await;
    let (dice, eve) = (world.dice(), new_user(&world.db, "eve").await);
    let host = |person| world.catalogue.host(&dice, Occasion::command(confab_protocol::fresh_id()), person);
    let general = world.general().await;

    let once = host(Some(world.ada));
    let told = once.summarize(place(general, None)).await;
    // Nothing in it is markup or calls anybody: a plugin posts it as it is.
    assert_eq!(told, Ok("\\*All\\* is well \\[1\\], ＠channel.".into()));
    {
        let asked = asked.lock().unwrap();
        assert_eq!((asked[0].user_id, asked[0].channel_id), (world.ada, Some(general)), "with her rights");
        assert!(asked[0].is_unkept, "she asked a plugin, and not the assistant");
    }
    once.summarize(place(general, None)).await.unwrap();
    let third = once.summarize(place(general, None)).await;
    assert!(matches!(third, Err(Failure::Throttled { .. })), "{third:?}");

    // An event and a timer answer nobody.
    let nobody = host(None).summarize(place(general, None)).await;
    assert!(matches!(nobody, Err(Failure::Denied(_))), "{nobody:?}");
    let vault = world.channel("vault", ChannelKind::Private).await;
    let hidden = world.post(vault, "the combination is 7").await;
    let of_vault = host(Some(world.ada)).summarize(place(vault, None)).await;
    assert_eq!(of_vault, Err(Failure::NotFound), "the bot is not in there");
    // Nor by a thread of it that is said to be in another channel.
    let misplaced = host(Some(world.ada)).summarize(place(general, Some(hidden))).await;
    assert_eq!(misplaced, Err(Failure::NotFound));
    world.add(vault, dice.bot.id).await;
    let misplaced = host(Some(world.ada)).summarize(place(general, Some(hidden))).await;
    assert_eq!(misplaced, Err(Failure::NotFound));
    let of_eve = host(Some(eve)).summarize(place(vault, None)).await;
    assert_eq!(of_eve, Err(Failure::NotFound), "eve is not in there");
    assert!(host(Some(world.ada)).summarize(place(vault, Some(hidden))).await.is_ok());
    assert_eq!(asked.lock().unwrap().len(), 3, "what is refused is not asked");
}
