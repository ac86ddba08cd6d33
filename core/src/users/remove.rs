//! Deleting an account: the person goes, what they wrote stays.

use confab_protocol::{ChannelId, EventKind, Timestamp, UserId};
use serde_json::json;
use uuid::Uuid;

use super::account::{keep_one_superuser, refuse_own};
use super::{covered, void_credentials};
use crate::audit::{self, Action, Target};
use crate::db::write::Emission;
use crate::db::{Tx, run};
use crate::fault::{Fault, Result};
use crate::roles::Granted;
use crate::{
    assistant, attention, conversations, drafts, members, policies, push, reactions, reminders,
    scheduled_messages, whispers,
};

const IS_OF_PLUGIN: &str = "select count(*) from plugins where bot_id = $1";
// Others' conversations with them keep their two people.
const CHANNELS: &str = "select m.channel_id from memberships m join channels c on c.id = m.channel_id
    where m.user_id = $1 and m.to_seq is null and c.kind not in ('direct', 'group') order by m.channel_id";
const ERASE: &str = "update users set username = $2, username_key = $2, username_skeleton = null, email = null, email_key = null,
    email_verified_at = null, full_name = 'Deleted user', bio = null, picture_url = null, password_hash = null,
    is_active = false, is_superuser = false, deleted_at = $3, updated_at = $3 where id = $1 and deleted_at is null";
const DROP_ROLES: &str = "delete from user_roles where user_id = $1";
const DROP_BOOKMARKS: &str = "delete from bookmarks where user_id = $1";
const DROP_FOLLOWS: &str = "delete from thread_follows where user_id = $1";
const DROP_KEYS: &str = "delete from idempotency_keys where user_id = $1";
const DROP_PRESENCE: &str = "delete from presences where user_id = $1";

/// Deletes an account. Messages and files stay, their author is shown as deleted; channels that they alone owned pass to
/// the member who is next in rank.
///
/// # Errors
/// [`Fault::Conflict`] with code `last_superuser`, `own_account` or `plugin_bot`; [`Fault::Forbidden`] for who may more.
pub async fn remove(tx: &mut Tx, by: &Granted, id: UserId) -> Result<()> {
    policies::lock(tx).await?;
    super::lock(tx, id).await?;
    let user = covered(tx, by, id).await?;
    refuse_own(by, id)?;
    keep_one_superuser(tx, &user).await?;
    let plugins: i64 = run!(tx, sqlx::query_scalar(IS_OF_PLUGIN).bind(id.0), fetch_one)?;
    if plugins > 0 {
        return Err(Fault::conflict("plugin_bot", "a plugin acts as this bot; remove the plugin instead"));
    }
    if assistant::account(tx).await? == Some(id) {
        return Err(Fault::conflict(
            "assistant_account",
            "the assistant answers as this bot; switch it off instead",
        ));
    }
    let channels: Vec<Uuid> = run!(tx, sqlx::query_scalar(CHANNELS).bind(id.0), fetch_all)?;
    for channel in channels {
        members::withdraw(tx, ChannelId(channel), id).await?;
    }
    void_credentials(tx, id).await?;
    for statement in [DROP_ROLES, DROP_PRESENCE, DROP_BOOKMARKS, DROP_FOLLOWS, DROP_KEYS] {
        run!(tx, sqlx::query(statement).bind(id.0), execute)?;
    }
    drafts::forget(tx, id).await?;
    scheduled_messages::forget(tx, id).await?;
    reminders::forget(tx, id).await?;
    attention::forget(tx, id).await?;
    push::forget(tx, id).await?;
    conversations::forget_of(tx, id).await?;
    whispers::forget(tx, id).await?;
    // With a letter that no name may have, so that nobody can have taken it in wait.
    let name = format!("deleted/{}", &id.0.simple().to_string()[16..]);
    run!(tx, sqlx::query(ERASE).bind(id.0).bind(name.clone()).bind(Timestamp::now().0), execute)?;
    // Behind that: whoever puts a reaction at this moment holds the account's row and then counts it.
    reactions::forget(tx, id).await?;
    super::own::give_up_picture(tx, user.picture_url.as_deref()).await?;
    members::rename(tx, id, &name).await?;
    tx.emit(Emission::new(EventKind::UserUpdated, id));
    let detail = json!({ "username": user.username });
    audit::note(tx, by.actor(), Action::AccountDeleted, Some(Target::user(id)), detail).await
}
