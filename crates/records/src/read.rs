//! Reading records of logs: the rows of both tables that hold them, as one list.

use model::TimeRange;
use model::event::{AuditEvent, LogEvent};
use store::{EventScan, Order, Row, Table, TelemetryStore};

use crate::Error;
use crate::audits::log_of_audit;

/// The first records, in the order and up to the limit of the scans that `scan` makes: the same of each table.
///
/// Of one time those of logs stand before what is audited, in the order of ascending time. Where there are as many logs
/// as are wanted, nothing is read of the other table that would stand behind them.
pub(crate) fn read(
    store: &dyn TelemetryStore,
    scan: impl Fn(Table) -> EventScan,
) -> Result<Vec<LogEvent>, Error> {
    let of_logs = scan(Table::Logs);
    let logs: Vec<LogEvent> = rows(store, &of_logs)?;
    let mut of_audits = scan(Table::AuditEvents);
    if let Some(last) = logs.last()
        && logs.len() >= of_logs.limit
    {
        let TimeRange { start, end } = of_audits.range;
        of_audits.range = match of_logs.order {
            Order::OldestFirst => TimeRange::new(start, end.min(last.time)),
            Order::NewestFirst => TimeRange::new(start.max(last.time), end),
        };
    }
    let audits: Vec<AuditEvent> = rows(store, &of_audits)?;
    Ok(merged(logs, audits.into_iter().map(log_of_audit).collect(), of_logs.order, of_logs.limit))
}

/// Two lists in an order, as one.
fn merged(logs: Vec<LogEvent>, audits: Vec<LogEvent>, order: Order, limit: usize) -> Vec<LogEvent> {
    if audits.is_empty() {
        return logs;
    }
    let (mut all, behind) = match order {
        Order::OldestFirst => (logs, audits),
        Order::NewestFirst => (audits, logs),
    };
    all.extend(behind);
    // What is of one time keeps its place.
    match order {
        Order::OldestFirst => all.sort_by_key(|log| log.time),
        Order::NewestFirst => all.sort_by_key(|log| std::cmp::Reverse(log.time)),
    }
    all.truncate(limit);
    all
}

fn rows<R: Row>(store: &dyn TelemetryStore, scan: &EventScan) -> Result<Vec<R>, Error> {
    let mut rows = Vec::new();
    for batch in store.scan(scan).map_err(Error::Read)? {
        rows.extend(R::from_batch(&batch).map_err(Error::Rows)?);
    }
    Ok(rows)
}
