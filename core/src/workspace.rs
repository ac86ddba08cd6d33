//! What the people of this server call their workspace. Everybody sees it, also before they sign in.

use confab_protocol::Timestamp;
use serde_json::json;

use crate::audit::{self, Action, Actor, Target};
use crate::db::{Read, Tx, run};
use crate::fault::Result;
use crate::roles::Granted;
use crate::text;

/// Longest name.
pub const NAME_CHARACTERS: usize = 60;
/// Its name until somebody chooses one.
pub const UNNAMED: &str = "Confab";

const NAME: &str = "select value from policies where name = 'workspace'";
const SET: &str = "insert into policies (name, value, updated_at) values ('workspace', $1, $2)
    on conflict (name) do update set value = excluded.value, updated_at = excluded.updated_at";

/// The name.
pub async fn name(on: &mut impl Read) -> Result<String> {
    let name: Option<String> = run!(on, sqlx::query_scalar(NAME), fetch_optional)?;
    Ok(name.unwrap_or_else(|| UNNAMED.to_owned()))
}

/// Chooses another name: a superuser's doing.
///
/// # Errors
/// [`crate::Fault::Invalid`] in `name`; [`crate::Fault::Forbidden`] for who is no superuser.
pub async fn rename(tx: &mut Tx, by: &Granted, name: &str) -> Result<String> {
    by.superuser()?;
    let name = text::line("name", name, NAME_CHARACTERS)?;
    set(tx, by.actor(), &name).await?;
    Ok(name)
}

/// Notes a name that was checked.
pub(crate) async fn set(tx: &mut Tx, by: &Actor, name: &str) -> Result<()> {
    run!(tx, sqlx::query(SET).bind(name.to_owned()).bind(Timestamp::now().0), execute)?;
    let target = Target::named("policy", "workspace");
    audit::note(tx, by, Action::PolicyChanged, Some(target), json!({ "name": name })).await
}
