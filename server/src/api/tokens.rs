//! Personal access tokens, and tokens of bots.

use confab_core::api_tokens::{self, ApiToken, NewToken, Scopes};
use confab_core::{Fault, FutureExt};
use confab_protocol::{SessionId, Timestamp, UserId};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use uuid::Uuid;

use super::auth::{Bearer, Done};
use super::strict::Text;
use super::{Answer, Area, app};
use crate::state::App;

#[derive(Debug, Object)]
struct NewApiToken {
    /// What for, 1 to 100 characters.
    name: Text,
    /// Some of `read`, `write`, `admin`.
    scopes: Vec<Text>,
    /// 1 to 3,650; absent: until it is revoked.
    expires_in_days: Option<i64>,
    /// A bot that the caller made; absent: the caller.
    user_id: Option<UserId>,
}

/// A token; its secret is shown only when it is made.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct TokenView {
    id: SessionId,
    /// Whom it acts as.
    user_id: UserId,
    created_by_id: UserId,
    name: String,
    scopes: Vec<String>,
    created_at: Timestamp,
    /// To about a minute.
    last_used_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    token: Option<String>,
}

#[derive(Object)]
struct TokenList {
    items: Vec<TokenView>,
}

#[derive(ApiResponse)]
enum Made {
    /// The token was made.
    #[oai(status = 201)]
    Created(Json<TokenView>),
}

pub struct ApiTokens(pub Option<App>);

#[OpenApi(tag = "Area::Auth")]
impl ApiTokens {
    /// The live tokens of the caller, or of a bot that the caller made.
    #[oai(path = "/auth/tokens", method = "get")]
    async fn list(&self, caller: Bearer, user_id: Query<Option<Uuid>>) -> Answer<Json<TokenList>> {
        caller.0.in_person()?;
        let user = user_id.0.map_or(caller.0.user_id, UserId);
        let (by, standing) = (caller.0.actor(), caller.0.live.standing);
        let found = api_tokens::list(&mut app(&self.0)?.db.read(), &by, standing, user).await?;
        Ok(Json(TokenList { items: found.into_iter().map(|it| view(it, None)).collect() }))
    }

    /// Makes a token. Its secret is in this answer and nowhere else.
    #[oai(path = "/auth/tokens", method = "post")]
    async fn create(&self, caller: Bearer, body: Json<NewApiToken>) -> Answer<Made> {
        let app = app(&self.0)?;
        caller.0.in_person()?;
        let words: Vec<String> = body.0.scopes.into_iter().map(|it| it.0).collect();
        let days = body.0.expires_in_days.map(u64::try_from).transpose();
        let days = days.map_err(|_| Fault::invalid("expires_in_days", "must be between 1 and 3650"))?;
        let new = NewToken { name: body.0.name.0, scopes: Scopes::parse(&words)?, expires_in_days: days };
        let user = body.0.user_id.unwrap_or(caller.0.user_id);
        let (by, standing) = (caller.0.actor(), caller.0.live.standing);
        let (made, secret) = app
            .db
            .write(move |tx| async move { api_tokens::create(tx, &by, standing, user, new).await }.boxed())
            .await?;
        Ok(Made::Created(Json(view(made, Some(secret)))))
    }

    /// Makes a token void. Its sockets close.
    #[oai(path = "/auth/tokens/:id", method = "delete")]
    async fn revoke(&self, caller: Bearer, id: Path<Uuid>) -> Answer<Done> {
        let app = app(&self.0)?;
        caller.0.in_person()?;
        let (by, standing, token) = (caller.0.actor(), caller.0.live.standing, SessionId(id.0));
        app.db
            .write(move |tx| async move { api_tokens::revoke(tx, &by, standing, token).await }.boxed())
            .await?;
        app.tokens.forget(token);
        Ok(Done::NoContent)
    }
}

fn view(token: ApiToken, secret: Option<String>) -> TokenView {
    TokenView {
        id: token.id,
        user_id: token.user_id,
        created_by_id: token.created_by_id,
        name: token.name,
        scopes: token.scopes.words().into_iter().map(str::to_owned).collect(),
        created_at: token.created_at,
        last_used_at: token.last_used_at,
        expires_at: token.expires_at,
        token: secret,
    }
}
