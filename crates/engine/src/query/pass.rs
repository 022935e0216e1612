//! Going over series and rows, however many there are, for as long as it takes.

use std::sync::Arc;

use arrow::array::RecordBatch;
use model::TimeRange;
use store::{EventPass, Matcher, Order, QueryError, SeriesBuffer, SeriesCursor};

use crate::core::Core;
use crate::events::filter::RowFilter;
use crate::events::read::{Share, Step, Wanted};
use crate::query::reader::Reader;
use crate::query::scan::project;
use crate::query::streams::of_view;

/// Hands all series that match to `each`.
pub(crate) fn each_series(
    core: &Arc<Core>,
    matchers: &[Matcher],
    range: TimeRange,
    each: &mut dyn FnMut(&mut SeriesBuffer) -> Result<(), QueryError>,
) -> Result<(), QueryError> {
    let mut cursor = of_view(core, &core.view(), matchers, range)?;
    let mut series = SeriesBuffer::default();
    while cursor.next_series(&mut series)? {
        each(&mut series)?;
    }
    Ok(())
}

/// Hands the rows that a pass wants to `each`, on the thread of whoever asks.
pub(crate) fn each_batch(
    core: &Arc<Core>,
    pass: &EventPass,
    each: &mut dyn FnMut(&RecordBatch) -> Result<(), QueryError>,
) -> Result<(), QueryError> {
    let schema = store::schema(pass.table);
    let filter = RowFilter::new(&schema, pass.filters.iter().cloned())?;
    let schema = project(&schema, &pass.columns)?;
    let wanted = Wanted {
        schema,
        entries: pass.entries.clone(),
        values: Vec::new(),
        filter,
        range: pass.range,
        order: Order::OldestFirst,
        first: None,
        tally: Arc::default(),
    };
    let mut reader = Reader::new(core, &core.view(), pass.table, &Arc::new(wanted), Share::ALL);
    loop {
        match reader.step(pass.range)? {
            Step::Rows(rows) if rows.rows.num_rows() > 0 => each(&rows.rows)?,
            Step::Rows(_) | Step::Nothing => {}
            Step::End => return Ok(()),
        }
        if pass.cancel.is_cancelled() {
            return Err(QueryError::Stopped("nobody waits for it any more"));
        }
    }
}
