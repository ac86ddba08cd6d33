//! What both programs do first: read settings, start logging, listen for the signal to stop, and say with their exit
//! code what went wrong.

use std::path::Path;

use confab_core::{Fault, Result, Settings};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// Something failed.
pub const FAILED: u8 = 1;
/// The command line or a setting is wrong.
pub const USAGE: u8 = 2;
/// Something that is needed does not answer.
pub const NOT_REACHABLE: u8 = 3;
/// Starting would do harm.
pub const REFUSED: u8 = 4;

/// Reads the settings of this process: `flags`, its environment, `.env` in the working folder, and `config` or the
/// `confab.toml` there.
///
/// # Errors
/// [`Fault::Invalid`] that names every fault at once.
pub fn read_settings(flags: &[(&'static str, String)], config: Option<&Path>) -> Result<Settings> {
    // A name or value that is no Unicode cannot be one of ours; `std::env::vars` would panic on it.
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Settings::read(flags, config, Path::new("."), environment)
}

/// Logs to standard error from here on, as text or as JSON lines. A second call changes nothing.
///
/// # Errors
/// [`Fault::Invalid`] in `settings` for a filter that cannot be read.
pub fn start_logging(settings: &Settings) -> Result<()> {
    let filter = EnvFilter::builder()
        .parse(&settings.log)
        .map_err(|error| Fault::invalid("settings", format!("log: {error}")))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // An error only means that logging was started before.
    let _ = if settings.log_json {
        lines.json().flatten_event(true).try_init()
    } else {
        use std::io::IsTerminal;
        lines.with_ansi(std::io::stderr().is_terminal()).try_init()
    };
    Ok(())
}

/// The exit code of a program that ends with this fault.
#[must_use]
pub fn exit_code(fault: &Fault) -> u8 {
    match fault {
        Fault::Conflict { code: "database_unreachable" | "bus_unreachable", .. }
        | Fault::Unavailable(_)
        | Fault::Unconfirmed => NOT_REACHABLE,
        Fault::Conflict {
            code:
                "folder_in_use"
                | "record_in_use"
                | "database_newer"
                | "database_damaged"
                | "migrations_pending"
                | "migration_changed"
                | "migration_half_done",
            ..
        } => REFUSED,
        Fault::Invalid { .. } => USAGE,
        _ => FAILED,
    }
}

/// A token that the first SIGINT or SIGTERM cancels.
///
/// # Errors
/// [`Fault::Internal`] when the system takes no signal handler.
pub fn stop_on_signal() -> Result<CancellationToken> {
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate()).map_err(Fault::internal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Fault::internal)?;
    let cancel = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        cancel.cancel();
    });
    Ok(stop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_tell_the_operator_what_to_do() {
        for (fault, code) in [
            (Fault::conflict("database_unreachable", ""), NOT_REACHABLE),
            (Fault::Unavailable("the database"), NOT_REACHABLE),
            (Fault::conflict("folder_in_use", ""), REFUSED),
            (Fault::conflict("migrations_pending", ""), REFUSED),
            (Fault::invalid("settings", ""), USAGE),
            (Fault::Full, FAILED),
        ] {
            assert_eq!(exit_code(&fault), code, "{fault:?}");
        }
    }
}
