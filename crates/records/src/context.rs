//! What stands around a record of a log: what the same source said just before and after it.

use model::event::LogEvent;
use model::{TimeRange, Timestamp};
use store::{Cancel, EventScan, Order, Predicate, Table, TelemetryStore};

use crate::Error;
use crate::audits::equals;
use crate::page::{MAX_ROWS, id_of_log};
use crate::read::read;

/// How many records of the time of the one in the middle are looked through for it.
const MAX_OF_ITS_TIME: usize = 1_000;

/// Whose records are shown; what is not said may be any.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// The application.
    pub service: Option<String>,
    /// Which of several that run it.
    pub instance: Option<String>,
    /// The host.
    pub host: Option<String>,
    /// What in the application wrote it.
    pub scope: Option<String>,
    /// The trace.
    pub trace_id: Option<String>,
    /// The job.
    pub job_id: Option<String>,
}

impl Context {
    fn predicates(&self, table: Table) -> Vec<Predicate> {
        let columns = [
            ("service", &self.service),
            ("service_instance_id", &self.instance),
            ("host", &self.host),
            ("scope_name", &self.scope),
            ("trace_id", &self.trace_id),
            ("job_id", &self.job_id),
        ];
        let said = columns.into_iter().filter_map(|(column, value)| Some((column, value.as_ref()?)));
        said.map(|(column, value)| equals(table, column, value)).collect()
    }
}

/// Records around one, in ascending time.
#[derive(Clone, Debug)]
pub struct Around {
    /// The records, that one among them if it was found.
    pub items: Vec<LogEvent>,
    /// Which of them it is.
    pub place: Option<usize>,
}

/// The records of the same source that stand around the one at a time, with this id ([`id_of_log`]); without an id,
/// around the last one of that time.
pub fn around(
    store: &dyn TelemetryStore,
    context: &Context,
    (time, id): (Timestamp, Option<u64>),
    (before, after): (usize, usize),
    cancel: &Cancel,
) -> Result<Around, Error> {
    let (before, after) = (before.min(MAX_ROWS), after.min(MAX_ROWS));
    let first = |range, order, limit| {
        read(store, |table| {
            let scan = EventScan { order, ..EventScan::new(table, range, limit) };
            EventScan { filters: context.predicates(table), ..scan.stopped_by(cancel) }
        })
    };
    let up_to = TimeRange::new(Timestamp::MIN, time);
    let is_it = |log: &LogEvent| log.time == time && id.is_none_or(|id| id_of_log(log) == id);
    let mut items = first(up_to, Order::NewestFirst, before + 1)?;
    // Many may have one time, and it may stand behind them.
    let others_first = items.first().is_some_and(|log| log.time == time && !is_it(log));
    if items.len() > before && others_first {
        items = first(up_to, Order::NewestFirst, before + 1 + MAX_OF_ITS_TIME)?;
    }
    // What is newer than that one, of its time, stands behind it.
    let newer = items.iter().position(is_it);
    items.truncate(newer.map_or(before, |newer| newer + 1 + before));
    items.reverse();
    let of_its_time = newer.unwrap_or(0);
    if let Some(next) = time.as_nanos().checked_add(1)
        && after > of_its_time
    {
        let later = TimeRange::new(Timestamp::from_nanos(next), Timestamp::MAX);
        items.extend(first(later, Order::OldestFirst, after - of_its_time)?);
    }
    let place = items.iter().rposition(is_it);
    items.truncate(place.map_or(items.len(), |place| place + 1 + after));
    Ok(Around { items, place })
}
