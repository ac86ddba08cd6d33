//! Written conversations: the bundled plugins do what theirs say, and what is not so is told.

use confab_plugin_host::{Limits, Manifest, Plugin, Rehearsed, Runtime, ScriptFault, bundled, rehearse};
use std::time::Duration;

fn bundle(name: &str) -> Plugin {
    let it = bundled().iter().find(|it| it.name == name).unwrap();
    let limits = Limits {
        command_wall: Duration::from_secs(30),
        event_cpu: Duration::from_secs(30),
        ..Limits::default()
    };
    Runtime::new(None, limits).unwrap().load(Manifest::parse(it.manifest).unwrap(), it.wasm).unwrap()
}

async fn played(name: &str, text: &str) -> Rehearsed {
    rehearse(&bundle(name), text).await.unwrap()
}

async fn goes_as_written(name: &str, text: &str) {
    let played = played(name, text).await;
    assert!(played.differences.is_empty(), "{:#?}\n{}", played.differences, played.written);
    assert!(played.scenes >= 3);
    assert_eq!(played.written, text, "what fits is left as it was written");
}

#[tokio::test]
async fn the_dice_do_what_their_conversation_says() {
    goes_as_written("dice", include_str!("../../../examples/dice/conversation.txt")).await;
}

#[tokio::test]
async fn polls_do_what_their_conversation_says() {
    goes_as_written("polls", include_str!("../../../examples/polls/conversation.txt")).await;
}

#[tokio::test]
async fn reminders_do_what_their_conversation_says() {
    goes_as_written("reminders", include_str!("../../../examples/reminders/conversation.txt")).await;
}

#[tokio::test]
async fn what_goes_otherwise_is_told_and_can_be_written_down() {
    let text = "# rolls\nada: /roll 0d6\n  public: 2\n\nben: hello\n  posts: hello\nben: !roll 0d6\n";
    let played = played("dice", text).await;
    let [wrong_answer, no_answer, unexpected] = &played.differences[..] else { panic!("{played:?}") };
    let fault = "In `0d6`, the number of dice must be from 1 to 100.";
    assert_eq!((wrong_answer.line, &wrong_answer.happened[..]), (2, &[format!("error: {fault}")][..]));
    assert_eq!((no_answer.line, no_answer.happened.len(), no_answer.expected.len()), (5, 0, 1));
    assert_eq!((unexpected.line, &unexpected.happened[..]), (7, &[format!("posts: {fault}")][..]));
    let written = format!(
        "# rolls\nada: /roll 0d6\n  error: {fault}\n\nben: hello\nben: !roll 0d6\n  posts: {fault}\n"
    );
    assert_eq!(played.written, written);
    // What was written down is what happens.
    let again = rehearse(&bundle("dice"), &played.written).await.unwrap();
    assert_eq!((again.differences.len(), &again.written), (0, &played.written));
}

#[tokio::test]
async fn what_is_not_granted_is_denied_in_a_rehearsal_too() {
    let played = played("dice", "deny messages.post\nada: !roll\n").await;
    let happened = &played.differences[0].happened;
    assert!(happened.iter().any(|line| line == "denied messages.post"), "{happened:?}");
    assert!(happened.iter().all(|line| !line.starts_with("posts")), "{happened:?}");
}

#[tokio::test]
async fn lines_that_say_nothing_are_faults_with_their_number() {
    let fault = async |text: &str| -> ScriptFault { rehearse(&bundle("dice"), text).await.unwrap_err() };
    for (text, line, part) in [
        ("  public: 1\n", 1, "directly below"),
        ("# a\nAda: hello\n", 2, "is no name"),
        ("ada waves\n", 1, "nobody does that"),
        ("pass a while\n", 1, "pass 1h 30m"),
        ("deny everything\n", 1, "there is no permission"),
        ("ada: /fly\n", 1, "no command `fly`"),
        ("ada presses Buy\n", 1, "no button `Buy`"),
        ("ada reacts dice to m7\n", 1, "there is no m7"),
        ("ada types /roll dice=1\n", 1, "complete = true"),
        ("tool roll for ada: {}\n", 1, "no tool `roll`"),
        ("tool roll for ada: {\n", 1, "no JSON"),
        ("set colour = red\n", 1, "no setting `colour`"),
        ("ben: hi\nada edits m1: ha\n", 2, "did not write m1"),
        ("configure yesterday\n", 1, "configure installed"),
        ("page GET https://example.org\n", 1, "page METHOD"),
    ] {
        let fault = fault(text).await;
        assert_eq!(fault.line, line, "{text}: {fault}");
        assert!(fault.message.contains(part), "{text}: {fault}");
    }
    let long = format!("# {}", "x".repeat(1 << 20));
    assert!(rehearse(&bundle("dice"), &long).await.is_err());
}
