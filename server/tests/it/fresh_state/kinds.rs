//! What makes each kind of event.

use confab_protocol::EventKind;

/// One call: who, method, path below the base, body. Names in braces: channel (public), room (private), message, ada, bob,
/// cyd, dan, `last` and `seq` (of what the last answer made), soon, new.
pub struct Step {
    pub who: &'static str,
    pub method: &'static str,
    pub path: &'static str,
    pub body: Option<&'static str>,
}

pub enum Case {
    /// These steps make one; after each of them every client's state is the fresh one.
    Heard(Vec<Step>),
    /// No client ever hears it.
    ServersOnly(&'static str),
    /// A client might, but nobody is in its audience.
    HeardByNobody(&'static str),
    /// Only an operator's command or a plugin makes it: no path of the API.
    WithoutPath(&'static str),
}

const fn step(who: &'static str, method: &'static str, path: &'static str, body: &'static str) -> Step {
    Step { who, method, path, body: if body.is_empty() { None } else { Some(body) } }
}

/// A new kind does not compile until it has a case here: the steps that make it, and `client.rs` what it does.
#[allow(clippy::too_many_lines)] // a table
pub fn case(kind: EventKind) -> Case {
    use Case::{Heard, HeardByNobody, ServersOnly, WithoutPath};
    match kind {
        EventKind::NewMessage => Heard(vec![
            step("ada", "POST", "/channels/{channel}/messages", r#"{"content":"ahoy @bob and @cyd"}"#),
            step(
                "bob",
                "POST",
                "/channels/{channel}/messages",
                r#"{"content":"aye","parent_id":"{message}"}"#,
            ),
            step("ada", "POST", "/channels/direct", r#"{"user_ids":["{bob}"]}"#),
            step("bob", "POST", "/channels/{last}/messages", r#"{"content":"between us"}"#),
        ]),
        EventKind::MessageUpdate => Heard(vec![
            step("ada", "POST", "/channels/{channel}/messages", r#"{"content":"for @bob"}"#),
            step("ada", "PUT", "/messages/{last}", r#"{"content":"no, for @cyd"}"#),
        ]),
        EventKind::MessageDelete => Heard(vec![
            step("ada", "POST", "/channels/{channel}/messages", r#"{"content":"@bob look"}"#),
            step("bob", "PUT", "/messages/{last}/reactions/wave", ""),
            step("ada", "DELETE", "/messages/{last}", ""),
            step(
                "bob",
                "POST",
                "/channels/{channel}/messages",
                r#"{"content":"aye","parent_id":"{message}"}"#,
            ),
            step("bob", "DELETE", "/messages/{last}", ""),
        ]),
        EventKind::ReactionAdded => Heard(vec![
            step("ada", "PUT", "/messages/{message}/reactions/wave", ""),
            step("bob", "PUT", "/messages/{message}/reactions/wave", ""),
            step("bob", "PUT", "/messages/{message}/reactions/tada", ""),
        ]),
        EventKind::ReactionRemoved => Heard(vec![
            step("bob", "DELETE", "/messages/{message}/reactions/wave", ""),
            step("bob", "DELETE", "/messages/{message}/reactions/tada", ""),
        ]),
        EventKind::ChannelUpdate => Heard(vec![
            step(
                "ada",
                "PUT",
                "/channels/{channel}",
                r#"{"name":"haven","topic":"Tides","description":"Boats"}"#,
            ),
            step("ada", "POST", "/channels/{channel}/archive", ""),
            step("ada", "POST", "/channels/{channel}/unarchive", ""),
        ]),
        EventKind::ChannelDeleted => Heard(vec![
            step("ada", "POST", "/channels", r#"{"name":"doomed {new}","kind":"private"}"#),
            step("ada", "POST", "/channels/{last}/members", r#"{"user_id":"{bob}"}"#),
            step("ada", "DELETE", "/channels/{last}", ""),
            step("ada", "POST", "/channels", r#"{"name":"doomed too {new}","kind":"public"}"#),
            step("ada", "POST", "/channels/{last}/members", r#"{"user_id":"{bob}"}"#),
            step("ada", "DELETE", "/channels/{last}", ""),
        ]),
        EventKind::MemberJoined => Heard(vec![
            step("dan", "POST", "/channels/{channel}/join", ""),
            step("ada", "POST", "/channels/{room}/members", r#"{"user_id":"{dan}"}"#),
            step("ada", "POST", "/channels/direct", r#"{"user_ids":["{bob}","{cyd}"]}"#),
        ]),
        EventKind::MemberLeft => Heard(vec![
            step("dan", "POST", "/channels/{channel}/leave", ""),
            step("ada", "POST", "/channels/{room}/messages", r#"{"content":"@dan a last word"}"#),
            step("ada", "DELETE", "/channels/{room}/members/{dan}", ""),
            step("bob", "POST", "/channels/{room}/messages", r#"{"content":"gone"}"#),
        ]),
        EventKind::ReadUpdated => Heard(vec![
            step("ada", "POST", "/channels/{channel}/messages", r#"{"content":"one for @bob"}"#),
            step("ada", "POST", "/channels/{channel}/messages", r#"{"content":"two for @bob"}"#),
            step("bob", "PUT", "/channels/{channel}/read", r#"{"seq":{seq}}"#),
        ]),
        EventKind::UserUpdated => Heard(vec![
            step("bob", "PUT", "/users/me", r#"{"full_name":"Bob of the Bay","bio":"Fishes"}"#),
            step("warden", "PUT", "/auth/users/{bob}/superuser", r#"{"is_superuser":true}"#),
            step("warden", "PUT", "/auth/users/{bob}/superuser", r#"{"is_superuser":false}"#),
        ]),
        EventKind::Notification => Heard(vec![step(
            "bob",
            "POST",
            "/channels/{room}/messages",
            r#"{"content":"@ada @cyd mind the bar"}"#,
        )]),
        EventKind::RoleUpdated => Heard(vec![
            step("ada", "PUT", "/channels/{room}/roles/{bob}", r#"{"role":"admin"}"#),
            step("ada", "PUT", "/channels/{room}/roles/{bob}", r#"{"role":"member"}"#),
        ]),
        EventKind::PrivacyUpdated => Heard(vec![
            step("ada", "POST", "/channels", r#"{"name":"turned {new}","kind":"public"}"#),
            step("ada", "PUT", "/channels/{last}/privacy", r#"{"is_private":true}"#),
        ]),
        EventKind::DirectoryUpdated => Heard(vec![
            step("ada", "POST", "/channels", r#"{"name":"to and fro {new}","kind":"public"}"#),
            step("ada", "PUT", "/channels/{last}/privacy", r#"{"is_private":true}"#),
            step("ada", "PUT", "/channels/{last}/privacy", r#"{"is_private":false,"share_history":true}"#),
            step("ada", "DELETE", "/channels/{last}", ""),
        ]),
        EventKind::PinAdded => Heard(vec![step("ada", "PUT", "/messages/{message}/pin", "")]),
        EventKind::PinRemoved => Heard(vec![step("ada", "DELETE", "/messages/{message}/pin", "")]),
        EventKind::BookmarkAdded => Heard(vec![step("bob", "PUT", "/messages/{message}/bookmark", "")]),
        EventKind::BookmarkRemoved => Heard(vec![step("bob", "DELETE", "/messages/{message}/bookmark", "")]),
        EventKind::ThreadUpdated => Heard(vec![step("cyd", "PUT", "/messages/{message}/follow", "")]),
        EventKind::PreferencesUpdated => Heard(vec![step(
            "bob",
            "PUT",
            "/channels/{channel}/preferences",
            r#"{"starred":true,"muted":true,"notification_level":"mentions"}"#,
        )]),
        EventKind::DraftUpdated => Heard(vec![
            step("bob", "PUT", "/channels/{channel}/draft", r#"{"content":"half a th"}"#),
            step("bob", "DELETE", "/channels/{channel}/draft", ""),
        ]),
        EventKind::ScheduledMessageUpdated => Heard(vec![
            step(
                "bob",
                "POST",
                "/scheduled-messages",
                r#"{"channel_id":"{channel}","content":"later","send_at":"{soon}"}"#,
            ),
            step("bob", "DELETE", "/scheduled-messages/{last}", ""),
        ]),
        EventKind::ReminderUpdated => Heard(vec![
            step("bob", "POST", "/reminders", r#"{"text":"tide","remind_at":"{soon}"}"#),
            step("bob", "DELETE", "/reminders/{last}", ""),
        ]),
        EventKind::NotificationsRead => Heard(vec![
            step("bob", "POST", "/channels/{room}/messages", r#"{"content":"@ada again"}"#),
            step("ada", "POST", "/users/me/notifications/read", "{}"),
        ]),
        EventKind::ReactionCatalogueUpdated => {
            WithoutPath("a picture comes as a form, which steps do not send; reactions' own story hears it")
        }
        EventKind::ChannelCreated => {
            HeardByNobody("it is written before the first member joins; member_joined tells each of them")
        }
        EventKind::CommandResult => WithoutPath("a plugin makes it; the whispers' own story hears it"),
        EventKind::PluginChanged => {
            WithoutPath("an operator's command makes it, and clients keep no plugins")
        }
        EventKind::SessionEnded | EventKind::AccessChanged => {
            ServersOnly("sockets are closed or asked again by it")
        }
        EventKind::RetryRequested | EventKind::ReindexRequested | EventKind::FileTextStored => {
            ServersOnly("it is for consumers of the log")
        }
    }
}
