//! Who has how much, and who is given some in a text.

use std::collections::BTreeMap;

/// Names that are kept; beyond them those with the least karma are forgotten.
const MOST_NAMES: usize = 1_000;
const NAME_CHARACTERS: usize = 40;
/// Of one message.
const MOST_GIVEN: usize = 10;

/// See the module.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Board(BTreeMap<String, i64>);

impl Board {
    /// Gives so much, or takes it back.
    pub fn add(&mut self, name: &str, karma: i64) {
        *self.0.entry(name.to_owned()).or_default() += karma;
        self.0.retain(|_, karma| *karma != 0);
        while self.0.len() > MOST_NAMES {
            let least = self.0.iter().min_by_key(|it| *it.1).map(|it| it.0.clone());
            let Some(least) = least else { break };
            self.0.remove(&least);
        }
    }

    /// What somebody has.
    pub fn of(&self, name: &str) -> i64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// Whether nobody has any.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first ones, as people see them. Who has as much as another has the same place.
    pub fn shown(&self, most: usize) -> String {
        let mut all: Vec<(&String, &i64)> = self.0.iter().collect();
        all.sort_by_key(|(name, karma)| (-**karma, (*name).clone()));
        let mut text = String::from("**Karma**\n");
        let mut place = (0, i64::MAX);
        for (number, (name, karma)) in all.into_iter().take(most).enumerate() {
            if *karma < place.1 {
                place = (number + 1, *karma);
            }
            let medal = match place.0 {
                1 => "🥇",
                2 => "🥈",
                3 => "🥉",
                _ => "▫️",
            };
            text.push_str(&format!("\n{medal} {}. `{name}` {karma}  ", place.0));
        }
        text
    }

    /// A line for each name.
    pub fn written(&self) -> String {
        self.0.iter().map(|(name, karma)| format!("{karma} {name}\n")).collect()
    }

    /// What [`Self::written`] wrote.
    pub fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let line = |line: &str| {
            let (karma, name) = line.split_once(' ')?;
            Some((name.to_owned(), karma.parse().ok()?))
        };
        Self(text.lines().filter_map(line).collect())
    }
}

/// The name that a word means: without the `@`, in lower case. `None` for what is none.
pub fn name_of(word: &str) -> Option<String> {
    let name = word.trim().trim_start_matches('@').to_lowercase();
    let is_name = (1..=NAME_CHARACTERS).contains(&name.chars().count())
        && name.chars().all(|it| it.is_alphanumeric() || "-_.".contains(it))
        && name.chars().any(char::is_alphanumeric);
    is_name.then_some(name)
}

/// Who is given karma in a text: `name++` as a word of its own, outside of code, each once.
pub fn given(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (number, part) in text.split('`').enumerate() {
        // Between two backticks stands code, and `i++` there is no kindness.
        if number % 2 == 1 {
            continue;
        }
        for word in part.split(|it: char| it.is_whitespace() || ",;!?()".contains(it)) {
            let Some(name) = word.trim_end_matches('.').strip_suffix("++").and_then(name_of) else {
                continue;
            };
            if !names.contains(&name) && names.len() < MOST_GIVEN {
                names.push(name);
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn karma_is_given_by_words_of_their_own() {
        assert_eq!(given("@Ada++ and coffee++, thanks! (bob++). Ada++"), ["ada", "coffee", "bob"]);
        assert_eq!(given("`i++` ++ C+++ a++b ```x++```"), Vec::<String>::new());
    }

    #[test]
    fn the_board_is_in_order_and_what_is_written_is_read() {
        let mut board = Board::default();
        for name in ["ada", "bob", "ada", "eve", "cyd"] {
            board.add(name, 1);
        }
        board.add("eve", -1);
        let shown = board.shown(2);
        assert!(
            shown.contains("🥇 1. `ada` 2") && shown.contains("🥈 2. `bob` 1") && !shown.contains("cyd"),
            "{shown}"
        );
        assert_eq!((board.of("ada"), board.of("eve")), (2, 0));
        assert_eq!(Board::read(board.written().as_bytes()), board);
    }
}
