//! Stand-up: a channel is asked how it goes, people answer with `/did`, and the answers are summed up.

mod round;

use confab_plugin_sdk::prelude::*;
use round::{Round, Schedule};

/// Those who answer at the same moment are told apart by the revision of what is stored; each tries again so often.
const TRIES: usize = 12;
/// People who are asked by a whisper of their own: each costs a call, and a call of the plugin has fifty.
const MOST_ASKED: usize = 30;
const QUESTION: &str = "What did you do, what comes next, and is anything in your way?";
const DAY_SECONDS: u32 = 86_400;

struct Standup;

impl CommandHandler for Standup {
    fn on_command(call: Invocation) -> Result<Reply, String> {
        let channel = call.place.channel.as_str();
        if call.command == "did" {
            return answer(channel, &call.user, call.text("answer").unwrap_or_default());
        }
        let minutes = call.integer("minutes").unwrap_or(60).unsigned_abs();
        let text = call.text("question").unwrap_or_default().trim();
        let asking = |question: &str| Schedule {
            minutes,
            question: if question.is_empty() { QUESTION } else { question }.to_owned(),
            by: call.user.id.clone(),
        };
        match call.text("what").unwrap_or_default() {
            "now" => {
                begin(channel, &asking(text), runtime::now())?;
                Ok(Reply::Silent)
            }
            "daily" => {
                let offset = integer_setting("utc-offset-minutes").unwrap_or(0);
                let (time, question) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
                let at = round::clock(time)?;
                let daily_one = asking(question.trim());
                kv::set(&daily(channel), &written(&daily_one)?, None)?;
                let first = round::next(runtime::now(), at, offset);
                schedule::every(&daily(channel), first, DAY_SECONDS, channel.as_bytes())?;
                let (hour, minute) = (at / 60, at % 60);
                Ok(Reply::say(format!(
                    "🧍 Stand-up here every working day at {hour}:{minute:02}: {}",
                    daily_one.question
                )))
            }
            "stop" => {
                schedule::cancel(&daily(channel))?;
                Ok(Reply::tell(if kv::delete(&daily(channel))? {
                    "There is no daily stand-up here any more."
                } else {
                    "There was no daily stand-up here."
                }))
            }
            "close" => {
                close(channel, None)?;
                Ok(Reply::Silent)
            }
            _ => show(channel),
        }
    }
}

impl ActionHandler for Standup {
    fn on_action(press: Press) -> Result<Reply, String> {
        match press.action.as_str() {
            "nothing" => answer(&press.payload, &press.user, "_nothing to report_"),
            "close" => close(&press.payload, None).map(|()| Reply::Silent),
            other => Err(format!("There is no action {other}.")),
        }
    }
}

impl TimerHandler for Standup {
    fn on_timer(tick: Tick) -> Result<(), String> {
        let channel = String::from_utf8(tick.payload).map_err(|_| "no channel")?;
        if tick.name.starts_with("close:") {
            return match close(&channel, Some(tick.due)) {
                // Somebody closed it before its time.
                Err(_) if open_round(&channel)?.is_none() => Ok(()),
                done => done,
            };
        }
        let offset = integer_setting("utc-offset-minutes").unwrap_or(0);
        if !round::is_working_day(tick.due, offset) {
            return Ok(());
        }
        let Some(entry) = kv::get(&tick.name)? else { return Ok(()) };
        let schedule: Schedule = serde_json::from_slice(&entry.value).map_err(|error| error.to_string())?;
        match begin(&channel, &schedule, tick.due) {
            // One that somebody began by hand is still open: it is today's.
            Err(_) if open_round(&channel)?.is_some() => Ok(()),
            done => done,
        }
    }
}

confab_plugin_sdk::export!(Standup: commands, actions, timers);

/// Opens a round: a message for all, and a whisper for each.
fn begin(channel: &str, schedule: &Schedule, at: u64) -> Result<(), String> {
    let people: Vec<User> =
        chat::members(channel, 100)?.into_iter().map(|it| it.user).filter(|it| !it.bot).collect();
    let mut round = Round::new(schedule, at, runtime::now(), people.len());
    // Of two who begin at the same moment one does.
    match kv::swap(&key(channel), 0, &written(&round)?) {
        Ok(_) => {}
        Err(Failure::Conflict) => return Err("A stand-up is open here: /standup close ends it.".into()),
        Err(failure) => return Err(failure.into()),
    }
    let place = Place { channel: channel.to_owned(), thread: None };
    let posted = chat::post_message(&place, &round.draft(channel));
    round.message = match posted {
        Ok(message) => message,
        Err(failure) => {
            kv::delete(&key(channel))?;
            return Err(failure.into());
        }
    };
    let stored = change(channel, |stored| stored.message.clone_from(&round.message));
    schedule::once(&format!("close:{channel}"), round.closes, channel.as_bytes())?;
    let text = format!("🧍 **Stand-up.** {} Answer with `/did …`.", round.question);
    for person in people.iter().take(MOST_ASKED) {
        let nothing = Button::new("nothing", channel, "Nothing to report");
        // Who left at this moment is not asked.
        let _ = chat::whisper(&place, &person.id, &Draft::text(text.clone()).button(nothing));
    }
    stored.map(drop)
}

fn answer(channel: &str, user: &User, text: &str) -> Result<Reply, String> {
    let round = change(channel, |round| round.answer(user, text))?;
    draw(channel, &round)?;
    Ok(Reply::tell("Noted. Another `/did …` takes its place, until the stand-up closes."))
}

/// Ends a round and posts what was answered. `due`: by the timer of the round that closes then, and of no other.
fn close(channel: &str, due: Option<u64>) -> Result<(), String> {
    let (round, revision) =
        open_round(channel)?.ok_or("No stand-up is open here: /standup now begins one.")?;
    if due.is_some_and(|due| due != round.closes) {
        return Ok(());
    }
    let place = Place { channel: channel.to_owned(), thread: None };
    let mut closed = round;
    closed.is_closed = true;
    // Whoever stores that it is closed sums it up: a late answer is in the summary or is refused.
    match kv::swap(&key(channel), revision, &written(&closed)?) {
        Ok(_) => {}
        Err(Failure::Conflict) => return close(channel, due),
        Err(failure) => return Err(failure.into()),
    }
    let _ = draw(channel, &closed);
    chat::post_message(&place, &Draft::text(closed.summary()))?;
    kv::delete(&key(channel))?;
    schedule::cancel(&format!("close:{channel}"))?;
    Ok(())
}

fn show(channel: &str) -> Result<Reply, String> {
    let daily = match kv::get(&daily(channel))? {
        Some(_) => "There is a stand-up here every working day.",
        None => "There is no daily stand-up here: `/standup daily 9:30` makes one.",
    };
    let text = match open_round(channel)? {
        Some((round, _)) => format!("{daily}\n\n{}", round.summary()),
        None => daily.to_owned(),
    };
    Ok(Reply::tell(text))
}

fn draw(channel: &str, round: &Round) -> Result<(), String> {
    match chat::edit_message(&round.message, &round.draft(channel)) {
        // Deleted by somebody, or drawn by another answer at this moment: the answers are kept.
        Ok(()) | Err(Failure::NotFound | Failure::Conflict) => Ok(()),
        Err(failure) => Err(failure.into()),
    }
}

fn open_round(channel: &str) -> Result<Option<(Round, u64)>, String> {
    let Some(entry) = kv::get(&key(channel))? else { return Ok(None) };
    let round: Round = serde_json::from_slice(&entry.value).map_err(|error| error.to_string())?;
    Ok(Some((round, entry.revision)))
}

fn change(channel: &str, by: impl Fn(&mut Round)) -> Result<Round, String> {
    for _ in 0..TRIES {
        let (mut round, revision) =
            open_round(channel)?.ok_or("No stand-up is open here: /standup now begins one.")?;
        if round.is_closed {
            return Err("This stand-up is closed.".into());
        }
        by(&mut round);
        match kv::swap(&key(channel), revision, &written(&round)?) {
            Ok(_) => return Ok(round),
            Err(Failure::Conflict) => {}
            Err(failure) => return Err(failure.into()),
        }
    }
    Err("Too many people answer at this moment: try again.".into())
}

fn written(value: &impl serde::Serialize) -> Result<Vec<u8>, String> {
    serde_json::to_vec(value).map_err(|error| error.to_string())
}

fn key(channel: &str) -> String {
    format!("round:{channel}")
}

fn daily(channel: &str) -> String {
    format!("daily:{channel}")
}
