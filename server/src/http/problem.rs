//! Failures as RFC 9457 problem documents. Core's [`Fault`] knows no HTTP; this is where it learns.

use confab_core::Fault;
use poem::IntoResponse;
use poem_openapi::error::ParseParamError;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object};

use super::context::Context;

/// One field at fault.
#[derive(Clone, Debug, Object)]
pub struct FieldError {
    /// As the caller named it.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

/// An RFC 9457 problem.
#[derive(Clone, Debug, Object)]
pub struct Problem {
    /// Always `about:blank`: `code` tells problems apart.
    #[oai(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The status.
    pub status: u16,
    /// What went wrong, for people.
    pub detail: String,
    /// The path that was asked for.
    pub instance: String,
    /// A stable word, for programs.
    pub code: String,
    /// The fields at fault.
    pub errors: Vec<FieldError>,
    /// For the operator's logs.
    pub request_id: String,
}

impl Problem {
    fn new(status: u16, code: &str, detail: String, errors: Vec<FieldError>) -> Self {
        let context = Context::current();
        let title = poem::http::StatusCode::from_u16(status)
            .ok()
            .and_then(|it| it.canonical_reason())
            .unwrap_or("Error");
        Self {
            kind: "about:blank".into(),
            title: title.into(),
            status,
            detail,
            instance: context.path,
            code: code.into(),
            errors,
            request_id: context.request_id,
        }
    }
}

/// Every way in which a call can fail.
#[derive(Debug, ApiResponse)]
pub enum ApiError {
    /// The input breaks a rule.
    #[oai(status = 400, content_type = "application/problem+json")]
    Invalid(Json<Problem>),
    /// Nobody is signed in, or the proof is not good.
    #[oai(status = 401, content_type = "application/problem+json")]
    Unauthenticated(Json<Problem>, #[oai(header = "WWW-Authenticate")] String),
    /// Visible, but not the caller's to do.
    #[oai(status = 403, content_type = "application/problem+json")]
    Forbidden(Json<Problem>),
    /// It does not exist, or the caller may not know that it does.
    #[oai(status = 404, content_type = "application/problem+json")]
    NotFound(Json<Problem>),
    /// No such method here.
    #[oai(status = 405, content_type = "application/problem+json")]
    Method(Json<Problem>, #[oai(header = "Allow")] String),
    /// The body took too long.
    #[oai(status = 408, content_type = "application/problem+json")]
    Slow(Json<Problem>),
    /// It contradicts what is there.
    #[oai(status = 409, content_type = "application/problem+json")]
    Conflict(Json<Problem>),
    /// It was there once.
    #[oai(status = 410, content_type = "application/problem+json")]
    Gone(Json<Problem>),
    /// More bytes than allowed.
    #[oai(status = 413, content_type = "application/problem+json")]
    TooLarge(Json<Problem>),
    /// Another kind of body is wanted.
    #[oai(status = 415, content_type = "application/problem+json")]
    MediaType(Json<Problem>),
    /// An `Idempotency-Key` that stands for another call.
    #[oai(status = 422, content_type = "application/problem+json")]
    Unprocessable(Json<Problem>),
    /// Too often.
    #[oai(status = 429, content_type = "application/problem+json")]
    RateLimited(Json<Problem>, #[oai(header = "Retry-After")] u64),
    /// A mistake of ours.
    #[oai(status = 500, content_type = "application/problem+json")]
    Internal(Json<Problem>),
    /// A part that this needs does not answer.
    #[oai(status = 503, content_type = "application/problem+json")]
    Unavailable(Json<Problem>, #[oai(header = "Retry-After")] Option<u64>),
    /// The disk is full.
    #[oai(status = 507, content_type = "application/problem+json")]
    Full(Json<Problem>),
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        let code = fault.code();
        let detail = fault.to_string();
        let problem = |status| Json(Problem::new(status, code, detail.clone(), Vec::new()));
        match &fault {
            Fault::NotFound(_) => Self::NotFound(problem(404)),
            Fault::Forbidden { .. } => Self::Forbidden(problem(403)),
            Fault::Conflict { .. } => Self::Conflict(problem(409)),
            Fault::TooLarge { .. } => Self::TooLarge(problem(413)),
            Fault::Invalid { field, message } => {
                let error = FieldError { field: (*field).into(), message: message.to_string() };
                Self::Invalid(Json(Problem::new(400, code, detail, vec![error])))
            }
            Fault::Unauthenticated { .. } => Self::Unauthenticated(problem(401), "Bearer".into()),
            Fault::TooSlow(_) => Self::Slow(problem(408)),
            Fault::Gone(_) => Self::Gone(problem(410)),
            Fault::Busy => Self::Unavailable(problem(503), Some(1)),
            Fault::RateLimited { retry_after_seconds } => {
                Self::RateLimited(problem(429), *retry_after_seconds)
            }
            Fault::Unavailable(_) => Self::Unavailable(problem(503), Some(2)),
            // Whoever asks again without looking may do it twice.
            Fault::Unconfirmed => Self::Unavailable(problem(503), None),
            Fault::Full => Self::Full(problem(507)),
            Fault::Internal(source) => {
                let context = Context::current();
                tracing::error!(request_id = %context.request_id, path = %context.path, source, "internal error");
                let detail = "something went wrong on the server; its log knows more".to_owned();
                Self::Internal(Json(Problem::new(500, code, detail, Vec::new())))
            }
        }
    }
}

impl ApiError {
    /// Well-formed, and yet not to be done.
    #[must_use]
    pub fn unprocessable(code: &str, detail: &str) -> Self {
        Self::Unprocessable(Json(Problem::new(422, code, detail.to_owned(), Vec::new())))
    }

    /// The next part of an upload begins elsewhere: `errors` says where.
    #[must_use]
    pub fn wrong_offset(offset: i64) -> Self {
        let error = FieldError { field: "offset".into(), message: offset.to_string() };
        let detail = format!("the upload goes on at offset {offset}");
        Self::Conflict(Json(Problem::new(409, "wrong_offset", detail, vec![error])))
    }

    /// A failure that the framework found before any handler ran.
    #[must_use]
    pub fn of_framework(error: &poem::Error, allow: impl FnOnce() -> String) -> Self {
        let status = error.status().as_u16();
        let said = error.to_string();
        let problem =
            |status, code, detail: &str| Json(Problem::new(status, code, detail.to_owned(), Vec::new()));
        if let Some(wrong) = error.downcast_ref::<ParseParamError>() {
            let field = FieldError { field: wrong.name.into(), message: wrong.reason.clone() };
            return Self::Invalid(Json(Problem::new(400, "invalid", said, vec![field])));
        }
        match status {
            400 | 422 => Self::Invalid(problem(400, "invalid", &said)),
            401 => Self::Unauthenticated(problem(401, "unauthenticated", "sign in first"), "Bearer".into()),
            403 => Self::Forbidden(problem(403, "forbidden", &said)),
            404 => Self::NotFound(problem(404, "no_such_path", "there is nothing at this path")),
            405 => {
                Self::Method(problem(405, "no_such_method", "this path does not know this method"), allow())
            }
            408 => Self::Slow(problem(408, "slow_body", "the body took too long")),
            413 => Self::TooLarge(problem(413, "too_large", "the body has more bytes than allowed")),
            415 => Self::MediaType(problem(415, "media_type", "the body must be of another content type")),
            _ => Self::from(Fault::Internal(said)),
        }
    }
}

/// The same failure, for the parts that answer without the API's types.
pub fn response(fault: Fault) -> poem::Response {
    ApiError::from(fault).into_response()
}
