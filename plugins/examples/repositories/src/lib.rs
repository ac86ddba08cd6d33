//! Repositories: what GitHub and GitLab tell by their webhooks, as cards in the channels that follow.

mod card;
mod github;
mod gitlab;

use std::collections::BTreeMap;

use card::Card;
use confab_plugin_sdk::prelude::*;

const KEY: &str = "follows";
/// Changes that meet each other are told apart by the revision of what is stored; each tries again so often.
const TRIES: usize = 12;
/// Channels of one repository: each is a post, and a call of the plugin has fifty.
const MOST_CHANNELS: usize = 20;
const MOST_REPOSITORIES: usize = 300;
const NAME_BYTES: usize = 120;

/// Channels by repository, in lower case.
type Follows = BTreeMap<String, Vec<String>>;

struct Repositories;

impl CommandHandler for Repositories {
    fn on_command(call: Invocation) -> Result<Reply, String> {
        let channel = call.place.channel.as_str();
        let what = call.text("what").unwrap_or_default();
        if what == "list" {
            return list(channel);
        }
        let name = repository(call.text("name").unwrap_or_default())?;
        ask(&call)?;
        if what == "unfollow" {
            change(|follows| {
                if let Some(channels) = follows.get_mut(&name) {
                    channels.retain(|it| it != channel);
                }
                follows.retain(|_, channels| !channels.is_empty());
                Ok(())
            })?;
            return Ok(Reply::say(format!("This channel no longer follows `{name}`.")));
        }
        if !may_follow(&name, &text_setting("repositories").unwrap_or_default()) {
            return Err(format!("An administrator has not allowed to follow {name}."));
        }
        change(|follows| {
            if follows.len() >= MOST_REPOSITORIES && !follows.contains_key(&name) {
                return Err(format!("{MOST_REPOSITORIES} repositories are followed already."));
            }
            let channels = follows.entry(name.clone()).or_default();
            if channels.iter().any(|it| it == channel) {
                return Ok(());
            }
            if channels.len() >= MOST_CHANNELS {
                return Err(format!("{MOST_CHANNELS} channels follow {name} already."));
            }
            channels.push(channel.to_owned());
            Ok(())
        })?;
        Ok(Reply::say(format!("This channel follows `{name}`.")))
    }
}

impl WebhookHandler for Repositories {
    fn on_webhook(incoming: Incoming) -> Result<(), String> {
        let header = |name: &str| incoming.headers.iter().find(|it| it.0 == name).map(|it| it.1.as_str());
        let body: serde_json::Value = serde_json::from_slice(&incoming.body)
            .map_err(|_| "the body must be JSON: choose application/json")?;
        let card = match incoming.name.as_str() {
            "github" => github::card(header("x-github-event").unwrap_or_default(), &body),
            _ => gitlab::card(&body),
        };
        // Most of what they tell is nothing to be told of.
        let Some(Card { repository, text }) = card else { return Ok(()) };
        let (mut follows, _) = read()?;
        for channel in follows.remove(&repository.to_lowercase()).unwrap_or_default() {
            let place = Place { channel, thread: None };
            match chat::post_message(&place, &Draft::text(text.clone())) {
                // Archived, gone, or the bot was shown out: the others are still told.
                Ok(_) | Err(Failure::Denied(_) | Failure::NotFound) => {}
                Err(failure) => return Err(failure.into()),
            }
        }
        Ok(())
    }
}

confab_plugin_sdk::export!(Repositories: commands, webhooks);

/// What comes to a channel is decided by those who manage it: with a secret that an administrator set once, whoever follows
/// reads what happens in repositories that they may not see there.
fn ask(call: &Invocation) -> Result<(), String> {
    if matches!(settings::get("members-may-follow"), Some(Value::Toggle(true))) {
        return Ok(());
    }
    // Those who manage it come first, so that a hundred are enough.
    let members = chat::members(&call.place.channel, 100)?;
    if manages(&members, &call.user.id) {
        return Ok(());
    }
    Err("Only an admin or owner of this channel says what it follows.".into())
}

fn manages(members: &[Member], user: &str) -> bool {
    members.iter().any(|it| it.user.id == user && matches!(it.role, Role::Owner | Role::Admin))
}

fn list(channel: &str) -> Result<Reply, String> {
    let follows = read()?.0;
    let here: Vec<String> = follows
        .iter()
        .filter(|(_, channels)| channels.iter().any(|it| it == channel))
        .map(|(name, _)| format!("- `{name}`"))
        .collect();
    Ok(Reply::tell(if here.is_empty() {
        "This channel follows no repository: `/repo follow owner/name`.".to_owned()
    } else {
        format!("This channel follows:\n\n{}", here.join("\n"))
    }))
}

fn repository(text: &str) -> Result<String, String> {
    let name = text.trim().trim_end_matches('/').trim_end_matches(".git");
    let name = name.rsplit_once("://").map_or(name, |it| it.1.split_once('/').map_or("", |it| it.1));
    let is_name = name.contains('/')
        && name.len() <= NAME_BYTES
        && name.split('/').all(|part| !part.is_empty())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte));
    if is_name { Ok(name.to_lowercase()) } else { Err("Name a repository, such as owner/name.".into()) }
}

fn may_follow(name: &str, allowed: &str) -> bool {
    allowed.split(',').map(|it| it.trim().to_lowercase()).any(|it| match it.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == it,
    })
}

fn read() -> Result<(Follows, u64), String> {
    let Some(entry) = kv::get(KEY)? else { return Ok((Follows::new(), 0)) };
    let follows = serde_json::from_slice(&entry.value).map_err(|error| error.to_string())?;
    Ok((follows, entry.revision))
}

fn change(by: impl Fn(&mut Follows) -> Result<(), String>) -> Result<(), String> {
    for _ in 0..TRIES {
        let (mut follows, revision) = read()?;
        by(&mut follows)?;
        let written = serde_json::to_vec(&follows).map_err(|error| error.to_string())?;
        match kv::swap(KEY, revision, &written) {
            Ok(_) => return Ok(()),
            Err(Failure::Conflict) => {}
            Err(failure) => return Err(failure.into()),
        }
    }
    Err("Too much changes at this moment: try again.".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admins_and_owners_manage_a_channel() {
        let member = |id: &str, role| Member {
            user: User { id: id.into(), username: id.into(), display_name: id.into(), bot: false },
            role,
        };
        let members = [
            member("ada", Role::Owner),
            member("ben", Role::Admin),
            member("cem", Role::Member),
            member("dee", Role::Guest),
            member("eve", Role::Other("keeper".into())),
        ];
        let who = ["ada", "ben", "cem", "dee", "eve", "zoe"].map(|it| manages(&members, it));
        assert_eq!(who, [true, true, false, false, false, false]);
    }

    #[test]
    fn a_repository_is_named_in_many_ways() {
        for text in [
            "Harbour/Crane",
            " harbour/crane ",
            "https://github.com/harbour/crane.git",
            "https://gitlab.example/harbour/crane/",
        ] {
            assert_eq!(repository(text).as_deref(), Ok("harbour/crane"), "{text}");
        }
        for text in ["", "crane", "a//b", "https://github.com", "a/b c", "/a"] {
            assert!(repository(text).is_err(), "{text}");
        }
        assert!(may_follow("harbour/crane", "*") && may_follow("harbour/crane", "x/y, Harbour/*"));
        assert!(!may_follow("harbour/crane", "harbour/cran, x/*") && !may_follow("harbour/crane", ""));
    }
}
