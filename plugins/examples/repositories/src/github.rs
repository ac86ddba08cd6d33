//! What GitHub tells (and Gitea, which speaks its words).

use serde_json::Value;

use crate::card::{Card, commits, count_of, link, plain, quoted, text};

/// The card of an event; `None` for what nobody needs to be told.
pub fn card(event: &str, body: &Value) -> Option<Card> {
    let repository = text(body, "/repository/full_name").to_owned();
    if repository.is_empty() {
        return None;
    }
    let of = link(&repository, text(body, "/repository/html_url"));
    let who = plain(text(body, "/sender/login"));
    let action = text(body, "/action");
    let said = match event {
        "ping" => format!("🔗 {of} is connected."),
        "push" => push(body, &who, &of)?,
        "pull_request" => pull_request(action, body, &who, &of)?,
        "pull_request_review" if action == "submitted" => review(body, &who, &of)?,
        "issues" => issue(action, body, &who, &of)?,
        "issue_comment" if action == "created" => {
            let title = numbered(body, "/issue");
            format!("💬 **{who}** on {title} in {of}{}", quoted(text(body, "/comment/body")))
        }
        "release" if action == "published" => {
            let name = Some(text(body, "/release/name")).filter(|it| !it.is_empty());
            let name = name.unwrap_or_else(|| text(body, "/release/tag_name"));
            let linked = link(name, text(body, "/release/html_url"));
            format!("🚀 **{who}** released {linked} of {of}{}", quoted(text(body, "/release/body")))
        }
        "workflow_run" if action == "completed" => {
            let run = link(text(body, "/workflow_run/name"), text(body, "/workflow_run/html_url"));
            let branch = plain(text(body, "/workflow_run/head_branch"));
            match text(body, "/workflow_run/conclusion") {
                "failure" | "timed_out" | "startup_failure" => {
                    format!("❌ {run} failed on **{branch}** of {of}")
                }
                _ => return None,
            }
        }
        _ => return None,
    };
    Some(Card { repository, text: said })
}

fn push(body: &Value, who: &str, of: &str) -> Option<String> {
    let branch = text(body, "/ref").strip_prefix("refs/heads/")?;
    let all = body.get("commits")?;
    // A branch that is made or deleted brings no commits.
    if all.as_array().is_none_or(Vec::is_empty) {
        return None;
    }
    let forced = if body.get("forced").and_then(Value::as_bool) == Some(true) { " (forced)" } else { "" };
    let linked = link(&count_of(all), text(body, "/compare"));
    Some(format!("📦 **{who}** pushed {linked} to **{}** of {of}{forced}\n{}", plain(branch), commits(body)))
}

fn pull_request(action: &str, body: &Value, who: &str, of: &str) -> Option<String> {
    let title = numbered(body, "/pull_request");
    let is_merged = body.pointer("/pull_request/merged").and_then(Value::as_bool) == Some(true);
    Some(match action {
        "opened" => {
            format!("🔀 **{who}** opened {title} in {of}{}", quoted(text(body, "/pull_request/body")))
        }
        "reopened" => format!("🔀 **{who}** opened {title} in {of} again"),
        "ready_for_review" => format!("👀 {title} in {of} is ready for review"),
        "closed" if is_merged => format!(
            "🎉 **{who}** merged {title} into **{}** of {of}",
            plain(text(body, "/pull_request/base/ref"))
        ),
        "closed" => format!("🚫 **{who}** closed {title} in {of}"),
        _ => return None,
    })
}

fn review(body: &Value, who: &str, of: &str) -> Option<String> {
    let title = numbered(body, "/pull_request");
    let quoted = quoted(text(body, "/review/body"));
    Some(match text(body, "/review/state") {
        "approved" => format!("✅ **{who}** approved {title} in {of}{quoted}"),
        "changes_requested" => format!("✋ **{who}** asks for changes to {title} in {of}{quoted}"),
        _ => return None,
    })
}

fn issue(action: &str, body: &Value, who: &str, of: &str) -> Option<String> {
    let title = numbered(body, "/issue");
    Some(match action {
        "opened" => format!("🐞 **{who}** opened {title} in {of}{}", quoted(text(body, "/issue/body"))),
        "closed" => format!("✅ **{who}** closed {title} in {of}"),
        "reopened" => format!("🐞 **{who}** opened {title} in {of} again"),
        _ => return None,
    })
}

/// `#7 The title`, linked.
fn numbered(body: &Value, path: &str) -> String {
    let number = body.pointer(&format!("{path}/number")).and_then(Value::as_u64).unwrap_or(0);
    let label = format!("#{number} {}", text(body, &format!("{path}/title")));
    link(&label, text(body, &format!("{path}/html_url")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn body(more: &Value) -> Value {
        let mut body = json!({
            "repository": { "full_name": "Harbour/Crane", "html_url": "https://github.com/Harbour/Crane" },
            "sender": { "login": "ada" },
        });
        for (key, value) in more.as_object().expect("an object") {
            body[key] = value.clone();
        }
        body
    }

    #[test]
    fn a_push_lists_its_commits_and_calls_nobody() {
        let commit = |number: u32| json!({ "id": format!("{number}abcdef123"), "message": format!("Fix [{number}] for @bob\n\nlong"), "url": "https://github.com/c" });
        let pushed = body(
            &json!({ "ref": "refs/heads/main", "compare": "https://github.com/cmp", "commits": (0..7).map(commit).collect::<Vec<_>>() }),
        );
        let card = card("push", &pushed).expect("a card");
        assert_eq!(card.repository, "Harbour/Crane");
        let lines: Vec<&str> = card.text.lines().collect();
        assert_eq!(
            lines[0],
            "📦 **ada** pushed [7 commits](https://github.com/cmp) to **main** of [Harbour/Crane](https://github.com/Harbour/Crane)"
        );
        assert_eq!(lines[2], "- [2abcdef](https://github.com/c) Fix \\[2\\] for @\u{200b}bob");
        assert_eq!((lines.len(), lines[7]), (8, "- … and 2 before"));
    }

    #[test]
    fn requests_issues_and_runs() {
        let request = |action: &str, merged: bool| {
            body(
                &json!({ "action": action, "pull_request": { "number": 7, "title": "Hoist", "html_url": "https://github.com/p", "merged": merged, "base": { "ref": "main" }, "body": "why" } }),
            )
        };
        let said = |event: &str, of: &Value| card(event, of).map(|it| it.text).unwrap_or_default();
        assert!(
            said("pull_request", &request("opened", false))
                .starts_with("🔀 **ada** opened [\\#7 Hoist](https://github.com/p)")
        );
        assert!(said("pull_request", &request("closed", true)).starts_with("🎉 **ada** merged"));
        assert!(said("pull_request", &request("closed", false)).starts_with("🚫"));
        assert_eq!(card("pull_request", &request("labeled", false)), None);
        let run = |conclusion: &str| {
            body(
                &json!({ "action": "completed", "workflow_run": { "name": "ci", "html_url": "https://github.com/r", "head_branch": "main", "conclusion": conclusion } }),
            )
        };
        assert!(said("workflow_run", &run("failure")).starts_with("❌ [ci]"));
        assert_eq!(card("workflow_run", &run("success")), None);
        assert_eq!(card("push", &json!({})), None);
    }
}
