//! Bytes on their way out.

use bytes::Bytes;
use confab_core::Fault;
use confab_core::files::objects;
use confab_protocol::File;
use poem::Body;
use poem_openapi::ApiResponse;
use poem_openapi::payload::Binary;

use super::range::{self, Wanted};
use crate::api::Answer;
use crate::pictures;
use crate::state::App;

/// Nothing in it runs, loads or is framed, even when a browser opens it on its own.
const POLICY: &str = "sandbox; default-src 'none'; frame-ancestors 'none'";
/// Only our own pages may use it as an image.
const RESOURCE_POLICY: &str = "same-origin";

/// Bytes, all or some.
#[derive(ApiResponse)]
pub(super) enum Downloaded {
    /// All bytes.
    #[oai(status = 200)]
    Whole(
        Binary<Body>,
        #[oai(header = "Content-Type")] String,
        #[oai(header = "Content-Disposition")] String,
        #[oai(header = "Content-Length")] u64,
        #[oai(header = "Accept-Ranges")] String,
        #[oai(header = "ETag")] String,
        #[oai(header = "Content-Security-Policy")] String,
        #[oai(header = "Cross-Origin-Resource-Policy")] String,
    ),
    /// The range that was asked for.
    #[oai(status = 206)]
    Part(
        Binary<Body>,
        #[oai(header = "Content-Type")] String,
        #[oai(header = "Content-Disposition")] String,
        #[oai(header = "Content-Length")] u64,
        #[oai(header = "Content-Range")] String,
        #[oai(header = "ETag")] String,
        #[oai(header = "Content-Security-Policy")] String,
        #[oai(header = "Cross-Origin-Resource-Policy")] String,
    ),
    /// The client has these bytes.
    #[oai(status = 304)]
    Known(#[oai(header = "ETag")] String),
    /// There is no such range, or several were asked for.
    #[oai(status = 416)]
    NoSuchRange(#[oai(header = "Content-Range")] String),
}

/// What a client asks for in headers.
pub(super) struct Asked {
    pub range: Option<String>,
    pub if_range: Option<String>,
    pub if_none_match: Option<String>,
    /// As a picture.
    pub is_inline: bool,
}

/// A file, or a part of it.
pub(super) async fn whole(app: &App, file: &File, asked: Asked) -> Answer<Downloaded> {
    let tag = format!("\"{}\"", file.sha256);
    if asked.if_none_match.is_some_and(|header| range::names(&header, &tag)) {
        return Ok(Downloaded::Known(tag));
    }
    let size = file.file_size.unsigned_abs();
    // A range of what has changed since would be glued to bytes of something else.
    let is_same = asked.if_range.is_none_or(|header| header.trim() == tag);
    let wanted = range::wanted(asked.range.as_deref().filter(|_| is_same), size);
    let keys = objects::known(&mut app.db.read(), &file.sha256).await?;
    let keys = keys.ok_or_else(|| missing(file))?;
    let kind = content_type(file);
    let is_shown = asked.is_inline && file.width.is_some();
    let disposition = disposition(&file.filename, is_shown);
    let stream = |part| async { app.storage.stream(&keys.key, part).await.map_err(|it| found(it, file)) };
    let (policy, resource) = (POLICY.to_owned(), RESOURCE_POLICY.to_owned());
    match wanted {
        Wanted::Nothing => Ok(Downloaded::NoSuchRange(format!("bytes */{size}"))),
        Wanted::Whole => {
            let body = Binary(Body::from_bytes_stream(stream(None).await?));
            Ok(Downloaded::Whole(body, kind, disposition, size, "bytes".into(), tag, policy, resource))
        }
        Wanted::Part(part) => {
            let (length, shown) =
                (part.end - part.start, format!("bytes {}-{}/{size}", part.start, part.end - 1));
            let body = Binary(Body::from_bytes_stream(stream(Some(part)).await?));
            Ok(Downloaded::Part(body, kind, disposition, length, shown, tag, policy, resource))
        }
    }
}

/// A picture in small.
pub(super) async fn small(app: &App, file: &File, if_none_match: Option<String>) -> Answer<Downloaded> {
    let tag = format!("\"{}-small\"", file.sha256);
    if if_none_match.is_some_and(|header| range::names(&header, &tag)) {
        return Ok(Downloaded::Known(tag));
    }
    let keys = objects::known(&mut app.db.read(), &file.sha256).await?;
    let key = keys.and_then(|keys| keys.thumbnail).ok_or(Fault::NotFound("thumbnail"))?;
    let bytes: Bytes = app.storage.read(&key).await.map_err(|fault| found(fault, file))?;
    let (kind, length) = (pictures::content_type(&bytes).to_owned(), bytes.len() as u64);
    Ok(Downloaded::Whole(
        Binary(Body::from_bytes(bytes)),
        kind,
        "inline".into(),
        length,
        "none".into(),
        tag,
        POLICY.into(),
        RESOURCE_POLICY.into(),
    ))
}

/// What a browser could run is some bytes to it, even as an attachment: not every program heeds that word.
fn content_type(file: &File) -> String {
    let kind = file.file_type.as_str();
    let is_harmless = file.width.is_some()
        || ["audio/", "video/"].iter().any(|start| kind.starts_with(start))
        || matches!(kind, "application/pdf" | "application/zip")
        || kind.starts_with("application/vnd.openxmlformats-officedocument.")
        || kind.starts_with("application/vnd.oasis.opendocument.");
    match kind {
        "text/plain" => "text/plain; charset=utf-8".into(),
        kind if is_harmless => kind.to_owned(),
        _ => "application/octet-stream".into(),
    }
}

/// RFC 6266: a name in plain letters for old programs, and the whole one.
fn disposition(filename: &str, is_shown: bool) -> String {
    let plain: String = filename
        .chars()
        .map(|it| if it.is_ascii_graphic() || it == ' ' { it } else { '_' })
        .map(|it| if matches!(it, '"' | '\\' | '%') { '_' } else { it })
        .collect();
    let mut whole = String::with_capacity(filename.len() * 3);
    for byte in filename.bytes() {
        use std::fmt::Write as _;
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            whole.push(char::from(byte));
        } else {
            let _ = write!(whole, "%{byte:02X}");
        }
    }
    let kind = if is_shown { "inline" } else { "attachment" };
    format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{whole}")
}

fn missing(file: &File) -> Fault {
    Fault::Internal(format!("the bytes of file {} are missing", file.id))
}

/// The record says that the bytes are there: when the store has none, it is not the caller's mistake.
fn found(fault: Fault, file: &File) -> Fault {
    if matches!(fault, Fault::NotFound(_)) { missing(file) } else { fault }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_headers_without_breaking_out() {
        assert_eq!(
            disposition("Grüße \"1\".pdf", false),
            "attachment; filename=\"Gr__e _1_.pdf\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%221%22.pdf"
        );
        let hostile = disposition("a\r\nset-cookie: x\\%41", true);
        assert!(hostile.starts_with("inline; ") && !hostile.contains(['\r', '\n']), "{hostile}");
    }
}
