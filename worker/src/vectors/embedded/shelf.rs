//! All rows of a store, and the one who puts them there.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use confab_protocol::ChannelId;
use tantivy::directory::MmapDirectory;

use super::fresh::Fresh;
use super::journal::{Batch, Journal, Step};
use super::manifest::{Manifest, Named};
use super::rows::Row;
use super::scan::Scan;
use super::segment::{self, Segment};
use crate::embedding::ModelId;

/// Rows in memory at most, but for those of one batch; they become a segment. Segments that are written anew together have
/// no more either. 20 MB of 256 numbers each.
const SEGMENT_ROWS: usize = 65_536;
/// A longer journal is replaced even if few rows are left of it: opening the store reads all of it.
const LONGEST_JOURNAL_BYTES: u64 = 64 * 1024 * 1024;
/// Segments smaller than this part of a whole one are put together when there are several.
const SMALL_PART: usize = 4;
const SMALL_ONES: usize = 4;

/// What is searched.
pub(super) struct Shelf {
    segments: Vec<Segment>,
    fresh: Fresh,
    pub place: Option<String>,
}

/// What keeps it on the disk.
pub(super) struct Writer {
    folder: PathBuf,
    directory: MmapDirectory,
    model: ModelId,
    journal: Journal,
    /// The number of the last file that was begun.
    last_number: u64,
}

/// Opens a folder; one whose content cannot be trusted is emptied.
pub(super) fn open(folder: &Path, model: &ModelId) -> io::Result<(Writer, Shelf)> {
    std::fs::create_dir_all(folder)?;
    let found = Manifest::read(folder, &model.to_string());
    let opened = match found {
        Ok(Some(manifest)) => open_whole(folder, model, &manifest),
        Ok(None) => return open_empty(folder, model),
        Err(reason) => Err(reason),
    };
    opened.or_else(|reason| {
        tracing::warn!(%reason, "the vectors are made anew");
        open_empty(folder, model)
    })
}

/// Opens a folder again in which `place` is noted. Nothing is emptied: who writes believes that all up to there is kept.
pub(super) fn open_again(
    folder: &Path,
    model: &ModelId,
    place: Option<&String>,
) -> io::Result<(Writer, Shelf)> {
    let manifest = Manifest::read(folder, &model.to_string()).map_err(io::Error::other)?;
    let manifest = manifest.ok_or_else(|| io::Error::other("its manifest is lost"))?;
    let (writer, shelf) = open_whole(folder, model, &manifest).map_err(io::Error::other)?;
    if shelf.place.as_ref() == place {
        Ok((writer, shelf))
    } else {
        Err(io::Error::other("what was written last is lost; a new start makes the vectors anew"))
    }
}

/// Empties a folder and begins a store in it.
pub(super) fn open_empty(folder: &Path, model: &ModelId) -> io::Result<(Writer, Shelf)> {
    std::fs::remove_dir_all(folder)?;
    std::fs::create_dir_all(folder)?;
    let manifest = Manifest::new(&model.to_string());
    manifest.write(folder)?;
    open_whole(folder, model, &manifest).map_err(io::Error::other)
}

fn open_whole(folder: &Path, model: &ModelId, manifest: &Manifest) -> Result<(Writer, Shelf), String> {
    let said = |error: io::Error| error.to_string();
    sweep(folder, manifest).map_err(said)?;
    let directory = MmapDirectory::open(folder).map_err(|error| error.to_string())?;
    let mut shelf = Shelf { segments: Vec::new(), fresh: Fresh::default(), place: manifest.place.clone() };
    for named in &manifest.segments {
        let segment = Segment::open(folder, &directory, (named.number, model.dimensions()), &named.gone)?;
        if segment.len() != named.rows {
            return Err(format!("segment {} has lost rows", named.number));
        }
        shelf.segments.push(segment);
    }
    let take = |batch| {
        shelf.apply(batch);
        true
    };
    let journal = Journal::open(folder, manifest.journal, model.dimensions(), take).map_err(said)?;
    let last = shelf.segments.iter().map(|it| it.number).max().unwrap_or(0).max(manifest.journal);
    let writer =
        Writer { folder: folder.to_owned(), directory, model: model.clone(), journal, last_number: last };
    Ok((writer, shelf))
}

/// Deletes what a process that died had begun.
fn sweep(folder: &Path, manifest: &Manifest) -> io::Result<()> {
    for file in std::fs::read_dir(folder)? {
        let file = file?;
        if !file.file_name().to_str().is_some_and(|name| manifest.names(name)) {
            std::fs::remove_file(file.path())?;
        }
    }
    Ok(())
}

impl Shelf {
    /// Makes changes in memory.
    pub fn apply(&mut self, batch: Batch) {
        for step in batch.steps {
            match step {
                Step::Put(row) => {
                    self.segments.iter_mut().for_each(|segment| segment.remove(row.id));
                    self.fresh.put(&row);
                }
                Step::Remove(id) => {
                    self.segments.iter_mut().for_each(|segment| segment.remove(id));
                    self.fresh.remove(id);
                }
                Step::RemoveChannel(id) => {
                    self.segments.iter_mut().for_each(|segment| segment.remove_channel(id));
                    self.fresh.remove_channel(id);
                }
            }
        }
        self.place = Some(batch.place);
    }

    /// Looks at all rows of one channel.
    pub fn scan(&self, scan: &mut Scan, channel_id: ChannelId) {
        for segment in &self.segments {
            for (first, columns) in segment.of(channel_id) {
                scan.over(columns, |at| segment.is_gone(first + at));
            }
        }
        if let Some(columns) = self.fresh.of(channel_id) {
            scan.over(columns, |_| false);
        }
    }

    /// Rows in some channels.
    pub fn count(&self, channels: &[ChannelId]) -> u64 {
        let mut channels = channels.to_vec();
        channels.sort_unstable();
        channels.dedup();
        let mut count = 0;
        for channel_id in channels {
            count += self.fresh.of(channel_id).map_or(0, |columns| columns.len());
            for segment in &self.segments {
                for (first, columns) in segment.of(channel_id) {
                    count += (first..first + columns.len()).filter(|row| !segment.is_gone(*row)).count();
                }
            }
        }
        count as u64
    }

    /// Segments that are not worth their room: those that are mostly gone, and small ones when there are several. Together
    /// they hold no more than a whole one.
    fn worn(&self) -> Vec<u64> {
        let is_gone = |it: &&Segment| (it.len() - it.live()) * 10 >= it.len() * 3;
        let is_small = |it: &&Segment| it.live() <= SEGMENT_ROWS / SMALL_PART;
        let mut worn: Vec<&Segment> = self.segments.iter().filter(is_gone).collect();
        let small: Vec<&Segment> = self.segments.iter().filter(|it| is_small(it) && !is_gone(it)).collect();
        if small.len() >= SMALL_ONES {
            worn.extend(small);
        }
        worn.sort_by_key(|it| it.live());
        let mut rows = 0;
        let fits = worn.into_iter().take_while(|it| {
            rows += it.live();
            rows <= SEGMENT_ROWS
        });
        fits.map(|it| it.number).collect()
    }
}

impl Writer {
    /// Keeps a batch.
    pub fn append(&mut self, batch: &Batch) -> io::Result<()> {
        self.journal.append(batch)
    }

    /// Makes a segment of what is in memory when it is enough, and of what is left of worn ones. Searches go on meanwhile.
    pub fn tidy(&mut self, searched: &RwLock<Shelf>) -> io::Result<()> {
        let (worn, is_full) = {
            let all = searched.read().unwrap_or_else(PoisonError::into_inner);
            (all.worn(), all.fresh.len() >= SEGMENT_ROWS || self.journal.length >= LONGEST_JOURNAL_BYTES)
        };
        if worn.is_empty() && !is_full {
            return Ok(());
        }
        let (segments, manifest) = {
            let all = searched.read().unwrap_or_else(PoisonError::into_inner);
            self.rewrite(&all, &worn)?
        };
        let journal = Journal::open(&self.folder, manifest.journal, self.model.dimensions(), |_| false)?;
        manifest.write(&self.folder)?;
        self.journal = journal;
        let mut all = searched.write().unwrap_or_else(PoisonError::into_inner);
        all.fresh = Fresh::default();
        all.segments.retain(|it| !worn.contains(&it.number));
        all.segments.extend(segments);
        drop(all);
        // What cannot be deleted now is at the next start.
        let _ = sweep(&self.folder, &manifest);
        Ok(())
    }

    /// Writes new segments, and answers the manifest that is to name them.
    fn rewrite(&mut self, all: &Shelf, worn: &[u64]) -> io::Result<(Vec<Segment>, Manifest)> {
        let (old, kept): (Vec<&Segment>, Vec<&Segment>) =
            all.segments.iter().partition(|it| worn.contains(&it.number));
        let mut rows: Vec<Row> = old.iter().flat_map(|it| it.rows()).chain(all.fresh.rows()).collect();
        // By channel, so that what is scanned together lies together; by id within it, so that the order is one.
        rows.sort_unstable_by_key(|row| (row.channel_id, row.id));
        let mut manifest = Manifest::new(&self.model.to_string());
        manifest.place.clone_from(&all.place);
        manifest.segments =
            kept.iter().map(|it| Named { number: it.number, rows: it.len(), gone: it.gone() }).collect();
        let mut segments = Vec::new();
        if !rows.is_empty() {
            self.last_number += 1;
            segment::write(&self.folder, self.last_number, &rows)?;
            let place = (self.last_number, self.model.dimensions());
            let segment = Segment::open(&self.folder, &self.directory, place, &[]);
            manifest.segments.push(Named { number: self.last_number, rows: rows.len(), gone: Vec::new() });
            segments.push(segment.map_err(io::Error::other)?);
        }
        self.last_number += 1;
        manifest.journal = self.last_number;
        Ok((segments, manifest))
    }
}
