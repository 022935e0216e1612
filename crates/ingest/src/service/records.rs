//! Records of logs and spans on their way in: redacted as all events are, and cut where they are too large. What is
//! left of a record is worth more than none, so it says what is missing instead of being refused.

use std::sync::Arc;

use model::Timestamp;
use model::event::{Attributes, Conventions, Event, Flaw, Flaws, LogEvent, Origin, SpanEvent};
use store::Table;

use super::{EventsOutcome, Ingest, IngestError};
use crate::{Limits, Reason, Source};

impl Ingest {
    /// Stores records of logs and spans. Those whose time is out of range are rejected by their index. One whose id
    /// was stored before is passed over; records without an id are stored as often as they are sent.
    pub async fn append_records(
        self: &Arc<Self>,
        source: Source,
        records: Vec<Event>,
    ) -> Result<EventsOutcome, IngestError> {
        self.append_to(&self.seen_records, source, records).await
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
        let mut cleaner = Cleaner { ingest: self, source, flaws: log.flaws };
        cleaner.texts([&mut log.message]);
        cleaner.names([&mut log.severity_text, &mut log.event_name, &mut log.event_id]);
        cleaner.origin(&mut log.origin, origins);
        cleaner.conventions(&mut log.conventions);
        cleaner.attributes(&mut log.attributes, &mut log.dropped_attributes);
        log.flaws = cleaner.end();
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
        let mut cleaner = Cleaner { ingest: self, source, flaws: span.flaws };
        cleaner.text(&mut span.name);
        cleaner.texts([&mut span.status_message, &mut span.trace_state]);
        cleaner.origin(&mut span.origin, origins);
        cleaner.conventions(&mut span.conventions);
        cleaner.attributes(&mut span.attributes, &mut span.dropped_attributes);
        cleaner.list(&mut span.events, &mut span.dropped_events, Flaw::Events);
        for event in &mut span.events {
            cleaner.text(&mut event.name);
            cleaner.attributes(&mut event.attributes, &mut event.dropped_attributes);
        }
        cleaner.list(&mut span.links, &mut span.dropped_links, Flaw::Links);
        for link in &mut span.links {
            cleaner.texts([&mut link.trace_state]);
            cleaner.attributes(&mut link.attributes, &mut link.dropped_attributes);
        }
        span.flaws = cleaner.end();
        Ok(())
    }
}

/// What was made of the origin of the record before: most records have the same.
#[derive(Default)]
pub(super) struct Origins {
    last: Option<SeenOrigin>,
}

struct SeenOrigin {
    /// As it came. Held, so that no other can take its place in memory.
    sent: Arc<Origin>,
    cleaned: Arc<Origin>,
    flaws: Flaws,
}

/// Redacts and cuts the parts of a record.
struct Cleaner<'i> {
    ingest: &'i Ingest,
    source: Source,
    flaws: Flaws,
}

impl Cleaner<'_> {
    /// What is not right about the record, which is counted.
    fn end(self) -> Flaws {
        self.ingest.account.flawed(self.source, self.flaws);
        self.flaws
    }

    /// A text that people wrote or a program printed: redacted, and cut when it is too long.
    fn text(&mut self, text: &mut String) {
        if self.ingest.clean(self.source, text) {
            self.flaws.insert(Flaw::Text);
        }
    }

    fn texts<const N: usize>(&mut self, texts: [&mut Option<String>; N]) {
        texts.into_iter().flatten().for_each(|text| self.text(text));
    }

    /// Ids and names: not redacted, and cut when they are too long.
    fn names<const N: usize>(&mut self, names: [&mut Option<String>; N]) {
        let limit = self.ingest.limits.max_name_bytes;
        for name in names.into_iter().flatten().filter(|name| name.len() > limit) {
            name.truncate(name.floor_char_boundary(limit));
            name.push('…');
            self.flaws.insert(Flaw::Text);
        }
    }

    fn attributes(&mut self, attributes: &mut Attributes, dropped: &mut Option<u64>) {
        let limits = &self.ingest.limits;
        let sent = attributes.len();
        attributes.retain(|name, _| name.len() <= limits.max_name_bytes);
        while attributes.len() > limits.max_attributes {
            attributes.pop_last();
        }
        self.count(sent - attributes.len(), dropped, Flaw::Attributes);
        for (name, value) in attributes {
            if self.ingest.redactor.is_secret_name(name) {
                "[redacted:name]".clone_into(value);
                self.ingest.account.redacted(self.source, "name", 1);
            } else {
                self.text(value);
            }
        }
    }

    /// Cuts a list to its limit.
    fn list<T>(&mut self, items: &mut Vec<T>, dropped: &mut Option<u64>, flaw: Flaw) {
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
        if let Some(seen) = origins.last.as_ref().filter(|seen| Arc::ptr_eq(&seen.sent, origin)) {
            *origin = Arc::clone(&seen.cleaned);
            self.flaws = self.flaws.join(seen.flaws);
            return;
        }
        let sent = Arc::clone(origin);
        let mut own = Cleaner { flaws: Flaws::NONE, ..*self };
        let cleaned = Arc::make_mut(origin);
        own.names([
            &mut cleaned.service,
            &mut cleaned.service_namespace,
            &mut cleaned.service_version,
            &mut cleaned.service_instance_id,
            &mut cleaned.environment,
            &mut cleaned.host,
            &mut cleaned.scope_name,
            &mut cleaned.scope_version,
        ]);
        own.attributes(&mut cleaned.resource_attributes, &mut cleaned.dropped_resource_attributes);
        own.attributes(&mut cleaned.scope_attributes, &mut cleaned.dropped_resource_attributes);
        let flaws = own.flaws;
        self.flaws = self.flaws.join(flaws);
        origins.last = Some(SeenOrigin { sent, cleaned: Arc::clone(origin), flaws });
    }

    fn conventions(&mut self, conventions: &mut Conventions) {
        // Taken apart, so that a field that is new has to be thought of here.
        let Conventions {
            job_id,
            stage,
            document_id,
            tenant,
            worker_id,
            user_id,
            request_id,
            http_method,
            http_route,
            http_status_code: _,
            url_path,
            db_system,
            db_operation,
            db_namespace,
            db_collection,
            db_query,
            messaging_system,
            messaging_destination,
            messaging_operation,
            messaging_message_id,
            gen_ai_provider,
            gen_ai_operation,
            gen_ai_request_model,
            gen_ai_response_model,
            gen_ai_input_tokens: _,
            gen_ai_output_tokens: _,
            gen_ai_finish_reason,
            error_type,
            exception_type,
            exception_message,
            exception_stacktrace,
        } = conventions;
        self.texts([url_path, db_query, exception_message, exception_stacktrace]);
        self.names([job_id, stage, document_id, tenant, worker_id, user_id, request_id]);
        self.names([http_method, http_route, db_system, db_operation, db_namespace, db_collection]);
        self.names([messaging_system, messaging_destination, messaging_operation, messaging_message_id]);
        self.names([gen_ai_provider, gen_ai_operation, gen_ai_request_model, gen_ai_response_model]);
        self.names([gen_ai_finish_reason, error_type, exception_type]);
    }
}
