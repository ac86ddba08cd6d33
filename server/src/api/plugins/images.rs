//! The images of a plugin in a form: as many fields `images` as there are files, and no more than a plugin has. The
//! framework's own list takes whatever comes, and writes each to the disk.

use std::borrow::Cow;

use confab_core::{Fault, Result};
use confab_protocol::UserId;
use poem::web::Field;
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::multipart::Upload;
use poem_openapi::types::{ParseError, ParseFromMultipartField, ParseResult, Type};
use tokio::io::AsyncReadExt;

use super::super::users::PICTURE_WAIT;
use crate::plugin_images::{self, Image, MOST, MOST_BYTES};
use crate::state::App;

/// See the module.
#[derive(Debug, Default)]
pub struct Images(Vec<Upload>);

impl Type for Images {
    const IS_REQUIRED: bool = false;
    type RawValueType = Self;
    type RawElementValueType = Upload;

    fn name() -> Cow<'static, str> {
        <Vec<Upload>>::name()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema {
            items: Some(Box::new(Upload::schema_ref())),
            ..MetaSchema::new("array")
        }))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Upload> + 'a> {
        Box::new(self.0.iter())
    }
}

impl ParseFromMultipartField for Images {
    async fn parse_from_multipart(field: Option<Field>) -> ParseResult<Self> {
        match field {
            Some(field) => Self::default().parse_from_repeated_field(field).await,
            None => Ok(Self::default()),
        }
    }

    async fn parse_from_repeated_field(mut self, field: Field) -> ParseResult<Self> {
        if self.0.len() >= MOST {
            return Err(ParseError::custom(format!("at most {MOST} images")));
        }
        self.0.push(Upload::parse_from_multipart(Some(field)).await.map_err(ParseError::propagate)?);
        Ok(self)
    }
}

impl Images {
    /// Makes pictures of what was sent.
    ///
    /// # Errors
    /// [`Fault::Invalid`] in `images`.
    pub async fn made(self, app: &App, user: UserId) -> Result<Vec<Image>> {
        if self.0.is_empty() {
            return Ok(Vec::new());
        }
        let mut files = Vec::with_capacity(self.0.len());
        for upload in self.0 {
            let name = upload.file_name().unwrap_or_default().to_owned();
            let mut bytes = Vec::new();
            let mut from = upload.into_async_read().take(MOST_BYTES as u64 + 1);
            from.read_to_end(&mut bytes)
                .await
                .map_err(|_| Fault::invalid("images", "the upload broke off"))?;
            files.push((name, bytes));
        }
        let _place = app.picture_places.take(user, PICTURE_WAIT).await?;
        tokio::task::spawn_blocking(move || plugin_images::made(files)).await.map_err(Fault::internal)?
    }
}
