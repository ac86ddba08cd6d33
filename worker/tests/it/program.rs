//! The program as an operator meets it.

use std::process::{Command, Output};

fn run(settings: &[(&str, &str)], arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_confab-worker"));
    command.args(arguments).current_dir(folder.path()).env_clear().envs(settings.iter().copied());
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn it_refuses_in_one_sentence_and_says_so_with_its_exit_code() {
    // `confab serve` does all of this itself in embedded mode.
    let output = run(&[], &[]);
    assert_eq!((output.status.code(), said(&output).lines().count()), (Some(2), 1), "{}", said(&output));
    let output = run(&[("CONFAB_LISTN", "x")], &[]);
    assert!(output.status.code() == Some(2) && said(&output).contains("CONFAB_LISTN"), "{}", said(&output));
    assert_eq!(run(&[], &["--nonsense"]).status.code(), Some(2));

    // Nobody listens on port 1.
    let settings = [("DATABASE_URL", "postgres://127.0.0.1:1/confab"), ("NATS_URL", "nats://127.0.0.1:1")];
    let output = run(&settings, &["--data-dir", "here"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
}
