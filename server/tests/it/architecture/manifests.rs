//! Which crates a crate names in its manifest.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// A crate and what its library or program depends on; what only its tests use is its own affair.
pub struct Crate {
    pub name: String,
    dependencies: Vec<Dependency>,
}

struct Dependency {
    name: String,
    optional: bool,
}

/// What a crate may name.
pub enum Rule {
    /// These and no others; `NAME (optional)` must be behind a feature.
    Only(&'static [&'static str]),
    /// Anything but these.
    Never(&'static [&'static str]),
}

impl Crate {
    /// A crate that does not exist, to try a rule on: names and whether each is optional.
    pub fn planted(name: &str, dependencies: &[(&str, bool)]) -> Self {
        let dependencies = dependencies
            .iter()
            .map(|&(name, optional)| Dependency { name: name.to_owned(), optional })
            .collect();
        Self { name: name.to_owned(), dependencies }
    }
}

/// The crates of this workspace, as cargo itself reads their manifests.
pub fn workspace() -> Vec<Crate> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("server/ stands in the project");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root)
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    document["packages"].as_array().expect("packages").iter().map(read).collect()
}

fn read(package: &Value) -> Crate {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let dependencies = package["dependencies"].as_array().expect("dependencies").iter();
    let dependencies = dependencies
        .filter(|it| it["kind"].is_null())
        .map(|it| Dependency { name: text(&it["name"]), optional: it["optional"] == true });
    Crate { name: text(&package["name"]), dependencies: dependencies.collect() }
}

/// What `package` names against its rule, in sentences.
pub fn broken(package: &Crate, rules: &[(&str, Rule)]) -> Vec<String> {
    let rules = rules.iter().filter(|(name, _)| *name == package.name);
    rules
        .flat_map(|(_, rule)| package.dependencies.iter().filter_map(|it| refused(&package.name, it, rule)))
        .collect()
}

fn refused(package: &str, dependency: &Dependency, rule: &Rule) -> Option<String> {
    let name = dependency.name.as_str();
    let allowed = match rule {
        Rule::Never(names) => !names.contains(&name),
        Rule::Only(names) => {
            names.contains(&name)
                || (dependency.optional && names.contains(&format!("{name} (optional)").as_str()))
        }
    };
    (!allowed).then(|| format!("{package} may not depend on {name}"))
}
