//! The parts in which the events of a request are stored, and what is made sure of before the first of them is.

use std::collections::HashSet;
use std::sync::Arc;

use model::event::Event;
use store::{Intake, Table};

use super::{EventsOutcome, Ingest, IngestError, claim};
use crate::account::Kind;
use crate::duplicates::Claims;
use crate::{Reason, Source};

/// The most that a part takes in the store, unless one event alone takes more. The texts of a column, a record of a log and
/// what a store takes at once have bounds, all of them far above this.
const PART_BYTES: usize = 16 << 20;

/// Whose ids are remembered in one place: those that come in such numbers that they would make others be forgotten have
/// places of their own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum IdKind {
    Event,
    Exemplar,
    Record,
}

impl IdKind {
    /// The kind of what comes from a source for a table. What is audited may be records of logs that are marked so, and
    /// who marks all of them is to make no events of jobs be forgotten, nor to take the room that is spare for these.
    pub(super) fn of(source: Source, table: Table) -> Self {
        match table {
            Table::Exemplars => Self::Exemplar,
            Table::Logs | Table::Spans => Self::Record,
            Table::AuditEvents if source.is_of_logs() => Self::Record,
            Table::JobEvents
            | Table::StageEvents
            | Table::ComponentEvents
            | Table::WorkerEvents
            | Table::Requests
            | Table::LlmCalls
            | Table::Feedback
            | Table::Deploys
            | Table::AuditEvents
            | Table::Exits => Self::Event,
        }
    }
}

/// Events of one request that are stored in one step.
pub(super) struct Part {
    /// None of them is known.
    pub(super) events: Vec<Event>,
    /// Their ids.
    pub(super) claims: Claims,
    kind: IdKind,
}

impl Ingest {
    /// The parts of events that are not known, and by what right they come. The ids of all of them are claimed, and room
    /// for all is taken where they are several: most records of logs have no ids, and would be there twice if a part of
    /// them were stored before the request is refused and sent again.
    pub(super) fn prepare(
        &self,
        source: Source,
        events: Vec<Event>,
        own: &mut HashSet<u128>,
        outcome: &mut EventsOutcome,
    ) -> Result<(Vec<Part>, Intake), IngestError> {
        let refused = |error: &IngestError, count: usize| {
            self.account.refused(source, Kind::Event, error.reason(), count as u64);
        };
        let sent = events.len();
        let parts = self.claimed(source, events, own, outcome).inspect_err(|error| refused(error, sent))?;
        self.account.refused(source, Kind::Event, Reason::Duplicate, outcome.duplicates as u64);
        let left = sent - outcome.duplicates;
        let intake = self.intake(source, &parts).inspect_err(|error| refused(error, left))?;
        Ok((parts, intake))
    }

    /// Claims the ids of all parts, or of none.
    fn claimed(
        &self,
        source: Source,
        events: Vec<Event>,
        own: &mut HashSet<u128>,
        outcome: &mut EventsOutcome,
    ) -> Result<Vec<Part>, IngestError> {
        let mut parts = Vec::new();
        for events in split(source, events, PART_BYTES) {
            let Some(table) = events.first().map(store::table_of) else { continue };
            let (events, claims) = claim(self.seen(source, table), events, own, outcome)?;
            if !events.is_empty() {
                parts.push(Part { events, claims, kind: IdKind::of(source, table) });
            }
        }
        Ok(parts)
    }

    /// By what right parts come: of several by that of room that was taken. Records and exemplars come in floods, and
    /// leave some room to other events.
    fn intake(&self, source: Source, parts: &[Part]) -> Result<Intake, IngestError> {
        match parts {
            [part] if part.kind == IdKind::Event || source.is_own() => Ok(Intake::Spare),
            [] | [_] => Ok(Intake::Usual),
            several => {
                let events = several.iter().flat_map(|part| &part.events);
                let bytes: usize = events.map(store::size_of_event).sum();
                let reservation = self.store.reserve(bytes as u64).map_err(IngestError::Store)?;
                Ok(Intake::Reserved(Arc::new(reservation)))
            }
        }
    }
}

/// Events in their order, in parts of at most so many bytes whose ids are remembered in one place.
fn split(source: Source, mut events: Vec<Event>, max_bytes: usize) -> Vec<Vec<Event>> {
    let mut starts = Vec::new();
    let (mut bytes, mut kind) = (0_usize, None);
    for (place, event) in events.iter().enumerate() {
        let (size, its_kind) = (store::size_of_event(event), IdKind::of(source, store::table_of(event)));
        if kind != Some(its_kind) || bytes.saturating_add(size) > max_bytes {
            starts.push(place);
            (bytes, kind) = (0, Some(its_kind));
        }
        bytes = bytes.saturating_add(size);
    }
    let mut parts: Vec<_> = starts.into_iter().rev().map(|start| events.split_off(start)).collect();
    parts.reverse();
    parts
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::Timestamp;
    use model::event::{LogEvent, SpanEvent};

    use super::*;

    fn log(bytes: usize) -> Event {
        let log = LogEvent::new(Timestamp::from_millis(5), Arc::default());
        Event::Log(Box::new(LogEvent { message: Some("x".repeat(bytes)), ..log }))
    }

    #[test]
    fn parts_are_within_their_bound_in_order_and_of_one_kind() {
        let span = SpanEvent::new(Timestamp::from_millis(5), "t".into(), "s".into(), Arc::default());
        let exemplar = model::event::ExemplarEvent {
            time: Timestamp::from_millis(5),
            event_id: "e".into(),
            metric: "m".into(),
            series: Default::default(),
            labels: Default::default(),
            trace_id: None,
            value: 1.0,
        };
        let events = vec![
            log(4000),
            log(4000),
            log(4000),
            log(50_000),
            Event::Span(Box::new(span)),
            Event::Exemplar(Box::new(exemplar)),
            log(1),
        ];
        let of = |events: &[Event], bytes| split(Source::OtlpLogs, events.to_vec(), bytes);
        let parts = of(&events, 10_000);
        assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1, 1, 1, 1, 1]);
        assert_eq!(parts.concat(), events);
        assert_eq!(of(&events, usize::MAX).len(), 3);
        assert!(of(&[], 10).is_empty());
    }
}
