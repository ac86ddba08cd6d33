//! A form with one file, as a stream. The framework's own form writes the file to the system's temporary folder first,
//! however large it is.

use confab_core::{Fault, Result};
use poem::web::{Field, Multipart};
use poem::{FromRequest, Request, RequestBody};
use poem_openapi::error::ContentTypeError;
use poem_openapi::payload::{ParsePayload, Payload};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

/// Fields that may stand before the file.
const MOST_FIELDS: usize = 10;

/// See the module.
pub struct FileForm(Multipart);

impl FileForm {
    /// The field `file` and the name that it was sent under.
    ///
    /// # Errors
    /// [`Fault::Invalid`] in `file` when there is none.
    pub async fn file(mut self) -> Result<(String, Field)> {
        for _ in 0..MOST_FIELDS {
            let field = self.0.next_field().await;
            let field = field.map_err(|_| Fault::invalid("file", "the form cannot be read"))?;
            match field {
                Some(field) if field.name() == Some("file") => {
                    return Ok((field.file_name().unwrap_or("file").to_owned(), field));
                }
                Some(_) => {}
                None => break,
            }
        }
        Err(Fault::invalid("file", "is missing"))
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
        Ok(Self(<Multipart as FromRequest>::from_request(request, body).await?))
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
