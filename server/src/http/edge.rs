//! The outermost layer: every request passes in and every answer out through here.

use std::collections::BTreeMap;
use std::time::Instant;

use poem::http::{HeaderValue, StatusCode, Uri, header};
use poem::{Endpoint, IntoResponse, Request, Response, Result};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::context::{CONTEXT, Context};
use super::problem::ApiError;
use super::{aliases, body};
use crate::state::App;

/// Wraps the whole route.
pub struct Edge<E> {
    inner: E,
    app: App,
    /// Path templates of the document, split, with the methods that each knows.
    methods: Vec<(Vec<String>, String)>,
}

impl<E> Edge<E> {
    /// `document` is the OpenAPI text: it knows which methods a path has.
    #[must_use]
    pub fn new(inner: E, app: App, document: &str) -> Self {
        Self { inner, app, methods: methods_of(document) }
    }

    /// The template of a path, for figures: never the path itself, or every id would be a series of its own.
    fn template(&self, path: &str) -> Option<(String, &str)> {
        let path = path.strip_prefix("/api/v1").unwrap_or(path);
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let fits = |template: &Vec<String>| {
            template.len() == parts.len()
                && template.iter().zip(&parts).all(|(it, part)| it.starts_with('{') || it == part)
        };
        self.methods
            .iter()
            .filter(|(template, _)| fits(template))
            .min_by_key(|(template, _)| template.iter().filter(|it| it.starts_with('{')).count())
            .map(|(template, methods)| (format!("/{}", template.join("/")), methods.as_str()))
    }

    async fn answer(&self, mut request: Request) -> Response
    where
        E: Endpoint,
    {
        let method = request.method().clone();
        let started = Instant::now();
        let path = request.uri().path().to_owned();
        let accepts = request.header(header::ACCEPT).unwrap_or_default();
        let wants_page = method == poem::http::Method::GET && accepts.contains("text/html");
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
        let done = match bound {
            Ok(()) => self.inner.call(request).await.map(IntoResponse::into_response),
            Err(error) => Err(error),
        };
        let template = self.template(&canonical);
        let mut response = match done {
            Ok(response) => response,
            Err(error) if error.is_from_response() => error.into_response(),
            Err(error) => {
                let allow = || template.as_ref().map_or("GET", |(_, methods)| methods).to_owned();
                ApiError::of_framework(&error, allow).into_response()
            }
        };
        let is_api = canonical.starts_with("/api/");
        harden(&mut response, is_api);
        let route = template.map_or_else(|| "other".to_owned(), |(template, _)| template);
        count(&method, &route, response.status(), started);
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

const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];

fn count(method: &poem::http::Method, route: &str, status: StatusCode, started: Instant) {
    let labels = [
        // Anyone may invent methods; each would be a series for ever.
        ("method", if KNOWN.contains(&method.as_str()) { method.as_str() } else { "OTHER" }.to_owned()),
        ("route", route.to_owned()),
        ("status", status.as_u16().to_string()),
    ];
    metrics::counter!("confab_http_requests_total", &labels).increment(1);
    metrics::histogram!("confab_http_request_duration_seconds", "route" => route.to_owned())
        .record(started.elapsed().as_secs_f64());
}

fn methods_of(document: &str) -> Vec<(Vec<String>, String)> {
    let document: Document = serde_json::from_str(document).unwrap_or_default();
    let methods = |it: &Operations| -> String {
        let known = [
            ("GET", &it.get),
            ("POST", &it.post),
            ("PUT", &it.put),
            ("DELETE", &it.delete),
            ("PATCH", &it.patch),
        ];
        known.iter().filter(|it| it.1.is_some()).map(|it| it.0).collect::<Vec<_>>().join(", ")
    };
    let parts = |path: &str| path.trim_matches('/').split('/').map(str::to_owned).collect();
    document.paths.iter().map(|(path, it)| (parts(path), methods(it))).collect()
}

/// What is read of the document: all of it would take ten times its size, at every start.
#[derive(Default, Deserialize)]
struct Document {
    paths: BTreeMap<String, Operations>,
}

#[derive(Deserialize)]
struct Operations {
    get: Option<IgnoredAny>,
    post: Option<IgnoredAny>,
    put: Option<IgnoredAny>,
    delete: Option<IgnoredAny>,
    patch: Option<IgnoredAny>,
}
