//! A text that comes in pieces, cut into sentences as they are complete, each with the marks `[n]` that belong to it.

/// Longest sentence, in bytes; what is longer is cut: a model that never ends one must not be waited for.
const LONGEST: usize = 2_000;
/// Words with a full stop that ends no sentence.
const SHORTENED: [&str; 16] = [
    "e.g", "i.e", "etc", "vs", "mr", "mrs", "ms", "dr", "no", "approx", "cf", "fig", "st", "z.b", "bzw", "ca",
];

/// One sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sentence {
    /// Without its marks.
    pub text: String,
    /// The sources that it names.
    pub cited: Vec<u32>,
    /// Whether a line ends with it.
    pub ends_line: bool,
}

/// What has come and is not complete.
#[derive(Default)]
pub(super) struct Splitter {
    waiting: String,
}

impl Splitter {
    /// Takes a piece; answers the sentences that it completes.
    pub fn take(&mut self, piece: &str) -> Vec<Sentence> {
        self.waiting.push_str(piece);
        let mut found = Vec::new();
        while let Some(end) = end_of_first(&self.waiting) {
            let rest = self.waiting.split_off(end);
            let sentence = std::mem::replace(&mut self.waiting, rest);
            found.extend(read(&sentence));
        }
        found
    }

    /// The last one where the text broke off: if it was whole.
    pub fn broken_off(self) -> Option<Sentence> {
        let is_whole = self.waiting.trim_end().ends_with(['.', '!', '?', '…', ']', '。', '！', '？']);
        if is_whole { self.end() } else { None }
    }

    /// The last one.
    pub fn end(self) -> Option<Sentence> {
        read(&self.waiting).map(|sentence| Sentence { ends_line: true, ..sentence })
    }
}

/// Where the first sentence ends, with the marks and the space behind it; `None`: not yet to be seen.
fn end_of_first(text: &str) -> Option<usize> {
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let behind = at + letter.len_utf8();
        if letter == '\n' {
            return Some(behind);
        }
        if behind > LONGEST {
            return Some(behind);
        }
        let is_wide = matches!(letter, '。' | '！' | '？');
        if !is_wide && !matches!(letter, '.' | '!' | '?' | '…') {
            continue;
        }
        let next = letters.peek().map(|(_, next)| *next)?;
        if (!is_wide && !next.is_whitespace() && next != '[') || is_shortened(&text[..at], letter) {
            continue;
        }
        return with_marks(text, behind);
    }
    None
}

fn is_shortened(before: &str, mark: char) -> bool {
    let word =
        before.rsplit(|letter: char| letter.is_whitespace() || letter == '(').next().unwrap_or_default();
    // A number at a line's beginning counts an item.
    let is_count = word.len() <= 2 && !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let is_first = before.trim_start().len() == word.len();
    mark == '.' && (SHORTENED.contains(&word.to_lowercase().as_str()) || (is_count && is_first))
}

/// `[1] [2, 3]` behind a full stop are of the sentence before it.
fn with_marks(text: &str, mut end: usize) -> Option<usize> {
    loop {
        let rest = &text[end..];
        let space = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let inside = &rest[space..];
        if inside.is_empty() {
            // What comes next may be a mark.
            return None;
        }
        let Some(mark) = inside.strip_prefix('[') else {
            let line_end = usize::from(inside.starts_with('\n'));
            return Some(end + space + line_end);
        };
        match mark.find(|letter: char| !letter.is_ascii_digit() && !matches!(letter, ',' | ' ' | '^')) {
            Some(at) if mark[at..].starts_with(']') && at > 0 => end += space + 1 + at + 1,
            None if mark.len() < 40 => return None,
            _ => return Some(end + space),
        }
    }
}

/// `None`: nothing but space.
fn read(text: &str) -> Option<Sentence> {
    let ends_line = text.ends_with('\n');
    let mut sentence = Sentence { text: String::with_capacity(text.len()), cited: Vec::new(), ends_line };
    let mut rest = text.trim();
    while let Some(open) = rest.find('[') {
        sentence.text.push_str(&rest[..open]);
        let inside = &rest[open + 1..];
        let numbers = inside.find(']').map(|close| (&inside[..close], &inside[close + 1..]));
        let read = numbers.and_then(|(numbers, after)| Some((numbers_of(numbers)?, after)));
        if let Some((numbers, after)) = read {
            for number in numbers {
                if !sentence.cited.contains(&number) {
                    sentence.cited.push(number);
                }
            }
            // The space before a mark goes with it.
            sentence.text.truncate(sentence.text.trim_end().len());
            rest = after;
        } else {
            sentence.text.push('[');
            rest = inside;
        }
    }
    sentence.text.push_str(rest);
    let text = sentence.text.trim().to_owned();
    sentence.text = text;
    (!sentence.text.is_empty() || !sentence.cited.is_empty()).then_some(sentence)
}

fn numbers_of(text: &str) -> Option<Vec<u32>> {
    let numbers: Vec<u32> = text
        .split(',')
        .map(|part| part.trim().trim_start_matches('^').parse().ok())
        .collect::<Option<_>>()?;
    (numbers.len() <= 20).then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pieces: &[&str]) -> Vec<(String, Vec<u32>)> {
        let mut splitter = Splitter::default();
        let mut found: Vec<Sentence> = pieces.iter().flat_map(|piece| splitter.take(piece)).collect();
        found.extend(splitter.end());
        found.into_iter().map(|it| (it.text, it.cited)).collect()
    }

    #[test]
    fn sentences_keep_their_marks_however_they_come() {
        let text = "It opens at 7.30 [1]. Ask ada, e.g. by mail. [2] [3, 1]\n- Costs a penny! [4]\nNever";
        let expected: Vec<(String, Vec<u32>)> = vec![
            ("It opens at 7.30.".into(), vec![1]),
            ("Ask ada, e.g. by mail.".into(), vec![2, 3, 1]),
            ("- Costs a penny!".into(), vec![4]),
            ("Never".into(), vec![]),
        ];
        assert_eq!(all(&[text]), expected);
        let letters: Vec<String> = text.chars().map(String::from).collect();
        assert_eq!(all(&letters.iter().map(String::as_str).collect::<Vec<_>>()), expected);
    }

    #[test]
    fn what_broke_off_is_kept_if_it_was_whole() {
        let rest = |text: &str| {
            let mut splitter = Splitter::default();
            splitter.take(text);
            splitter.broken_off().map(|it| it.text)
        };
        assert_eq!(rest("One [1]. Two [2]."), Some("Two.".into()));
        assert_eq!(rest("One [1]. Two [2]. And th"), None);
    }

    #[test]
    fn odd_texts_end() {
        assert_eq!(all(&["a[b] [", "9999999999] [x]"]), [("a[b] [9999999999] [x]".into(), vec![])]);
        assert!(all(&[" \n\n "]).is_empty());
        assert_eq!(
            all(&["午前七時です。[1]次"]),
            [("午前七時です。".into(), vec![1]), ("次".into(), vec![])]
        );
        let endless = "word ".repeat(2_000);
        assert!(all(&[&endless]).iter().all(|it| it.0.len() <= LONGEST + 1));
        assert_eq!(
            all(&["1. First [1].\n2. Second [2]."]),
            [("1. First.".into(), vec![1]), ("2. Second.".into(), vec![2])]
        );
    }
}
