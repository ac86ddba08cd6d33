//! Incidents: a channel for each, what happened in order, and a summary at the end.

mod timeline;

use confab_plugin_sdk::prelude::*;
use timeline::Incident;

/// Changes that meet each other are told apart by the revision of what is stored; each tries again so often.
const TRIES: usize = 12;
/// Shown by `/incident list`.
const LISTED: usize = 15;
const TITLE_CHARACTERS: usize = 150;

struct Incidents;

impl CommandHandler for Incidents {
    fn on_command(call: Invocation) -> Result<Reply, String> {
        let text = call.text("text").unwrap_or_default().trim().to_owned();
        let channel = call.place.channel.as_str();
        match call.text("what").unwrap_or_default() {
            "open" => open(&call, &text, false),
            "open-private" => open(&call, &text, true),
            "note" if text.is_empty() => Err("Say what happened: /incident note the disk is full".into()),
            "note" => {
                change(channel, |incident| incident.note(runtime::now(), &call.user.display_name, &text))?;
                Ok(Reply::say(format!("📝 {text}")))
            }
            "summary" => summary(channel).map(Reply::say),
            "close" => close(channel, &call.user.display_name, &text).map(Reply::say),
            _ => list(),
        }
    }
}

impl ActionHandler for Incidents {
    fn on_action(press: Press) -> Result<Reply, String> {
        let (channel, name) = (press.payload.as_str(), press.user.display_name.as_str());
        match press.action.as_str() {
            "take" => {
                let incident = change(channel, |incident| incident.take(runtime::now(), name))?;
                Ok(Reply::Update(incident.card(channel)))
            }
            "summary" => summary(channel).map(Reply::tell),
            "close" => {
                let summary = close(channel, name, "")?;
                chat::post_message(&place(channel), &Draft::text(summary))?;
                Ok(Reply::Silent)
            }
            other => Err(format!("There is no action {other}.")),
        }
    }
}

impl ReactionHandler for Incidents {
    fn on_reaction(reaction: Reaction, added: bool) -> Result<Reply, String> {
        let message = match chat::get_message(&reaction.message) {
            Ok(message) if added => message,
            Ok(_) | Err(Failure::NotFound) => return Ok(Reply::Silent),
            Err(failure) => return Err(failure.into()),
        };
        if kv::get(&key(&reaction.place.channel))?.is_some() {
            // Where the incident is closed its timeline is too.
            let _ = change(&reaction.place.channel, |incident| {
                incident.quote(message.created, &message.sender.display_name, &message.content, &message.id);
            });
        }
        Ok(Reply::Silent)
    }
}

confab_plugin_sdk::export!(Incidents: commands, actions, reactions);

fn open(call: &Invocation, text: &str, is_private: bool) -> Result<Reply, String> {
    if text.is_empty() {
        return Err("Say what is wrong: /incident open the database is slow".into());
    }
    let title: String = text.replace('\n', " ").chars().take(TITLE_CHARACTERS).collect();
    let number = kv::add("number", 1)?;
    let name = timeline::channel_name(number, &title);
    let channel = chat::create_channel(&name, &title, is_private, std::slice::from_ref(&call.user.id))?;
    let mut incident =
        Incident::new(number, title.clone(), name.clone(), call.user.display_name.clone(), runtime::now());
    incident.message = chat::post_message(&place(&channel), &incident.card(&channel))?;
    kv::set(&key(&channel), &incident.written()?, None)?;
    kv::set(&format!("open:{number:08}"), channel.as_bytes(), None)?;
    let said = format!("🚨 **Incident {number}: {title}**. It is worked on in #{name}.");
    // What only some may see is not told to a whole channel.
    Ok(if is_private { Reply::tell(said) } else { Reply::say(said) })
}

/// The timeline, and above it what the assistant makes of all that was said in the channel. Where it does not answer (it
/// is off, was not granted, takes too long) the timeline is the summary.
fn summary(channel: &str) -> Result<String, String> {
    let incident = here(channel)?.0;
    let said = match assistant::summarize(&place(channel)) {
        Ok(text) => Some(text),
        Err(failure) => {
            runtime::log(runtime::Level::Info, &format!("without the assistant: {}", String::from(failure)));
            None
        }
    };
    Ok(incident.summary(runtime::now(), said.as_deref()))
}

/// Ends an incident; answers its summary.
fn close(channel: &str, by: &str, how: &str) -> Result<String, String> {
    let now = runtime::now();
    let incident = change(channel, |incident| incident.close(now, by, how))?;
    kv::delete(&format!("open:{:08}", incident.number))?;
    // The card may be deleted: the summary is what counts.
    let _ = chat::edit_message(&incident.message, &incident.card(channel));
    Ok(incident.summary(now, None))
}

fn list() -> Result<Reply, String> {
    let mut text = String::from("Open incidents:\n");
    let keys = kv::list_keys("open:", None, LISTED as u32)?;
    for key_of_number in &keys {
        let Some(channel) = kv::get(key_of_number)? else { continue };
        let Ok((incident, _)) = here(&String::from_utf8_lossy(&channel.value)) else { continue };
        text.push_str(&format!("\n- {}", incident.line(runtime::now())));
    }
    Ok(Reply::tell(if keys.is_empty() { "No incident is open.".to_owned() } else { text }))
}

fn here(channel: &str) -> Result<(Incident, u64), String> {
    let entry = kv::get(&key(channel))?.ok_or("This is no incident's channel: /incident open makes one.")?;
    let incident = serde_json::from_slice(&entry.value).map_err(|error| error.to_string())?;
    Ok((incident, entry.revision))
}

fn change(channel: &str, by: impl Fn(&mut Incident)) -> Result<Incident, String> {
    for _ in 0..TRIES {
        let (mut incident, revision) = here(channel)?;
        if incident.closed.is_some() {
            return Err("This incident is closed.".into());
        }
        by(&mut incident);
        match kv::swap(&key(channel), revision, &incident.written()?) {
            Ok(_) => return Ok(incident),
            Err(Failure::Conflict) => {}
            Err(failure) => return Err(failure.into()),
        }
    }
    Err("Too much happens at this moment: try again.".into())
}

fn place(channel: &str) -> Place {
    Place { channel: channel.to_owned(), thread: None }
}

fn key(channel: &str) -> String {
    format!("incident:{channel}")
}
