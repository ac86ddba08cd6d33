//! Short secrets that work once or a few times: the set-up link, invitations, gateway tickets. Only hashes are kept.

use std::time::Duration;

use confab_protocol::{SessionId, Timestamp, UserId};
use serde_json::json;
use uuid::Uuid;

use crate::audit::{self, Action, Actor, Target};
use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};
use crate::roles::{self, Granted, Permission};
use crate::text;

const ISSUE: &str =
    "insert into tickets (token_hash, purpose, user_id, session_id, uses_left, created_at, expires_at, id, issued_by_id)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
// One statement reads and counts down: two who race for the last use cannot both win.
const USE: &str = "update tickets set uses_left = uses_left - 1
    where token_hash = $1 and purpose = $2 and uses_left > 0 and expires_at > $3 returning id, user_id, session_id, issued_by_id";
const HOLDER: &str = "select user_id, session_id from tickets where token_hash = $1 and purpose = $2 and uses_left > 0 and expires_at > $3";
const SWEEP: &str = "delete from tickets where expires_at <= $1";
const WITHDRAW: &str = "delete from tickets where purpose = $1";
const WITHDRAW_OF_USER: &str = "delete from tickets where user_id = $1 and purpose = $2";
const WITHDRAW_ONE: &str = "delete from tickets where id = $1 and purpose = $2";
const LIST: &str = "select id, user_id, uses_left, created_at, expires_at from tickets
    where purpose = $1 and expires_at > $2 and uses_left > 0 and id is not null order by expires_at limit 100";

/// What a ticket is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Making the first administrator.
    SetUp,
    /// Making an account.
    Invitation,
    /// Opening one socket.
    Gateway,
    /// Choosing a new password; issued by an administrator.
    PasswordReset,
    /// The same, sent to the account's address: who holds the link holds the address.
    PasswordResetByMail,
}

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Self::SetUp => "set_up",
            Self::Invitation => "invitation",
            Self::Gateway => "gateway",
            Self::PasswordReset => "password_reset",
            Self::PasswordResetByMail => "password_reset_by_mail",
        }
    }
}

/// Whom a used ticket names.
#[derive(Clone, Copy, Debug, Default)]
pub struct Holder {
    /// The ticket that was used; what is to be issued has none yet.
    pub ticket_id: Option<Uuid>,
    /// Whose it is, or who issued it.
    pub user_id: Option<UserId>,
    /// For which session.
    pub session_id: Option<SessionId>,
    /// The administrator who issued it for somebody else; worth no more than they may when it is used.
    pub issued_by_id: Option<UserId>,
}

/// Issues a ticket; the answer is shown once and stored nowhere.
pub async fn issue(
    tx: &mut Tx,
    purpose: Purpose,
    holder: Holder,
    uses: u32,
    lasts: Duration,
) -> Result<String> {
    Ok(issue_named(tx, purpose, holder, uses, lasts).await?.1)
}

async fn issue_named(
    tx: &mut Tx,
    purpose: Purpose,
    holder: Holder,
    uses: u32,
    lasts: Duration,
) -> Result<(Uuid, String)> {
    let (now, id) = (Timestamp::now(), confab_protocol::fresh_id());
    let secret = text::secret();
    run!(
        tx,
        sqlx::query(ISSUE)
            .bind(text::hash(&secret))
            .bind(purpose.as_str())
            .bind(holder.user_id.map(|id| id.0))
            .bind(holder.session_id.map(|id| id.0))
            .bind(i64::from(uses))
            .bind(now.0)
            .bind(now.plus(lasts).0)
            .bind(id)
            .bind(holder.issued_by_id.map(|id| id.0)),
        execute
    )?;
    Ok((id, secret))
}

/// Uses a ticket once.
///
/// # Errors
/// [`Fault::NotFound`] alike for one that never was, is used up or has expired.
pub async fn redeem(tx: &mut Tx, purpose: Purpose, secret: &str) -> Result<Holder> {
    let row: Option<UsedRow> = run!(
        tx,
        sqlx::query_as(USE).bind(text::hash(secret)).bind(purpose.as_str()).bind(Timestamp::now().0),
        fetch_optional
    )?;
    let row = row.ok_or(Fault::NotFound("ticket"))?;
    Ok(Holder {
        ticket_id: row.id,
        user_id: row.user_id.map(UserId),
        session_id: row.session_id.map(SessionId),
        issued_by_id: row.issued_by_id.map(UserId),
    })
}

#[derive(sqlx::FromRow)]
struct UsedRow {
    id: Option<Uuid>,
    user_id: Option<Uuid>,
    session_id: Option<Uuid>,
    issued_by_id: Option<Uuid>,
}

/// Whether a ticket would work now.
pub async fn is_live(on: &mut impl Read, purpose: Purpose, secret: &str) -> Result<bool> {
    Ok(holder_of(on, purpose, secret).await?.is_some())
}

/// Whom a live ticket names, without using it.
pub async fn holder_of(on: &mut impl Read, purpose: Purpose, secret: &str) -> Result<Option<Holder>> {
    let row: Option<(Option<Uuid>, Option<Uuid>)> = run!(
        on,
        sqlx::query_as(HOLDER).bind(text::hash(secret)).bind(purpose.as_str()).bind(Timestamp::now().0),
        fetch_optional
    )?;
    let named = |(user, session): (Option<Uuid>, Option<Uuid>)| Holder {
        user_id: user.map(UserId),
        session_id: session.map(SessionId),
        ..Holder::default()
    };
    Ok(row.map(named))
}

/// Makes all tickets of a purpose void.
pub async fn withdraw(tx: &mut Tx, purpose: Purpose) -> Result<()> {
    run!(tx, sqlx::query(WITHDRAW).bind(purpose.as_str()), execute)?;
    Ok(())
}

/// Drops what has expired.
pub async fn sweep(tx: &mut Tx) -> Result<()> {
    run!(tx, sqlx::query(SWEEP).bind(Timestamp::now().0), execute)?;
    Ok(())
}

/// Makes every link void by which somebody could choose a password: another password, another address or other powers
/// make another account of it.
pub(crate) async fn void_links(tx: &mut Tx, user: UserId) -> Result<()> {
    withdraw_of_user(tx, Purpose::PasswordReset, user).await?;
    withdraw_of_user(tx, Purpose::PasswordResetByMail, user).await
}

/// Makes one user's tickets of a purpose void.
pub async fn withdraw_of_user(tx: &mut Tx, purpose: Purpose, user: UserId) -> Result<()> {
    run!(tx, sqlx::query(WITHDRAW_OF_USER).bind(user.0).bind(purpose.as_str()), execute)?;
    Ok(())
}

/// A ticket without its secret.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// Which.
    pub id: Uuid,
    /// Who issued it.
    pub user_id: Option<UserId>,
    /// How often it still works.
    pub uses_left: i64,
    /// When it was issued.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// The live invitations, the first to end first, at most a hundred.
pub async fn invitations(on: &mut impl Read) -> Result<Vec<Ticket>> {
    let purpose = Purpose::Invitation.as_str();
    let rows: Vec<(Uuid, Option<Uuid>, i64, i64, i64)> =
        run!(on, sqlx::query_as(LIST).bind(purpose).bind(Timestamp::now().0), fetch_all)?;
    Ok(rows
        .into_iter()
        .map(|(id, user, uses_left, created_at, expires_at)| Ticket {
            id,
            user_id: user.map(UserId),
            uses_left,
            created_at: Timestamp(created_at),
            expires_at: Timestamp(expires_at),
        })
        .collect())
}

/// Makes an invitation. Answers its id and its secret, which is shown this once.
pub async fn invite(tx: &mut Tx, by: &Granted, uses: u32, lasts: Duration) -> Result<(Uuid, String)> {
    let holder = Holder { user_id: by.actor().user_id, ..Holder::default() };
    let (id, secret) = issue_named(tx, Purpose::Invitation, holder, uses, lasts).await?;
    let detail = json!({ "max_uses": uses, "hours": lasts.as_secs() / 3_600 });
    let target = Some(Target::new("invitation", id));
    audit::note(tx, by.actor(), Action::InvitationCreated, target, detail).await?;
    Ok((id, secret))
}

/// Uses an invitation for a new account.
///
/// # Errors
/// [`Fault::NotFound`] alike for one that never was, is used up or has expired.
pub async fn use_invitation(tx: &mut Tx, by: &Actor, secret: &str) -> Result<()> {
    let unknown = |fault: Fault| match fault {
        Fault::NotFound(_) => Fault::NotFound("invitation"),
        other => other,
    };
    let used = redeem(tx, Purpose::Invitation, secret).await.map_err(unknown)?;
    // Whoever made it may have been shown out since, or may invite no more.
    if let Some(inviter) = used.user_id {
        let gone = |_| Fault::NotFound("invitation");
        roles::ask_as(tx, inviter, Permission::UsersInvite).await.map_err(gone)?;
    }
    let target = used.ticket_id.map(|id| Target::new("invitation", id));
    audit::note(tx, by, Action::InvitationUsed, target, json!(null)).await
}

/// Makes one invitation void.
///
/// # Errors
/// [`Fault::NotFound`].
pub async fn revoke_invitation(tx: &mut Tx, by: &Granted, id: Uuid) -> Result<()> {
    let gone = run!(tx, sqlx::query(WITHDRAW_ONE).bind(id).bind(Purpose::Invitation.as_str()), execute)?;
    if gone == 0 {
        return Err(Fault::NotFound("invitation"));
    }
    let target = Target::new("invitation", id);
    audit::note(tx, by.actor(), Action::InvitationRevoked, Some(target), json!(null)).await
}
