//! What one wishes to be told of, how, and when not.

use confab_core::attention::quiet::Hours;
use confab_core::attention::{self, Change, Digest, Level};
use confab_core::rate_limits::Quota;
use confab_core::{Fault, FutureExt, digests, rate_limits};
use confab_protocol::Timestamp;
use poem_openapi::payload::Json;
use poem_openapi::types::MaybeUndefined;
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};

use super::auth::Bearer;
use super::strict::Text;
use super::{Answer, Area, app};
use crate::presence;
use crate::state::App;

/// Mails that one asks for by hand.
const BY_HAND: Quota = Quota { count: 3, per: std::time::Duration::from_hours(1) };

/// How much one is told of.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename_all = "lowercase")]
enum NotificationLevel {
    All,
    Mentions,
    Nothing,
}

/// How often unread notifications are mailed.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename_all = "lowercase")]
enum EmailDigest {
    Off,
    Hourly,
    Daily,
}

/// Hours in which nothing disturbs; over midnight where `to` is earlier than `from`.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct DoNotDisturb {
    /// Such as `22:00`.
    from: Text,
    /// Such as `07:00`.
    to: Text,
    /// An IANA name such as `Europe/Berlin`.
    time_zone: Text,
    /// The days on which they begin, `mon` to `sun`; absent: every day.
    days: Option<Vec<Text>>,
}

/// What one wishes to be told of, how, and when not.
#[derive(Object)]
struct Preferences {
    /// Words that one wishes to be told of, whole and whatever the case.
    keywords: Vec<String>,
    /// Where a channel's own preferences say nothing else.
    notification_level: NotificationLevel,
    do_not_disturb: Option<DoNotDisturb>,
    /// Nothing disturbs until then.
    until: Option<Timestamp>,
    /// Whether nothing is to disturb now.
    is_quiet: bool,
    email_digest: EmailDigest,
    /// Whether one's browsers are told that asked for it.
    web_push: bool,
}

/// Absent fields stay as they are; null takes back.
#[derive(Debug, Object)]
struct NewPreferences {
    /// All of them, at most 50 of 60 characters and 8 words.
    keywords: Option<Vec<Text>>,
    notification_level: Option<NotificationLevel>,
    do_not_disturb: MaybeUndefined<DoNotDisturb>,
    until: MaybeUndefined<Timestamp>,
    email_digest: Option<EmailDigest>,
    web_push: Option<bool>,
}

#[derive(ApiResponse)]
enum Accepted {
    /// If there is something to mail, it is on its way.
    #[oai(status = 202)]
    Accepted,
}

pub struct Attention(pub Option<App>);

#[OpenApi(tag = "Area::Users")]
impl Attention {
    /// One's own preferences.
    #[oai(path = "/users/me/preferences", method = "get")]
    async fn get(&self, caller: Bearer) -> Answer<Json<Preferences>> {
        shown(app(&self.0)?, &caller).await
    }

    /// Changes one's own preferences.
    #[oai(path = "/users/me/preferences", method = "put")]
    async fn set(&self, caller: Bearer, body: Json<NewPreferences>) -> Answer<Json<Preferences>> {
        let (app, user) = (app(&self.0)?, caller.0.user_id);
        let change = change_of(body.0)?;
        if app.mail.is_none() && change.digest.is_some_and(|it| it != Digest::Off) {
            return Err(no_mail_server().into());
        }
        let news =
            app.db.write(move |tx| async move { attention::set(tx, user, change).await }.boxed()).await?;
        presence::tell(&app.bus, news).await;
        shown(app, &caller).await
    }

    /// Has one's mail of unread notifications sent now rather than when it is due.
    #[oai(path = "/users/me/digest", method = "post")]
    async fn mail(&self, caller: Bearer) -> Answer<Accepted> {
        let (app, user) = (app(&self.0)?, caller.0.user_id);
        if app.mail.is_none() {
            return Err(no_mail_server().into());
        }
        let is_limited = app.limits.is_on();
        app.db
            .write(move |tx| {
                async move {
                    if is_limited {
                        rate_limits::take(tx, &format!("digest:{user}"), BY_HAND).await?;
                    }
                    digests::ask(tx, user).await
                }
                .boxed()
            })
            .await?;
        Ok(Accepted::Accepted)
    }
}

fn no_mail_server() -> Fault {
    Fault::conflict("no_mail_server", "this server sends no mail")
}

fn change_of(body: NewPreferences) -> confab_core::Result<Change> {
    let texts = |list: Vec<Text>| list.into_iter().map(|it| it.0).collect::<Vec<_>>();
    let hours = match body.do_not_disturb {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(it) => {
            let days = it.days.map(texts);
            Some(Some(Hours::check(&it.from.0, &it.to.0, &it.time_zone.0, days.as_deref())?))
        }
    };
    let until = match body.until {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(at) => Some(Some(at)),
    };
    Ok(Change {
        keywords: body.keywords.map(texts),
        level: body.notification_level.map(|it| match it {
            NotificationLevel::All => Level::All,
            NotificationLevel::Mentions => Level::Mentions,
            NotificationLevel::Nothing => Level::Nothing,
        }),
        hours,
        until,
        digest: body.email_digest.map(|it| match it {
            EmailDigest::Off => Digest::Off,
            EmailDigest::Hourly => Digest::Hourly,
            EmailDigest::Daily => Digest::Daily,
        }),
        web_push: body.web_push,
    })
}

async fn shown(app: &App, caller: &Bearer) -> Answer<Json<Preferences>> {
    let user = caller.0.user_id;
    let now = attention::get(&mut app.db.read(), user).await?;
    let is_quiet = attention::quiet(&mut app.db.read(), user).await?.is_now();
    Ok(Json(Preferences {
        keywords: now.keywords,
        notification_level: match now.level {
            Level::All => NotificationLevel::All,
            Level::Mentions => NotificationLevel::Mentions,
            Level::Nothing => NotificationLevel::Nothing,
        },
        do_not_disturb: now.hours.map(|it| DoNotDisturb {
            from: Text(it.begin()),
            to: Text(it.end()),
            time_zone: Text(it.time_zone().to_owned()),
            days: it.days().map(|days| days.into_iter().map(Text).collect()),
        }),
        until: now.until,
        is_quiet,
        email_digest: match now.digest {
            Digest::Off => EmailDigest::Off,
            Digest::Hourly => EmailDigest::Hourly,
            Digest::Daily => EmailDigest::Daily,
        },
        web_push: now.web_push,
    }))
}
