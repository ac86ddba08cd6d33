//! What invented people are called and what they say.

/// A conversation on one subject. `{0}`, `{1}` … are its people; other marks are filled the same way in all its lines.
pub(super) struct Scene {
    /// Who speaks, and what.
    pub lines: &'static [(usize, &'static str)],
}

pub(super) const FIRST_NAMES: [&str; 40] = [
    "Ada", "Bruno", "Chiara", "Dmitri", "Elif", "Fatima", "Goran", "Hana", "Ingrid", "Jonas", "Kenji",
    "Lena", "Mateo", "Nadia", "Oskar", "Priya", "Quentin", "Rosa", "Sven", "Tomoko", "Uma", "Viktor",
    "Wanjiru", "Xenia", "Yuki", "Zoë", "Amir", "Beatriz", "Carlos", "Dilara", "Emil", "Freya", "Grace",
    "Hugo", "Ines", "Jamal", "Katja", "Liam", "Mei", "Noor",
];

pub(super) const LAST_NAMES: [&str; 40] = [
    "Lindqvist",
    "Okafor",
    "Tanaka",
    "Moreau",
    "Schneider",
    "Rossi",
    "Novák",
    "Kaya",
    "Petrov",
    "Andersen",
    "Silva",
    "Haddad",
    "Nguyen",
    "Kowalski",
    "Fernández",
    "Baker",
    "Yamamoto",
    "Mbeki",
    "Larsen",
    "Weber",
    "Ito",
    "Costa",
    "Dubois",
    "Ivanova",
    "Hansen",
    "Sato",
    "García",
    "Becker",
    "Öztürk",
    "Reyes",
    "Singh",
    "Murphy",
    "Suzuki",
    "Horváth",
    "Kim",
    "Jansen",
    "Virtanen",
    "Popescu",
    "Ali",
    "Fischer",
];

/// Name, what it is for, and whether it is private.
pub(super) const CHANNELS: [(&str, &str, bool); 20] = [
    ("engineering", "Building it", false),
    ("design", "How it looks and reads", false),
    ("releases", "What goes out and when", false),
    ("support", "What people ask us", false),
    ("incidents", "When something is broken", false),
    ("leads", "Planning among the leads", true),
    ("kitchen", "Food, coffee, who is in", false),
    ("books", "What we read", false),
    ("berlin", "Das Büro in Berlin", false),
    ("tokyo", "東京オフィス", false),
    ("hiring", "Candidates and interviews", true),
    ("data", "Numbers and questions about them", false),
    ("infrastructure", "Machines and networks", false),
    ("mobile", "Apps", false),
    ("music", "What plays", false),
    ("finance", "Budgets", true),
    ("writing", "Documents that need a reader", false),
    ("accessibility", "For everyone", false),
    ("running", "On foot", false),
    ("security", "Reports and fixes", true),
];

/// What a mark may stand for.
pub(super) const MARKS: [(&str, &[&str]); 8] = [
    (
        "{service}",
        &["the gateway", "billing", "the search index", "the importer", "the mail relay", "the scheduler"],
    ),
    ("{version}", &["0.9.4", "1.0.0", "1.2.1", "2.0.0-rc.1", "3.4.0"]),
    ("{number}", &["7", "12", "31", "48", "120", "256", "900"]),
    (
        "{link}",
        &[
            "https://example.org/issues/412",
            "https://example.org/docs/retries",
            "https://example.org/status?range=24h",
            "https://example.com/talks/queues#t=310",
        ],
    ),
    ("{dish}", &["ramen", "lasagne", "falafel", "Flammkuchen", "dosa", "pão de queijo"]),
    ("{book}", &["The Mythical Man-Month", "Piranesi", "Invisible Cities", "The Left Hand of Darkness"]),
    ("{day}", &["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]),
    ("{color}", &["teal", "slate", "the warm grey", "indigo"]),
];

/// Reactions that people put.
pub(super) const REACTIONS: [&str; 8] = ["👍", "🎉", "❤️", "😂", "👀", "🚀", "✅", "🙏"];

pub(super) const SCENES: [Scene; 26] = [
    Scene {
        lines: &[
            (0, "Has anyone seen {service} being slow since this morning? p99 is at {number} ms."),
            (1, "Yes, it began right after {version} went out."),
            (2, "Looking. The connection pool is at its limit:\n```\npool: 20/20 in use, 37 waiting\n```"),
            (0, "Should we roll back?"),
            (2, "No need, I found it: a query without an index. Fix is up: {link}"),
            (1, "Reviewed, looks good 👍"),
        ],
    },
    Scene {
        lines: &[
            (0, "{version} is ready. Changes: faster start, quieter logs, {number} fixed bugs."),
            (1, "Did the migration test pass on a copy of the real data?"),
            (0, "It did, in {number} seconds, and `down` brings it back."),
            (1, "Then ship it 🚀"),
        ],
    },
    Scene {
        lines: &[
            (0, "@{1} could you look at {link} when you have a minute?"),
            (1, "Sure, after lunch."),
            (1, "Done. One question in there about what happens on a timeout."),
            (0, "Good catch, thank you!"),
        ],
    },
    Scene {
        lines: &[
            (0, "What do we use for retries nowadays?"),
            (
                1,
                "Exponential backoff with jitter, at most five times:\n```rust\nfor attempt in 0..5 {\n    if call().await.is_ok() { break; }\n    sleep(backoff(attempt)).await;\n}\n```",
            ),
            (2, "And only for calls that may be repeated safely. Please read {link} first."),
            (0, "Makes sense."),
        ],
    },
    Scene {
        lines: &[
            (0, "The empty state of the new page: {color} or the same as everywhere else?"),
            (1, "Same as everywhere else. One more colour is one more thing to explain."),
            (0, "Fair."),
        ],
    },
    Scene {
        lines: &[
            (0, "A customer asks whether they can export everything."),
            (1, "Yes: one command, and it brings files too. The page about it: {link}"),
            (0, "They are happy ❤️"),
        ],
    },
    Scene {
        lines: &[
            (0, "Incident: {service} answers with 503 for about {number}% of calls."),
            (1, "I take it. Status page is updated."),
            (2, "Disk of one node is full; logs were not rotated."),
            (1, "Space freed, errors are gone. Leaving this open for an hour."),
            (0, "Thank you both. Write-up by {day}?"),
            (1, "Will do."),
        ],
    },
    Scene { lines: &[(0, "Lunch? I would like {dish}."), (1, "In!"), (2, "Me too, ten minutes.")] },
    Scene {
        lines: &[
            (0, "Who is in the office on {day}?"),
            (1, "I am."),
            (2, "From ten on."),
            (0, "Great, then we do the planning at the whiteboard."),
        ],
    },
    Scene {
        lines: &[
            (0, "Just finished *{book}*. Highly recommended."),
            (1, "It has been on my shelf for a year 📚"),
            (0, "Start tonight!"),
        ],
    },
    Scene {
        lines: &[
            (0, "Does `SELECT … FOR UPDATE` lock rows that do not match?"),
            (1, "Not under read committed. There is a good explanation in {link}"),
            (0, "Thanks, that saved me an afternoon."),
        ],
    },
    Scene {
        lines: &[
            (0, "Numbers of the week: {number} new teams, most of them by word of mouth."),
            (1, "🎉"),
            (2, "Which channel did they come from?"),
            (0, "Mostly from the talk: {link}"),
        ],
    },
    Scene {
        lines: &[
            (
                0,
                "Interview with the candidate for the platform team is on {day}. @{1}, do you take the code part?",
            ),
            (1, "Yes. Same exercise as last time?"),
            (0, "The same, but without the second half. It was too long."),
        ],
    },
    Scene {
        lines: &[
            (0, "Reminder: backups are only backups when they were restored once. This week is @{1}'s turn."),
            (1, "Restored last night in {number} minutes, all checksums match ✅"),
        ],
    },
    Scene {
        lines: &[
            (0, "Screen reader test of the composer: the send button had no name."),
            (1, "Fixed in {version}. Anything else?"),
            (0, "Focus goes back to the text now. It feels right."),
        ],
    },
    Scene {
        lines: &[
            (
                0,
                "Can someone explain what this does?\n```sh\nfind . -name '*.log' -mtime +{number} -delete\n```",
            ),
            (1, "Deletes logs older than {number} days. Run it with `-print` first!"),
            (0, "Will do 😅"),
        ],
    },
    Scene {
        lines: &[
            (0, "Draft of the announcement is here: {link}. Every comment is welcome."),
            (1, "The first paragraph says it all. I would cut the second."),
            (2, "Agree with that. And the title could be shorter."),
            (0, "Both done."),
        ],
    },
    Scene { lines: &[(0, "Good morning ☀️"), (1, "Good morning!")] },
    Scene { lines: &[(0, "I am away until {day}. @{1} has the keys to {service}."), (1, "Enjoy!")] },
    Scene {
        lines: &[
            (0, "Moin! Läuft bei euch {service}?"),
            (1, "Bei mir ja, aber ziemlich langsam."),
            (0, "Ich starte die Größe der Warteschlange mal auf {number} hoch."),
            (1, "Viel besser, danke schön!"),
        ],
    },
    Scene {
        lines: &[
            (0, "Wer bringt am Freitag Kuchen mit?"),
            (1, "Ich kann Apfelkuchen backen 🥧"),
            (2, "Dann kümmere ich mich um Kaffee."),
        ],
    },
    Scene {
        lines: &[
            (0, "Könntest du dir bitte {link} anschauen, @{1}? Es geht um die Übersetzung."),
            (1, "Gerne. „Schließen“ statt „Zumachen“, sonst passt alles."),
        ],
    },
    Scene {
        lines: &[
            (0, "おはようございます。今日のリリースは{version}です。"),
            (1, "了解しました。テストは全部通りましたか？"),
            (0, "はい、{number}件すべて成功しました。"),
            (1, "お疲れさまです 🎉"),
        ],
    },
    Scene {
        lines: &[
            (0, "@{1} さん、{link} のレビューをお願いします。"),
            (1, "午後に確認します。"),
            (1, "確認しました。コメントを一つ残しました。"),
        ],
    },
    Scene {
        lines: &[(0, "ランチは{dish}にしませんか？"), (1, "いいですね、12時に行きましょう。")]
    },
    Scene {
        lines: &[
            (
                0,
                "Small win: start-up went from {number} s to under one. The trick was not to read what nobody asked for.",
            ),
            (1, "😮"),
            (2, "Write that on a wall."),
        ],
    },
];

/// What the bot says by itself.
pub(super) const BUILDS: [&str; 3] = [
    "Build {number} of `main` passed in {number} s.",
    "Build {number} of `main` failed: 1 test. {link}",
    "Deployed {version} to staging.",
];
