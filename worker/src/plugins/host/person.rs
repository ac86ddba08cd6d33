//! What a plugin does where people are concerned: for whom it acts, whom it writes to, whom it brings in.

use confab_core::channels::{self, NewChannel};
use confab_core::plugins::buttons::NewButton;
use confab_core::roles::{self, Permission};
use confab_core::whispers::{self, NewWhisper, Whisper};
use confab_core::{Fault, FutureExt as _, Result, Tx, access, members, text};
use confab_plugin_host as plugin;
use confab_protocol::{ChannelId, ChannelKind, ChannelRole, MessageId, UserId};
use uuid::Uuid;

use super::{BotHost, chat};
use crate::plugins::words;

/// Numbers that are tried behind the name of a new channel that is taken.
const NAMES: u32 = 20;

impl BotHost {
    /// A plugin that answers a person reads nothing that this person may not read.
    pub(super) async fn person_reads(&self, channel: ChannelId) -> Result<()> {
        match self.person {
            Some(person) => access::admit(&mut self.db.read(), person, channel).await.map(drop),
            None => Ok(()),
        }
    }

    /// Nor does it write where they may not.
    pub(super) async fn person_writes(&self, channel: ChannelId) -> Result<()> {
        match self.person {
            Some(person) => access::admit(&mut self.db.read(), person, channel).await?.member().map(drop),
            None => Ok(()),
        }
    }

    /// Says something to the person who is answered.
    pub(in crate::plugins) async fn whisper_back(
        &self,
        channel: ChannelId,
        root: Option<MessageId>,
        draft: plugin::Draft,
    ) -> Result<Whisper> {
        let person = self.person.ok_or(Fault::NotFound("user"))?;
        self.store_whisper(person, channel, root, draft, self.next_whisper()).await
    }

    /// Says something to any member of a channel that the bot is in.
    pub(super) async fn whisper_to(
        &self,
        to: UserId,
        channel: ChannelId,
        root: Option<MessageId>,
        draft: plugin::Draft,
        nonce: String,
    ) -> Result<Whisper> {
        access::admit(&mut self.db.read(), self.bot(), channel).await?.member()?;
        self.person_reads(channel).await?;
        self.store_whisper(to, channel, root, draft, nonce).await
    }

    async fn store_whisper(
        &self,
        to: UserId,
        channel_id: ChannelId,
        parent_id: Option<MessageId>,
        draft: plugin::Draft,
        nonce: String,
    ) -> Result<Whisper> {
        let new = NewWhisper {
            nonce,
            to,
            channel_id,
            parent_id,
            sender_id: self.bot(),
            plugin_id: self.of.id.clone(),
            content: draft.markdown(),
            buttons: new_buttons(&draft),
        };
        self.db.write(move |tx| async move { whispers::say(tx, new).await }.boxed()).await
    }

    /// Puts something else into the place of a whisper to the person who is answered.
    pub(in crate::plugins) async fn change_whisper(&self, id: Uuid, draft: plugin::Draft) -> Result<Whisper> {
        let person = self.person.ok_or(Fault::NotFound("user"))?;
        let (content, buttons) = (draft.markdown(), new_buttons(&draft));
        self.db
            .write(move |tx| {
                async move { whispers::change(tx, person, id, &content, &buttons).await }.boxed()
            })
            .await
    }

    /// The conversation of the bot and one person.
    pub(super) async fn conversation_with(&self, user: UserId) -> Result<ChannelId> {
        let bot = self.bot();
        let opened = self
            .db
            .write(move |tx| async move { channels::open_direct(tx, bot, &[user]).await }.boxed())
            .await;
        opened.map(|(id, _)| id).map_err(|fault| match fault {
            // To a plugin an id is opaque: one that names nobody is like one of nothing.
            Fault::Invalid { .. } => Fault::NotFound("user"),
            other => other,
        })
    }

    /// Who is in a channel that the plugin reads, those of the highest role first.
    pub(super) async fn members_of(
        &self,
        channel: ChannelId,
        limit: u32,
    ) -> Result<Vec<plugin::ChannelMember>> {
        self.admit(channel).await?;
        let (found, _) = members::list(&mut self.db.read(), channel, "", limit).await?;
        let member = |it: &confab_protocol::Member| plugin::ChannelMember {
            user: words::user(&it.user),
            role: match it.role {
                ChannelRole::Owner => plugin::Role::Owner,
                ChannelRole::Admin => plugin::Role::Admin,
                ChannelRole::Member => plugin::Role::Member,
                ChannelRole::Guest => plugin::Role::Guest,
            },
        };
        Ok(found.iter().map(member).collect())
    }

    /// The channel that a name means to the bot, and to the person whom it answers.
    pub(super) async fn channel_named(&self, name: &str) -> Result<ChannelId> {
        let found = channels::named(&mut self.db.read(), self.bot(), name).await?;
        for channel in found {
            if self.person_reads(channel).await.is_ok() {
                return Ok(channel);
            }
        }
        Err(Fault::NotFound("channel"))
    }

    /// Makes a channel with the bot as its owner. For a person who may make none, the plugin makes none.
    pub(super) async fn make_channel(&self, new: plugin::NewChannel) -> Result<ChannelId> {
        let kind = if new.is_private { ChannelKind::Private } else { ChannelKind::Public };
        let needed =
            if new.is_private { Permission::ChannelsCreatePrivate } else { Permission::ChannelsCreate };
        if let Some(person) = self.person
            && !roles::permissions_of(&mut self.db.read(), person).await?.has(needed)
        {
            return Err(Fault::forbidden(
                "missing_permission",
                format!("the person needs {}", needed.as_str()),
            ));
        }
        let topic = Some(new.topic.trim().to_owned()).filter(|it| !it.is_empty());
        let people: Vec<UserId> =
            new.member_ids.iter().map(|id| chat::id(id, "user")).collect::<Result<_>>()?;
        let bot = self.bot();
        for number in 1..=NAMES {
            let name = if number == 1 { new.name.clone() } else { format!("{}-{number}", new.name) };
            let named = NewChannel::check(&text::line("name", &name, 80)?, kind, topic.as_deref())?;
            let people = people.clone();
            let made = self.db.write(move |tx| make(tx, bot, named, people).boxed()).await;
            match made {
                Err(Fault::Conflict { code: "name_taken", .. }) => {}
                done => return done,
            }
        }
        Err(Fault::conflict("name_taken", "channels of this name and with numbers behind it exist already"))
    }
}

async fn make(tx: &mut Tx, bot: UserId, new: NewChannel, people: Vec<UserId>) -> Result<ChannelId> {
    let channel = channels::create(tx, Some(bot), new).await?;
    if !people.is_empty() {
        members::invite_all(tx, bot, channel, &people).await?;
    }
    Ok(channel)
}

/// The buttons of a draft, as the record keeps them.
pub(super) fn new_buttons(draft: &plugin::Draft) -> Vec<NewButton> {
    let style = |style| match style {
        plugin::ButtonStyle::Plain => "plain",
        plugin::ButtonStyle::Primary => "primary",
        plugin::ButtonStyle::Danger => "danger",
    };
    let new = |it: &plugin::Button| NewButton {
        action: it.action.clone(),
        payload: it.payload.clone(),
        label: it.label.trim().to_owned(),
        style: style(it.style).to_owned(),
    };
    draft.buttons.iter().map(new).collect()
}
