//! What the client's files say to people who change it, left out on the way to browsers. It is a quarter of what a first visit loads.

/// A script or style sheet without its comments and indentation. Only what stands in `/** … */`, `/* … */` of style sheets, or on a line of its own
/// behind `//` goes: no string of the client holds such a thing, which `tests/first_load.test.mjs` checks.
pub fn lean(path: &str, text: &str) -> String {
    let is_style = path.rsplit_once('.').is_some_and(|(_, ending)| ending == "css");
    let opening = if is_style { "/*" } else { "/**" };
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(opening) {
        let Some(length) = rest[at..].find("*/") else { break };
        kept.push_str(&rest[..at]);
        rest = &rest[at + length + 2..];
    }
    kept.push_str(rest);
    let mut lines = String::with_capacity(kept.len());
    for line in kept.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")) {
        lines.push_str(line);
        lines.push('\n');
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::lean;

    #[test]
    fn comments_go_and_code_stays() {
        let script = "/** What it is.\n * @param {x} y */\nexport const a = 'b // c'; // why\n  // alone\n  f(/** @type {any} */ (g));\n";
        assert_eq!(lean("js/a.js", script), "export const a = 'b // c'; // why\nf( (g));\n");
        assert_eq!(
            lean("a.css", "/* wide */\n.a { b: c; }\n\n  .d { e: url(//f) }"),
            ".a { b: c; }\n.d { e: url(//f) }\n"
        );
        assert_eq!(lean("js/a.js", "let a = 1; /** open"), "let a = 1; /** open\n");
    }
}
