//! Selecting series with their samples.

use std::sync::Arc;

use store::{QueryError, SelectRequest, SeriesCursor};

use crate::core::Core;
use crate::query::cursor::Cursor;
use crate::query::millis;
use crate::query::sources::sources;

/// Opens a cursor over the series that a request wants.
pub(crate) fn select(core: &Arc<Core>, request: &SelectRequest) -> Result<Box<dyn SeriesCursor>, QueryError> {
    let view = core.view();
    let sources = sources(core, &view, &request.matchers, request.range)?;
    let max_samples = request.max_samples.min(core.config.max_query_samples);
    Ok(Box::new(Cursor::new(Arc::clone(core), sources, millis(request.range), max_samples)))
}
