//! What happened since the manifest was written: a batch after the other, each with its length and checksum. What a kill
//! left half written is cut off; whoever reads the log again from the place before it makes it once more.
//!
//! Not waited for by the disk: after a loss of power the place is an earlier one, and no more than that.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use confab_protocol::{ChannelId, MessageId, UserId};
use uuid::Uuid;

use super::rows::Row;

/// Length and checksum before each batch.
const HEAD_BYTES: usize = 8;
/// No batch is longer: such a length is damage.
const LONGEST_BATCH_BYTES: usize = 256 * 1024 * 1024;

/// A change as the store makes it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Put(Row),
    Remove(MessageId),
    RemoveChannel(ChannelId),
}

/// Steps that are made together, and the place noted with them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Batch {
    pub place: String,
    pub steps: Vec<Step>,
}

/// The file, open for more.
pub(super) struct Journal {
    file: File,
    /// Bytes of whole batches. What is behind them, a failed write left there.
    pub length: u64,
}

pub(super) fn file_name(number: u64) -> String {
    format!("{number:08}.journal")
}

impl Journal {
    /// Opens or makes the file, gives every whole batch to `take`, and cuts off the rest. `take` answers whether the
    /// batch can be what was written.
    pub fn open(
        folder: &Path,
        number: u64,
        dimensions: usize,
        mut take: impl FnMut(Batch) -> bool,
    ) -> io::Result<Self> {
        let path = folder.join(file_name(number));
        let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let mut length = 0;
        while let Some((batch, end)) = read_batch(&bytes[length..], dimensions) {
            if !take(batch) {
                break;
            }
            length += end;
        }
        if length < bytes.len() {
            tracing::warn!(bytes = bytes.len() - length, "the end of the vectors' journal is cut off");
            file.set_len(length as u64)?;
        }
        Ok(Self { file, length: length as u64 })
    }

    /// Appends a batch, whole or not at all.
    pub fn append(&mut self, batch: &Batch) -> io::Result<()> {
        let body = body(batch);
        let mut bytes = Vec::with_capacity(HEAD_BYTES + body.len());
        bytes.extend_from_slice(&(body.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
        bytes.extend_from_slice(&body);
        self.file.seek(SeekFrom::Start(self.length))?;
        if let Err(error) = self.file.write_all(&bytes) {
            // What is left is overwritten by the next batch; but if there is none, it must not be taken for one.
            let _ = self.file.set_len(self.length);
            return Err(error);
        }
        self.length += bytes.len() as u64;
        Ok(())
    }
}

fn body(batch: &Batch) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&(batch.place.len() as u32).to_le_bytes());
    bytes.extend_from_slice(batch.place.as_bytes());
    for step in &batch.steps {
        match step {
            Step::Put(row) => {
                bytes.push(b'm');
                bytes.extend_from_slice(row.id.0.as_bytes());
                bytes.extend_from_slice(row.channel_id.0.as_bytes());
                bytes.extend_from_slice(row.sender_id.0.as_bytes());
                bytes.extend_from_slice(&row.created_at.to_le_bytes());
                bytes.extend_from_slice(&row.flags.to_le_bytes());
                bytes.extend_from_slice(&row.scale.to_le_bytes());
                bytes.extend_from_slice(bytemuck::cast_slice(&row.vector));
            }
            Step::Remove(id) => {
                bytes.push(b'r');
                bytes.extend_from_slice(id.0.as_bytes());
            }
            Step::RemoveChannel(id) => {
                bytes.push(b'c');
                bytes.extend_from_slice(id.0.as_bytes());
            }
        }
    }
    bytes
}

/// The first batch, and where it ends; `None` when it is not whole.
fn read_batch(bytes: &[u8], dimensions: usize) -> Option<(Batch, usize)> {
    let mut head = Reader(bytes);
    let (length, sum) = (u32::from_le_bytes(head.take()?) as usize, u32::from_le_bytes(head.take()?));
    if length > LONGEST_BATCH_BYTES {
        return None;
    }
    let body = head.0.get(..length)?;
    if crc32fast::hash(body) != sum {
        return None;
    }
    let mut reader = Reader(body);
    let place = u32::from_le_bytes(reader.take()?) as usize;
    let place = str::from_utf8(reader.bytes(place)?).ok()?.to_owned();
    let mut steps = Vec::new();
    while !reader.0.is_empty() {
        steps.push(reader.step(dimensions)?);
    }
    Some((Batch { place, steps }, HEAD_BYTES + length))
}

/// Bytes not read yet.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    fn uuid(&mut self) -> Option<Uuid> {
        self.take().map(Uuid::from_bytes)
    }

    fn step(&mut self, dimensions: usize) -> Option<Step> {
        match self.take::<1>()? {
            [b'm'] => {}
            [b'r'] => return Some(Step::Remove(MessageId(self.uuid()?))),
            [b'c'] => return Some(Step::RemoveChannel(ChannelId(self.uuid()?))),
            _ => return None,
        }
        Some(Step::Put(Row {
            id: MessageId(self.uuid()?),
            channel_id: ChannelId(self.uuid()?),
            sender_id: UserId(self.uuid()?),
            created_at: i64::from_le_bytes(self.take()?),
            flags: u32::from_le_bytes(self.take()?),
            scale: f32::from_le_bytes(self.take()?),
            vector: bytemuck::cast_slice(self.bytes(dimensions)?).to_vec(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batches() -> Vec<Batch> {
        let row = |number: i8| Row {
            id: MessageId::new(),
            channel_id: ChannelId::new(),
            sender_id: UserId::new(),
            created_at: i64::from(number),
            flags: 3,
            scale: 0.5,
            vector: vec![number, -number],
        };
        vec![
            Batch { place: "one".into(), steps: vec![Step::Put(row(1)), Step::Put(row(-2))] },
            Batch {
                place: "two".into(),
                steps: vec![Step::Remove(MessageId::new()), Step::RemoveChannel(ChannelId::new())],
            },
            Batch { place: "three".into(), steps: Vec::new() },
        ]
    }

    fn read(folder: &Path) -> Vec<Batch> {
        let mut found = Vec::new();
        Journal::open(folder, 1, 2, |batch| {
            found.push(batch);
            true
        })
        .unwrap();
        found
    }

    #[test]
    fn whatever_is_cut_off_the_whole_batches_before_it_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let written = batches();
        let mut ends = vec![0];
        {
            let mut journal = Journal::open(folder.path(), 1, 2, |_| true).unwrap();
            for batch in &written {
                journal.append(batch).unwrap();
                ends.push(journal.length as usize);
            }
        }
        assert_eq!(read(folder.path()), written);
        let path = folder.path().join(file_name(1));
        let whole = std::fs::read(&path).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let count = ends.iter().filter(|end| **end <= length).count() - 1;
            assert_eq!(read(folder.path()), written[..count], "cut at {length}");
            assert_eq!(std::fs::read(&path).unwrap().len(), ends[count], "and what was half written is gone");
        }
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            std::fs::write(&path, damaged).unwrap();
            let count = ends.iter().filter(|end| **end <= at).count() - 1;
            assert_eq!(read(folder.path()), written[..count], "flipped at {at}");
        }
    }
}
