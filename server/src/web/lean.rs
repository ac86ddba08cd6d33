//! What the style sheets say to people who change them, left out on the way to browsers.

/// A style sheet without its comments and the white space between its marks. What stands in quotes stays as it is.
pub fn lean(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("/*") {
        let Some(length) = rest[at..].find("*/") else { break };
        kept.push_str(&rest[..at]);
        rest = &rest[at + length + 2..];
    }
    kept.push_str(rest);
    let mut style = String::with_capacity(kept.len());
    let mut quote = None;
    let mut space = false;
    for character in kept.chars() {
        if quote.is_some() {
            quote = quote.filter(|open| *open != character);
        } else if character.is_ascii_whitespace() {
            space = true;
            continue;
        } else {
            let stays = space
                && !style.is_empty()
                && !style.ends_with(['{', '}', ';', ',', ':', '\n'])
                && !matches!(character, '{' | '}' | ';' | ',');
            if stays {
                style.push(' ');
            } else if character == '}' && style.ends_with(';') {
                style.pop();
            }
            quote = matches!(character, '"' | '\'').then_some(character);
        }
        space = false;
        style.push(character);
    }
    style
}

#[cfg(test)]
mod tests {
    use super::lean;

    #[test]
    fn comments_go_and_rules_stay() {
        assert_eq!(
            lean(
                "/* wide */\n.a .b, .c > d:hover { e: f g; }\n\n  @media (min-width: 1px) and (a: b) {\n .d { content: \" ,  \"; width: calc(1px + 2px) }\n}\n"
            ),
            ".a .b,.c > d:hover{e:f g}@media (min-width:1px) and (a:b){.d{content:\" ,  \";width:calc(1px + 2px)}}"
        );
        assert_eq!(lean(".a { b: url(//f) } .g :is(h) { i: j }"), ".a{b:url(//f)}.g :is(h){i:j}");
        assert_eq!(lean(".a { b: c } /* open"), ".a{b:c}/* open");
    }
}
