//! Slash commands and the plugins behind them. The worker runs them; the server only asks.

use confab_protocol::ChannelId;
use confab_worker::plugins;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use serde_json::json;
use uuid::Uuid;

use super::auth::Bearer;
use super::strict::Text;
use super::{Answer, Area, app};
use crate::state::App;

#[derive(Debug, Object)]
struct Run {
    /// The whole line, such as `/roll 2d6`.
    text: Text,
    /// The caller's own id: the same one again does not run the command again.
    invocation_id: Option<Uuid>,
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
            "text": body.0.text.0,
            "invocation_id": body.0.invocation_id.unwrap_or_else(Uuid::new_v4),
        });
        Ok(Json(app.bus.ask(plugins::COMMAND, &question).await?))
    }

    /// The installed plugins. Needs `plugins.manage`.
    #[oai(path = "/plugins", method = "get")]
    async fn plugins(&self, caller: Bearer) -> Answer<Json<serde_json::Value>> {
        caller.0.may(confab_core::roles::Permission::PluginsManage)?;
        Ok(Json(app(&self.0)?.bus.ask(plugins::PLUGINS, &json!({})).await?))
    }
}
