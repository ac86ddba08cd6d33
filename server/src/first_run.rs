//! What happens in an empty folder: folder, keys, default channels, the first administrator or the link to become it.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use confab_core::roles::Granted;
use confab_core::tickets::{self, Holder, Purpose};
use confab_core::users::{self, NewUser};
use confab_core::{
    Db, Fault, FutureExt, Result, Settings, channels, config::Admin, members, passwords, presences, push,
    roles, text,
};

/// A set-up link that nobody used by then is made anew at the next start.
const SET_UP_LASTS: Duration = Duration::from_hours(24);

/// Makes the data folder, for its owner alone.
///
/// # Errors
/// [`Fault::Invalid`] in `data_dir`.
pub fn prepare_folder(folder: &Path) -> Result<()> {
    let fault = |error: std::io::Error| {
        Fault::invalid("data_dir", format!("cannot use {}: {error}", folder.display()))
    };
    if !folder.exists() {
        fs::create_dir_all(folder).map_err(fault)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(fault)?;
        }
    }
    if !folder.is_dir() {
        return Err(Fault::invalid("data_dir", format!("{} is no folder", folder.display())));
    }
    Ok(())
}

/// The key that signs access tokens: from the settings, or made once and kept: in a file that only its owner reads
/// (embedded), or in the record that all servers share (scaled).
pub async fn token_key(settings: &Settings, db: &Db) -> Result<Vec<u8>> {
    if !settings.secret_key.0.is_empty() {
        return Ok(settings.secret_key.0.clone().into_bytes());
    }
    Ok(kept_key(settings, db, "token", text::secret()).await?.into_bytes())
}

/// The key by which push services know this installation. A new one would make every browser's subscription void.
pub async fn push_key(settings: &Settings, db: &Db) -> Result<String> {
    kept_key(settings, db, "vapid", crate::push::new_key()).await
}

async fn kept_key(settings: &Settings, db: &Db, name: &'static str, made: String) -> Result<String> {
    if settings.is_scaled() {
        return db
            .write(move |tx| async move { confab_core::keys::get_or_keep(tx, name, &made).await }.boxed())
            .await;
    }
    let path = settings.data_dir.join(format!("{name}.key"));
    if let Ok(kept) = fs::read_to_string(&path) {
        check_private(&path)?;
        let kept = kept.trim().to_owned();
        if kept.len() < 32 {
            return Err(Fault::invalid(
                "secret_key",
                format!("{} is damaged; delete it to make a new key", path.display()),
            ));
        }
        return Ok(kept);
    }
    write_private(&path, &made)
        .map_err(|error| Fault::invalid("data_dir", format!("{}: {error}", path.display())))?;
    Ok(made)
}

/// Writes a file that only its owner may read, from its first byte on.
pub(crate) fn write_private(path: &Path, content: &str) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()
}

fn check_private(path: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path).map_or(0, |it| it.permissions().mode() & 0o777);
        if mode & 0o077 != 0 {
            let text =
                format!("{} can be read by others (mode {mode:o}); run `chmod 600` on it", path.display());
            return Err(Fault::invalid("secret_key", text));
        }
    }
    Ok(())
}

/// Default channels, and the first administrator. Answers the set-up secret when nobody administers yet.
pub async fn prepare_record(settings: &Settings, db: &Db) -> Result<Option<String>> {
    db.write(|tx| channels::create_defaults(tx).boxed()).await?;
    channels::list_missing_words(db).await?;
    db.write(|tx| members::list_missing(tx).boxed()).await?;
    db.write(|tx| roles::create_defaults(tx).boxed()).await?;
    if db.is_embedded() {
        db.write(|tx| presences::clear(tx).boxed()).await?;
        db.write(|tx| push::release(tx).boxed()).await?;
    }
    if users::has_superuser(&mut db.read()).await? {
        return Ok(None);
    }
    if let Some(admin) = &settings.admin {
        make_admin(db, admin.clone()).await?;
        return Ok(None);
    }
    let secret = db
        .write(|tx| {
            async move {
                // An older link was printed to a terminal that others may have seen since.
                tickets::withdraw(tx, Purpose::SetUp).await?;
                tickets::issue(tx, Purpose::SetUp, Holder::default(), 1, SET_UP_LASTS).await
            }
            .boxed()
        })
        .await?;
    Ok(Some(secret))
}

async fn make_admin(db: &Db, admin: Admin) -> Result<()> {
    passwords::check_length("admin_password", &admin.password.0)?;
    let mut user = NewUser::check(&admin.username, Some(&admin.email), None)?;
    user.is_superuser = true;
    user.email_is_verified = true;
    user.password_hash = Some(passwords::hash(admin.password.0).await?);
    let made = db
        .write(move |tx| async move { users::create_account(tx, &Granted::operator(), user).await }.boxed())
        .await;
    match made {
        Ok(user) => tracing::info!(username = %user.username, "made the first administrator"),
        // Another server of the same Confab was faster.
        Err(Fault::Conflict { .. }) if users::has_superuser(&mut db.read()).await? => {}
        Err(fault) => return Err(fault),
    }
    Ok(())
}
