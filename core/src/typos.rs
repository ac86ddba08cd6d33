//! Names as people mistype them: which of those that there are may be meant.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::fault::{Fault, Result};
use crate::text;

/// Names that are suggested for one that nobody has.
const MOST_SUGGESTIONS: usize = 5;
/// Names that are compared with what was asked for: beyond that many people or channels, some are not suggested.
pub(crate) const MOST_COMPARED: i64 = 20_000;
/// How long one waits for those who compare.
const PATIENCE: Duration = Duration::from_secs(1);

/// Who or what each of some names may mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Near<T> {
    /// For each name those near to it, the nearest first.
    pub of: Vec<Vec<(T, String)>>,
    /// Whether all that there are were compared: else a single one need not be the only one.
    pub is_all: bool,
}

impl<T> Near<T> {
    /// Nothing is near to any of `names`, as far as anybody looked.
    pub(crate) fn none(names: &[String]) -> Self {
        Self { of: names.iter().map(|_| Vec::new()).collect(), is_all: false }
    }
}

/// The right to read names and to compare them, until it is dropped. One at a time has it: it is some milliseconds and a
/// megabyte or two for each few thousand names.
pub(crate) struct Turn(SemaphorePermit<'static>);

/// Waits for the right, a moment at most: without it nothing is suggested now. To be asked before the names are read, or all who
/// wait would hold theirs.
pub(crate) async fn turn() -> Option<Turn> {
    static ONE: Semaphore = Semaphore::const_new(1);
    let alone = tokio::time::timeout(PATIENCE, ONE.acquire()).await.ok()?.ok()?;
    Some(Turn(alone))
}

impl Turn {
    /// Compares `names` with `known`, each with its name as it is shown. On a thread that may take its time: requests would wait
    /// for it. The turn ends with that thread's work, also where nobody waits for it any more.
    ///
    /// # Errors
    /// [`Fault::Internal`] when it panicked.
    pub(crate) async fn compare<T: Clone + PartialEq + Send + 'static>(
        self,
        names: &[String],
        known: Vec<(String, (T, String))>,
        is_all: bool,
    ) -> Result<Near<T>> {
        let names = names.to_vec();
        let compared = tokio::task::spawn_blocking(move || {
            let known: Vec<(String, (T, String))> =
                known.into_iter().map(|(name, it)| (text::key(&name), it)).collect();
            let of = names.iter().map(|name| nearest(name, &known)).collect();
            drop(self.0);
            of
        });
        Ok(Near { of: compared.await.map_err(Fault::internal)?, is_all })
    }
}

/// Typos that are forgiven in a word of so many letters. One letter of "ann" makes another name of it.
#[must_use]
pub fn forgiven(letters: usize) -> usize {
    match letters {
        0..4 => 0,
        4..8 => 1,
        _ => 2,
    }
}

/// Which of `names` may be meant by `asked`, the nearest first: those that are as near as is forgiven, as a whole or in one
/// of their words. A name may stand there several times with the same meaning.
pub(crate) fn nearest<T: Clone + PartialEq>(asked: &str, names: &[(String, T)]) -> Vec<T> {
    let asked = text::key(asked);
    let mut found: Vec<(usize, &String, &T)> =
        names.iter().filter_map(|(name, it)| Some((of_name(&asked, name)?, name, it))).collect();
    found.sort_by(|one, other| (one.0, one.1).cmp(&(other.0, other.1)));
    let mut nearest: Vec<T> = Vec::new();
    for (_, _, it) in found {
        if nearest.len() < MOST_SUGGESTIONS && !nearest.contains(it) {
            nearest.push(it.clone());
        }
    }
    nearest
}

/// The typos between folded names, in the whole or in the word that is nearest; `None`: more than are forgiven.
fn of_name(asked: &str, name: &str) -> Option<usize> {
    let words = name.split(|letter: char| !letter.is_alphanumeric()).filter(|word| *word != name);
    std::iter::once(name).chain(words).filter_map(|part| between(asked, part)).min()
}

fn between(asked: &str, word: &str) -> Option<usize> {
    if asked == word {
        return (!asked.is_empty()).then_some(0);
    }
    let letters = asked.chars().count();
    let most = forgiven(letters);
    // Most words are told apart by their length alone.
    if most == 0 || letters.abs_diff(word.chars().count()) > most {
        return None;
    }
    // Another number is another thing, never the same one mistyped.
    if !asked.chars().filter(|it| it.is_numeric()).eq(word.chars().filter(|it| it.is_numeric())) {
        return None;
    }
    // Two letters in the wrong order are one typo.
    Some(strsim::osa_distance(asked, word)).filter(|typos| *typos <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(asked: &str, names: &[&str]) -> Vec<usize> {
        let names: Vec<(String, usize)> =
            names.iter().enumerate().map(|(number, name)| (text::key(name), number)).collect();
        nearest(asked, &names)
    }

    #[test]
    fn a_typo_is_forgiven_where_there_are_letters_enough() {
        assert_eq!(near("Jonsa", &["jonas", "joan", "jane"]), [0], "two letters changed places");
        assert_eq!(near("harbur", &["harbour", "harbours"]), [0]);
        assert_eq!(near("habrours", &["harbour", "harbours", "barbours"]), [1, 2, 0], "the nearest first");
        assert!(near("ann", &["ana", "anna"]).is_empty() && near("jon", &["jonas"]).is_empty());
        assert!(near("lighthouse", &["lighthorses", "light"]).len() == 1);
        assert!(near("", &["", "a"]).is_empty());
        assert_eq!(near("Ágnes", &["agnes"]), [0]);
        assert_eq!(near("relaese-12", &["release-13", "release-12"]), [1], "a number is no typo of another");
    }

    #[test]
    fn a_word_of_a_name_will_do() {
        assert_eq!(near("lovelase", &["ada", "Ada Lovelace"]), [1]);
        assert_eq!(near("ada", &["adam", "Ada Lovelace"]), [1], "no typo needs no letters");
        assert_eq!(near("nroth", &["team-north", "team-south"]), [0]);
        assert_eq!(near("team", &["team-north", "team-south"]), [0, 1]);
    }

    #[test]
    fn few_are_suggested_and_each_once() {
        let many: Vec<String> = ('a'..'w').map(|letter| format!("gull{letter}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(near("gullx", &many).len(), MOST_SUGGESTIONS);
        assert_eq!(nearest("gull", &[("gulls".into(), 7), ("gull".into(), 7), ("bull".into(), 8)]), [7, 8]);
    }
}
