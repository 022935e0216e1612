//! Which spans are kept: a share of all traces, and those that somebody will look for (ADR 34).
//!
//! A trace whose share is not kept may still come to be: by an error, a slow span or a mark, in this request or in
//! another that comes within moments. So its spans wait for these, before they are acknowledged, within bounds of memory
//! and of an exporter's patience. Start reading at [`Sampling::left_out`].

mod settings;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use model::event::{Event, SpanEvent, SpanStatus};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};
use xxhash_rust::xxh3::xxh3_128;

use crate::derive::spans_of;
use crate::generations::Generations;
pub use settings::{SamplingService, SamplingSettings};

/// The most traces that are remembered to be kept.
const MAX_KEPT: usize = 200_000;
/// What an attribute takes beside its texts.
const ATTRIBUTE_BYTES: usize = 64;

/// Decides which spans are kept.
#[derive(Debug)]
pub(crate) struct Sampling {
    settings: SamplingSettings,
    state: Mutex<State>,
    /// That a trace is kept which somebody waits for.
    kept: Notify,
}

/// Spans that are not kept.
#[derive(Debug, Default)]
pub(crate) struct LeftOut {
    /// Their places in the list of events.
    pub(crate) places: HashSet<usize>,
    /// Whether they were decided on at once because too much waited.
    pub(crate) had_no_room: bool,
}

#[derive(Debug)]
struct State {
    /// Traces that are kept whatever their share.
    kept: Generations<()>,
    /// How many requests wait for each trace.
    waited_for: HashMap<u128, usize>,
    /// What the spans that wait take, in bytes.
    waiting_bytes: usize,
}

impl Sampling {
    pub(crate) fn new(settings: SamplingSettings) -> Self {
        let state = State { kept: Generations::new(MAX_KEPT), waited_for: HashMap::new(), waiting_bytes: 0 };
        Self { settings, state: Mutex::new(state), kept: Notify::new() }
    }

    /// Which spans among events are not kept. Waits for others of their traces, unless too much waits already.
    pub(crate) async fn left_out(&self, events: &[Event]) -> LeftOut {
        if self.settings.keeps_all() {
            return LeftOut::default();
        }
        self.note(events);
        let mut undecided = self.undecided(events);
        if undecided.is_empty() || self.settings.wait.0.is_zero() {
            return LeftOut { places: undecided, had_no_room: false };
        }
        let Some(waiting) = self.begin_to_wait(events) else {
            return LeftOut { places: undecided, had_no_room: true };
        };
        let deadline = Instant::now() + self.settings.wait.0;
        loop {
            let kept = self.kept.notified();
            tokio::pin!(kept);
            // Listening begins before the last look, so that nothing is missed between the two.
            kept.as_mut().enable();
            undecided = self.undecided(events);
            if undecided.is_empty() || timeout_at(deadline, kept).await.is_err() {
                break;
            }
        }
        drop(waiting);
        LeftOut { places: undecided, had_no_room: false }
    }

    /// Remembers the traces of spans that are kept always.
    fn note(&self, events: &[Event]) {
        let marked: Vec<u128> =
            spans_of(events).filter(|span| self.settings.is_marked(span)).map(trace_of).collect();
        if marked.is_empty() {
            return;
        }
        let mut state = self.state.lock();
        let mut is_waited_for = false;
        for trace in marked {
            if state.kept.get(trace).is_none() {
                state.kept.change(trace, 1, |_| {});
                is_waited_for |= state.waited_for.contains_key(&trace);
            }
        }
        drop(state);
        if is_waited_for {
            self.kept.notify_waiters();
        }
    }

    /// The places of spans that nothing keeps so far.
    fn undecided(&self, events: &[Event]) -> HashSet<usize> {
        let state = self.state.lock();
        let is_undecided = |event: &Event| match event {
            Event::Span(span) => {
                let trace = trace_of(span);
                !self.settings.is_in_share(span, trace) && state.kept.get(trace).is_none()
            }
            _ => false,
        };
        (0..).zip(events).filter(|(_, event)| is_undecided(event)).map(|(place, _)| place).collect()
    }

    /// Takes room for events that wait, all of a request together; none when there is none.
    fn begin_to_wait(&self, events: &[Event]) -> Option<Waiting<'_>> {
        let in_share = |span: &&SpanEvent| self.settings.is_in_share(span, trace_of(span));
        let traces: HashSet<u128> = spans_of(events).filter(|span| !in_share(span)).map(trace_of).collect();
        let bytes: usize = events.iter().map(bytes_of).sum();
        let mut state = self.state.lock();
        let limit = usize::try_from(self.settings.max_waiting_memory.0).unwrap_or(usize::MAX);
        if state.waiting_bytes.saturating_add(bytes) > limit {
            return None;
        }
        state.waiting_bytes += bytes;
        for trace in &traces {
            *state.waited_for.entry(*trace).or_default() += 1;
        }
        Some(Waiting { sampling: self, traces, bytes })
    }
}

/// Room that was taken; dropping it gives it back.
struct Waiting<'s> {
    sampling: &'s Sampling,
    traces: HashSet<u128>,
    bytes: usize,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.sampling.state.lock();
        state.waiting_bytes -= self.bytes;
        for trace in &self.traces {
            if let Some(count) = state.waited_for.get_mut(trace) {
                *count -= 1;
                if *count == 0 {
                    state.waited_for.remove(trace);
                }
            }
        }
    }
}

fn trace_of(span: &SpanEvent) -> u128 {
    xxh3_128(span.trace_id.as_bytes())
}

/// Roughly the memory that a span takes.
fn bytes_of(event: &Event) -> usize {
    let Event::Span(span) = event else { return 0 };
    let of = |attributes: &model::event::Attributes| -> usize {
        attributes.iter().map(|(name, value)| name.len() + value.len() + ATTRIBUTE_BYTES).sum()
    };
    let events: usize = span.events.iter().map(|event| event.name.len() + of(&event.attributes)).sum();
    let links: usize = span.links.iter().map(|link| of(&link.attributes) + ATTRIBUTE_BYTES).sum();
    let texts = [
        &span.conventions.db_query,
        &span.conventions.exception_message,
        &span.conventions.exception_stacktrace,
        &span.conventions.url_path,
        &span.status_message,
        &span.trace_state,
    ];
    let texts: usize = texts.into_iter().flatten().map(String::len).sum();
    size_of::<SpanEvent>() + span.name.len() + of(&span.attributes) + events + links + texts
}

impl SamplingSettings {
    /// Whether a span makes all of its trace be kept.
    fn is_marked(&self, span: &SpanEvent) -> bool {
        let slow = self.keep_slower_than.0;
        let is_error = self.keep_errors && span.status == SpanStatus::Error;
        let is_slow = !slow.is_zero() && Duration::from_nanos(span.duration_ns) > slow;
        let mark = |name: &String| {
            let value = span.attributes.get(name);
            value.is_some_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
        };
        is_error || is_slow || self.keep_marked.iter().any(mark)
    }

    /// Whether a span belongs to the share of traces that is kept of its service. The same trace is in the shares of
    /// all services that keep as much.
    fn is_in_share(&self, span: &SpanEvent, trace: u128) -> bool {
        let probability = self.probability_of(span.origin.service.as_deref());
        // The upper half as a number from 0 up to 1.
        let place = (trace >> 64) as u64 as f64 / (u64::MAX as f64 + 1.0);
        place < probability
    }
}
