//! Messages and reactions, written and read as the bot.

use std::collections::VecDeque;
use std::str::FromStr;

use confab_core::messages::{self, Replies, Side};
use confab_core::plugins::buttons::{self, NewButton};
use confab_core::{Fault, FutureExt as _, Result, Tx, access, reactions};
use confab_plugin_host as plugin;
use confab_protocol::{ChannelId, Message, MessageId, UserId};

use super::BotHost;
use super::person::new_buttons;
use crate::plugins::words;

/// Tries of an edit that meets another.
const EDITS: u32 = 5;

/// An id that a plugin names. To plugins they are opaque, so a text that is none is like one of nothing.
pub(super) fn id<T: FromStr>(text: &str, what: &'static str) -> Result<T> {
    text.parse().map_err(|_| Fault::NotFound(what))
}

/// The root of the thread that a place names.
pub(super) fn root(place: &plugin::Place) -> Result<Option<MessageId>> {
    place.thread_id.as_deref().map(|text| id(text, "message")).transpose()
}

impl BotHost {
    /// Posts the reply of a call as the bot.
    ///
    /// # Errors
    /// Those of [`messages::post`]: among them that the bot is no member.
    pub(in crate::plugins) async fn say(
        &self,
        channel: ChannelId,
        root: Option<MessageId>,
        draft: plugin::Draft,
    ) -> Result<Message> {
        self.post(channel, root, draft, self.next_nonce()).await
    }

    /// Posts once for each nonce. A call that is repeated may say something else than it did (dice do): what was
    /// posted first stands, and is answered.
    pub(super) async fn post(
        &self,
        channel: ChannelId,
        parent_id: Option<MessageId>,
        draft: plugin::Draft,
        nonce: String,
    ) -> Result<Message> {
        let (bot, plugin, buttons) = (self.bot(), self.of.id.clone(), new_buttons(&draft));
        let content = draft.markdown();
        let draft = messages::Draft { content, nonce: Some(nonce.clone()), parent_id, ..Default::default() };
        let posted = self.db.write(move |tx| {
            async move {
                let mut posted = messages::post(tx, bot, channel, draft).await?;
                if posted.is_new && !buttons.is_empty() {
                    posted.message.blocks = buttons::blocks(&buttons);
                    messages::draw(tx, posted.message.id, &posted.message.blocks).await?;
                    buttons::put(tx, posted.message.id.0, &plugin, &buttons).await?;
                }
                Ok(posted)
            }
            .boxed()
        });
        match posted.await {
            Ok(posted) => Ok(posted.message),
            Err(Fault::Conflict { code: "nonce_reused", message }) => {
                let earlier = self.posted_before(channel, &nonce).await?;
                earlier.ok_or(Fault::Conflict { code: "nonce_reused", message })
            }
            Err(fault) => Err(fault),
        }
    }

    /// The message of this nonce, of an earlier try.
    async fn posted_before(&self, channel: ChannelId, nonce: &str) -> Result<Option<Message>> {
        let mut on = self.db.read();
        access::admit(&mut on, self.bot(), channel).await?;
        let Some(id) = messages::by_nonce(&mut on, self.bot(), channel, nonce).await? else {
            return Ok(None);
        };
        Ok(messages::views(&mut on, &[id]).await?.pop())
    }

    pub(in crate::plugins) async fn edit(&self, id: MessageId, draft: plugin::Draft) -> Result<()> {
        self.person_sees(id).await?;
        let mut tries = 0;
        loop {
            tries += 1;
            match self.try_edit(id, &draft).await {
                // Another call of the plugin edited it at this moment: a plugin names no version, so the later one stands.
                Err(Fault::Conflict { code: "version_changed", .. }) if tries < EDITS => {}
                done => return done,
            }
        }
    }

    async fn try_edit(&self, id: MessageId, draft: &plugin::Draft) -> Result<()> {
        let (bot, plugin, buttons) = (self.bot(), self.of.id.clone(), new_buttons(draft));
        let content = draft.markdown();
        self.db
            .write(move |tx| async move { edit_own(tx, bot, id, content, &plugin, &buttons).await }.boxed())
            .await
    }

    /// The channel of a message is looked up where a person is answered: it may be one that they do not know.
    pub(super) async fn person_sees(&self, id: MessageId) -> Result<()> {
        match self.person {
            Some(person) => messages::door(&mut self.db.read(), person, id).await.map(drop),
            None => Ok(()),
        }
    }

    pub(super) async fn delete(&self, id: MessageId) -> Result<()> {
        self.person_sees(id).await?;
        let bot = self.bot();
        self.db.write(move |tx| delete_own(tx, bot, id).boxed()).await
    }

    pub(super) async fn react(&self, id: MessageId, code: String, adds: bool) -> Result<()> {
        self.person_sees(id).await?;
        let bot = self.bot();
        self.db
            .write(move |tx| {
                async move {
                    if adds {
                        reactions::add(tx, bot, id, &code).await.map(drop)
                    } else {
                        reactions::remove(tx, bot, id, &code).await
                    }
                }
                .boxed()
            })
            .await
    }

    pub(super) async fn find(&self, id: MessageId) -> Result<plugin::Message> {
        if self.door(id).await?.is_deleted {
            return Err(Fault::Gone("message"));
        }
        let found = messages::views(&mut self.db.read(), &[id]).await?.pop();
        let message = found.filter(|it| it.deleted_at.is_none()).ok_or(Fault::Gone("message"))?;
        if !self.may_tell(&message) {
            return Err(Fault::NotFound("message"));
        }
        Ok(words::message(&message))
    }

    pub(super) async fn recent(
        &self,
        channel: ChannelId,
        root: Option<MessageId>,
        limit: u32,
    ) -> Result<Vec<plugin::Message>> {
        let admitted = self.admit(channel).await?;
        let found: Vec<Message> = match root {
            None => messages::page(&mut self.db.read(), &admitted, Side::Newest, limit).await?.messages,
            Some(root) => self.recent_of_thread(channel, root, limit).await?.into(),
        };
        let told = found.iter().filter(|it| it.deleted_at.is_none() && self.may_tell(it));
        Ok(told.map(words::message).collect())
    }

    /// The newest of a thread, with its root if it is among them.
    async fn recent_of_thread(
        &self,
        channel: ChannelId,
        root: MessageId,
        limit: u32,
    ) -> Result<VecDeque<Message>> {
        let door = self.door(root).await?;
        // The message could be one of another channel.
        if door.admitted.channel_id() != channel {
            return Err(Fault::NotFound("message"));
        }
        let root = door.parent_id.unwrap_or(root);
        let mut on = self.db.read();
        let mut newest: VecDeque<Message> = messages::views(&mut on, &[root]).await?.into();
        newest.extend(messages::replies(&mut on, root, Replies::Before(i64::MAX), limit).await?);
        while newest.len() > limit as usize {
            newest.pop_front();
        }
        Ok(newest)
    }
}

/// A message of the bot's own. A bot that is an admin of a channel might change those of others too, but a plugin was
/// granted its own only.
async fn own(tx: &mut Tx, bot: UserId, id: MessageId) -> Result<Message> {
    let (_, message) = messages::find(tx, bot, id).await?;
    if message.sender_id == bot {
        Ok(message)
    } else {
        Err(Fault::forbidden("not_yours", "a plugin changes its own messages only"))
    }
}

/// A message with buttons goes on changing; one without is edited as any other is.
async fn edit_own(
    tx: &mut Tx,
    bot: UserId,
    id: MessageId,
    content: String,
    plugin: &str,
    new: &[NewButton],
) -> Result<()> {
    let before = own(tx, bot, id).await?;
    let blocks = buttons::blocks(new);
    if !new.is_empty() || !before.blocks.is_empty() {
        // What the same label means may have changed too.
        buttons::put(tx, id.0, plugin, new).await?;
        if before.content != content || before.blocks != blocks {
            messages::redraw(tx, bot, id, content, &blocks).await?;
        }
    } else if before.content != content {
        // Otherwise it was done by the first try of the same event: once more would only raise the version.
        messages::edit(tx, bot, id, content, None).await?;
    }
    Ok(())
}

async fn delete_own(tx: &mut Tx, bot: UserId, id: MessageId) -> Result<()> {
    if own(tx, bot, id).await?.deleted_at.is_none() {
        messages::delete(tx, bot, id).await?;
    }
    Ok(())
}
