//! The client's modules read as far as is needed to leave out what only people read, and to put several into one.

/// Words after which a slash begins a pattern.
const BEFORE_PATTERN: [&str; 14] = [
    "return",
    "typeof",
    "case",
    "in",
    "of",
    "delete",
    "void",
    "throw",
    "new",
    "else",
    "do",
    "await",
    "yield",
    "instanceof",
];

/// What stood between a piece and the one before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Gap {
    None,
    Space,
    Line,
}

/// A word or number, one mark, or a piece that stays as it is: a string, a part of a template, a pattern.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Word,
    Mark,
    Text,
}

#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    pub kind: Kind,
    pub text: &'a str,
    pub gap: Gap,
    /// How many braces, brackets and parentheses are open around it; those of a template count.
    pub depth: usize,
}

/// All pieces of a script but its comments.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut reader = Reader { text, at: 0, open: Vec::new(), pieces: Vec::new() };
    while let Some(gap) = reader.gap() {
        reader.take(gap);
    }
    reader.pieces
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// What is open: a mark, or `$` for the code within a template.
    open: Vec<u8>,
    pieces: Vec<Piece<'a>>,
}

impl Reader<'_> {
    fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or_default()
    }

    /// Passes over white space and comments. Nothing at the end.
    fn gap(&mut self) -> Option<Gap> {
        let mut gap = Gap::None;
        loop {
            match self.byte(self.at) {
                b'\n' => {
                    gap = Gap::Line;
                    self.at += 1;
                }
                b' ' | b'\t' | b'\r' => {
                    gap = gap.max(Gap::Space);
                    self.at += 1;
                }
                b'/' if self.byte(self.at + 1) == b'/' => {
                    self.at =
                        self.text[self.at..].find('\n').map_or(self.text.len(), |length| self.at + length);
                }
                b'/' if self.byte(self.at + 1) == b'*' => {
                    let end = self.text[self.at..]
                        .find("*/")
                        .map_or(self.text.len(), |length| self.at + length + 2);
                    let lines = self.text[self.at..end].contains('\n');
                    gap = gap.max(if lines { Gap::Line } else { Gap::Space });
                    self.at = end;
                }
                _ => return (self.at < self.text.len()).then_some(gap),
            }
        }
    }

    fn take(&mut self, gap: Gap) {
        let from = self.at;
        let first = self.byte(from);
        let kind = match first {
            b'\'' | b'"' => {
                self.at = self.quoted(from + 1, first);
                Kind::Text
            }
            b'`' => {
                self.template(from + 1);
                return self.keep(from, Kind::Text, gap, self.open.len());
            }
            b'}' if self.open.last() == Some(&b'$') => {
                self.open.pop();
                let depth = self.open.len();
                self.template(from + 1);
                return self.keep(from, Kind::Text, gap, depth);
            }
            b'/' if self.is_pattern_next() => {
                self.at = self.pattern(from + 1);
                Kind::Text
            }
            _ if is_word(first) => {
                while is_word(self.byte(self.at)) {
                    self.at += 1;
                }
                Kind::Word
            }
            _ => {
                self.at += 1;
                return self.mark(from, first, gap);
            }
        };
        self.keep(from, kind, gap, self.open.len());
    }

    fn mark(&mut self, from: usize, mark: u8, gap: Gap) {
        if matches!(mark, b')' | b']' | b'}') {
            self.open.pop();
        }
        self.keep(from, Kind::Mark, gap, self.open.len());
        if matches!(mark, b'(' | b'[' | b'{') {
            self.open.push(mark);
        }
    }

    fn keep(&mut self, from: usize, kind: Kind, gap: Gap, depth: usize) {
        self.pieces.push(Piece { kind, text: &self.text[from..self.at], gap, depth });
    }

    /// The place behind the closing quote.
    fn quoted(&self, mut at: usize, quote: u8) -> usize {
        while at < self.text.len() && self.byte(at) != quote {
            at += if self.byte(at) == b'\\' { 2 } else { 1 };
        }
        (at + 1).min(self.text.len())
    }

    /// Goes to the end of the template, or of its words before the next piece of code.
    fn template(&mut self, mut at: usize) {
        while at < self.text.len() && self.byte(at) != b'`' {
            if self.byte(at) == b'$' && self.byte(at + 1) == b'{' {
                self.open.push(b'$');
                self.at = at + 2;
                return;
            }
            at += if self.byte(at) == b'\\' { 2 } else { 1 };
        }
        self.at = (at + 1).min(self.text.len());
    }

    /// A slash divides what stands before it, if something does.
    fn is_pattern_next(&self) -> bool {
        match self.pieces.last() {
            None => true,
            Some(Piece { kind: Kind::Word, text, .. }) => BEFORE_PATTERN.contains(text),
            Some(Piece { kind: Kind::Text, text, .. }) => text.ends_with("${"),
            Some(Piece { kind: Kind::Mark, text, .. }) => !matches!(*text, ")" | "]" | "}"),
        }
    }

    /// The place behind the pattern and its flags.
    fn pattern(&self, mut at: usize) -> usize {
        let mut in_class = false;
        while at < self.text.len() && (in_class || self.byte(at) != b'/') {
            match self.byte(at) {
                b'\\' => at += 1,
                b'[' => in_class = true,
                b']' => in_class = false,
                _ => {}
            }
            at += 1;
        }
        at += 1;
        while is_word(self.byte(at)) {
            at += 1;
        }
        at.min(self.text.len())
    }
}

/// Every character beyond ASCII that stands outside of strings is part of a name.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

/// Adds a piece to what is written, with as little between them as says the same.
pub fn write(script: &mut String, piece: Piece<'_>) {
    let before = script.bytes().last().unwrap_or(b'\n');
    let first = piece.text.bytes().next().unwrap_or_default();
    match piece.gap {
        Gap::None => {}
        // A line ends a statement unless it plainly goes on.
        Gap::Line if !b"{([,;:?&|=<>*%!\n".contains(&before) && !b")]},;.?:&|=*%<>".contains(&first) => {
            script.push('\n');
        }
        Gap::Line | Gap::Space => {
            let runs_on = is_word(first) && (is_word(before) || before == b'/');
            if runs_on || (before == first && matches!(first, b'+' | b'-' | b'/')) {
                script.push(' ');
            }
        }
    }
    if piece.kind == Kind::Text && piece.text.contains('\n') {
        // Of a template: the template tag ignores indentation.
        let mut lines = piece.text.split('\n');
        script.push_str(lines.next().unwrap_or_default());
        for line in lines {
            script.push('\n');
            script.push_str(line.trim_start_matches([' ', '\t']));
        }
    } else {
        script.push_str(piece.text);
    }
}

#[cfg(test)]
mod tests {
    use super::{pieces, write};

    fn tight(text: &str) -> String {
        let mut script = String::new();
        for piece in pieces(text) {
            write(&mut script, piece);
        }
        script
    }

    #[test]
    fn what_only_people_read_goes() {
        assert_eq!(
            tight("/** What\n * it is */\nlet a = 'b // c'; // why\n// alone\nf( /** @type {x} */ (g) )\n"),
            "let a='b // c';f((g))"
        );
        assert_eq!(tight("return `a ${b + `c\n   ${d}`} e` ;\n"), "return`a ${b+`c\n${d}`} e`;");
        assert_eq!(tight("x = a / b / c;\ny = /[/'] \\/ /g.test(z);"), "x=a/ b/ c;y=/[/'] \\/ /g.test(z);");
    }

    #[test]
    fn statements_stay_apart() {
        assert_eq!(tight("let a = b\nlet c = d\n(e)"), "let a=b\nlet c=d\n(e)");
        assert_eq!(tight("a + +b; c - -d; i++\nj"), "a+ +b;c- -d;i++\nj");
        assert_eq!(tight("const { a } = b;\nif (a) {\n  c();\n}\nd();"), "const{a}=b;if(a){c();}\nd();");
        assert_eq!(tight("for (const ä of é) {}"), "for(const ä of é){}");
    }
}
