//! What `ops/install` put apart for the tests.

use std::path::{Path, PathBuf};

/// The file at `path` in the tests' own cache; `package` is what a failure names when it is not there.
pub fn installed(path: &str, package: &str) -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(
        || Path::new(&std::env::var_os("HOME").expect("HOME is set")).join(".cache"),
        PathBuf::from,
    );
    let file = cache.join("confab-test").join(path);
    assert!(file.exists(), "{} is missing: run ops/install ({package})", file.display());
    file
}
