//! Accounts from the command line, as the operators' manual shows it.

use serde_json::json;

use crate::harness::{Node, User, confab};

/// The commands of the first block of docs/accounts.md, without what stands behind `#`.
fn shown() -> Vec<Vec<String>> {
    let manual =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/accounts.md")).unwrap();
    let block = manual.split("```sh\n").nth(1).unwrap().split("```").next().unwrap().to_owned();
    let lines = block.lines().map(|line| line.split(" #").next().unwrap().trim().to_owned());
    lines.map(|line| line.split(' ').skip(1).map(str::to_owned).collect()).collect()
}

#[tokio::test]
async fn the_manual_says_what_works() {
    let folder = tempfile::tempdir().unwrap();
    let commands = shown();
    assert!(commands.len() >= 8, "{commands:?}");
    for command in &commands {
        let arguments: Vec<&str> = command.iter().map(String::as_str).collect();
        let done = confab(folder.path(), &arguments, &[]).await;
        assert_eq!(done.code, 0, "confab {}: {}", arguments.join(" "), done.said());
    }
}

#[tokio::test]
async fn an_operator_makes_people_and_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let run = async |arguments: &[&str]| {
        let mut all = vec!["--json", "--data-dir", data.to_str().unwrap()];
        all.extend_from_slice(arguments);
        confab(folder.path(), &all, &[]).await
    };
    let made = run(&["user", "create", "ada", "--email", "ada@example.org", "--admin"]).await;
    assert_eq!((made.code, &made.json()["user"]["is_superuser"]), (0, &json!(true)), "{}", made.said());
    let link = made.json()["reset_url"].as_str().unwrap().to_owned();
    assert_eq!(run(&["user", "create", "Ada"]).await.code, 1, "the name is taken");
    assert_eq!(run(&["user", "create", "a@b"]).await.code, 2);
    assert_eq!(run(&["user", "disable", "ada"]).await.code, 1, "the last superuser");
    assert_eq!(run(&["user", "disable", "nobody"]).await.code, 1);
    assert_eq!(run(&["user", "create", "builder", "--bot"]).await.code, 0);
    assert_eq!(run(&["token", "create", "builder", "--scopes", "everything"]).await.code, 2);
    let token = run(&["token", "create", "builder", "--scopes", "read,write", "--name", "ci"]).await;
    let secret = token.json()["token"].as_str().unwrap().to_owned();
    let listed = run(&["token", "list", "builder"]).await;
    assert_eq!(listed.json()["items"][0]["name"], "ci");
    assert!(!listed.stdout.contains(&secret));

    let mut node = Node::start(&data, &[("CONFAB_RATE_LIMITS", "off")]).await;
    let form = json!({ "token": link.split_once('#').unwrap().1, "password": "a secret of her own" });
    let visitor = User::visitor(&node.address);
    visitor.send(reqwest::Method::POST, "/api/v1/auth/password/reset", Some(&form), 204).await;
    User::log_in("ada", "a secret of her own", &node.address).await;
    let builder = User { access_token: secret, ..visitor };
    assert_eq!(builder.get("/api/v1/auth/me", 200).await["username"], "builder");
    assert_eq!(run(&["user", "list"]).await.code, 4, "the folder belongs to the running server");
    node.stop().await;
    let id = listed.json()["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(run(&["token", "revoke", &id]).await.code, 0);
    assert_eq!(run(&["token", "revoke", &id]).await.code, 1);
    node.restart().await;
    let later = User { address: node.address.clone(), ..builder };
    later.get("/api/v1/auth/me", 401).await;
}
