//! The tutorials of docs/plugins, followed to the letter: their files are written and their commands run, in order.
//!
//! The tutorial in Rust is built with what `plugins/build` builds with (`ops/install` has it). Those in Python and
//! JavaScript need tools of a registry, some hundred megabytes of them: where these are missing the build must say which,
//! and the component that was built of the same files before, a golden one, takes its place.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::command::confab_program;

struct Block {
    /// Such as `sh`, `text` or `toml`.
    kind: String,
    /// A file, or what sort of commands these are.
    what: String,
    body: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let path = format!("{}/../docs/plugins/{page}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(head) = line.strip_prefix("```") else { continue };
        let (kind, what) = head.split_once(' ').unwrap_or((head, ""));
        let body = lines.by_ref().take_while(|line| *line != "```").collect::<Vec<_>>().join("\n") + "\n";
        blocks.push(Block { kind: kind.to_owned(), what: what.to_owned(), body });
    }
    blocks
}

/// A reader at a terminal.
struct Reader {
    home: tempfile::TempDir,
    folder: PathBuf,
    said: String,
}

impl Reader {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().to_owned();
        Self { home, folder, said: String::new() }
    }

    /// Runs commands as a shell does, each only if the one before succeeded.
    fn run(&mut self, commands: &str) -> bool {
        let after = self.home.path().join("folder");
        let script = format!("{commands}\npwd > {}", after.display());
        let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let mut path = vec![confab_program().parent().unwrap().to_owned()];
        path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
        let mut command = Command::new("bash");
        command.args(["-euo", "pipefail", "-c", &script]).current_dir(&self.folder).env_clear();
        for name in ["HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command
            .env("PATH", std::env::join_paths(path).unwrap())
            .env("CONFAB_DATA_DIR", self.home.path().join("data"))
            // What takes minutes is made once: std for WebAssembly, and what the server compiles of large plugins.
            .env("CARGO_TARGET_DIR", target.join("tutorials"))
            .env("XDG_CACHE_HOME", target.join("cache"));
        let done = command.output().expect("bash runs");
        self.said =
            format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        if done.status.success() {
            self.folder = PathBuf::from(std::fs::read_to_string(after).unwrap().trim());
        }
        done.status.success()
    }

    fn must_run(&mut self, commands: &str) {
        assert!(self.run(commands), "{commands}: {}", self.said);
    }

    /// Puts a file of the tutorial in the place of one that is there.
    fn write(&self, at: &str, text: &str) {
        let path = self.folder.join(at);
        assert!(path.exists(), "the tutorial names {at}, and `confab plugin new` makes no such file");
        std::fs::write(path, text).unwrap();
    }
}

/// What takes the place of a build that cannot be done here.
struct Without {
    /// A tool.
    tool: &'static str,
    /// Where the same files are that the component was built of.
    sources: &'static str,
    /// Among the golden components.
    component: &'static str,
    file: &'static str,
}

/// A component that was built long ago. Python reads the archive: it is there for other tests anyway.
fn golden(name: &str) -> Vec<u8> {
    let archive = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/host/tests/golden/components.tar.xz");
    let script = "import sys, tarfile; sys.stdout.buffer.write(tarfile.open(sys.argv[1]).extractfile(sys.argv[2]).read())";
    let done = Command::new("python3").args(["-c", script, archive, name]).output();
    let done = done.expect("python3 is missing: install the package python3 (ops/install)");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

fn follow(page: &str, without: Option<&Without>) {
    let mut reader = Reader::new();
    let (mut files, mut runs) = (0, 0);
    for Block { kind, what, body } in blocks(page) {
        match (kind.as_str(), what.as_str()) {
            ("sh", "toolchain") => {}
            ("sh", "build") => {
                let without = without.expect("only these have a build of their own");
                if !reader.run(&body) {
                    assert!(reader.said.contains(without.tool), "{body}: {}", reader.said);
                    eprintln!("{page}: not built here: {}", reader.said.trim());
                    std::fs::write(reader.folder.join(without.file), golden(without.component)).unwrap();
                }
            }
            ("sh", _) => {
                reader.must_run(&body);
                runs += 1;
            }
            ("text", "") => assert!(reader.said.contains(body.trim()), "{body} is not in: {}", reader.said),
            (_, "") => panic!("{page}: a block of {kind} that names no file"),
            (_, file) => {
                reader.write(file, &body);
                files += 1;
                if let Some(without) = without {
                    let same = Path::new(env!("CARGO_MANIFEST_DIR"))
                        .join("../plugins/samples")
                        .join(without.sources);
                    let same = std::fs::read_to_string(same.join(file)).unwrap();
                    assert_eq!(body, same, "{page} and the sample differ in {file}");
                }
            }
        }
    }
    assert!(files >= 3 && runs >= 3, "{page}: {files} files, {runs} blocks of commands");
    assert!(reader.said.contains("org.example."), "the plugin is in the list: {}", reader.said);
}

#[test]
fn in_rust() {
    follow("rust.md", None);
}

#[test]
fn in_python() {
    let without = Without {
        tool: "componentize-py",
        sources: "glossary",
        component: "glossary-0.2.wasm",
        file: "glossary.wasm",
    };
    follow("python.md", Some(&without));
}

#[test]
fn in_javascript() {
    let without = Without {
        tool: "componentize-js",
        sources: "picker",
        component: "picker-0.2.wasm",
        file: "picker.wasm",
    };
    follow("javascript.md", Some(&without));
}
