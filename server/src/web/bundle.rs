//! What the page begins with, in one script and one style sheet: a visit waits for three answers, not for ninety, and they pack better together.
//!
//! In the bundle each module is a function of its own that is given what it imports and answers what it exports. Modules that come later take it
//! from there, so that there is one of each. Two things cannot be said this way, an import in a circle and an exported `let`;
//! `server/web/tests/modules.test.mjs` keeps them out.

use std::collections::HashMap;

use rust_embed::RustEmbed;

use super::lean::lean;
use super::module::Module;

/// The names of the two beside `index.html`.
pub const SCRIPT: &str = "first.js";
pub const STYLE: &str = "first.css";
/// Where the client begins.
const ENTRY: &str = "js/app.js";

/// The page and its first files as they are sent.
pub struct Bundle {
    pub page: String,
    pub script: String,
    pub style: String,
    /// Modules in the script, by path, each with what it exports.
    members: HashMap<String, Vec<String>>,
}

impl Bundle {
    /// Puts together what `index.html` names.
    pub fn of<Files: RustEmbed>() -> Self {
        let index = text_of::<Files>("index.html");
        let mut order = Vec::new();
        gather::<Files>(ENTRY, &mut order, &mut Vec::new());
        let mut script = String::new();
        let mut members = HashMap::new();
        for (path, module) in &order {
            script.push_str(&function(path, module));
            members.insert(path.clone(), exported(module));
        }
        let names: Vec<_> = order.iter().map(|(path, _)| name_of(path)).collect();
        script.extend(["export{", &names.join(","), "}\n"]);
        let style = styles(&index).map(|path| lean(&text_of::<Files>(path))).collect();
        Self { page: page(&index), script, style, members }
    }

    /// Whether what is at a path is a module that may take from others. Libraries that come later stand alone.
    pub fn reads(&self, path: &str) -> bool {
        path.starts_with("js/") || self.members.contains_key(path)
    }

    /// A module that is fetched later, which takes from the bundle what is there. What is in the bundle itself is handed on from it.
    pub fn later(&self, path: &str, text: &str) -> String {
        let up = "../".repeat(path.matches('/').count());
        if let Some(names) = self.members.get(path) {
            let name = name_of(path);
            let given: Vec<_> = names.iter().filter(|name| *name != "default").cloned().collect();
            let default = if names.len() > given.len() {
                format!("export default {name}.default;")
            } else {
                String::new()
            };
            return format!(
                "import{{{name}}}from'{up}{SCRIPT}';export const{{{}}}={name};{default}\n",
                given.join(",")
            );
        }
        let module = Module::read(path, text, |to| format!("{up}{to}"));
        let mut taken: Vec<_> = module
            .imports
            .iter()
            .chain(&module.handed_on)
            .filter(|(from, _)| self.members.contains_key(from))
            .map(|(from, _)| name_of(from))
            .collect();
        taken.sort();
        taken.dedup();
        let mut script = if taken.is_empty() {
            String::new()
        } else {
            format!("import{{{}}}from'{up}{SCRIPT}';", taken.join(","))
        };
        for (from, names) in &module.imports {
            let listed = if self.members.contains_key(from) {
                given(from, names)
            } else {
                format!("import{{{}}}from'{up}{from}';", joined(names, " as "))
            };
            script.push_str(&listed);
        }
        for (from, names) in &module.handed_on {
            let listed = if self.members.contains_key(from) {
                handed(from, names)
            } else {
                format!("export{{{}}}from'{up}{from}';", joined(names, " as "))
            };
            script.push_str(&listed);
        }
        script.push_str(&module.code);
        let exports: Vec<_> =
            module.exports.iter().map(|(outside, inside)| (inside.clone(), outside.clone())).collect();
        script.extend(["\nexport{", &joined(&exports, " as "), "}\n"]);
        script
    }
}

/// The modules that `path` needs, before it, each once.
fn gather<Files: RustEmbed>(path: &str, order: &mut Vec<(String, Module)>, met: &mut Vec<String>) {
    if met.iter().any(|known| known == path) {
        return;
    }
    met.push(path.to_owned());
    let module = Module::read(path, &text_of::<Files>(path), |to| format!("./{to}"));
    for (from, _) in module.imports.iter().chain(&module.handed_on) {
        gather::<Files>(from, order, met);
    }
    order.push((path.to_owned(), module));
}

fn text_of<Files: RustEmbed>(path: &str) -> String {
    Files::get(path).map_or_else(String::new, |file| String::from_utf8_lossy(&file.data).into_owned())
}

/// A module as a constant of the bundle. Some wait for something before they are there, so all may.
fn function(path: &str, module: &Module) -> String {
    let taken: String = module.imports.iter().map(|(from, names)| given(from, names)).collect();
    let mut answered: Vec<_> = module
        .exports
        .iter()
        .map(
            |(outside, inside)| {
                if outside == inside { outside.clone() } else { format!("{outside}:{inside}") }
            },
        )
        .collect();
    for (from, names) in &module.handed_on {
        answered.extend(names.iter().map(|(there, here)| format!("{here}:{}.{there}", name_of(from))));
    }
    format!(
        "const {}=await(async()=>{{{taken}{}\nreturn{{{}}}}})();\n",
        name_of(path),
        module.code,
        answered.join(",")
    )
}

/// What a module takes from one of the bundle, as a statement.
fn given(from: &str, names: &[(String, String)]) -> String {
    if names.is_empty() {
        String::new()
    } else {
        format!("const{{{}}}={};", joined(names, ":"), name_of(from))
    }
}

/// What a module hands on from the bundle. It may take the same for itself, so the names inside are others.
fn handed(from: &str, names: &[(String, String)]) -> String {
    let inside: Vec<_> = names.iter().map(|(there, here)| (there.clone(), format!("${here}"))).collect();
    let outside: Vec<_> = names.iter().map(|(_, here)| (format!("${here}"), here.clone())).collect();
    format!("{}export{{{}}};", given(from, &inside), joined(&outside, " as "))
}

/// `a,b:c`.
fn joined(names: &[(String, String)], between: &str) -> String {
    let each: Vec<_> = names
        .iter()
        .map(
            |(first, second)| {
                if first == second { first.clone() } else { format!("{first}{between}{second}") }
            },
        )
        .collect();
    each.join(",")
}

fn exported(module: &Module) -> Vec<String> {
    let handed_on = module.handed_on.iter().flat_map(|(_, names)| names.iter().map(|(_, here)| here.clone()));
    module.exports.iter().map(|(outside, _)| outside.clone()).chain(handed_on).collect()
}

/// A name for what stands at a path, the same in every version: a page of yesterday may ask for a module of today.
fn name_of(path: &str) -> String {
    path.trim_end_matches(".js").replace(|character: char| !character.is_ascii_alphanumeric(), "_")
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
                page.extend([
                    "<link rel=\"stylesheet\" href=\"/assets/",
                    STYLE,
                    "\">
",
                ]);
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
    const MOST_BYTES: usize = 65_500;

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
        assert_eq!(
            later,
            "import{js_words}from'../../first.js';const{t:say}=js_words;import{y}from'../../js/views/y.js';const{t:$t}=js_words;export{$t as t};const z=say(y);\nexport{z}\n"
        );
        let words = bundle.later("js/words.js", "");
        assert!(
            words.starts_with("import{js_words}from'../first.js';export const{") && words.contains(",t,"),
            "{words}"
        );
    }
}
