//! Words and phrases, and whether a text holds one.

/// Of the setting.
const MOST: usize = 500;

/// See the module.
pub struct Words(Vec<(String, String)>);

impl Words {
    /// Those of a list with commas.
    pub fn of(list: &str) -> Self {
        let entry = |text: &str| {
            let text = text.trim();
            let folded = match text.strip_suffix('*') {
                Some(beginning) => folded(beginning).trim_end().to_owned(),
                None => folded(text),
            };
            (!folded.trim().is_empty()).then(|| (text.to_owned(), folded))
        };
        Self(list.split(',').filter_map(entry).take(MOST).collect())
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The first that a text holds, as the setting has it.
    pub fn found(&self, text: &str) -> Option<&str> {
        let text = folded(text);
        self.0.iter().find(|(_, word)| text.contains(word.as_str())).map(|(shown, _)| shown.as_str())
    }
}

/// In lower case, a space before and behind each word and no other mark: "Ass" is not found in "class".
fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len() + 2);
    folded.push(' ');
    for letter in text.chars().flat_map(char::to_lowercase) {
        if letter.is_alphanumeric() {
            folded.push(letter);
        } else if !folded.ends_with(' ') {
            folded.push(' ');
        }
    }
    if !folded.ends_with(' ') {
        folded.push(' ');
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_phrases_and_beginnings() {
        let words = Words::of("darn, walk the plank, scurv*, ,*");
        assert_eq!(words.count(), 3);
        assert_eq!(words.found("DARN!"), Some("darn"));
        assert_eq!(words.found("darning socks"), None);
        assert_eq!(words.found("Walk, the  plank."), Some("walk the plank"));
        assert_eq!(words.found("you scurvy dog"), Some("scurv*"));
        assert_eq!(words.found("nothing"), None);
    }
}
