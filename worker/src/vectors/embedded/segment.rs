//! A file of rows that never change: blocks, each of one channel with a checksum, in order of channels. The file is
//! mapped, so that its pages are the system's to keep or to drop.
//!
//! A block: magic, zero, count and dimensions (`u32` each), the channel's id (16 bytes), the CRC-32 of all that and of the
//! columns (`u32`), the columns.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use confab_protocol::{ChannelId, MessageId};
use tantivy::directory::{Directory, MmapDirectory, OwnedBytes};
use uuid::Uuid;

use super::rows::{Columns, Row, Rows, row_bytes};

const MAGIC: u32 = u32::from_le_bytes(*b"CFV1");
const HEAD_BYTES: usize = 4 * 4 + 16 + 4;
/// Rows of a block at most: what one checksum covers.
const BLOCK_ROWS: usize = 1_024;

/// A segment, and which of its rows are gone.
pub(super) struct Segment {
    pub number: u64,
    bytes: OwnedBytes,
    dimensions: usize,
    blocks: Vec<Block>,
    /// The numbers of all rows, in order of their messages' ids.
    by_id: Vec<u32>,
    gone: Vec<u64>,
    gone_count: usize,
}

/// Where a block's rows are.
#[derive(Clone, Copy)]
struct Block {
    channel_id: ChannelId,
    /// The number of its first row in the segment.
    first: usize,
    count: usize,
    /// Where its columns begin in the file.
    offset: usize,
}

pub(super) fn file_name(number: u64) -> String {
    format!("{number:08}.rows")
}

/// Writes rows, in order of their channels, to a new file, and waits until the disk has them.
pub(super) fn write(folder: &Path, number: u64, rows: &[Row]) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(folder.join(file_name(number)))?);
    for of_channel in rows.chunk_by(|one, next| one.channel_id == next.channel_id) {
        for block in of_channel.chunks(BLOCK_ROWS) {
            write_block(&mut file, block)?;
        }
    }
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}

fn write_block(file: &mut impl Write, rows: &[Row]) -> io::Result<()> {
    let Some(first) = rows.first() else { return Ok(()) };
    let mut columns = Rows::default();
    for row in rows {
        columns.push(row);
    }
    let columns = columns.bytes();
    let mut head = Vec::with_capacity(HEAD_BYTES);
    for number in [MAGIC, 0, rows.len() as u32, first.vector.len() as u32] {
        head.extend_from_slice(&number.to_le_bytes());
    }
    head.extend_from_slice(first.channel_id.0.as_bytes());
    head.extend_from_slice(&checksum(&head, &columns).to_le_bytes());
    file.write_all(&head)?;
    file.write_all(&columns)
}

fn checksum(head: &[u8], columns: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(head);
    hasher.update(columns);
    hasher.finalize()
}

impl Segment {
    /// Checks every block of a file and maps it. It is read for that, not mapped: of what is mapped, each page that was ever
    /// looked at counts as the process's memory, and of many channels no search has need.
    ///
    /// # Errors
    /// What is wrong with it, for the log.
    pub fn open(
        folder: &Path,
        directory: &MmapDirectory,
        (number, dimensions): (u64, usize),
        gone: &[u32],
    ) -> Result<Self, String> {
        let name = file_name(number);
        let said = |error: io::Error| format!("{name}: {error}");
        let file = File::open(folder.join(&name)).map_err(said)?;
        let content = read_content(file, dimensions).map_err(said)?;
        let Content { blocks, ids } = content.ok_or_else(|| format!("{name} is damaged"))?;
        let mapped = directory.open_read(Path::new(&name)).map_err(|error| error.to_string())?;
        let bytes = mapped.read_bytes().map_err(said)?;
        let count = ids.len();
        let mut by_id: Vec<u32> = (0..count as u32).collect();
        by_id.sort_unstable_by_key(|row| ids[*row as usize]);
        let mut segment = Self {
            number,
            bytes,
            dimensions,
            blocks,
            by_id,
            gone: vec![0; count.div_ceil(64)],
            gone_count: 0,
        };
        for row in gone {
            if *row as usize >= count {
                return Err(format!("{name} has fewer rows than are said to be gone"));
            }
            segment.take_out(*row as usize);
        }
        Ok(segment)
    }

    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Rows that are not gone.
    pub fn live(&self) -> usize {
        self.len() - self.gone_count
    }

    pub fn gone(&self) -> Vec<u32> {
        (0..self.len()).filter(|row| self.is_gone(*row)).map(|row| row as u32).collect()
    }

    pub fn is_gone(&self, row: usize) -> bool {
        (self.gone[row / 64] >> (row % 64)) & 1 == 1
    }

    fn take_out(&mut self, row: usize) {
        if !self.is_gone(row) {
            self.gone[row / 64] |= 1 << (row % 64);
            self.gone_count += 1;
        }
    }

    /// Takes out the rows of a message.
    pub fn remove(&mut self, id: MessageId) {
        // Nearly always: what is put is newer than all that is here.
        if self.by_id.last().is_none_or(|last| self.id_of(*last as usize) < id) {
            return;
        }
        let from = self.by_id.partition_point(|row| self.id_of(*row as usize) < id);
        for at in from..self.by_id.len() {
            let row = self.by_id[at] as usize;
            if self.id_of(row) != id {
                break;
            }
            self.take_out(row);
        }
    }

    pub fn remove_channel(&mut self, channel_id: ChannelId) {
        let blocks: Vec<_> = self.of(channel_id).map(|(first, it)| first..first + it.len()).collect();
        blocks.into_iter().flatten().for_each(|row| self.take_out(row));
    }

    /// The rows of a channel: the number of each block's first one, and its columns.
    pub fn of(&self, channel_id: ChannelId) -> impl Iterator<Item = (usize, Columns<'_>)> {
        let from = self.blocks.partition_point(|it| it.channel_id < channel_id);
        let blocks = self.blocks[from..].iter().take_while(move |it| it.channel_id == channel_id);
        blocks.map(move |block| (block.first, self.columns(*block)))
    }

    /// Every row that is not gone.
    pub fn rows(&self) -> impl Iterator<Item = Row> {
        self.blocks.iter().flat_map(move |block| {
            let columns = self.columns(*block);
            (0..block.count)
                .filter(move |at| !self.is_gone(block.first + at))
                .map(move |at| columns.row(block.channel_id, at))
        })
    }

    fn columns(&self, block: Block) -> Columns<'_> {
        let end = block.offset + block.count * row_bytes(self.dimensions);
        let bytes = &self.bytes.as_slice()[block.offset..end];
        // They were read once, when the file was opened.
        Columns::read(bytes, block.count, self.dimensions).unwrap_or(Columns {
            ids: &[],
            senders: &[],
            created: &[],
            flags: &[],
            scales: &[],
            vectors: &[],
        })
    }

    fn block_of(&self, row: usize) -> Block {
        self.blocks[self.blocks.partition_point(|it| it.first <= row) - 1]
    }

    fn id_of(&self, row: usize) -> MessageId {
        let block = self.block_of(row);
        let at = block.offset + 16 * (row - block.first);
        let mut id = [0; 16];
        id.copy_from_slice(&self.bytes.as_slice()[at..at + 16]);
        MessageId(Uuid::from_bytes(id))
    }
}

/// What a file holds, but for the rows themselves.
#[derive(Default)]
struct Content {
    blocks: Vec<Block>,
    /// Of all rows, in their order.
    ids: Vec<[u8; 16]>,
}

/// `None`: it is not what was written.
fn read_content(mut file: File, dimensions: usize) -> io::Result<Option<Content>> {
    let length = file.metadata()?.len();
    let Content { mut blocks, mut ids } = Content::default();
    let (mut at, mut columns) = (0_usize, Vec::<u8>::new());
    while (at as u64) < length {
        let mut head = [0; HEAD_BYTES];
        if length - (at as u64) < HEAD_BYTES as u64 {
            return Ok(None);
        }
        file.read_exact(&mut head)?;
        let (numbers, _) = head[..16].as_chunks::<4>();
        let [magic, zero, count, numbers_of_vector] = [0, 1, 2, 3].map(|it| u32::from_le_bytes(numbers[it]));
        let (count, offset) = (count as usize, at + HEAD_BYTES);
        let is_ours = magic == MAGIC
            && zero == 0
            && numbers_of_vector as usize == dimensions
            && (1..=BLOCK_ROWS).contains(&count);
        // Known to be small from here on: a damaged number asks for no more memory than a block has.
        if !is_ours || length - (offset as u64) < (count * row_bytes(dimensions)) as u64 {
            return Ok(None);
        }
        columns.resize(count * row_bytes(dimensions), 0);
        file.read_exact(&mut columns)?;
        let (signed, sum) = head.split_at(HEAD_BYTES - 4);
        let Ok(channel_id) = Uuid::from_slice(&head[16..32]).map(ChannelId) else { return Ok(None) };
        let is_behind = blocks.last().is_some_and(|last: &Block| last.channel_id > channel_id);
        if is_behind || checksum(signed, &columns).to_le_bytes() != sum {
            return Ok(None);
        }
        blocks.push(Block { channel_id, first: ids.len(), count, offset });
        ids.extend_from_slice(columns[..16 * count].as_chunks().0);
        at = offset + columns.len();
    }
    Ok(Some(Content { blocks, ids }))
}
