//! Marks of our own inside a text: `@name`, `#channel`, `:code:`.

use confab_protocol::{ChannelId, UserId};

use super::{Names, Source, Symbol};
use crate::{broadcasts, text};

/// Most channels and most codes of one text that are looked up.
const CHANNELS: usize = 20;
const CODES: usize = 50;
/// Longest name and longest code, in characters.
const NAME_CHARACTERS: usize = 100;
const CODE_BYTES: usize = 64;

/// What a text needs to have looked up before it can be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Folded names of channels.
    pub channels: Vec<String>,
    /// Codes that are no emoji's.
    pub codes: Vec<String>,
}

/// What the marks in a text may mean. Those inside code are among them, and then are not used.
#[must_use]
pub fn wanted(content: &str) -> Wanted {
    let mut wanted = Wanted::default();
    if !content.contains(['#', ':']) {
        return wanted;
    }
    let mut before = ' ';
    for (at, letter) in content.char_indices() {
        let rest = &content[at + letter.len_utf8()..];
        match letter {
            '#' if !before.is_alphanumeric() && wanted.channels.len() < CHANNELS => {
                for name in names_behind(rest) {
                    add(&mut wanted.channels, text::key(name));
                }
            }
            ':' if !before.is_alphanumeric() && wanted.codes.len() < CODES => {
                if let Some(code) = code(rest).filter(|it| emojis::get_by_shortcode(it).is_none()) {
                    add(&mut wanted.codes, code.to_owned());
                }
            }
            _ => {}
        }
        before = letter;
    }
    wanted
}

fn add(list: &mut Vec<String>, item: String) {
    if !item.is_empty() && !list.contains(&item) {
        list.push(item);
    }
}

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word<'t> {
    /// As it is.
    Plain(&'t str),
    /// The words of a mention, and whom it means where it is one person.
    Mention(&'t str, Option<UserId>),
    /// The words of a channel, and which.
    Channel(&'t str, ChannelId),
    /// An emoji or the symbol of a custom reaction.
    Emoji(&'t str),
    /// A custom reaction: its code, where its picture is.
    Picture(&'t str, &'t str),
}

/// The pieces of a text, in order.
pub fn pieces<'t>(text: &'t str, source: &Source<'_>, names: &'t Names) -> Vec<Word<'t>> {
    if !text.contains(['@', '#', ':']) {
        return vec![Word::Plain(text)];
    }
    let mut found = Vec::new();
    let (mut plain, mut before, mut skip) = (0, ' ', 0);
    for (at, letter) in text.char_indices() {
        if at >= skip && !before.is_alphanumeric() {
            let rest = &text[at + letter.len_utf8()..];
            let taken = match letter {
                '@' => mention(rest, source, names),
                '#' => channel(rest, names),
                ':' => emoji(rest, names),
                _ => None,
            };
            if let Some((word, length)) = taken {
                if plain < at {
                    found.push(Word::Plain(&text[plain..at]));
                }
                found.push(word);
                skip = at + letter.len_utf8() + length;
                plain = skip;
            }
        }
        before = letter;
    }
    if plain < text.len() {
        found.push(Word::Plain(&text[plain..]));
    }
    found
}

fn mention<'t>(rest: &'t str, source: &Source<'_>, names: &Names) -> Option<(Word<'t>, usize)> {
    for name in names_behind(rest) {
        let known = names.people.get(&text::key(name)).filter(|id| source.mentions.contains(id));
        if let Some(id) = known {
            return Some((Word::Mention(name, Some(*id)), name.len()));
        }
        // Whether somebody may call them is decided where they are told.
        if broadcasts::Word::named(name).is_some() {
            return Some((Word::Mention(name, None), name.len()));
        }
    }
    None
}

fn channel<'t>(rest: &'t str, names: &Names) -> Option<(Word<'t>, usize)> {
    if names.channels.is_empty() {
        return None;
    }
    let found = names_behind(rest).find_map(|name| Some((name, *names.channels.get(&text::key(name))?)));
    found.map(|(name, id)| (Word::Channel(name, id), name.len()))
}

fn emoji<'t>(rest: &'t str, names: &'t Names) -> Option<(Word<'t>, usize)> {
    let code = code(rest)?;
    let word = match emojis::get_by_shortcode(code) {
        Some(emoji) => Word::Emoji(emoji.as_str()),
        None => match names.symbols.get(code)? {
            Symbol::Text(symbol) => Word::Emoji(symbol),
            Symbol::Picture(path) => Word::Picture(code, path),
        },
    };
    Some((word, code.len() + 1))
}

/// The names that may be meant by what stands behind an `@` or `#`, the likeliest first.
pub fn names_behind(rest: &str) -> impl Iterator<Item = &str> {
    candidates(token(rest))
}

/// The name at the beginning of a text.
fn token(rest: &str) -> &str {
    let ends = |it: char| {
        it.is_whitespace()
            || matches!(it, '@' | '#' | ',' | ':' | ';' | '!' | '?' | '(' | ')' | '<' | '>' | '"' | '/')
    };
    let end = rest.char_indices().take(NAME_CHARACTERS + 1).find(|(_, it)| ends(*it)).map(|(at, _)| at);
    let most = || rest.char_indices().nth(NAME_CHARACTERS).map_or(rest.len(), |(at, _)| at);
    &rest[..end.unwrap_or_else(most)]
}

/// The name, and then the same without marks at its end, longest first: "ada." and "ada's" mean ada, "j.r." may be a name.
fn candidates(token: &str) -> impl Iterator<Item = &str> {
    let bare = token.trim_end_matches(|it: char| !it.is_alphanumeric());
    let owner = bare.strip_suffix("'s").or_else(|| bare.strip_suffix("’s"));
    let full = Some(token).filter(|it| !it.is_empty());
    [full, Some(bare).filter(|it| !it.is_empty() && *it != token), owner.filter(|it| !it.is_empty())]
        .into_iter()
        .flatten()
}

/// The code between a colon and the next.
fn code(rest: &str) -> Option<&str> {
    let end = rest.bytes().take(CODE_BYTES + 1).position(|it| it == b':').filter(|end| *end > 0)?;
    let code = &rest[..end];
    let follows = rest[end + 1..].chars().next();
    (code.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-' | b'+'))
        && !follows.is_some_and(char::is_alphanumeric))
    .then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_meant_is_looked_up() {
        let found = wanted("see #Ops, (#dev) and a#b :tada: :ship-it: 10:30:45 :no good:");
        assert_eq!(found.channels, ["ops", "dev"]);
        assert_eq!(found.codes, ["ship-it"]);
        assert_eq!(wanted("plain words"), Wanted::default());
        let many = (0..200).map(|number| format!("#c{number} :x{number}:")).collect::<Vec<_>>().join(" ");
        assert!(wanted(&many).channels.len() <= CHANNELS + 2 && wanted(&many).codes.len() == CODES);
    }
}
