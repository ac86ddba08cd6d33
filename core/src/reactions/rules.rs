//! What a plugin's own reaction asks of those who put it: who they are in the channel, how many stand under one message,
//! how often a person puts it in a day.

use confab_protocol::{ChannelRole, MessageId, Timestamp, UserId};
use uuid::Uuid;

use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};
use crate::messages;

const DAY_MS: i64 = 24 * 3_600 * 1_000;

const RULE: &str = "select r.plugin_id, r.who, r.per_message, r.per_day, p.bot_id from reactions r
    left join plugins p on p.id = r.plugin_id where r.code = $1";
const IS_SUPERUSER: &str =
    "select count(*) from users where id = $1 and is_superuser = true and is_active = true";
const IS_THERE: &str =
    "select count(*) from message_reactions where message_id = $1 and code = $2 and user_id = $3";
const UNDER_MESSAGE: &str = "select count(*) from message_reactions where message_id = $1 and code = $2";
const USES: &str = "select uses from reaction_uses where day = $1 and user_id = $2 and code = $3";
// One statement reads and writes it: of two servers one takes the last.
const USE: &str = "insert into reaction_uses (day, user_id, code, uses) values ($1, $2, $3, 1)
    on conflict (day, user_id, code) do update set uses = reaction_uses.uses + 1
    where reaction_uses.uses < $4 returning uses";
const FORGET: &str = "delete from reaction_uses where user_id = $1";
const SWEEP: &str = "delete from reaction_uses where day < $1";

/// Who may put a reaction: whoever has at least this role in the channel, or superusers alone, who may put all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    AtLeast(ChannelRole),
    Superusers,
}

impl Who {
    /// Reads the word; one that a newer server wrote lets superusers pass alone.
    fn from_word(word: &str) -> Self {
        ChannelRole::from_word(word).map_or(Self::Superusers, Self::AtLeast)
    }
}

/// The rules of one reaction.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Rule {
    plugin_id: Option<String>,
    who: Option<String>,
    per_message: Option<i64>,
    per_day: Option<i64>,
    bot_id: Option<Uuid>,
}

/// Those of a stored code. Emoji have none: they belong to nobody, are what almost everybody reacts with, and cost no query.
pub(super) async fn of(on: &mut impl Read, code: &str) -> Result<Option<Rule>> {
    if !code.is_ascii() {
        return Ok(None);
    }
    Ok(run!(on, sqlx::query_as(RULE).bind(code.to_owned()), fetch_optional)?)
}

impl Rule {
    fn limits_anything(&self) -> bool {
        self.who.is_some() || self.per_message.is_some() || self.per_day.is_some()
    }

    /// The plugin's own bot is no person: who may, and how often in a day, is not for it.
    fn is_of_bot(&self, user: UserId) -> bool {
        self.bot_id == Some(user.0)
    }

    /// Refuses who may not put it.
    ///
    /// # Errors
    /// [`Fault::Forbidden`] with code `reaction_not_allowed`.
    pub(super) async fn admit(&self, on: &mut impl Read, user: UserId, role: ChannelRole) -> Result<()> {
        let Some(who) = self.who.as_deref().map(Who::from_word) else { return Ok(()) };
        if self.is_of_bot(user) || matches!(who, Who::AtLeast(least) if role >= least) {
            return Ok(());
        }
        let superuser: i64 = run!(on, sqlx::query_scalar(IS_SUPERUSER).bind(user.0), fetch_one)?;
        if superuser > 0 {
            return Ok(());
        }
        let message = match who {
            Who::AtLeast(least) => {
                format!("only a channel's {} or higher may use this reaction", least.as_str())
            }
            Who::Superusers => "only administrators of this server may use this reaction".to_owned(),
        };
        Err(Fault::forbidden("reaction_not_allowed", message))
    }

    /// Counts one more that was put under a message by now: the channel is locked, so nobody else puts one meanwhile.
    ///
    /// # Errors
    /// [`Fault::Conflict`] with code `reaction_message_limit` or `reaction_day_limit`.
    pub(super) async fn count(&self, tx: &mut Tx, user: UserId, id: MessageId, code: &str) -> Result<()> {
        if let Some(most) = self.per_message
            && under(tx, id, code).await? > most
        {
            return Err(full_message(most));
        }
        if let Some(most) = self.per_day.filter(|_| !self.is_of_bot(user)) {
            let taken: Option<i64> = run!(
                tx,
                sqlx::query_scalar(USE).bind(today()).bind(user.0).bind(code.to_owned()).bind(most),
                fetch_optional
            )?;
            taken.ok_or_else(|| full_day(most))?;
        }
        Ok(())
    }

    /// Whether there is room for one more, as far as can be said without a lock.
    async fn look(&self, on: &mut impl Read, user: UserId, id: MessageId, code: &str) -> Result<()> {
        if let Some(most) = self.per_message
            && under(on, id, code).await? >= most
        {
            return Err(full_message(most));
        }
        if let Some(most) = self.per_day.filter(|_| !self.is_of_bot(user)) {
            let counted: Option<i64> = run!(
                on,
                sqlx::query_scalar(USES).bind(today()).bind(user.0).bind(code.to_owned()),
                fetch_optional
            )?;
            if counted.unwrap_or(0) >= most {
                return Err(full_day(most));
            }
        }
        Ok(())
    }
}

/// Whether a plugin has its say before somebody puts this reaction. It is not asked for those whom its own rules refuse,
/// who learn it here; [`super::add`] looks again, under the channel's lock, whatever was said here.
///
/// # Errors
/// [`Fault::Forbidden`] with code `reaction_not_allowed`; [`Fault::Conflict`] with code `reaction_message_limit` or
/// `reaction_day_limit`; those of [`messages::door`].
pub async fn asks_plugin(on: &mut impl Read, user: UserId, id: MessageId, code: &str) -> Result<bool> {
    let code = super::trimmed(code);
    let Some(rule) = of(on, &code).await?.filter(|it| it.plugin_id.is_some()) else { return Ok(false) };
    if rule.limits_anything() {
        let door = messages::door(on, user, id).await?;
        let standing = door.admitted.member()?;
        // Twice is once, for whom it is too many as well.
        let there: i64 =
            run!(on, sqlx::query_scalar(IS_THERE).bind(id.0).bind(code.clone()).bind(user.0), fetch_one)?;
        if there > 0 {
            return Ok(false);
        }
        rule.admit(on, user, standing).await?;
        rule.look(on, user, id, &code).await?;
    }
    Ok(true)
}

async fn under(on: &mut impl Read, id: MessageId, code: &str) -> Result<i64> {
    Ok(run!(on, sqlx::query_scalar(UNDER_MESSAGE).bind(id.0).bind(code.to_owned()), fetch_one)?)
}

fn full_message(most: i64) -> Fault {
    Fault::conflict(
        "reaction_message_limit",
        format!("at most {most} of this reaction stand under a message"),
    )
}

fn full_day(most: i64) -> Fault {
    Fault::conflict("reaction_day_limit", format!("a person puts this reaction at most {most} times a day"))
}

fn today() -> i64 {
    Timestamp::now().0.div_euclid(DAY_MS)
}

/// Forgets how often somebody put what: their account is deleted.
pub(crate) async fn forget(tx: &mut Tx, user: UserId) -> Result<()> {
    run!(tx, sqlx::query(FORGET).bind(user.0), execute)?;
    Ok(())
}

/// Forgets the days before this one. Clocks of several servers differ: yesterday stays.
pub async fn sweep(tx: &mut Tx) -> Result<()> {
    run!(tx, sqlx::query(SWEEP).bind(today() - 1), execute)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_tomorrow_lets_nobody_more_pass() {
        assert_eq!(Who::from_word("admin"), Who::AtLeast(ChannelRole::Admin));
        assert_eq!(Who::from_word("superuser"), Who::Superusers);
        assert_eq!(Who::from_word("committee"), Who::Superusers);
    }
}
