//! Names of code such as `parseResponse`: who looks for one means it as a whole, or what it is made of: its parts one after the
//! other, as in `parse_response`, or all within one longer name, as in `parseHttpResponse`.

use std::ops::Range;

use tantivy::query::{BoostQuery, PhraseQuery, Query};
use tantivy::schema::Field;
use tantivy::{Score, Term};

use crate::index::analysis::Word;

/// What its parts count beside the name itself.
const IN_PARTS: Score = 0.5;

/// The parts of each name among `parts`, of those that have several and one that says something: `s3` by its parts would be
/// "it's 3" as well, and a short hash any other.
pub(super) fn names(parts: &[Word]) -> impl Iterator<Item = &[Word]> {
    let says_something = |part: &Word| part.text.chars().filter(|it| it.is_alphabetic()).count() > 1;
    parts
        .chunk_by(|one, next| one.position == next.position)
        .filter(move |name| name.len() > 1 && name.iter().any(says_something))
}

/// Finds a name by its parts.
pub(super) fn forms(field: Field, parts: &[Word]) -> impl Iterator<Item = Box<dyn Query>> {
    let term = |part: &Word| Term::from_field_text(field, &part.text);
    let in_a_row: Vec<(usize, Term)> = parts.iter().map(term).enumerate().collect();
    // Said twice, as in `testTest`, a part would be found at the same place twice.
    let mut once: Vec<Term> = parts.iter().map(term).collect();
    once.sort_unstable();
    once.dedup();
    let in_one: Vec<(usize, Term)> = once.into_iter().map(|term| (0, term)).collect();
    [in_a_row, in_one].into_iter().filter(|places| places.len() > 1).map(|places| -> Box<dyn Query> {
        Box::new(BoostQuery::new(Box::new(PhraseQuery::new_with_offset(places)), IN_PARTS))
    })
}

/// Where [`forms`] finds the parts of a name in a text that was taken apart into `words`.
pub(super) fn places(name: &[String], words: &[Word]) -> Vec<Range<usize>> {
    let at_each: Vec<&[Word]> = words.chunk_by(|one, next| one.position == next.position).collect();
    let find = |here: &[Word], part: &String| {
        here.iter().find(|word| word.text == *part).map(|word| word.start..word.end)
    };
    let mut found = Vec::new();
    for row in at_each.windows(name.len().max(1)) {
        let is_row = row[row.len() - 1][0].position - row[0][0].position == row.len() - 1;
        let parts: Option<Vec<Range<usize>>> =
            row.iter().zip(name).map(|(here, part)| find(here, part)).collect();
        found.extend(parts.filter(|_| is_row).into_iter().flatten());
    }
    for here in at_each {
        let parts: Option<Vec<Range<usize>>> = name.iter().map(|part| find(here, part)).collect();
        found.extend(parts.into_iter().flatten());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::analysis::Analysis;

    #[test]
    fn parts_are_found_in_a_row_and_in_one_name() {
        let (analysis, name) = (Analysis::default(), ["parse".to_owned(), "response".to_owned()]);
        let found = |text: &str| -> Vec<String> {
            let mut found = places(&name, &analysis.exact(text));
            found.sort_by_key(|place| place.start);
            found.into_iter().map(|place| text[place].to_owned()).collect()
        };
        assert_eq!(found("a parse_Response here"), ["parse", "Response"]);
        assert_eq!(found("parseHTTPResponse2"), ["parse", "Response"]);
        assert_eq!(found("doParse responseOf"), ["Parse", "response"]);
        assert_eq!(found("ResponseParse"), ["Response", "Parse"]);
        assert!(found("parse the response, a response to parse").is_empty());
        assert!(found("").is_empty());
    }

    #[test]
    fn names_of_one_part_are_none() {
        let parts: Vec<Word> = Analysis::default()
            .exact("utf8 plain x.cD s3 4b1d")
            .into_iter()
            .filter(|word| word.is_part)
            .collect();
        let read: Vec<Vec<&str>> =
            names(&parts).map(|name| name.iter().map(|part| part.text.as_str()).collect()).collect();
        assert_eq!(read, [["utf", "8"]]);
        let field = Field::from_field_id(0);
        assert_eq!(forms(field, &parts[..2]).count(), 2);
        let twice: Vec<Word> =
            Analysis::default().exact("testTest").into_iter().filter(|word| word.is_part).collect();
        assert_eq!(forms(field, &twice).count(), 1);
    }
}
