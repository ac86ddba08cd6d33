//! Text on its way into a prompt, and out of a model: neither carries what people cannot see, and what comes out leads
//! nowhere that its sources do not name.
//!
//! A model that a message talked into it would write a link whose address carries what it read (as was done to another
//! chat's assistant in 2024). So of a model's links only those stand that a cited message holds, whole and in plain sight.

/// What stands where an address was.
const LEFT_OUT: &str = "(link left out)";

/// One line of what somebody wrote, with nothing unseen in it, at most `most` characters. Marks such as `[3]` are no longer
/// such: nobody but us numbers sources.
pub(super) fn line(text: &str, most: usize) -> String {
    let mut line = String::with_capacity(text.len().min(most * 4));
    let mut has_space = true;
    for letter in text.chars().filter(|letter| !is_unseen(*letter)).take(most) {
        if letter.is_whitespace() || letter.is_control() {
            if !has_space {
                line.push(' ');
            }
            has_space = true;
            continue;
        }
        has_space = false;
        line.push(match letter {
            '[' => '(',
            ']' => ')',
            other => other,
        });
    }
    line.truncate(line.trim_end().len());
    line
}

/// A quotation on one line, so that it cannot pass for a paragraph of the assistant's own. Code that has lines of its own stands there between marks,
/// without its fence and the name of its language: within a line these would be read as words.
pub(super) fn on_one_line(quote: &str) -> String {
    let mut pieces: Vec<String> = Vec::new();
    let mut lines = quote.lines();
    while let Some(line) = lines.next() {
        let Some(fence) = fence_of(line) else {
            pieces.extend(line.split_whitespace().map(str::to_owned));
            continue;
        };
        let code = lines.by_ref().take_while(|line| !line.trim_start().starts_with(fence));
        let code: Vec<&str> = code.flat_map(str::split_whitespace).collect();
        if !code.is_empty() {
            pieces.push(between_marks(&code.join(" ")));
        }
    }
    pieces.join(" ")
}

/// What begins code on lines of its own.
fn fence_of(line: &str) -> Option<&'static str> {
    let line = line.trim_start();
    let begins = |fence: &&str| line.strip_prefix(*fence).is_some_and(|language| !language.contains('`'));
    ["```", "~~~"].into_iter().find(begins)
}

/// Code within a line: between more marks than stand anywhere in it.
fn between_marks(code: &str) -> String {
    let most = code.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    let mark = "`".repeat(most + 1);
    let space = if code.starts_with('`') || code.ends_with('`') { " " } else { "" };
    format!("{mark}{space}{code}{space}{mark}")
}

/// Zero-width and direction-changing characters, and the tags of Unicode in which whole texts can be hidden.
fn is_unseen(letter: char) -> bool {
    matches!(letter, '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0000}'..='\u{E01EF}')
        || (letter.is_control() && !letter.is_whitespace())
}

/// What a model wrote, without links and pictures but those whose address stands in `sources`; and without `@`, since no
/// model calls people.
pub(super) fn written(text: &str, sources: &[&str]) -> String {
    // First of all: what is taken out later would join what stood on its sides, and nobody looks at that.
    let text: String = text.chars().filter(|letter| !is_unseen(*letter) && *letter != '@').collect();
    let text = without_tags(&without_markup(&text));
    let mut out = String::with_capacity(text.len());
    for part in text.split_inclusive(char::is_whitespace) {
        let word = part.trim_end();
        // Schemes are ASCII; by other letters places in the two would differ.
        let lower = word.to_ascii_lowercase();
        let begin = ["http:", "https:", "ftp:", "data:", "javascript:", "mailto:", "//", "www."]
            .iter()
            .filter_map(|scheme| lower.find(scheme))
            .min();
        match begin {
            Some(at) => {
                let (before, address) = word.split_at(at);
                let (address, behind) = trimmed(address);
                out.push_str(before);
                if is_named(address, sources) {
                    out.push_str(address);
                    out.push_str(behind);
                } else {
                    out.push_str(LEFT_OUT);
                    out.extend(behind.chars().filter(|letter| matches!(letter, '.' | ',' | ';' | '!' | '?')));
                }
                out.push_str(&part[word.len()..]);
            }
            None => out.push_str(part),
        }
    }
    out
}

/// As it stands in a source, not as the beginning of a longer one.
fn is_named(address: &str, sources: &[&str]) -> bool {
    let ends = |rest: &str| {
        rest.chars().next().is_none_or(|letter| {
            letter.is_whitespace() || matches!(letter, ')' | '>' | ',' | '.' | ';' | '"')
        })
    };
    address.len() > 8
        && sources
            .iter()
            .any(|source| source.match_indices(address).any(|(at, _)| ends(&source[at + address.len()..])))
}

/// An address without the marks behind it.
fn trimmed(address: &str) -> (&str, &str) {
    let end =
        address.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '>', '"', '\'', '*', '_', '`']).len();
    address.split_at(end)
}

/// `[text](address)` and `![text](address)` become their texts, with the address in plain sight behind it.
fn without_markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(middle) = rest.find("](") {
        let Some(open) = rest[..middle].rfind('[') else {
            out.push_str(&rest[..middle + 2]);
            rest = &rest[middle + 2..];
            continue;
        };
        let Some(close) = rest[middle..].find(')').map(|at| middle + at) else { break };
        let is_picture = rest[..open].ends_with('!');
        out.push_str(&rest[..open - usize::from(is_picture)]);
        out.push_str(&rest[open + 1..middle]);
        let address = rest[middle + 2..close].split_whitespace().next().unwrap_or_default();
        if is_picture || address.is_empty() {
            out.push_str(if is_picture { "" } else { " " });
        } else {
            out.push_str(" ( ");
            out.push_str(address);
            out.push_str(" )");
        }
        rest = &rest[close + 1..];
    }
    out.push_str(rest);
    out
}

/// Without HTML, which some renderers would take for such, and without what defines a link elsewhere.
fn without_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        out.push_str(&rest[..open]);
        let inside = &rest[open + 1..];
        let is_tag =
            inside.starts_with(|letter: char| letter.is_ascii_alphabetic() || matches!(letter, '/' | '!'));
        if let Some(close) = inside.find('>').filter(|_| is_tag) {
            // An address in angle brackets is one like others.
            if inside[..close].contains(':') && !inside[..close].contains(' ') {
                out.push_str(&inside[..close]);
            }
            rest = &inside[close + 1..];
        } else {
            // What was cut off before its end would be one for whoever puts something behind it.
            out.push_str(if is_tag { "< " } else { "<" });
            rest = inside;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_is_one_plain_line() {
        assert_eq!(line("a\u{200B}b\n\n[1] c\u{202E}\u{E0041} \u{7}d ", 100), "ab (1) c d");
        assert_eq!(line("\n[2] 2026 ada: ok", 100), "(2) 2026 ada: ok");
        assert_eq!(line(&"é".repeat(50), 10).chars().count(), 10);
    }

    #[test]
    fn code_of_a_quotation_stands_between_marks() {
        for (quote, line) in [
            ("One\n\n two", "One two"),
            ("Batched:\n\n```rust\nlet a = 1;\n  a + 1\n```\nDone", "Batched: `let a = 1; a + 1` Done"),
            ("~~~\ncut of", "`cut of`"),
            ("```\n`a` b\n```", "`` `a` b ``"),
            ("```inline``` stays", "```inline``` stays"),
            ("ends\n```", "ends"),
        ] {
            assert_eq!(on_one_line(quote), line, "{quote}");
        }
    }

    #[test]
    fn only_links_of_sources_come_out() {
        let sources = ["the wiki is https://wiki.example.org/crane, look there"];
        for (said, out) in [
            ("See https://wiki.example.org/crane.", "See https://wiki.example.org/crane."),
            ("See https://wiki.example.org/cran", "See (link left out)"),
            ("See https://wiki.example.org/crane?d=4711", "See (link left out)"),
            ("[here](https://evil.example/?q=4711) now", "here ( (link left out) ) now"),
            ("![x](https://evil.example/a.png)done", "xdone"),
            ("<img src=https://evil.example/a.png>hi <b>there</b> 1 < 2", "hi there 1 < 2"),
            ("it ends in <img src", "it ends in < img src"),
            ("<https://evil.example/?4711>", "(link left out)"),
            ("go to //evil.example or WWW.evil.example", "go to (link left out) or (link left out)"),
            ("javascript:alert(1) @channel", "(link left out) channel"),
            ("[a][b]\n\n[b]: https://evil.example/x", "[a][b]\n\n[b]: (link left out)"),
            ("h@ttps:/@/evil.example/?d=4711", "(link left out)"),
            ("[the plan]@(h@ttps:/@/evil.example/?d=4711)", "the plan ( (link left out) )"),
            ("\u{212A}€https://evil.example/?d=4711", "\u{212A}€(link left out)"),
        ] {
            assert_eq!(written(said, &sources), out, "{said}");
        }
    }
}
