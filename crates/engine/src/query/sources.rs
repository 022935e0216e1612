//! Where series come from: heads and blocks, each giving its series in ascending order of labels.

use std::cmp::Ordering;
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
        let ids = series.select(&file, &core.block_series, matchers, millis(range)).map_err(ReadError::from);
        let Some(ids) = without_damaged(core, &file, ids)? else { continue };
        if !ids.is_empty() {
            let (core, chunks) = (Arc::clone(core), Box::new(ChunkReader::new(&file)));
            sources.push(Source::Block(BlockSource { core, file, series, ids, next: 0, chunks }));
        }
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
        let read = self.chunks.next_series(&self.series, ids, range_ms, times, values);
        self.next += 1;
        if without_damaged(&self.core, &self.file, read.map_err(ReadError::from))?.is_none() {
            self.next = self.ids.len();
            times.clear();
            values.clear();
        }
        Ok(())
    }
}
