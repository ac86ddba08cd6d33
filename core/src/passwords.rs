//! Passwords: Argon2id with OWASP's minimum (19 MiB, two passes, one lane), never more at once than there are cores.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use tokio::sync::Semaphore;

use crate::fault::{Fault, Result};

/// Shortest password, in characters.
pub const SHORTEST: usize = 8;
/// Longest password, in bytes: hashing a megabyte would be a gift to an attacker.
pub const LONGEST_BYTES: usize = 1_024;
/// How long a caller waits for a place before the server says that it is busy.
const WAIT: Duration = Duration::from_secs(5);

/// Each hash takes 19 MiB and a core: more at once than cores only adds memory.
static PLACES: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    Arc::new(Semaphore::new(std::thread::available_parallelism().map_or(2, std::num::NonZero::get)))
});

/// Checks a new password's form.
///
/// # Errors
/// [`Fault::Invalid`] in `password`; the text never repeats it.
pub fn check(password: &str) -> Result<()> {
    if password.chars().count() < SHORTEST {
        return Err(Fault::invalid("password", format!("must have at least {SHORTEST} characters")));
    }
    if password.len() > LONGEST_BYTES {
        return Err(Fault::invalid("password", format!("must have at most {LONGEST_BYTES} bytes")));
    }
    Ok(())
}

/// The hash to store.
pub async fn hash(password: String) -> Result<String> {
    on_a_core(move || {
        Argon2::default()
            .hash_password(password.as_bytes())
            .map(|hash| hash.to_string())
            .map_err(Fault::internal)
    })
    .await?
}

/// Whether the password is the one hashed. `None` stands for an unknown user and costs the same time: the answer's
/// delay must not tell who has an account.
pub async fn verify(password: String, stored: Option<String>) -> Result<bool> {
    if password.len() > LONGEST_BYTES {
        return Ok(false);
    }
    on_a_core(move || {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| NOBODY.clone());
        let Ok(hash) = PasswordHash::new(&stored) else { return false };
        Argon2::default().verify_password(password.as_bytes(), &hash).is_ok() && known
    })
    .await
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
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(verify("correct horse".into(), Some(stored.clone())).await.expect("an answer"));
        assert!(!verify("correct horsE".into(), Some(stored)).await.expect("an answer"));
        assert!(!verify("correct horse".into(), None).await.expect("an answer"));
    }
}
