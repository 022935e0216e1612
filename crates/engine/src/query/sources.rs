//! Where series come from: heads and blocks, each giving its series in ascending order of labels.

use std::cmp::Ordering;
use std::ops::RangeInclusive;
use std::sync::Arc;

use model::{Labels, LabelsRef, TimeRange};
use store::{Matcher, QueryError};

use crate::block::read::ChunkReader;
use crate::block::series::BlockSeries;
use crate::catalog::FileKind;
use crate::core::{Core, View};
use crate::files::StoredFile;
use crate::head::Head;
use crate::query::{ReadError, millis, without_damaged};

/// The labels of a series, where they are.
#[derive(Clone)]
pub(super) enum SeriesKey {
    Head(Labels),
    Block(Arc<BlockSeries>, u32),
}

impl SeriesKey {
    pub(super) fn labels(&self) -> LabelsRef<'_> {
        match self {
            Self::Head(labels) => labels.as_ref(),
            Self::Block(series, id) => series.labels(*id),
        }
    }

    pub(super) fn to_labels(&self) -> Labels {
        match self {
            Self::Head(labels) => labels.clone(),
            Self::Block(series, id) => series.labels(*id).to_owned(),
        }
    }
}

impl PartialEq for SeriesKey {
    fn eq(&self, other: &Self) -> bool {
        self.labels() == other.labels()
    }
}

impl Eq for SeriesKey {}

impl Ord for SeriesKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.labels().as_bytes().cmp(other.labels().as_bytes())
    }
}

impl PartialOrd for SeriesKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A head or a block with the series that a query wants of it.
pub(crate) enum Source {
    Head { head: Arc<Head>, series: Vec<(Labels, u32)>, next: usize },
    Block(BlockSource),
}

pub(crate) struct BlockSource {
    core: Arc<Core>,
    file: Arc<StoredFile>,
    series: Arc<BlockSeries>,
    ids: Vec<u32>,
    next: usize,
    chunks: Box<ChunkReader>,
    shift_ms: i64,
    bounds_ms: (i64, i64),
}

/// A part of a block whose times are shifted there, and between which times it is wanted.
pub(crate) struct Piece {
    pub(crate) file: Arc<StoredFile>,
    pub(crate) shift_ms: i64,
    pub(crate) bounds_ms: (i64, i64),
}

impl Piece {
    /// The source of the series that match, if there are any.
    fn source(
        self,
        core: &Arc<Core>,
        series: Arc<BlockSeries>,
        matchers: &[Matcher],
    ) -> Result<Option<Source>, QueryError> {
        let Self { file, shift_ms, bounds_ms } = self;
        let range_ms = (bounds_ms.0.saturating_add(shift_ms), bounds_ms.1.saturating_add(shift_ms));
        let ids = series.select(&file, &core.block_series, matchers, range_ms).map_err(ReadError::from);
        let Some(ids) = without_damaged(core, &file, ids)?.filter(|ids| !ids.is_empty()) else {
            return Ok(None);
        };
        let (core, chunks) = (Arc::clone(core), Box::new(ChunkReader::new(&file)));
        Ok(Some(Source::Block(BlockSource { core, file, series, ids, next: 0, chunks, shift_ms, bounds_ms })))
    }
}

/// The sources of pieces that have series for a query, in the order given.
pub(crate) fn pieces(
    core: &Arc<Core>,
    pieces: Vec<Piece>,
    matchers: &[Matcher],
) -> Result<Vec<Source>, QueryError> {
    let mut sources = Vec::new();
    for piece in pieces {
        let loaded = BlockSeries::load(&piece.file, &core.block_series).map_err(ReadError::from);
        if let Some(series) = without_damaged(core, &piece.file, loaded)? {
            sources.extend(piece.source(core, series, matchers)?);
        }
    }
    Ok(sources)
}

/// The sources of a view that have series for a query, oldest first.
pub(crate) fn sources(
    core: &Arc<Core>,
    view: &View,
    matchers: &[Matcher],
    range: TimeRange,
) -> Result<Vec<Source>, QueryError> {
    let mut sources = Vec::new();
    for (file, series) in blocks(core, view, range)? {
        let piece = Piece { file, shift_ms: 0, bounds_ms: millis(range) };
        sources.extend(piece.source(core, series, matchers)?);
    }
    for head in view.frozen.iter().chain([&view.head]) {
        let series = head.metrics.matching(matchers, millis(range));
        if !series.is_empty() {
            sources.push(Source::Head { head: Arc::clone(head), series, next: 0 });
        }
    }
    Ok(sources)
}

/// A block and its series.
type Block = (Arc<StoredFile>, Arc<BlockSeries>);

/// The blocks of a view that overlap a range.
pub(super) fn blocks(core: &Core, view: &View, range: TimeRange) -> Result<Vec<Block>, QueryError> {
    let mut blocks = Vec::new();
    for file in view.files.iter() {
        if file.entry.kind == FileKind::Metrics && file.entry.range.overlaps(&range) {
            let loaded = BlockSeries::load(file, &core.block_series).map_err(ReadError::from);
            if let Some(series) = without_damaged(core, file, loaded)? {
                blocks.push((Arc::clone(file), series));
            }
        }
    }
    Ok(blocks)
}

impl Source {
    /// The labels of the next series; `None` at the end.
    pub(super) fn key(&self) -> Option<SeriesKey> {
        match self {
            Self::Head { series, next, .. } => {
                series.get(*next).map(|(labels, _)| SeriesKey::Head(labels.clone()))
            }
            Self::Block(block) => {
                block.ids.get(block.next).map(|id| SeriesKey::Block(Arc::clone(&block.series), *id))
            }
        }
    }

    /// How many series are wanted of it.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Head { series, .. } => series.len(),
            Self::Block(block) => block.ids.len(),
        }
    }

    /// Memory of labels and indexes that it holds for itself.
    pub(crate) fn held_bytes(&self) -> usize {
        match self {
            Self::Head { .. } => 0,
            Self::Block(block) => block.series.bytes(),
        }
    }

    /// Does not read values of chunks that have none of these.
    pub(super) fn pass_over_outside(&mut self, values: &RangeInclusive<f64>) {
        match self {
            // What is in memory has not been summed up.
            Self::Head { .. } => {}
            Self::Block(block) => block.chunks.pass_over_outside(values),
        }
    }

    /// Passes over the next series.
    pub(super) fn skip(&mut self) {
        match self {
            Self::Head { next, .. } => *next += 1,
            Self::Block(block) => block.next += 1,
        }
    }

    /// Takes the next series, and adds its samples between two times.
    pub(super) fn read(
        &mut self,
        range_ms: (i64, i64),
        times: &mut Vec<i64>,
        values: &mut Vec<f64>,
    ) -> Result<(), QueryError> {
        match self {
            Self::Head { head, series, next } => {
                head.metrics.read(series[*next].1, range_ms, times, values);
                *next += 1;
                Ok(())
            }
            Self::Block(block) => block.read(range_ms, times, values),
        }
    }
}

impl BlockSource {
    fn read(
        &mut self,
        range_ms: (i64, i64),
        times: &mut Vec<i64>,
        values: &mut Vec<f64>,
    ) -> Result<(), QueryError> {
        let ids = &self.ids[self.next..];
        let (from_ms, to_ms) = (range_ms.0.max(self.bounds_ms.0), range_ms.1.min(self.bounds_ms.1));
        let shift_ms = self.shift_ms;
        let shifted_ms = (from_ms.saturating_add(shift_ms), to_ms.saturating_add(shift_ms));
        let start = times.len();
        let read = self.chunks.next_series(&self.series, ids, shifted_ms, times, values);
        if shift_ms != 0 {
            times[start..].iter_mut().for_each(|time_ms| *time_ms -= shift_ms);
        }
        self.next += 1;
        if without_damaged(&self.core, &self.file, read.map_err(ReadError::from))?.is_none() {
            self.next = self.ids.len();
            times.clear();
            values.clear();
        }
        Ok(())
    }
}
