//! People come and go, messages are posted, edited and deleted, and somebody searches all the while, before the index and
//! the vectors know: nothing of what they may not read is found, quoted or counted.

use std::collections::{HashMap, HashSet};

use confab_core::{FutureExt, members};
use confab_protocol::{ChannelId, ChannelKind, MessageId, UserId};
use confab_worker::search::Mode;
use confab_worker::services::Hit;

use crate::world::World;

/// Searches of one run; `CONFAB_LEAK_SEARCHES` asks for more.
const SEARCHES: u32 = 250;
const WORDS: [&str; 16] = [
    "restart",
    "reboot",
    "server",
    "apache",
    "harbour",
    "ferry",
    "boat",
    "timetable",
    "summer",
    "winter",
    "mount",
    "drive",
    "disk",
    "printer",
    "paper",
    "morning",
];

/// Always the same numbers, so that a failure can be seen again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn words(&mut self, count: usize) -> String {
        (0..count).map(|_| WORDS[self.below(WORDS.len())]).collect::<Vec<_>>().join(" ")
    }
}

/// What is true, kept here without asking anybody.
#[derive(Default)]
struct Truth {
    members: HashMap<ChannelId, HashSet<UserId>>,
    /// Texts of messages that are there, with their channels and threads.
    said: HashMap<MessageId, (ChannelId, Option<MessageId>, String)>,
}

impl Truth {
    fn may_read(&self, user: UserId, channel: ChannelId) -> bool {
        self.members[&channel].contains(&user)
    }

    fn check(&self, user: UserId, hit: &Hit) {
        let (channel, thread, text) = self.said.get(&hit.message.id).expect("a message that is there");
        assert!(self.may_read(user, *channel), "found in a channel that is not theirs: {text}");
        assert_eq!((hit.channel.id, &hit.message.content), (*channel, text), "as it is now");
        assert_eq!(hit.snippet.replace("<mark>", "").replace("</mark>", ""), *text);
        let readable = self.said.values().filter(|(channel, ..)| self.may_read(user, *channel));
        let (mut of_thread, mut copies) = (0, 0);
        for (_, of, other) in readable {
            of_thread += u32::from(thread.is_some() && of == thread);
            copies += u32::from(other == text);
        }
        // Itself is one of both.
        assert!(hit.copies < copies.max(1), "{} copies of {text}", hit.copies);
        assert!(hit.more_in_thread < of_thread.max(1), "{} more beside {text}", hit.more_in_thread);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_finds_or_counts_what_they_may_not_read() {
    let searches = std::env::var("CONFAB_LEAK_SEARCHES").ok().map_or(SEARCHES, |text| text.parse().unwrap());
    let world = World::new().await;
    let (mut dice, mut truth) = (Dice(0x5eed_cafe_1234_5677), Truth::default());
    let owner = world.user("owner").await;
    let mut people = Vec::new();
    for name in ["ada", "bob", "eve"] {
        people.push(world.user(name).await);
    }
    let mut channels = Vec::new();
    for number in 0..5 {
        let channel = world.channel(owner, &format!("room-{number}"), ChannelKind::Private).await;
        truth.members.insert(channel, HashSet::from([owner]));
        channels.push(channel);
    }
    let mut asked = 0;
    while asked < searches {
        let (user, channel) = (people[dice.below(people.len())], channels[dice.below(channels.len())]);
        match dice.below(10) {
            0..3 => {
                let mut roots: Vec<MessageId> = (truth.said.iter())
                    .filter(|(_, (of, thread, _))| {
                        *of == channel && thread.is_none_or(|root| truth.said.contains_key(&root))
                    })
                    .map(|(id, (_, thread, _))| thread.unwrap_or(*id))
                    .collect();
                roots.sort_unstable();
                let root = (!roots.is_empty() && dice.below(3) == 0).then(|| roots[dice.below(roots.len())]);
                let count = 3 + dice.below(4);
                let text = dice.words(count);
                let id = world.reply(owner, channel, root, &text).await.id;
                if let Some(said) = root.and_then(|root| truth.said.get_mut(&root)) {
                    said.1 = root;
                }
                truth.said.insert(id, (channel, root, text));
            }
            3 => change(&world, owner, &mut dice, &mut truth).await,
            4 => come_or_go(&world, owner, user, channel, &mut truth).await,
            _ => {
                asked += 1;
                let mode = [Mode::Keyword, Mode::Semantic, Mode::Hybrid, Mode::Hybrid][dice.below(4)];
                let count = 2 + dice.below(3);
                let q = if dice.below(2) == 0 {
                    format!("how do I {}?", dice.words(count))
                } else {
                    dice.words(count)
                };
                for hit in world.try_search_by(mode, user, &q).await.unwrap().items {
                    truth.check(user, &hit);
                }
            }
        }
    }
    // All of it was worth asking: in the end somebody who may read everything finds something.
    world.settled().await;
    assert!(!world.try_search_by(Mode::Hybrid, owner, &WORDS.join(" ")).await.unwrap().items.is_empty());
}

/// Edits or deletes some message.
async fn change(world: &World, owner: UserId, dice: &mut Dice, truth: &mut Truth) {
    let mut ids: Vec<MessageId> = truth.said.keys().copied().collect();
    if ids.is_empty() {
        return;
    }
    ids.sort_unstable();
    let id = ids[dice.below(ids.len())];
    if dice.below(2) == 0 {
        world.delete(owner, id).await;
        truth.said.remove(&id);
    } else {
        let text = dice.words(4);
        world.edit(owner, id, &text).await;
        truth.said.get_mut(&id).unwrap().2 = text;
    }
}

async fn come_or_go(world: &World, owner: UserId, user: UserId, channel: ChannelId, truth: &mut Truth) {
    let of = truth.members.get_mut(&channel).unwrap();
    let stays = of.insert(user);
    if !stays {
        of.remove(&user);
    }
    let db = &world.db;
    if stays {
        db.write(move |tx| async move { members::invite(tx, owner, channel, user).await }.boxed())
            .await
            .unwrap();
    } else {
        db.write(move |tx| async move { members::remove(tx, owner, channel, user).await }.boxed())
            .await
            .unwrap();
    }
}
