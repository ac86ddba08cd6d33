//! One record in which people come and go, write, edit, delete and ask, by numbers that are always the same.

use std::collections::HashSet;

use confab_core::audit::Actor;
use confab_core::{FutureExt, assistant, bookmarks, members, pins};
use confab_protocol::{ChannelId, ChannelKind, MessageId, UserId};

use super::confidant::Confidant;
use super::truth::{Said, Truth};
use super::{Dice, Plant};
use crate::world::World;

/// Whether the newest things are waited for before somebody asks: one time in so many.
const SETTLES: usize = 10;

pub struct Storm {
    pub world: World,
    pub truth: Truth,
    pub dice: Dice,
    pub owner: UserId,
    pub people: Vec<UserId>,
    pub channels: Vec<ChannelId>,
    pub model: Option<Confidant>,
    /// What is told to the truth and not done: the checker must notice.
    plant: Option<Plant>,
}

impl Storm {
    pub async fn begin(seed: u64, has_model: bool, plant: Option<Plant>) -> Self {
        let model = if has_model { Some(Confidant::start().await) } else { None };
        let world = World::with(&model.as_ref().map(Confidant::settings).unwrap_or_default()).await;
        let owner = world.user("owner").await;
        let mut people = Vec::new();
        for name in ["ada", "bob", "eve"] {
            people.push(world.user(name).await);
        }
        let mut truth = Truth::of(people.clone());
        truth.people.push(owner);
        let mut channels = Vec::new();
        for number in 0..6 {
            let kind = if number == 0 { ChannelKind::Public } else { ChannelKind::Private };
            let channel = world.channel(owner, &format!("room-{number}"), kind).await;
            truth.members.insert(channel, HashSet::from([owner]));
            if kind == ChannelKind::Public {
                truth.open.insert(channel);
            }
            channels.push(channel);
        }
        Self { world, truth, dice: Dice::of(seed), owner, people, channels, model, plant }
    }

    pub fn someone(&mut self) -> UserId {
        self.people[self.dice.below(self.people.len())]
    }

    pub fn somewhere(&mut self) -> ChannelId {
        self.channels[self.dice.below(self.channels.len())]
    }

    /// Something happens.
    pub async fn happens(&mut self) {
        match self.dice.below(10) {
            0..4 => self.post().await,
            4..6 => self.change().await,
            6..8 => self.come_or_go().await,
            8 => self.keep().await,
            _ => self.silence().await,
        }
        if self.dice.below(SETTLES) == 0 {
            self.world.settled().await;
        }
    }

    fn some_message(&mut self, is_wanted: impl Fn(&Said) -> bool) -> Option<MessageId> {
        let ids: Vec<MessageId> =
            self.truth.said.iter().filter(|(_, said)| is_wanted(said)).map(|(id, _)| *id).collect();
        (!ids.is_empty()).then(|| ids[self.dice.below(ids.len())])
    }

    /// Words; in most of them a mark, for equal texts are counted too.
    fn text(&mut self) -> (String, Option<String>) {
        let count = 3 + self.dice.below(3);
        let words = self.dice.words(count);
        if self.dice.below(4) == 0 {
            return (
                ["restart the web server", "the ferry has a new timetable"][self.dice.below(2)].into(),
                None,
            );
        }
        let mark = self.truth.next_mark();
        (format!("{words} {mark}"), Some(mark))
    }

    async fn post(&mut self) {
        let channel = self.somewhere();
        let root = if self.dice.below(3) == 0 {
            let id = self.some_message(|said| said.channel == channel);
            id.map(|id| self.truth.said[&id].thread.unwrap_or(id))
                .filter(|id| self.truth.said.contains_key(id))
        } else {
            None
        };
        let (text, mark) = self.text();
        let id = self.world.reply(self.owner, channel, root, &text).await.id;
        if let Some(said) = root.and_then(|root| self.truth.said.get_mut(&root)) {
            said.thread = root;
        }
        self.truth.said.insert(id, Said { channel, thread: root, text });
        if let Some(mark) = mark {
            self.truth.keep(mark, id);
        }
    }

    /// Edits or deletes some message.
    async fn change(&mut self) {
        let Some(id) = self.some_message(|_| true) else { return };
        if self.dice.below(2) == 0 {
            self.truth.said.remove(&id);
            if self.plant != Some(Plant::Deletion) {
                self.world.delete(self.owner, id).await;
            }
            return;
        }
        let words = self.dice.words(4);
        let text = format!("{words} {}", self.truth.mark(id));
        if self.plant != Some(Plant::Edit) {
            self.world.edit(self.owner, id, &text).await;
        }
        if let Some(said) = self.truth.said.get_mut(&id) {
            said.text = text;
        }
    }

    async fn come_or_go(&mut self) {
        let (user, channel, owner) = (self.someone(), self.somewhere(), self.owner);
        let Some(of) = self.truth.members.get_mut(&channel) else { return };
        let comes = of.insert(user);
        if !comes {
            of.remove(&user);
            if self.plant == Some(Plant::Removal) {
                return;
            }
        }
        let db = &self.world.db;
        if comes {
            // Where a removal was planted they are there still.
            let invited = db.write(move |tx| {
                async move { members::invite(tx, owner, channel, user).await.map(|_| ()) }.boxed()
            });
            assert!(invited.await.is_ok() || self.plant.is_some());
        } else {
            db.write(move |tx| async move { members::remove(tx, owner, channel, user).await }.boxed())
                .await
                .unwrap();
        }
    }

    /// Somebody pins or bookmarks what they may read.
    async fn keep(&mut self) {
        let user = self.someone();
        let readable: HashSet<ChannelId> =
            self.channels.iter().copied().filter(|id| self.truth.may_read(user, *id)).collect();
        let Some(id) = self.some_message(|said| readable.contains(&said.channel)) else { return };
        let (owner, pins) = (self.owner, self.dice.below(2) == 0);
        let kept = self.world.db.write(move |tx| {
            async move {
                if pins {
                    pins::add(tx, owner, id).await.map(|_| ())
                } else {
                    bookmarks::add(tx, user, id).await
                }
            }
            .boxed()
        });
        assert!(kept.await.is_ok() || self.plant.is_some());
    }

    /// The assistant is switched off, or on again, in a channel.
    async fn silence(&mut self) {
        let (channel, owner) = (self.somewhere(), self.owner);
        let is_off = self.truth.silent.insert(channel);
        if !is_off {
            self.truth.silent.remove(&channel);
        }
        if self.plant == Some(Plant::Silence) {
            return;
        }
        let set = self.world.db.write(move |tx| {
            async move { assistant::set_of_channel(tx, &Actor::from(owner), channel, is_off).await }.boxed()
        });
        set.await.unwrap();
    }
}
