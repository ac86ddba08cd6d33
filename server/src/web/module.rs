//! One module of the client: its code, what it takes from others, and what it gives them.

use super::script::{Gap, Kind, Piece, pieces, write};

/// `(name there, name here)`.
pub type Names = Vec<(String, String)>;

/// A module without its imports and exports.
#[derive(Debug, Default)]
pub struct Module {
    pub code: String,
    /// Paths from the client's folder with what is taken from them, in order.
    pub imports: Vec<(String, Names)>,
    /// `(name outside, name inside)`.
    pub exports: Names,
    /// What is handed on: from which path, under which names there and here.
    pub handed_on: Vec<(String, Names)>,
}

/// The default export's name inside.
const DEFAULT: &str = "$default";

impl Module {
    /// Reads what stands at `path`. `address` writes the path of a module that is fetched later as it is to stand in an `import()`.
    pub fn read(path: &str, text: &str, address: impl Fn(&str) -> String) -> Self {
        let all = pieces(text);
        let mut module = Self::default();
        let mut at = 0;
        while let Some(piece) = all.get(at) {
            let next = all.get(at + 1).map(|next| next.text);
            let begins = piece.kind == Kind::Word && piece.depth == 0;
            at = match (piece.text, next) {
                ("import", Some("("))
                    if piece.kind == Kind::Word && all.get(at + 2).is_some_and(is_quoted) =>
                {
                    write(&mut module.code, *piece);
                    let to = resolved(path, unquoted(all[at + 2].text));
                    module.code.extend(["('", &address(&to), "'"]);
                    at + 3
                }
                ("import", Some(".")) if piece.kind == Kind::Word => {
                    // import.meta.url: files stand beside the module, wherever its code came from.
                    let space = if piece.gap == Gap::None { "" } else { " " };
                    module.code.extend([space, "new URL('", &address(path), "',import.meta.url).href"]);
                    at + 5
                }
                ("import", _) if begins => module.import(path, &all, at + 1),
                ("export", _) if begins => module.export(path, &all, at + 1),
                _ => {
                    write(&mut module.code, *piece);
                    at + 1
                }
            };
        }
        module
    }

    /// Behind the word: `{ a as b } from '…';`, `a from '…';` or `'…';`.
    fn import(&mut self, path: &str, all: &[Piece<'_>], at: usize) -> usize {
        let (names, mut at) = match all.get(at) {
            Some(piece) if piece.text == "{" => listed(all, at),
            Some(piece) if piece.kind == Kind::Word => {
                (vec![("default".to_owned(), piece.text.to_owned())], at + 1)
            }
            _ => (Vec::new(), at),
        };
        if all.get(at).is_some_and(|piece| piece.text == "from") {
            at += 1;
        }
        if let Some(from) = all.get(at).filter(|piece| is_quoted(piece)) {
            self.imports.push((resolved(path, unquoted(from.text)), names));
            at += 1;
        }
        after_semicolon(all, at)
    }

    /// Behind the word: a declaration, which stays, or a list.
    fn export(&mut self, path: &str, all: &[Piece<'_>], at: usize) -> usize {
        match all.get(at).map(|piece| piece.text) {
            Some("{") => {
                let (names, at) = listed(all, at);
                let handed_on = all.get(at).is_some_and(|piece| piece.text == "from");
                match all.get(at + 1) {
                    Some(from) if handed_on && is_quoted(from) => {
                        self.handed_on.push((resolved(path, unquoted(from.text)), names));
                        after_semicolon(all, at + 2)
                    }
                    _ => {
                        self.exports.extend(names.into_iter().map(|(inside, outside)| (outside, inside)));
                        after_semicolon(all, at)
                    }
                }
            }
            Some("default") => {
                self.exports.push(("default".to_owned(), DEFAULT.to_owned()));
                self.code.extend(["\nconst ", DEFAULT, "="]);
                at + 1
            }
            _ => {
                let name = all[at..].iter().take(4).find(|piece| {
                    !matches!(piece.text, "async" | "function" | "*" | "const" | "let" | "var" | "class")
                });
                if let Some(name) = name {
                    self.exports.push((name.text.to_owned(), name.text.to_owned()));
                }
                if !self.code.is_empty() {
                    self.code.push('\n');
                }
                at
            }
        }
    }
}

/// What stands in braces, and the place behind them.
fn listed(all: &[Piece<'_>], at: usize) -> (Names, usize) {
    let length = all[at..].iter().position(|piece| piece.text == "}").unwrap_or(all.len() - at);
    let names = all[at + 1..at + length].split(|piece| piece.text == ",").filter_map(|name| {
        let first = name.first()?.text.to_owned();
        let last = name.last()?.text.to_owned();
        Some((first, last))
    });
    (names.collect(), (at + length + 1).min(all.len()))
}

fn after_semicolon(all: &[Piece<'_>], at: usize) -> usize {
    at + usize::from(all.get(at).is_some_and(|piece| piece.text == ";"))
}

fn is_quoted(piece: &Piece<'_>) -> bool {
    piece.kind == Kind::Text && piece.text.starts_with(['\'', '"'])
}

fn unquoted(text: &str) -> &str {
    text.trim_matches(['\'', '"'])
}

/// What `./x.js` and `../x.js` mean in a module, from the client's folder.
fn resolved(path: &str, to: &str) -> String {
    let mut parts: Vec<_> = path.split('/').collect();
    parts.pop();
    for part in to.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::{Module, resolved};

    fn pair(there: &str, here: &str) -> (String, String) {
        (there.to_owned(), here.to_owned())
    }

    #[test]
    fn what_a_module_takes_and_gives_is_found() {
        let text = "import a from './a.js';\nimport {\n  b, c as d,\n} from '../b.js';\nimport '../c.js';\nexport const e = () => import('./e.js');\nexport async function f() {}\nexport { e as g };\nexport { h } from './h.js';\n";
        let module = Module::read("js/x.js", text, |path| format!("./{path}"));
        assert_eq!(
            module.imports,
            [
                ("js/a.js".to_owned(), vec![pair("default", "a")]),
                ("b.js".to_owned(), vec![pair("b", "b"), pair("c", "d")]),
                ("c.js".to_owned(), vec![])
            ]
        );
        assert_eq!(module.exports, [pair("e", "e"), pair("f", "f"), pair("g", "e")]);
        assert_eq!(module.handed_on, [("js/h.js".to_owned(), vec![pair("h", "h")])]);
        assert_eq!(module.code, "const e=()=>import('./js/e.js');\nasync function f(){}");
    }

    #[test]
    fn packed_modules_are_read_too() {
        let text = r#"import{a as n}from"./p.js";var b=1;export default function(s){return s}export{b as useB,n as m};"#;
        let module = Module::read("vendor/h.js", text, |path| format!("./{path}"));
        assert_eq!(module.imports, [("vendor/p.js".to_owned(), vec![pair("a", "n")])]);
        assert_eq!(module.exports, [pair("default", "$default"), pair("useB", "b"), pair("m", "n")]);
        assert_eq!(resolved("js/views/a.js", "../../vendor/b.js"), "vendor/b.js");
    }
}
