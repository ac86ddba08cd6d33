//! The catalogue of this server's own reactions.

use confab_core::reactions::{self, Custom, NewCustom};
use confab_core::roles::Permission;
use confab_core::{Fault, FutureExt, Result};
use confab_protocol::{Timestamp, UserId};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::types::multipart::Upload;
use poem_openapi::{ApiResponse, Multipart, Object, OpenApi};
use tokio::io::AsyncReadExt;

use super::auth::{Bearer, Done};
use super::users::PICTURE_WAIT;
use super::{Answer, Area, app, cursor, pictures as kept};
use crate::pictures;
use crate::state::App;

/// A reaction of this server's own.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct CustomReaction {
    /// What stands under messages; `:code:` shows it in a text.
    code: String,
    name: String,
    /// What it looks like, as text: a plugin's.
    symbol: Option<String>,
    /// Always false: system reactions are not listed.
    is_system: bool,
    /// Where its picture is.
    image_url: Option<String>,
    /// The plugin that brought it.
    plugin_id: Option<String>,
    /// Who may put it under messages: `member`, `admin` or `owner`, the least role in the channel, or `superuser`. Absent:
    /// everybody. Superusers may put all.
    who: Option<String>,
    /// Most of it under one message.
    per_message: Option<i64>,
    /// How often a person may put it in a day (of UTC).
    per_day: Option<i64>,
    /// Who added it.
    created_by_id: Option<UserId>,
    created_at: Timestamp,
}

impl From<Custom> for CustomReaction {
    fn from(it: Custom) -> Self {
        Self {
            image_url: it.image_url(),
            code: it.code,
            name: it.name,
            symbol: it.symbol,
            is_system: it.is_system,
            plugin_id: it.plugin_id,
            who: it.who,
            per_message: it.per_message,
            per_day: it.per_day,
            created_by_id: it.created_by_id.map(UserId),
            created_at: Timestamp(it.created_at),
        }
    }
}

#[derive(Object)]
struct CataloguePage {
    items: Vec<CustomReaction>,
    next_cursor: Option<String>,
}

#[derive(Debug, Multipart)]
struct ReactionForm {
    /// 2 to 32 of a-z, 0-9, _ and -; no emoji's short name.
    code: String,
    /// 1 to 100 characters.
    name: String,
    /// PNG, JPEG, GIF or WebP of at most 256 KiB.
    image: Upload,
}

#[derive(ApiResponse)]
enum Created {
    /// Everyone can use it.
    #[oai(status = 201)]
    Created(Json<CustomReaction>),
}

pub struct Catalogue(pub Option<App>);

#[OpenApi(tag = "Area::Messages")]
impl Catalogue {
    /// This server's own reactions, in order of code. The system's are every emoji of Unicode, by itself or by its GitHub
    /// short name (`tada`): they need no list.
    #[oai(path = "/reactions", method = "get")]
    async fn list(
        &self,
        _caller: Bearer,
        limit: Query<Option<i64>>,
        cursor: Query<Option<String>>,
    ) -> Answer<Json<CataloguePage>> {
        let limit = cursor::limit(limit.0)?;
        let after: String = cursor::decode(cursor.0.as_deref())?.unwrap_or_default();
        let found = reactions::page(&mut app(&self.0)?.db.read(), &after, limit).await?;
        let last = found.last().filter(|_| found.len() == limit as usize);
        let next_cursor = last.and_then(|it| cursor::encode(&it.code));
        Ok(Json(CataloguePage { items: found.into_iter().map(CustomReaction::from).collect(), next_cursor }))
    }

    /// Adds a reaction with a picture, which is decoded, made to fit into 128 × 128 pixels and encoded anew. Needs
    /// `reactions.create`, which everyone has at first.
    #[oai(path = "/reactions", method = "post")]
    async fn create(&self, caller: Bearer, form: ReactionForm) -> Answer<Created> {
        let app = app(&self.0)?;
        let by = caller.0.may_in_chat(Permission::ReactionsCreate)?;
        app.limits.react(caller.0.user_id)?;
        // Before any work on the picture.
        reactions::check_code(&form.code)?;
        let bytes = picture(app, caller.0.user_id, form.image).await?;
        let image_sha256 = kept::put(app, bytes).await?;
        let name = image_sha256.clone();
        let new = NewCustom { code: form.code, name: form.name, image_sha256 };
        let created =
            app.db.write(move |tx| async move { reactions::create(tx, &by, new).await }.boxed()).await;
        match created {
            Ok(custom) => Ok(Created::Created(Json(custom.into()))),
            Err(fault) => {
                kept::withdraw(app, &name).await;
                Err(fault.into())
            }
        }
    }

    /// Takes a reaction from the catalogue: one's own, or with `reactions.manage` anyone's. Under messages it stays, shown
    /// by its code.
    #[oai(path = "/reactions/:code", method = "delete")]
    async fn delete(&self, caller: Bearer, code: Path<String>) -> Answer<Done> {
        let app = app(&self.0)?;
        let (by, manages) = (caller.0.actor(), caller.0.may_in_chat(Permission::ReactionsManage).ok());
        let code = code.0;
        app.db
            .write(move |tx| {
                async move { reactions::remove_custom(tx, &by, manages.as_ref(), &code).await }.boxed()
            })
            .await?;
        app.file_care.went();
        Ok(Done::NoContent)
    }
}

async fn picture(app: &App, user: UserId, upload: Upload) -> Result<Vec<u8>> {
    let mut file = Vec::new();
    let mut from = upload.into_async_read().take(pictures::MOST_SYMBOL_BYTES + 1);
    from.read_to_end(&mut file).await.map_err(|_| Fault::invalid("image", "the upload broke off"))?;
    if file.len() as u64 > pictures::MOST_SYMBOL_BYTES {
        return Err(Fault::invalid("image", "has more than 256 KiB"));
    }
    let _place = app.picture_places.take(user, PICTURE_WAIT).await?;
    let made = tokio::task::spawn_blocking(move || pictures::symbol(&file)).await;
    Ok(made.map_err(Fault::internal)??.bytes)
}
