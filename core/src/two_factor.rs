//! The second factor: time-based codes (RFC 6238) of a person's own device, and recovery codes for when it is lost.

use confab_protocol::{EventKind, Timestamp, UserId};
use rand::Rng;
use serde_json::json;
use totp_rs::{Builder, Secret, Totp};

use crate::audit::{self, Action, Actor, Target};
use crate::db::write::Emission;
use crate::db::{Read, Tx, insert_rows, run};
use crate::fault::{Fault, Result};
use crate::roles::Granted;
use crate::sessions::{self, Method};
use crate::{policies, text, users};

/// Recovery codes of one person.
const RECOVERY_CODES: usize = 10;
/// Letters and digits of a recovery code, without those that look alike: 50 bits each.
const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
const LETTERS_EACH: usize = 10;

const STATE: &str = "select secret, confirmed_at, last_step from two_factors where user_id = $1";
const START: &str =
    "insert into two_factors (user_id, secret, confirmed_at, last_step, created_at) values ($1, $2, null, 0, $3)
    on conflict (user_id) do update set secret = excluded.secret, created_at = excluded.created_at
    where two_factors.confirmed_at is null";
const CONFIRM: &str =
    "update two_factors set confirmed_at = $2, last_step = $3 where user_id = $1 and confirmed_at is null";
// The update decides: of two who use one code at once, one finds the step taken.
const USE_STEP: &str = "update two_factors set last_step = $2 where user_id = $1 and last_step < $2";
const REMOVE: &str = "delete from two_factors where user_id = $1";
const USE_RECOVERY: &str = "delete from recovery_codes where code_hash = $1 and user_id = $2";
const DROP_RECOVERY: &str = "delete from recovery_codes where user_id = $1";
const COUNT_RECOVERY: &str = "select count(*) from recovery_codes where user_id = $1";

/// What somebody has set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Codes are asked for.
    pub enabled: bool,
    /// This server asks this session's user for a second factor.
    pub required: bool,
    /// Recovery codes that are not used up.
    pub recovery_codes_left: i64,
}

/// What a person puts into their device.
#[derive(Clone, Debug)]
pub struct Begun {
    /// In base 32, to type.
    pub secret: String,
    /// The same as a link, for a picture to scan.
    pub otpauth_url: String,
}

/// What a code was worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Of the device, and not used before.
    Good,
    /// A recovery code, which is used up now.
    Recovery,
    /// Neither.
    Wrong,
}

/// What somebody has set up, asked in a session that began by `method`.
pub async fn state(on: &mut impl Read, user: UserId, method: Method) -> Result<State> {
    let is_bot = users::find(on, user).await?.is_bot;
    Ok(State {
        enabled: is_enabled(on, user).await?,
        required: sessions::asks_second_factor(method, is_bot)
            && policies::accounts(on).await?.require_two_factor,
        recovery_codes_left: run!(on, sqlx::query_scalar(COUNT_RECOVERY).bind(user.0), fetch_one)?,
    })
}

/// Whether codes are asked for.
pub async fn is_enabled(on: &mut impl Read, user: UserId) -> Result<bool> {
    Ok(row(on, user).await?.is_some_and(|(_, confirmed, _)| confirmed.is_some()))
}

async fn row(on: &mut impl Read, user: UserId) -> Result<Option<(String, Option<i64>, i64)>> {
    Ok(run!(on, sqlx::query_as(STATE).bind(user.0), fetch_optional)?)
}

fn totp(secret: Secret, name: &str) -> Result<Totp> {
    // The names stand in a link whose parts a colon separates.
    let name = name.replace(':', "_");
    let built = Builder::new().with_secret(secret).with_account_name(name).with_issuer(Some("Confab"));
    built.build().map_err(Fault::internal)
}

/// Begins to set it up: a fresh secret, which counts once [`confirm`] saw a code of it.
///
/// # Errors
/// [`Fault::Conflict`] with code `two_factor_enabled`.
pub async fn start(tx: &mut Tx, user: UserId) -> Result<Begun> {
    let name = users::find(tx, user).await?.username;
    let secret = Secret::new_stack(rand::random());
    let encoded = secret.to_base32();
    let begun =
        run!(tx, sqlx::query(START).bind(user.0).bind(encoded.clone()).bind(Timestamp::now().0), execute)?;
    if begun == 0 {
        return Err(Fault::conflict(
            "two_factor_enabled",
            "a second factor is set up already; disable it first",
        ));
    }
    let otpauth_url = totp(secret, &name)?.to_url().map_err(Fault::internal)?;
    Ok(Begun { secret: encoded, otpauth_url })
}

/// Finishes setting it up with a first code. Answers the recovery codes, which are shown this once.
///
/// # Errors
/// [`Fault::Invalid`] in `code`; [`Fault::Conflict`] with code `two_factor_not_started`.
pub async fn confirm(tx: &mut Tx, by: &Actor, user: UserId, code: &str) -> Result<Vec<String>> {
    let Some((secret, None, _)) = row(tx, user).await? else {
        return Err(Fault::conflict("two_factor_not_started", "begin to set up a second factor first"));
    };
    let step = matching_step(&secret, code)?.ok_or_else(wrong_code)?;
    run!(tx, sqlx::query(CONFIRM).bind(user.0).bind(Timestamp::now().0).bind(step), execute)?;
    let codes = renew(tx, user).await?;
    tx.emit(Emission::new(EventKind::AccessChanged, user));
    audit::note(tx, by, Action::TwoFactorEnabled, Some(Target::user(user)), json!(null)).await?;
    Ok(codes)
}

fn wrong_code() -> Fault {
    Fault::invalid("code", "is not the code that the device shows now")
}

fn matching_step(secret: &str, code: &str) -> Result<Option<i64>> {
    let secret = Secret::try_from_base32(secret).map_err(Fault::internal)?;
    let digits: String = code.chars().filter(|it| !it.is_whitespace()).collect();
    if digits.len() != 6 || !digits.bytes().all(|it| it.is_ascii_digit()) {
        return Ok(None);
    }
    let now = Timestamp::now().0.unsigned_abs() / 1_000;
    // A code is good for 30 seconds, and for the 30 before and after since clocks differ (RFC 6238 §5.2).
    Ok(totp(secret, "x")?.check(&digits, now).map(u64::cast_signed))
}

/// Tries a code of the device or a recovery code; a good one is good this once.
pub async fn check(tx: &mut Tx, by: &Actor, user: UserId, code: &str) -> Result<Code> {
    let Some((secret, Some(_), _)) = row(tx, user).await? else { return Ok(Code::Wrong) };
    if let Some(step) = matching_step(&secret, code)? {
        let is_first = run!(tx, sqlx::query(USE_STEP).bind(user.0).bind(step), execute)? > 0;
        return Ok(if is_first { Code::Good } else { Code::Wrong });
    }
    let typed = plain(code);
    if typed.len() != LETTERS_EACH {
        return Ok(Code::Wrong);
    }
    let gone = run!(tx, sqlx::query(USE_RECOVERY).bind(text::hash(&typed)).bind(user.0), execute)?;
    if gone == 0 {
        return Ok(Code::Wrong);
    }
    audit::note(tx, by, Action::RecoveryCodeUsed, Some(Target::user(user)), json!(null)).await?;
    Ok(Code::Recovery)
}

/// As people type it: with or without the dash, in capitals or not.
fn plain(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).take(64).collect::<String>().to_lowercase()
}

/// Fresh recovery codes; the old ones are void.
async fn renew(tx: &mut Tx, user: UserId) -> Result<Vec<String>> {
    run!(tx, sqlx::query(DROP_RECOVERY).bind(user.0), execute)?;
    let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| fresh_code()).collect();
    let now = Timestamp::now().0;
    insert_rows!(
        tx,
        "insert into recovery_codes (code_hash, user_id, created_at) ",
        codes,
        |place, code| place.push_bind(text::hash(&plain(code))).push_bind(user.0).push_bind(now),
        ""
    );
    Ok(codes)
}

fn fresh_code() -> String {
    let mut random = rand::rng();
    let letters: String =
        (0..LETTERS_EACH).map(|_| char::from(LETTERS[random.random_range(0..LETTERS.len())])).collect();
    format!("{}-{}", &letters[..LETTERS_EACH / 2], &letters[LETTERS_EACH / 2..])
}

/// New recovery codes for someone who just proved their password and a code.
pub async fn renew_recovery_codes(tx: &mut Tx, by: &Actor, user: UserId) -> Result<Vec<String>> {
    let codes = renew(tx, user).await?;
    audit::note(tx, by, Action::RecoveryCodesRenewed, Some(Target::user(user)), json!(null)).await?;
    Ok(codes)
}

/// Gives it up, for someone who just proved their password and a code.
///
/// # Errors
/// [`Fault::Conflict`] with code `two_factor_required_by_policy`.
pub async fn disable(tx: &mut Tx, by: &Actor, user: UserId) -> Result<()> {
    if policies::accounts(tx).await?.require_two_factor {
        return Err(Fault::conflict(
            "two_factor_required_by_policy",
            "this server asks everyone for a second factor",
        ));
    }
    remove(tx, user).await?;
    audit::note(tx, by, Action::TwoFactorDisabled, Some(Target::user(user)), json!(null)).await
}

/// Takes it away from someone who lost their device: an administrator's doing.
pub async fn reset(tx: &mut Tx, by: &Granted, user: UserId) -> Result<()> {
    users::covered(tx, by, user).await?;
    users::refuse_own(by, user)?;
    remove(tx, user).await?;
    audit::note(tx, by.actor(), Action::TwoFactorReset, Some(Target::user(user)), json!(null)).await
}

pub(crate) async fn remove(tx: &mut Tx, user: UserId) -> Result<()> {
    run!(tx, sqlx::query(REMOVE).bind(user.0), execute)?;
    run!(tx, sqlx::query(DROP_RECOVERY).bind(user.0), execute)?;
    tx.emit(Emission::new(EventKind::AccessChanged, user));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_of_the_device_matches_its_step() {
        // RFC 6238 appendix B: the secret "12345678901234567890" at second 59 shows 94287082, of which six digits are asked.
        let secret = Secret::new_stack(*b"12345678901234567890");
        let totp = totp(secret, "ada").expect("a secret");
        assert_eq!(totp.check("287082", 59), Some(1));
        assert_eq!(totp.check("287082", 59 + 90), None, "a code of long ago");
        assert_eq!(totp.check("287083", 59), None);
    }

    #[test]
    fn recovery_codes_are_read_as_people_type_them() {
        let code = fresh_code();
        assert_eq!(code.len(), LETTERS_EACH + 1);
        assert_eq!(plain(&code.to_uppercase().replace('-', " ")), plain(&code));
        assert_ne!(fresh_code(), code);
    }
}
