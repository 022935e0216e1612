//! The four steps: limits, redaction, append, and the word to those who listen.

mod admit;
mod clean;
mod deltas;
mod derived;
mod exemplars;
mod fetched;
mod parts;
mod samples;

use std::sync::Arc;
use std::time::Duration;

use model::event::{Event, Flaws};
use model::{MetricBatch, TimeRange, Timestamp};
use parking_lot::{Mutex, RwLock};
use store::{
    AppendError, Batch, EventBatch, EventScan, FilterOp, Intake, QueryError, Retention, Table, TelemetryStore,
};
use tokio::task::JoinError;

use crate::account::{Account, Kind};
use crate::cumulative::{Bounds, Cumulative, HISTOGRAM_BYTES};
use crate::derive::{Derivation, DeriveSettings};
use crate::duplicates::{self, Claims, Duplicates, Seen};
use crate::hashed::Hashes;
use crate::key_lines::KeyLines;
use crate::metadata::MetadataStore;
use crate::sampling::{Sampling, SamplingSettings};
use crate::{Limits, Reason, Redactor, Source};
use clean::CleanSeries;
use fetched::FETCHED_IDS;
use parts::{IdKind, Part};

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

/// Why a batch was not stored.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The store has no room right now. Sending again later helps.
    #[error("nothing was stored; send it again")]
    Store(#[source] AppendError),
    /// The same of a part; those before it are stored.
    #[error("not all was stored; send all of it again")]
    Part(#[source] AppendError),
    /// Limiting, redacting or storing events ended in a panic. A fault of ours, which the same events would meet again.
    #[error("the work on events broke off")]
    Broken(#[source] JoinError),
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

impl IngestError {
    /// How what it was about is counted.
    fn reason(&self) -> Reason {
        match self {
            Self::Store(error) | Self::Part(error) => refusal_of(error),
            Self::Rows(_) | Self::Broken(_) | Self::Metrics(_) | Self::Recall(_) => Reason::Overloaded,
        }
    }

    /// Whether sending the same again may help by itself. What was stored of it is known by its ids, where it has some.
    pub fn is_passing(&self) -> bool {
        let (Self::Store(error) | Self::Part(error)) = self else { return false };
        matches!(error, AppendError::Overloaded { .. } | AppendError::DiskFull { .. })
    }

    /// The error, where something was stored before.
    fn after_a_part(self) -> Self {
        match self {
            Self::Store(error) => Self::Part(error),
            other => other,
        }
    }
}

impl From<JoinError> for IngestError {
    /// A task that did not end by itself: it has panicked, or everything ends.
    fn from(error: JoinError) -> Self {
        if error.is_panic() { Self::Broken(error) } else { Self::Store(AppendError::Closed) }
    }
}

/// How what a store did not take is counted.
fn refusal_of(error: &AppendError) -> Reason {
    match error {
        AppendError::TooLarge { .. } => Reason::TooLarge,
        AppendError::Overloaded { .. }
        | AppendError::DiskFull { .. }
        | AppendError::Poisoned
        | AppendError::Closed => Reason::Overloaded,
    }
}

/// What becomes of spans, beside being stored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpanSettings {
    /// What follows from them.
    pub derive: DeriveSettings,
    /// Which of them are kept.
    pub sampling: SamplingSettings,
}

/// The one path in.
pub struct Ingest {
    store: Arc<dyn TelemetryStore>,
    limits: Limits,
    redactor: Redactor,
    clean_series: CleanSeries,
    /// Private keys that come line by line.
    key_lines: KeyLines,
    retention: Retention,
    account: Account,
    seen_events: Arc<Mutex<Duplicates>>,
    /// Exemplars come in such numbers that they would make the ids of events be forgotten.
    seen_exemplars: Arc<Mutex<Duplicates>>,
    /// So do spans, and records of logs that have ids, audits among them.
    seen_records: Arc<Mutex<Duplicates>>,
    /// So do lines of Loki's shippers: each has an id, and where records have ids of their own they are few.
    seen_lines: Arc<Mutex<Duplicates>>,
    /// So do records of logs that we fetch. Whoever fetches them knows how far the store has them
    /// ([`Ingest::stored_log_ids`]), so few need to be remembered.
    seen_fetched: Arc<Mutex<Duplicates>>,
    /// Sums of what is sent as differences.
    cumulative: Cumulative,
    /// Events that follow from spans.
    derivation: Derivation,
    /// Which spans are kept.
    sampling: Sampling,
    metadata: MetadataStore,
    listeners: RwLock<Vec<Arc<dyn EventListener>>>,
}

impl Ingest {
    /// A path into `store`. Items older than `retention` says of them are refused. From spans follows what does by
    /// default.
    pub fn new(
        store: Arc<dyn TelemetryStore>,
        limits: Limits,
        redactor: Redactor,
        retention: impl Into<Retention>,
        registry: &prometheus::Registry,
    ) -> Result<Arc<Self>, IngestError> {
        Self::with_spans(store, limits, redactor, SpanSettings::default(), retention, registry)
    }

    /// The same, with what becomes of spans.
    pub fn with_spans(
        store: Arc<dyn TelemetryStore>,
        limits: Limits,
        redactor: Redactor,
        spans: SpanSettings,
        retention: impl Into<Retention>,
        registry: &prometheus::Registry,
    ) -> Result<Arc<Self>, IngestError> {
        Ok(Arc::new(Self {
            account: Account::new(registry).map_err(IngestError::Metrics)?,
            seen_events: Arc::new(Mutex::new(Duplicates::new(limits.remembered_event_ids))),
            seen_exemplars: Arc::new(Mutex::new(Duplicates::new(limits.remembered_event_ids))),
            seen_records: Arc::new(Mutex::new(Duplicates::new(limits.remembered_event_ids))),
            seen_lines: Arc::new(Mutex::new(Duplicates::new(limits.remembered_event_ids))),
            seen_fetched: Arc::new(Mutex::new(Duplicates::new(FETCHED_IDS))),
            cumulative: Cumulative::new(Bounds {
                max_series: limits.max_delta_series,
                histogram_bytes: HISTOGRAM_BYTES,
                idle: limits.delta_series_idle.0,
            }),
            derivation: Derivation::new(spans.derive, limits.max_name_bytes),
            sampling: Sampling::new(spans.sampling),
            metadata: MetadataStore::default(),
            listeners: RwLock::default(),
            store,
            limits,
            redactor,
            clean_series: CleanSeries::default(),
            key_lines: KeyLines::default(),
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
                self.seen(Source::EventsApi, *table).lock().settle(events.iter().filter_map(id_of), true);
                // Who has sent them is not stored with them.
                if matches!(table, Table::Logs | Table::AuditEvents) {
                    self.seen_lines.lock().settle(events.iter().filter_map(id_of), true);
                }
                if *table == Table::AuditEvents {
                    self.seen_records.lock().settle(events.iter().filter_map(id_of), true);
                }
                self.derivation.recall(events);
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

    /// Stores events of any table. Each that breaks a limit is rejected by its index, or cut where it is a record of a log
    /// or a span; the others go on. An event whose id was stored before is passed over, so sending a list twice is safe;
    /// those without an id (most records of logs) are stored as often as they are sent. Records of logs that keep account
    /// of what is done are stored as that.
    ///
    /// What is large is stored in parts, one after the other. Their ids are claimed and room for all of them is taken before
    /// the first is stored, so that what is refused for want of room is refused whole. Only a fault can come between;
    /// then all is to be sent again, and what was stored of it is known by its ids, where it has some.
    pub async fn append_events(
        self: &Arc<Self>,
        source: Source,
        events: Vec<Event>,
    ) -> Result<EventsOutcome, IngestError> {
        let (admitted, mut outcome) = self.admit_all(source, events).await?;
        let mut own = Hashes::default();
        let (parts, intake) = self.prepare(source, admitted, &mut own, &mut outcome)?;
        let mut parts = parts.into_iter();
        while let Some(part) = parts.next() {
            let sent = part.events.len();
            if let Err(error) = self.store_part(source, part, &intake, &mut own).await {
                let rest = parts.map(|part| part.events.len() as u64).sum();
                self.account.refused(source, Kind::Event, error.reason(), rest);
                return Err(if outcome.accepted > 0 { error.after_a_part() } else { error });
            }
            outcome.accepted += sent;
        }
        Ok(outcome)
    }

    /// The bounds that items must keep.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The ids of rows of a table.
    fn seen(&self, source: Source, table: Table) -> &Arc<Mutex<Duplicates>> {
        match IdKind::of(source, table) {
            IdKind::Event => &self.seen_events,
            IdKind::Exemplar => &self.seen_exemplars,
            IdKind::Record if source.is_fetched_log() => &self.seen_fetched,
            IdKind::Record if source == Source::Loki => &self.seen_lines,
            IdKind::Record => &self.seen_records,
        }
    }

    /// Stores a part. `own` are the ids that its request has claimed.
    async fn store_part(
        self: &Arc<Self>,
        source: Source,
        part: Part,
        intake: &Intake,
        own: &mut Hashes,
    ) -> Result<(), IngestError> {
        let Part { mut events, claims, flaws, .. } = part;
        let sent = events.len();
        let derived = self
            .add_derived(&mut events, own)
            .inspect_err(|_| self.account.refused(source, Kind::Event, Reason::Overloaded, sent as u64))?;
        let coming = Coming { events, sent, flaws, claims: [claims, derived], intake: intake.clone() };
        // In a task of its own: a caller who goes away must not leave ids claimed, nor events stored
        // that no listener heard of.
        let this = Arc::clone(self);
        let storing = tokio::spawn(async move { this.store_coming(source, coming).await });
        let refused =
            |error: &IngestError| self.account.refused(source, Kind::Event, error.reason(), sent as u64);
        storing.await.map_err(IngestError::from).inspect_err(refused)?
    }

    async fn store_coming(&self, source: Source, coming: Coming) -> Result<(), IngestError> {
        let Coming { events, sent, flaws, claims, intake } = coming;
        // What follows from spans, and what listeners count, is of all of them.
        let left_out = self.sampling.left_out(&events).await;
        if left_out.had_no_room {
            self.account.did_not_wait();
        }
        let is_kept = |place: &usize| !left_out.places.contains(place);
        let kept = (0..).zip(&events).filter(|(place, _)| is_kept(place)).map(|(_, event)| event);
        let stored = match store::batches_from_events(kept.clone()) {
            Ok(rows) => self.store_rows(rows, &intake).await,
            Err(error) => Err(IngestError::Rows(error)),
        };
        let derived = (events.len() - sent) as u64;
        match &stored {
            Ok(()) => {
                // Before listeners hear of them: what they do with events changes nothing about the store.
                claims.into_iter().for_each(Claims::stored);
                let sampled = left_out.places.len() as u64;
                self.account.refused(source, Kind::Event, Reason::Sampled, sampled);
                self.account.accepted(source, Kind::Event, sent as u64 - sampled);
                self.account.accepted(Source::Derived, Kind::Event, derived);
                if !flaws.is_empty() {
                    self.account.flawed(source, kept);
                }
                for listener in self.listeners.read().iter() {
                    listener.on_events(&events);
                }
            }
            Err(error) => {
                self.account.refused(source, Kind::Event, error.reason(), sent as u64);
                self.account.refused(Source::Derived, Kind::Event, error.reason(), derived);
            }
        }
        stored
    }

    async fn store_rows(&self, events: Vec<EventBatch>, intake: &Intake) -> Result<(), IngestError> {
        if events.is_empty() {
            return Ok(());
        }
        let batch = Batch { metrics: MetricBatch::new(), events };
        self.store.append_by(batch, intake).await.map_err(IngestError::Store)?;
        Ok(())
    }
}

/// Events on their way to the disk.
struct Coming {
    /// Those that were sent, then those that follow from them.
    events: Vec<Event>,
    /// How many were sent.
    sent: usize,
    /// What is not right about any of these; nothing is wrong with what follows from them.
    flaws: Flaws,
    /// The ids of both.
    claims: [Claims; 2],
    /// By what right they come.
    intake: Intake,
}

/// The newest rows of a table, `limit` of them, that have ids.
fn newest_with_ids(table: Table, limit: usize) -> EventScan {
    if table != Table::Logs {
        let newest = EventScan::new(table, TimeRange::ALL, limit).newest_first();
        return if table == Table::AuditEvents { fetched::left_out(newest) } else { newest };
    }
    // Few records of logs have ids, and none may be found however far one looks.
    let recent = TimeRange::new(Timestamp::now().before(RECENT_LOGS), Timestamp::MAX);
    let scan = EventScan::new(table, recent, limit).with("event_id", FilterOp::NotEqual, "").newest_first();
    fetched::left_out(scan)
}

/// Records of logs that can be recognised after a restart: whoever sends again does so within minutes.
const RECENT_LOGS: Duration = Duration::from_secs(3600);

/// What an event is recognised by, if it has an id.
fn id_of(event: &Event) -> Option<u128> {
    event.event_id().map(|id| duplicates::hash(store::table_of(event).name(), &id))
}

/// Claims the ids of `events`; gives back the events that are new, with their ids; events without an id are always
/// new. When one is on its way to the disk in another request, nothing is claimed and all must be sent again: it cannot
/// be acknowledged before it is durable. `own` are the ids that the request itself has claimed; those of `events` become
/// some of them.
fn claim(
    seen: &Arc<Mutex<Duplicates>>,
    events: Vec<Event>,
    own: &mut Hashes,
    outcome: &mut EventsOutcome,
) -> Result<(Vec<Event>, Claims), IngestError> {
    let ids: Vec<Option<u128>> = events.iter().map(id_of).collect();
    let mut claimed = Vec::with_capacity(events.len());
    // Of records of logs few may have one.
    let count = ids.iter().flatten().count();
    own.reserve(count);
    // Before the lock, so that it is dropped after it: it needs the lock itself.
    let mut claims = Claims::with_capacity(Arc::clone(seen), count);
    let mut duplicates = seen.lock();
    // Nothing becomes stored while the lock is held.
    let stored = duplicates.are_stored(&ids);
    for ((event, id), is_stored) in events.into_iter().zip(ids).zip(stored) {
        let Some(id) = id else {
            claimed.push(event);
            continue;
        };
        match duplicates.claim_knowing(id, is_stored) {
            Seen::New => {
                own.insert(id);
                claims.add(id);
                claimed.push(event);
            }
            Seen::Stored => outcome.duplicates += 1,
            Seen::InFlight if own.contains(&id) => outcome.duplicates += 1,
            Seen::InFlight => {
                let what = "the same event is being stored for another request";
                return Err(IngestError::Store(AppendError::Overloaded { what }));
            }
        }
    }
    drop(duplicates);
    Ok((claimed, claims))
}

#[cfg(test)]
mod tests;
