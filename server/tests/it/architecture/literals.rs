//! String literals of Rust sources, and whether one is SQL.

/// The contents of all string literals, raw ones too, outside comments.
pub fn of_rust(source: &str) -> Vec<String> {
    let mut literals = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        rest = if rest.starts_with("//") {
            rest.find('\n').map_or("", |end| &rest[end..])
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or("", |end| &rest[end + 2..])
        } else if let Some(quote) = quoted_character(rest) {
            &rest[quote..]
        } else if let Some(opening) = raw_opening(rest) {
            let closing = format!("\"{}", &opening[1..opening.len() - 1]);
            let body = &rest[opening.len()..];
            let end = body.find(&closing).unwrap_or(body.len());
            literals.push(body[..end].to_owned());
            body.get(end + closing.len()..).unwrap_or("")
        } else if first == '"' {
            let body = &rest[1..];
            let end = closing_quote(body);
            literals.push(body[..end].to_owned());
            body.get(end + 1..).unwrap_or("")
        } else {
            &rest[first.len_utf8()..]
        };
    }
    literals
}

/// Whether a literal is a statement of SQL rather than a sentence that begins with the same word.
pub fn is_sql(literal: &str) -> bool {
    let words: Vec<String> = literal.split_whitespace().map(str::to_lowercase).collect();
    let Some(first) = words.first() else { return false };
    let second = words.get(1).map_or("", String::as_str);
    let has = |word: &str| words.iter().any(|it| it == word);
    let placeholder = literal.contains("= $")
        || literal.contains("($")
        || literal.contains(", $")
        || literal.contains("= ?");
    match first.as_str() {
        "insert" => second == "into" || second == "or",
        "delete" => second == "from" && (has("where") || words.len() == 3),
        "create" | "alter" | "drop" => matches!(second, "table" | "index" | "unique"),
        "pragma" => true,
        "update" => has("set") && (has("where") || placeholder),
        "select" | "with" => {
            placeholder
                || has("where")
                || has("*")
                || second.contains('(')
                || (has("from") && words.len() <= 6 && !has("the"))
        }
        _ => placeholder && (has("where") || has("values")),
    }
}

/// The length of a character literal at the start, such as `'"'`, which must not open a string. Lifetimes are none.
fn quoted_character(text: &str) -> Option<usize> {
    let mut characters = text.char_indices().skip(1);
    if !text.starts_with('\'') {
        return None;
    }
    let (_, first) = characters.next()?;
    if first == '\\' {
        let (_, _) = characters.next()?;
    }
    let (end, closing) = characters.next()?;
    (closing == '\'').then_some(end + 1)
}

/// `r#"` and its like at the start.
fn raw_opening(text: &str) -> Option<&str> {
    let hashes = text.strip_prefix('r')?.bytes().take_while(|byte| *byte == b'#').count();
    text.get(..hashes + 2).filter(|opening| opening.ends_with('"'))
}

/// Where the string ends whose body begins here: at the first quote that no backslash precedes.
fn closing_quote(body: &str) -> usize {
    let mut escaped = false;
    for (at, character) in body.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at,
            _ => {}
        }
    }
    body.len()
}

#[test]
fn literals_are_found_and_sql_is_told_from_prose() {
    let source = "let a = 'x'; let q = '\"'; let b = \"one \\\" two\"; // \"no\"\nlet c = r#\"three \"in\" raw\"#; /* \"no\" */ fn f<'a>(x: &'a str) {}";
    assert_eq!(of_rust(source), ["one \\\" two", "three \"in\" raw"]);
    for sql in [
        "select 1 from message",
        "SELECT * FROM user",
        "insert into a values ($1)",
        "update a set b = $1",
        "pragma wal",
    ] {
        assert!(is_sql(sql), "{sql}");
    }
    for prose in [
        "select a channel from the list",
        "update available",
        "with thanks",
        "delete the message",
        "insert a file",
    ] {
        assert!(!is_sql(prose), "{prose}");
    }
}
