//! `confab plugin new`: a project that builds and passes its own test, with all that it needs of Confab in it.

use std::path::Path;

use clap::ValueEnum;
use confab_core::{Fault, Result};
use serde_json::json;

use super::super::{Common, refused, say};

const NAME_CHARACTERS: usize = 32;

/// In which language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Language {
    Rust,
    Python,
    #[value(alias = "javascript")]
    Js,
}

macro_rules! template {
    ($path:literal) => {
        include_str!(concat!("../../../../plugins/templates/", $path))
    };
}

macro_rules! sdk {
    ($($name:literal),*) => {
        [$((concat!("sdk/src/", $name), include_str!(concat!("../../../../plugins/sdk/src/", $name)))),*]
    };
}

const CONTRACT: &str = include_str!("../../../../plugins/wit/v0.2/confab.wit");
/// Built into the project: nothing but this program is needed to begin.
const SDK: [(&str, &str); 6] =
    sdk!["bindings.rs", "export.rs", "handler.rs", "lib.rs", "random.rs", "words.rs"];

/// Writes the project into a folder of the name, in the working folder or where `name` leads.
///
/// # Errors
/// [`Fault::Invalid`] for a name that no plugin can have; [`Fault::Conflict`] where something is already.
pub fn run(path: &Path, language: Language, common: &Common) -> Result<()> {
    let name = path.file_name().and_then(|it| it.to_str()).unwrap_or_default();
    check(name)?;
    let is_taken = std::fs::read_dir(path).map_or(path.exists(), |mut inside| inside.next().is_some());
    if is_taken {
        let message = format!("{} is there already, and nothing is overwritten", path.display());
        return Err(refused("exists", message));
    }
    let files = files(name, language);
    for (at, text) in &files {
        write(&path.join(at), text)
            .map_err(|error| refused("unwritable", format!("{}: {error}", path.join(at).display())))?;
    }
    let names: Vec<&str> = files.iter().map(|(at, _)| at.as_str()).collect();
    say(common, &json!({ "folder": path, "files": names }), || {
        let folder = path.display();
        let first = match language {
            Language::Rust => "",
            Language::Python => "pip install componentize-py==0.25.1\n  ",
            Language::Js => "(cd {} && npm install)\n  ",
        };
        let first = first.replace("{}", &folder.to_string());
        format!(
            "{folder} is a plugin now. Next:\n  {first}{folder}/build\n  confab plugin test {folder}\n  \
             confab plugin install {folder} --grant all"
        )
    });
    Ok(())
}

/// The name becomes that of a crate, a file and a domain.
fn check(name: &str) -> Result<()> {
    let is_letter = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-';
    let is_sound = name.starts_with(|it: char| it.is_ascii_lowercase())
        && name.chars().all(is_letter)
        && !name.ends_with('-')
        && name.len() <= NAME_CHARACTERS;
    if is_sound {
        return Ok(());
    }
    let message =
        "is lower-case letters, digits and hyphens, begins with a letter and has at most 32 of them";
    Err(Fault::invalid("name", message))
}

fn files(name: &str, language: Language) -> Vec<(String, String)> {
    let fill = |text: &str| fill(text, name, language);
    let mut manifest = fill(template!("common/plugin.toml.in"));
    if language != Language::Rust {
        manifest.push_str(template!("common/kept.toml.in"));
    }
    let mut files = vec![
        ("plugin.toml", manifest),
        ("conversation.txt", template!("common/conversation.txt").to_owned()),
        ("README.md", fill(template!("common/README.md.in"))),
    ];
    let own = match language {
        Language::Rust => vec![
            ("Cargo.toml", fill(template!("rust/Cargo.toml.in"))),
            ("src/lib.rs", template!("rust/src/lib.rs").to_owned()),
            ("build", fill(template!("rust/build.in"))),
            ("sdk/Cargo.toml", template!("rust/sdk.toml.in").to_owned()),
            ("wit/v0.2/confab.wit", CONTRACT.to_owned()),
            (".gitignore", "/target\n".to_owned()),
        ],
        Language::Python => vec![
            ("app.py", template!("python/app.py").to_owned()),
            ("build", fill(template!("python/build.in"))),
            ("wit/world.wit", template!("common/world.wit").to_owned()),
            ("wit/deps/confab/confab.wit", CONTRACT.to_owned()),
            (".gitignore", "__pycache__\n".to_owned()),
        ],
        Language::Js => vec![
            ("app.js", template!("javascript/app.js").to_owned()),
            ("build", fill(template!("javascript/build.in"))),
            ("build.mjs", fill(template!("javascript/build.mjs.in"))),
            ("package.json", fill(template!("javascript/package.json.in"))),
            ("wit/world.wit", template!("common/world.wit").to_owned()),
            ("wit/deps/confab/confab.wit", CONTRACT.to_owned()),
            (".gitignore", "/node_modules\n".to_owned()),
        ],
    };
    files.extend(own);
    let mut files: Vec<(String, String)> =
        files.into_iter().map(|(at, text)| (at.to_owned(), text)).collect();
    if language == Language::Rust {
        files.extend(SDK.map(|(at, text)| (at.to_owned(), text.to_owned())));
    }
    files
}

fn fill(text: &str, name: &str, language: Language) -> String {
    let title: Vec<String> = name
        .split('-')
        .map(|word| {
            word.chars().take(1).map(|it| it.to_ascii_uppercase()).chain(word.chars().skip(1)).collect()
        })
        .collect();
    let sources = match language {
        Language::Rust => {
            "| `src/lib.rs` | what it does |\n| `sdk/` | what Confab's plugins in Rust are written with |"
        }
        Language::Python => "| `app.py` | what it does |",
        Language::Js => "| `app.js` | what it does |",
    };
    text.replace("{{name}}", name)
        .replace("{{crate}}", &name.replace('-', "_"))
        .replace("{{title}}", &title.join(" "))
        .replace("{{files}}", sources)
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, text)?;
    #[cfg(unix)]
    if text.starts_with("#!") {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_crates_files_and_domains() {
        for name in ["greeter", "a", "stand-up-2"] {
            assert!(check(name).is_ok(), "{name}");
        }
        for name in ["", "Greeter", "2nd", "-a", "a-", "a_b", "a b", "a/b", "grüße", &"a".repeat(33)] {
            assert!(check(name).is_err(), "{name}");
        }
    }

    #[test]
    fn nothing_is_left_to_fill_in() {
        for language in [Language::Rust, Language::Python, Language::Js] {
            for (at, text) in files("stand-up", language) {
                assert!(!text.contains("{{"), "{at}: {text}");
            }
        }
    }
}
