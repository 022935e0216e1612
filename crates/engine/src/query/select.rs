//! Selecting series with their samples.

use std::sync::Arc;

use store::{QueryError, SelectRequest, SeriesCursor};

use crate::core::Core;
use crate::query::ahead::{self, Ahead};
use crate::query::cursor::Cursor;
use crate::query::millis;
use crate::query::sources::{Source, sources};

/// Opens a cursor over the series that a request wants.
pub(crate) fn select(core: &Arc<Core>, request: &SelectRequest) -> Result<Box<dyn SeriesCursor>, QueryError> {
    let view = core.view();
    let sources = sources(core, &view, &request.matchers, request.range)?;
    let max_samples = request.max_samples.min(core.config.max_query_samples);
    let is_large = sources.iter().map(Source::len).sum::<usize>() >= ahead::MIN_SERIES;
    let range = millis(request.range);
    let cursor = Cursor::new(Arc::clone(core), sources, range, max_samples, request.cancel.clone());
    if !is_large {
        return Ok(Box::new(cursor));
    }
    Ok(match Ahead::begin(cursor) {
        Ok(ahead) => Box::new(ahead),
        Err(cursor) => Box::new(cursor),
    })
}
