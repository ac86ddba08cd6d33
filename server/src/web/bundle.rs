//! What the page begins with, in one script and one style sheet: a visit waits for three answers, not for ninety, and they pack better together.
//!
//! In the bundle all modules share one scope, in which each name has its module's number behind it until all become short. Modules that come later take
//! from the bundle what is there, so that there is one of each. Two things cannot be said this way, an import in a circle and a module as an object
//! (`import *`); `server/web/tests/modules.test.mjs` keeps them out.

use std::collections::{BTreeMap, HashMap};

use rust_embed::RustEmbed;

use super::lean::lean;
use super::module::{Alias, DEFAULT, Module, Taken, minified, renamed};

/// The names of the two beside `index.html`.
pub const SCRIPT: &str = "first.js";
pub const STYLE: &str = "first.css";
/// Where the client begins.
const ENTRY: &str = "js/app.js";

/// Modules in the script, by path: what each exports, with its name in the script's scope.
type Members = BTreeMap<String, BTreeMap<String, String>>;

/// The page and its first files as they are sent.
pub struct Bundle {
    pub page: String,
    pub script: String,
    pub style: String,
    members: Members,
}

impl Bundle {
    /// Puts together what `index.html` names.
    pub fn of<Files: RustEmbed>() -> Self {
        let index = text_of::<Files>("index.html");
        let (mut script, mut members) = (String::new(), Members::new());
        add::<Files>(ENTRY, &mut script, &mut members);
        let given: Vec<Alias> = members
            .iter()
            .flat_map(|(path, exports)| {
                exports.iter().map(move |(outside, inside)| Alias::new(inside.clone(), public(path, outside)))
            })
            .collect();
        script.extend(["export{", &joined(&given), "}"]);
        let style = styles(&index).map(|path| lean(&text_of::<Files>(path))).collect();
        Self { page: page(&index), script: minified(&script), style, members }
    }

    /// Whether what is at a path is a module that may take from others. Libraries that come later stand alone.
    pub fn reads(&self, path: &str) -> bool {
        path.starts_with("js/") || self.members.contains_key(path)
    }

    /// A module that is fetched later, which takes from the bundle what is there. What is in the bundle itself is handed on from it.
    pub fn later(&self, path: &str, text: &str) -> String {
        let up = "../".repeat(path.matches('/').count());
        if let Some(exports) = self.members.get(path) {
            let names = exports.keys().map(|name| Alias::new(name.clone(), name.clone())).collect();
            return self.listed("export", &up, &Taken { from: path.to_owned(), names });
        }
        let module = Module::read(path, text, DEFAULT, |to| format!("{up}{to}"));
        let mut script = String::new();
        for taken in &module.imports {
            script.push_str(&self.listed("import", &up, taken));
        }
        for taken in &module.handed_on {
            script.push_str(&self.listed("export", &up, taken));
        }
        script.push_str(&module.code);
        script.extend(["\nexport{", &joined(&module.exports), "}"]);
        minified(&script)
    }

    /// `import{a as b}from'…';`, or the same with `export`.
    fn listed(&self, word: &str, up: &str, Taken { from, names }: &Taken) -> String {
        if !self.members.contains_key(from) {
            return format!("{word}{{{}}}from'{up}{from}';", joined(names));
        }
        let there: Vec<Alias> =
            names.iter().map(|it| Alias::new(public(from, &it.name), it.alias.clone())).collect();
        format!("{word}{{{}}}from'{up}{SCRIPT}';", joined(&there))
    }
}

/// Writes a module into the script, behind those that it needs, each once.
fn add<Files: RustEmbed>(path: &str, script: &mut String, members: &mut Members) {
    if members.contains_key(path) {
        return;
    }
    let number = members.len();
    // Known from here on, so that a circle ends.
    members.insert(path.to_owned(), BTreeMap::new());
    let text = text_of::<Files>(path);
    let module = Module::read(path, &text, DEFAULT, str::to_owned);
    for taken in module.imports.iter().chain(&module.handed_on) {
        add::<Files>(&taken.from, script, members);
    }
    let known = |from: &str, name: &str| members.get(from).and_then(|it| it.get(name)).cloned();
    let taken: HashMap<&str, String> = module
        .imports
        .iter()
        .flat_map(|Taken { from, names }| names.iter().map(move |it| (from, it)))
        .filter_map(|(from, it)| Some((it.alias.as_str(), known(from, &it.name)?)))
        .collect();
    let name = |inside: &str| taken.get(inside).cloned().unwrap_or_else(|| format!("{inside}${number}"));
    let renamed = renamed(&text, name);
    script.push_str(&Module::read(path, &renamed, &name(DEFAULT), |to| format!("./{to}")).code);
    script.push('\n');
    let own = module.exports.iter().map(|it| (it.alias.clone(), name(&it.name)));
    let handed_on = module
        .handed_on
        .iter()
        .flat_map(|Taken { from, names }| names.iter().map(move |it| (from, it)))
        .filter_map(|(from, it)| Some((it.alias.clone(), known(from, &it.name)?)));
    let exports = own.chain(handed_on).collect();
    members.insert(path.to_owned(), exports);
}

fn text_of<Files: RustEmbed>(path: &str) -> String {
    Files::get(path).map_or_else(String::new, |file| String::from_utf8_lossy(&file.data).into_owned())
}

/// `a,b as c`.
fn joined(names: &[Alias]) -> String {
    let each: Vec<_> = names
        .iter()
        .map(|Alias { name, alias }| if name == alias { name.clone() } else { format!("{name} as {alias}") })
        .collect();
    each.join(",")
}

/// What the bundle calls an export of a module, the same in every version: a page of yesterday may ask for a module of today.
fn public(path: &str, name: &str) -> String {
    let path = path.trim_end_matches(".js");
    format!("{}${name}", path.replace(|character: char| !character.is_ascii_alphanumeric(), "_"))
}

/// The style sheets that the page names.
fn styles(index: &str) -> impl Iterator<Item = &str> {
    index
        .lines()
        .filter_map(|line| line.strip_prefix("<link rel=\"stylesheet\" href=\"/assets/")?.strip_suffix("\">"))
}

/// The page with the bundle in place of what is in it.
fn page(index: &str) -> String {
    let mut has_style = false;
    let mut page = String::with_capacity(index.len());
    for line in index.lines() {
        if line.starts_with("<link rel=\"stylesheet\"") {
            if !has_style {
                page.extend(["<link rel=\"stylesheet\" href=\"/assets/", STYLE, "\">\n"]);
            }
            has_style = true;
        } else {
            page.push_str(&line.replace(ENTRY, SCRIPT));
            page.push('\n');
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::super::{Assets, packed_tightly};
    use super::{Bundle, text_of};

    /// All that is fetched before a channel is drawn, compressed, fonts apart. The parts that come later are not in it.
    const MOST_BYTES: usize = 60_000;

    fn packed_bytes(text: &str) -> usize {
        packed_tightly(text.as_bytes()).unwrap().len()
    }

    #[test]
    fn what_a_browser_loads_before_it_shows_the_channels_stays_small() {
        let bundle = Bundle::of::<Assets>();
        let parts = [
            ("page", packed_bytes(&bundle.page)),
            ("script", packed_bytes(&bundle.script)),
            ("style", packed_bytes(&bundle.style)),
            ("icons", packed_bytes(&text_of::<Assets>("icons.svg"))),
            ("logo", packed_bytes(&text_of::<Assets>("logo.svg"))),
        ];
        let bytes: usize = parts.iter().map(|(_, bytes)| bytes).sum();
        assert!(bytes <= MOST_BYTES, "{bytes} bytes: {parts:?}");
        assert!(bytes > 30_000, "{bytes} bytes: something is missing: {parts:?}");
    }

    #[test]
    fn modules_that_come_later_take_what_is_there() {
        let bundle = Bundle::of::<Assets>();
        assert!(
            bundle.page.contains("src=\"/assets/first.js\"") && !bundle.page.contains("app.css"),
            "{}",
            bundle.page
        );
        let later = bundle.later("js/views/x.js", "import { t as say } from '../words.js';\nimport { y } from './y.js';\nexport { t } from '../words.js';\nexport const z = say(y);\n");
        for part in [
            "import{js_words$t as ",
            "../../first.js",
            "../../js/views/y.js",
            "export{js_words$t as t}from",
            " as z}",
        ] {
            assert!(later.contains(part), "{part} is not in {later}");
        }
        let words = bundle.later("js/words.js", "");
        assert!(
            words.starts_with("export{")
                && words.contains("js_words$t as t}")
                && words.ends_with("from'../first.js';"),
            "{words}"
        );
        assert!(bundle.script.contains(" as js_words$t,"), "what is handed on is given");
    }
}
