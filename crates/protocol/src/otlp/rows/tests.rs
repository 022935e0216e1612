//! What records and spans become.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use model::Timestamp;
use model::event::{Flaw, Flaws, Level, LogEvent, SpanEvent as Row, SpanKind, SpanStatus as StatusCode};

use super::*;
use crate::otlp::{
    AnyValue, Beyond, KeyValue, LogRecord, LogSink, Resource, Scope, Sink, Span, SpanEvent, SpanId, SpanLink,
    SpanSink, SpanStatus, TraceId, UnixNanos,
};

const NOW: Timestamp = Timestamp::from_millis(1_754_083_800_000);

fn text<'a>(key: &'a str, value: &'a str) -> KeyValue<'a> {
    KeyValue { key: key.into(), value: AnyValue::Text(value.into()) }
}

fn number(key: &str, value: i64) -> KeyValue<'_> {
    KeyValue { key: key.into(), value: AnyValue::Int(value) }
}

fn pairs(attributes: &model::event::Attributes) -> Vec<(&str, &str)> {
    attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

fn logs(limits: &RowLimits, records: &[LogRecord<'_>]) -> (Vec<LogEvent>, Rows) {
    let mut sink = LogRows::new(limits, NOW);
    sink.resource(&Resource { attributes: vec![text("service.name", "ocr")], ..Resource::default() });
    sink.scope(&Scope::default());
    records.iter().for_each(|record| sink.record(record));
    let mut rows = sink.finish();
    let events = std::mem::take(&mut rows.events).into_iter().map(|event| match event {
        Event::Log(log) => *log,
        other => panic!("no record of a log: {other:?}"),
    });
    (events.collect(), rows)
}

fn log(record: &LogRecord<'_>) -> LogEvent {
    let (mut events, rows) = logs(&RowLimits::default(), std::slice::from_ref(record));
    assert_eq!(rows.reasons, Reasons::default());
    events.remove(0)
}

fn spans(spans: &[Span<'_>]) -> (Vec<Row>, Rows) {
    let limits = RowLimits::default();
    let mut sink = SpanRows::new(&limits, NOW);
    sink.resource(&Resource::default());
    sink.scope(&Scope::default());
    spans.iter().for_each(|span| sink.span(span));
    let mut rows = sink.finish();
    let events = std::mem::take(&mut rows.events).into_iter().map(|event| match event {
        Event::Span(span) => *span,
        other => panic!("no span: {other:?}"),
    });
    (events.collect(), rows)
}

fn span<'a>() -> Span<'a> {
    Span {
        trace_id: TraceId::Known([0xab; 16]),
        span_id: SpanId::Known([0xcd; 8]),
        name: "work".into(),
        start_time: UnixNanos(1_754_083_800_000_000_001),
        end_time: UnixNanos(1_754_083_800_000_000_008),
        ..Span::default()
    }
}

fn flaws<const N: usize>(all: [Flaw; N]) -> Flaws {
    all.into_iter().collect()
}

#[test]
fn a_record_has_what_it_comes_from_and_what_conventions_name_in_fields_and_the_rest_in_attributes() {
    let limits = RowLimits::default();
    let mut sink = LogRows::new(&limits, NOW);
    let attributes = vec![
        text("service.name", "ocr"),
        number("process.pid", 7),
        text("deployment.environment", "production"),
        text("os.type", "linux"),
    ];
    sink.resource(&Resource { attributes, dropped_attributes_count: 1, ..Resource::default() });
    let attributes = vec![text("a", "b")];
    sink.scope(&Scope { name: "lib".into(), attributes, dropped_attributes_count: 2, ..Scope::default() });
    let body = AnyValue::Map(vec![number("n", 1)]);
    let attributes = vec![
        text("http.request.method", "GET"),
        number("http.response.status_code", 404),
        text("job_id", "j1"),
        text("log.record.uid", "u1"),
        text("other", "x"),
        number("exception.type", 5),
    ];
    let time = UnixNanos(1_754_083_800_123_456_789);
    sink.record(&LogRecord {
        time,
        observed_time: UnixNanos(time.0 + 1),
        severity_number: 17,
        severity_text: "ERR".into(),
        body,
        attributes,
        dropped_attributes_count: 3,
        flags: 1,
        trace_id: TraceId::Known([1; 16]),
        span_id: SpanId::Invalid,
        event_name: "e".into(),
        beyond: Beyond::default(),
    });
    sink.record(&LogRecord { time, ..LogRecord::default() });
    let rows = sink.finish();
    let [Event::Log(log), Event::Log(bare)] = &rows.events[..] else { panic!("two records: {rows:?}") };
    let origin = &log.origin;
    assert_eq!((origin.service.as_deref(), origin.pid), (Some("ocr"), Some(7)));
    assert_eq!(
        (origin.environment.as_deref(), origin.scope_name.as_deref()),
        (Some("production"), Some("lib"))
    );
    assert_eq!(pairs(&origin.resource_attributes), [("os.type", "linux")]);
    assert_eq!(
        (pairs(&origin.scope_attributes), origin.dropped_resource_attributes),
        (vec![("a", "b")], Some(3))
    );
    assert!(Arc::ptr_eq(origin, &bare.origin), "it is shared");
    assert_eq!(log.time.as_nanos(), 1_754_083_800_123_456_789);
    assert_eq!(log.observed_time.map(Timestamp::as_nanos), Some(1_754_083_800_123_456_790));
    assert_eq!(
        (log.level, log.severity_number, log.severity_text.as_deref()),
        (Some(Level::Error), Some(17), Some("ERR"))
    );
    assert_eq!((log.message.as_deref(), log.event_name.as_deref()), (Some(r#"{"n":1}"#), Some("e")));
    assert_eq!((log.trace_id.as_deref(), log.span_id.as_deref()), (Some("01".repeat(16).as_str()), None));
    assert_eq!(
        (log.event_id.as_deref(), log.trace_flags, log.flaws),
        (Some("u1"), Some(1), flaws([Flaw::SpanId]))
    );
    let conventions = &log.conventions;
    assert_eq!((conventions.http_method.as_deref(), conventions.http_status_code), (Some("GET"), Some(404)));
    assert_eq!(
        (conventions.job_id.as_deref(), conventions.exception_type.as_deref()),
        (Some("j1"), Some("5"))
    );
    assert_eq!((pairs(&log.attributes), log.dropped_attributes), (vec![("other", "x")], Some(3)));
    assert_eq!((bare.message.as_deref(), bare.level, bare.flaws), (None, None, Flaws::NONE));
}

#[test]
fn a_name_of_old_fills_the_field_of_the_present_one_and_is_not_lost_beside_it() {
    let attributes = vec![
        text("gen_ai.system", "ollama"),
        number("gen_ai.usage.prompt_tokens", 5),
        number("gen_ai.usage.input_tokens", 6),
        text("http.method", "GET"),
        text("http.request.method", "GET"),
        text("db.statement", "SELECT 1"),
        text("messaging.operation", "publish"),
        text("messaging.operation.name", "send"),
        text("http.target", "/a?b=1"),
        KeyValue {
            key: "gen_ai.response.finish_reasons".into(),
            value: AnyValue::Array(vec![AnyValue::Text("stop".into()), AnyValue::Text("length".into())]),
        },
        text("http.status_code", "200"),
        text("gen_ai.usage.output_tokens", "many"),
    ];
    let log = log(&LogRecord { attributes, ..LogRecord::default() });
    let conventions = &log.conventions;
    assert_eq!(conventions.gen_ai_provider.as_deref(), Some("ollama"));
    assert_eq!((conventions.gen_ai_input_tokens, conventions.gen_ai_output_tokens), (Some(6), None));
    assert_eq!((conventions.http_method.as_deref(), conventions.http_status_code), (Some("GET"), Some(200)));
    assert_eq!(conventions.db_query.as_deref(), Some("SELECT 1"));
    assert_eq!(conventions.messaging_operation.as_deref(), Some("send"));
    assert_eq!(conventions.url_path.as_deref(), Some("/a"));
    assert_eq!(conventions.gen_ai_finish_reason.as_deref(), Some("stop,length"));
    let rest = [
        ("gen_ai.usage.output_tokens", "many"),
        ("gen_ai.usage.prompt_tokens", "5"),
        ("messaging.operation", "publish"),
        ("url.query", "b=1"),
    ];
    assert_eq!(pairs(&log.attributes), rest);
}

#[test]
fn a_record_without_a_time_stands_where_it_was_seen_or_came_in_and_one_beyond_all_times_is_rejected() {
    let seen = log(&LogRecord { observed_time: UnixNanos(5), ..LogRecord::default() });
    assert_eq!((seen.time.as_nanos(), seen.flaws), (5, Flaws::NONE));
    let unseen = log(&LogRecord::default());
    assert_eq!((unseen.time, unseen.flaws), (NOW, flaws([Flaw::NoTime])));
    let beyond = LogRecord { time: UnixNanos(u64::MAX), ..LogRecord::default() };
    let (events, rows) = logs(&RowLimits::default(), &[beyond.clone(), LogRecord::default(), beyond]);
    assert_eq!((events.len(), rows.rejected, rows.reasons.as_slice().len()), (1, 2, 1));
    assert!(rows.reasons.as_slice()[0].contains("2262"), "{:?}", rows.reasons);
}

#[test]
fn the_level_follows_from_the_number_or_else_from_the_text() {
    let level = |number, text: &'static str| {
        log(&LogRecord { severity_number: number, severity_text: text.into(), ..LogRecord::default() }).level
    };
    assert_eq!(level(9, "error"), Some(Level::Info));
    assert_eq!((level(0, "WARNING"), level(-3, ""), level(99, "")), (Some(Level::Warn), None, None));
}

#[test]
fn a_severity_that_there_is_not_leaves_a_mark() {
    let of = |number| {
        let record = LogRecord { severity_number: number, time: UnixNanos(5), ..LogRecord::default() };
        let log = log(&record);
        (log.severity_number, log.flaws)
    };
    for (number, kept) in [(999, Some(999)), (25, Some(25)), (-4, None)] {
        assert_eq!(of(number), (kept, flaws([Flaw::Severity])), "{number}");
    }
    for (number, kept) in [(0, None), (1, Some(1)), (24, Some(24))] {
        assert_eq!(of(number), (kept, Flaws::NONE), "{number}");
    }
}

#[test]
fn what_was_not_read_is_marked_on_the_record_and_on_all_records_of_a_resource() {
    let whole = LogRecord { time: UnixNanos(5), ..LogRecord::default() };
    assert_eq!(log(&whole).flaws, Flaws::NONE);
    let beyond = Beyond { depth: true, values: true };
    let part = LogRecord { beyond, ..whole.clone() };
    assert_eq!(log(&part).flaws, flaws([Flaw::Depth, Flaw::Values]));

    let limits = RowLimits::default();
    let mut rows = LogRows::new(&limits, NOW);
    rows.resource(&Resource { beyond: Beyond { values: true, ..Beyond::default() }, ..Resource::default() });
    rows.scope(&Scope { beyond: Beyond { depth: true, ..Beyond::default() }, ..Scope::default() });
    rows.record(&whole);
    let [Event::Log(log)] = &rows.finish().events[..] else { panic!("one record") };
    assert_eq!(log.flaws, flaws([Flaw::Depth, Flaw::Values]));
}

#[test]
fn a_record_that_nobody_observed_before_is_observed_when_it_comes_in() {
    let at = |observed_time| {
        let record = LogRecord { time: UnixNanos(5), observed_time, ..LogRecord::default() };
        log(&record).observed_time
    };
    assert_eq!((at(UnixNanos(0)), at(UnixNanos::BEYOND)), (Some(NOW), Some(NOW)));
    assert_eq!(at(UnixNanos(7)), Some(Timestamp::from_nanos(7)));
}

#[test]
fn what_is_too_large_is_cut_marked_and_counted() {
    let limits = RowLimits {
        max_text_bytes: 20,
        max_name_bytes: 10,
        max_attributes: 2,
        max_record_bytes: 60,
        max_depth: 1,
        ..RowLimits::default()
    };
    let deep = AnyValue::Array(vec![AnyValue::Array(vec![AnyValue::Int(1)])]);
    let long_text = "é".repeat(20);
    let records = [
        LogRecord { body: AnyValue::Text(long_text.as_str().into()), ..LogRecord::default() },
        LogRecord { body: deep, ..LogRecord::default() },
        LogRecord {
            attributes: vec![
                text("a", "1"),
                text("a", "2"),
                text("b", "3"),
                text("c", "4"),
                text("far too long", "5"),
            ],
            dropped_attributes_count: 4,
            ..LogRecord::default()
        },
        LogRecord {
            attributes: vec![text("a", &long_text), text("b", &long_text)],
            body: AnyValue::Text(long_text.as_str().into()),
            event_name: long_text.as_str().into(),
            ..LogRecord::default()
        },
    ];
    let (events, _) = logs(&limits, &records);
    let no_time = Flaw::NoTime;
    assert_eq!(events[0].message.as_deref(), Some("éééééééé…"));
    assert_eq!(events[0].flaws, flaws([no_time, Flaw::Text]));
    assert_eq!(
        (events[1].message.as_deref(), events[1].flaws),
        (Some(r#"["…"]"#), flaws([no_time, Flaw::Depth]))
    );
    assert_eq!(
        (pairs(&events[2].attributes), events[2].dropped_attributes),
        (vec![("a", "1"), ("b", "3")], Some(7))
    );
    assert_eq!(events[2].flaws, flaws([no_time, Flaw::Attributes]));
    let whole = |log: &LogEvent| {
        let attributes = log.attributes.iter().map(|(name, value)| name.len() + value.len());
        let texts = [&log.message, &log.event_name].map(|text| text.as_ref().map_or(0, String::len));
        attributes.chain(texts).sum::<usize>()
    };
    assert!(whole(&events[3]) <= limits.max_record_bytes + 10, "{:?}", events[3]);
    assert!(events[3].flaws.contains(Flaw::Text));
}

#[test]
fn records_beyond_the_memory_of_a_request_are_rejected() {
    let each = size_of::<LogEvent>() + size_of::<Event>();
    let limits = RowLimits { max_bytes: 10 * each, ..RowLimits::default() };
    let many = vec![LogRecord { body: AnyValue::Text("x".into()), ..LogRecord::default() }; 20];
    let (events, rows) = logs(&limits, &many);
    assert_eq!((events.len(), rows.rejected, rows.reasons.as_slice().len()), (9, 11, 1));
    assert_eq!(rows.rejected_over_memory, 11);
    assert!(rows.reasons.as_slice()[0].contains("send fewer at once"), "{:?}", rows.reasons);
}

#[test]
fn records_for_which_there_is_no_room_are_let_go_and_what_they_take_is_counted_to_the_end() {
    let each = size_of::<LogEvent>() + size_of::<Event>();
    let asked = Arc::new(AtomicUsize::new(0));
    let most = Arc::clone(&asked);
    let budget = Budget::new(move |bytes| {
        most.store(bytes, Ordering::SeqCst);
        bytes <= 5 * each
    });
    let limits = RowLimits { budget, ..RowLimits::default() };
    let many = vec![LogRecord::default(); 20];
    let (events, rows) = logs(&limits, &many[..4]);
    assert_eq!((events.len(), rows.rejected), (4, 0));
    let (events, rows) = logs(&limits, &many);
    assert_eq!((events.len(), rows.rejected), (0, 0));
    let counted = asked.load(Ordering::SeqCst);
    assert!((20 * each..21 * each).contains(&counted), "{counted}");
}

#[test]
fn a_span_has_its_times_to_the_nanosecond_its_events_and_its_links() {
    let event = SpanEvent {
        time: UnixNanos(1_754_083_800_000_000_003),
        name: "exception".into(),
        attributes: vec![text("exception.type", "E"), text("exception.message", "of the event")],
        dropped_attributes_count: 1,
    };
    let link = SpanLink {
        trace_id: TraceId::Known([2; 16]),
        span_id: SpanId::Invalid,
        attributes: vec![text("l", "1")],
        ..SpanLink::default()
    };
    let sent = Span {
        kind: SpanKind::Consumer,
        parent_span_id: SpanId::Known([3; 8]),
        attributes: vec![text("exception.message", "of the span"), text("messaging.system", "celery")],
        events: vec![event],
        dropped_events_count: 2,
        links: vec![link],
        status: SpanStatus { code: StatusCode::Error, message: "no".into() },
        flags: 0x101,
        trace_state: "a=b".into(),
        ..span()
    };
    let (rows, _) = spans(&[sent]);
    let row = &rows[0];
    assert_eq!((row.time.as_nanos(), row.duration_ns), (1_754_083_800_000_000_001, 7));
    assert_eq!(
        (row.trace_id.as_str(), row.span_id.as_str()),
        ("ab".repeat(16).as_str(), "cd".repeat(8).as_str())
    );
    assert_eq!(row.event_id(), "ab".repeat(16) + &"cd".repeat(8) + "-consumer");
    assert_eq!((row.parent_span_id.as_deref(), row.name.as_str()), (Some("0303030303030303"), "work"));
    assert_eq!(
        (row.kind, row.status, row.status_message.as_deref()),
        (SpanKind::Consumer, StatusCode::Error, Some("no"))
    );
    assert_eq!((row.trace_flags, row.trace_state.as_deref()), (Some(0x101), Some("a=b")));
    assert_eq!((row.events[0].name.as_str(), row.events[0].dropped_attributes), ("exception", Some(1)));
    assert_eq!(row.events[0].time.map(Timestamp::as_nanos), Some(1_754_083_800_000_000_003));
    assert_eq!((row.dropped_events, row.dropped_links), (Some(2), None));
    assert_eq!(
        (row.links[0].trace_id.as_deref(), row.links[0].span_id.as_deref()),
        (Some("02".repeat(16).as_str()), None)
    );
    assert_eq!((pairs(&row.links[0].attributes), row.flaws), (vec![("l", "1")], flaws([Flaw::SpanId])));
    let conventions = &row.conventions;
    assert_eq!(conventions.exception_type.as_deref(), Some("E"));
    assert_eq!(conventions.exception_message.as_deref(), Some("of the span"));
    assert_eq!(conventions.messaging_system.as_deref(), Some("celery"));
}

#[test]
fn a_span_without_ids_is_rejected_and_one_with_odd_times_or_an_odd_parent_is_kept_and_marked() {
    let nameless = Span { span_id: SpanId::Absent, ..span() };
    let traceless = Span { trace_id: TraceId::Invalid, ..span() };
    let backwards = Span { end_time: UnixNanos(5), parent_span_id: SpanId::Invalid, ..span() };
    let endless = Span { end_time: UnixNanos(0), ..span() };
    let timeless = Span { start_time: UnixNanos(0), end_time: UnixNanos(0), ..span() };
    let beyond = Span { end_time: UnixNanos::BEYOND, ..span() };
    let (rows, rest) = spans(&[nameless, traceless, backwards, endless, timeless, beyond]);
    assert_eq!((rows.len(), rest.rejected, rest.reasons.as_slice().len()), (4, 2, 2));
    assert!(
        rest.reasons.as_slice()[0].contains("span id") && rest.reasons.as_slice()[1].contains("trace id"),
        "{:?}",
        rest.reasons
    );
    assert_eq!((rows[0].duration_ns, rows[0].flaws), (0, flaws([Flaw::EndTime, Flaw::ParentId])));
    assert_eq!((rows[1].duration_ns, rows[1].flaws), (0, flaws([Flaw::EndTime])));
    assert_eq!((rows[2].time, rows[2].flaws), (NOW, flaws([Flaw::NoTime])));
    assert_eq!((rows[3].duration_ns, rows[3].flaws), (0, flaws([Flaw::EndTime])));
}

#[test]
fn what_records_come_from_has_a_budget_of_its_own_and_counts_with_each_of_them() {
    let limits = RowLimits { max_bytes: 1 << 20, ..RowLimits::default() };
    let long = "x".repeat(10_000);
    let keys: Vec<String> = (0..100).map(|number| format!("key.{number:03}")).collect();
    let attributes: Vec<KeyValue<'_>> = keys.iter().map(|key| text(key, &long)).collect();
    let mut sink = LogRows::new(&limits, NOW);
    sink.resource(&Resource { attributes: attributes.clone(), ..Resource::default() });
    sink.scope(&Scope { name: "lib".into(), attributes, ..Scope::default() });
    let time = UnixNanos(1_754_083_800_000_000_001);
    (0..10_000).for_each(|_| sink.record(&LogRecord { time, ..LogRecord::default() }));
    let rows = sink.finish();
    assert_eq!(rows.events.len() as u64 + rows.rejected, 10_000);
    assert_eq!(rows.rejected_over_memory, rows.rejected);
    let Event::Log(log) = &rows.events[0] else { panic!("no record of a log: {:?}", rows.events[0]) };
    let origin = &log.origin;
    let both = || origin.resource_attributes.iter().chain(&origin.scope_attributes);
    let bytes: usize = both().map(|(key, value)| key.len() + value.len()).sum();
    // What says that there is no room left is longer than no text at all.
    assert!((12_000..17_000).contains(&bytes), "{bytes}");
    assert!(both().all(|(_, value)| value.len() <= limits.max_origin_text_bytes));
    assert_eq!(origin.scope_name.as_deref(), Some("lib"), "a part is kept for the scope");
    let left_out = 200 - both().count() as u64;
    assert!(left_out > 0 && origin.dropped_resource_attributes == Some(left_out), "{origin:?}");
    assert_eq!(log.flaws, flaws([Flaw::Attributes, Flaw::Text]));
    assert!(rows.events.len() * bytes < 1 << 20, "{} rows", rows.events.len());
    assert!(rows.events.len() > 20, "{} rows", rows.events.len());
}

#[test]
fn once_there_is_no_room_the_rest_of_a_request_is_rejected_whatever_its_size() {
    let limits = RowLimits { max_bytes: 10_000, ..RowLimits::default() };
    let large = "x".repeat(10_000);
    let of = |body: &str| LogRecord { body: AnyValue::Text(body.to_owned().into()), ..LogRecord::default() };
    let (events, rows) = logs(&limits, &[of("first"), of(&large), of("small")]);
    assert_eq!((events.len(), rows.rejected, rows.rejected_over_memory), (1, 2, 2));
    assert_eq!(rows.reasons.as_slice().len(), 1);
}

#[test]
fn of_names_that_say_the_same_the_best_one_holds_the_field() {
    let attributes = vec![
        text("messaging.operation", "send"),
        text("messaging.operation.name", "send"),
        text("messaging.operation.type", "publish"),
    ];
    let log = log(&LogRecord { attributes, ..LogRecord::default() });
    assert_eq!(log.conventions.messaging_operation.as_deref(), Some("send"));
    assert_eq!(pairs(&log.attributes), [("messaging.operation.type", "publish")]);
}

#[test]
fn a_target_is_a_path_and_a_query_unless_these_are_said_otherwise_before_or_behind_it() {
    type Pairs<'a> = &'a [(&'a str, &'a str)];
    let target = ("http.target", "/a?b=1");
    let cases: [(Pairs<'_>, Option<&str>, Pairs<'_>); 7] = [
        (&[target], Some("/a"), &[("url.query", "b=1")]),
        (&[target, ("url.query", "b=2")], Some("/a"), &[target, ("url.query", "b=2")]),
        (&[("url.query", "b=2"), target], Some("/a"), &[target, ("url.query", "b=2")]),
        (&[target, ("url.path", "/z")], Some("/z"), &[target]),
        (&[("url.path", "/a"), target, ("url.query", "b=1")], Some("/a"), &[("url.query", "b=1")]),
        (&[("http.target", "/a")], Some("/a"), &[]),
        (&[("http.target", "?b=1")], None, &[("url.query", "b=1")]),
    ];
    for (sent, path, rest) in cases {
        let attributes = sent.iter().map(|(key, value)| text(key, value)).collect();
        let log = log(&LogRecord { attributes, ..LogRecord::default() });
        assert_eq!(
            (log.conventions.url_path.as_deref(), &pairs(&log.attributes)[..]),
            (path, rest),
            "{sent:?}"
        );
        assert_eq!(log.dropped_attributes, None, "{sent:?}");
    }
}

#[test]
fn an_id_without_room_is_left_out_and_never_cut() {
    let long = "i".repeat(600);
    let attributes = ["job_id", "log.record.uid", "user.id", "stage"].map(|key| text(key, &long)).to_vec();
    let record = LogRecord { time: UnixNanos(5), attributes, ..LogRecord::default() };
    let kept = log(&record);
    assert_eq!((&kept.event_id, &kept.conventions.job_id, &kept.conventions.user_id), (&None, &None, &None));
    assert_eq!(kept.conventions.stage.as_deref(), Some(long.as_str()), "a name is no id");
    assert_eq!((kept.flaws, kept.attributes.len()), (flaws([Flaw::Text]), 0));
    let limits = RowLimits { max_record_bytes: 8, ..RowLimits::default() };
    let attributes = vec![text("job_id", "123456"), text("document_id", "d-123456"), number("user_id", 7)];
    let (events, _) = logs(&limits, &[LogRecord { attributes, ..record }]);
    let said = &events[0].conventions;
    assert_eq!((said.job_id.as_deref(), said.document_id.as_deref()), (Some("123456"), None));
    assert_eq!((said.user_id.as_deref(), events[0].flaws), (Some("7"), flaws([Flaw::Text])));
}

#[test]
fn an_attribute_without_room_for_its_key_takes_nothing_from_the_others() {
    let limits = RowLimits { max_name_bytes: 10, max_record_bytes: 30, ..RowLimits::default() };
    let value = "v".repeat(20);
    let attributes = vec![text("far too long", &value), text("also too long", &value), text("a", &value)];
    let (events, _) = logs(&limits, &[LogRecord { attributes, ..LogRecord::default() }]);
    assert_eq!((pairs(&events[0].attributes), events[0].dropped_attributes), (vec![("a", &*value)], Some(2)));
    assert!(!events[0].flaws.contains(Flaw::Text));
}

#[test]
fn a_number_without_room_is_cut_as_a_text_is() {
    let limits = RowLimits { max_text_bytes: 6, ..RowLimits::default() };
    let cases = [
        (AnyValue::Int(123), "123", false),
        (AnyValue::Int(-12), "-12", false),
        (AnyValue::Int(-123), "-12…", true),
        (AnyValue::Int(123_456), "123…", true),
        (AnyValue::Double(0.5), "0.5", false),
        (AnyValue::Double(-1234.5), "-12…", true),
        (AnyValue::Double(1e21), "1e+…", true),
        (AnyValue::Bool(true), "tru…", true),
        (AnyValue::Text("123456".into()), "123456", false),
        (AnyValue::Empty, "", false),
    ];
    for (value, expected, is_cut) in cases {
        let said = format!("{value:?}");
        let record = LogRecord {
            time: UnixNanos(5),
            attributes: vec![KeyValue { key: "n".into(), value }],
            ..LogRecord::default()
        };
        let (events, _) = logs(&limits, &[record]);
        assert_eq!(pairs(&events[0].attributes), [("n", expected)], "{said}");
        assert_eq!(events[0].flaws.contains(Flaw::Text), is_cut, "{said}");
    }
}
