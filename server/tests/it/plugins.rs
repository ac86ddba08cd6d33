//! Plugins: the bundled dice answers a command, a message and a reaction.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::user::{User, id, items};
use crate::harness::{both, wait_for, wait_until};

/// Messages before a worker dies, and as many after.
const ROLLS: usize = 15;

both! {
    async fn the_dice_answer_a_command(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel);
        knows_roll(&ada).await;

        let done = ada.command(harbour, "/roll 2d6", 200).await;
        assert_eq!(done["outcome"], "public", "{done}");
        let said = bot_message(&ada, harbour).await;
        assert_rolled(&said, 2, 12);
        assert_eq!(said["is_bot"], json!(true));

        let wrong = ada.command(harbour, "/roll a pair", 200).await;
        assert_ne!(wrong["outcome"], "public", "a mistake is for the one who made it: {wrong}");
        for (text, expected) in [("/no-such-command", 404), ("no slash", 400), ("", 400)] {
            ada.command(harbour, text, expected).await;
        }
        // Not a member: may see the channel, may not speak there, by whatever means.
        bob.command(harbour, "/roll 2d6", 403).await;
        let vault = ada.create_channel("vault", "private", 201).await;
        bob.command(id(&vault), "/roll 2d6", 404).await;
    }

    async fn the_dice_answer_a_message_and_a_reaction(world) {
        let ada = world.user("ada").await;
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel);
        knows_roll(&ada).await;
        // The bot hears what its memberships let it hear: nothing yet.
        ada.post(harbour, "!roll 2d6", 201).await;
        let bots = ada.get("/api/v1/users?q=dice", 200).await;
        let bot = items(&bots).iter().find(|it| it["is_bot"] == true).expect("the dice have a bot");
        ada.add_member(harbour, &User { id: id(bot).to_owned(), ..ada.clone() }, 201).await;
        ada.post(harbour, "!rollback the release", 201).await;
        ada.post(harbour, "!roll 2d6", 201).await;
        assert_rolled(&bot_message(&ada, harbour).await, 2, 12);

        let root = ada.post(harbour, "who goes first?", 201).await;
        ada.react(id(&root), "dice", 204).await;
        let what = "the dice to answer the reaction";
        wait_until(what, async || {
            let thread = ada.thread(id(&root), 200).await;
            items(&thread).iter().any(|it| it["is_bot"] == true && it["content"].as_str().unwrap().contains("rolled"))
        }).await;
        let catalogue = ada.get("/api/v1/reactions", 200).await;
        assert!(items(&catalogue).iter().any(|it| it["code"] == "dice"), "{catalogue}");

        let answers = bot_messages(&ada, harbour).await.iter().filter(|it| it["parent_id"].is_null()).count();
        assert_eq!(answers, 1, "one answer to the !roll it could hear, none to !rollback");
    }

    async fn each_message_is_answered_once_whatever_worker_dies(world) {
        let ada = world.user("ada").await;
        let channel = ada.create_channel("harbour", "public", 201).await;
        let harbour = id(&channel).to_owned();
        knows_roll(&ada).await;
        let bots = ada.get("/api/v1/users?q=dice", 200).await;
        let bot = items(&bots).iter().find(|it| it["is_bot"] == true).expect("the dice have a bot");
        ada.add_member(&harbour, &User { id: id(bot).to_owned(), ..ada.clone() }, 201).await;
        ada.post(&harbour, "!roll 2d6", 201).await;
        bot_message(&ada, &harbour).await;
        if world.is_scaled() {
            world.add_worker(&[]);
        }
        let asked = 2 * ROLLS;
        for number in 0..asked {
            ada.post(&harbour, "!roll 2d6", 201).await;
            if number == ROLLS {
                // In the middle of it: some are answered and not yet noted, others not even begun.
                world.kill_worker().await;
            }
        }
        let answers = async || bot_messages(&ada, &harbour).await.len();
        wait_until("every message to be answered", async || answers().await > asked).await;
        // What comes after them is answered behind them, and by then second answers would be there.
        ada.post(&harbour, "!roll 2d6", 201).await;
        wait_until("the last answer", async || answers().await > asked + 1).await;
        assert_eq!(answers().await, asked + 2);
    }

    async fn only_the_administrator_sees_what_is_installed(world) {
        let admin = world.admin().await;
        let dice = wait_for("the bundled dice to be installed", async || {
            let reply = admin.call(Method::GET, "/api/v1/plugins", None).await;
            let plugins = if reply.status == 200 { reply.body() } else { return None };
            items(&plugins).iter().find(|it| it["id"] == "chat.confab.dice").cloned()
        }).await;
        assert_eq!(dice["enabled"], true);
        world.user("ada").await.get("/api/v1/plugins", 403).await;
        world.visitor().get("/api/v1/plugins", 401).await;
    }
}

/// In a scaled world the worker announces the commands some moments after the servers listen.
async fn knows_roll(user: &User) {
    wait_until("the command /roll to be known", async || {
        let reply = user.call(Method::GET, "/api/v1/commands", None).await;
        reply.status == 200 && items(&reply.body()).iter().any(|it| it["name"] == "roll")
    })
    .await;
}

async fn bot_message(user: &User, channel: &str) -> Value {
    wait_for("a message of the bot", async || bot_messages(user, channel).await.pop()).await
}

async fn bot_messages(user: &User, channel: &str) -> Vec<Value> {
    let page = user.list(channel, "limit=100", 200).await;
    items(&page).iter().filter(|it| it["is_bot"] == true).cloned().collect()
}

/// The text names a total between `least` and `most`.
fn assert_rolled(message: &Value, least: u32, most: u32) {
    let text = message["content"].as_str().unwrap();
    let numbers: Vec<u32> =
        text.split(|it: char| !it.is_ascii_digit()).filter_map(|word| word.parse().ok()).collect();
    assert!(numbers.last().is_some_and(|total| (least..=most).contains(total)), "no total in {text:?}");
}
