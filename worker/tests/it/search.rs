//! What is found, by whom, and what is not.

use std::time::{Duration, Instant};

use confab_core::access::bots::Reach;
use confab_core::{FutureExt, channels};
use confab_protocol::{ChannelKind, Timestamp};
use confab_worker::search::{Mode, Order};
use confab_worker::services::{self, Search, SearchAnswer};

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_post_is_found_soon_by_those_who_may_read_it() {
    let world = World::new().await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let harbour = world.channel(ada, "harbour", ChannelKind::Public).await;
    let vault = world.channel(ada, "vault", ChannelKind::Private).await;
    world.post(ada, harbour, "the lighthouse keeper retires in spring").await;
    world.settled().await;
    let started = Instant::now();
    world.post(ada, harbour, "plant the marigold today").await;
    while world.try_search(bob, "marigold").await.unwrap().items.is_empty() {
        assert!(started.elapsed() < Duration::from_mins(1), "not searchable after {:?}", started.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.post(ada, vault, "the combination is quicksilver").await;
    assert_eq!(world.search(ada, "quicksilver").await, ["the combination is quicksilver"]);
    assert!(world.search(bob, "quicksilver").await.is_empty());
    for q in [
        "in:vault quicksilver",
        "in:vault from:ada",
        &format!("in:{vault} quicksilver"),
        &format!("channel_id:{vault}"),
    ] {
        assert!(world.search(bob, q).await.is_empty(), "{q}");
    }
    assert_eq!(world.search(ada, "in:#vault combinations").await.len(), 1);

    let found = world.try_search(bob, "lighthouses").await.unwrap();
    let hit = &found.items[0];
    assert_eq!(hit.snippet, "the <mark>lighthouse</mark> keeper retires in spring");
    assert_eq!((hit.channel.name.as_str(), hit.channel.role), ("harbour", None));
    assert!(hit.score > 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_finds_as_far_as_it_reaches() {
    let world = World::new().await;
    let (ada, bot) = (world.user("ada").await, world.user("watch").await);
    let harbour = world.channel(ada, "harbour", ChannelKind::Public).await;
    let vault = world.channel(ada, "vault", ChannelKind::Private).await;
    let deck = world.channel(ada, "deck", ChannelKind::Public).await;
    world.join(bot, deck).await;
    for (channel, text) in
        [(harbour, "a gull in the open"), (vault, "a gull in secret"), (deck, "a gull on deck")]
    {
        world.post(ada, channel, text).await;
    }
    world.settled().await;
    let found = async |reach: Option<Reach>, q: &str| {
        let asked = Search {
            user_id: bot,
            q: q.into(),
            limit: 10,
            cursor: None,
            mode: Some(Mode::Keyword),
            order: Order::Newest,
            reach,
        };
        let page: SearchAnswer = world.bus.ask(services::SEARCH, &asked).await.unwrap();
        let mut texts: Vec<String> = page.items.into_iter().map(|hit| hit.message.content).collect();
        texts.sort_unstable();
        texts
    };
    let (open, secret, on_deck) = ("a gull in the open", "a gull in secret", "a gull on deck");
    assert_eq!(found(None, "gull").await, [open, on_deck], "as anybody");
    assert_eq!(found(Some(Reach::Joined), "gull").await, [on_deck]);
    assert_eq!(found(Some(Reach::Public), "gull").await, [open, on_deck]);
    assert_eq!(found(Some(Reach::All), "gull").await, [secret, open, on_deck]);
    assert!(found(Some(Reach::Public), "in:vault gull").await.is_empty());
    world
        .db
        .write(move |tx| async move { channels::delete(tx, &ada.into(), vault).await }.boxed())
        .await
        .unwrap();
    assert_eq!(found(Some(Reach::All), "gull").await, [open, on_deck], "a deleted channel is nobody's");
}

#[tokio::test(flavor = "multi_thread")]
async fn hits_of_many_channels_take_no_more_reads_than_those_of_one() {
    let world = World::new().await;
    let ada = world.user("ada").await;
    for number in 0..12 {
        let pier = world.channel(ada, &format!("pier-{number}"), ChannelKind::Private).await;
        world.post(ada, pier, if number == 0 { "an otter and a heron" } else { "an otter" }).await;
    }
    world.settled().await;
    // Who comes right behind the first one who searches asks for the end of the log too.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(400) {
        world.try_search(ada, "otter").await.unwrap();
    }
    // What else reads meanwhile is not of this search, hence the least of some.
    let reads = async |q: &str, hits: usize| {
        let mut least = u64::MAX;
        for _ in 0..25 {
            let before = world.db.statement_count();
            let found = world.try_search_by(Mode::Keyword, ada, q).await.unwrap();
            least = least.min(world.db.statement_count() - before);
            assert_eq!((found.items.len(), found.total), (hits, hits as u64));
        }
        least
    };
    assert_eq!(reads("otter", 12).await, reads("heron", 1).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_of_ones_own_messages_tells_nothing_of_others() {
    let world = World::new().await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let vault = world.channel(ada, "vault", ChannelKind::Private).await;
    let own = world.channel(bob, "own", ChannelKind::Private).await;
    world.post(bob, own, "zzqx").await;
    world.post(bob, own, "acquisition").await;
    // Equally rare as far as bob may read: the newer one comes first.
    let found = async || {
        world.settled().await;
        (world.search(bob, "zzqx acquisition").await, world.search(ada, "zzqx acquisition").await)
    };
    assert_eq!(found().await, (vec!["acquisition".to_owned(), "zzqx".to_owned()], vec![]));
    for _ in 0..5 {
        world.post(ada, vault, "the acquisition").await;
    }
    let (of_bob, of_ada) = found().await;
    assert_eq!((of_bob, of_ada.len()), (vec!["acquisition".to_owned(), "zzqx".to_owned()], 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_changed_or_gone_is_not_found() {
    let world = World::new().await;
    let ada = world.user("ada").await;
    let harbour = world.channel(ada, "harbour", ChannelKind::Public).await;
    let pier = world.channel(ada, "pier", ChannelKind::Public).await;
    let first = world.post(ada, harbour, "the ferry leaves at nine").await;
    let second = world.post(ada, harbour, "the ferry costs a penny").await;
    world.post(ada, pier, "the ferry lies at the pier").await;
    assert_eq!(world.search(ada, "ferry").await.len(), 3);
    world.delete(ada, first.id).await;
    assert_eq!(
        world.try_search(ada, "nine").await.unwrap().items.len(),
        0,
        "gone at once, not when the index knows"
    );
    world.edit(ada, second.id, "the barge costs a penny").await;
    assert_eq!(world.search(ada, "barge").await, ["the barge costs a penny"]);
    assert_eq!(world.search(ada, "ferry").await, ["the ferry lies at the pier"]);
    world
        .db
        .write(move |tx| async move { channels::delete(tx, &ada.into(), pier).await }.boxed())
        .await
        .unwrap();
    assert!(world.try_search(ada, "ferry").await.unwrap().items.is_empty());
    world.settled().await;
    assert_eq!(world.state().await.documents, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn phrases_filters_and_order() {
    let world = World::new().await;
    let (ada, bob) = (world.user("ada").await, world.user("Bob").await);
    let harbour = world.channel(ada, "harbour", ChannelKind::Public).await;
    let pier = world.channel(ada, "pier", ChannelKind::Public).await;
    world.join(bob, pier).await;
    world.post(ada, harbour, "nine boats leave at dawn").await;
    world.post(ada, harbour, "the boat leaves at nine, see https://example.org").await;
    world.post(bob, pier, "at nine the boat sleeps").await;
    assert_eq!(world.search(ada, "\"leaves at nine\"").await.len(), 1);
    assert!(world.search(ada, "\"nine at leaves\"").await.is_empty());
    assert_eq!(world.search(ada, "boats leaving nine").await.len(), 3);
    assert_eq!(world.search(ada, "boat from:bob").await, ["at nine the boat sleeps"]);
    assert_eq!(world.search(bob, "boat from:me in:pier").await, ["at nine the boat sleeps"]);
    assert!(world.search(ada, "boat from:nobody").await.is_empty());
    assert!(world.search(ada, "boat in:nowhere").await.is_empty());
    assert_eq!(world.search(ada, "has:link").await.len(), 1);
    assert!(world.search(ada, "boat has:file").await.is_empty());
    let today = &Timestamp::now().to_string()[..10];
    assert_eq!(world.search(ada, &format!("boat on:{today}")).await.len(), 3);
    assert!(world.search(ada, &format!("boat before:{today}")).await.is_empty());
    assert!(world.search(ada, &format!("boat after:{today}")).await.is_empty());
    assert_eq!(
        world.search(ada, "in:harbour after:2020-01-01").await[0],
        "the boat leaves at nine, see https://example.org"
    );

    // All words, close together, before some of them.
    world.post(bob, pier, "nine nine nine").await;
    assert_eq!(
        world.search(ada, "boat leaves nine").await[0],
        "the boat leaves at nine, see https://example.org"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistyped_name_means_the_only_one_that_is_near() {
    let world = World::new().await;
    let (adeline, bob) = (world.user("adeline").await, world.user("bob").await);
    let harbour = world.channel(adeline, "harbour", ChannelKind::Public).await;
    let keepers = world.channel(adeline, "lighthouse-keepers", ChannelKind::Private).await;
    world.post(adeline, harbour, "the ferry leaves at nine").await;
    world.post(adeline, keepers, "the ferry lost its lamp").await;
    world.settled().await;
    let read = async |user, q: &str| {
        let found = world.try_search(user, q).await.unwrap();
        let names: Vec<(String, Vec<String>)> =
            found.names.into_iter().map(|it| (it.written, it.near)).collect();
        (found.items.len(), names)
    };
    let near = |written: &str, near: &[&str]| {
        vec![(written.to_owned(), near.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>())]
    };
    assert_eq!(read(bob, "ferry from:@Adelien").await, (1, near("from:Adelien", &["from:adeline"])));
    assert_eq!(read(bob, "ferry in:#habrour").await, (1, near("in:habrour", &["in:harbour"])));
    assert_eq!(read(bob, "ferry from:adeline in:harbour").await, (1, Vec::new()), "a name that there is");
    // Nobody learns from a typo what there is behind closed doors.
    assert_eq!(read(adeline, "ferry in:keepers").await, (1, near("in:keepers", &["in:lighthouse-keepers"])));
    for q in ["ferry in:keepers", "ferry in:lighthouse-keepers", "ferry in:lighthouse-keeper"] {
        assert_eq!(read(bob, q).await, (0, Vec::new()), "{q}");
    }
    // Of several, none is chosen for the asker; those who are there as they are written stay meant.
    world.user("adelina").await;
    let both = ["from:adelina", "from:adeline"];
    assert_eq!(read(bob, "ferry from:adelinx").await, (0, near("from:adelinx", &both)));
    assert_eq!(read(bob, "ferry from:adeline from:adelinx").await, (1, near("from:adelinx", &both)));
    assert_eq!(read(bob, "ferry from:zebra").await, (0, Vec::new()));

    // A word that finds nothing may be a name too; one that finds something is what it is.
    world.post(adeline, harbour, "ask robertson about the lamp").await;
    world.settled().await;
    world.user("robertson").await;
    assert_eq!(read(bob, "robretson lamp").await, (1, Vec::new()), "the lamp was found");
    assert_eq!(read(bob, "robretson").await, (1, near("robretson", &["robertson"])));
    assert_eq!(read(bob, "adelinx").await, (0, near("adelinx", &["adelina", "adeline"])));
    assert_eq!(read(bob, "lighthuose-keepers").await, (0, Vec::new()));
    assert_eq!(read(bob, "zebra").await, (0, Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_without_spaces_are_found() {
    let world = World::new().await;
    let ada = world.user("ada").await;
    let harbour = world.channel(ada, "harbour", ChannelKind::Public).await;
    world.post(ada, harbour, "会议下午三点开始，请准时").await;
    world.post(ada, harbour, "東京タワーへ行く").await;
    world.post(ada, harbour, "La réunion est à Zürich").await;
    assert_eq!(world.search(ada, "会议").await.len(), 1);
    assert_eq!(world.search(ada, "会议下午什么三点").await.len(), 1);
    assert_eq!(world.search(ada, "塔").await.len(), 0);
    assert_eq!(world.search(ada, "京").await.len(), 1);
    assert_eq!(world.search(ada, "\"タワーへ\"").await.len(), 1);
    assert_eq!(world.search(ada, "reunion zurich").await.len(), 1);
    let found = world.try_search(ada, "東京").await.unwrap();
    assert_eq!(found.items[0].snippet, "<mark>東京</mark>タワーへ行く");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_code_are_found_whole_and_by_their_parts() {
    let world = World::new().await;
    let ada = world.user("ada").await;
    let harbour = world.channel(ada, "harbour", ChannelKind::Public).await;
    let name = "it fails in parseHTTPResponse2 again";
    let words = "the parse response was empty";
    let marked = "see parse_response_body and http-server.rs";
    let mixed = "HTTPServer hat ein naïveCafé, 打开parseFile";
    let link = "https://example.org/docs/getStarted?x=openPanel";
    for text in [name, words, marked, mixed, link] {
        world.post(ada, harbour, text).await;
    }
    world.settled().await;
    let found = async |q: &str| {
        let mut found = world.search(ada, q).await;
        found.sort_unstable();
        found
    };
    for q in ["parseHTTPResponse2", "parsehttpresponse2", "ParseHttpResponse", "\"parseHTTPResponse2 again\""]
    {
        assert_eq!(found(q).await, [name], "{q}");
    }
    for q in ["response", "parseResponse", "respon*"] {
        assert_eq!(found(q).await, [name, marked, words], "{q}");
    }
    assert_eq!(found("\"parse response\"").await, [marked, words], "a name is one word of a phrase");
    assert_eq!(found("server").await, [mixed, marked]);
    for q in ["cafe", "naive", "naïvecafé", "打开", "parseFile", "file"] {
        assert_eq!(found(q).await, [mixed], "{q}");
    }
    for q in ["panel", "openpanel", "getStarted", "started", "example.org/docs"] {
        assert_eq!(found(q).await, [link], "{q}");
    }
    let newest = |q: &str| Search {
        user_id: ada,
        q: q.into(),
        limit: 10,
        cursor: None,
        mode: None,
        order: Order::Newest,
        reach: None,
    };
    let page: SearchAnswer = world.bus.ask(services::SEARCH, &newest("parseResponse empty")).await.unwrap();
    let snippets: Vec<&str> = page.items.iter().map(|hit| hit.snippet.as_str()).collect();
    assert_eq!(snippets, ["the <mark>parse</mark> <mark>response</mark> was <mark>empty</mark>"]);
    let page: SearchAnswer = world.bus.ask(services::SEARCH, &newest("file")).await.unwrap();
    let snippet = "HTTPServer hat ein naïveCafé, 打开parse<mark>File</mark>";
    assert_eq!(page.items.first().map(|hit| hit.snippet.as_str()), Some(snippet));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other() {
    let world = World::new().await;
    let ada = world.user("ada").await;
    let harbour = world.channel(ada, "harbour", ChannelKind::Public).await;
    for number in 0..25 {
        world.post(ada, harbour, &format!("gull number {number}")).await;
    }
    world.settled().await;
    let mut seen = std::collections::HashSet::new();
    let mut cursor = None;
    let mut sizes = Vec::new();
    loop {
        let asked = Search {
            user_id: ada,
            q: "gull".into(),
            limit: 10,
            cursor,
            mode: Some(Mode::Keyword),
            order: Order::default(),
            reach: None,
        };
        let page: SearchAnswer = world.bus.ask(services::SEARCH, &asked).await.unwrap();
        sizes.push(page.items.len());
        seen.extend(page.items.into_iter().map(|hit| hit.message.id));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!((sizes, seen.len()), (vec![10, 10, 5], 25));
    for (cursor, limit) in [(Some("forged"), 10), (None, 0), (None, 101)] {
        let asked = Search {
            user_id: ada,
            q: "gull".into(),
            limit,
            cursor: cursor.map(Into::into),
            mode: Some(Mode::Keyword),
            order: Order::default(),
            reach: None,
        };
        let answer = world.bus.ask::<_, SearchAnswer>(services::SEARCH, &asked).await;
        assert_eq!(answer.unwrap_err().code(), "invalid");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_questions_find_nothing_hidden() {
    let world = World::new().await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let vault = world.channel(ada, "vault", ChannelKind::Private).await;
    world.post(ada, vault, "hidden canary <script>").await;
    world.settled().await;
    let field = format!("channel_id:{vault} OR body:canary");
    let many = "word ".repeat(1_000);
    let some = (0..17).map(|number| format!("w{number}")).collect::<Vec<_>>().join(" ");
    for q in [
        "*",
        "(((",
        "\"",
        "\"\"",
        "AND OR NOT",
        "a:b:c",
        "[* TO *]",
        "\\",
        "~~~",
        "+-",
        "日本",
        "🦀",
        "canary^1000",
        "can*",
        "body:canary",
        "/can.*/",
        "-canary",
        "\u{0}",
        "\u{202E}",
        "in:\"\"",
        "from:\"",
        "before:9999-12-31",
        "after:0000-01-01",
        field.as_str(),
        many.trim(),
        some.as_str(),
        &"x".repeat(10_000),
        &"é".repeat(256),
    ] {
        match world.try_search(bob, q).await {
            Ok(found) => assert!(found.items.is_empty() && found.next_cursor.is_none(), "{q:?}"),
            Err(fault) => assert_eq!(fault.code(), "invalid", "{q:?}: {fault}"),
        }
        if let Err(fault) = world.try_search(ada, q).await {
            assert_eq!(fault.code(), "invalid", "{q:?}: {fault}");
        }
    }
    let found = world.try_search(ada, "canary").await.unwrap();
    assert_eq!(found.items[0].snippet, "hidden <mark>canary</mark> &lt;script&gt;");
}
