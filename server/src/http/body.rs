//! Limits on bodies. The framework reads a JSON body to its end whatever its length: here it is counted first.

use std::time::Duration;

use confab_core::plugins::parts::COMPONENT_BYTES;
use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::{Body, Error, Request, Result};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::transfers::IMPORT_BYTES;
use crate::{api, pictures, plugin_images};

/// Largest JSON body (docs/limits.md).
pub const JSON_BYTES: usize = 256 * 1_024;
/// A body must be here within this time: a client that sends a byte a second holds a connection, not a handler.
const WITHIN: Duration = Duration::from_secs(15);
/// Of a body that is too large, so much is still taken.
const DISCARDED_BYTES: u64 = 2 << 20;
const DISCARD_WITHIN: Duration = Duration::from_secs(2);
/// What multipart puts around a file.
const ENVELOPE_BYTES: u64 = 64 * 1_024;
/// The images of a plugin.
const IMAGES_BYTES: u64 = (plugin_images::MOST * plugin_images::MOST_BYTES) as u64;

/// What became of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// It is here, to its end.
    Read,
    /// It comes while it is worked on.
    Stream,
}

/// Reads and replaces the body, or refuses it. Uploads stay streams, and are counted where they are stored.
pub async fn bound(request: &mut Request, upload_bytes: u64) -> Result<Bound> {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(Bound::Read);
    }
    let declared: Option<u64> = request.header("content-length").and_then(|text| text.parse().ok());
    let path = request.uri().path();
    let is_picture = path.ends_with("/users/me/profile-picture") && *request.method() == Method::PUT;
    let is_symbol = path == "/api/v1/reactions" && *request.method() == Method::POST;
    let is_component = (matches!(path, "/api/v1/plugins" | "/api/v1/plugins/check")
        && *request.method() == Method::POST)
        || (path.starts_with("/api/v1/plugins/")
            && path.matches('/').count() == 4
            && *request.method() == Method::PUT);
    let is_file = path.ends_with("/files/upload");
    let is_import = path == "/api/v1/admin/imports" && *request.method() == Method::POST;
    let is_part = path.starts_with("/api/v1/files/uploads/") && *request.method() == Method::PATCH;
    let most = match () {
        () if is_symbol => pictures::MOST_SYMBOL_BYTES + ENVELOPE_BYTES,
        () if is_picture => pictures::MOST_BYTES + ENVELOPE_BYTES,
        () if is_component => COMPONENT_BYTES as u64 + IMAGES_BYTES + 3 * ENVELOPE_BYTES,
        () if is_file => upload_bytes + ENVELOPE_BYTES,
        () if is_import => IMPORT_BYTES + ENVELOPE_BYTES,
        () if is_part => api::PART_BYTES,
        () => JSON_BYTES as u64,
    };
    if declared.is_some_and(|declared| declared > most) {
        discard(request.take_body().into_async_read()).await;
        return Err(Error::from_status(StatusCode::PAYLOAD_TOO_LARGE));
    }
    if is_file || is_import || is_part {
        // Counted while they are received, whatever length was declared.
        return Ok(Bound::Stream);
    }
    if is_picture || is_symbol || is_component {
        // Without a length the stream is bounded where it is read, but multipart may also carry other fields.
        return declared.map(|_| Bound::Stream).ok_or_else(|| {
            Error::from_string("an upload must declare its Content-Length", StatusCode::BAD_REQUEST)
        });
    }
    let read = read(request.take_body(), declared.unwrap_or(0)).await?;
    // No body says the same as an empty object: calls whose fields are all optional need none.
    if read.is_empty() && request.content_type().is_none() {
        request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request.set_body(Body::from_string("{}".into()));
        return Ok(Bound::Read);
    }
    request.set_body(Body::from_vec(read));
    Ok(Bound::Read)
}

/// A body of about so many bytes: none need have been declared.
async fn read(body: Body, declared: u64) -> Result<Vec<u8>> {
    let (mut from, mut read) = (body.into_async_read(), Vec::with_capacity(declared as usize));
    tokio::time::timeout(WITHIN, (&mut from).take(JSON_BYTES as u64 + 1).read_to_end(&mut read))
        .await
        .map_err(|_| Error::from_status(StatusCode::REQUEST_TIMEOUT))?
        .map_err(|error| Error::from_string(error.to_string(), StatusCode::BAD_REQUEST))?;
    if read.len() > JSON_BYTES {
        discard(from).await;
        return Err(Error::from_status(StatusCode::PAYLOAD_TOO_LARGE));
    }
    Ok(read)
}

/// Reads on for a little: a client that still writes when the connection closes sees a broken connection and never the
/// answer that says why.
async fn discard(body: impl AsyncRead + Unpin) {
    let mut rest = body.take(DISCARDED_BYTES);
    let _ = tokio::time::timeout(DISCARD_WITHIN, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
}
