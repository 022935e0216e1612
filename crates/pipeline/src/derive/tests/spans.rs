//! Metrics of spans.

use model::event::{SpanEvent, SpanKind, SpanLink, SpanStatus};

use super::*;
use crate::fixtures::span;

/// One span of a service.
pub(super) fn a_span() -> Event {
    Event::Span(Box::new(span("gateway", SpanKind::Internal, ("1", ""), 1)))
}

/// Samples with their times, by their series.
type Samples = BTreeMap<String, Vec<(i64, f64)>>;

fn folded(config: Config, spans: Vec<SpanEvent>) -> (Arc<Pipeline>, Samples) {
    let pipeline = pipeline(config);
    for span in spans {
        pipeline.fold(&[Event::Span(Box::new(span))], Counting::Counted);
    }
    let samples = samples(&Derivation::new(at(0)).derive(&pipeline, at(15)).batch);
    (pipeline, samples)
}

#[test]
fn every_operation_has_a_rate_errors_and_durations() {
    let failed = |id| SpanEvent { status: SpanStatus::Error, ..span("api", SpanKind::Server, (id, ""), 2) };
    let spans = vec![span("api", SpanKind::Server, ("1", ""), 1), failed("2"), failed("3")];
    let (_, samples) = folded(Config::default(), spans);
    let labels = |status: &str| {
        format!(
            r#"service_name="api", span_kind="SPAN_KIND_SERVER", span_name="work", status_code="{status}""#
        )
    };
    let calls =
        |status: &str| value(&samples, &format!("traces_span_metrics_calls_total{{{}}}", labels(status)));
    assert_eq!((calls("STATUS_CODE_UNSET"), calls("STATUS_CODE_ERROR")), (1.0, 2.0));
    let sum = format!("traces_span_metrics_duration_seconds_sum{{{}}}", labels("STATUS_CODE_ERROR"));
    assert_eq!(value(&samples, &sum), 4.0);
}

#[test]
fn names_beyond_the_bound_of_a_service_are_counted_together_and_leave_others_their_room() {
    let config = Config { max_operations_per_service: 2, ..Config::default() };
    let named = |service: &str, name: &str| SpanEvent {
        name: name.to_owned(),
        ..span(service, SpanKind::Internal, ("1", ""), 1)
    };
    let mut spans: Vec<SpanEvent> = (0..10).map(|id| named("noisy", &format!("page {id}"))).collect();
    spans.push(named("quiet", "work"));
    let (_, samples) = folded(config, spans);
    let calls = |service: &str, name: &str| {
        let kind = r#"span_kind="SPAN_KIND_INTERNAL""#;
        let series = format!(
            r#"traces_span_metrics_calls_total{{service_name="{service}", {kind}, span_name="{name}", status_code="STATUS_CODE_UNSET"}}"#
        );
        value(&samples, &series)
    };
    assert_eq!(calls("noisy", "page 1"), 1.0);
    assert_eq!(calls("noisy", "other"), 8.0);
    assert_eq!(calls("quiet", "work"), 1.0);
}

#[test]
fn the_slowest_of_each_operation_leads_to_its_trace_once() {
    let spans = [1, 40, 7].map(|seconds| span("api", SpanKind::Server, ("00", ""), seconds)).to_vec();
    let (pipeline, _) = folded(Config::default(), spans);
    let exemplars = pipeline.tally().take_exemplars();
    let [exemplar] = &exemplars[..] else { panic!("one: {exemplars:?}") };
    assert_eq!(exemplar.series.get("le"), Some("60"));
    assert_eq!(exemplar.series.metric_name(), "traces_span_metrics_duration_seconds_bucket");
    assert_eq!(exemplar.labels.get("trace_id"), Some("ab".repeat(16).as_str()));
    assert_eq!((exemplar.value, exemplar.time_ms), (40.0, at(41).as_millis()));
    assert!(pipeline.tally().take_exemplars().is_empty());
}

#[test]
fn who_asks_whom_is_counted_in_whatever_order_both_sides_come() {
    let asks = || span("gateway", SpanKind::Client, ("a1", ""), 3);
    let answers =
        || SpanEvent { status: SpanStatus::Error, ..span("api", SpanKind::Server, ("b1", "a1"), 2) };
    for spans in [vec![asks(), answers()], vec![answers(), asks()]] {
        let (_, samples) = folded(Config::default(), spans);
        let edge = r#"{client="gateway", server="api"}"#;
        let number = |name: &str| value(&samples, &format!("traces_service_graph_request_{name}{edge}"));
        assert_eq!((number("total"), number("failed_total")), (1.0, 1.0));
        assert_eq!((number("client_seconds_sum"), number("server_seconds_sum")), (3.0, 2.0));
    }
}

#[test]
fn a_message_that_several_process_and_a_database_are_edges_too() {
    let mut query = span("worker", SpanKind::Client, ("c1", "b1"), 1);
    query.conventions.db_system = Some("postgresql".to_owned());
    query.conventions.db_namespace = Some("documents".to_owned());
    let spans = vec![
        span("worker", SpanKind::Consumer, ("b1", "a1"), 1),
        span("gateway", SpanKind::Producer, ("a1", ""), 1),
        span("worker", SpanKind::Consumer, ("b2", "a1"), 1),
        span("lonely", SpanKind::Server, ("d1", "e1"), 1),
        query,
    ];
    let (_, samples) = folded(Config::default(), spans);
    let total = |edge: &str| value(&samples, &format!("traces_service_graph_request_total{{{edge}}}"));
    assert_eq!(total(r#"client="gateway", connection_type="messaging_system", server="worker""#), 2.0);
    assert_eq!(total(r#"client="worker", connection_type="database", server="documents""#), 1.0);
    assert_eq!(
        samples.keys().filter(|series| series.starts_with("traces_service_graph_request_total")).count(),
        2
    );
}

/// What takes messages in a trace of its own, with links to what sent them.
fn linked(id: &str, links: &[(&str, &str)]) -> SpanEvent {
    let link = |(trace, span): &(&str, &str)| SpanLink {
        trace_id: Some(trace.repeat(16)),
        span_id: Some((*span).to_owned()),
        ..SpanLink::default()
    };
    SpanEvent {
        trace_id: "cd".repeat(16),
        links: links.iter().map(link).collect(),
        ..span("worker", SpanKind::Consumer, (id, ""), 1)
    }
}

#[test]
fn who_takes_messages_by_a_link_is_below_who_sent_them_and_counts_once() {
    let sent = || {
        vec![
            span("gateway", SpanKind::Producer, ("a1", ""), 1),
            span("gateway", SpanKind::Producer, ("a2", ""), 1),
        ]
    };
    // One message, two of them at once, and links to what sends nothing.
    let taken = || {
        vec![
            linked("b1", &[("ab", "a1")]),
            linked("b2", &[("ab", "a1"), ("ab", "a2")]),
            linked("b3", &[("ef", "99"), ("ab", "a2"), ("ab", "a2")]),
            linked("b4", &[]),
            linked("b5", &[("ab", "77")]),
        ]
    };
    let orders = [[sent(), taken()].concat(), [taken(), sent()].concat()];
    for spans in orders {
        let (_, samples) = folded(Config::default(), spans);
        let edge = r#"{client="gateway", connection_type="messaging_system", server="worker"}"#;
        assert_eq!(value(&samples, &format!("traces_service_graph_request_total{edge}")), 3.0);
    }
}

#[test]
fn a_message_that_both_a_parent_and_a_link_lead_to_counts_once() {
    let both = SpanEvent {
        trace_id: "ab".repeat(16),
        parent_span_id: Some("a1".to_owned()),
        ..linked("b1", &[("ab", "a1")])
    };
    let (_, samples) =
        folded(Config::default(), vec![both, span("gateway", SpanKind::Producer, ("a1", ""), 1)]);
    let edge = r#"{client="gateway", connection_type="messaging_system", server="worker"}"#;
    assert_eq!(value(&samples, &format!("traces_service_graph_request_total{edge}")), 1.0);
}
