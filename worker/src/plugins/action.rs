//! Buttons: what a press means is read from the record, and its plugin answers.

use std::sync::Arc;
use std::time::Duration;

use confab_core::access::Admitted;
use confab_core::plugins::buttons::{self, Button};
use confab_core::whispers::{self, Whisper};
use confab_core::{Db, Fault, Result, access, messages, users};
use confab_plugin_host::{CallError, Draft, Plugin, Press, Reply};
use confab_protocol::{ChannelId, MessageId, UserId};
use serde::Deserialize;
use uuid::Uuid;

use super::catalogue::{Catalogue, Loaded};
use super::command::{Answer, Outcome, failed};
use super::host::{BotHost, Occasion};
use super::words;

/// What a person waits for a plugin beyond its own time (its host stops it then): until a place is free.
const SPARE: Duration = Duration::from_secs(1);

/// A button that a person pressed.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Question {
    /// Who.
    pub user_id: UserId,
    /// The message or whisper that it stands on.
    pub owner_id: Uuid,
    /// Which of its buttons.
    pub button: String,
}

/// What the button stands on.
enum Owner {
    Message(MessageId),
    Whisper(Box<Whisper>),
}

/// Answers a press.
///
/// # Errors
/// [`Fault::NotFound`] for what the person may not know and for a button that is gone; [`Fault::Forbidden`] for who is
/// no member; [`Fault::Conflict`] with code `channel_archived`, `plugin_stopped` or `plugin_failed`.
pub(super) async fn press(db: &Db, catalogue: &Arc<Catalogue>, asked: Question) -> Result<Answer> {
    let (owner, channel, root) = find(db, &asked).await?;
    let button = buttons::find(&mut db.read(), asked.owner_id, &asked.button).await?;
    let loaded = catalogue
        .get(&button.plugin_id)
        .ok_or_else(|| Fault::conflict("plugin_stopped", "the plugin behind this button does not run"))?;
    let person = users::refs(&mut db.read(), &[asked.user_id]).await?.pop();
    let person = person.ok_or(Fault::NotFound("button"))?;
    let Button { action, payload, .. } = button;
    let message_id = match &owner {
        Owner::Message(id) => id.to_string(),
        Owner::Whisper(_) => String::new(),
    };
    let place = words::place(channel, root);
    let press = Press { action, payload, message_id, place, user: words::user(&person) };
    let host = catalogue.host(&loaded, Occasion::command(confab_protocol::fresh_id()), Some(asked.user_id));
    let plugin = catalogue.handlers(&loaded).await.map_err(|_| failed(&loaded, "the plugin failed"))?;
    let call = catalogue.call(&loaded, plugin.on_action(host.granted(), press));
    let called = tokio::time::timeout(patience(plugin, &loaded), call).await.map_err(|_| Fault::Busy)?;
    answer(&host, &loaded, (channel, root), owner, called).await
}

/// How long a person waits for the answer of a command or a button.
pub(super) fn patience(plugin: &Plugin, loaded: &Loaded) -> Duration {
    plugin.answering(&loaded.grants) + SPARE
}

async fn find(db: &Db, asked: &Question) -> Result<(Owner, ChannelId, Option<MessageId>)> {
    let mut on = db.read();
    match messages::door(&mut on, asked.user_id, MessageId(asked.owner_id)).await {
        Ok(door) if door.is_deleted => Err(Fault::Gone("message")),
        Ok(door) => {
            may_act(&door.admitted)?;
            Ok((Owner::Message(MessageId(asked.owner_id)), door.admitted.channel_id(), door.parent_id))
        }
        Err(Fault::NotFound(_)) => {
            let whisper = whispers::find(&mut on, asked.user_id, asked.owner_id).await?;
            may_act(&access::admit(&mut on, asked.user_id, whisper.channel_id).await?)?;
            let (channel, root) = (whisper.channel_id, whisper.parent_id);
            Ok((Owner::Whisper(Box::new(whisper)), channel, root))
        }
        Err(fault) => Err(fault),
    }
}

fn may_act(admitted: &Admitted) -> Result<()> {
    admitted.member()?;
    if admitted.is_archived() {
        return Err(Fault::conflict("channel_archived", "this channel is archived"));
    }
    Ok(())
}

async fn answer(
    host: &Arc<BotHost>,
    loaded: &Loaded,
    (channel, root): (ChannelId, Option<MessageId>),
    owner: Owner,
    called: Result<Reply, CallError>,
) -> Result<Answer> {
    let silent = Answer::of("", Outcome::Silent);
    match called {
        Ok(Reply::Silent) => Ok(silent),
        Ok(Reply::Update(draft)) => match owner {
            Owner::Message(id) => {
                host.edit(id, draft).await?;
                Ok(silent)
            }
            Owner::Whisper(whisper) => {
                let changed = host.change_whisper(whisper.id, draft).await?;
                Ok(Answer { whisper: Some(changed), ..Answer::of("", Outcome::Whisper) })
            }
        },
        Ok(Reply::Public(draft)) if loaded.may_reply() => {
            let message = host.say(channel, root, draft).await?;
            let content = Some(message.content.clone());
            Ok(Answer { message: Some(message), content, ..Answer::of("", Outcome::Public) })
        }
        Ok(Reply::Whisper(draft) | Reply::Public(draft)) => whisper(host, (channel, root), draft).await,
        // Its text is for the person who pressed, and for nobody else.
        Err(CallError::Guest(text)) => Ok(Answer { content: Some(text), ..Answer::of("", Outcome::Whisper) }),
        Err(CallError::Trap(_)) => Err(failed(loaded, "the plugin failed")),
        Err(error) => Err(failed(loaded, &error.to_string())),
    }
}

/// Says it to the person alone.
pub(super) async fn whisper(
    host: &Arc<BotHost>,
    (channel, root): (ChannelId, Option<MessageId>),
    draft: Draft,
) -> Result<Answer> {
    let said = host.whisper_back(channel, root, draft).await?;
    let content = Some(said.content.clone());
    Ok(Answer { whisper: Some(said), content, ..Answer::of("", Outcome::Whisper) })
}
