//! The newest rows, in memory until there are enough of them for a segment.

use std::collections::HashMap;

use confab_protocol::{ChannelId, MessageId};

use super::rows::{Columns, Row, Rows};
use crate::vectors::Part;

/// See the module.
#[derive(Default)]
pub(super) struct Fresh {
    channels: HashMap<(Part, ChannelId), Rows>,
    places: HashMap<(Part, MessageId), (ChannelId, usize)>,
}

impl Fresh {
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Puts a row, in the place of an older form.
    pub fn put(&mut self, row: &Row) {
        self.remove(row.part, row.id);
        let rows = self.channels.entry((row.part, row.channel_id)).or_default();
        self.places.insert((row.part, row.id), (row.channel_id, rows.len()));
        rows.push(row);
    }

    pub fn remove(&mut self, part: Part, id: MessageId) {
        let Some((channel_id, at)) = self.places.remove(&(part, id)) else { return };
        let Some(rows) = self.channels.get_mut(&(part, channel_id)) else { return };
        if let Some(moved) = rows.swap_remove(at) {
            self.places.insert((part, moved), (channel_id, at));
        }
        if rows.len() == 0 {
            self.channels.remove(&(part, channel_id));
        }
    }

    pub fn remove_channel(&mut self, channel_id: ChannelId) {
        for part in [Part::Message, Part::Window] {
            let Some(rows) = self.channels.remove(&(part, channel_id)) else { continue };
            let columns = rows.columns();
            (0..columns.len()).for_each(|at| {
                self.places.remove(&(part, columns.id(at)));
            });
        }
    }

    /// The rows of a channel.
    pub fn of(&self, part: Part, channel_id: ChannelId) -> Option<Columns<'_>> {
        self.channels.get(&(part, channel_id)).map(Rows::columns)
    }

    /// Every row.
    pub fn rows(&self) -> impl Iterator<Item = Row> {
        self.channels.iter().flat_map(|((part, channel_id), rows)| {
            let columns = rows.columns();
            (0..rows.len()).map(move |at| columns.row(*part, *channel_id, at))
        })
    }
}
