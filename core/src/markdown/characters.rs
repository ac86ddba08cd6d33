//! Characters that draw nothing and change what is read around them.

use std::borrow::Cow;

/// The text without control characters and without overrides, embeddings and isolates: these let "nda.gpj" look like
/// "adn.jpg", also in code. Right-to-left letters and their marks stay; each block finds its own direction.
pub fn plain(text: &str) -> Cow<'_, str> {
    let disturbs = |it: char| {
        (it.is_control() && !matches!(it, '\n' | '\t'))
            || matches!(it, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FFF9}'..='\u{FFFB}' | '\u{2028}' | '\u{2029}')
    };
    if !text.contains(disturbs) {
        return Cow::Borrowed(text);
    }
    let lines = text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}'], "\n");
    Cow::Owned(lines.chars().filter(|it| !disturbs(*it)).collect())
}

/// Nothing is seen of them, and two addresses that look alike are two.
pub fn is_zero_width(letter: char) -> bool {
    matches!(letter, '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}'
        | '\u{E0000}'..='\u{E007F}')
}

/// The words of a link: without what has no width, but for joiners where they join: families of emoji, Persian words.
pub fn of_link(text: &str) -> Cow<'_, str> {
    if !text.contains(is_zero_width) {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    for letter in text.chars() {
        let joins =
            matches!(letter, '\u{200C}' | '\u{200D}') && kept.chars().last().is_some_and(|it| !it.is_ascii());
        if joins || !is_zero_width(letter) {
            kept.push(letter);
        }
    }
    Cow::Owned(kept)
}
