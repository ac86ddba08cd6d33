//! The newest rows, in memory until there are enough of them for a segment.

use std::collections::HashMap;

use confab_protocol::{ChannelId, MessageId};

use super::rows::{Columns, Row, Rows};

/// See the module.
#[derive(Default)]
pub(super) struct Fresh {
    channels: HashMap<ChannelId, Rows>,
    places: HashMap<MessageId, (ChannelId, usize)>,
}

impl Fresh {
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Puts a row, in the place of an older form.
    pub fn put(&mut self, row: &Row) {
        self.remove(row.id);
        let rows = self.channels.entry(row.channel_id).or_default();
        self.places.insert(row.id, (row.channel_id, rows.len()));
        rows.push(row);
    }

    pub fn remove(&mut self, id: MessageId) {
        let Some((channel_id, at)) = self.places.remove(&id) else { return };
        let Some(rows) = self.channels.get_mut(&channel_id) else { return };
        if let Some(moved) = rows.swap_remove(at) {
            self.places.insert(moved, (channel_id, at));
        }
        if rows.len() == 0 {
            self.channels.remove(&channel_id);
        }
    }

    pub fn remove_channel(&mut self, channel_id: ChannelId) {
        let Some(rows) = self.channels.remove(&channel_id) else { return };
        let columns = rows.columns();
        for at in 0..columns.len() {
            self.places.remove(&columns.id(at));
        }
    }

    /// The rows of a channel.
    pub fn of(&self, channel_id: ChannelId) -> Option<Columns<'_>> {
        self.channels.get(&channel_id).map(Rows::columns)
    }

    /// Every row.
    pub fn rows(&self) -> impl Iterator<Item = Row> {
        self.channels.iter().flat_map(|(channel_id, rows)| {
            let columns = rows.columns();
            (0..rows.len()).map(move |at| columns.row(*channel_id, at))
        })
    }
}
