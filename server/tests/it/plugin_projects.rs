//! `confab plugin new` and `confab plugin test`: what authors begin with.

use std::path::Path;

use crate::harness::confab;

const DICE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/bundled/dice");
const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins");

#[tokio::test]
async fn a_new_project_is_whole_and_nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let run = async |arguments: &[&str]| confab(folder.path(), arguments, &[]).await;
    for (name, language, source) in
        [("oak", "rust", "src/lib.rs"), ("elm", "python", "app.py"), ("ash", "js", "app.js")]
    {
        let made = run(&["--json", "plugin", "new", name, "--lang", language]).await;
        assert_eq!(made.code, 0, "{}", made.said());
        let files = made.json()["files"].as_array().unwrap().clone();
        assert!(files.iter().any(|it| it == source), "{files:?}");
        for file in &files {
            let path = folder.path().join(name).join(file.as_str().unwrap());
            assert!(path.metadata().unwrap().len() > 0, "{}", path.display());
        }
        assert!(is_executable(&folder.path().join(name).join("build")));
        let again = run(&["plugin", "new", name, "--lang", language]).await;
        assert_eq!(again.code, 1);
        assert!(again.stderr.contains("nothing is overwritten"), "{}", again.stderr);
        // Not built yet: said by the name of the file that is missing.
        let early = run(&["plugin", "test", name]).await;
        assert_eq!(early.code, 1);
        assert!(early.stderr.contains(&format!("{name}.wasm")), "{}", early.stderr);
        assert!(early.stderr.contains("build the plugin first"), "{}", early.stderr);
    }
    assert_eq!(run(&["plugin", "new", "Oak Tree", "--lang", "rust"]).await.code, 2);
    assert_eq!(run(&["plugin", "new", "pine", "--lang", "cobol"]).await.code, 2);
    std::fs::create_dir(folder.path().join("fir")).unwrap();
    assert_eq!(run(&["plugin", "new", "fir", "--lang", "rust"]).await.code, 0, "an empty folder is free");
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().unwrap().permissions().mode() & 0o100 != 0
}

#[tokio::test]
async fn a_conversation_is_played_and_a_difference_fails() {
    let folder = tempfile::tempdir().unwrap();
    let run = async |arguments: &[&str]| {
        let mut all = vec!["plugin", "test", DICE];
        all.extend_from_slice(arguments);
        confab(folder.path(), &all, &[]).await
    };
    let theirs = format!("{SAMPLES}/examples/dice/conversation.txt");
    let good = run(&["--conversation", &theirs]).await;
    assert_eq!(good.code, 0, "{}", good.said());
    assert!(good.stdout.contains("went as written"), "{}", good.stdout);

    let path = folder.path().join("mine.txt");
    let mine = path.to_str().unwrap();
    std::fs::write(&path, "ada: /roll 0d6\n  public: seven\n").unwrap();
    let bad = run(&["--conversation", mine]).await;
    assert_eq!(bad.code, 1, "{}", bad.said());
    let said = bad.stdout.as_str();
    let fault = "error: In `0d6`, the number of dice must be from 1 to 100.";
    let told = ["line 1: ada: /roll 0d6", &format!("happened:\n    {fault}")].map(|part| said.contains(part));
    assert_eq!(told, [true, true], "{said}");
    assert_eq!(run(&["--conversation", mine, "--write"]).await.code, 0);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("ada: /roll 0d6\n  {fault}\n"));
    assert_eq!(run(&["--conversation", mine]).await.code, 0);
    std::fs::write(&path, "ada dances\n").unwrap();
    let nonsense = run(&["--conversation", mine]).await;
    assert_eq!(nonsense.code, 2);
    assert!(nonsense.stderr.contains("line 1"), "{}", nonsense.stderr);
    assert_eq!(run(&["--conversation", "nowhere.txt"]).await.code, 1);
}
