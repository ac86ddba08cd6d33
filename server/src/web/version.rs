//! One name for the client as it stands, which its addresses carry: whoever opens the page again asks for the page alone.

use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

/// Before the name, so that no folder of the client is taken for one.
const MARK: &str = "v-";
const NAME_CHARACTERS: usize = 16;

/// The name of all files as they are.
#[cfg(not(debug_assertions))]
pub fn current<Files: RustEmbed>() -> String {
    static NAME: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    NAME.get_or_init(name_of::<Files>).clone()
}

/// The same while files change under the server: looked at anew every few seconds, since a page asks for a hundred of them at once.
#[cfg(debug_assertions)]
pub fn current<Files: RustEmbed>() -> String {
    use std::sync::{Mutex, PoisonError};
    use std::time::{Duration, Instant};

    static KNOWN: Mutex<Option<(Instant, String)>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    match &*known {
        Some((at, name)) if at.elapsed() < Duration::from_secs(5) => name.clone(),
        _ => {
            let name = name_of::<Files>();
            *known = Some((Instant::now(), name.clone()));
            name
        }
    }
}

fn name_of<Files: RustEmbed>() -> String {
    let mut paths: Vec<_> = Files::iter().filter(|path| !path.starts_with("tests/")).collect();
    paths.sort();
    let mut all = Sha256::new();
    for path in paths {
        all.update(path.as_bytes());
        if let Some(file) = Files::get(&path) {
            all.update(file.metadata.sha256_hash());
        }
    }
    format!("{MARK}{}", &confab_core::text::hex(&all.finalize())[..NAME_CHARACTERS])
}

/// The page with the name in the addresses of its files. What these import stands beside them, so it has the name too.
pub fn named(page: &str, name: &str) -> String {
    page.replace("\"/assets/", &format!("\"/assets/{name}/"))
}

/// The name in a path, and what it is the name of.
pub fn split(path: &str) -> Option<(&str, &str)> {
    let (name, rest) = path.split_once('/')?;
    let digits = name.strip_prefix(MARK)?;
    (digits.len() == NAME_CHARACTERS && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .then_some((name, rest))
}

#[cfg(test)]
mod tests {
    use super::{named, split};

    #[test]
    fn a_name_goes_in_and_comes_out() {
        let page =
            named(r#"<link href="/assets/app.css"><script src="/assets/js/app.js">"#, "v-0123456789abcdef");
        assert!(page.contains(r#"href="/assets/v-0123456789abcdef/app.css""#), "{page}");
        assert_eq!(split("v-0123456789abcdef/js/app.js"), Some(("v-0123456789abcdef", "js/app.js")));
        for path in ["js/app.js", "v-12/js/app.js", "v-0123456789abcdeg/app.js", "vendor/preact.js", "app.js"]
        {
            assert_eq!(split(path), None, "{path}");
        }
    }
}
