//! Which service asks which: a span of a client, or of who sends a message, and the span of another service below it.
//!
//! The two come in any order and in different requests, so each is kept for the other, within a bound. Names are those
//! that the service graph of Grafana Tempo and of the OpenTelemetry Collector has.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use model::event::{SpanEvent, SpanKind, SpanStatus};
use prometheus::{IntCounter, IntCounterVec};

use super::family::Family;
use super::histogram::{Histogram, SHORT};
use super::writer::Writer;

const REQUESTS: &str = "traces_service_graph_request_total";
const FAILED: &str = "traces_service_graph_request_failed_total";
const CLIENT_SECONDS: &str = "traces_service_graph_request_client_seconds";
const SERVER_SECONDS: &str = "traces_service_graph_request_server_seconds";
const LABELS: &[&str] = &["client", "server", "connection_type"];

/// The most spans that are kept until the other side of them comes.
const MAX_WAITING: usize = 20_000;
/// The most spans below one that has not come; a message can be processed by several.
const MAX_BELOW: usize = 16;

/// The span of who asks: its trace and itself.
type Key = (u128, u64);

/// Requests between services.
#[derive(Debug)]
pub(super) struct Graph {
    waiting: HashMap<Key, Sides>,
    /// The keys of those, oldest first.
    order: VecDeque<Key>,
    /// Spans that asked nobody of whom a span came.
    unpaired: IntCounter,
    edges: Family<Edge>,
}

/// Requests from one service to another.
#[derive(Debug)]
struct Edge {
    failed: u64,
    client_seconds: Histogram,
    server_seconds: Histogram,
}

/// What has come of a request.
#[derive(Debug)]
enum Sides {
    /// Who asks. Stays, as more than one may answer.
    Asked(Side),
    /// Who answered.
    Answered(Vec<Side>),
}

#[derive(Clone, Debug)]
struct Side {
    service: Box<str>,
    seconds: f64,
    is_failed: bool,
    is_message: bool,
}

impl Side {
    fn of(span: &SpanEvent) -> Self {
        Self {
            service: span.origin.service.as_deref().unwrap_or_default().into(),
            seconds: Duration::from_nanos(span.duration_ns).as_secs_f64(),
            is_failed: span.status == SpanStatus::Error,
            is_message: matches!(span.kind, SpanKind::Producer | SpanKind::Consumer),
        }
    }
}

impl Graph {
    pub(super) fn new(max_series: usize, unpaired: IntCounter) -> Self {
        Self {
            waiting: HashMap::new(),
            order: VecDeque::new(),
            unpaired,
            edges: Family::new(REQUESTS, LABELS, max_series),
        }
    }

    pub(super) fn observe(&mut self, span: &SpanEvent, beyond: &IntCounterVec) {
        match span.kind {
            SpanKind::Client | SpanKind::Producer => self.asked(span, beyond),
            SpanKind::Server | SpanKind::Consumer => self.answered(span, beyond),
            SpanKind::Internal | SpanKind::Unspecified => {}
        }
    }

    fn asked(&mut self, span: &SpanEvent, beyond: &IntCounterVec) {
        let side = Side::of(span);
        // A database sends no spans of its own.
        if let Some(system) = &span.conventions.db_system {
            let name = span.conventions.db_namespace.as_ref().unwrap_or(system);
            let database = Side { service: name.as_str().into(), ..side.clone() };
            return self.count(&side, &database, "database", beyond);
        }
        let Some(key) = key(&span.trace_id, &span.span_id) else { return };
        match self.waiting.insert(key, Sides::Asked(side.clone())) {
            Some(Sides::Answered(below)) => {
                below.iter().for_each(|other| self.count_pair(&side, other, beyond));
            }
            Some(Sides::Asked(_)) => {}
            None => self.keep(key),
        }
    }

    fn answered(&mut self, span: &SpanEvent, beyond: &IntCounterVec) {
        let Some(parent) = &span.parent_span_id else { return };
        let Some(key) = key(&span.trace_id, parent) else { return };
        let side = Side::of(span);
        match self.waiting.get_mut(&key) {
            Some(Sides::Asked(client)) => {
                let client = client.clone();
                self.count_pair(&client, &side, beyond);
            }
            Some(Sides::Answered(below)) if below.len() < MAX_BELOW => below.push(side),
            Some(Sides::Answered(_)) => self.unpaired.inc(),
            None => {
                self.waiting.insert(key, Sides::Answered(vec![side]));
                self.keep(key);
            }
        }
    }

    /// Lets go of the oldest when there are too many.
    fn keep(&mut self, key: Key) {
        self.order.push_back(key);
        if self.order.len() > MAX_WAITING
            && let Some(oldest) = self.order.pop_front()
            && let Some(Sides::Answered(below)) = self.waiting.remove(&oldest)
        {
            self.unpaired.inc_by(below.len() as u64);
        }
    }

    fn count_pair(&mut self, client: &Side, server: &Side, beyond: &IntCounterVec) {
        let connection = if client.is_message || server.is_message { "messaging_system" } else { "" };
        self.count(client, server, connection, beyond);
    }

    fn count(&mut self, client: &Side, server: &Side, connection: &str, beyond: &IntCounterVec) {
        let labels = [&*client.service, &*server.service, connection];
        let new = || Edge {
            failed: 0,
            client_seconds: Histogram::new(SHORT),
            server_seconds: Histogram::new(SHORT),
        };
        let (edge, is_other) = self.edges.series(&labels, new);
        edge.failed += u64::from(client.is_failed || server.is_failed);
        edge.client_seconds.observe(client.seconds);
        edge.server_seconds.observe(server.seconds);
        if is_other {
            beyond.with_label_values(&[REQUESTS]).inc();
        }
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        for (labels, edge) in self.edges.iter() {
            writer.counter(REQUESTS, &labels, edge.client_seconds.count() as f64);
            writer.counter(FAILED, &labels, edge.failed as f64);
            writer.histogram(CLIENT_SECONDS, &labels, &edge.client_seconds);
            writer.histogram(SERVER_SECONDS, &labels, &edge.server_seconds);
        }
    }
}

fn key(trace_id: &str, span_id: &str) -> Option<Key> {
    let trace = u128::from_str_radix(trace_id, 16).ok()?;
    Some((trace, u64::from_str_radix(span_id, 16).ok()?))
}
