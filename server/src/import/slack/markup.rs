//! Slack's markup as Markdown. Conservative: what is not clearly markup stays as it is.

use std::borrow::Cow;

use confab_protocol::UserId;

/// Answers what a mark in a text means.
pub(super) trait Names {
    /// The person of a Slack id: our id, and the name they have here.
    fn person(&self, slack_id: &str) -> Option<(UserId, &str)>;
    /// The name of the channel of a Slack id.
    fn channel(&self, slack_id: &str) -> Option<&str>;
}

/// What the texts of an export are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Texts {
    /// Slack's markup.
    Slack,
    /// Markdown, with Slack's mentions and entities: what an export of ours holds.
    Markdown,
    /// Something else in an export's shape: a `<` of theirs is a `<`.
    Plain,
}

/// A text in our form.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Translated {
    pub text: String,
    /// In order of appearance, without repetition.
    pub mentions: Vec<UserId>,
}

/// Translates a text. Of a plain one only mentions of known people and channels are.
pub(super) fn translate(text: &str, texts: Texts, names: &impl Names) -> Translated {
    let has_markup = texts != Texts::Plain;
    let mut done = Translated { text: String::with_capacity(text.len()), mentions: Vec::new() };
    if !text.contains(['<', '&', '*', '`']) {
        text.clone_into(&mut done.text);
        return done;
    }
    let marked: Cow<'_, str> = if texts == Texts::Slack { bold(&fenced(text)).into() } else { text.into() };
    let mut rest: &str = &marked;
    while let Some(at) = rest.find(['<', '&']) {
        done.text.push_str(&rest[..at]);
        rest = &rest[at..];
        let taken = if rest.starts_with('<') {
            token(rest).and_then(|(inside, length)| {
                resolved(inside, has_markup, names, &mut done.mentions).map(|shown| (shown, length))
            })
        } else {
            entity(rest).filter(|_| has_markup).map(|(letter, length)| (letter.to_owned(), length))
        };
        let length = if let Some((shown, length)) = taken {
            done.text.push_str(&shown);
            length
        } else {
            done.text.push_str(&rest[..1]);
            1
        };
        rest = &rest[length..];
    }
    done.text.push_str(rest);
    done
}

/// A text that a program wrote for Slack, as Markdown. Its ids name nobody here.
pub(crate) fn markdown_of(text: &str) -> String {
    struct Nobody;
    impl Names for Nobody {
        fn person(&self, _: &str) -> Option<(UserId, &str)> {
            None
        }
        fn channel(&self, _: &str) -> Option<&str> {
            None
        }
    }
    translate(text, Texts::Slack, &Nobody).text
}

/// Whether a text with `<`, `>` or `&` in it holds them as Slack writes them; `None` for a text without any. A text
/// that Slack stored holds none of them but as a mark or an entity.
pub(super) fn is_encoded(text: &str) -> Option<bool> {
    let mut found = None;
    let mut rest = text;
    while let Some(at) = rest.find(['<', '>', '&']) {
        rest = &rest[at..];
        let length = match rest.as_bytes()[0] {
            b'<' => token(rest).filter(|(inside, _)| is_mark(inside)).map(|it| it.1),
            b'&' => entity(rest).map(|it| it.1),
            _ => None,
        };
        match length {
            Some(length) => rest = &rest[length..],
            None => return Some(false),
        }
        found = Some(true);
    }
    found
}

/// `<…>` on one line at the beginning of a text: what stands inside, and the length of all.
fn token(text: &str) -> Option<(&str, usize)> {
    let end = text[1..].find(['<', '>', '\n'])? + 1;
    (text.as_bytes()[end] == b'>' && end > 1).then(|| (&text[1..end], end + 1))
}

fn entity(text: &str) -> Option<(&'static str, usize)> {
    [("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")]
        .into_iter()
        .find_map(|(entity, letter)| text.starts_with(entity).then_some((letter, entity.len())))
}

fn is_mark(inside: &str) -> bool {
    match inside.as_bytes()[0] {
        b'@' | b'#' => is_id(inside[1..].split('|').next().unwrap_or_default()),
        b'!' => inside.len() > 1,
        _ => is_address(inside.split('|').next().unwrap_or_default()),
    }
}

/// Slack's ids are capitals and digits; `<@nick>` of an IRC log is none.
fn is_id(text: &str) -> bool {
    text.len() >= 2 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

fn is_address(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, rest)| {
        scheme.starts_with(|it: char| it.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte))
            && !rest.is_empty()
            && !rest.contains(char::is_whitespace)
    })
}

fn plain(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// What stands for a mark; `None` when it is none.
fn resolved(
    inside: &str,
    has_markup: bool,
    names: &impl Names,
    mentions: &mut Vec<UserId>,
) -> Option<String> {
    let (mark, label) = inside.split_once('|').map_or((inside, ""), |it| it);
    let label = plain(label.trim());
    match mark.as_bytes().first()? {
        b'@' if is_id(&mark[1..]) => {
            if let Some((id, name)) = names.person(&mark[1..]) {
                if !mentions.contains(&id) {
                    mentions.push(id);
                }
                return Some(format!("@{name}"));
            }
            let name = if label.is_empty() { &mark[1..] } else { label.trim_start_matches('@') };
            has_markup.then(|| format!("@{name}"))
        }
        b'#' if is_id(&mark[1..]) => {
            let known = names.channel(&mark[1..]);
            (has_markup || known.is_some()).then(|| {
                let name = known.or(Some(&*label).filter(|label| !label.is_empty())).unwrap_or(&mark[1..]);
                format!("#{name}")
            })
        }
        b'!' => command(&mark[1..], &label),
        _ if has_markup && is_address(mark) => Some(link(&plain(mark), &label)),
        _ => None,
    }
}

/// `<!here>`, `<!subteam^S1|@name>`, `<!date^…|words>`.
fn command(mark: &str, label: &str) -> Option<String> {
    match mark {
        "channel" | "group" => Some("@channel".into()),
        "here" => Some("@here".into()),
        "everyone" => Some("@everyone".into()),
        _ if (mark.starts_with("subteam^") || mark.starts_with("date^")) && !label.is_empty() => {
            Some(label.into())
        }
        _ => None,
    }
}

fn link(address: &str, label: &str) -> String {
    let bare = |text: &str| {
        let text = text.split_once("://").map_or(text, |it| it.1);
        text.trim_start_matches("mailto:").trim_start_matches("tel:").trim_end_matches('/').to_lowercase()
    };
    if label.is_empty() {
        return address.to_owned();
    }
    // Slack makes a link of every "example.org" and "a@example.org": shown as it was typed.
    if bare(address) == bare(label) {
        return if label.contains("://") || !address.contains("://") { label } else { address }.to_owned();
    }
    let label = label.replace('\n', " ");
    let scheme = address.split_once(':').map_or("", |it| it.0).to_ascii_lowercase();
    if !matches!(scheme.as_str(), "http" | "https" | "mailto") {
        // "javascript:" behind a harmless word is an attack on whoever shows Markdown; this way it is only text.
        return format!("{label} ({address})");
    }
    format!("[{label}]({})", address.replace('(', "%28").replace(')', "%29"))
}

/// Code blocks with their fences on lines of their own: Markdown takes what stands beside one for a language.
fn fenced(text: &str) -> String {
    const FENCE: &str = "```";
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(open) = rest.find(FENCE) {
        let Some(length) = rest[open + 3..].find(FENCE).filter(|length| *length > 0) else { break };
        let (before, code) = (&rest[..open], &rest[open + 3..open + 3 + length]);
        out.push_str(before);
        if !(out.is_empty() || out.ends_with('\n')) {
            out.push('\n');
        }
        out.push_str(FENCE);
        if !code.starts_with('\n') {
            out.push('\n');
        }
        out.push_str(code);
        if !code.ends_with('\n') {
            out.push('\n');
        }
        out.push_str(FENCE);
        rest = &rest[open + length + 6..];
        if !(rest.is_empty() || rest.starts_with('\n')) {
            out.push('\n');
            rest = rest.trim_start_matches(' ');
        }
    }
    out.push_str(rest);
    out
}

/// `*bold*` becomes `**bold**`: on one line, at the edges of words, not in code and not in a mark.
fn bold(text: &str) -> String {
    if !text.contains('*') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 8);
    let mut in_block = false;
    for line in text.split_inclusive('\n') {
        if line.starts_with("```") {
            in_block = !in_block;
        }
        if in_block || !line.contains('*') {
            out.push_str(line);
            continue;
        }
        let mut from = 0;
        for at in bold_marks(line) {
            out.push_str(&line[from..at]);
            out.push_str("**");
            from = at + 1;
        }
        out.push_str(&line[from..]);
    }
    out
}

/// Where the stars of a line stand that make something bold, in order.
fn bold_marks(line: &str) -> Vec<usize> {
    let mut hidden = hidden_parts(line).into_iter().peekable();
    let is_open_to = |letter: Option<char>| letter.is_none_or(|it| !it.is_alphanumeric() && it != '*');
    let is_ink = |letter: Option<char>| letter.is_some_and(|it| !it.is_whitespace() && it != '*');
    let mut marks = Vec::new();
    let mut opened = None;
    for (at, _) in line.match_indices('*') {
        while hidden.next_if(|part| part.end <= at).is_some() {}
        if hidden.peek().is_some_and(|part| part.contains(&at)) {
            continue;
        }
        let (before, after) = (line[..at].chars().next_back(), line[at + 1..].chars().next());
        match opened {
            Some(start) if is_ink(before) && is_open_to(after) => {
                marks.extend([start, at]);
                opened = None;
            }
            None if is_open_to(before) && is_ink(after) => opened = Some(at),
            _ => {}
        }
    }
    marks
}

/// Code in a line and marks: no star in them means anything.
fn hidden_parts(line: &str) -> Vec<std::ops::Range<usize>> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(found) = line[at..].find(['`', '<']) {
        let start = at + found;
        let length = if line[start..].starts_with('`') {
            line[start + 1..].find('`').map(|length| length + 2)
        } else {
            token(&line[start..]).filter(|(inside, _)| is_mark(inside)).map(|it| it.1)
        };
        at = start + length.unwrap_or(1);
        if length.is_some() {
            parts.push(start..at);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Two(UserId);

    impl Names for Two {
        fn person(&self, slack_id: &str) -> Option<(UserId, &str)> {
            (slack_id == "U01").then_some((self.0, "ada"))
        }
        fn channel(&self, slack_id: &str) -> Option<&str> {
            (slack_id == "C01").then_some("general-slack")
        }
    }

    #[test]
    fn slack_markup_becomes_markdown() {
        let names = Two(UserId::new());
        for (slack, ours) in [
            ("plain text, nothing else", "plain text, nothing else"),
            ("hi <@U01>, <@U01|ada.l> and <@U99>", "hi @ada, @ada and @U99"),
            (
                "<@U99|@bob> in <#C01|general> or <#C99|old> or <#C98|>",
                "@bob in #general-slack or #old or #C98",
            ),
            ("<!channel> <!here> <!everyone> <!subteam^S1|@dev>", "@channel @here @everyone @dev"),
            ("<!date^1392734382^{date}|Feb 18>", "Feb 18"),
            ("<https://example.org/?a=1&amp;b=2>", "https://example.org/?a=1&b=2"),
            ("<https://example.org/a_(b)|the page>", "[the page](https://example.org/a_%28b%29)"),
            ("<http://example.org|example.org>", "http://example.org"),
            ("<mailto:a@example.org|a@example.org>", "a@example.org"),
            ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
            ("&amp;lt; stays escaped once", "&lt; stays escaped once"),
            ("*bold* and _italic_", "**bold** and _italic_"),
            ("(*so*), *two words*: *<https://a.b|x>*", "(**so**), **two words**: **[x](https://a.b)**"),
            ("2 * 3 * 4, a*b*c, *.txt and *.md, **two**", "2 * 3 * 4, a*b*c, *.txt and *.md, **two**"),
            ("`*code*` *b*", "`*code*` **b**"),
            ("*a\nb*", "*a\nb*"),
            ("see ```x &lt; *y*\nz``` there", "see \n```\nx < *y*\nz\n```\nthere"),
            ("```\ncode\n```", "```\ncode\n```"),
            ("an open ``` stays", "an open ``` stays"),
            ("a < b and <nobody> <@nick>", "a < b and <nobody> <@nick>"),
            ("<javascript:alert(1)|click>", "click (javascript:alert(1))"),
        ] {
            assert_eq!(translate(slack, Texts::Slack, &names).text, ours, "{slack}");
        }
        assert_eq!(translate("<@U01> <@U01>", Texts::Slack, &names).mentions, [names.0]);
    }

    #[test]
    fn other_texts_stay_as_they_are() {
        let names = Two(UserId::new());
        for text in ["*sigh* <3 &amp; <http://a.b> x", "<@nick> a ```b```", "if (a<b && c>d) <@U99>"] {
            assert_eq!(translate(text, Texts::Plain, &names).text, text);
        }
        assert_eq!(translate("<@U01> has joined", Texts::Plain, &names).text, "@ada has joined");
        let ours = translate("*a* &lt;b&gt; <@U01> ```c```", Texts::Markdown, &names);
        assert_eq!((&*ours.text, ours.mentions), ("*a* <b> @ada ```c```", vec![names.0]));
    }

    #[test]
    fn the_origin_of_texts_shows() {
        for (text, encoded) in [
            ("nothing", None),
            ("a &lt; b", Some(true)),
            ("<https://a.b|c> &gt; <@U01>", Some(true)),
            ("a < b", Some(false)),
            ("a & b", Some(false)),
            ("-> there", Some(false)),
            ("<sigh>", Some(false)),
        ] {
            assert_eq!(is_encoded(text), encoded, "{text}");
        }
    }
}
