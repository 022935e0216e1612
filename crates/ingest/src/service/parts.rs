//! The parts in which the events of a request are stored, and what is made sure of before the first of them is.

use std::sync::Arc;

use model::event::{Event, Flaws};
use store::{Intake, Table};

use super::admit::Admitted;
use super::{EventsOutcome, Ingest, IngestError, claim};
use crate::account::Kind;
use crate::duplicates::Claims;
use crate::hashed::Hashes;
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
    /// What is not right about any event of the request.
    pub(super) flaws: Flaws,
    /// About what the events take in the store.
    bytes: usize,
    kind: IdKind,
}

impl Ingest {
    /// The parts of events that are not known, and by what right they come. The ids of all of them are claimed, and room
    /// for all is taken where they are several: most records of logs have no ids, and would be there twice if a part of
    /// them were stored before the request is refused and sent again.
    pub(super) fn prepare(
        &self,
        source: Source,
        admitted: Admitted,
        own: &mut Hashes,
        outcome: &mut EventsOutcome,
    ) -> Result<(Vec<Part>, Intake), IngestError> {
        let refused = |error: &IngestError, count: usize| {
            self.account.refused(source, Kind::Event, error.reason(), count as u64);
        };
        let sent = admitted.events.len();
        let parts = self.claimed(source, admitted, own, outcome).inspect_err(|error| refused(error, sent))?;
        self.account.refused(source, Kind::Event, Reason::Duplicate, outcome.duplicates as u64);
        let left = sent - outcome.duplicates;
        let intake = self.intake(source, &parts).inspect_err(|error| refused(error, left))?;
        Ok((parts, intake))
    }

    /// Claims the ids of all parts, or of none.
    fn claimed(
        &self,
        source: Source,
        admitted: Admitted,
        own: &mut Hashes,
        outcome: &mut EventsOutcome,
    ) -> Result<Vec<Part>, IngestError> {
        let Admitted { events, sizes, flaws, have_ids } = admitted;
        let mut parts = Vec::new();
        for (events, bytes) in split(source, events, &sizes, PART_BYTES) {
            let Some(table) = events.first().map(store::table_of) else { continue };
            let (seen, sent) = (self.seen(source, table), events.len());
            let (events, claims) = if have_ids {
                claim(seen, events, own, outcome)?
            } else {
                (events, Claims::new(Arc::clone(seen)))
            };
            // Some may have been known.
            let bytes =
                if events.len() == sent { bytes } else { events.iter().map(store::size_of_event).sum() };
            if !events.is_empty() {
                parts.push(Part { events, claims, flaws, bytes, kind: IdKind::of(source, table) });
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
                let bytes: usize = several.iter().map(|part| part.bytes).sum();
                let reservation = self.store.reserve(bytes as u64).map_err(IngestError::Store)?;
                Ok(Intake::Reserved(Arc::new(reservation)))
            }
        }
    }
}

/// Events in their order, in parts of at most so many bytes whose ids are remembered in one place; each with its bytes.
/// `sizes` are those of the events.
fn split(
    source: Source,
    mut events: Vec<Event>,
    sizes: &[usize],
    max_bytes: usize,
) -> Vec<(Vec<Event>, usize)> {
    let mut starts: Vec<(usize, usize)> = Vec::new();
    let mut kind = None;
    for (place, (event, size)) in events.iter().zip(sizes).enumerate() {
        let its_kind = IdKind::of(source, store::table_of(event));
        match starts.last_mut() {
            Some((_, bytes)) if kind == Some(its_kind) && bytes.saturating_add(*size) <= max_bytes => {
                *bytes = bytes.saturating_add(*size);
            }
            _ => starts.push((place, *size)),
        }
        kind = Some(its_kind);
    }
    // Nearly always it is one.
    if let [(0, bytes)] = starts[..] {
        return vec![(events, bytes)];
    }
    let parts = starts.into_iter().rev().map(|(start, bytes)| (events.split_off(start), bytes));
    let mut parts: Vec<_> = parts.collect();
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
        let of = |events: &[Event], bytes| {
            let sizes: Vec<usize> = events.iter().map(store::size_of_event).collect();
            split(Source::OtlpLogs, events.to_vec(), &sizes, bytes)
        };
        let (parts, bytes): (Vec<_>, Vec<_>) = of(&events, 10_000).into_iter().unzip();
        let sizes = parts.iter().map(|part| part.iter().map(store::size_of_event).sum::<usize>());
        assert_eq!(bytes, sizes.collect::<Vec<_>>());
        assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1, 1, 1, 1, 1]);
        assert_eq!(parts.concat(), events);
        assert_eq!(of(&events, usize::MAX).len(), 3);
        assert!(of(&[], 10).is_empty());
    }
}
