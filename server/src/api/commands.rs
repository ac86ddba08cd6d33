//! Slash commands and the plugins behind them. The worker runs them; the server only asks.

use confab_core::{Fault, FutureExt, whispers};
use confab_protocol::{ChannelId, MessageId};
use confab_worker::plugins;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use serde_json::json;
use uuid::Uuid;

use super::auth::{Bearer, Done};
use super::strict::Text;
use super::{Answer, Area, app};
use crate::state::App;

#[derive(Debug, Object)]
struct Run {
    /// The whole line, such as `/roll 2d6`.
    text: Text,
    /// The caller's own id: the same one again does not run the command again.
    invocation_id: Option<Uuid>,
    /// The thread that it is given in.
    parent_id: Option<MessageId>,
}

pub struct Commands(pub Option<App>);

#[OpenApi(tag = "Area::Plugins")]
impl Commands {
    /// The commands that can be run here.
    #[oai(path = "/commands", method = "get")]
    async fn list(&self, caller: Bearer) -> Answer<Json<serde_json::Value>> {
        let question = json!({ "user_id": caller.0.user_id });
        Ok(Json(app(&self.0)?.bus.ask(plugins::COMMANDS, &question).await?))
    }

    /// Runs a command in a channel.
    #[oai(path = "/channels/:id/commands", method = "post")]
    async fn run(&self, caller: Bearer, id: Path<Uuid>, body: Json<Run>) -> Answer<Json<serde_json::Value>> {
        let app = app(&self.0)?;
        app.limits.send(caller.0.user_id)?;
        confab_core::text::content(&body.0.text.0, false)?;
        let question = json!({
            "user_id": caller.0.user_id,
            "channel_id": ChannelId(id.0),
            "parent_id": body.0.parent_id,
            "text": body.0.text.0,
            "invocation_id": body.0.invocation_id.unwrap_or_else(Uuid::new_v4),
        });
        Ok(Json(app.bus.order(plugins::COMMAND, &question).await?))
    }

    /// What could stand at an option of a command, while somebody types it: `complete` in the list of commands says
    /// which options have this.
    #[oai(path = "/channels/:id/commands/complete", method = "get")]
    async fn complete(
        &self,
        caller: Bearer,
        id: Path<Uuid>,
        /// Without the slash.
        command: Query<String>,
        option: Query<String>,
        /// What stands there so far.
        typed: Query<Option<String>>,
    ) -> Answer<Json<serde_json::Value>> {
        let app = app(&self.0)?;
        app.limits.search(caller.0.user_id)?;
        let typed = typed.0.unwrap_or_default();
        for (field, text, most) in
            [("command", &command.0, 64), ("option", &option.0, 64), ("typed", &typed, 200)]
        {
            if text.chars().count() > most {
                return Err(Fault::invalid(field, format!("has at most {most} characters")).into());
            }
        }
        let question = json!({
            "user_id": caller.0.user_id,
            "channel_id": ChannelId(id.0),
            "command": command.0,
            "option": option.0,
            "typed": typed,
        });
        Ok(Json(app.bus.ask(plugins::COMPLETE, &question).await?))
    }

    /// Presses a button of a message, or of a whisper by its id.
    #[oai(path = "/messages/:id/actions/:action_id", method = "post")]
    async fn press(
        &self,
        caller: Bearer,
        id: Path<Uuid>,
        action_id: Path<String>,
    ) -> Answer<Json<serde_json::Value>> {
        let app = app(&self.0)?;
        app.limits.send(caller.0.user_id)?;
        let question = json!({ "user_id": caller.0.user_id, "owner_id": id.0, "button": action_id.0 });
        Ok(Json(app.bus.order(plugins::ACTION, &question).await?))
    }

    /// What plugins said in a channel to the caller alone, in order of time. Each stays for a day.
    #[oai(path = "/channels/:id/whispers", method = "get")]
    async fn whispers(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Json<serde_json::Value>> {
        let on = &mut app(&self.0)?.db.read();
        let items = whispers::of_channel(on, caller.0.user_id, ChannelId(id.0)).await?;
        Ok(Json(json!({ "items": items })))
    }

    /// Takes one's whisper away.
    #[oai(path = "/whispers/:id", method = "delete")]
    async fn dismiss(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Done> {
        let (app, user) = (app(&self.0)?, caller.0.user_id);
        app.db.write(move |tx| async move { whispers::dismiss(tx, user, id.0).await }.boxed()).await?;
        Ok(Done::NoContent)
    }
}
