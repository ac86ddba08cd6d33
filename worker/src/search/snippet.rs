//! The piece of a message around the words that were found, as HTML that cannot carry any of the message's own.

use std::ops::Range;

use confab_core::Result;

use super::find::{Marks, Wanted};
use crate::index::Index;
use crate::index::analysis::{Analysis, Word};

/// About how much of a message is shown, in characters.
const CHARACTERS: usize = 240;
/// How much of that stands before the first found word.
const BEFORE: usize = 60;
/// Bytes that are taken apart at once: some tenths of a millisecond.
const AT_ONCE: usize = 16 * 1_024;

impl Wanted {
    /// The piece of `content` with most of the words, escaped, each found word in `<mark>`.
    pub fn snippet(&self, analysis: &Analysis, content: &str) -> String {
        render(content, &found(&self.marks(analysis), analysis, content))
    }

    /// The same of each of some texts. Long ones are taken apart where nobody waits for them: a page of files has twenty million
    /// bytes.
    ///
    /// # Errors
    /// Those of [`Index::apart`].
    pub async fn snippets(&self, index: &Index, contents: Vec<String>) -> Result<Vec<String>> {
        if contents.iter().map(String::len).sum::<usize>() <= AT_ONCE {
            return Ok(contents.iter().map(|content| self.snippet(index.analysis(), content)).collect());
        }
        let (wanted, analysis) = (self.clone(), index.analysis().clone());
        let work = move || contents.iter().map(|content| wanted.snippet(&analysis, content)).collect();
        index.apart(work).await
    }
}

/// Where the words stand, in bytes, ascending and apart.
pub(crate) fn found(marks: &Marks, analysis: &Analysis, content: &str) -> Vec<Range<usize>> {
    let mut ranges = marks.by_stem(&analysis.stemmed(content));
    if !marks.exact.is_empty() || !marks.prefixes.is_empty() {
        let is_marked = |word: &Word| {
            let begins = |prefix: &String| word.text.starts_with(prefix);
            marks.exact.contains(&word.text) || marks.prefixes.iter().any(begins)
        };
        let exact = analysis.exact(content).into_iter().filter(is_marked);
        ranges.extend(exact.map(|word| word.start..word.end));
    }
    if !marks.grams.is_empty() {
        let grams = analysis.grams(content).into_iter().filter(|word| marks.grams.contains(&word.text));
        ranges.extend(grams.map(|word| word.start..word.end));
    }
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut apart: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match apart.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => apart.push(range),
        }
    }
    apart
}

fn render(content: &str, marks: &[Range<usize>]) -> String {
    let shown = window(content, marks);
    let mut html = String::with_capacity(shown.len() + 64);
    if shown.start > 0 {
        html.push('…');
    }
    let mut at = shown.start;
    for mark in marks.iter().filter(|mark| mark.start >= shown.start && mark.end <= shown.end) {
        escape(&content[at..mark.start], &mut html);
        html.push_str("<mark>");
        escape(&content[mark.clone()], &mut html);
        html.push_str("</mark>");
        at = mark.end;
    }
    escape(&content[at..shown.end], &mut html);
    if shown.end < content.len() {
        html.push('…');
    }
    html
}

/// The part to show: the one that holds most found words, from a little before the first of them.
fn window(content: &str, marks: &[Range<usize>]) -> Range<usize> {
    let held = |first: usize| {
        let end = ahead(content, marks[first].start, CHARACTERS - BEFORE);
        marks[first..].iter().take_while(|mark| mark.end <= end).count()
    };
    // The first of the best ones. Long messages have many marks; the first hundred decide.
    let best = (0..marks.len().min(100)).max_by_key(|first| (held(*first), std::cmp::Reverse(*first)));
    let from = best.map_or(0, |first| marks[first].start);
    let start = behind(content, from, BEFORE);
    let end = ahead(content, from, CHARACTERS - content[start..from].chars().count());
    // Nothing is cut off the beginning for the sake of a word or two.
    let start = if start < 20 { 0 } else { word_start(content, start, from) };
    start..end
}

fn ahead(content: &str, from: usize, characters: usize) -> usize {
    content[from..].char_indices().nth(characters).map_or(content.len(), |(at, _)| from + at)
}

fn behind(content: &str, from: usize, characters: usize) -> usize {
    if characters == 0 {
        return from;
    }
    content[..from].char_indices().rev().nth(characters - 1).map_or(0, |(at, _)| at)
}

fn word_start(content: &str, start: usize, before: usize) -> usize {
    let space = content[start..before].char_indices().find(|(_, letter)| letter.is_whitespace());
    space.map_or(start, |(at, letter)| start + at + letter.len_utf8())
}

/// Text as HTML: nothing of it can become an element, an attribute or an entity.
fn escape(text: &str, html: &mut String) {
    for letter in text.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snippet(words: &[&str], content: &str) -> String {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        Wanted { words, ..Wanted::default() }.snippet(&Analysis::default(), content)
    }

    #[test]
    fn found_words_are_marked_and_markup_is_text() {
        assert_eq!(
            snippet(&["opening"], "It opens at <b>nine</b> & \"ten\""),
            "It <mark>opens</mark> at &lt;b&gt;nine&lt;/b&gt; &amp; &quot;ten&quot;"
        );
        assert_eq!(snippet(&["script"], "<script>"), "&lt;<mark>script</mark>&gt;");
        assert_eq!(snippet(&["東京"], "私は東京都に住む"), "私は<mark>東京</mark>都に住む");
        assert_eq!(snippet(&["light*"], "the lighthouse is lit"), "the <mark>lighthouse</mark> is lit");
        assert_eq!(snippet(&[], "plain"), "plain");
    }

    #[test]
    fn names_of_code_are_marked_whole_or_by_their_parts() {
        let content = "“été”: parseHTTPResponse2(x) → 打开 parse_response";
        assert_eq!(
            snippet(&["response"], content),
            "“été”: parseHTTP<mark>Response</mark>2(x) → 打开 parse_<mark>response</mark>"
        );
        assert_eq!(
            snippet(&["parseHttpResponse2"], content),
            "“été”: <mark>parseHTTPResponse2</mark>(x) → 打开 parse_response"
        );
        assert_eq!(
            snippet(&["parseResponse"], content),
            "“été”: <mark>parse</mark>HTTP<mark>Response</mark>2(x) → 打开 <mark>parse</mark>_<mark>response</mark>"
        );
        assert_eq!(
            snippet(&["respo*"], content),
            "“été”: parseHTTP<mark>Response</mark>2(x) → 打开 parse_<mark>response</mark>"
        );
        assert_eq!(snippet(&["parseResponse"], "no response to parse"), "no response to parse");
    }

    #[test]
    fn long_messages_are_cut_around_the_words() {
        let content = format!("{} the lighthouse keeper {}", "é word".repeat(200), "after ".repeat(200));
        let shown = snippet(&["lighthouse", "keeper"], &content);
        assert!(shown.contains("<mark>lighthouse</mark> <mark>keeper</mark>"), "{shown}");
        assert!(shown.starts_with('…') && shown.ends_with('…'), "{shown}");
        assert!(shown.chars().count() < 320, "{shown}");
    }
}
