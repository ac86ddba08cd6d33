//! Passwords: Argon2id with OWASP's minimum (19 MiB, two passes, one lane), never more at once than there are cores.
//! Hashes of bcrypt, as other chat servers keep them, are accepted once and replaced.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use tokio::sync::Semaphore;
use zxcvbn::Score;

use crate::fault::{Fault, Result};

/// Shortest password, in characters.
pub const SHORTEST: usize = 8;
/// Longest password, in bytes: hashing a megabyte would be a gift to an attacker.
pub const LONGEST_BYTES: usize = 1_024;
/// How long a caller waits for a place before the server says that it is busy.
const WAIT: Duration = Duration::from_secs(5);
/// Of a long password so many characters are looked at for what is easy to guess; the work grows with their square.
const JUDGED_CHARACTERS: usize = 72;

/// Each hash takes 19 MiB and a core: more at once than cores only adds memory.
static PLACES: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    Arc::new(Semaphore::new(std::thread::available_parallelism().map_or(2, std::num::NonZero::get)))
});

/// Checks a new password's length, which is cheap.
///
/// # Errors
/// [`Fault::Invalid`] in `field`; the text never repeats the password.
pub fn check_length(field: &'static str, password: &str) -> Result<()> {
    if password.chars().count() < SHORTEST {
        return Err(Fault::invalid(field, format!("must have at least {SHORTEST} characters")));
    }
    if password.len() > LONGEST_BYTES {
        return Err(Fault::invalid(field, format!("must have at most {LONGEST_BYTES} bytes")));
    }
    Ok(())
}

/// The hash of a new password, once it is found good enough: long enough, and not among the first million guesses
/// (zxcvbn's score 2 of 4; sign-in is limited to far fewer). `about` is what is known of the person: their name as a
/// password is no secret.
///
/// # Errors
/// [`Fault::Invalid`] in `field` with a reason for people.
pub async fn accept(field: &'static str, password: String, about: Vec<String>) -> Result<String> {
    check_length(field, &password)?;
    on_a_core(move || {
        judge(field, &password, &about)?;
        made(&password)
    })
    .await?
}

/// The hash of a password that is not judged: one that an operator chose, or that proved right and had an older hash.
pub async fn hash(password: String) -> Result<String> {
    on_a_core(move || made(&password)).await?
}

fn made(password: &str) -> Result<String> {
    Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string()).map_err(Fault::internal)
}

/// Whether a password is easy to guess, and why.
fn judge(field: &'static str, password: &str, about: &[String]) -> Result<()> {
    let head: String = password.chars().take(JUDGED_CHARACTERS).collect();
    let about: Vec<&str> = about.iter().map(String::as_str).collect();
    let found = zxcvbn::zxcvbn(&head, &about);
    if found.score() >= Score::Two {
        return Ok(());
    }
    let mut reason = String::from("is easy to guess.");
    if let Some(feedback) = found.feedback() {
        let warning = feedback.warning().map(|it| it.to_string());
        let advice = feedback.suggestions().iter().map(ToString::to_string);
        for sentence in warning.into_iter().chain(advice).take(3) {
            reason.push(' ');
            reason.push_str(&sentence);
        }
    }
    Err(Fault::invalid(field, reason))
}

/// What a try at a password was worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// Another password.
    Wrong,
    /// The right one.
    Right,
    /// The right one, but its hash is of an older kind: replace it.
    RightButOld,
}

/// Tries a password on a stored hash. `None` stands for an unknown user and costs the same time: the answer's delay must
/// not tell who has an account.
pub async fn verify(password: String, stored: Option<String>) -> Result<Tried> {
    if password.len() > LONGEST_BYTES {
        return Ok(Tried::Wrong);
    }
    on_a_core(move || {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| NOBODY.clone());
        if is_bcrypt(&stored) {
            let right = bcrypt::verify(&password, &stored).unwrap_or(false);
            return if right { Tried::RightButOld } else { Tried::Wrong };
        }
        let Ok(hash) = PasswordHash::new(&stored) else { return Tried::Wrong };
        let right = Argon2::default().verify_password(password.as_bytes(), &hash).is_ok();
        match (right && known, stored.starts_with(PRESENT)) {
            (false, _) => Tried::Wrong,
            (true, true) => Tried::Right,
            (true, false) => Tried::RightButOld,
        }
    })
    .await
}

/// Whether a text is a hash that [`verify`] can read: what an operator brings from another system.
///
/// # Errors
/// [`Fault::Invalid`] in `password_hash`.
pub fn check_hash(stored: &str) -> Result<()> {
    // What is tried at each sign-in must not take minutes or the whole memory.
    let reads = if is_bcrypt(stored) {
        let parts = stored.parse::<bcrypt::HashParts>();
        parts.is_ok_and(|it| it.get_cost() <= DEAREST_BCRYPT)
    } else {
        let parts = PasswordHash::new(stored).ok().and_then(|it| argon2::Params::try_from(&it).ok());
        stored.starts_with("$argon2id$")
            && parts.is_some_and(|it| it.m_cost() <= 256 * 1_024 && it.t_cost() <= 16 && it.p_cost() <= 8)
    };
    if reads {
        Ok(())
    } else {
        Err(Fault::invalid("password_hash", "is neither an Argon2id nor a bcrypt hash"))
    }
}

/// About two seconds; others use 10 to 12.
const DEAREST_BCRYPT: u32 = 15;
const PRESENT: &str = "$argon2id$v=19$m=19456,t=2,p=1$";

fn is_bcrypt(stored: &str) -> bool {
    ["$2a$", "$2b$", "$2x$", "$2y$"].iter().any(|kind| stored.starts_with(kind))
}

static NOBODY: LazyLock<String> = LazyLock::new(|| {
    let random: [u8; 16] = rand::random();
    Argon2::default().hash_password(&random).map(|hash| hash.to_string()).unwrap_or_default()
});

async fn on_a_core<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let place = tokio::time::timeout(WAIT, PLACES.clone().acquire_owned()).await.map_err(|_| Fault::Busy)?;
    let place = place.map_err(Fault::internal)?;
    tokio::task::spawn_blocking(move || {
        let done = work();
        drop(place);
        done
    })
    .await
    .map_err(Fault::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_right_password_and_no_other() {
        let stored = hash("correct horse".into()).await.expect("a hash");
        assert!(stored.starts_with(PRESENT), "{stored}");
        let tried = async |password: &str, stored: Option<String>| {
            verify(password.into(), stored).await.expect("an answer")
        };
        assert_eq!(tried("correct horse", Some(stored.clone())).await, Tried::Right);
        assert_eq!(tried("correct horsE", Some(stored)).await, Tried::Wrong);
        assert_eq!(tried("correct horse", None).await, Tried::Wrong);
    }

    #[tokio::test]
    async fn a_hash_of_bcrypt_is_read_and_known_to_be_old() {
        let stored = bcrypt::hash("correct horse", 4).expect("a hash");
        check_hash(&stored).expect("a hash that can be read");
        let tried = verify("correct horse".into(), Some(stored.clone())).await.expect("an answer");
        assert_eq!(tried, Tried::RightButOld);
        assert_eq!(verify("wrong".into(), Some(stored)).await.expect("an answer"), Tried::Wrong);
        for bad in [
            "",
            "$2b$10$short",
            "$2b$31$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
            "$argon2id$nonsense",
            "5f4dcc3b5aa765d61d8327deb882cf99",
        ] {
            assert!(check_hash(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn what_is_easy_to_guess_is_refused_with_a_reason() {
        let about = || vec!["ada.lovelace".to_owned(), "ada@example.org".to_owned()];
        for weak in ["passw0rd", "12345678", "qwertyuiop", "ada.lovelace", "aaaaaaaaaaaa", "letmein1"] {
            let fault = accept("password", weak.into(), about()).await.expect_err(weak).to_string();
            assert!(fault.contains("easy to guess"), "{weak}: {fault}");
            assert!(!fault.contains(weak), "the refusal repeats it: {fault}");
        }
        for good in ["correct horse", "a warden keeps many keys", "Grüße aus dem Süden", &"long ".repeat(200)]
        {
            assert!(accept("password", good.into(), about()).await.is_ok(), "{good}");
        }
        assert!(accept("password", "short".into(), about()).await.is_err());
    }
}
