//! Who wants no assistant, and the account by which it answers in channels. Models and prompts are the worker's.
//!
//! "Off" holds for all that is done with a model: search by meaning, prompts and answers. Words find everything as before.

mod switches;
pub mod usage;

use confab_protocol::UserId;
use uuid::Uuid;

use crate::db::{Read, Tx, run};
use crate::fault::Result;
use crate::users::{self, NewUser};

pub use switches::{
    Rules, Switches, is_off_for, of_channel, of_user, rules, set_of_channel, set_of_user, set_rules, switches,
};

/// The name of its account, by which people mention it.
pub const NAME: &str = "assistant";
/// What the account is called where a person has that name already.
const OTHER_NAMES: [&str; 2] = ["confab-assistant", "assistant-of-this-server"];

const ACCOUNT: &str = "select user_id from own_accounts where name = $1";
const KEEP: &str = "insert into own_accounts (name, user_id) values ($1, $2)";

/// Its account, once there is one.
pub async fn account(on: &mut impl Read) -> Result<Option<UserId>> {
    let found: Option<Uuid> = run!(on, sqlx::query_scalar(ACCOUNT).bind(NAME), fetch_optional)?;
    Ok(found.map(UserId))
}

/// Its account, made where there is none. It is a bot like others, and joins no channel by itself.
pub async fn make_account(tx: &mut Tx) -> Result<UserId> {
    // Two workers that start at once: the second waits here, and finds what the first has made.
    switches::lock(tx).await?;
    if let Some(known) = account(tx).await? {
        return Ok(known);
    }
    let mut username = NAME;
    for other in OTHER_NAMES {
        if users::by_names(tx, &[username.to_owned()]).await?.is_empty() {
            break;
        }
        username = other;
    }
    let mut bot = NewUser::check(username, None, Some("Assistant"))?;
    bot.is_bot = true;
    let id = bot.id;
    users::insert(tx, &[bot]).await?;
    run!(tx, sqlx::query(KEEP).bind(NAME).bind(id.0), execute)?;
    Ok(id)
}
