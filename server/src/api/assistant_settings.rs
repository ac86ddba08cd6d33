//! Where the assistant is off, and what its language model uses.

use confab_core::FutureExt;
use confab_core::assistant::{self, Rules, usage};
use confab_core::conversations::ratings;
use confab_core::roles::Permission;
use confab_protocol::{ChannelId, Timestamp, UserId};
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use uuid::Uuid;

use super::auth::Bearer;
use super::{Answer, Area, app};
use crate::state::App;

/// Days of which the use is told.
const DAYS: u32 = 30;
const DAY_MS: i64 = 24 * 3_600 * 1_000;
/// People who are told of, by what they used today.
const PEOPLE: u32 = 20;

/// Whether the assistant is off: then nothing that is written there is given to a model, and nothing is answered from it.
#[derive(Debug, Object)]
struct Switch {
    is_off: bool,
}

/// What the language model used on a day (of UTC).
#[derive(Object)]
struct UsedOnDay {
    /// Its beginning.
    day: Timestamp,
    /// Questions that the model was asked.
    questions: i64,
    /// Tokens of prompts and answers.
    tokens: i64,
}

/// What somebody used today.
#[derive(Object)]
struct UsedByPerson {
    user_id: UserId,
    username: String,
    questions: i64,
    tokens: i64,
}

/// The assistant of the server.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct ServerAssistant {
    is_off: bool,
    /// The language model's name; absent: answers are quotations.
    model: Option<String>,
    /// Tokens that one person may use in a day.
    daily_tokens_per_person: Option<i64>,
    /// Tokens that the server may use in a day.
    daily_tokens: Option<i64>,
    /// The last 30 days on which it was used, the newest first.
    days: Vec<UsedOnDay>,
    /// Who used most today.
    people: Vec<UsedByPerson>,
    /// Answers of the last 30 days that their askers said helped.
    helpful_answers: i64,
    /// Answers of the last 30 days that their askers said did not.
    unhelpful_answers: i64,
}

pub struct AssistantSettings(pub Option<App>);

#[OpenApi(tag = "Area::Assistant")]
impl AssistantSettings {
    /// Whether the assistant is off in the channel.
    #[oai(path = "/channels/:id/assistant", method = "get")]
    async fn of_channel(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Json<Switch>> {
        let mut on = app(&self.0)?.db.read();
        let is_off = assistant::of_channel(&mut on, caller.0.user_id, ChannelId(id.0)).await?;
        Ok(Json(Switch { is_off }))
    }

    /// Switches it off or on in the channel: an admin's or owner's doing, in a direct conversation anybody's in it.
    #[oai(path = "/channels/:id/assistant", method = "put")]
    async fn set_of_channel(
        &self,
        caller: Bearer,
        id: Path<Uuid>,
        body: Json<Switch>,
    ) -> Answer<Json<Switch>> {
        let (by, channel, is_off) = (caller.0.actor(), ChannelId(id.0), body.0.is_off);
        let is_off = app(&self.0)?
            .db
            .write(move |tx| async move { assistant::set_of_channel(tx, &by, channel, is_off).await }.boxed())
            .await?;
        Ok(Json(Switch { is_off }))
    }

    /// Whether the caller switched it off for themselves.
    #[oai(path = "/users/me/assistant", method = "get")]
    async fn own(&self, caller: Bearer) -> Answer<Json<Switch>> {
        let is_off = assistant::of_user(&mut app(&self.0)?.db.read(), caller.0.user_id).await?;
        Ok(Json(Switch { is_off }))
    }

    /// Switches it off or on for oneself: it answers one no more, and nothing that one wrote is given to a model.
    #[oai(path = "/users/me/assistant", method = "put")]
    async fn set_own(&self, caller: Bearer, body: Json<Switch>) -> Answer<Json<Switch>> {
        let (user, is_off) = (caller.0.user_id, body.0.is_off);
        app(&self.0)?
            .db
            .write(move |tx| async move { assistant::set_of_user(tx, user, is_off).await }.boxed())
            .await?;
        Ok(Json(Switch { is_off }))
    }

    /// The server's assistant, and what its language model uses. Needs `server.watch`.
    #[oai(path = "/admin/assistant", method = "get")]
    async fn of_server(&self, caller: Bearer) -> Answer<Json<ServerAssistant>> {
        caller.0.may(Permission::ServerWatch)?;
        shown(app(&self.0)?).await
    }

    /// Switches it off or on for everybody. For superusers.
    #[oai(path = "/admin/assistant", method = "put")]
    async fn set_of_server(&self, caller: Bearer, body: Json<Switch>) -> Answer<Json<ServerAssistant>> {
        let (by, app, rules) = (caller.0.superuser()?, app(&self.0)?, Rules { is_off: body.0.is_off });
        app.db.write(move |tx| async move { assistant::set_rules(tx, &by, rules).await }.boxed()).await?;
        shown(app).await
    }
}

async fn shown(app: &App) -> Answer<Json<ServerAssistant>> {
    let mut on = app.db.read();
    let is_off = assistant::rules(&mut on).await?.is_off;
    let days = usage::days(&mut on, DAYS).await?;
    let people = usage::most(&mut on, PEOPLE).await?;
    let since = Timestamp(Timestamp::now().0 - i64::from(DAYS) * DAY_MS);
    let rated = ratings::figures(&mut on, since).await?;
    let model = app.settings.language_model.as_ref();
    Ok(Json(ServerAssistant {
        is_off,
        model: model.map(|it| it.model.clone()),
        daily_tokens_per_person: model.map(|it| it.daily_tokens_of_person),
        daily_tokens: model.map(|it| it.daily_tokens),
        days: days
            .into_iter()
            .map(|it| UsedOnDay { day: it.at, questions: it.questions, tokens: it.tokens })
            .collect(),
        people: people
            .into_iter()
            .map(|it| UsedByPerson {
                user_id: it.user_id,
                username: it.username,
                questions: it.questions,
                tokens: it.tokens,
            })
            .collect(),
        helpful_answers: rated.helpful,
        unhelpful_answers: rated.unhelpful,
    }))
}
