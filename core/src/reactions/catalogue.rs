//! The catalogue: reactions of this server's own, beside the system's emoji. People add pictures, plugins symbols.

use confab_protocol::{EventKind, Timestamp, UserId};
use serde_json::json;
use uuid::Uuid;

use crate::audit::{self, Action, Actor, Target};
use crate::db::write::Emission;
use crate::db::{Read, Tx, run, run_in};
use crate::fault::{Fault, Result};
use crate::files::pictures;
use crate::plugins::parts;
use crate::roles::Granted;
use crate::{policies, text};

/// Longest code that people give.
pub const CODE_CHARACTERS: usize = 32;
/// Most reactions with a picture (docs/limits.md).
pub const MOST: i64 = 500;
/// Pictures that a plugin's reaction has and had, which messages go on showing (docs/limits.md).
const IMAGES: i64 = 32;

const COLUMNS: &str =
    "select code, name, symbol, is_system, plugin_id, image_sha256, who, per_message, per_day, created_by_id, created_at
    from reactions";
const ALL: &str = "order by code";
const PAGE: &str = "where code > $1 order by code limit $2";
const BY_CODE: &str = "where code = $1";
const BY_CODES: &str = "where code in";
const OWNER: &str = "select plugin_id from reactions where code = $1 and plugin_id is not null";
const HOLD: &str = "update plugins set updated_at = updated_at where id = $1 and is_enabled = true";
// It takes no code from anybody, whoever came between: see `Custom::is_for`.
const REGISTER: &str = "insert into reactions (code, name, symbol, is_system, plugin_id, image_sha256, who, per_message,
    per_day, created_by_id, created_at) values ($1, $2, $3, false, $4, $5, $6, $7, $8, null, $9)
    on conflict (code) do update set name = excluded.name, symbol = excluded.symbol, plugin_id = excluded.plugin_id,
    image_sha256 = excluded.image_sha256, who = excluded.who, per_message = excluded.per_message,
    per_day = excluded.per_day
    where reactions.plugin_id = excluded.plugin_id
    or (reactions.plugin_id is null and reactions.created_by_id is null and reactions.is_system = false)";
const SHOW: &str = "insert into reaction_images (sha256, code, shown_at) values ($1, $2, $3)
    on conflict (sha256, code) do update set shown_at = excluded.shown_at";
const FORGET_OLDEST: &str = "delete from reaction_images where code = $1 and sha256 not in
    (select sha256 from reaction_images where code = $1 order by shown_at desc, sha256 limit $2)";
const CREATE: &str =
    "insert into reactions (code, name, symbol, is_system, plugin_id, image_sha256, created_by_id, created_at)
    values ($1, $2, null, false, null, $3, $4, $5) on conflict (code) do nothing";
// Those of people: what a plugin left behind was added by nobody.
const COUNT_PICTURES: &str =
    "select count(*) from reactions where image_sha256 is not null and plugin_id is null
    and created_by_id is not null";
// Names were hashes of the bytes once, and equal for equal ones.
const WITH_IMAGE: &str = "select count(*) from reactions where image_sha256 = $1";
const DELETE: &str = "delete from reactions where code = $1";

/// A reaction of the catalogue.
#[derive(Clone, Debug, serde::Serialize, sqlx::FromRow)]
pub struct Custom {
    /// What is stored under a message.
    pub code: String,
    /// What it is called.
    pub name: String,
    /// What it looks like, as text.
    pub symbol: Option<String>,
    /// Comes with the server.
    pub is_system: bool,
    /// The plugin that made it.
    pub plugin_id: Option<String>,
    /// The name of its picture, see [`pictures`]; of a plugin's the hash of the file, see [`parts`].
    pub image_sha256: Option<String>,
    /// A plugin's: the least role in the channel of those who may put it, or `superuser`. `None`: everybody.
    pub who: Option<String>,
    /// A plugin's: most of it under one message.
    pub per_message: Option<i64>,
    /// A plugin's: how often a person may put it in a day (of UTC).
    pub per_day: Option<i64>,
    /// Who added it: of people's it is always there, since a deleted account keeps its row. `None`: no person did.
    pub created_by_id: Option<Uuid>,
    /// When, in milliseconds.
    pub created_at: i64,
}

impl Custom {
    /// Where its picture is.
    #[must_use]
    pub fn image_url(&self) -> Option<String> {
        self.image_sha256.as_deref().map(pictures::address)
    }

    /// Whether it is this plugin's, or may be: another plugin brought it that is gone since, such as the same one before
    /// it was installed again. What a person added stays theirs.
    #[must_use]
    pub fn is_for(&self, plugin_id: &str) -> bool {
        let is_left_behind = self.plugin_id.is_none() && self.created_by_id.is_none() && !self.is_system;
        is_left_behind || self.plugin_id.as_deref() == Some(plugin_id)
    }
}

/// The whole catalogue.
pub async fn catalogue(on: &mut impl Read) -> Result<Vec<Custom>> {
    Ok(run!(on, sqlx::query_as(sqlx::AssertSqlSafe(format!("{COLUMNS} {ALL}"))), fetch_all)?)
}

/// A page of it, after the code `after`, in order of code.
pub async fn page(on: &mut impl Read, after: &str, limit: u32) -> Result<Vec<Custom>> {
    let text = format!("{COLUMNS} {PAGE}");
    Ok(run!(
        on,
        sqlx::query_as(sqlx::AssertSqlSafe(text)).bind(after.to_owned()).bind(i64::from(limit)),
        fetch_all
    )?)
}

/// Those of the codes that are in it. At most 500 codes.
pub(crate) async fn of_codes(on: &mut impl Read, codes: &[String]) -> Result<Vec<Custom>> {
    let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
    Ok(run_in!(on, Custom, format!("{COLUMNS} {BY_CODES}"), &codes, "")?)
}

/// The plugin whose reaction this code is: the only one that is told of it, and that has a say before it is put. `None`:
/// a person's, one that was left behind, or none of the catalogue.
///
/// # Errors
/// Those of the record.
pub async fn owner(on: &mut impl Read, code: &str) -> Result<Option<String>> {
    Ok(run!(on, sqlx::query_scalar(OWNER).bind(code.to_owned()), fetch_optional)?)
}

/// What somebody adds.
#[derive(Clone, Debug)]
pub struct NewCustom {
    /// 2 to 32 of `a-z`, `0-9`, `_` and `-`.
    pub code: String,
    /// 1 to 100 characters.
    pub name: String,
    /// Of a picture that was decoded, encoded anew and put under the key that was promised for this name.
    pub image_sha256: String,
}

/// A code that people may give.
///
/// # Errors
/// [`Fault::Invalid`] in `code` for another form and for an emoji's short name.
pub fn check_code(code: &str) -> Result<()> {
    let has_form = (2..=CODE_CHARACTERS).contains(&code.len())
        && code.bytes().all(|it| matches!(it, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
        && code.bytes().any(|it| it.is_ascii_lowercase());
    if !has_form {
        let message = format!("has 2 to {CODE_CHARACTERS} of a-z, 0-9, _ and -, and at least one letter");
        return Err(Fault::invalid("code", message));
    }
    if emojis::get_by_shortcode(code).is_some() {
        return Err(Fault::invalid("code", "is the short name of an emoji"));
    }
    Ok(())
}

/// Adds a reaction with a picture. `by` proves the permission `reactions.create`, and is a person.
///
/// # Errors
/// [`Fault::Invalid`]; [`Fault::Conflict`] with code `code_taken` or `too_many_reactions`; [`Fault::Internal`] for nobody.
pub async fn create(tx: &mut Tx, by: &Granted, new: NewCustom) -> Result<Custom> {
    check_code(&new.code)?;
    let name = text::line("name", &new.name, 100)?;
    // Without a creator a plugin could take it for what another left behind.
    let creator = by.actor().user_id.ok_or_else(|| Fault::Internal("nobody adds this reaction".into()))?;
    // One at a time, or two who add the last one at once would both find room.
    policies::lock(tx).await?;
    let pictures: i64 = run!(tx, sqlx::query_scalar(COUNT_PICTURES), fetch_one)?;
    if pictures >= MOST {
        return Err(Fault::conflict(
            "too_many_reactions",
            format!("there can be at most {MOST} reactions of one's own"),
        ));
    }
    let added = run!(
        tx,
        sqlx::query(CREATE)
            .bind(new.code.clone())
            .bind(name.clone())
            .bind(new.image_sha256.clone())
            .bind(creator.0)
            .bind(Timestamp::now().0),
        execute
    )?;
    if added == 0 {
        return Err(Fault::conflict("code_taken", "another reaction has this code"));
    }
    pictures::keep(tx, &new.image_sha256).await?;
    tell(tx, Some(creator), &new.code);
    let target = Target::named("reaction", &new.code);
    audit::note(tx, by.actor(), Action::ReactionCreated, Some(target), json!({ "name": name })).await?;
    find(tx, &new.code).await
}

async fn find(on: &mut impl Read, code: &str) -> Result<Custom> {
    let text = format!("{COLUMNS} {BY_CODE}");
    let found: Option<Custom> =
        run!(on, sqlx::query_as(sqlx::AssertSqlSafe(text)).bind(code.to_owned()), fetch_optional)?;
    found.ok_or(Fault::NotFound("reaction"))
}

/// Takes a reaction from the catalogue: whoever added it, or the holder of `manages`, which proves the permission
/// `reactions.manage`. Where it stands under messages it stays, shown by its code. Its picture goes with the last reaction that shows it.
///
/// # Errors
/// [`Fault::Forbidden`] with code `not_yours`; [`Fault::Conflict`] with code `plugins_reaction` for one that a plugin
/// brought; [`Fault::NotFound`].
pub async fn remove_custom(tx: &mut Tx, by: &Actor, manages: Option<&Granted>, code: &str) -> Result<()> {
    policies::lock(tx).await?;
    let known = find(tx, code).await?;
    if known.plugin_id.is_some() || known.is_system {
        return Err(Fault::conflict("plugins_reaction", "this reaction belongs to a plugin"));
    }
    let is_own = known.created_by_id.is_some() && known.created_by_id == by.user_id.map(|it| it.0);
    if !is_own && manages.is_none() {
        return Err(Fault::forbidden("not_yours", "somebody else added this reaction"));
    }
    run!(tx, sqlx::query(DELETE).bind(code.to_owned()), execute)?;
    if let Some(image) = &known.image_sha256 {
        // Whoever adds or removes another holds the same lock.
        let shown: i64 = run!(tx, sqlx::query_scalar(WITH_IMAGE).bind(image.clone()), fetch_one)?;
        // That of a plugin that is gone lies in the record, and its own sweep removes it.
        if shown == 0 && !parts::is_here(tx, image).await? {
            pictures::give_up(tx, image).await?;
        }
    }
    tell(tx, by.user_id, code);
    let detail = json!({ "name": known.name });
    audit::note(tx, by, Action::ReactionDeleted, Some(Target::named("reaction", code)), detail).await
}

fn tell(tx: &mut Tx, by: Option<UserId>, code: &str) {
    let mut emission = Emission::new(EventKind::ReactionCatalogueUpdated, Uuid::nil()).detail(code);
    emission.actor_id = by;
    tx.emit(emission);
}

/// A reaction that a plugin brings.
#[derive(Clone, Debug)]
pub struct OfPlugin {
    /// Letters, digits, `-`, `_` and `:`; no emoji's short name.
    pub code: String,
    /// 1 to 100 characters.
    pub name: String,
    /// What it looks like, as text.
    pub symbol: Option<String>,
    /// The hash of the file whose picture is kept in the record ([`parts`]).
    pub image_sha256: Option<String>,
    /// The least role in the channel of those who may put it, or `superuser`. `None`: everybody.
    pub who: Option<String>,
    /// Most of it under one message.
    pub per_message: Option<i64>,
    /// How often a person may put it in a day (of UTC).
    pub per_day: Option<i64>,
}

impl OfPlugin {
    /// Whether the catalogue says the same of it already.
    #[must_use]
    pub fn is(&self, known: &Custom) -> bool {
        // By name, all of them: one that is forgotten here would never reach the catalogue by an update, so it does not compile.
        let Self { code, name, symbol, image_sha256, who, per_message, per_day } = self;
        (*code == known.code && *name == known.name && *symbol == known.symbol)
            && (*image_sha256 == known.image_sha256 && *who == known.who)
            && (*per_message == known.per_message && *per_day == known.per_day)
    }
}

/// Registers a plugin's own reaction, and keeps the picture that it has. Answers whether it is that plugin's: not where
/// the plugin was removed or switched off meanwhile, or the code is another's.
///
/// # Errors
/// [`Fault::Invalid`] for a code that is an emoji's or no word.
pub async fn register(tx: &mut Tx, new: OfPlugin, plugin_id: &str) -> Result<bool> {
    let is_word = !new.code.is_empty()
        && new.code.len() <= 64
        && new.code.chars().all(|it| it.is_ascii_alphanumeric() || "_-:".contains(it));
    if !is_word || emojis::get_by_shortcode(&new.code).is_some() {
        return Err(Fault::invalid("code", "must be a word of its own: letters, digits, - _ and :"));
    }
    let name = text::line("name", &new.name, 100)?;
    // Whoever removes the plugin or switches it off waits for this, or this waits for them: nothing comes back.
    if run!(tx, sqlx::query(HOLD).bind(plugin_id.to_owned()), execute)? == 0 {
        return Ok(false);
    }
    let now = Timestamp::now().0;
    let registered = run!(
        tx,
        sqlx::query(REGISTER)
            .bind(new.code.clone())
            .bind(name.clone())
            .bind(new.symbol.clone())
            .bind(plugin_id.to_owned())
            .bind(new.image_sha256.clone())
            .bind(new.who.clone())
            .bind(new.per_message)
            .bind(new.per_day)
            .bind(now),
        execute
    )?;
    if registered == 0 {
        return Ok(false);
    }
    if let Some(image) = &new.image_sha256 {
        run!(tx, sqlx::query(SHOW).bind(image.clone()).bind(new.code.clone()).bind(now), execute)?;
        run!(tx, sqlx::query(FORGET_OLDEST).bind(new.code.clone()).bind(IMAGES), execute)?;
    }
    tell(tx, None, &new.code);
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::check_code;

    #[test]
    fn codes_are_words_of_ones_own() {
        for code in ["ship-it", "a1", "party_parrot", &"x".repeat(32)] {
            assert!(check_code(code).is_ok(), "{code}");
        }
        for code in
            ["", "a", "30", "Ship", "a b", "../x", "tada", "a/b", "é1", ":x:", "a.svg", &"x".repeat(33)]
        {
            assert!(check_code(code).is_err(), "{code}");
        }
    }
}
