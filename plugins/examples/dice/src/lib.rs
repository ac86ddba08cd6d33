//! Rolls dice: for `/roll 2d6+1`, for a message `!roll 2d6+1`, and for the reaction `dice`.

mod expression;

use confab_plugin_sdk::prelude::*;
use expression::Expression;

struct Dice;

impl CommandHandler for Dice {
    fn on_command(call: Invocation) -> Result<Reply, String> {
        let text = call.text("dice").unwrap_or_default();
        Ok(Reply::say(roll(text)?))
    }
}

impl EventHandler for Dice {
    fn on_event(delivery: Delivery) -> Result<(), String> {
        let Event::MessagePosted(message) = delivery.event else { return Ok(()) };
        let Some(text) = message.content.strip_prefix("!roll") else { return Ok(()) };
        if text.starts_with(|next: char| !next.is_whitespace()) {
            return Ok(()); // another word that begins alike, such as !rollback
        }
        // A mistake is answered too: an error here would only deliver the same message again.
        let answer = roll(text).unwrap_or_else(|fault| fault);
        chat::post_message(&message.place, &Draft::text(answer))?;
        Ok(())
    }
}

impl ReactionHandler for Dice {
    fn on_reaction(reaction: Reaction, added: bool) -> Result<Reply, String> {
        if !added {
            return Ok(Reply::Silent);
        }
        let count = kv::add(&format!("rolls:{}", reaction.message), 1)?;
        let rolled = Random::default().one_to(6);
        let text = format!("🎲 {} rolled **{rolled}** (roll {count} here)", reaction.user.display_name);
        chat::post_message(&reaction.thread(), &Draft::text(text))?;
        Ok(Reply::Silent)
    }
}

confab_plugin_sdk::export!(Dice: commands, events, reactions);

/// Rolls what the text says (1d6 if it says nothing) and tells the result in one line.
fn roll(text: &str) -> Result<String, String> {
    let expression = Expression::parse(text)?;
    let mut random = Random::default();
    let rolled: Vec<u32> = (0..expression.count).map(|_| random.one_to(expression.sides)).collect();
    Ok(expression.describe(&rolled))
}
