//! Where a page of hits ended: how many hits lie before it. Scores change with every message, so a search has no
//! better place than a count, and people do not look at the thousandth hit.

use confab_core::{Fault, Result};

/// Hits that can be reached.
pub(super) const DEEPEST: usize = 1_000;
const MARK: &str = "h1-";

/// The text for clients.
pub(super) fn write(at: usize) -> String {
    format!("{MARK}{at:03x}")
}

/// Reads what [`write`] wrote.
///
/// # Errors
/// [`Fault::Invalid`] in `cursor` for anything else.
pub(super) fn read(cursor: Option<&str>) -> Result<usize> {
    let Some(text) = cursor else { return Ok(0) };
    text.strip_prefix(MARK)
        .and_then(|digits| usize::from_str_radix(digits, 16).ok())
        .filter(|at| *at < DEEPEST && write(*at) == text)
        .ok_or_else(|| Fault::invalid("cursor", "is not one that this server gave; begin again without it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_cursors_are_read() {
        for at in [0, 1, 20, 999] {
            assert_eq!(read(Some(&write(at))).ok(), Some(at));
        }
        assert_eq!(read(None).ok(), Some(0));
        for forged in ["", "forged", "h1-", "h1-1", "h1-+01", "h1-ffff", "h1-3e8", "h1-00A", "h1--01"] {
            assert!(read(Some(forged)).is_err(), "{forged}");
        }
    }
}
