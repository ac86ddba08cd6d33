//! What GitLab tells.

use serde_json::Value;

use crate::card::{Card, commits, count_of, link, plain, quoted, text};

/// The card of an event; `None` for what nobody needs to be told.
pub fn card(body: &Value) -> Option<Card> {
    let repository = text(body, "/project/path_with_namespace").to_owned();
    if repository.is_empty() {
        return None;
    }
    let of = link(&repository, text(body, "/project/web_url"));
    let who = Some(text(body, "/user/username")).filter(|it| !it.is_empty());
    let who = plain(who.unwrap_or_else(|| text(body, "/user_username")));
    let action = text(body, "/object_attributes/action");
    let said = match text(body, "/object_kind") {
        "push" => {
            let branch = plain(text(body, "/ref").strip_prefix("refs/heads/")?);
            let all = body.get("commits").filter(|it| it.as_array().is_some_and(|all| !all.is_empty()))?;
            format!("📦 **{who}** pushed {} to **{branch}** of {of}\n{}", count_of(all), commits(body))
        }
        "tag_push" => {
            let tag = plain(text(body, "/ref").strip_prefix("refs/tags/")?);
            // Without a commit the tag was deleted.
            text(body, "/checkout_sha").chars().next()?;
            format!("🏷 **{who}** tagged **{tag}** of {of}")
        }
        "merge_request" => {
            let title = numbered(body, '!');
            match action {
                "open" => format!(
                    "🔀 **{who}** opened {title} in {of}{}",
                    quoted(text(body, "/object_attributes/description"))
                ),
                "reopen" => format!("🔀 **{who}** opened {title} in {of} again"),
                "merge" => format!("🎉 **{who}** merged {title} in {of}"),
                "close" => format!("🚫 **{who}** closed {title} in {of}"),
                "approved" => format!("✅ **{who}** approved {title} in {of}"),
                _ => return None,
            }
        }
        "issue" => {
            let title = numbered(body, '#');
            match action {
                "open" => format!(
                    "🐞 **{who}** opened {title} in {of}{}",
                    quoted(text(body, "/object_attributes/description"))
                ),
                "reopen" => format!("🐞 **{who}** opened {title} in {of} again"),
                "close" => format!("✅ **{who}** closed {title} in {of}"),
                _ => return None,
            }
        }
        "note" => {
            let said = link("commented", text(body, "/object_attributes/url"));
            format!("💬 **{who}** {said} in {of}{}", quoted(text(body, "/object_attributes/note")))
        }
        "pipeline" if text(body, "/object_attributes/status") == "failed" => {
            let id = body.pointer("/object_attributes/id").and_then(Value::as_u64).unwrap_or(0);
            let address = format!("{}/-/pipelines/{id}", text(body, "/project/web_url"));
            let branch = plain(text(body, "/object_attributes/ref"));
            format!("❌ {} failed on **{branch}** of {of}", link(&format!("pipeline {id}"), &address))
        }
        "release" if text(body, "/action") == "create" => {
            let linked = link(text(body, "/name"), text(body, "/url"));
            format!("🚀 {linked} of {of} was released{}", quoted(text(body, "/description")))
        }
        _ => return None,
    };
    Some(Card { repository, text: said })
}

fn numbered(body: &Value, mark: char) -> String {
    let number = body.pointer("/object_attributes/iid").and_then(Value::as_u64).unwrap_or(0);
    let label = format!("{mark}{number} {}", text(body, "/object_attributes/title"));
    link(&label, text(body, "/object_attributes/url"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_gitlab_tells_is_a_card() {
        let of = |kind: &str, attributes: &Value| {
            let body = json!({
                "object_kind": kind, "user": { "username": "bob" }, "object_attributes": attributes,
                "project": { "path_with_namespace": "harbour/crane", "web_url": "https://gitlab.example/harbour/crane" },
            });
            card(&body).map(|it| it.text)
        };
        let merged = of(
            "merge_request",
            &json!({ "iid": 4, "title": "Hoist", "url": "https://gitlab.example/m", "action": "merge" }),
        );
        assert_eq!(
            merged.as_deref(),
            Some(
                "🎉 **bob** merged [!4 Hoist](https://gitlab.example/m) in [harbour/crane](https://gitlab.example/harbour/crane)"
            )
        );
        let failed = of("pipeline", &json!({ "id": 9, "status": "failed", "ref": "main" }));
        assert!(failed.is_some_and(|it| {
            it.contains("[pipeline 9](https://gitlab.example/harbour/crane/-/pipelines/9)")
        }));
        assert_eq!(of("pipeline", &json!({ "id": 9, "status": "success" })), None);
        assert_eq!(of("wiki_page", &json!({})), None);
        assert_eq!(card(&json!({ "object_kind": "push" })), None);
    }
}
