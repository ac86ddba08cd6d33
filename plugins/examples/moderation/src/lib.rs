//! Moderation: words that are flagged, reports by a reaction, and moderators who are told of both.

mod words;

use confab_plugin_sdk::prelude::*;
use words::Words;

/// How long a case is known: for its button, and so that a message makes no second one.
const KEPT_SECONDS: u32 = 30 * 86_400;
/// Admins who are told where there is no channel for moderators.
const MOST_TOLD: usize = 10;
/// Of a message, shown to moderators.
const QUOTED_CHARACTERS: usize = 600;

struct Moderation;

impl EventHandler for Moderation {
    fn on_event(delivery: Delivery) -> Result<(), String> {
        let (Event::MessagePosted(message) | Event::MessageEdited(message)) = delivery.event else {
            return Ok(());
        };
        let Some(list) = text_setting("words") else { return Ok(()) };
        let words = Words::of(&list);
        let Some(word) = words.found(&message.content) else { return Ok(()) };
        if !open(
            &message,
            &format!("🚩 The word “{word}” in a message of **{}**", message.sender.display_name),
        )? {
            return Ok(());
        }
        if matches!(settings::get("tell-author"), Some(Value::Toggle(true))) {
            let text =
                format!("Your message holds “{word}”, which is flagged here. The moderators were told.");
            // Who left meanwhile is told nothing.
            let _ = chat::whisper(&message.place, &message.sender.id, &Draft::text(text));
        }
        Ok(())
    }
}

impl ReactionHandler for Moderation {
    fn on_reaction(reaction: Reaction, added: bool) -> Result<Reply, String> {
        if !added {
            return Ok(Reply::Silent);
        }
        let message = match chat::get_message(&reaction.message) {
            Ok(message) => message,
            Err(Failure::NotFound) => return Ok(Reply::Silent),
            Err(failure) => return Err(failure.into()),
        };
        let head = format!(
            "🚩 **{}** reported a message of **{}**",
            reaction.user.display_name, message.sender.display_name
        );
        let text = if open(&message, &head)? {
            "Thank you. The moderators were told."
        } else {
            "Thank you. The moderators know of this message already."
        };
        Ok(Reply::tell(text))
    }
}

impl ActionHandler for Moderation {
    fn on_action(press: Press) -> Result<Reply, String> {
        let key = format!("case:{}", press.payload);
        let entry = kv::get(&key)?.ok_or("This case is not kept any more.")?;
        let case = String::from_utf8_lossy(&entry.value).into_owned();
        Ok(Reply::Update(Draft::text(format!("{case}\n\n✅ _{} dealt with it._", press.user.display_name))))
    }
}

impl CommandHandler for Moderation {
    fn on_command(call: Invocation) -> Result<Reply, String> {
        let count = text_setting("words").map_or(0, |it| Words::of(&it).count());
        let told = match moderators() {
            Some(_) => "the moderators in their channel".to_owned(),
            None => match admins(&call.place.channel)?.len() {
                0 => "nobody: this channel has no admins, and no channel for moderators is set".to_owned(),
                count => format!("the admins of this channel ({count})"),
            },
        };
        Ok(Reply::tell(format!(
            "I look after this channel: {count} words and phrases are flagged, and a message with the reaction 🚩 \
             (`:report:`) is reported. I tell {told}."
        )))
    }
}

confab_plugin_sdk::export!(Moderation: events, reactions, actions, commands);

/// Opens a case and tells whom it concerns. False: the message has one.
fn open(message: &Message, head: &str) -> Result<bool, String> {
    let known = format!("of:{}", message.id);
    // The one who writes first tells.
    match kv::swap(&known, 0, b"1") {
        Ok(_) => {}
        Err(Failure::Conflict) => return Ok(false),
        Err(failure) => return Err(failure.into()),
    }
    kv::set(&known, b"1", Some(KEPT_SECONDS))?;
    let case = format!("{head}:\n\n{}", quoted(&message.content));
    kv::set(&format!("case:{}", message.id), case.as_bytes(), Some(KEPT_SECONDS))?;
    let draft = Draft::text(case).button(Button::new("done", message.id.clone(), "Dealt with").primary());
    let told = tell(message, &draft);
    if told.is_err() {
        // Nobody was told: the next try has to.
        kv::delete(&known)?;
    }
    told.map(|()| true)
}

fn tell(message: &Message, draft: &Draft) -> Result<(), String> {
    if let Some(channel) = moderators() {
        chat::post_message(&Place { channel, thread: None }, draft)?;
        return Ok(());
    }
    let place = Place { channel: message.place.channel.clone(), thread: None };
    for admin in admins(&place.channel)? {
        chat::whisper(&place, &admin, draft)?;
    }
    Ok(())
}

fn moderators() -> Option<String> {
    let name = text_setting("channel").map(|it| it.trim().to_owned()).filter(|it| !it.is_empty())?;
    match chat::find_channel(&name) {
        Ok(channel) => Some(channel),
        Err(failure) => {
            let text = format!(
                "the channel {name} for moderators: {}; its admins are told instead",
                String::from(failure)
            );
            runtime::log(runtime::Level::Warn, &text);
            None
        }
    }
}

fn admins(channel: &str) -> Result<Vec<String>, String> {
    let members = chat::members(channel, 100)?;
    let in_charge =
        members.into_iter().filter(|it| matches!(it.role, Role::Owner | Role::Admin) && !it.user.bot);
    Ok(in_charge.map(|it| it.user.id).take(MOST_TOLD).collect())
}

fn quoted(content: &str) -> String {
    let mut short: String = content.chars().take(QUOTED_CHARACTERS).collect();
    if short.len() < content.len() {
        short.push('…');
    }
    // Nobody is called by the quotation of what was to be looked at.
    short.replace('@', "@\u{200b}").lines().map(|line| format!("> {line}")).collect::<Vec<_>>().join("\n")
}
