//! Events that follow from spans, on their way to the disk together with these.

use model::Timestamp;
use model::event::{Event, SpanEvent};

use super::{EventsOutcome, Ingest, IngestError, claim};
use crate::account::Kind;
use crate::derive::spans_of;
use crate::duplicates::Claims;
use crate::hashed::Hashes;
use crate::{Reason, Source};

impl Ingest {
    /// Adds to spans what follows from them, limited and redacted as if it had been sent, and claims its ids. A part of
    /// it that breaks a limit is left out and counted, and so is what the request says itself: `own` are its ids.
    pub(super) fn add_derived(
        &self,
        events: &mut Vec<Event>,
        own: &mut Hashes,
    ) -> Result<Claims, IngestError> {
        self.derivation.hear(events);
        let spans: Vec<&SpanEvent> = spans_of(events).collect();
        let mut derived = self.derivation.derive(&spans);
        self.account.forgot_steps(derived.forgotten);
        let (now, mut remembered) = (Timestamp::now(), self.remembered());
        derived.events.retain_mut(|event| match self.admit(Source::Derived, event, now, &mut remembered) {
            Ok(()) => true,
            Err((reason, _)) => {
                self.account.refused(Source::Derived, Kind::Event, reason, 1);
                false
            }
        });
        let mut outcome = EventsOutcome::default();
        let (new, claims) = claim(&self.seen_events, derived.events, own, &mut outcome)?;
        self.account.refused(Source::Derived, Kind::Event, Reason::Duplicate, outcome.duplicates as u64);
        events.extend(new);
        Ok(claims)
    }
}
