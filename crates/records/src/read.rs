//! Reading records of logs: the rows of both tables that hold them, as one list.

use std::vec;

use arrow::array::RecordBatch;
use model::event::{AuditEvent, LogEvent};
use model::{TimeRange, Timestamp};
use search::Datum;
use store::{ColumnError, EventScan, Order, Row, Table, TelemetryStore};

use crate::Error;
use crate::audits::log_of_audit;
use crate::fields::{Holds, Source};
use crate::values::Values;

/// The first records, in the order and up to the limit of the scans that `scan` makes: the same of each table.
pub(crate) fn read(
    store: &dyn TelemetryStore,
    scan: impl Fn(Table) -> EventScan,
) -> Result<Vec<LogEvent>, Error> {
    in_order(store, scan)?.collect()
}

/// The same one by one, so that not all of them need be kept.
///
/// Of one time those of logs stand before what is audited, in the order of ascending time. Where there are as many logs
/// as are wanted, nothing is read of the other table that would stand behind them.
pub(crate) fn in_order(
    store: &dyn TelemetryStore,
    scan: impl Fn(Table) -> EventScan,
) -> Result<InOrder, Error> {
    let of_logs = scan(Table::Logs);
    let logs = store.scan(&of_logs).map_err(Error::Read)?;
    let mut of_audits = scan(Table::AuditEvents);
    if let Some(last) = last_time(&logs)
        && count(&logs) >= of_logs.limit
    {
        let TimeRange { start, end } = of_audits.range;
        of_audits.range = match of_logs.order {
            Order::OldestFirst => TimeRange::new(start, end.min(last)),
            Order::NewestFirst => TimeRange::new(start.max(last), end),
        };
    }
    let audits = store.scan(&of_audits).map_err(Error::Read)?;
    Ok(InOrder {
        order: of_logs.order,
        left: of_logs.limit.min(count(&logs) + count(&audits)),
        logs: Rows::of(logs, LogEvent::from_batch)?,
        audits: Rows::of(audits, |rows| {
            Ok(AuditEvent::from_batch(rows)?.into_iter().map(log_of_audit).collect())
        })?,
    })
}

fn count(batches: &[RecordBatch]) -> usize {
    batches.iter().map(RecordBatch::num_rows).sum()
}

/// When the last of some rows was.
fn last_time(batches: &[RecordBatch]) -> Option<Timestamp> {
    let rows = batches.iter().rfind(|rows| rows.num_rows() > 0)?;
    let time = Source::Column("time", Holds::Time);
    let times = Values::of(rows, &time);
    match times.get(rows.num_rows() - 1) {
        Some(Datum::Time(time)) => Some(time),
        _ => None,
    }
}

/// Records of both tables in an order, made of their rows as they are asked for.
pub(crate) struct InOrder {
    logs: Rows,
    audits: Rows,
    order: Order,
    /// How many are still to come.
    pub(crate) left: usize,
}

impl InOrder {
    /// Whether the next one is of logs.
    fn is_log(&self) -> bool {
        match (&self.logs.next, &self.audits.next, self.order) {
            (Some(log), Some(audit), Order::OldestFirst) => log.time <= audit.time,
            (Some(log), Some(audit), Order::NewestFirst) => log.time > audit.time,
            (_, audit, _) => audit.is_none(),
        }
    }
}

impl Iterator for InOrder {
    type Item = Result<LogEvent, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let rows = if self.is_log() { &mut self.logs } else { &mut self.audits };
        rows.take().transpose()
    }
}

/// How records are made of the rows of a table.
type Make = fn(&RecordBatch) -> Result<Vec<LogEvent>, ColumnError>;

/// The records of one table.
struct Rows {
    batches: vec::IntoIter<RecordBatch>,
    make: Make,
    /// Those of the batch at which we are.
    records: vec::IntoIter<LogEvent>,
    /// The one that comes next.
    next: Option<LogEvent>,
}

impl Rows {
    fn of(batches: Vec<RecordBatch>, make: Make) -> Result<Self, Error> {
        let (batches, records) = (batches.into_iter(), Vec::new().into_iter());
        let mut rows = Self { batches, make, records, next: None };
        rows.take()?;
        Ok(rows)
    }

    /// The one that was next.
    fn take(&mut self) -> Result<Option<LogEvent>, Error> {
        let following = loop {
            if let Some(record) = self.records.next() {
                break Some(record);
            }
            let Some(batch) = self.batches.next() else { break None };
            self.records = (self.make)(&batch).map_err(Error::Rows)?.into_iter();
        };
        Ok(std::mem::replace(&mut self.next, following))
    }
}
