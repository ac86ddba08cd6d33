//! Names that are allowed here and nobody else's.

use std::collections::{HashMap, HashSet};

use confab_core::users::{self, LINE_CHARACTERS, NewUser, USERNAME_CHARACTERS};
use confab_core::{Read, Result, text};

/// A user name near to `sent` that the rule for user names allows.
pub(crate) fn username(sent: &str) -> String {
    if let Ok(user) = NewUser::check(sent, None, None) {
        return user.username;
    }
    let allowed = |letter: char| NewUser::check(letter.encode_utf8(&mut [0; 4]), None, None).is_ok();
    let clean: String = sent
        .trim()
        .chars()
        .take(USERNAME_CHARACTERS)
        .map(|letter| if allowed(letter) { letter } else { '_' })
        .collect();
    if clean.is_empty() { "nobody".into() } else { clean }
}

/// One line of at most `most` characters near to `sent`; `None` when nothing is left.
pub(crate) fn line(sent: &str, most: usize) -> Option<String> {
    let allowed = |letter: &char| text::line("line", letter.encode_utf8(&mut [0; 4]), 1).is_ok();
    let spaced: String = sent
        .chars()
        .map(|letter| if letter.is_whitespace() { ' ' } else { letter })
        .filter(|it| *it == ' ' || allowed(it))
        .collect();
    let spaced = spaced.trim();
    let mut short: String = spaced.chars().take(most).collect();
    if short.len() < spaced.len() {
        short = spaced.chars().take(most - 1).collect::<String>() + "…";
    }
    (!short.is_empty()).then_some(short)
}

/// A full name.
pub(crate) fn full_name(sent: &str) -> Option<String> {
    line(sent, LINE_CHARACTERS)
}

/// Gives out user names, each once.
pub(crate) struct Usernames {
    taken: HashSet<String>,
    /// The next number behind a name, so that a thousand people of one name need no million tries.
    next: HashMap<String, u32>,
}

impl Usernames {
    /// Knows who has one of these names already.
    pub(crate) async fn beside(on: &mut impl Read, wanted: &[String]) -> Result<Self> {
        let taken = users::by_names(on, wanted).await?.into_iter().map(|(_, key)| key).collect();
        Ok(Self { taken, next: HashMap::new() })
    }

    /// `wanted`, or `wanted-2` and so on when someone has it.
    pub(crate) async fn give(&mut self, on: &mut impl Read, wanted: &str) -> Result<String> {
        if self.taken.insert(text::key(wanted)) {
            return Ok(wanted.to_owned());
        }
        let next = self.next.entry(text::key(wanted)).or_insert(2);
        loop {
            let suffix = format!("-{next}");
            *next += 1;
            let stem: String = wanted.chars().take(USERNAME_CHARACTERS - suffix.len()).collect();
            let name = stem + &suffix;
            if self.taken.contains(&text::key(&name)) {
                continue;
            }
            self.taken.insert(text::key(&name));
            if users::by_names(on, std::slice::from_ref(&name)).await?.is_empty() {
                return Ok(name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_change_only_where_they_must() {
        for (sent, here) in [
            ("ada", "ada"),
            ("[miles]|^`", "[miles]|^`"),
            (" ada ", "ada"),
            ("oO[NOVA] Oo", "oO[NOVA]_Oo"),
            ("a@b/c<d>\"e", "a_b_c_d__e"),
            ("a\u{202E}b\0", "a_b_"),
            ("", "nobody"),
        ] {
            assert_eq!(username(sent), here, "{sent:?}");
        }
        assert_eq!(username(&"x".repeat(300)).len(), 100);
        assert_eq!(line("a\nb\u{202E}c", 80).as_deref(), Some("a bc"));
        assert_eq!(line("abcdef", 3).as_deref(), Some("ab…"));
        assert_eq!(line(" \n", 3), None);
    }
}
