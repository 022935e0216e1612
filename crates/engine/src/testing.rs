//! Rows for tests.

use std::sync::Arc;

use arrow::array::RecordBatch;
use model::Timestamp;
use model::event::{Attributes, DeployEvent, LogEvent, Origin};
use store::Row;

/// A row of the table of deploys; the time is in its id too.
pub(crate) fn deploy(time_ms: i64, service: &str) -> DeployEvent {
    DeployEvent {
        time: Timestamp::from_millis(time_ms),
        event_id: format!("e{time_ms}"),
        service: service.to_owned(),
        version: "1".into(),
        environment: (time_ms % 2 == 0).then(|| "production".to_owned()),
        description: None,
        url: None,
        attributes: Attributes::new(),
    }
}

/// Rows of the table of deploys at these times, in milliseconds.
pub(crate) fn deploys(times_ms: &[i64]) -> RecordBatch {
    let rows: Vec<DeployEvent> =
        times_ms.iter().map(|time| deploy(*time, &format!("service-{}", time.rem_euclid(3)))).collect();
    let rows = DeployEvent::to_batch(&rows).expect("rows of one table");
    store::conform(&rows, &store::schema(store::Table::Deploys)).expect("columns of the table")
}

/// Records of logs with these ids of a trace and a span, a millisecond apart from `first_ms` on.
pub(crate) fn logs(first_ms: i64, ids: &[(Option<&str>, Option<&str>)]) -> RecordBatch {
    let origin = Arc::new(Origin::default());
    let rows: Vec<LogEvent> = (first_ms..)
        .zip(ids)
        .map(|(time, (trace_id, span_id))| LogEvent {
            trace_id: trace_id.map(str::to_owned),
            span_id: span_id.map(str::to_owned),
            ..LogEvent::new(Timestamp::from_millis(time), Arc::clone(&origin))
        })
        .collect();
    LogEvent::to_batch(&rows).expect("rows of one table")
}
