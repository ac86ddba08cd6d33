//! Where a plugin reads: as far as it was granted and, while it answers a person, no further than they read.

use confab_core::access::{self, Admitted};
use confab_core::messages::{self, Door};
use confab_core::{Fault, Result};
use confab_plugin_host::Permission;
use confab_protocol::{ChannelId, MessageId};

use super::BotHost;

impl BotHost {
    /// Lets the plugin read a channel.
    pub(super) async fn admit(&self, channel: ChannelId) -> Result<Admitted> {
        self.person_reads(channel).await?;
        self.noted(access::bots::admit_bot(&mut self.db.read(), self.of.reader(), channel).await)
    }

    /// Lets the plugin read a message.
    pub(super) async fn door(&self, id: MessageId) -> Result<Door> {
        self.person_sees(id).await?;
        self.noted(messages::door_for_bot(&mut self.db.read(), self.of.reader(), id).await)
    }

    /// That there is a channel which everybody may read is no secret, so who may not is told why, and administrators see that it
    /// asked. What a plugin must not know is not there for it.
    fn noted<T>(&self, admitted: Result<T>) -> Result<T> {
        if matches!(admitted, Err(Fault::Forbidden { .. })) {
            self.notes.denied(&self.of.id, Permission::PublicChannels);
        }
        admitted
    }
}
