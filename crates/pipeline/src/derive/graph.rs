//! Which service asks which: a span of a client, or of who sends a message, and the span of another service below it.
//!
//! Who takes a message may be in a trace of its own, with a link to the span that sent it, as conventions for messaging
//! want it: then it is below what it links to, and counts once, however many messages it took.
//!
//! The two come in any order and in different requests, so each is kept for the other, within a bound. Names are those
//! that the service graph of Grafana Tempo and of the OpenTelemetry Collector has.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
/// The most links of one span that are followed.
const MAX_LINKS: usize = 8;

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
    /// Whether it was counted, of one that waits in several places.
    counted: Option<Arc<AtomicBool>>,
}

impl Side {
    fn of(span: &SpanEvent) -> Self {
        Self {
            service: span.origin.service.as_deref().unwrap_or_default().into(),
            seconds: Duration::from_nanos(span.duration_ns).as_secs_f64(),
            is_failed: span.status == SpanStatus::Error,
            is_message: matches!(span.kind, SpanKind::Producer | SpanKind::Consumer),
            counted: None,
        }
    }

    /// Whether this is the first time that it is to be counted.
    fn is_first(&self) -> bool {
        self.counted.as_ref().is_none_or(|counted| !counted.swap(true, Ordering::Relaxed))
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
                let below = below.iter().filter(|other| other.is_first());
                below.for_each(|other| self.count_pair(&side, other, beyond));
            }
            Some(Sides::Asked(_)) => {}
            None => self.keep(key),
        }
    }

    fn answered(&mut self, span: &SpanEvent, beyond: &IntCounterVec) {
        let mut side = Side::of(span);
        let keys = askers(span);
        let asked = keys.iter().find_map(|key| match self.waiting.get(key) {
            Some(Sides::Asked(client)) => Some(client.clone()),
            Some(Sides::Answered(_)) | None => None,
        });
        if let Some(client) = asked {
            return self.count_pair(&client, &side, beyond);
        }
        side.counted = (keys.len() > 1).then(Arc::default);
        let mut is_lost = !keys.is_empty();
        for key in keys {
            match self.waiting.get_mut(&key) {
                Some(Sides::Answered(below)) if below.len() < MAX_BELOW => below.push(side.clone()),
                Some(_) => continue,
                None => {
                    self.waiting.insert(key, Sides::Answered(vec![side.clone()]));
                    self.keep(key);
                }
            }
            is_lost = false;
        }
        if is_lost {
            self.unpaired.inc();
        }
    }

    /// Lets go of the oldest when there are too many.
    fn keep(&mut self, key: Key) {
        self.order.push_back(key);
        if self.order.len() > MAX_WAITING
            && let Some(oldest) = self.order.pop_front()
            && let Some(Sides::Answered(below)) = self.waiting.remove(&oldest)
        {
            self.unpaired.inc_by(below.iter().filter(|side| side.is_first()).count() as u64);
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

/// The spans that may have asked for one: its parent, and what it links to if it takes a message.
fn askers(span: &SpanEvent) -> Vec<Key> {
    let parent = span.parent_span_id.as_deref().and_then(|parent| key(&span.trace_id, parent));
    let mut keys: Vec<Key> = parent.into_iter().collect();
    if span.kind == SpanKind::Consumer {
        let links = span.links.iter().take(MAX_LINKS);
        for key in links.filter_map(|link| key(link.trace_id.as_deref()?, link.span_id.as_deref()?)) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    keys
}

fn key(trace_id: &str, span_id: &str) -> Option<Key> {
    let trace = u128::from_str_radix(trace_id, 16).ok()?;
    Some((trace, u64::from_str_radix(span_id, 16).ok()?))
}
