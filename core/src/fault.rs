//! What can go wrong, in the words of a chat and not of HTTP. The server turns it into a problem document at its edge.

use std::borrow::Cow;

use sqlx::postgres::{PgDatabaseError, PgSeverity};

/// A failure. The text of every variant but [`Fault::Internal`] is written for the person who caused it.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It does not exist, or the asker may not know that it does: the two must look alike.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// Visible to the asker, but not theirs to do.
    #[error("{message}")]
    Forbidden {
        /// Stable, for programs.
        code: &'static str,
        /// For people.
        message: Cow<'static, str>,
    },
    /// It contradicts what is there.
    #[error("{message}")]
    Conflict {
        /// Stable, for programs.
        code: &'static str,
        /// For people.
        message: Cow<'static, str>,
    },
    /// The input breaks a rule.
    #[error("{field}: {message}")]
    Invalid {
        /// The field at fault, as the caller named it.
        field: &'static str,
        /// What is wrong, for people; never repeats a secret.
        message: Cow<'static, str>,
    },
    /// More bytes than a limit or a quota allows.
    #[error("{message}")]
    TooLarge {
        /// Stable, for programs.
        code: &'static str,
        /// For people.
        message: Cow<'static, str>,
    },
    /// Nobody is signed in, or the proof is not good.
    #[error("{message}")]
    Unauthenticated {
        /// Stable, for programs.
        code: &'static str,
        /// For people.
        message: &'static str,
    },
    /// What is sent comes too slowly to be waited for.
    #[error("{0}")]
    TooSlow(&'static str),
    /// It was there once.
    #[error("the {0} is gone")]
    Gone(&'static str),
    /// Too much at once: try again.
    #[error("the server is busy, try again in a moment")]
    Busy,
    /// The caller asks too often.
    #[error("too many requests, try again in {retry_after_seconds} s")]
    RateLimited {
        /// When it will be admitted again.
        retry_after_seconds: u64,
    },
    /// A part that this needs does not answer: try again.
    #[error("{0} is not reachable at the moment")]
    Unavailable(&'static str),
    /// The record took it and did not say whether it kept it: it may have been done.
    #[error("the server does not know whether this was done; look before you ask for it anew")]
    Unconfirmed,
    /// The disk is full. Nothing was acknowledged, nothing was lost.
    #[error("the server's disk is full; nothing was saved")]
    Full,
    /// A mistake of ours. The text goes to the log, never to the caller.
    #[error("internal: {0}")]
    Internal(String),
}

/// What every function of core answers.
pub type Result<T, E = Fault> = std::result::Result<T, E>;

impl Fault {
    /// The input breaks a rule in `field`.
    pub fn invalid(field: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid { field, message: message.into() }
    }

    /// It contradicts what is there.
    pub fn conflict(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::Conflict { code, message: message.into() }
    }

    /// More bytes than allowed.
    pub fn too_large(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::TooLarge { code, message: message.into() }
    }

    /// Not theirs to do.
    pub fn forbidden(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::Forbidden { code, message: message.into() }
    }

    /// A mistake of ours.
    pub fn internal(error: impl std::fmt::Display) -> Self {
        Self::Internal(error.to_string())
    }

    /// Whether the same call may succeed later. After [`Fault::Unconfirmed`] it must be one that can be made twice: a post with its
    /// nonce, a call with its key.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Busy | Self::RateLimited { .. } | Self::Unavailable(_) | Self::Unconfirmed | Self::Full
        )
    }

    /// A stable word for programs: the `code` of the problem document and of the gateway's `error`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "not_found",
            Self::Forbidden { code, .. }
            | Self::Conflict { code, .. }
            | Self::TooLarge { code, .. }
            | Self::Unauthenticated { code, .. } => code,
            Self::Invalid { .. } => "invalid",
            Self::TooSlow(_) => "too_slow",
            Self::Gone(_) => "gone",
            Self::Busy => "busy",
            Self::RateLimited { .. } => "rate_limited",
            Self::Unavailable(_) => "unavailable",
            Self::Unconfirmed => "outcome_unknown",
            Self::Full => "storage_full",
            Self::Internal(_) => "internal",
        }
    }

    /// Why a commit failed. The record's own refusal means that nothing was done; where it did not answer, or its disk failed
    /// behind the last byte, nobody knows.
    pub(crate) fn of_commit(error: sqlx::Error) -> Self {
        let said = error.as_database_error();
        let is_said = said.is_some();
        // An error takes the transaction back. What is worse ends the process that commits, which may be behind the commit:
        // a log that cannot be written is a panic, and what was written of it is replayed. (25P03 stood still before it.)
        let by_postgres = said.and_then(|it| it.try_downcast_ref::<PgDatabaseError>());
        let is_refused = by_postgres.map(|it| it.severity() == PgSeverity::Error || it.code() == "25P03");
        let text = error.to_string();
        let fault = Self::from(error);
        let is_known = is_refused.unwrap_or(match &fault {
            Self::Unavailable(_) => false,
            Self::Internal(_) => is_said,
            _ => true,
        });
        if is_known {
            return fault;
        }
        tracing::warn!(error = text, "nobody knows whether a commit held");
        Self::Unconfirmed
    }

    /// Whether the database refused a second row with the same unique key. Mapped by statement, never by the
    /// constraint's name: SQLite gives none.
    #[must_use]
    pub fn is_duplicate(error: &sqlx::Error) -> bool {
        error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
    }
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match &error {
            E::PoolTimedOut | E::PoolClosed | E::Io(_) | E::WorkerCrashed | E::Tls(_) | E::BeginFailed => {
                tracing::warn!(%error, "the database did not answer");
                Self::Unavailable("the database")
            }
            E::Database(inside) => match inside.code().as_deref() {
                // SQLite: 13 full; PostgreSQL: 53100 disk_full.
                Some("13" | "53100") => Self::Full,
                // SQLite: 10 with its details are input/output errors, 5 and 6 busy and locked, 8 a read-only file.
                // PostgreSQL: 57P0x shutting down, 53xxx out of resources, 40xxx try again, 08xxx connection; 55P03 and
                // 25P03 waited for a lock too long, or stood still while holding one.
                Some("5" | "6" | "261" | "517" | "40001" | "40P01" | "55P03") => Self::Busy,
                Some(code)
                    if code == "10"
                        || code.parse::<u32>().is_ok_and(|code| code < 10_000 && code & 0xff == 10)
                        || code.starts_with("57P")
                        || code.starts_with("53")
                        || code.starts_with("08")
                        || code == "25P03" =>
                {
                    tracing::warn!(%error, "the database failed for now");
                    Self::Unavailable("the database")
                }
                _ => Self::Internal(error.to_string()),
            },
            _ => Self::Internal(error.to_string()),
        }
    }
}
