//! What a person wishes to be told of, how, and when not.
//!
//! No row means: mentions, direct messages, answers and keywords, by push where a browser asked for it, no mail.

pub mod keywords;
pub mod quiet;

use std::collections::HashMap;
use std::time::Duration;

use confab_protocol::{ChannelId, EventKind, Timestamp, UserId};
use uuid::Uuid;

use crate::db::write::Emission;
use crate::db::{Read, Tx, run, run_in};
use crate::fault::{Fault, Result};
use crate::presences;
use quiet::{Hours, Quiet};

/// Furthest end of "do not disturb until".
const QUIET_AT_MOST: Duration = Duration::from_hours(24 * 366);

const GET: &str = "select notification_level, quiet_from, quiet_to, quiet_days, time_zone, quiet_until, web_push, email_digest
    from attention where user_id = $1";
const PUT: &str = "insert into attention (user_id, notification_level, quiet_from, quiet_to, quiet_days, time_zone, quiet_until,
    web_push, email_digest, digest_due_at, digest_held_until, digest_done_id, updated_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, null, $12, $11)
    on conflict (user_id) do update set notification_level = excluded.notification_level, quiet_from = excluded.quiet_from,
    quiet_to = excluded.quiet_to, quiet_days = excluded.quiet_days, time_zone = excluded.time_zone,
    quiet_until = excluded.quiet_until, web_push = excluded.web_push, email_digest = excluded.email_digest,
    digest_due_at = case when attention.email_digest = excluded.email_digest then attention.digest_due_at
    else excluded.digest_due_at end, digest_done_id = case when attention.email_digest = 'off'
    then excluded.digest_done_id else attention.digest_done_id end, updated_at = excluded.updated_at";
const FORGET: &str = "delete from attention where user_id = $1";
const QUIET: &str = "select a.quiet_from, a.quiet_to, a.quiet_days, a.time_zone, a.quiet_until, p.chosen
    from users u left join attention a on a.user_id = u.id left join presences p on p.user_id = u.id where u.id = $1";
const CONCERNING: &str = "select u.id, m.notification_level as channel_level, m.muted, a.notification_level, a.quiet_from, a.quiet_to,
    a.quiet_days, a.time_zone, a.quiet_until, a.web_push, p.chosen from users u
    left join memberships m on m.user_id = u.id and m.channel_id = $1 and m.to_seq is null
    left join attention a on a.user_id = u.id left join presences p on p.user_id = u.id
    where u.is_active = true and u.id in";
const VERIFIED: &str =
    "select count(*) from users where id = $1 and email is not null and email_verified_at is not null";

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$of])* $variant),* }

        impl $name {
            /// The word in SQL and JSON.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// Reads the word; `None` for any other.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}
words!(
    /// How much one is told of.
    Level {
        /// Every message.
        All = "all",
        /// What is for one: mentions, keywords, answers, direct messages.
        Mentions = "mentions",
        /// Nothing.
        Nothing = "nothing",
    }
);
words!(
    /// How often unread notifications are mailed.
    Digest {
        /// Never.
        Off = "off",
        /// Every hour in which there are some.
        Hourly = "hourly",
        /// Once a day.
        Daily = "daily",
    }
);

impl Digest {
    /// The time between two mails; `None`: there are none.
    #[must_use]
    pub fn every(self) -> Option<Duration> {
        match self {
            Self::Off => None,
            Self::Hourly => Some(Duration::from_hours(1)),
            Self::Daily => Some(Duration::from_hours(24)),
        }
    }
}

/// What one person wishes.
#[derive(Clone, Debug)]
pub struct Preferences {
    /// Words to be told of, as typed.
    pub keywords: Vec<String>,
    /// Where no channel says otherwise.
    pub level: Level,
    /// Hours of quiet.
    pub hours: Option<Hours>,
    /// Quiet until then.
    pub until: Option<Timestamp>,
    /// Mail.
    pub digest: Digest,
    /// Whether browsers that asked are told.
    pub web_push: bool,
}

/// Changes of them; absent ones stay, and an inner `None` takes back.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// All of them, at most [`keywords::MOST`].
    pub keywords: Option<Vec<String>>,
    /// Where no channel says otherwise.
    pub level: Option<Level>,
    /// Hours of quiet.
    pub hours: Option<Option<Hours>>,
    /// Quiet until then.
    pub until: Option<Option<Timestamp>>,
    /// Mail.
    pub digest: Option<Digest>,
    /// Whether browsers that asked are told.
    pub web_push: Option<bool>,
}

#[derive(sqlx::FromRow)]
struct AttentionRow {
    notification_level: Option<String>,
    #[sqlx(flatten)]
    quiet: quiet::HoursRow,
    quiet_until: Option<i64>,
    web_push: bool,
    email_digest: String,
}

/// What a user wishes.
pub async fn get(on: &mut impl Read, user: UserId) -> Result<Preferences> {
    let row: Option<AttentionRow> = run!(on, sqlx::query_as(GET).bind(user.0), fetch_optional)?;
    let keywords = keywords::of_user(on, user).await?;
    let now = Timestamp::now().0;
    Ok(match row {
        None => Preferences {
            keywords,
            level: Level::Mentions,
            hours: None,
            until: None,
            digest: Digest::Off,
            web_push: true,
        },
        Some(row) => Preferences {
            keywords,
            level: level(row.notification_level.as_deref()).unwrap_or(Level::Mentions),
            hours: row.quiet.hours(),
            until: row.quiet_until.filter(|at| *at > now).map(Timestamp),
            digest: Digest::from_word(&row.email_digest).unwrap_or(Digest::Off),
            web_push: row.web_push,
        },
    })
}

fn level(word: Option<&str>) -> Option<Level> {
    word.and_then(Level::from_word)
}

/// Changes what a user wishes, and tells their other devices. Answers what shows of them, if that changed by it.
///
/// # Errors
/// [`Fault::Invalid`] in `keywords` or `until`; [`Fault::Conflict`] with code `email_unverified`.
pub async fn set(
    tx: &mut Tx,
    user: UserId,
    change: Change,
) -> Result<Option<confab_protocol::gateway::Presence>> {
    // Their account first: two devices that change different things must not undo each other's.
    crate::users::lock(tx, user).await?;
    let mut now = get(tx, user).await?;
    if let Some(words) = change.keywords {
        keywords::set(tx, user, &words).await?;
    }
    let at = Timestamp::now();
    let is_quieter = change.until.is_some() || change.hours.is_some();
    if let Some(until) = change.until {
        if until.is_some_and(|until| until <= at || until > at.plus(QUIET_AT_MOST)) {
            return Err(Fault::invalid("until", "must be in the future, and within a year"));
        }
        now.until = until;
    }
    if let Some(digest) = change.digest {
        // Mail holds words of private channels: it goes where somebody vouched that the address is theirs.
        if digest != Digest::Off && !has_verified_address(tx, user).await? {
            return Err(Fault::conflict(
                "email_unverified",
                "confirm your e-mail address first: ask for a new password by mail and choose one",
            ));
        }
        now.digest = digest;
    }
    now.level = change.level.unwrap_or(now.level);
    now.hours = change.hours.unwrap_or(now.hours);
    now.web_push = change.web_push.unwrap_or(now.web_push);
    put(tx, user, &now, at).await?;
    // No text of it: what the words are is read again by whoever may.
    let detail = serde_json::json!({ "channel_id": null }).to_string();
    tx.emit(Emission::new(EventKind::PreferencesUpdated, user).only_for(user).by(user).detail(detail));
    if is_quieter { presences::refresh(tx, user).await } else { Ok(None) }
}

async fn put(tx: &mut Tx, user: UserId, now: &Preferences, at: Timestamp) -> Result<()> {
    let hours = now.hours.as_ref();
    let due = now.digest.every().map(|every| at.plus(every).0);
    run!(
        tx,
        sqlx::query(PUT)
            .bind(user.0)
            .bind(now.level.as_str())
            .bind(hours.map(Hours::first_minute))
            .bind(hours.map(Hours::last_minute))
            .bind(hours.and_then(Hours::days_text))
            .bind(hours.map(|it| it.time_zone().to_owned()))
            .bind(now.until.map(|it| it.0))
            .bind(now.web_push)
            .bind(now.digest.as_str())
            .bind(due)
            .bind(at.0)
            // Whoever begins to wish mail wishes what comes from now on, not what lay there for months.
            .bind(confab_protocol::fresh_id()),
        execute
    )?;
    Ok(())
}

/// Drops what a user wished, their keywords too.
pub(crate) async fn forget(tx: &mut Tx, user: UserId) -> Result<()> {
    keywords::forget(tx, user).await?;
    run!(tx, sqlx::query(FORGET).bind(user.0), execute)?;
    Ok(())
}

/// Whether mail may go to this user's address.
pub async fn has_verified_address(on: &mut impl Read, user: UserId) -> Result<bool> {
    let count: i64 = run!(on, sqlx::query_scalar(VERIFIED).bind(user.0), fetch_one)?;
    Ok(count > 0)
}

#[derive(sqlx::FromRow)]
pub(crate) struct QuietRow {
    #[sqlx(flatten)]
    hours: quiet::HoursRow,
    quiet_until: Option<i64>,
    chosen: Option<String>,
}

impl QuietRow {
    pub(crate) fn quiet(&self) -> Quiet {
        Quiet::new(&self.hours, self.quiet_until, self.chosen.as_deref())
    }
}

/// When a user is not to be disturbed.
pub async fn quiet(on: &mut impl Read, user: UserId) -> Result<Quiet> {
    let row: Option<QuietRow> = run!(on, sqlx::query_as(QUIET).bind(user.0), fetch_optional)?;
    Ok(row.map(|row| row.quiet()).unwrap_or_default())
}

#[derive(sqlx::FromRow)]
struct ConcernRow {
    id: Uuid,
    channel_level: Option<String>,
    muted: Option<bool>,
    notification_level: Option<String>,
    #[sqlx(flatten)]
    hours: quiet::HoursRow,
    quiet_until: Option<i64>,
    web_push: Option<bool>,
    chosen: Option<String>,
}

/// How one person is to be told of something in one channel.
#[derive(Clone, Debug)]
pub(crate) struct Concern {
    /// What they said of this channel.
    pub channel: Option<Level>,
    /// What they said of all.
    pub personal: Level,
    /// The channel is silent for them.
    pub is_muted: bool,
    /// Listed, and no more.
    pub is_quiet: bool,
    /// Their browsers may be told.
    pub web_push: bool,
}

/// How people are to be told of something in `channel`. Who may not sign in is left out.
pub(crate) async fn concerning(
    on: &mut impl Read,
    channel: ChannelId,
    people: &[Uuid],
) -> Result<HashMap<UserId, Concern>> {
    let mut found = HashMap::with_capacity(people.len());
    for part in people.chunks(500) {
        let rows: Vec<ConcernRow> = run_in!(on, ConcernRow, CONCERNING, part, "", bind channel.0)?;
        found.extend(rows.into_iter().map(|row| {
            let concern = Concern {
                channel: level(row.channel_level.as_deref()),
                personal: level(row.notification_level.as_deref()).unwrap_or(Level::Mentions),
                is_muted: row.muted.unwrap_or(false),
                is_quiet: Quiet::new(&row.hours, row.quiet_until, row.chosen.as_deref()).is_now(),
                web_push: row.web_push.unwrap_or(true),
            };
            (UserId(row.id), concern)
        }));
    }
    Ok(found)
}
