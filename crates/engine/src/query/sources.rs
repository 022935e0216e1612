//! Where series come from: heads and blocks, each giving its series in ascending order of labels.

use std::cmp::Ordering;
use std::ops::RangeInclusive;
use std::sync::Arc;

use model::{Labels, LabelsRef, TimeRange};
use store::{Cancel, Matcher, QueryError};

use crate::block::read::ChunkReader;
use crate::block::series::{BlockSeries, Selected};
use crate::catalog::FileKind;
use crate::core::{Core, View};
use crate::files::StoredFile;
use crate::head::Head;
use crate::query::{ReadError, millis, without_damaged};

/// The labels of a series, where they are.
#[derive(Clone)]
pub(crate) enum SeriesKey {
    Owned(Labels),
    Block(Arc<BlockSeries>, u32),
}

impl SeriesKey {
    pub(super) fn labels(&self) -> LabelsRef<'_> {
        match self {
            Self::Owned(labels) => labels.as_ref(),
            Self::Block(series, id) => series.labels(*id),
        }
    }

    pub(super) fn to_labels(&self) -> Labels {
        match self {
            Self::Owned(labels) => labels.clone(),
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

/// What gives series in ascending order of labels.
pub(crate) trait SeriesSource {
    /// The labels of the next series; `None` at the end.
    fn key(&self) -> Option<SeriesKey>;

    /// Takes the next series, and adds its samples between two times.
    fn read(
        &mut self,
        range_ms: (i64, i64),
        times: &mut Vec<i64>,
        values: &mut Vec<f64>,
    ) -> Result<(), QueryError>;
}

/// A head or a block with the series that a query wants of it.
pub(crate) enum Source {
    Head(HeadSource),
    Block(BlockSource),
}

/// Some series of a head.
pub(crate) struct HeadSource {
    head: Arc<Head>,
    series: Vec<(Labels, u32)>,
    next: usize,
}

impl HeadSource {
    /// Those that match and may have samples in a range, if there are any.
    pub(super) fn matching(head: &Arc<Head>, matchers: &[Matcher], range: TimeRange) -> Option<Self> {
        let series = head.metrics.matching(matchers, millis(range));
        (!series.is_empty()).then(|| Self { head: Arc::clone(head), series, next: 0 })
    }
}

impl SeriesSource for HeadSource {
    fn key(&self) -> Option<SeriesKey> {
        self.series.get(self.next).map(|(labels, _)| SeriesKey::Owned(labels.clone()))
    }

    fn read(
        &mut self,
        range_ms: (i64, i64),
        times: &mut Vec<i64>,
        values: &mut Vec<f64>,
    ) -> Result<(), QueryError> {
        self.head.metrics.read(self.series[self.next].1, range_ms, times, values);
        self.next += 1;
        Ok(())
    }
}

pub(crate) struct BlockSource {
    core: Arc<Core>,
    file: Arc<StoredFile>,
    series: Arc<BlockSeries>,
    ids: Vec<u32>,
    /// What the labels take that were read to find them.
    label_bytes: usize,
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
    /// A piece of a block as it is.
    fn of(file: &Arc<StoredFile>, range: TimeRange) -> Self {
        Self { file: Arc::clone(file), shift_ms: 0, bounds_ms: millis(range) }
    }

    /// The source of the series that match, if there are any. Their labels may take so many bytes.
    fn open(self, core: &Arc<Core>, matchers: &[Matcher], most: usize) -> Result<Option<Source>, QueryError> {
        let Some(series) = load(core, &self.file)? else { return Ok(None) };
        let Self { file, shift_ms, bounds_ms } = self;
        let range_ms = (bounds_ms.0.saturating_add(shift_ms), bounds_ms.1.saturating_add(shift_ms));
        let selected = series.select(&file, &core.block_series, matchers, range_ms, most);
        let (ids, label_bytes) = match without_damaged(core, &file, selected.map_err(ReadError::from))? {
            None => return Ok(None),
            Some(Selected::Series { ids, .. }) if ids.is_empty() => return Ok(None),
            Some(Selected::Series { ids, bytes }) => (ids, bytes),
            Some(Selected::TooMuch) => return Err(too_many_labels(core)),
        };
        let (core, chunks) = (Arc::clone(core), Box::new(ChunkReader::new(&file)));
        Ok(Some(Source::Block(BlockSource {
            core,
            file,
            series,
            ids,
            label_bytes,
            next: 0,
            chunks,
            shift_ms,
            bounds_ms,
        })))
    }
}

/// The series of a block, unless it is damaged.
pub(super) fn load(core: &Core, file: &Arc<StoredFile>) -> Result<Option<Arc<BlockSeries>>, QueryError> {
    let loaded = BlockSeries::load(file, &core.block_series).map_err(ReadError::from);
    without_damaged(core, file, loaded)
}

/// The sources of pieces that have series for a query, in the order given.
pub(crate) fn pieces(
    core: &Arc<Core>,
    pieces: Vec<Piece>,
    matchers: &[Matcher],
    cancel: &Cancel,
) -> Result<Vec<Source>, QueryError> {
    let mut opened = OpenSources::new(core, cancel);
    for piece in pieces {
        opened.add(piece.open(core, matchers, opened.left)?)?;
    }
    Ok(opened.sources)
}

/// The sources of a view that have series for a query, oldest first.
pub(crate) fn sources(
    core: &Arc<Core>,
    view: &View,
    matchers: &[Matcher],
    range: TimeRange,
    cancel: &Cancel,
) -> Result<Vec<Source>, QueryError> {
    let mut opened = OpenSources::new(core, cancel);
    for file in blocks(view, range) {
        opened.add(Piece::of(file, range).open(core, matchers, opened.left)?)?;
    }
    for head in view.frozen.iter().chain([&view.head]) {
        opened.add(HeadSource::matching(head, matchers, range).map(Source::Head))?;
    }
    Ok(opened.sources)
}

/// The blocks of a view that overlap a range.
pub(super) fn blocks(view: &View, range: TimeRange) -> impl Iterator<Item = &Arc<StoredFile>> {
    let overlaps = move |file: &&Arc<StoredFile>| file.entry.range.overlaps(&range);
    view.files.iter().filter(|file| file.entry.kind == FileKind::Metrics).filter(overlaps)
}

/// Sources of a query, within the memory that the labels of their series may take.
struct OpenSources<'a> {
    core: &'a Core,
    cancel: &'a Cancel,
    sources: Vec<Source>,
    left: usize,
}

impl<'a> OpenSources<'a> {
    fn new(core: &'a Core, cancel: &'a Cancel) -> Self {
        let left = usize::try_from(core.config.max_query_labels_bytes.0).unwrap_or(usize::MAX);
        Self { core, cancel, sources: Vec::new(), left }
    }

    fn add(&mut self, source: Option<Source>) -> Result<(), QueryError> {
        not_cancelled(self.cancel)?;
        let Some(source) = source else { return Ok(()) };
        self.left = self.left.checked_sub(source.held_bytes()).ok_or_else(|| too_many_labels(self.core))?;
        self.sources.push(source);
        Ok(())
    }
}

/// An error, once nobody waits for the query any more.
pub(super) fn not_cancelled(cancel: &Cancel) -> Result<(), QueryError> {
    if cancel.is_cancelled() { Err(QueryError::Stopped("nobody waits for it any more")) } else { Ok(()) }
}

fn too_many_labels(core: &Core) -> QueryError {
    core.telemetry.query_limits.inc();
    QueryError::LimitReached(format!(
        "the labels of the series that a selector reads from files would take more than {} \
         (store.max_query_labels_bytes): narrow its time range or select fewer series",
        core.config.max_query_labels_bytes
    ))
}

impl Source {
    /// How many series are wanted of it.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Head(head) => head.series.len(),
            Self::Block(block) => block.ids.len(),
        }
    }

    /// Memory of series and their labels that it holds. What a head has is there in any case.
    fn held_bytes(&self) -> usize {
        match self {
            Self::Head(head) => head.series.capacity() * size_of::<(Labels, u32)>(),
            Self::Block(block) => block.label_bytes + block.ids.capacity() * size_of::<u32>(),
        }
    }

    /// Holds no more than so many of the times that chunks share.
    pub(super) fn hold_times(&mut self, most: usize) {
        match self {
            Self::Head(_) => {}
            Self::Block(block) => block.chunks.hold_times(most),
        }
    }

    /// Does not read values of chunks that have none of these.
    pub(super) fn pass_over_outside(&mut self, values: &RangeInclusive<f64>) {
        match self {
            // What is in memory has not been summed up.
            Self::Head(_) => {}
            Self::Block(block) => block.chunks.pass_over_outside(values),
        }
    }

    /// Passes over the next series.
    pub(super) fn skip(&mut self) {
        match self {
            Self::Head(head) => head.next += 1,
            Self::Block(block) => block.next += 1,
        }
    }
}

impl SeriesSource for Source {
    fn key(&self) -> Option<SeriesKey> {
        match self {
            Self::Head(head) => head.key(),
            Self::Block(block) => block.key(),
        }
    }

    fn read(
        &mut self,
        range_ms: (i64, i64),
        times: &mut Vec<i64>,
        values: &mut Vec<f64>,
    ) -> Result<(), QueryError> {
        match self {
            Self::Head(head) => head.read(range_ms, times, values),
            Self::Block(block) => block.read(range_ms, times, values),
        }
    }
}

impl Drop for BlockSource {
    fn drop(&mut self) {
        self.series.count_in(&self.file, &self.core.block_series);
    }
}

impl SeriesSource for BlockSource {
    fn key(&self) -> Option<SeriesKey> {
        self.ids.get(self.next).map(|id| SeriesKey::Block(Arc::clone(&self.series), *id))
    }

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
