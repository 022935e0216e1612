//! Reading the chunks of some series of a block.

use std::ops::RangeInclusive;
use std::sync::Arc;

use model::STALE_NAN;
use parquet::errors::ParquetError;
use store::SeriesBuffer;

use crate::block::chunk::{BadChunk, MAX_SAMPLES};
use crate::block::columns::HeldColumns;
use crate::block::damaged;
use crate::block::packed::{BATCH, PackedRows, unpack};
use crate::block::places::{Place, Places, pages};
use crate::block::recent::{Keeping, MAX_CHUNKS};
use crate::block::rows::{Opened, joined};
use crate::block::series::BlockSeries;
use crate::catalog::Part;
use crate::files::StoredFile;

/// A query of more series than this spends its time elsewhere: where their chunks are is not kept.
const KEEPING_SERIES: usize = 8192;
/// Series whose chunks are looked up together.
const SLAB_SERIES: usize = 4096;
/// Times that series share, held for further chunks by all that are read together; four bytes each.
const MAX_TIMES: usize = 8 << 20;
/// When more blocks than this are read together, none of their times are kept.
const KEEPING_TIMES: usize = 64;
/// What all blocks that are read together may keep of where their chunks are, in bytes.
const MAX_PLACES_BYTES: usize = 64 << 20;

/// How many samples of a series there may be, some of which may be there from other sources.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SamplesLeft {
    most: u64,
    there: u64,
    /// The time of the last one that is there.
    after_ms: i64,
}

impl SamplesLeft {
    /// At the most so many, of which those at some times are there.
    pub(crate) fn of(most: u64, times_ms: &[i64]) -> Self {
        let after_ms = times_ms.last().copied().unwrap_or(i64::MIN);
        Self { most, there: times_ms.len() as u64, after_ms }
    }

    /// The same where all times are shifted.
    pub(crate) fn shifted(self, by_ms: i64) -> Self {
        Self { after_ms: self.after_ms.saturating_add(by_ms), ..self }
    }

    /// Whether the chunks of one source have more, by what is known of them before they are read. Those count whose
    /// samples all lie between two times; with what is there, only if they come after it, because others may be
    /// doubles.
    fn is_exceeded_by(self, chunks: impl Iterator<Item = Place>, range_ms: (i64, i64)) -> bool {
        let (mut alone, mut together) = (0, self.there);
        for chunk in chunks.filter(|chunk| chunk.is_within(range_ms)) {
            let count = u64::from(chunk.count);
            alone += count;
            together += if chunk.is_after(self.after_ms) { count } else { 0 };
        }
        alone.max(together) > self.most
    }
}

/// The chunks of some series of a block, in order, each read once. Where chunks are and of what time is
/// looked up first, for some thousands of series at once; then only those are read that a query wants.
pub(crate) struct ChunkReader {
    file: Arc<StoredFile>,
    chunks: Opened,
    /// The last of the series that have been looked up.
    last: Option<u32>,
    /// Whether what is looked up is kept for the next query.
    keeps: bool,
    /// How many bytes of it may still be.
    places_left: usize,
    /// Of those series, the chunks that are wanted.
    wanted: Vec<Wanted>,
    /// Where these are so few that their packed values are kept too: what was kept of each when they were looked up.
    recent: Vec<Option<Arc<[u8]>>>,
    keeping: Keeping,
    next: usize,
    packed: Option<PackedRows>,
    columns: HeldColumns,
    /// Values that matter; all of them, without it.
    values: Option<RangeInclusive<f64>>,
}

/// A chunk that is wanted.
#[derive(Clone, Copy)]
struct Wanted {
    row: u32,
    place: Place,
    /// Whether none of its values matters.
    is_outside: bool,
}

impl ChunkReader {
    pub(crate) fn new(file: &Arc<StoredFile>) -> Self {
        Self {
            file: Arc::clone(file),
            chunks: Opened::default(),
            last: None,
            keeps: false,
            places_left: MAX_PLACES_BYTES,
            wanted: Vec::new(),
            recent: Vec::new(),
            keeping: Keeping::default(),
            next: 0,
            packed: None,
            columns: HeldColumns::within(0, true),
            values: None,
        }
    }

    /// From now on, does not read the values of chunks that have none of these, and gives staleness markers
    /// in their place.
    pub(crate) fn pass_over_outside(&mut self, values: &RangeInclusive<f64>) {
        // In blocks of the first version times are beside the values.
        self.values = self.file.has(Part::Times).then(|| values.clone());
    }

    /// From now on, holds no more than its share of times, and keeps no more than its share of where chunks are, as
    /// one of so many blocks that are read together.
    pub(crate) fn share_with(&mut self, blocks: usize) {
        let blocks = blocks.max(1);
        self.columns = HeldColumns::within(MAX_TIMES / blocks, blocks <= KEEPING_TIMES);
        self.places_left = MAX_PLACES_BYTES / blocks;
    }

    /// Adds the samples between two times of the first of `ids`, which are ascending and go on to be asked
    /// for in that order. `false` when there are more than may be: then none are read.
    pub(crate) fn next_series(
        &mut self,
        series: &BlockSeries,
        ids: &[u32],
        range_ms: (i64, i64),
        left: SamplesLeft,
        into: &mut SeriesBuffer,
    ) -> Result<bool, ParquetError> {
        let Some(&id) = ids.first() else { return Ok(true) };
        if self.last.is_none() {
            self.keeps = self.values.is_none() && ids.len() <= KEEPING_SERIES;
        }
        if self.last.is_none_or(|last| last < id) {
            self.look_up(series, &ids[..ids.len().min(SLAB_SERIES)], range_ms)?;
        }
        let rows = series.rows(id);
        let of_series = self.wanted[self.next..].iter().take_while(|it| rows.contains(&(it.row as usize)));
        if left.is_exceeded_by(of_series.map(|it| it.place), range_ms) {
            return Ok(false);
        }
        let of_series = self.wanted[self.next..].iter().take_while(|it| rows.contains(&(it.row as usize)));
        // Of a chunk that reaches beyond the range it is not known how much there will be.
        let whole = of_series.filter(|it| it.place.is_within(range_ms));
        into.reserve(whole.map(|it| (it.place.count as usize).min(MAX_SAMPLES)).sum());
        while let Some(wanted) =
            self.wanted.get(self.next).copied().filter(|it| rows.contains(&(it.row as usize)))
        {
            self.next += 1;
            self.read(series, wanted, range_ms, into)?;
        }
        Ok(true)
    }

    /// Looks up which chunks of some series are wanted.
    fn look_up(
        &mut self,
        series: &BlockSeries,
        ids: &[u32],
        range_ms: (i64, i64),
    ) -> Result<(), ParquetError> {
        self.last = ids.last().copied();
        self.wanted.clear();
        self.next = 0;
        self.packed = None;
        let (file, opened, places) = (&self.file, &mut self.chunks, &series.places);
        let wanted = &mut self.wanted;
        let mut take = |row, place: Place, is_outside| {
            if place.overlaps(range_ms) {
                wanted.push(Wanted { row, place, is_outside });
            }
        };
        self.recent.clear();
        let starts = series.starts();
        let rows_of = |ids: &[u32]| joined(ids.iter().map(|id| series.rows(*id)));
        if !self.keeps {
            places.each(file, opened, &rows_of(ids), self.values.as_ref(), take)?;
            return places.check_total(starts);
        }
        for (page, ids) in pages(ids) {
            let bytes = Places::page_bytes(starts, page);
            let kept = match self.places_left.checked_sub(bytes) {
                Some(left) => {
                    self.places_left = left;
                    places.page(file, opened, starts, page)?
                }
                None => None,
            };
            match kept {
                Some((start, places)) => {
                    let rows = ids.iter().flat_map(|id| series.rows(*id));
                    rows.for_each(|row| take(row as u32, places[row - start], false));
                }
                None => places.each(file, opened, &rows_of(ids), None, &mut take)?,
            }
        }
        // In blocks of the first version times are beside the values.
        if self.wanted.len() <= MAX_CHUNKS && self.file.has(Part::Times) {
            self.recent = series.recent.get_all(self.wanted.iter().map(|it| it.row));
        }
        places.check_total(starts)
    }

    fn read(
        &mut self,
        series: &BlockSeries,
        wanted: Wanted,
        range_ms: (i64, i64),
        into: &mut SeriesBuffer,
    ) -> Result<(), ParquetError> {
        let next = self.next - 1;
        if !self.file.has(Part::Times) {
            let (start, count) = (into.times_ms.len(), wanted.place.count as usize);
            self.packed_from(series, next)?.unpack_next(count, into)?;
            trim(start, range_ms, into);
            return Ok(());
        }
        let coming = &self.wanted[next..self.wanted.len().min(next + BATCH)];
        let coming = coming.iter().map(|it| it.place.times);
        let of_chunk = (wanted.place.times, wanted.place.count);
        let times = Arc::clone(self.columns.of(&self.file, &series.times, of_chunk, coming)?);
        let is_whole = wanted.place.is_within(range_ms);
        let places = if is_whole { 0..times.len() } else { times.between(range_ms) };
        if wanted.is_outside {
            into.values.resize(into.values.len() + places.len(), STALE_NAN);
            times.add_to(places, &mut into.times_ms).ok_or_else(|| damaged(BadChunk))?;
        } else if let Some(Some(packed)) = self.recent.get(next) {
            unpack(packed, &times, places, into)?;
        } else {
            let is_narrow = !self.recent.is_empty();
            let mut keeping = self.keeping;
            let (packed, _) = self.packed_from(series, next)?.next_row()?;
            if is_narrow {
                series.recent.keep(wanted.row, packed, &mut keeping);
            }
            unpack(packed, &times, places, into)?;
            self.keeping = keeping;
        }
        match into.values.len() == into.times_ms.len() {
            true => Ok(()),
            false => Err(damaged(BadChunk)),
        }
    }

    /// The rows of the wanted chunks that have to be read, of those from a place on.
    fn packed_from(&mut self, series: &BlockSeries, next: usize) -> Result<&mut PackedRows, ParquetError> {
        match &mut self.packed {
            Some(packed) => Ok(packed),
            none => {
                let is_there = |place: &usize| self.recent.get(*place).is_some_and(Option::is_some);
                let places = (next..self.wanted.len()).filter(|place| !is_there(place));
                let wanted = places.map(|place| &self.wanted[place]).filter(|it| !it.is_outside);
                let rows = joined(wanted.map(|it| it.row as usize..it.row as usize + 1));
                Ok(none.insert(PackedRows::open(&self.file, &mut self.chunks, &series.places, &rows)?))
            }
        }
    }
}

/// Cuts what was added from `start` on to the samples between two times.
pub(super) fn trim(start: usize, (from, to): (i64, i64), into: &mut SeriesBuffer) {
    let SeriesBuffer { times_ms: times, values, .. } = into;
    let end = start + times[start..].partition_point(|time| *time <= to);
    times.truncate(end);
    values.truncate(end);
    let first = start + times[start..].partition_point(|time| *time < from);
    times.drain(start..first);
    values.drain(start..first);
}
