//! Rate, errors and duration of every operation that spans tell of, by service, name, kind and status.
//!
//! Names are those that the span metrics of the OpenTelemetry Collector have, so that dashboards for these find them.
//! Counted as spans come in, whatever becomes of them later.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use model::event::{SpanEvent, SpanKind, SpanStatus};
use model::{Exemplar, Labels};
use prometheus::IntCounterVec;

use super::family::{Family, OTHER};
use super::histogram::{Histogram, SHORT};
use super::writer::{Writer, bucket_labels};

const CALLS: &str = "traces_span_metrics_calls_total";
const SECONDS: &str = "traces_span_metrics_duration_seconds";
const LABELS: &[&str] = &["service_name", "span_name", "span_kind", "status_code"];

/// Operations by service.
#[derive(Debug)]
pub(super) struct Operations {
    /// The names of each service, which are bounded: a service that writes ids into them must not take the room of
    /// all others.
    names: HashMap<Box<str>, HashSet<Box<str>>>,
    max_services: usize,
    max_names: usize,
    seconds: Family<Timed>,
}

/// Durations of an operation, with the slowest since they were written last.
#[derive(Debug)]
struct Timed {
    histogram: Histogram,
    slowest: Option<Slowest>,
}

#[derive(Debug)]
struct Slowest {
    seconds: f64,
    time_ms: i64,
    trace_id: Box<str>,
    span_id: Box<str>,
}

impl Operations {
    pub(super) fn new(max_series: usize, max_names: usize) -> Self {
        Self {
            names: HashMap::new(),
            max_services: max_series,
            max_names,
            seconds: Family::new(SECONDS, LABELS, max_series),
        }
    }

    pub(super) fn observe(&mut self, span: &SpanEvent, beyond: &IntCounterVec) {
        let service = span.origin.service.as_deref().unwrap_or_default();
        let (fits, is_known) = self.admit(service, &span.name);
        let name = if fits { span.name.as_str() } else { OTHER };
        let labels = [if is_known { service } else { OTHER }, name, kind(span.kind), status(span.status)];
        let new = || Timed { histogram: Histogram::new(SHORT), slowest: None };
        let (timed, is_other) = self.seconds.series(&labels, new);
        if is_other || !fits {
            beyond.with_label_values(&[CALLS]).inc();
        }
        let duration = Duration::from_nanos(span.duration_ns);
        let seconds = duration.as_secs_f64();
        timed.histogram.observe(seconds);
        // Of what is counted under `other` nothing leads on: its series is many.
        if !is_other && timed.slowest.as_ref().is_none_or(|held| held.seconds < seconds) {
            timed.slowest = Some(Slowest {
                seconds,
                time_ms: span.time.after(duration).as_millis(),
                trace_id: span.trace_id.as_str().into(),
                span_id: span.span_id.as_str().into(),
            });
        }
    }

    /// Whether there is room for a name of a service, and whether there is for the service.
    fn admit(&mut self, service: &str, name: &str) -> (bool, bool) {
        if let Some(names) = self.names.get_mut(service) {
            let fits = names.contains(name) || (names.len() < self.max_names && names.insert(name.into()));
            return (fits, true);
        }
        if self.names.len() >= self.max_services || self.max_names == 0 {
            return (false, false);
        }
        self.names.insert(service.into(), HashSet::from([name.into()]));
        (true, true)
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        for (labels, timed) in self.seconds.iter() {
            writer.counter(CALLS, &labels, timed.histogram.count() as f64);
            writer.histogram(SECONDS, &labels, &timed.histogram);
        }
    }

    /// Where the slowest of each operation since this was asked last is found.
    pub(super) fn take_exemplars(&mut self) -> Vec<Exemplar> {
        let mut exemplars = Vec::new();
        for (labels, timed) in self.seconds.iter_mut() {
            let Some(slowest) = timed.slowest.take() else { continue };
            let bound = timed.histogram.bound_of(slowest.seconds);
            exemplars.push(Exemplar {
                series: bucket_labels(SECONDS, &labels, bound),
                labels: Labels::from_pairs([
                    ("trace_id", &*slowest.trace_id),
                    ("span_id", &*slowest.span_id),
                ]),
                value: slowest.seconds,
                time_ms: slowest.time_ms,
            });
        }
        exemplars
    }
}

const fn kind(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Unspecified => "SPAN_KIND_UNSPECIFIED",
        SpanKind::Internal => "SPAN_KIND_INTERNAL",
        SpanKind::Server => "SPAN_KIND_SERVER",
        SpanKind::Client => "SPAN_KIND_CLIENT",
        SpanKind::Producer => "SPAN_KIND_PRODUCER",
        SpanKind::Consumer => "SPAN_KIND_CONSUMER",
    }
}

const fn status(status: SpanStatus) -> &'static str {
    match status {
        SpanStatus::Unset => "STATUS_CODE_UNSET",
        SpanStatus::Ok => "STATUS_CODE_OK",
        SpanStatus::Error => "STATUS_CODE_ERROR",
    }
}
