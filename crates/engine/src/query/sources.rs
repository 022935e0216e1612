//! Where series come from: heads and blocks, each giving its series in ascending order of labels.

use std::cmp::Ordering;
use std::ops::RangeInclusive;
use std::sync::Arc;

use model::{ByteSize, Labels, LabelsRef, TimeRange};
use store::{Cancel, Matcher, QueryError, SeriesBuffer};

use crate::block::held::{Budget, Full};
use crate::block::read::{ChunkReader, SamplesLeft};
use crate::block::series::BlockSeries;
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

    /// Takes the next series, and adds its samples between two times. `false` when it is known before they are read
    /// that there are more than may be: then none are added.
    fn read(
        &mut self,
        range_ms: (i64, i64),
        left: SamplesLeft,
        into: &mut SeriesBuffer,
    ) -> Result<bool, QueryError>;
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

    /// How many there are is not known before they are read.
    fn read(
        &mut self,
        range_ms: (i64, i64),
        _: SamplesLeft,
        into: &mut SeriesBuffer,
    ) -> Result<bool, QueryError> {
        self.head.metrics.read(self.series[self.next].1, range_ms, into);
        self.next += 1;
        Ok(true)
    }
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
    /// A piece of a block as it is.
    fn of(file: &Arc<StoredFile>, range: TimeRange) -> Self {
        Self { file: Arc::clone(file), shift_ms: 0, bounds_ms: millis(range) }
    }

    /// The source of the series that match, if there are any. What it holds of labels and the index is taken from a
    /// budget.
    fn open(
        self,
        core: &Arc<Core>,
        matchers: &[Matcher],
        budget: &mut Budget,
    ) -> Result<Option<Source>, QueryError> {
        let Some(series) = load(core, &self.file)? else { return Ok(None) };
        let Self { file, shift_ms, bounds_ms } = self;
        let range_ms = (bounds_ms.0.saturating_add(shift_ms), bounds_ms.1.saturating_add(shift_ms));
        let mut left = *budget;
        let selected = series.select(&file, &core.block_series, matchers, range_ms, &mut left);
        let Some(ids) = without_damaged(core, &file, selected)? else { return Ok(None) };
        if ids.is_empty() {
            return Ok(None);
        }
        *budget = left;
        let (core, chunks) = (Arc::clone(core), Box::new(ChunkReader::new(&file)));
        Ok(Some(Source::Block(BlockSource { core, file, series, ids, next: 0, chunks, shift_ms, bounds_ms })))
    }
}

/// The series of a block, unless it is damaged.
pub(super) fn load(core: &Core, file: &Arc<StoredFile>) -> Result<Option<Arc<BlockSeries>>, QueryError> {
    without_damaged(core, file, BlockSeries::load(file, &core.block_series, &core.labels_held))
}

/// The sources of pieces that have series for a query, in the order given.
pub(crate) fn pieces(
    core: &Arc<Core>,
    pieces: Vec<Piece>,
    matchers: &[Matcher],
    cancel: &Cancel,
) -> Result<Vec<Source>, QueryError> {
    let mut opened = OpenSources::new(core, matchers, cancel);
    for piece in pieces {
        opened.add_piece(piece)?;
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
    let mut opened = OpenSources::new(core, matchers, cancel);
    for file in blocks(view, range) {
        opened.add_piece(Piece::of(file, range))?;
    }
    for head in view.frozen.iter().chain([&view.head]) {
        opened.add_head(head, range)?;
    }
    Ok(opened.sources)
}

/// The blocks of a view that overlap a range.
pub(super) fn blocks(view: &View, range: TimeRange) -> impl Iterator<Item = &Arc<StoredFile>> {
    let overlaps = move |file: &&Arc<StoredFile>| file.entry.range.overlaps(&range);
    view.files.iter().filter(|file| file.entry.kind == FileKind::Metrics).filter(overlaps)
}

/// Sources of a selector, within the memory that it may take of labels and indexes.
struct OpenSources<'a> {
    core: &'a Arc<Core>,
    matchers: &'a [Matcher],
    cancel: &'a Cancel,
    budget: Budget,
    sources: Vec<Source>,
}

impl<'a> OpenSources<'a> {
    fn new(core: &'a Arc<Core>, matchers: &'a [Matcher], cancel: &'a Cancel) -> Self {
        Self { core, matchers, cancel, budget: labels_budget(core), sources: Vec::new() }
    }

    fn add_piece(&mut self, piece: Piece) -> Result<(), QueryError> {
        not_cancelled(self.cancel)?;
        let source = piece.open(self.core, self.matchers, &mut self.budget)?;
        self.sources.extend(source);
        Ok(())
    }

    fn add_head(&mut self, head: &Arc<Head>, range: TimeRange) -> Result<(), QueryError> {
        not_cancelled(self.cancel)?;
        let Some(head) = HeadSource::matching(head, self.matchers, range) else { return Ok(()) };
        // The labels themselves are there in any case.
        let bytes = head.series.capacity() * size_of::<(Labels, u32)>();
        self.budget.take(bytes).map_err(|full| too_many_labels(self.core, full))?;
        self.sources.push(Source::Head(head));
        Ok(())
    }
}

/// An error, once nobody waits for the query any more.
pub(super) fn not_cancelled(cancel: &Cancel) -> Result<(), QueryError> {
    if cancel.is_cancelled() { Err(QueryError::Stopped("nobody waits for it any more")) } else { Ok(()) }
}

/// What one selector may take of labels and indexes.
pub(super) fn labels_budget(core: &Core) -> Budget {
    Budget::of(usize::try_from(core.config.max_query_labels_bytes.0).unwrap_or(usize::MAX))
}

/// The error of a query that would take more of labels and indexes than there is room for.
pub(super) fn too_many_labels(core: &Core, full: Full) -> QueryError {
    core.telemetry.query_limits.inc();
    QueryError::LimitReached(match full {
        Full::One => format!(
            "what a selector reads from files of the labels of series and of their indexes would take more than {} \
             (store.max_query_labels_bytes): narrow its time range or select fewer series",
            core.config.max_query_labels_bytes
        ),
        Full::All => format!(
            "labels of series and indexes that all queries have read from files would take more than {} together \
             (twice store.max_query_labels_bytes, and what store.cache_bytes keeps): ask again when other queries \
             have ended, narrow the time range or select fewer series",
            ByteSize(core.labels_held.most() as u64)
        ),
    })
}

impl Source {
    /// How many series are wanted of it.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Head(head) => head.series.len(),
            Self::Block(block) => block.ids.len(),
        }
    }

    /// Holds no more of times and of where chunks are than its share, of so many sources that are read together.
    pub(super) fn share_with(&mut self, sources: usize) {
        match self {
            Self::Head(_) => {}
            Self::Block(block) => block.chunks.share_with(sources),
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
        left: SamplesLeft,
        into: &mut SeriesBuffer,
    ) -> Result<bool, QueryError> {
        match self {
            Self::Head(head) => head.read(range_ms, left, into),
            Self::Block(block) => block.read(range_ms, left, into),
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
        left: SamplesLeft,
        into: &mut SeriesBuffer,
    ) -> Result<bool, QueryError> {
        let ids = &self.ids[self.next..];
        let (from_ms, to_ms) = (range_ms.0.max(self.bounds_ms.0), range_ms.1.min(self.bounds_ms.1));
        let shift_ms = self.shift_ms;
        let shifted_ms = (from_ms.saturating_add(shift_ms), to_ms.saturating_add(shift_ms));
        let start = into.times_ms.len();
        let left = left.shifted(shift_ms);
        let read = self.chunks.next_series(&self.series, ids, shifted_ms, left, into);
        if shift_ms != 0 {
            into.times_ms[start..].iter_mut().for_each(|time_ms| *time_ms -= shift_ms);
        }
        self.next += 1;
        let read = without_damaged(&self.core, &self.file, read.map_err(ReadError::from))?;
        if read.is_none() {
            self.next = self.ids.len();
            into.times_ms.clear();
            into.values.clear();
        }
        Ok(read.unwrap_or(true))
    }
}
