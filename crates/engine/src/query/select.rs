//! Selecting series with their samples.

use std::sync::Arc;

use model::Timestamp;
use store::{QueryError, SelectRequest, SeriesCursor};

use crate::core::Core;
use crate::query::ahead::{self, Ahead};
use crate::query::cursor::Cursor;
use crate::query::millis;
use crate::query::sources::{Source, sources};
use crate::rollup::StandIns;

/// Opens a cursor over the series that a request wants at `now`.
pub(crate) fn select(
    core: &Arc<Core>,
    request: &SelectRequest,
    now: Timestamp,
) -> Result<Box<dyn SeriesCursor>, QueryError> {
    let view = core.view();
    let stand_ins = StandIns::find(core, &view, request.range, now);
    let kept = core.kept.range_of_series(request.range, now);
    let of_samples = match kept {
        Some(range) => sources(core, &view, &request.matchers, range, &request.cancel)?,
        None => Vec::new(),
    };
    let samples_ms = kept.map_or((0, -1), millis);
    let samples = core.kept.trimmed(open(core, request, of_samples, samples_ms), now);
    stand_ins.join(core, request, samples, now)
}

/// A cursor over sources, which reads ahead when they have many series.
pub(crate) fn open(
    core: &Arc<Core>,
    request: &SelectRequest,
    mut sources: Vec<Source>,
    range_ms: (i64, i64),
) -> Box<dyn SeriesCursor> {
    let max_samples = request.max_samples.min(core.config.max_query_samples);
    let together = sources.len();
    sources.iter_mut().for_each(|source| source.share_with(together));
    if let Some(values) = &request.values {
        sources.iter_mut().for_each(|source| source.pass_over_outside(values));
    }
    let is_large = sources.iter().map(Source::len).sum::<usize>() >= ahead::MIN_SERIES;
    let cursor = Cursor::new(Arc::clone(core), sources, range_ms, max_samples, request.cancel.clone());
    if !is_large {
        return Box::new(cursor);
    }
    match Ahead::begin(cursor, &core.spare) {
        Ok(ahead) => Box::new(ahead),
        Err(cursor) => Box::new(cursor),
    }
}
