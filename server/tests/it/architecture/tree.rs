//! The project's text files.

use std::fs;
use std::path::Path;

/// One text file; the path is relative to the project's root and written with `/`.
pub struct File {
    pub path: String,
    pub text: String,
}

impl File {
    pub fn has_ending(&self, endings: &[&str]) -> bool {
        endings.iter().any(|ending| self.path.rsplit_once('.').is_some_and(|(_, found)| found == *ending))
    }
}

/// Every text file of the project. What is not text is not read: no rule here speaks of pictures or fonts.
pub fn files() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("server/ stands in the project");
    let mut found = Vec::new();
    collect(root, "", &mut found);
    assert!(found.len() > 30, "only {} files found under {}", found.len(), root.display());
    found
}

fn collect(folder: &Path, prefix: &str, found: &mut Vec<File>) {
    for entry in fs::read_dir(folder).expect("a folder of the project").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        if entry.path().is_dir() {
            if !matches!(name.as_str(), ".git" | "target" | "node_modules") && path != "data" {
                collect(&entry.path(), &path, found);
            }
        } else if let Ok(text) = fs::read_to_string(entry.path()) {
            found.push(File { path, text });
        }
    }
}
