//! Karma: `ada++` in a message, or the reaction `karma`, gives one; `/karma` shows the board.

mod board;

use board::Board;
use confab_plugin_sdk::prelude::*;

const KEY: &str = "board";
/// Those who give karma at the same moment are told apart by the revision of what is stored; each tries again so often.
const TRIES: usize = 12;
/// Shown on the board.
const SHOWN: usize = 10;

struct Karma;

impl CommandHandler for Karma {
    fn on_command(call: Invocation) -> Result<Reply, String> {
        let board = read()?.0;
        match call.text("who").map(str::trim).filter(|it| !it.is_empty()) {
            Some(who) => {
                let name = board::name_of(who).unwrap_or_default();
                Ok(Reply::tell(format!("**{name}** has {} karma.", board.of(&name))))
            }
            None if board.is_empty() => Ok(Reply::tell("Nobody has karma yet: write `name++` to give some.")),
            None => Ok(Reply::say(board.shown(SHOWN))),
        }
    }
}

impl EventHandler for Karma {
    fn on_event(delivery: Delivery) -> Result<(), String> {
        let Event::MessagePosted(message) = delivery.event else { return Ok(()) };
        // What was delivered before may have been counted: rather once too few than twice.
        if delivery.attempt > 1 {
            return Ok(());
        }
        let names = board::given(&message.content);
        let own = message.sender.username.to_lowercase();
        let (to_self, others): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| *name == own);
        if !to_self.is_empty() {
            let _ = chat::whisper(
                &message.place,
                &message.sender.id,
                &Draft::text("Nobody gives karma to themselves."),
            );
        }
        if others.is_empty() {
            return Ok(());
        }
        change(|board| others.iter().for_each(|name| board.add(name, 1)))?;
        // A sign that it was counted, and no further message. Where the message is gone already there is none.
        let _ = chat::add_reaction(&message.id, "star");
        Ok(())
    }
}

impl ReactionGate for Karma {
    fn may_react(reaction: Reaction) -> Verdict {
        match chat::get_message(&reaction.message) {
            Ok(message) if message.sender.id == reaction.user.id => {
                Verdict::Refuse("Nobody gives karma to themselves.".into())
            }
            _ => Verdict::Allow,
        }
    }
}

impl ReactionHandler for Karma {
    fn on_reaction(reaction: Reaction, added: bool) -> Result<Reply, String> {
        let author = match chat::get_message(&reaction.message) {
            Ok(message) => message.sender,
            Err(Failure::NotFound) => return Ok(Reply::Silent),
            Err(failure) => return Err(failure.into()),
        };
        if author.id != reaction.user.id {
            change(|board| board.add(&author.username.to_lowercase(), if added { 1 } else { -1 }))?;
        }
        Ok(Reply::Silent)
    }
}

confab_plugin_sdk::export!(Karma: commands, events, gate, reactions);

fn read() -> Result<(Board, u64), String> {
    let entry = kv::get(KEY)?;
    Ok(entry.map_or_else(|| (Board::default(), 0), |it| (Board::read(&it.value), it.revision)))
}

fn change(by: impl Fn(&mut Board)) -> Result<(), String> {
    for _ in 0..TRIES {
        let (mut board, revision) = read()?;
        by(&mut board);
        match kv::swap(KEY, revision, board.written().as_bytes()) {
            Ok(_) => return Ok(()),
            Err(Failure::Conflict) => {}
            Err(failure) => return Err(failure.into()),
        }
    }
    Err("too many people give karma at this moment".into())
}
