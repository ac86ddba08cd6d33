//! `Idempotency-Key`: a call that creates something is made once, however often its answer got lost on the way.
//!
//! Posting and forwarding messages have the nonce instead, which is the message's own for ever, and uploads are told
//! apart by their content.

use std::sync::Arc;

use confab_core::db::whether_stored;
use confab_core::idempotency::{self, Answer, Begun};
use confab_core::{Fault, FutureExt, text};
use confab_protocol::UserId;
use poem::http::{HeaderMap, Method, StatusCode, header};
use poem::{Body, Endpoint, IntoResponse, Request, Response, Result};
use sha2::{Digest, Sha256};

use super::body::JSON_BYTES;
use super::context::{CONTEXT, Context};
use super::problem::ApiError;
use super::templates::Templates;
use crate::api::device;
use crate::state::App;

/// The header's name.
pub const KEY: &str = "idempotency-key";
/// Longest key, in bytes.
const KEY_BYTES: usize = 255;

/// Calls that have a way of their own to be made once.
const OWN_WAY: &[&str] =
    &["/channels/{id}/messages", "/messages/{id}/forward", "/files/upload", "/files/uploads/{id}/complete"];
/// Calls whose answers hold neither secrets nor what others may delete: only these are kept and given again. To the
/// others a second call is told that the first was done.
const KEPT: &[&str] = &["/channels", "/channels/direct", "/channels/{id}/members", "/auth/roles"];

/// Wraps the routes, inside of what bounds and rewrites requests.
pub struct Idempotent<E> {
    inner: Arc<E>,
    app: App,
    templates: Arc<Templates>,
}

/// A call with a key.
struct Asked {
    user: UserId,
    key_hash: String,
    request_hash: String,
    is_kept: bool,
}

impl<E: Endpoint + 'static> Idempotent<E> {
    /// `templates`: a POST that may answer 201 creates something.
    pub fn new(inner: E, app: App, templates: Arc<Templates>) -> Self {
        Self { inner: Arc::new(inner), app, templates }
    }

    /// What is asked with a key, of a call that creates something, by whoever may ask. Everything else goes on to the
    /// handlers, which refuse it where they must.
    async fn asked(&self, request: &mut Request) -> Result<Option<Asked>> {
        let path = request.uri().path().to_owned();
        let Some(is_kept) = creates(&self.templates, &path) else { return Ok(None) };
        let is_form = request.content_type().is_some_and(|kind| kind.starts_with("multipart/"));
        let Some(token) = bearer(request.headers()).filter(|_| !is_form) else { return Ok(None) };
        let caller = match self.app.tokens.check(&self.app.db, &token, device(request)).await {
            Ok(caller) => caller,
            Err(Fault::Unauthenticated { .. }) => return Ok(None),
            // Whoever could not be asked for now would else be let in a moment later, and the key forgotten.
            Err(fault) => return Err(ApiError::from(fault).into()),
        };
        if caller.has_second_factor().is_err() || caller.has_scope("write", |scopes| scopes.write).is_err() {
            return Ok(None);
        }
        self.app.limits.write(caller.user_id).map_err(ApiError::from)?;
        let key = key(request.headers()).map_err(ApiError::from)?;
        let bytes = request.take_body().into_bytes_limit(JSON_BYTES).await?;
        let query = request.uri().query().unwrap_or_default();
        let asked = Asked {
            user: caller.user_id,
            key_hash: text::hash(&format!("{}\n{path}?{query}\n{key}", caller.user_id)),
            request_hash: text::hex(&Sha256::digest(&bytes)),
            is_kept,
        };
        request.set_body(Body::from_bytes(bytes));
        Ok(Some(asked))
    }
}

impl<E: Endpoint + 'static> Endpoint for Idempotent<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        if *request.method() != Method::POST || !request.headers().contains_key(KEY) {
            return self.inner.call(request).await.map(IntoResponse::into_response);
        }
        // Boxed: else every request would carry room for what few need.
        Box::pin(self.once(request)).await
    }
}

impl<E: Endpoint + 'static> Idempotent<E> {
    async fn once(&self, mut request: Request) -> Result<Response> {
        let Some(asked) = self.asked(&mut request).await? else {
            return self.inner.call(request).await.map(IntoResponse::into_response);
        };
        let (inner, app) = (self.inner.clone(), self.app.clone());
        // A task of its own: a client that goes away, which is why it will ask again, must not leave half of this.
        let work = async move {
            let (user, key, hash) = (asked.user, asked.key_hash.clone(), asked.request_hash.clone());
            let begun = app
                .db
                .write(move |tx| async move { idempotency::begin(tx, user, &key, &hash).await }.boxed())
                .await
                .map_err(ApiError::from)?;
            if begun != Begun::New {
                return known(begun);
            }
            let (done, is_stored) = whether_stored(inner.call(request)).await;
            settle(&app, asked, done.map(IntoResponse::into_response), is_stored).await
        };
        tokio::spawn(CONTEXT.scope(Context::current(), work))
            .await
            .unwrap_or_else(|error| Err(ApiError::from(Fault::internal(error)).into()))
    }
}

/// Keeps what was answered, or gives the key back where nothing was done.
async fn settle(app: &App, asked: Asked, done: Result<Response>, is_stored: bool) -> Result<Response> {
    let Asked { key_hash, is_kept, .. } = asked;
    let status = match &done {
        Ok(response) => response.status(),
        Err(error) => error.status(),
    };
    let mut response = match done {
        Ok(response) if status.is_success() => response,
        // It failed on the way, and something of it stands, or may: a second time it would stand there twice.
        failed if status.is_server_error() && is_stored => {
            give_up(app, key_hash).await;
            return failed;
        }
        refused => {
            forget(app, key_hash).await;
            return refused;
        }
    };
    let bytes = response.take_body().into_bytes().await?;
    let body = std::str::from_utf8(&bytes).ok().filter(|text| is_kept || text.is_empty()).map(str::to_owned);
    let answer = Answer {
        status: response.status().as_u16(),
        content_type: response.content_type().map(str::to_owned),
        body,
    };
    response.set_body(Body::from_bytes(bytes));
    let kept =
        app.db.write(move |tx| async move { idempotency::finish(tx, &key_hash, answer).await }.boxed());
    if let Err(fault) = kept.await {
        // It was done: whoever asks again is told that nobody knows, and not served a second one.
        tracing::warn!(%fault, "the answer to an idempotency key was not kept");
    }
    Ok(response)
}

/// The key stays taken, and nothing more is waited for.
async fn give_up(app: &App, key_hash: String) {
    let done = app.db.write(move |tx| async move { idempotency::give_up(tx, &key_hash).await }.boxed()).await;
    if let Err(fault) = done {
        tracing::warn!(%fault, "an idempotency key whose call failed seems to be at work for some time");
    }
}

async fn forget(app: &App, key_hash: String) {
    let done = app.db.write(move |tx| async move { idempotency::forget(tx, &key_hash).await }.boxed()).await;
    if let Err(fault) = done {
        tracing::warn!(%fault, "an idempotency key whose call was refused stays taken");
    }
}

/// What is answered to a key that stands for something already.
fn known(begun: Begun) -> Result<Response> {
    let refusal = match begun {
        Begun::Answered(Answer { status, content_type, body: Some(body) }) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            let mut answer = Response::builder().status(status).header("idempotency-replayed", "true");
            if let Some(kind) = content_type {
                answer = answer.content_type(kind);
            }
            return Ok(answer.body(body));
        }
        Begun::Answered(_) => Fault::conflict(
            "already_done",
            "this was done with this key before; its answer was shown once and not kept",
        ),
        Begun::Running => Fault::conflict(
            "idempotency_in_progress",
            "this is being done with this key; ask again in a moment",
        ),
        Begun::Unknown => Fault::conflict(
            "outcome_unknown",
            "the server failed while it did this; see whether it was done, and use a new key",
        ),
        Begun::New | Begun::Other => {
            return Err(ApiError::unprocessable(
                "idempotency_key_reused",
                "this key belongs to another call of yours",
            )
            .into());
        }
    };
    Err(ApiError::from(refusal).into())
}

/// The token of a request that has exactly one.
fn bearer(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (first, second) = (values.next()?, values.next());
    let (scheme, token) = first.to_str().ok()?.split_once(' ')?;
    (second.is_none() && scheme.eq_ignore_ascii_case("bearer")).then(|| token.trim().to_owned())
}

/// The key that a request has.
///
/// # Errors
/// [`Fault::Invalid`] when there are several, or it is none.
pub fn key(headers: &HeaderMap) -> confab_core::Result<String> {
    let mut values = headers.get_all(KEY).iter();
    let value = values.next().and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_good = !value.is_empty()
        && value.len() <= KEY_BYTES
        && value.bytes().all(|byte| byte.is_ascii_graphic())
        && values.next().is_none();
    if is_good {
        return Ok(value.to_owned());
    }
    let text = format!("must be 1 to {KEY_BYTES} visible ASCII characters, and stand there once");
    Err(Fault::invalid("Idempotency-Key", text))
}

/// The key of a request that may have none.
///
/// # Errors
/// Those of [`key`]: one that is not understood protects nobody, and whoever sent it believes that it does.
pub fn key_if_any(headers: &HeaderMap) -> confab_core::Result<Option<String>> {
    headers.contains_key(KEY).then(|| key(headers)).transpose()
}

/// Whether a path's POST creates something, and if so, whether its answer is kept.
fn creates(templates: &Templates, path: &str) -> Option<bool> {
    let template = path.starts_with("/api/v1/").then(|| templates.find(path))??;
    let is_meant = template.creates && !OWN_WAY.contains(&&*template.path);
    is_meant.then(|| KEPT.contains(&&*template.path))
}

#[cfg(test)]
mod tests {
    use super::{Templates, creates};

    #[test]
    fn secrets_are_never_kept() {
        let templates = Templates::of(&crate::api::document());
        let kept = |path: &str| creates(&templates, &format!("/api/v1{path}"));
        assert_eq!(kept("/channels"), Some(true));
        // Answers with a token, an invitation's code or a password's link.
        for path in ["/auth/tokens", "/auth/invitations", "/auth/users", "/auth/register"] {
            assert_eq!(kept(path), Some(false), "{path}");
        }
        assert_eq!(kept("/channels/x/messages"), None, "messages have their nonce");
        assert_eq!(kept("/auth/login"), None, "creates nothing");
    }
}
