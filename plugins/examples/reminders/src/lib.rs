//! Reminders: `/remind me in 20 minutes to look at the oven`.

mod time;

use confab_plugin_sdk::prelude::*;
use time::When;

/// Of one person.
const MOST: usize = 50;

struct Reminders;

/// A reminder: to whom or where, by whom, when, and of what.
struct Reminder {
    by: String,
    by_name: String,
    channel: String,
    thread: Option<String>,
    is_private: bool,
    when: When,
}

impl CommandHandler for Reminders {
    fn on_command(call: Invocation) -> Result<Reply, String> {
        match call.command.as_str() {
            "remind" => remind(&call),
            "reminders" => Ok(Reply::Whisper(list(&call.user.id)?)),
            other => Err(format!("There is no command {other}.")),
        }
    }
}

impl ActionHandler for Reminders {
    fn on_action(press: Press) -> Result<Reply, String> {
        let (name, rest) = (press.payload.as_str(), press.action.as_str());
        if !name.starts_with(&prefix(&press.user.id)) {
            return Err("This is somebody else's reminder.".into());
        }
        match rest {
            "forget" => {
                schedule::cancel(name)?;
                kv::delete(name)?;
            }
            "snooze" => {
                let entry = kv::get(&format!("done:{name}"))?.ok_or("This reminder is not kept any more.")?;
                let mut reminder = Reminder::read(&entry.value).ok_or("This reminder cannot be read.")?;
                reminder.when.at = runtime::now() + 10 * 60_000;
                reminder.when.period_seconds = None;
                store(&format!("{}{}", prefix(&press.user.id), key()), &reminder)?;
                return Ok(Reply::Update(Draft::text(format!(
                    "{}\n\n_Again in ten minutes._",
                    reminder.when.what
                ))));
            }
            other => return Err(format!("There is no action {other}.")),
        }
        Ok(Reply::Update(list(&press.user.id)?))
    }
}

impl TimerHandler for Reminders {
    fn on_timer(tick: Tick) -> Result<(), String> {
        let Some(entry) = kv::get(&tick.name)? else { return Ok(()) };
        let Some(reminder) = Reminder::read(&entry.value) else { return Ok(()) };
        let text = format!("⏰ {}", reminder.when.what);
        let sent = if reminder.is_private {
            let snooze = Button::new("snooze", tick.name.clone(), "In 10 minutes again");
            chat::direct_message(&reminder.by, &Draft::text(text).button(snooze))
        } else {
            let place = Place { channel: reminder.channel.clone(), thread: reminder.thread.clone() };
            chat::post_message(&place, &Draft::text(format!("{text}\n\n_asked for by {}_", reminder.by_name)))
        };
        match sent {
            // Archived, or the bot was removed: nothing that another try could mend.
            Ok(_) | Err(Failure::Denied(_) | Failure::NotFound) => {}
            Err(failure) => return Err(failure.into()),
        }
        if reminder.when.period_seconds.is_none() {
            kv::set(&format!("done:{}", tick.name), &entry.value, Some(86_400))?;
            kv::delete(&tick.name)?;
        }
        Ok(())
    }
}

confab_plugin_sdk::export!(Reminders: commands, actions, timers);

fn remind(call: &Invocation) -> Result<Reply, String> {
    let text = call.text("what").unwrap_or_default().trim();
    let (whom, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let is_private = match whom.to_lowercase().as_str() {
        "me" => true,
        "here" | "us" | "channel" => false,
        _ => return Err("Begin with whom to remind: me or here.".into()),
    };
    let offset = integer_setting("utc-offset-minutes").unwrap_or(0);
    let when = time::read(rest, runtime::now(), offset)?;
    if kv::list_keys(&prefix(&call.user.id), None, MOST as u32 + 1)?.len() >= MOST {
        return Err(format!("You have {MOST} reminders already: /reminders lists them."));
    }
    let reminder = Reminder {
        by: call.user.id.clone(),
        by_name: call.user.display_name.clone(),
        channel: call.place.channel.clone(),
        thread: call.place.thread.clone(),
        is_private,
        when,
    };
    store(&format!("{}{}", prefix(&call.user.id), key()), &reminder)?;
    let minutes = (reminder.when.at.saturating_sub(runtime::now()) + 30_000) / 60_000;
    let whom = if is_private { "I will remind you" } else { "I will remind this channel" };
    Ok(Reply::tell(format!("{whom} in {}: {}", length(minutes), reminder.when.what)))
}

fn store(name: &str, reminder: &Reminder) -> Result<(), String> {
    kv::set(name, reminder.written().as_bytes(), None)?;
    match reminder.when.period_seconds {
        Some(period) => schedule::every(name, reminder.when.at, period, &[])?,
        None => schedule::once(name, reminder.when.at, &[])?,
    }
    Ok(())
}

fn list(user: &str) -> Result<Draft, String> {
    let names = kv::list_keys(&prefix(user), None, 20)?;
    if names.is_empty() {
        return Ok(Draft::text(
            "You have no reminders. `/remind me in 20 minutes to look at the oven` makes one.",
        ));
    }
    let mut draft = Draft::text("Your reminders:\n");
    for name in names {
        let Some(entry) = kv::get(&name)? else { continue };
        let Some(reminder) = Reminder::read(&entry.value) else { continue };
        let minutes = (reminder.when.at.saturating_sub(runtime::now()) + 30_000) / 60_000;
        let when = match reminder.when.period_seconds {
            Some(3_600) => "every hour".to_owned(),
            Some(86_400) => "every day".to_owned(),
            Some(_) => "every week".to_owned(),
            None => format!("in {}", length(minutes)),
        };
        let short: String = reminder.when.what.chars().take(40).collect();
        draft.content.push_str(&format!("\n- {when}: {}", reminder.when.what));
        draft = draft.button(Button::new("forget", name, format!("Forget “{short}”")).danger());
    }
    Ok(draft)
}

fn length(minutes: u64) -> String {
    match minutes {
        0 => "less than a minute".into(),
        1 => "a minute".into(),
        2..120 => format!("{minutes} minutes"),
        120..2880 => format!("{} hours", (minutes + 30) / 60),
        _ => format!("{} days", (minutes + 720) / 1440),
    }
}

fn prefix(user: &str) -> String {
    format!("of:{user}:")
}

fn key() -> String {
    runtime::random_bytes(8).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

impl Reminder {
    fn written(&self) -> String {
        let thread = self.thread.as_deref().unwrap_or("-");
        let period = self.when.period_seconds.unwrap_or(0);
        let name = self.by_name.replace('\n', " ");
        let head = format!("{}\n{name}\n{}\n{thread}\n{}", self.by, self.channel, self.is_private);
        format!("{head}\n{}\n{period}\n{}", self.when.at, self.when.what)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut lines = text.splitn(8, '\n').map(str::to_owned);
        let (by, by_name, channel, thread) = (lines.next()?, lines.next()?, lines.next()?, lines.next()?);
        let is_private = lines.next()? == "true";
        let (at, period): (u64, u32) = (lines.next()?.parse().ok()?, lines.next()?.parse().ok()?);
        let when = When { at, period_seconds: (period > 0).then_some(period), what: lines.next()? };
        Some(Self { by, by_name, channel, thread: Some(thread).filter(|it| it != "-"), is_private, when })
    }
}
