//! One module of the client: its code, what it takes from others, and what it gives them.

use oxc_allocator::Allocator;
use oxc_ast::ast::{Declaration, ExportSpecifier, ImportDeclaration, ImportDeclarationSpecifier, Statement};
use oxc_codegen::{Codegen, CodegenOptions};
use oxc_mangler::{MangleOptions, Mangler};
use oxc_parser::Parser;
use oxc_semantic::SemanticBuilder;
use oxc_span::{GetSpan, SourceType, Span};
use oxc_str::Ident;

/// `name as alias`, as imports and exports say it: what something is called where it comes from, and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    pub name: String,
    pub alias: String,
}

impl Alias {
    pub fn new(name: impl Into<String>, alias: impl Into<String>) -> Self {
        Self { name: name.into(), alias: alias.into() }
    }
}

/// What a module takes from another.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken {
    /// The other's path from the client's folder.
    pub from: String,
    /// Its names there, and here.
    pub names: Vec<Alias>,
}

/// A module without its imports and exports.
#[derive(Debug, Default)]
pub struct Module {
    pub code: String,
    /// In order.
    pub imports: Vec<Taken>,
    /// Their names inside, and outside.
    pub exports: Vec<Alias>,
    /// What is taken only to be given to others, under the names that it has there and that it is given by.
    pub handed_on: Vec<Taken>,
}

/// The default export's name inside.
pub const DEFAULT: &str = "$default";

impl Module {
    /// Reads what stands at `path`. `default` is what its default export is called in the code, and `address` writes the path of a module that is
    /// fetched later as it is to stand in an `import()`.
    pub fn read(path: &str, text: &str, default: &str, address: impl Fn(&str) -> String) -> Self {
        let allocator = Allocator::default();
        let parsed = Parser::new(&allocator, text, SourceType::mjs()).parse();
        let mut module = Self::default();
        // Places of the text, and what is to stand there.
        let mut changes: Vec<(Span, String)> = Vec::new();
        for statement in &parsed.program.body {
            match statement {
                Statement::ImportDeclaration(import) => {
                    let from = resolved(path, &import.source.value);
                    module.imports.push(Taken { from, names: taken(import) });
                    changes.push((import.span, String::new()));
                }
                Statement::ExportDeclaration(export) => {
                    let names = declared(&export.declaration).into_iter();
                    module.exports.extend(names.map(|name| Alias::new(name.clone(), name)));
                    let word = Span::new(export.span.start, export.declaration.span().start);
                    changes.push((word, String::new()));
                }
                Statement::ExportNamedDeclaration(export) => {
                    module.exports.extend(listed(&export.specifiers));
                    changes.push((export.span, String::new()));
                }
                Statement::ExportFromDeclaration(export) => {
                    let from = resolved(path, &export.source.value);
                    module.handed_on.push(Taken { from, names: listed(&export.specifiers) });
                    changes.push((export.span, String::new()));
                }
                Statement::ExportDefaultDeclaration(export) => {
                    module.exports.push(Alias::new(DEFAULT, "default"));
                    let to = Span::new(export.span.start, export.declaration.span().start);
                    changes.push((to, format!("const {default}=")));
                    changes.push((Span::new(export.span.end, export.span.end), ";".to_owned()));
                }
                _ => {}
            }
        }
        for import in &parsed.module_record.dynamic_imports {
            if let Some(to) = unquoted(import.module_request.source_text(text)) {
                changes.push((import.module_request, format!("'{}'", address(&resolved(path, to)))));
            }
        }
        for meta in &parsed.module_record.import_metas {
            // What the code takes of it is `url`: files stand beside the module, wherever its code came from.
            changes.push((*meta, format!("({{url:new URL('{}',import.meta.url).href}})", address(path))));
        }
        module.code = changed(text, changes);
        module
    }
}

/// The same module, with other names for what it declares and takes at its top. `name` answers them. What cannot be read stays as it is.
pub fn renamed(text: &str, name: impl Fn(&str) -> String) -> String {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, text, SourceType::mjs()).parse();
    if !parsed.diagnostics.is_empty() {
        return text.to_owned();
    }
    let mut scoping = SemanticBuilder::new().build(&parsed.program).semantic.into_scoping();
    let tops: Vec<_> = scoping.iter_bindings_in(scoping.root_scope_id()).collect();
    for top in tops {
        let name = name(scoping.symbol_name(top));
        scoping.set_symbol_name(top, Ident::from(name.as_str()));
    }
    Codegen::new().with_scoping(Some(scoping)).build(&parsed.program).code
}

/// A script as browsers read it: what only people read goes, and names that nobody outside knows become short. What cannot be read stays as it was
/// written, so that the browser says what is wrong with it.
pub fn minified(script: &str) -> String {
    let allocator = Allocator::default();
    // The tag of templates ignores how they are indented.
    let lines: Vec<_> = script.lines().map(str::trim_start).collect();
    let lines = lines.join("\n");
    let parsed = Parser::new(&allocator, &lines, SourceType::mjs()).parse();
    if !parsed.diagnostics.is_empty() {
        return script.to_owned();
    }
    let options = MangleOptions { top_level: Some(true), ..MangleOptions::default() };
    let mangled = Mangler::new().with_options(options).build(&parsed.program);
    Codegen::new()
        .with_options(CodegenOptions::minify())
        .with_scoping(Some(mangled.scoping))
        .with_private_member_mappings(Some(mangled.class_private_mappings))
        .build(&parsed.program)
        .code
}

fn taken(import: &ImportDeclaration<'_>) -> Vec<Alias> {
    let specifiers = import.specifiers.iter().flatten();
    specifiers
        .filter_map(|it| match it {
            ImportDeclarationSpecifier::ImportSpecifier(it) => {
                Some(Alias::new(it.imported.name().to_string(), it.local.name.to_string()))
            }
            ImportDeclarationSpecifier::ImportDefaultSpecifier(it) => {
                Some(Alias::new("default", it.local.name.to_string()))
            }
            ImportDeclarationSpecifier::ImportNamespaceSpecifier(_) => None,
        })
        .collect()
}

fn listed(specifiers: &[ExportSpecifier<'_>]) -> Vec<Alias> {
    let names =
        specifiers.iter().map(|it| Alias::new(it.local.name().to_string(), it.exported.name().to_string()));
    names.collect()
}

fn declared(declaration: &Declaration<'_>) -> Vec<String> {
    match declaration {
        Declaration::VariableDeclaration(it) => {
            let names = it.declarations.iter().flat_map(|it| it.id.get_binding_identifiers());
            names.map(|it| it.name.to_string()).collect()
        }
        Declaration::FunctionDeclaration(it) => it.id.iter().map(|it| it.name.to_string()).collect(),
        Declaration::ClassDeclaration(it) => it.id.iter().map(|it| it.name.to_string()).collect(),
        _ => Vec::new(),
    }
}

/// The text with other words at some places, which do not overlap.
fn changed(text: &str, mut changes: Vec<(Span, String)>) -> String {
    changes.sort_by_key(|(place, _)| (place.start, place.end));
    let mut written = String::with_capacity(text.len());
    let mut at = 0;
    for (place, words) in changes {
        written.push_str(&text[at..place.start as usize]);
        written.push_str(&words);
        at = place.end as usize;
    }
    written.push_str(&text[at..]);
    written
}

/// What stands in quotes. Nothing where it is put together as the code runs.
fn unquoted(text: &str) -> Option<&str> {
    let quote = text.chars().next().filter(|mark| matches!(mark, '\'' | '"'))?;
    text.strip_prefix(quote)?.strip_suffix(quote)
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
    use oxc_allocator::Allocator;
    use oxc_parser::Parser;
    use oxc_semantic::SemanticBuilder;
    use oxc_span::SourceType;

    use super::super::Assets;
    use super::{Alias, DEFAULT, Module, Taken, minified, renamed, resolved};

    /// What browsers declare, as far as the client uses it.
    const GLOBALS: &str = "AbortController AbortSignal Array Audio AudioContext Blob Boolean CSS Date Error Float32Array FormData \
        HTMLAnchorElement Headers Infinity IntersectionObserver Intl JSON Map Math MediaStream Notification Number Object Promise \
        RegExp ResizeObserver Response Set String Symbol SyntaxError TextDecoderStream URL URLSearchParams Uint8Array \
        Uint8ClampedArray WeakMap XMLHttpRequest addEventListener atob cancelAnimationFrame clearInterval clearTimeout confirm \
        console crypto decodeURIComponent document encodeURIComponent fetch globalThis history innerHeight innerWidth localStorage \
        location matchMedia navigator parseInt performance queueMicrotask removeEventListener requestAnimationFrame self \
        sessionStorage setInterval setTimeout undefined window";

    /// The names that a module uses and declares nowhere.
    fn undeclared(text: &str) -> Vec<String> {
        let allocator = Allocator::default();
        let parsed = Parser::new(&allocator, text, SourceType::mjs()).parse();
        let scoping = SemanticBuilder::new().build(&parsed.program).semantic.into_scoping();
        scoping.root_unresolved_references().keys().map(ToString::to_string).collect()
    }

    #[test]
    fn what_the_client_uses_it_declares_or_the_browser_does() {
        assert_eq!(undeclared("const a = 1; forgotten(a, { b: c });").len(), 2);
        let mut modules = 0;
        for path in Assets::iter().filter(|path| path.starts_with("js/") && path.ends_with(".js")) {
            let file = Assets::get(&path).unwrap();
            let text = str::from_utf8(&file.data).unwrap();
            for name in undeclared(text) {
                assert!(GLOBALS.split_whitespace().any(|it| it == name), "{path}: {name}");
            }
            modules += 1;
        }
        assert!(modules > 100, "only {modules} were found");
    }

    fn taken(from: &str, names: &[(&str, &str)]) -> Taken {
        Taken { from: from.to_owned(), names: aliases(names) }
    }

    fn aliases(names: &[(&str, &str)]) -> Vec<Alias> {
        names.iter().map(|(name, alias)| Alias::new(*name, *alias)).collect()
    }

    #[test]
    fn what_a_module_takes_and_gives_is_found() {
        let text = "import a from './a.js';\nimport {\n  b, c as d,\n} from '../b.js';\nimport '../c.js';\nexport const e = () => import('./e.js');\nexport async function f() {}\nexport { e as g };\nexport { h } from './h.js';\n";
        let module = Module::read("js/x.js", text, DEFAULT, |path| format!("./{path}"));
        assert_eq!(
            module.imports,
            [
                taken("js/a.js", &[("default", "a")]),
                taken("b.js", &[("b", "b"), ("c", "d")]),
                taken("c.js", &[])
            ]
        );
        assert_eq!(module.exports, aliases(&[("e", "e"), ("f", "f"), ("e", "g")]));
        assert_eq!(module.handed_on, [taken("js/h.js", &[("h", "h")])]);
        assert_eq!(module.code.trim(), "const e = () => import('./js/e.js');\nasync function f() {}");
    }

    #[test]
    fn addresses_are_those_of_the_module_wherever_its_code_came_from() {
        let text = "const a = new URL('../a.svg', import.meta.url);\nconst b = (c) => import(c);\n";
        let module = Module::read("js/views/x.js", text, DEFAULT, |path| format!("../{path}"));
        assert_eq!(
            module.code,
            "const a = new URL('../a.svg', ({url:new URL('../js/views/x.js',import.meta.url).href}).url);\nconst b = (c) => import(c);\n"
        );
    }

    #[test]
    fn packed_modules_are_read_too() {
        let text = r#"import{a as n}from"./p.js";var b=1;export default function(s){return s}export{b as useB,n as m};"#;
        let module = Module::read("vendor/h.js", text, DEFAULT, |path| format!("./{path}"));
        assert_eq!(module.imports, [taken("vendor/p.js", &[("a", "n")])]);
        assert_eq!(module.exports, aliases(&[("$default", "default"), ("b", "useB"), ("n", "m")]));
        assert_eq!(module.code, "var b=1;const $default=function(s){return s};");
        assert_eq!(resolved("js/views/a.js", "../../vendor/b.js"), "vendor/b.js");
    }

    #[test]
    fn what_only_people_read_goes() {
        assert_eq!(
            minified("/** What */\nconst long = (name) => ({ name }); // why\nexport { long };\n"),
            "const e=e=>({name:e});export{e as long};"
        );
        assert_eq!(minified("const a = ;"), "const a = ;");
    }

    #[test]
    fn names_at_the_top_change_wherever_they_are_meant() {
        let text = "import { a } from './a.js';\nconst b = 1;\nfunction c(b) {\n\treturn { a, b, d: b };\n}\nexport { c };\n";
        let changed = renamed(text, |name| format!("{name}$1"));
        assert_eq!(
            changed,
            "import { a as a$1 } from \"./a.js\";\nconst b$1 = 1;\nfunction c$1(b) {\n\treturn {\n\t\ta: a$1,\n\t\tb,\n\t\td: b\n\t};\n}\nexport { c$1 as c };\n"
        );
    }
}
