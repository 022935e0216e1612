//! The four steps: limits, redaction, append, and the word to those who listen.

mod clean;
mod deltas;
mod exemplars;
mod records;
mod samples;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use model::event::Event;
use model::{MetricBatch, TimeRange, Timestamp};
use parking_lot::{Mutex, RwLock};
use store::{AppendError, Batch, EventScan, FilterOp, QueryError, Retention, Table, TelemetryStore};

use crate::account::{Account, Kind};
use crate::cumulative::Cumulative;
use crate::duplicates::{self, Duplicates, Seen};
use crate::metadata::MetadataStore;
use crate::texts::{self, Place};
use crate::{Limits, Reason, Redactor, Source};
use clean::{CleanSeries, Cleaner};
use records::Origins;

/// Hears of events once they are durable. Must not block: it is called on the way to the answer.
pub trait EventListener: Send + Sync {
    /// These events were stored just now, each for the first time.
    fn on_events(&self, events: &[Event]);
}

/// What became of a list of events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventsOutcome {
    /// Events that are stored now.
    pub accepted: usize,
    /// Events that had been stored before.
    pub duplicates: usize,
    /// Events that were refused, by their place in the list.
    pub rejected: Vec<Rejection>,
}

/// One event that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Its place in the list.
    pub index: usize,
    /// Why, in words that say what to change.
    pub reason: String,
}

/// Why nothing of a batch was stored.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The store has no room right now. Sending again later helps.
    #[error("nothing was stored; send it again")]
    Store(#[source] AppendError),
    /// Rows could not be gathered. A fault of ours.
    #[error("events could not be made into rows")]
    Rows(#[source] store::ColumnError),
    /// The counters could not be registered: two of us share one registry.
    #[error("the counters of ingest could not be registered")]
    Metrics(#[source] prometheus::Error),
    /// The ids of stored events could not be read.
    #[error("the ids of stored events could not be read")]
    Recall(#[source] QueryError),
}

/// The one path in.
pub struct Ingest {
    store: Arc<dyn TelemetryStore>,
    limits: Limits,
    redactor: Redactor,
    clean_series: CleanSeries,
    retention: Retention,
    account: Account,
    seen_events: Arc<Mutex<Duplicates>>,
    /// Exemplars come in such numbers that they would make the ids of events be forgotten.
    seen_exemplars: Arc<Mutex<Duplicates>>,
    /// So do spans, and records of logs that have ids.
    seen_records: Arc<Mutex<Duplicates>>,
    /// So do records of logs that we fetch. Whoever fetches them knows how far the store has them
    /// ([`Ingest::stored_log_ids`]), so few need to be remembered.
    seen_fetched: Arc<Mutex<Duplicates>>,
    /// Sums of what is sent as differences.
    cumulative: Cumulative,
    metadata: MetadataStore,
    listeners: RwLock<Vec<Arc<dyn EventListener>>>,
}

impl Ingest {
    /// A path into `store`. Items older than `retention` says of them are refused.
    pub fn new(
        store: Arc<dyn TelemetryStore>,
        limits: Limits,
        redactor: Redactor,
        retention: impl Into<Retention>,
        registry: &prometheus::Registry,
    ) -> Result<Arc<Self>, IngestError> {
        Ok(Arc::new(Self {
            account: Account::new(registry).map_err(IngestError::Metrics)?,
            seen_events: Arc::new(Mutex::new(Duplicates::new(limits.remembered_event_ids))),
            seen_exemplars: Arc::new(Mutex::new(Duplicates::new(limits.remembered_event_ids))),
            seen_records: Arc::new(Mutex::new(Duplicates::new(limits.remembered_event_ids))),
            seen_fetched: Arc::new(Mutex::new(Duplicates::new(FETCHED_IDS))),
            cumulative: Cumulative::new(limits.max_delta_series, limits.delta_series_idle.0),
            metadata: MetadataStore::default(),
            listeners: RwLock::default(),
            store,
            limits,
            redactor,
            clean_series: CleanSeries::default(),
            retention: retention.into(),
        }))
    }

    /// Adds a listener.
    pub fn subscribe(&self, listener: Arc<dyn EventListener>) {
        self.listeners.write().push(listener);
    }

    /// Reads the ids of the newest stored events, so that what was sent before a restart is
    /// recognised when it is sent again. Blocks; call it before anything is taken in.
    pub fn recall(&self) -> Result<usize, IngestError> {
        let share = self.limits.remembered_event_ids / 2 / Table::ALL.len();
        let mut count = 0;
        for table in Table::ALL {
            let mut limit = share;
            let batches = loop {
                let scan = newest_with_ids(*table, limit);
                match self.store.scan(&scan) {
                    // Large rows: fewer of them fit into a scan, and fewer ids are better than no start.
                    Err(QueryError::LimitReached(_)) if limit > 1 => limit /= 2,
                    result => break result.map_err(IngestError::Recall)?,
                }
            };
            for batch in batches {
                let events = store::events_from_batch(*table, &batch).map_err(IngestError::Rows)?;
                count += events.len();
                self.seen(*table).lock().settle(events.iter().filter_map(id_of), true);
            }
        }
        Ok(count)
    }

    /// Counts what never came as far as an event.
    pub fn refuse_events(&self, source: Source, reason: Reason, count: u64) {
        self.account.refused(source, Kind::Event, reason, count);
    }

    /// Counts what never came as far as a sample.
    pub fn refuse_samples(&self, source: Source, reason: Reason, count: u64) {
        self.account.refused(source, Kind::Sample, reason, count);
    }

    /// Stores events. Each that breaks a limit is rejected by its index; the others go on. An event
    /// whose id was stored before is passed over, so sending a list twice is safe.
    pub async fn append_events(
        self: &Arc<Self>,
        source: Source,
        events: Vec<Event>,
    ) -> Result<EventsOutcome, IngestError> {
        self.append_to(&self.seen_events, source, events).await
    }

    /// The ids of rows of a table.
    fn seen(&self, table: Table) -> &Arc<Mutex<Duplicates>> {
        match table {
            Table::Exemplars => &self.seen_exemplars,
            Table::Logs | Table::Spans => &self.seen_records,
            Table::JobEvents
            | Table::StageEvents
            | Table::ComponentEvents
            | Table::WorkerEvents
            | Table::Requests
            | Table::LlmCalls
            | Table::Feedback
            | Table::Deploys
            | Table::Exits => &self.seen_events,
        }
    }

    async fn append_to(
        self: &Arc<Self>,
        seen: &Arc<Mutex<Duplicates>>,
        source: Source,
        events: Vec<Event>,
    ) -> Result<EventsOutcome, IngestError> {
        let mut outcome = EventsOutcome::default();
        let mut admitted = Vec::with_capacity(events.len());
        let now = Timestamp::now();
        let mut origins = Origins::default();
        for (index, mut event) in events.into_iter().enumerate() {
            let admission = match &mut event {
                Event::Log(log) => self.admit_log(source, log, now, &mut origins),
                Event::Span(span) => self.admit_span(source, span, now, &mut origins),
                event => self.admit(source, event, now),
            };
            match admission {
                Ok(()) => admitted.push(event),
                Err((reason, text)) => {
                    self.account.refused(source, Kind::Event, reason, 1);
                    outcome.rejected.push(Rejection { index, reason: text });
                }
            }
        }
        let (claimed, ids) = claim(seen, admitted, &mut outcome)?;
        self.account.refused(source, Kind::Event, Reason::Duplicate, outcome.duplicates as u64);
        outcome.accepted = claimed.len();
        if claimed.is_empty() {
            return Ok(outcome);
        }
        // In a task of its own: a caller who goes away must not leave ids claimed, nor events stored
        // that no listener heard of.
        let (this, seen) = (Arc::clone(self), Arc::clone(seen));
        let storing = tokio::spawn(async move { this.store_claimed(&seen, source, claimed, ids).await });
        storing.await.map_err(|_| IngestError::Store(AppendError::Closed))??;
        Ok(outcome)
    }

    async fn store_claimed(
        &self,
        seen: &Mutex<Duplicates>,
        source: Source,
        events: Vec<Event>,
        ids: Vec<u128>,
    ) -> Result<(), IngestError> {
        let stored = self.store_events(&events).await;
        seen.lock().settle(ids, stored.is_ok());
        match &stored {
            Ok(()) => {
                self.account.accepted(source, Kind::Event, events.len() as u64);
                for listener in self.listeners.read().iter() {
                    listener.on_events(&events);
                }
            }
            Err(_) => self.account.refused(source, Kind::Event, Reason::Overloaded, events.len() as u64),
        }
        stored
    }

    async fn store_events(&self, events: &[Event]) -> Result<(), IngestError> {
        let events = store::batches_from_events(events).map_err(IngestError::Rows)?;
        let batch = Batch { metrics: MetricBatch::new(), events };
        self.store.append(batch).await.map_err(IngestError::Store)?;
        Ok(())
    }

    /// Checks when an event happened.
    fn admit_time(&self, table: Table, time: Timestamp, now: Timestamp) -> Result<(), (Reason, String)> {
        let limits = &self.limits;
        let retention = self.retention.table(table);
        limits.check_time(time, now, now.before(retention)).map_err(|reason| {
            let text = match reason {
                Reason::Future => format!("time {time} is more than {} in the future", limits.max_future),
                _ => format!("time {time} is older than the retention of {}", model::DurationText(retention)),
            };
            (reason, text)
        })
    }

    /// Checks one event against the limits, and redacts it.
    fn admit(&self, source: Source, event: &mut Event, now: Timestamp) -> Result<(), (Reason, String)> {
        let limits = &self.limits;
        let table = store::table_of(event);
        self.admit_time(table, event.time(), now)?;
        let cleaner = Cleaner::new(self, source, table.name());
        let mut refusal = None;
        let mut check = |field: &str, name: &str| {
            if name.len() > limits.max_name_bytes {
                refusal.get_or_insert_with(|| {
                    format!("{field} has {} bytes, at most {} are taken", name.len(), limits.max_name_bytes)
                });
            }
        };
        texts::visit(event, |place| match place {
            Place::Id(field, id) => {
                check(field, id.as_str());
                cleaner.id(field, id);
            }
            Place::Name(field, name) => {
                check(field, name.as_str());
                cleaner.name(field, name);
            }
            Place::Text(field, text) => _ = cleaner.text(field, text),
            Place::Labels(labels) => _ = cleaner.attributes(labels),
        });
        let attributes = texts::attributes(event);
        let count = attributes.len();
        attributes.keys().for_each(|name| check("an attribute's name", name));
        cleaner.attributes(attributes);
        if count > limits.max_attributes {
            let text = format!("{count} attributes, at most {} are taken", limits.max_attributes);
            refusal.get_or_insert(text);
        }
        refusal.map_or(Ok(()), |text| Err((Reason::TooLarge, text)))
    }
}

/// The newest rows of a table, `limit` of them, that have ids.
fn newest_with_ids(table: Table, limit: usize) -> EventScan {
    if table != Table::Logs {
        return EventScan::new(table, TimeRange::ALL, limit).newest_first();
    }
    // Few records of logs have ids, and none may be found however far one looks.
    let recent = TimeRange::new(Timestamp::now().before(RECENT_LOGS), Timestamp::MAX);
    EventScan::new(table, recent, limit).with("event_id", FilterOp::NotEqual, "").newest_first()
}

/// How many records of logs that we fetch are remembered: more than are on the way at a time.
const FETCHED_IDS: usize = 1 << 16;

/// Records of logs that can be recognised after a restart: whoever sends again does so within minutes.
const RECENT_LOGS: Duration = Duration::from_secs(3600);

/// What an event is recognised by, if it has an id.
fn id_of(event: &Event) -> Option<u128> {
    event.event_id().map(|id| duplicates::hash(&id))
}

/// Claims the ids of `events`; gives back the events that are new, with their ids; events without an id are always
/// new. When one is on its way to the disk in another request, nothing is claimed and all must be sent again: it cannot
/// be acknowledged before it is durable.
fn claim(
    seen: &Mutex<Duplicates>,
    events: Vec<Event>,
    outcome: &mut EventsOutcome,
) -> Result<(Vec<Event>, Vec<u128>), IngestError> {
    let mut duplicates = seen.lock();
    let (mut claimed, mut ids) = (Vec::with_capacity(events.len()), Vec::with_capacity(events.len()));
    let mut own = HashSet::with_capacity(events.len());
    for event in events {
        let Some(id) = id_of(&event) else {
            claimed.push(event);
            continue;
        };
        match duplicates.claim(id) {
            Seen::New => {
                own.insert(id);
                ids.push(id);
                claimed.push(event);
            }
            Seen::Stored => outcome.duplicates += 1,
            Seen::InFlight if own.contains(&id) => outcome.duplicates += 1,
            Seen::InFlight => {
                duplicates.settle(ids, false);
                let what = "the same event is being stored for another request";
                return Err(IngestError::Store(AppendError::Overloaded { what }));
            }
        }
    }
    Ok((claimed, ids))
}

#[cfg(test)]
mod tests;
