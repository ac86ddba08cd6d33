//! What one answer may be made of: the channels that its readers may read, without those where the assistant is off.

use confab_core::assistant::{self, Switches};
use confab_core::{Db, Result, access};
use confab_protocol::{ChannelId, Message, UserId};

/// See the module. Made anew for each answer.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub asker: UserId,
    pub channels: Vec<ChannelId>,
    /// Who reads the answer: all of this channel, or the asker alone.
    pub seen_in: Option<ChannelId>,
    switches: Switches,
}

impl Scope {
    /// For an answer that the asker reads, or with `channel` one for all who read that.
    ///
    /// # Errors
    /// [`confab_core::Fault::NotFound`] for a channel that the asker may not read; [`confab_core::Fault::Forbidden`]
    /// with code `assistant_off`.
    pub async fn of(db: &Db, asker: UserId, channel: Option<ChannelId>) -> Result<Self> {
        let mut on = db.read();
        let mut switches = assistant::switches(&mut on).await?;
        assistant::is_off_for(&switches, asker)?;
        let channels = match channel {
            Some(channel) => {
                access::admit(&mut on, asker, channel).await?;
                access::visible_to_all_in(&mut on, channel).await?
            }
            None => access::visible_channels(&mut on, asker).await?,
        };
        // Its own answers are no sources: it would soon cite itself for what nobody ever said.
        switches.people.extend(assistant::account(&mut on).await?);
        Ok(Self { asker, channels: switches.narrow(channels), seen_in: channel, switches })
    }

    /// The same, narrowed to these channels.
    pub fn within(mut self, channels: &[ChannelId]) -> Self {
        self.channels.retain(|channel| channels.contains(channel));
        self
    }

    /// Whether a message that was found may be used. Its channel was one of these when it was looked for.
    pub fn may_use(&self, message: &Message) -> bool {
        message.deleted_at.is_none()
            && self.channels.contains(&message.channel_id)
            && self.switches.allow(message.channel_id, message.sender_id)
    }

    /// Where it is off.
    pub fn switches(&self) -> &Switches {
        &self.switches
    }
}
