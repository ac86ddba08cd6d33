//! Polls: `/poll "Tea or coffee?" hours=2 tea, coffee` posts a message whose buttons count.

mod poll;

use confab_plugin_sdk::prelude::*;
use poll::Poll;

/// Presses that meet each other are told apart by the revision of what is stored; each tries again so often.
const TRIES: usize = 12;

struct Polls;

impl CommandHandler for Polls {
    fn on_command(call: Invocation) -> Result<Reply, String> {
        let question = call.text("question").unwrap_or_default().trim().to_owned();
        let answers = poll::answers(call.text("answers").unwrap_or("Yes, No"))?;
        let closes = call.number("hours").map(|hours| runtime::now() + (hours * 3_600_000.0) as u64);
        let poll = Poll::new(question, answers, &call.user, call.toggle("several"), closes);
        // The key is drawn before the message is there: its buttons carry it.
        let key = key();
        kv::set(&key, poll.written().as_bytes(), None)?;
        let message = chat::post_message(&call.place, &poll.draft(&key))?;
        kv::set(&format!("{key}:message"), message.as_bytes(), None)?;
        if let Some(at) = closes {
            schedule::once(&key, at, key.as_bytes())?;
        }
        Ok(Reply::Silent)
    }
}

impl ActionHandler for Polls {
    fn on_action(press: Press) -> Result<Reply, String> {
        let (key, answer) = press.payload.split_once(' ').unwrap_or((press.payload.as_str(), ""));
        match press.action.as_str() {
            "vote" => {
                let answer: usize = answer.parse().map_err(|_| "This button is broken.")?;
                change(key, &press.message, |poll| poll.vote(&press.user.id, answer))
            }
            "close" => change(key, &press.message, |poll| {
                if poll.asked_by != press.user.id {
                    return Err(format!("Only {} can close this poll.", poll.asked_by_name));
                }
                poll.is_closed = true;
                Ok(())
            }),
            other => Err(format!("There is no action {other}.")),
        }
    }
}

impl TimerHandler for Polls {
    fn on_timer(tick: Tick) -> Result<(), String> {
        let key = String::from_utf8(tick.payload).map_err(|_| "no key")?;
        let Some(message) = kv::get(&format!("{key}:message"))? else { return Ok(()) };
        let message = String::from_utf8(message.value).map_err(|_| "no message")?;
        let closed = change(&key, &message, |poll| {
            poll.is_closed = true;
            Ok(())
        });
        closed.map(drop)
    }
}

confab_plugin_sdk::export!(Polls: commands, actions, timers);

/// Changes a poll and shows it. Two who vote at once both count; the one who stored last draws last, or draws again.
fn change(key: &str, message: &str, vote: impl Fn(&mut Poll) -> Result<(), String>) -> Result<Reply, String> {
    for _ in 0..TRIES {
        let entry = kv::get(key)?.ok_or("This poll is not kept any more.")?;
        let mut poll = Poll::read(&entry.value).ok_or("This poll cannot be read.")?;
        if poll.is_closed {
            return Err("This poll is closed.".into());
        }
        vote(&mut poll)?;
        match kv::swap(key, entry.revision, poll.written().as_bytes()) {
            Ok(revision) => return draw(key, message, poll, revision),
            Err(Failure::Conflict) => {}
            Err(failure) => return Err(failure.into()),
        }
    }
    Err("Too many people vote at this moment: try again.".into())
}

/// Shows what was stored. When somebody stored another count meanwhile, theirs is shown: whoever draws last draws the
/// newest.
fn draw(key: &str, message: &str, mut poll: Poll, mut revision: u64) -> Result<Reply, String> {
    for _ in 0..TRIES {
        match chat::edit_message(message, &poll.draft(key)) {
            // Deleted by its author or an admin: the vote is kept and nobody sees it.
            Err(Failure::NotFound) => return Err("This poll was deleted.".into()),
            // Another press draws at this moment; what it draws is looked at below.
            Err(Failure::Conflict) | Ok(()) => {}
            Err(failure) => return Err(failure.into()),
        }
        let Some(entry) = kv::get(key)? else { break };
        if entry.revision == revision {
            break;
        }
        revision = entry.revision;
        poll = Poll::read(&entry.value).ok_or("This poll cannot be read.")?;
    }
    if poll.is_closed {
        schedule::cancel(key)?;
    }
    Ok(Reply::Silent)
}

fn key() -> String {
    let bytes = runtime::random_bytes(12);
    bytes.iter().fold(String::from("poll:"), |text, byte| format!("{text}{byte:02x}"))
}
