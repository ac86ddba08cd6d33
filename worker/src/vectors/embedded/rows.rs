//! Vectors in the form in which they are kept and scanned: a byte a number, and beside them, column by column, what they
//! are found by. All numbers are little-endian bytes, so that a mapped file is read as it lies, wherever it begins.

use confab_protocol::{ChannelId, MessageId, UserId};
use uuid::Uuid;

use crate::vectors::Point;

/// The largest value of a byte of a vector.
const LARGEST: f32 = 127.0;

/// One row, with a vector of bytes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub id: MessageId,
    pub channel_id: ChannelId,
    pub sender_id: UserId,
    pub created_at: i64,
    pub flags: u32,
    /// What one unit of a byte stands for; 0 when the vector has no direction.
    pub scale: f32,
    pub vector: Vec<i8>,
}

impl From<Point> for Row {
    fn from(point: Point) -> Self {
        let (scale, vector) = quantised(&point.vector);
        Self {
            id: point.id,
            channel_id: point.channel_id,
            sender_id: point.sender_id,
            created_at: point.created_at,
            flags: point.flags,
            scale,
            vector,
        }
    }
}

/// A vector as bytes, and what one unit of a byte stands for.
pub(super) fn quantised(vector: &[f32]) -> (f32, Vec<i8>) {
    let largest = vector.iter().fold(0.0_f32, |largest, part| largest.max(part.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return (0.0, vec![0; vector.len()]);
    }
    let scale = largest / LARGEST;
    (scale, vector.iter().map(|part| (part / scale).round().clamp(-LARGEST, LARGEST) as i8).collect())
}

/// Rows of one channel, wherever they lie.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a> {
    pub ids: &'a [[u8; 16]],
    pub senders: &'a [[u8; 16]],
    pub created: &'a [[u8; 8]],
    pub flags: &'a [[u8; 4]],
    pub scales: &'a [[u8; 4]],
    /// Vector after vector.
    pub vectors: &'a [i8],
}

/// Bytes of a row with a vector of `dimensions` numbers.
pub(super) fn row_bytes(dimensions: usize) -> usize {
    16 + 16 + 8 + 4 + 4 + dimensions
}

impl<'a> Columns<'a> {
    /// Reads `count` rows; `None` when the bytes are more or fewer.
    pub fn read(bytes: &'a [u8], count: usize, dimensions: usize) -> Option<Self> {
        if bytes.len() != count.checked_mul(row_bytes(dimensions))? {
            return None;
        }
        let (ids, rest) = bytes.split_at(16 * count);
        let (senders, rest) = rest.split_at(16 * count);
        let (created, rest) = rest.split_at(8 * count);
        let (flags, rest) = rest.split_at(4 * count);
        let (scales, vectors) = rest.split_at(4 * count);
        Some(Self {
            ids: ids.as_chunks().0,
            senders: senders.as_chunks().0,
            created: created.as_chunks().0,
            flags: flags.as_chunks().0,
            scales: scales.as_chunks().0,
            vectors: bytemuck::cast_slice(vectors),
        })
    }

    pub fn len(&self) -> usize {
        self.ids.len()
    }

    pub fn id(&self, at: usize) -> MessageId {
        MessageId(Uuid::from_bytes(self.ids[at]))
    }

    pub fn scale(&self, at: usize) -> f32 {
        f32::from_le_bytes(self.scales[at])
    }

    /// Row `at` as one of `channel_id`.
    pub fn row(&self, channel_id: ChannelId, at: usize) -> Row {
        let dimensions = self.vectors.len() / self.len();
        Row {
            id: self.id(at),
            channel_id,
            sender_id: UserId(Uuid::from_bytes(self.senders[at])),
            created_at: i64::from_le_bytes(self.created[at]),
            flags: u32::from_le_bytes(self.flags[at]),
            scale: self.scale(at),
            vector: self.vectors[at * dimensions..(at + 1) * dimensions].to_vec(),
        }
    }
}

/// Rows of one channel in memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    ids: Vec<[u8; 16]>,
    senders: Vec<[u8; 16]>,
    created: Vec<[u8; 8]>,
    flags: Vec<[u8; 4]>,
    scales: Vec<[u8; 4]>,
    vectors: Vec<i8>,
}

impl Rows {
    pub fn columns(&self) -> Columns<'_> {
        Columns {
            ids: &self.ids,
            senders: &self.senders,
            created: &self.created,
            flags: &self.flags,
            scales: &self.scales,
            vectors: &self.vectors,
        }
    }

    pub fn len(&self) -> usize {
        self.ids.len()
    }

    pub fn push(&mut self, row: &Row) {
        self.ids.push(row.id.0.into_bytes());
        self.senders.push(row.sender_id.0.into_bytes());
        self.created.push(row.created_at.to_le_bytes());
        self.flags.push(row.flags.to_le_bytes());
        self.scales.push(row.scale.to_le_bytes());
        self.vectors.extend_from_slice(&row.vector);
    }

    /// Takes a row out; the last one takes its place, and its id is answered.
    pub fn swap_remove(&mut self, at: usize) -> Option<MessageId> {
        let last = self.len() - 1;
        let dimensions = self.vectors.len() / self.len();
        self.ids.swap_remove(at);
        self.senders.swap_remove(at);
        self.created.swap_remove(at);
        self.flags.swap_remove(at);
        self.scales.swap_remove(at);
        self.vectors.copy_within(last * dimensions.., at * dimensions);
        self.vectors.truncate(last * dimensions);
        (at < last).then(|| self.columns().id(at))
    }

    /// All columns, one after the other, as [`Columns::read`] reads them.
    pub fn bytes(&self) -> Vec<u8> {
        let parts: [&[u8]; 6] = [
            self.ids.as_flattened(),
            self.senders.as_flattened(),
            self.created.as_flattened(),
            self.flags.as_flattened(),
            self.scales.as_flattened(),
            bytemuck::cast_slice(&self.vectors),
        ];
        parts.concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: i8) -> Row {
        Row {
            id: MessageId::new(),
            channel_id: ChannelId(Uuid::from_u128(7)),
            sender_id: UserId::new(),
            created_at: -i64::from(number),
            flags: number as u32,
            scale: f32::from(number),
            vector: vec![number, -number, 127],
        }
    }

    #[test]
    fn rows_are_what_was_pushed_in_memory_and_in_bytes() {
        let (first, second, third) = (row(1), row(2), row(3));
        let mut rows = Rows::default();
        for row in [&first, &second, &third] {
            rows.push(row);
        }
        assert_eq!(rows.swap_remove(0), Some(third.id));
        assert_eq!(rows.swap_remove(1), None);
        rows.push(&first);
        let bytes = rows.bytes();
        let columns = Columns::read(&bytes, 2, 3).unwrap();
        let read = |at| columns.row(first.channel_id, at);
        assert_eq!((read(0), read(1)), (third, first));
        assert!(Columns::read(&bytes[1..], 2, 3).is_none());
    }

    #[test]
    fn a_vector_survives_as_bytes() {
        let vector = [0.6, -0.8, 0.001];
        let (scale, bytes) = quantised(&vector);
        for (byte, part) in bytes.iter().zip(vector) {
            assert!((f32::from(*byte) * scale - part).abs() <= scale / 2.0);
        }
        assert_eq!(quantised(&[0.0, 0.0]), (0.0, vec![0, 0]));
    }
}
