//! What an event must keep to be stored, and what is redacted of it.
//!
//! A pipeline event in which something is too large is refused: its sender can send it otherwise. A record of a log and a
//! span are kept without it, and say so: what is left of a record is worth more than none. An id is never cut, for cut it
//! would be that of something else.

use std::collections::HashMap;
use std::sync::Arc;

use model::Timestamp;
use model::event::{Attributes, Event, Flaw, Flaws, Origin};
use store::Table;

use super::clean::{Cleaner, cut};
use super::{EventsOutcome, Ingest, IngestError, Rejection};
use crate::account::Kind;
use crate::audited::Audits;
use crate::redact::PlainNames;
use crate::texts::{self, Place};
use crate::{Reason, Source};

/// Events below this, together, are gone over where they are; more of them would hold up other requests.
const ADMIT_HERE_BYTES: usize = 64 << 10;

impl Ingest {
    /// The events that may be stored, limited and redacted; the others are counted and rejected by their index.
    pub(super) async fn admit_all(
        self: &Arc<Self>,
        source: Source,
        events: Vec<Event>,
    ) -> Result<(Admitted, EventsOutcome), IngestError> {
        // Not beyond the bound: a large request has thousands of them.
        let mut sizes = events.iter().map(store::size_of_event);
        if sizes.try_fold(ADMIT_HERE_BYTES, usize::checked_sub).is_some() {
            return Ok(self.admit_each(source, events));
        }
        let this = Arc::clone(self);
        let work = move || this.admit_each(source, events);
        Ok(tokio::task::spawn_blocking(work).await?)
    }

    fn admit_each(&self, source: Source, mut events: Vec<Event>) -> (Admitted, EventsOutcome) {
        self.clean_key_lines(source, &mut events);
        let mut outcome = EventsOutcome::default();
        let mut admitted = Admitted::with_capacity(events.len());
        let now = Timestamp::now();
        let (mut remembered, mut audits) = (self.remembered(), Audits::new(&self.limits));
        for (index, event) in events.into_iter().enumerate() {
            let mut event = match event {
                Event::Log(log) => audits.take(log, index).map_or_else(Event::Log, Event::Audit),
                other => other,
            };
            match self.admit(source, &mut event, now, &mut remembered) {
                Ok(()) => admitted.push(event),
                Err((reason, text)) => {
                    self.account.refused(source, Kind::Event, reason, 1);
                    outcome.rejected.push(Rejection { index, reason: text });
                }
            }
        }
        (admitted, outcome)
    }

    /// What is remembered within a request; nothing as yet.
    pub(super) fn remembered(&self) -> Remembered<'_> {
        Remembered { origins: Origins::default(), names: PlainNames::new(&self.redactor) }
    }

    /// Checks one event against the limits, and redacts it.
    pub(super) fn admit(
        &self,
        source: Source,
        event: &mut Event,
        now: Timestamp,
        remembered: &mut Remembered<'_>,
    ) -> Result<(), (Reason, String)> {
        let table = store::table_of(event);
        self.admit_time(table, event.time(), now)?;
        let mut admission = Admission::new(self, source, table);
        admission.shorten(event, remembered);
        texts::visit(event, |place| admission.take(place, &mut remembered.names));
        admission.end(event)
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
}

/// Events that may be stored, and what was seen of them while they were at hand.
#[derive(Default)]
pub(super) struct Admitted {
    pub(super) events: Vec<Event>,
    /// About what each of them takes as a row, in bytes.
    pub(super) sizes: Vec<usize>,
    /// What is not right about any of them.
    pub(super) flaws: Flaws,
    /// Whether any of them has an id.
    pub(super) have_ids: bool,
}

impl Admitted {
    fn with_capacity(count: usize) -> Self {
        Self { events: Vec::with_capacity(count), sizes: Vec::with_capacity(count), ..Self::default() }
    }

    fn push(&mut self, event: Event) {
        self.sizes.push(store::size_of_event(&event));
        self.flaws = self.flaws.join(event.flaws());
        // All others have one.
        self.have_ids |= !matches!(&event, Event::Log(log) if log.event_id.is_none());
        self.events.push(event);
    }
}

/// What is remembered of the events before, within a request.
pub(super) struct Remembered<'i> {
    origins: Origins,
    names: PlainNames<'i>,
}

/// What was made of the origins of records before: many records have one of few, by their loggers.
#[derive(Default)]
struct Origins {
    /// By where the origin lies that was sent, and the table of its record: rules may tell tables apart.
    seen: HashMap<(usize, Table), SeenOrigin>,
}

/// How many origins are remembered within a request.
const MAX_ORIGINS: usize = 256;

struct SeenOrigin {
    /// As it came. Held, so that no other can take its place in memory.
    sent: Arc<Origin>,
    cleaned: Arc<Origin>,
    flaws: Flaws,
}

impl Origins {
    fn of(&self, sent: &Arc<Origin>, table: Table) -> Option<&SeenOrigin> {
        self.seen.get(&(Arc::as_ptr(sent).addr(), table))
    }

    fn add(&mut self, table: Table, seen: SeenOrigin) {
        if self.seen.len() == MAX_ORIGINS {
            self.seen.clear();
        }
        self.seen.insert((Arc::as_ptr(&seen.sent).addr(), table), seen);
    }
}

/// What becomes of an event in which something is too large.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Excess {
    Refused,
    Cut,
}

/// Limits and redacts the parts of one event.
struct Admission<'i> {
    ingest: &'i Ingest,
    table: Table,
    cleaner: Cleaner<'i>,
    excess: Excess,
    /// What was cut.
    flaws: Flaws,
    /// Why the event is refused.
    refusal: Option<String>,
}

impl<'i> Admission<'i> {
    fn new(ingest: &'i Ingest, source: Source, table: Table) -> Self {
        let excess = match table {
            Table::Logs | Table::Spans => Excess::Cut,
            Table::JobEvents
            | Table::StageEvents
            | Table::ComponentEvents
            | Table::WorkerEvents
            | Table::Requests
            | Table::LlmCalls
            | Table::Feedback
            | Table::Deploys
            | Table::AuditEvents
            | Table::Exits
            | Table::Exemplars => Excess::Refused,
        };
        let cleaner = Cleaner::new(ingest, source, table.name());
        Self { ingest, table, cleaner, excess, flaws: Flaws::NONE, refusal: None }
    }

    /// Shortens the lists of a record, before any of their texts are looked at; other events have none.
    fn shorten(&mut self, event: &mut Event, remembered: &mut Remembered<'_>) {
        match event {
            Event::Log(log) => {
                self.origin(&mut log.origin, remembered);
                self.limit(&mut log.attributes, &mut log.dropped_attributes);
            }
            Event::Span(span) => {
                self.origin(&mut span.origin, remembered);
                self.limit(&mut span.attributes, &mut span.dropped_attributes);
                self.limit_list(&mut span.events, &mut span.dropped_events, Flaw::Events);
                for event in &mut span.events {
                    self.limit(&mut event.attributes, &mut event.dropped_attributes);
                }
                self.limit_list(&mut span.links, &mut span.dropped_links, Flaw::Links);
                for link in &mut span.links {
                    self.limit(&mut link.attributes, &mut link.dropped_attributes);
                }
            }
            _ => {}
        }
    }

    /// Limits and redacts what stands at a place.
    fn take(&mut self, place: Place<'_>, names: &mut PlainNames<'_>) {
        match place {
            Place::Id(field, id) => {
                if self.fits(field, id) {
                    self.cleaner.id(field, id);
                }
            }
            Place::OptionalId(field, id) => self.optional_id(field, id),
            Place::Name(field, name) => self.name(field, name),
            Place::Text(field, text) => {
                let is_cut = self.cleaner.text(field, text);
                self.note_cut(is_cut);
            }
            Place::Attributes(attributes) => {
                self.check_attributes(attributes);
                self.labels(attributes, names);
            }
            Place::Labels(labels) => self.labels(labels, names),
        }
    }

    /// What the event says of itself, once all its places were taken; or why it is refused.
    fn end(self, event: &mut Event) -> Result<(), (Reason, String)> {
        if let Some(text) = self.refusal {
            return Err((Reason::TooLarge, text));
        }
        match event {
            Event::Log(log) => log.flaws = log.flaws.join(self.flaws),
            Event::Span(span) => span.flaws = span.flaws.join(self.flaws),
            // Nothing of them is cut but texts, which show it at their end.
            _ => {}
        }
        Ok(())
    }

    /// Whether a name is not too long; the event is refused for one that is.
    fn fits(&mut self, field: &str, name: &str) -> bool {
        let limit = self.ingest.limits.max_name_bytes;
        let fits = name.len() <= limit;
        if !fits {
            self.refuse(|| format!("{field} has {} bytes, at most {limit} are taken", name.len()));
        }
        fits
    }

    fn refuse(&mut self, why: impl FnOnce() -> String) {
        self.refusal.get_or_insert_with(why);
    }

    fn note_cut(&mut self, is_cut: bool) {
        if is_cut {
            self.flaws.insert(Flaw::Text);
        }
    }

    fn optional_id(&mut self, field: &str, id: &mut Option<String>) {
        let limit = self.ingest.limits.max_name_bytes;
        let Some(text) = id else { return };
        match self.excess {
            Excess::Refused => {
                if self.fits(field, text) {
                    self.cleaner.id(field, text);
                }
            }
            Excess::Cut => {
                if text.len() <= limit {
                    self.cleaner.id(field, text);
                }
                // What stands for secrets may be longer than they were.
                if text.len() > limit {
                    *id = None;
                    self.note_cut(true);
                }
            }
        }
    }

    fn name(&mut self, field: &str, name: &mut String) {
        let limit = self.ingest.limits.max_name_bytes;
        match self.excess {
            Excess::Refused => {
                if self.fits(field, name) {
                    self.cleaner.name(field, name);
                }
            }
            Excess::Cut => {
                let mut is_cut = cut(name, limit);
                self.cleaner.name(field, name);
                is_cut |= cut(name, limit);
                self.note_cut(is_cut);
            }
        }
    }

    /// Refuses an event for attributes that a record would have lost before.
    fn check_attributes(&mut self, attributes: &Attributes) {
        if self.excess == Excess::Cut {
            return;
        }
        let (count, limit) = (attributes.len(), self.ingest.limits.max_attributes);
        if count > limit {
            self.refuse(|| format!("{count} attributes, at most {limit} are taken"));
        }
        for name in attributes.keys() {
            self.fits("an attribute's name", name);
        }
    }

    fn labels(&mut self, labels: &mut Attributes, names: &mut PlainNames<'_>) {
        if self.refusal.is_none() {
            let is_cut = self.cleaner.attributes(labels, names);
            self.note_cut(is_cut);
        }
    }

    /// Leaves out attributes that are too many, and those whose names are too long.
    fn limit(&mut self, attributes: &mut Attributes, dropped: &mut Option<u64>) {
        let limits = &self.ingest.limits;
        let sent = attributes.len();
        // Seldom is one too long; to see that takes less than to go over a map that may lose some.
        let fits = |name: &String| name.len() <= limits.max_name_bytes;
        if !attributes.keys().all(fits) {
            attributes.retain(|name, _| fits(name));
        }
        while attributes.len() > limits.max_attributes {
            attributes.pop_last();
        }
        self.count(sent - attributes.len(), dropped, Flaw::Attributes);
    }

    /// Cuts a list to its limit.
    fn limit_list<T>(&mut self, items: &mut Vec<T>, dropped: &mut Option<u64>, flaw: Flaw) {
        let sent = items.len();
        items.truncate(self.ingest.limits.max_span_events);
        self.count(sent - items.len(), dropped, flaw);
    }

    /// Adds what was cut to what the sender had left out.
    fn count(&mut self, cut: usize, dropped: &mut Option<u64>, flaw: Flaw) {
        if cut > 0 {
            self.flaws.insert(flaw);
            *dropped = Some(dropped.unwrap_or(0).saturating_add(cut as u64));
        }
    }

    fn origin(&mut self, origin: &mut Arc<Origin>, remembered: &mut Remembered<'_>) {
        let Remembered { origins, names } = remembered;
        if let Some(seen) = origins.of(origin, self.table) {
            *origin = Arc::clone(&seen.cleaned);
            self.flaws = self.flaws.join(seen.flaws);
            return;
        }
        let sent = Arc::clone(origin);
        let mut own = Admission { flaws: Flaws::NONE, refusal: None, ..*self };
        let cleaned = Arc::make_mut(origin);
        own.limit(&mut cleaned.resource_attributes, &mut cleaned.dropped_resource_attributes);
        own.limit(&mut cleaned.scope_attributes, &mut cleaned.dropped_resource_attributes);
        texts::visit_origin(cleaned, |place| own.take(place, names));
        let flaws = own.flaws;
        self.flaws = self.flaws.join(flaws);
        origins.add(self.table, SeenOrigin { sent, cleaned: Arc::clone(origin), flaws });
    }
}
