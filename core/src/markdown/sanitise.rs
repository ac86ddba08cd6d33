//! The second gate: what is not on this list does not leave, whatever the writer wrote.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};

/// Elements, each with the attributes that it may have. `rel` is set by the sanitiser itself.
const ALLOWED: &[(&str, &[&str])] = &[
    ("a", &["href", "target", "class", "dir", "data-channel-id"]),
    ("blockquote", &["dir"]),
    ("br", &[]),
    ("code", &["class"]),
    ("del", &[]),
    ("div", &["class"]),
    ("em", &[]),
    ("h1", &["dir"]),
    ("h2", &["dir"]),
    ("h3", &["dir"]),
    ("h4", &["dir"]),
    ("h5", &["dir"]),
    ("h6", &["dir"]),
    ("hr", &[]),
    ("img", &["src", "class", "alt", "title"]),
    ("input", &["type", "disabled", "checked"]),
    ("li", &["class", "dir"]),
    ("ol", &["start"]),
    ("p", &["dir"]),
    ("pre", &["dir"]),
    ("span", &["class", "data-user-id"]),
    ("strong", &[]),
    ("table", &[]),
    ("tbody", &[]),
    ("td", &["class", "dir"]),
    ("th", &["class", "dir"]),
    ("thead", &[]),
    ("tr", &[]),
    ("ul", &[]),
];

/// Classes that our style sheet knows, beside those of [`LANGUAGES`].
const CLASSES: &[&str] =
    &["mention", "channel-link", "emoji", "task", "table", "left", "center", "right", "host"];

/// Names behind an opening fence that are kept, as `language-NAME`.
pub const LANGUAGES: &[&str] = &[
    "bash",
    "c",
    "clojure",
    "cmake",
    "console",
    "cpp",
    "csharp",
    "css",
    "csv",
    "dart",
    "diff",
    "dockerfile",
    "elixir",
    "elm",
    "erlang",
    "fish",
    "fsharp",
    "go",
    "graphql",
    "haskell",
    "html",
    "http",
    "ini",
    "java",
    "javascript",
    "js",
    "json",
    "jsx",
    "julia",
    "kotlin",
    "latex",
    "less",
    "lisp",
    "log",
    "lua",
    "make",
    "makefile",
    "markdown",
    "md",
    "nginx",
    "nim",
    "nix",
    "objectivec",
    "ocaml",
    "perl",
    "php",
    "plaintext",
    "powershell",
    "proto",
    "protobuf",
    "python",
    "py",
    "r",
    "regex",
    "ruby",
    "rust",
    "rs",
    "sass",
    "scala",
    "scheme",
    "scss",
    "sh",
    "shell",
    "sql",
    "svelte",
    "swift",
    "terraform",
    "text",
    "toml",
    "ts",
    "tsx",
    "typescript",
    "vim",
    "vue",
    "wasm",
    "xml",
    "yaml",
    "yml",
    "zig",
    "zsh",
];

static SANITISER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let tags: HashSet<&str> = ALLOWED.iter().map(|(tag, _)| *tag).collect();
    let attributes: HashMap<&str, HashSet<&str>> =
        ALLOWED.iter().map(|(tag, names)| (*tag, names.iter().copied().collect())).collect();
    let mut builder = Builder::empty();
    builder
        .tags(tags)
        .tag_attributes(attributes)
        .generic_attributes(HashSet::new())
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::PassThrough) // `admitted` decides, since it knows the element
        .link_rel(Some("noopener noreferrer nofollow"))
        .attribute_filter(admitted);
    builder
});

/// What may be of it, of the HTML that was written.
pub fn clean(html: &str) -> String {
    SANITISER.clean(html).to_string()
}

static TEXT: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::empty();
    builder.generic_attributes(HashSet::new()).link_rel(None);
    builder
});

/// The text of a piece of HTML, with its entities read.
pub fn text_of(html: &str) -> String {
    let escaped = TEXT.clean(html).to_string();
    escaped.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", " ").replace("&amp;", "&")
}

/// The value of an attribute that may be there; `None`: it goes.
fn admitted<'v>(element: &str, attribute: &str, value: &'v str) -> Option<Cow<'v, str>> {
    let holds = match (element, attribute) {
        ("a", "href") => is_outside(value) || is_channel(value),
        ("a", "target") => value == "_blank",
        ("img", "src") => is_picture(value),
        ("pre" | "a", "dir") => matches!(value, "auto" | "ltr"),
        (_, "dir") => value == "auto",
        ("code", "class") => value.strip_prefix("language-").is_some_and(|it| LANGUAGES.contains(&it)),
        (_, "class") => CLASSES.contains(&value),
        (_, "data-user-id" | "data-channel-id") => is_id(value),
        ("ol", "start") => value.len() <= 9 && value.bytes().all(|it| it.is_ascii_digit()),
        ("input", "type") => value == "checkbox",
        ("input", "checked" | "disabled") => value.is_empty(),
        _ => true,
    };
    holds.then_some(Cow::Borrowed(value))
}

/// Whether a click leads out of here by a scheme that runs nothing. Not with a name before the host:
/// `https://bank.example@evil.example` reads as another place than it leads to.
pub fn is_outside(address: &str) -> bool {
    let begins = |scheme: &str| {
        address.get(..scheme.len()).is_some_and(|it| it.eq_ignore_ascii_case(scheme))
            && address.len() > scheme.len()
    };
    let authority = |scheme: &str| address[scheme.len()..].split(['/', '?', '#']).next().unwrap_or_default();
    let is_web = |scheme: &str| begins(scheme) && !authority(scheme).contains('@');
    (is_web("http://") || is_web("https://") || begins("mailto:"))
        && !address.contains(|it: char| it.is_whitespace() || it.is_control() || it == '\\')
}

fn is_channel(path: &str) -> bool {
    path.strip_prefix("/channels/").is_some_and(is_id)
}

/// Pictures are our own: one elsewhere would tell its host who reads.
fn is_picture(path: &str) -> bool {
    path.strip_prefix("/api/v1/pictures/")
        .is_some_and(|it| it.len() == 64 && it.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f')))
}

fn is_id(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|it| it.is_ascii_hexdigit() || it == b'-')
}

#[cfg(test)]
pub mod listed {
    //! The list, for a check by another parser.

    /// Whether an element may be there.
    pub fn element(name: &str) -> bool {
        super::ALLOWED.iter().any(|(tag, _)| *tag == name)
    }

    /// Whether an attribute may be there with this value.
    pub fn attribute(element: &str, name: &str, value: &str) -> bool {
        match (element, name) {
            ("a", "rel") => value == "noopener noreferrer nofollow",
            _ => {
                super::ALLOWED.iter().any(|(tag, names)| *tag == element && names.contains(&name))
                    && super::admitted(element, name, value).is_some()
            }
        }
    }
}
