//! A form with one file, as a stream. The framework's own form writes the file to the system's temporary folder first,
//! however large it is.

use std::time::Duration;

use confab_core::{Fault, Result};
use poem::web::{Field, Multipart};
use poem::{Body, FromRequest, Request, RequestBody};
use poem_openapi::error::ContentTypeError;
use poem_openapi::payload::{ParsePayload, Payload};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use super::envelope::{self, Envelope};
use crate::intake;

/// Fields that may stand before the file.
const MOST_FIELDS: usize = 10;
/// The file begins within this time.
const WITHIN: Duration = Duration::from_secs(30);

/// See the module.
pub struct FileForm {
    form: Multipart,
    envelope: Envelope,
    /// Of the whole form, when it was declared.
    bytes: Option<u64>,
}

impl FileForm {
    /// The field `file` and the name that it was sent under.
    ///
    /// # Errors
    /// [`Fault::Invalid`] in `file` when there is none, or too many fields before it; [`Fault::TooLarge`] with code
    /// `form_too_large` for too many bytes before it; [`Fault::TooSlow`].
    pub async fn file(mut self) -> Result<(String, Field)> {
        let found = tokio::time::timeout(WITHIN, self.find()).await;
        found.map_err(|_| Fault::TooSlow("the file of the form does not begin"))?
    }

    async fn find(&mut self) -> Result<(String, Field)> {
        for _ in 0..=MOST_FIELDS {
            let field = self.form.next_field().await.map_err(|_| self.unreadable())?;
            match field {
                Some(field) if field.name() == Some("file") => {
                    self.envelope.open();
                    return Ok((field.file_name().unwrap_or("file").to_owned(), field));
                }
                Some(_) => {}
                None => return Err(Fault::invalid("file", "is missing")),
            }
        }
        Err(Fault::invalid("file", format!("is not among the first {} fields", MOST_FIELDS + 1)))
    }

    fn unreadable(&self) -> Fault {
        if self.envelope.is_too_large() {
            let most = envelope::MOST_BYTES;
            return Fault::too_large("form_too_large", format!("at most {most} bytes stand before the file"));
        }
        Fault::invalid("file", "the form cannot be read")
    }

    /// What the file has at least, by the declared length of the form; 0 for an unknown one.
    pub fn least_file_bytes(&self) -> u64 {
        self.bytes.unwrap_or(0).saturating_sub(envelope::MOST_BYTES)
    }

    /// Takes a little of a form that is refused, so that its sender hears why.
    pub async fn discard(self) {
        if let Ok((_, field)) = self.file().await {
            intake::discard(std::pin::pin!(field.into_async_read())).await;
        }
    }
}

impl Payload for FileForm {
    const CONTENT_TYPE: &'static str = "multipart/form-data";

    fn check_content_type(content_type: &str) -> bool {
        content_type.split(';').next().is_some_and(|it| it.trim().eq_ignore_ascii_case(Self::CONTENT_TYPE))
    }

    fn schema_ref() -> MetaSchemaRef {
        let file = MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", "binary")));
        MetaSchemaRef::Inline(Box::new(MetaSchema {
            required: vec!["file"],
            properties: vec![("file", file)],
            ..MetaSchema::new("object")
        }))
    }
}

impl ParsePayload for FileForm {
    const IS_REQUIRED: bool = true;

    async fn from_request(request: &Request, body: &mut RequestBody) -> poem::Result<Self> {
        let envelope = Envelope::default();
        let counted = envelope.around(body.take()?.into_async_read());
        let mut counted = RequestBody::new(Body::from_async_read(counted));
        let form = <Multipart as FromRequest>::from_request(request, &mut counted).await?;
        let bytes = request.header("content-length").and_then(|text| text.parse().ok());
        Ok(Self { form, envelope, bytes })
    }
}

impl<'a> ApiExtractor<'a> for FileForm {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn request_meta() -> Option<MetaRequest> {
        Some(MetaRequest {
            description: None,
            content: vec![MetaMediaType { content_type: Self::CONTENT_TYPE, schema: Self::schema_ref() }],
            required: true,
        })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let Some(content_type) = request.content_type() else {
            return Err(ContentTypeError::ExpectContentType.into());
        };
        if !Self::check_content_type(content_type) {
            return Err(ContentTypeError::NotSupported { content_type: content_type.to_owned() }.into());
        }
        <Self as ParsePayload>::from_request(request, body).await
    }
}
