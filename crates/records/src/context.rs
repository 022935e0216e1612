//! What stands around a record of a log: what the same source said just before and after it.
//!
//! A record is found by its id among those of its time, of which there may be very many where clocks or formats are
//! coarse. They are read from the newest on, more at a time until it is among them; only what is shown of them is kept.

use std::collections::VecDeque;

use model::event::LogEvent;
use model::{TimeRange, Timestamp};
use store::{Cancel, EventScan, Order, Predicate, Table, TelemetryStore};

use crate::Error;
use crate::audits::equals;
use crate::page::{MAX_ROWS, id_of_log};
use crate::read::{in_order, read};

/// How many records of the time of the one in the middle are looked through for it.
pub(crate) const MAX_OF_ITS_TIME: usize = 100_000;
/// How many more are read than are shown, at first, as others may be of the same time; and how many times as many when
/// it is not among them.
const AT_FIRST: usize = 32;
const GROWTH: usize = 8;

/// Whose records are shown; what is not said may be any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    /// By which of what is said a record is none of these.
    pub fn excluding(&self, log: &LogEvent) -> Vec<&'static str> {
        let said = [
            ("service", &self.service, &log.origin.service),
            ("instance", &self.instance, &log.origin.service_instance_id),
            ("host", &self.host, &log.origin.host),
            ("scope", &self.scope, &log.origin.scope_name),
            ("trace_id", &self.trace_id, &log.trace_id),
            ("job_id", &self.job_id, &log.conventions.job_id),
        ];
        let others = said.into_iter().filter(|(_, wanted, has)| wanted.is_some() && wanted != has);
        others.map(|(name, _, _)| name).collect()
    }

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
/// around the last one of that time. `None` if there is none with that id.
pub fn around(
    store: &dyn TelemetryStore,
    context: &Context,
    (time, id): (Timestamp, Option<u64>),
    (before, after): (usize, usize),
    cancel: &Cancel,
) -> Result<Option<Around>, Error> {
    let (before, after) = (before.min(MAX_ROWS), after.min(MAX_ROWS));
    let source = Source { store, context, cancel };
    let (mut items, newer, place) = match id {
        Some(id) => {
            let Some(found) = source.up_to(time, id, (before, after))? else { return Ok(None) };
            let place = found.older.len().checked_sub(1);
            (found.older, found.newer, place)
        }
        None => {
            let mut items =
                source.read(TimeRange::new(Timestamp::MIN, time), Order::NewestFirst, before + 1)?;
            let is_there = items.first().is_some_and(|log| log.time == time);
            items.truncate(before + usize::from(is_there));
            let place = items.len().checked_sub(1).filter(|_| is_there);
            (items, VecDeque::new(), place)
        }
    };
    items.reverse();
    let left = after.saturating_sub(newer.len());
    items.extend(newer.into_iter().rev());
    if let Some(next) = time.as_nanos().checked_add(1)
        && left > 0
    {
        let later = TimeRange::new(Timestamp::from_nanos(next), Timestamp::MAX);
        items.extend(source.read(later, Order::OldestFirst, left)?);
    }
    Ok(Some(Around { items, place }))
}

/// Where records are looked for.
struct Source<'a> {
    store: &'a dyn TelemetryStore,
    context: &'a Context,
    cancel: &'a Cancel,
}

impl Source<'_> {
    fn scan(&self, table: Table, range: TimeRange, order: Order, limit: usize) -> EventScan {
        let scan = EventScan { order, ..EventScan::new(table, range, limit) };
        EventScan { filters: self.context.predicates(table), ..scan.stopped_by(self.cancel) }
    }

    fn read(&self, range: TimeRange, order: Order, limit: usize) -> Result<Vec<LogEvent>, Error> {
        read(self.store, |table| self.scan(table, range, order, limit))
    }

    /// The record with an id, what is before it, and what is behind it of its time.
    fn up_to(&self, time: Timestamp, id: u64, sides: (usize, usize)) -> Result<Option<Sides>, Error> {
        let range = TimeRange::new(Timestamp::MIN, time);
        let mut limit = sides.0 + 1 + AT_FIRST;
        loop {
            let records = in_order(self.store, |table| self.scan(table, range, Order::NewestFirst, limit))?;
            let is_all = records.left < limit;
            let looked = Sides::of(records, (time, id), sides)?;
            match looked.older.len() {
                // It would stand before what is of another time.
                0 if is_all || looked.is_past => return Ok(None),
                0 if limit > MAX_OF_ITS_TIME => return Err(Error::TooManyOfOneTime),
                0 => limit = limit.saturating_mul(GROWTH).min(MAX_OF_ITS_TIME + 1),
                shown if is_all || shown > sides.0 => return Ok(Some(looked)),
                // What is before it was not read.
                _ => limit = looked.passed + 1 + sides.0,
            }
        }
    }
}

/// What stands on both sides of a record.
#[derive(Default)]
struct Sides {
    /// What is of its time and newer, as far as it is shown; newest first.
    newer: VecDeque<LogEvent>,
    /// How many those are altogether.
    passed: usize,
    /// The record, and what is before it; newest first. Empty if it is not there.
    older: Vec<LogEvent>,
    /// Whether there are records of an earlier time.
    is_past: bool,
}

impl Sides {
    /// Of records, newest first.
    fn of(
        records: impl Iterator<Item = Result<LogEvent, Error>>,
        (time, id): (Timestamp, u64),
        (before, after): (usize, usize),
    ) -> Result<Self, Error> {
        let mut sides = Self::default();
        for log in records {
            let log = log?;
            sides.is_past |= log.time < time;
            if !sides.older.is_empty() || (log.time == time && id_of_log(&log) == id) {
                sides.older.push(log);
                if sides.older.len() > before {
                    return Ok(sides);
                }
            } else if sides.is_past {
                return Ok(sides);
            } else {
                sides.passed += 1;
                sides.newer.push_back(log);
                if sides.newer.len() > after {
                    sides.newer.pop_front();
                }
            }
        }
        Ok(sides)
    }
}
