//! What people change of their own accounts.

use confab_protocol::{EventKind, Timestamp, User, UserId};
use serde_json::json;

use super::{LINE_CHARACTERS, check_email, check_username, covered, find, find_account, refuse_lookalike};
use crate::audit::{self, Action, Actor, Target};
use crate::db::write::Emission;
use crate::db::{Read, Tx, run};
use crate::fault::{Fault, Result};
use crate::files::pictures;
use crate::roles::{self, Granted, Standing};
use crate::sessions::{self, Method};
use crate::{members, policies, text, tickets};

/// Most characters about oneself.
const BIO_CHARACTERS: usize = 1_000;

// An address that changed is nobody's word but its owner's until someone vouches for it again.
const UPDATE: &str =
    "update users set full_name = nullif(coalesce($2, full_name), ''), bio = nullif(coalesce($3, bio), ''),
    username = coalesce($4, username), username_key = coalesce($5, username_key), username_skeleton = coalesce($9, username_skeleton),
    email = coalesce($6, email), email_key = coalesce($7, email_key),
    email_verified_at = case when $7 is null or $7 = email_key then email_verified_at else null end,
    updated_at = $8 where id = $1 and deleted_at is null";
const WITH_PICTURE: &str = "select count(*) from users where picture_url = $1";
const SET_PICTURE: &str = "update users set picture_url = $2, updated_at = $3 where id = $1";
const SET_PASSWORD: &str = "update users set password_hash = $2, updated_at = $3 where id = $1";

/// Changes of an account; absent fields stay as they are.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    /// New full name; empty: none.
    pub full_name: Option<String>,
    /// New words about oneself; empty: none.
    pub bio: Option<String>,
    /// New user name.
    pub username: Option<String>,
    /// New e-mail address. The caller has proven the password: whoever holds the address can reset it.
    pub email: Option<String>,
}

/// One's own account, with what only its owner sees, in a session that began by `method`.
pub async fn own(on: &mut impl Read, id: UserId, method: Method) -> Result<User> {
    let mut user = find_account(on, id).await?;
    let permissions = roles::permissions_of(on, id).await?;
    let standing = Standing { is_superuser: user.is_superuser, permissions };
    user.permissions = Some(standing.all().words().into_iter().map(str::to_owned).collect());
    // One's own last use is now.
    user.last_seen_at = None;
    let is_asked = sessions::asks_second_factor(method, user.is_bot);
    user.two_factor_required = Some(is_asked && policies::accounts(on).await?.require_two_factor);
    Ok(user)
}

/// Changes an account: one's own, or by an administrator.
///
/// # Errors
/// [`Fault::Conflict`] with code `name_taken`; [`Fault::Invalid`] in the field at fault.
pub async fn update(tx: &mut Tx, by: &Actor, id: UserId, profile: Profile) -> Result<User> {
    let full_name = match profile.full_name.as_deref().map(str::trim) {
        // An empty text takes it away, an absent one keeps it.
        Some("") => Some(String::new()),
        name => text::optional_line("full_name", name, LINE_CHARACTERS)?,
    };
    if profile.bio.as_deref().is_some_and(|bio| bio.chars().count() > BIO_CHARACTERS || bio.contains('\0')) {
        return Err(Fault::invalid("bio", format!("has at most {BIO_CHARACTERS} characters and no NUL")));
    }
    let username = profile.username.as_deref().map(check_username).transpose()?;
    let email = check_email(profile.email.as_deref())?;
    if let Some(name) = &username {
        refuse_lookalike(tx, id, name).await?;
    }
    let changed = run!(
        tx,
        sqlx::query(UPDATE)
            .bind(id.0)
            .bind(full_name.clone())
            .bind(profile.bio.clone())
            .bind(username.clone())
            .bind(username.as_deref().map(text::key))
            .bind(email.clone())
            .bind(email.as_deref().map(text::key))
            .bind(Timestamp::now().0)
            .bind(username.as_deref().map(text::skeleton)),
        execute
    );
    match changed {
        Err(error) if Fault::is_duplicate(&error) => {
            return Err(Fault::conflict("name_taken", "this user name or e-mail address is taken"));
        }
        other => other?,
    };
    if let Some(name) = &username {
        members::rename(tx, id, name).await?;
    }
    tx.emit(Emission { actor_id: by.user_id, ..Emission::new(EventKind::UserUpdated, id) });
    if email.is_some() {
        // Links went to the old address, and prove nothing of the new one.
        tickets::void_links(tx, id).await?;
    }
    if username.is_some() || email.is_some() {
        // That it changed, not to what: who reads the log may not read addresses.
        let detail = json!({ "username": username, "email_changed": email.is_some() });
        audit::note(tx, by, Action::AccountUpdated, Some(Target::user(id)), detail).await?;
    }
    find(tx, id).await
}

/// Changes someone else's account: an administrator's doing.
pub async fn update_other(tx: &mut Tx, by: &Granted, id: UserId, profile: Profile) -> Result<User> {
    covered(tx, by, id).await?;
    let changes = (profile.full_name.is_some(), profile.bio.is_some());
    let user = update(tx, by.actor(), id, profile).await?;
    let detail = json!({ "full_name_changed": changes.0, "bio_changed": changes.1 });
    audit::note(tx, by.actor(), Action::AccountUpdated, Some(Target::user(id)), detail).await?;
    Ok(user)
}

/// Shows the picture of that name, whose bytes were promised; none takes the picture away. The sweep removes the bytes of
/// the old one.
///
/// # Errors
/// [`crate::Fault::Conflict`] with code `bytes_gone`: the promise has passed.
pub async fn set_picture(tx: &mut Tx, id: UserId, name: Option<&str>) -> Result<User> {
    // Two who do this at once would both give up the picture before, and one of the two new ones would stay for ever.
    super::lock(tx, id).await?;
    let old = find(tx, id).await?.picture_url;
    if let Some(name) = name {
        pictures::keep(tx, name).await?;
    }
    let url = name.map(pictures::address);
    run!(tx, sqlx::query(SET_PICTURE).bind(id.0).bind(url.clone()).bind(Timestamp::now().0), execute)?;
    tx.emit(Emission::new(EventKind::UserUpdated, id).by(id));
    give_up_picture(tx, old.as_deref()).await?;
    find(tx, id).await
}

/// Gives up the bytes of a picture that its person does not show any more.
pub(super) async fn give_up_picture(tx: &mut Tx, old: Option<&str>) -> Result<()> {
    let Some(url) = old else { return Ok(()) };
    let Some(name) = pictures::name_in(url) else { return Ok(()) };
    // Pictures from before names were random may be shown by others too.
    let shown: i64 = run!(tx, sqlx::query_scalar(WITH_PICTURE).bind(url.to_owned()), fetch_one)?;
    if shown == 0 {
        pictures::give_up(tx, name).await?;
    }
    Ok(())
}

/// Replaces the stored hash. What else a new password means is the caller's to do: see `sign_in`.
pub async fn set_password(tx: &mut Tx, id: UserId, hash: Option<String>) -> Result<()> {
    run!(tx, sqlx::query(SET_PASSWORD).bind(id.0).bind(hash.clone()).bind(Timestamp::now().0), execute)?;
    Ok(())
}
