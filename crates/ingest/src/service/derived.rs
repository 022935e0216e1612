//! Events that follow from spans, on their way to the disk together with these.

use std::sync::Arc;

use model::Timestamp;
use model::event::{Event, SpanEvent};
use parking_lot::Mutex;

use super::{EventsOutcome, Ingest, IngestError, claim};
use crate::account::Kind;
use crate::derive::spans_of;
use crate::duplicates::Duplicates;
use crate::{Reason, Source};

/// The ids of events that are on their way to the disk.
pub(super) struct Claims {
    /// Where the ids of what was sent are claimed.
    pub(super) seen: Arc<Mutex<Duplicates>>,
    pub(super) ids: Vec<u128>,
    /// Those of what follows from it.
    pub(super) derived: Vec<u128>,
    /// How many of the events were sent; the rest follows from them.
    pub(super) sent: usize,
}

impl Claims {
    /// Ends them: the events are stored, or were not.
    pub(super) fn settle(self, ingest: &Ingest, stored: bool) {
        self.seen.lock().settle(self.ids, stored);
        if !self.derived.is_empty() {
            ingest.seen_events.lock().settle(self.derived, stored);
        }
    }
}

impl Ingest {
    /// Adds to spans what follows from them, limited and redacted as if it had been sent. A part of it that breaks a
    /// limit is left out and counted.
    pub(super) fn add_derived(
        &self,
        events: &mut Vec<Event>,
        claims: &mut Claims,
        now: Timestamp,
    ) -> Result<(), IngestError> {
        self.derivation.hear(events);
        let spans: Vec<&SpanEvent> = spans_of(events).collect();
        let mut derived = self.derivation.derive(&spans);
        self.account.forgot_steps(derived.forgotten);
        derived.events.retain_mut(|event| match self.admit(Source::Derived, event, now) {
            Ok(()) => true,
            Err((reason, _)) => {
                self.account.refused(Source::Derived, Kind::Event, reason, 1);
                false
            }
        });
        if derived.events.is_empty() {
            return Ok(());
        }
        let mut outcome = EventsOutcome::default();
        let (new, ids) = claim(&self.seen_events, derived.events, &mut outcome)?;
        self.account.refused(Source::Derived, Kind::Event, Reason::Duplicate, outcome.duplicates as u64);
        claims.derived = ids;
        events.extend(new);
        Ok(())
    }
}
