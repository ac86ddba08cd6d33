//! The outermost layer: every request passes in and every answer out through here.

use std::sync::{Arc, LazyLock};
use std::time::Instant;

use metrics::Histogram;
use poem::http::{HeaderValue, Method, StatusCode, Uri, header};
use poem::{Endpoint, IntoResponse, Request, Response, Result};

use super::body::Bound;
use super::context::{CONTEXT, Context};
use super::problem::ApiError;
use super::templates::{self, Template, Templates};
use super::{aliases, body};
use crate::state::App;

/// Wraps the whole route.
pub struct Edge<E> {
    inner: E,
    app: App,
    templates: Arc<Templates>,
}

impl<E> Edge<E> {
    /// `templates` know which methods a path has, and by which name it is counted.
    #[must_use]
    pub fn new(inner: E, app: App, templates: Arc<Templates>) -> Self {
        Self { inner, app, templates }
    }

    async fn answer(&self, mut request: Request) -> Response
    where
        E: Endpoint,
    {
        let method = request.method().clone();
        let started = Instant::now();
        let path = request.uri().path().to_owned();
        let accepts = request.header(header::ACCEPT).unwrap_or_default();
        let wants_page = method == Method::GET && accepts.contains("text/html");
        if let Some(canonical) = aliases::canonical(&path, wants_page) {
            rewrite(&mut request, &canonical);
        }
        let canonical = request.uri().path().to_owned();
        // PostgreSQL's texts hold no NUL; refused here, no statement meets one in either mode.
        let has_nul = request.uri().path_and_query().is_some_and(|it| it.as_str().contains("%00"));
        let bound = if has_nul {
            Err(poem::Error::from_string(
                "an address must not hold the NUL character",
                StatusCode::BAD_REQUEST,
            ))
        } else {
            body::bound(&mut request, self.app.settings.upload_bytes).await
        };
        let is_read = matches!(bound, Ok(Bound::Read));
        let done = match bound {
            Ok(_) => self.inner.call(request).await.map(IntoResponse::into_response),
            Err(error) => Err(error),
        };
        let template = self.templates.find(&canonical);
        let mut response = match done {
            Ok(response) => response,
            Err(error) if error.is_from_response() => error.into_response(),
            Err(error) => {
                let allow = || template.map_or("GET", |it| &it.methods).to_owned();
                ApiError::of_framework(&error, allow).into_response()
            }
        };
        let is_api = canonical.starts_with("/api/");
        harden(&mut response, is_api);
        if !is_read && !response.status().is_success() {
            part(&mut response);
        }
        count(&method, template, response.status(), started);
        response
    }
}

impl<E: Endpoint> Endpoint for Edge<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let context = Context::of(&request, &self.app.settings.trusted_proxies);
        let id = context.request_id.clone();
        let mut response = CONTEXT.scope(context, self.answer(request)).await;
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert("x-request-id", id);
        }
        Ok(response)
    }
}

fn rewrite(request: &mut Request, path: &str) {
    let with_query = match request.uri().query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    if let Ok(uri) = with_query.parse::<Uri>() {
        *request.uri_mut() = uri;
    }
}

fn harden(response: &mut Response, is_api: bool) {
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &'static str| {
        if !headers.contains_key(name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    set("x-content-type-options", "nosniff");
    set("referrer-policy", "no-referrer");
    set("cross-origin-opener-policy", "same-origin");
    set("permissions-policy", "camera=(), geolocation=(), microphone=(self), display-capture=(self)");
    if is_api {
        // A shared cache once showed one person's page to another (Zulip Cloud, March 2021).
        set("cache-control", "no-store");
        set("content-security-policy", "default-src 'none'; frame-ancestors 'none'");
    }
}

/// Says that the connection ends (RFC 9112, 9.6) where the rest of a body is not waited for: it is closed behind the answer, and
/// a client that was not told sends its next call into it, for which there is no answer.
fn part(response: &mut Response) {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
}

const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];

/// Counts by template, never by path: every id would be a series of its own.
fn count(method: &Method, template: Option<&Template>, status: StatusCode, started: Instant) {
    static OTHER: LazyLock<(Arc<str>, Histogram)> = LazyLock::new(|| {
        let route = Arc::from("other");
        let took = templates::took(&route);
        (route, took)
    });
    let (route, took) = template.map_or_else(|| (&OTHER.0, &OTHER.1), |it| (&it.path, it.took()));
    // Anyone may invent methods; each would be a series for ever.
    let method = KNOWN.into_iter().find(|it| *it == method.as_str()).unwrap_or("OTHER");
    metrics::counter!(
        "confab_http_requests_total",
        "method" => method, "route" => route.clone(), "status" => status.as_str().to_owned()
    )
    .increment(1);
    took.record(started.elapsed().as_secs_f64());
}
