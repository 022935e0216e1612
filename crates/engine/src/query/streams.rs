//! Series of blocks and heads for whoever goes over everything: merging, rolling up, archiving, exporting. What is
//! held of a block does not depend on how many series it has.

use std::sync::Arc;

use model::TimeRange;
use store::{Cancel, Matcher, QueryError, SeriesBuffer};

use crate::block::read::SamplesLeft;
use crate::block::stream::BlockStream;
use crate::core::{Core, View};
use crate::files::StoredFile;
use crate::head::Head;
use crate::query::cursor::Cursor;
use crate::query::sources::{HeadSource, SeriesKey, SeriesSource, blocks};
use crate::query::{ReadError, millis, without_damaged};

/// Times that series share, held by all blocks together that are read at once; four bytes each.
const MAX_TIMES: usize = 8 << 20;

/// A head or a block, all of it.
pub(crate) enum Stream {
    Head(HeadSource),
    Block { core: Arc<Core>, file: Arc<StoredFile>, series: Box<BlockStream> },
}

/// All that matches in a range of files and heads, merged; the older sources come first.
pub(crate) fn everything(
    core: &Arc<Core>,
    files: &[Arc<StoredFile>],
    heads: &[Arc<Head>],
    matchers: &[Matcher],
    range: TimeRange,
) -> Result<Cursor<Stream>, QueryError> {
    let mut sources = Vec::new();
    for file in files {
        let opened = BlockStream::open(file, matchers, millis(range), MAX_TIMES / files.len());
        if let Some(series) = without_damaged(core, file, opened.map_err(ReadError::from))? {
            let (core, file, series) = (Arc::clone(core), Arc::clone(file), Box::new(series));
            sources.push(Stream::Block { core, file, series });
        }
    }
    sources.extend(
        heads.iter().filter_map(|head| HeadSource::matching(head, matchers, range)).map(Stream::Head),
    );
    Ok(Cursor::new(Arc::clone(core), sources, millis(range), u64::MAX, Cancel::never()))
}

/// All that matches in a range of a view.
pub(crate) fn of_view(
    core: &Arc<Core>,
    view: &View,
    matchers: &[Matcher],
    range: TimeRange,
) -> Result<Cursor<Stream>, QueryError> {
    let files: Vec<_> = blocks(view, range).map(Arc::clone).collect();
    let heads: Vec<_> = view.frozen.iter().chain([&view.head]).map(Arc::clone).collect();
    everything(core, &files, &heads, matchers, range)
}

impl SeriesSource for Stream {
    fn key(&self) -> Option<SeriesKey> {
        match self {
            Self::Head(head) => head.key(),
            Self::Block { series, .. } => series.labels().map(|labels| SeriesKey::Owned(labels.clone())),
        }
    }

    /// Whoever goes over everything takes series however long they are.
    fn read(
        &mut self,
        range_ms: (i64, i64),
        left: SamplesLeft,
        into: &mut SeriesBuffer,
    ) -> Result<bool, QueryError> {
        match self {
            Self::Head(head) => head.read(range_ms, left, into),
            Self::Block { core, file, series } => {
                let read = series.read(range_ms, into).map_err(ReadError::from);
                if without_damaged(core, file, read)?.is_none() {
                    series.end();
                    into.times_ms.clear();
                    into.values.clear();
                }
                Ok(true)
            }
        }
    }
}
