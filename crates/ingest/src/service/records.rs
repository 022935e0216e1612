//! Records of logs and spans on their way in: redacted as all events are, and cut where they are too large. What is
//! left of a record is worth more than none, so it says what is missing instead of being refused.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::AsArray;
use model::event::{Attributes, Event, Flaw, Flaws, LogEvent, Origin, SpanEvent};
use model::{TimeRange, Timestamp};
use store::{Cancel, ColumnFilter, EventPass, FilterOp, Table};

use super::clean::{Cleaner, cut};
use super::{EventsOutcome, Ingest, IngestError};
use crate::texts::{self, Place};
use crate::{Limits, Reason, Source};

impl Ingest {
    /// Stores records of logs and spans. Those whose time is out of range are rejected by their index. One whose id
    /// was stored before is passed over; records without an id are stored as often as they are sent.
    pub async fn append_records(
        self: &Arc<Self>,
        source: Source,
        records: Vec<Event>,
    ) -> Result<EventsOutcome, IngestError> {
        let seen = match source {
            Source::LogFile | Source::Journal | Source::KernelLog => &self.seen_fetched,
            _ => &self.seen_records,
        };
        self.append_to(seen, source, records).await
    }

    /// Hands the ids of stored records of logs to `each` that happened in `range` and have the words of `words` in their
    /// ids, one after the other, whatever stands before and after. In no order. Blocks.
    pub fn stored_log_ids(
        &self,
        range: TimeRange,
        words: &str,
        each: &mut dyn FnMut(&str),
    ) -> Result<(), IngestError> {
        let has_words = ColumnFilter { column: "event_id", op: FilterOp::ContainsWords, value: words.into() };
        let pass = EventPass {
            table: Table::Logs,
            range,
            filters: vec![has_words],
            columns: &["event_id"],
            cancel: Cancel::never(),
        };
        let gone_over = self.store.each_batch(&pass, &mut |rows| {
            let ids = rows.column_by_name("event_id").and_then(|ids| ids.as_string_opt::<i32>());
            ids.into_iter().flatten().flatten().for_each(&mut *each);
            Ok(())
        });
        gone_over.map_err(IngestError::Recall)
    }

    /// The bounds that items must keep.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn admit_log(
        &self,
        source: Source,
        log: &mut LogEvent,
        now: Timestamp,
        origins: &mut Origins,
    ) -> Result<(), (Reason, String)> {
        self.admit_time(Table::Logs, log.time, now)?;
        let mut record = Record::new(self, source, Table::Logs, log.flaws);
        record.origin(&mut log.origin, origins);
        record.limit(&mut log.attributes, &mut log.dropped_attributes);
        record.redact(Place::Labels(&mut log.attributes));
        texts::visit_log(log, |place| record.redact(place));
        log.flaws = record.end();
        Ok(())
    }

    pub(super) fn admit_span(
        &self,
        source: Source,
        span: &mut SpanEvent,
        now: Timestamp,
        origins: &mut Origins,
    ) -> Result<(), (Reason, String)> {
        self.admit_time(Table::Spans, span.time, now)?;
        let mut record = Record::new(self, source, Table::Spans, span.flaws);
        record.origin(&mut span.origin, origins);
        record.limit(&mut span.attributes, &mut span.dropped_attributes);
        record.limit_list(&mut span.events, &mut span.dropped_events, Flaw::Events);
        for event in &mut span.events {
            record.limit(&mut event.attributes, &mut event.dropped_attributes);
        }
        record.limit_list(&mut span.links, &mut span.dropped_links, Flaw::Links);
        for link in &mut span.links {
            record.limit(&mut link.attributes, &mut link.dropped_attributes);
        }
        record.redact(Place::Labels(&mut span.attributes));
        texts::visit_span(span, |place| record.redact(place));
        span.flaws = record.end();
        Ok(())
    }
}

/// What was made of the origins of records before: most records have one of few, by their loggers.
#[derive(Default)]
pub(super) struct Origins {
    /// The newest ones.
    seen: VecDeque<SeenOrigin>,
}

/// How many origins are remembered within a request.
const MAX_ORIGINS: usize = 16;

struct SeenOrigin {
    /// As it came. Held, so that no other can take its place in memory.
    sent: Arc<Origin>,
    /// The table of the record: rules may tell tables apart.
    table: Table,
    cleaned: Arc<Origin>,
    flaws: Flaws,
}

/// Redacts and cuts the parts of a record.
struct Record<'i> {
    ingest: &'i Ingest,
    source: Source,
    table: Table,
    cleaner: Cleaner<'i>,
    flaws: Flaws,
}

impl<'i> Record<'i> {
    fn new(ingest: &'i Ingest, source: Source, table: Table, flaws: Flaws) -> Self {
        Self { ingest, source, table, cleaner: Cleaner::new(ingest, source, table.name()), flaws }
    }

    /// What is not right about the record, which is counted.
    fn end(self) -> Flaws {
        self.ingest.account.flawed(self.source, self.flaws);
        self.flaws
    }

    /// Redacts what stands at a place, and cuts it when it is too long.
    fn redact(&mut self, place: Place<'_>) {
        let limit = self.ingest.limits.max_name_bytes;
        let is_cut = match place {
            Place::Id(field, id) => {
                let is_cut = cut(id, limit);
                self.cleaner.id(field, id);
                // What stands for secrets may be longer than they were.
                is_cut | cut(id, limit)
            }
            Place::Name(field, name) => {
                let is_cut = cut(name, limit);
                self.cleaner.name(field, name);
                is_cut | cut(name, limit)
            }
            Place::Text(field, text) => self.cleaner.text(field, text),
            Place::Labels(labels) => self.cleaner.attributes(labels),
        };
        if is_cut {
            self.flaws.insert(Flaw::Text);
        }
    }

    /// Leaves out attributes that are too many, and those whose names are too long.
    fn limit(&mut self, attributes: &mut Attributes, dropped: &mut Option<u64>) {
        let limits = &self.ingest.limits;
        let sent = attributes.len();
        attributes.retain(|name, _| name.len() <= limits.max_name_bytes);
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

    fn origin(&mut self, origin: &mut Arc<Origin>, origins: &mut Origins) {
        let is_same = |seen: &&SeenOrigin| Arc::ptr_eq(&seen.sent, origin) && seen.table == self.table;
        if let Some(seen) = origins.seen.iter().find(is_same) {
            *origin = Arc::clone(&seen.cleaned);
            self.flaws = self.flaws.join(seen.flaws);
            return;
        }
        let sent = Arc::clone(origin);
        let mut own = Record { flaws: Flaws::NONE, ..*self };
        let cleaned = Arc::make_mut(origin);
        own.limit(&mut cleaned.resource_attributes, &mut cleaned.dropped_resource_attributes);
        own.limit(&mut cleaned.scope_attributes, &mut cleaned.dropped_resource_attributes);
        texts::visit_origin(cleaned, |place| own.redact(place));
        let flaws = own.flaws;
        self.flaws = self.flaws.join(flaws);
        origins.seen.truncate(MAX_ORIGINS - 1);
        origins.seen.push_front(SeenOrigin { sent, table: self.table, cleaned: Arc::clone(origin), flaws });
    }
}
