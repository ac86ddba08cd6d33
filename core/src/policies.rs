//! What administrators chose at run time. Settings that need a restart are in `config`.

use confab_protocol::Timestamp;
use serde::{Deserialize, Serialize};

use crate::audit::{self, Action, Target};
use crate::db::write::Emission;
use crate::db::{Read, Tx, run};
use crate::fault::Result;
use crate::roles::Granted;

const GET: &str = "select value from policies where name = 'accounts'";
const LOCK: &str = "update policies set updated_at = $1 where name = 'accounts'";
const SET: &str = "update policies set value = $1, updated_at = $2 where name = 'accounts'";

/// The rules of accounts. Absent fields of an older text are their defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Accounts {
    /// Everyone needs a second factor, but for bots and sessions of an outside issuer; personal tokens wait for it too.
    pub require_two_factor: bool,
}

/// The detail of an [`AccessChanged`](confab_protocol::EventKind::AccessChanged) that is not of one person: whoever holds a role, or
/// all under a rule. Without it nobody else need be looked up again.
pub const FOR_EVERYBODY: &str = "everybody";

/// The rules that hold now.
pub async fn accounts(on: &mut impl Read) -> Result<Accounts> {
    let value: Option<String> = run!(on, sqlx::query_scalar(GET), fetch_optional)?;
    Ok(value.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

/// Chooses other rules: a superuser's doing. They hold for live sessions within seconds.
pub async fn set_accounts(tx: &mut Tx, by: &Granted, rules: Accounts) -> Result<Accounts> {
    by.superuser()?;
    let text = serde_json::to_string(&rules).unwrap_or_default();
    run!(tx, sqlx::query(SET).bind(text.clone()).bind(Timestamp::now().0), execute)?;
    let everybody = Emission::new(confab_protocol::EventKind::AccessChanged, uuid::Uuid::nil());
    tx.emit(everybody.detail(FOR_EVERYBODY));
    let target = Target::named("policy", "accounts");
    audit::note(tx, by.actor(), Action::PolicyChanged, Some(target), serde_json::json!(rules)).await?;
    Ok(rules)
}

/// Holds the lock under which superusers change until the transaction ends: two who demote each other at once would
/// leave none.
pub(crate) async fn lock(tx: &mut Tx) -> Result<()> {
    run!(tx, sqlx::query(LOCK).bind(Timestamp::now().0), execute)?;
    Ok(())
}
