//! Records of any kind and queries of any kind, whose words and values meet often enough.

use std::sync::Arc;

use model::Timestamp;
use model::event::{
    Attributes, AuditCategory, AuditEvent, AuditOutcome, Conventions, Event, Flaw, Flaws, Level, LogEvent,
    Origin, SpanEvent, SpanKind, SpanOccurrence, SpanStatus,
};
use proptest::prelude::*;
use proptest::sample::select;

use crate::Kind;

/// When it is.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_754_083_800_000);

/// Numbers that look like chance and are the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    /// One of them, or nothing.
    fn some(&mut self, of: &[&str]) -> Option<String> {
        (self.below(3) > 0).then(|| self.one(of).to_owned())
    }

    fn attributes(&mut self, of: &[(&str, &[&str])]) -> Attributes {
        let mut attributes = Attributes::new();
        for (key, values) in of {
            if self.below(3) == 0 {
                attributes.insert((*key).to_owned(), self.one(values).to_owned());
            }
        }
        attributes
    }

    fn text(&mut self) -> String {
        let count = 1 + self.below(7);
        let words: Vec<&str> = (0..count).map(|_| self.one(&WORDS)).collect();
        words.join(self.one(&[" ", ", ", "-", ": "]))
    }
}

const WORDS: [&str; 16] = [
    "timed",
    "out",
    "Timeout",
    "RETRY",
    "retry",
    "job",
    "7",
    "db7",
    "5.5s",
    "für",
    "FÜR",
    "ΟΔΟΣ",
    "/api/v1",
    "job_7",
    "connection",
    "x",
];
const SERVICES: [&str; 5] = ["ocr", "ocr-2", "OCR", "asr", "llm gateway"];
const HOSTS: [&str; 3] = ["gpu-1", "gpu-2", "db7"];
const TENANTS: [&str; 4] = ["acme", "Acme", "a-7", "nobody"];
const OWN: &[(&str, &[&str])] = &[
    ("attempts", &["1", "3", "12", "1e1", "many", "-4"]),
    ("waited", &["250ms", "1.5s", "3", "2m30s", "long"]),
    ("duration", &["5s", "250ms", "soon"]),
    ("http.request.body.size", &["512", "2MB", "10MiB", "much"]),
    ("colour", &["red", "Dark red", "blue", ""]),
    ("tenant_id", &TENANTS),
    ("since", &["2025-08-01T21:00:00Z", "yesterday"]),
    ("logger", &["ocr.pages", "root"]),
    ("cached", &["true", "false"]),
];
const OF_RESOURCE: &[(&str, &[&str])] =
    &[("tenant", &TENANTS), ("zone", &["eu-1", "eu-2", "us"]), ("colour", &["green", "red"])];
const TRACES: [&str; 3] = [
    "4bf92f3577b34da6a3ce929d0e0e4736",
    "4bf92f3577b34da6a3ce929d0e0e4737",
    "00000000000000000000000000000abc",
];

fn origin(chance: &mut Chance) -> Arc<Origin> {
    Arc::new(Origin {
        service: chance.some(&SERVICES),
        service_version: chance.some(&["1.0", "1.1"]),
        environment: chance.some(&["production", "test"]),
        host: chance.some(&HOSTS),
        pid: (chance.below(2) == 0).then(|| chance.below(9) as u64),
        scope_name: chance.some(&["ocr.pages", "http"]),
        scope_version: chance.some(&["1.0", "1.1"]),
        resource_attributes: chance.attributes(OF_RESOURCE),
        ..Origin::default()
    })
}

fn conventions(chance: &mut Chance) -> Conventions {
    Conventions {
        job_id: chance.some(&["doc-7", "doc-8", "j"]),
        tenant: chance.some(&TENANTS),
        user_id: chance.some(&["ada", "bob"]),
        http_method: chance.some(&["GET", "POST"]),
        http_route: chance.some(&["/documents/{id}", "/"]),
        http_status_code: (chance.below(2) == 0).then(|| [200, 404, 500, 503][chance.below(4)]),
        gen_ai_operation: chance.some(&["chat", "embeddings"]),
        gen_ai_input_tokens: (chance.below(4) == 0).then(|| chance.below(100) as u64),
        exception_message: (chance.below(5) == 0).then(|| chance.text()),
        exception_stacktrace: (chance.below(8) == 0).then(|| chance.text()),
        ..Conventions::default()
    }
}

fn time(chance: &mut Chance) -> Timestamp {
    // The last hour, mostly at other times than others.
    Timestamp::from_nanos(NOW.as_nanos() - chance.below(3_600) as i64 * 1_000_000_000)
}

fn flaws(chance: &mut Chance) -> Flaws {
    let all = [Flaw::Text, Flaw::NoTime, Flaw::Depth];
    all.into_iter().filter(|_| chance.below(3) == 0).collect()
}

fn occurrences(chance: &mut Chance) -> Vec<SpanOccurrence> {
    let count = chance.below(3);
    let one = |chance: &mut Chance| SpanOccurrence {
        time: (chance.below(2) == 0).then_some(NOW),
        name: chance.one(&["exception", "gen_ai.choice"]).to_owned(),
        attributes: chance.attributes(OWN),
        dropped_attributes: None,
    };
    (0..count).map(|_| one(chance)).collect()
}

pub(crate) fn logs(count: usize) -> Vec<Event> {
    let mut chance = Chance(7);
    let logs = (0..count).map(|number| {
        let time = time(&mut chance);
        Event::Log(Box::new(LogEvent {
            event_id: Some(format!("l{number}")),
            observed_time: (chance.below(2) == 0).then_some(time),
            level: (chance.below(5) > 0).then(|| Level::ALL[chance.below(Level::ALL.len())]),
            severity_number: (chance.below(2) == 0).then(|| 1 + chance.below(24) as u64),
            severity_text: chance.some(&["ERROR", "Warn"]),
            event_name: chance.some(&["cache.missed", "timeout"]),
            dropped_attributes: (chance.below(3) == 0).then(|| chance.below(9) as u64),
            flaws: flaws(&mut chance),
            message: (chance.below(9) > 0).then(|| chance.text()),
            trace_id: chance.some(&TRACES),
            conventions: conventions(&mut chance),
            attributes: chance.attributes(OWN),
            ..LogEvent::new(time, origin(&mut chance))
        }))
    });
    logs.collect()
}

pub(crate) fn spans(count: usize) -> Vec<Event> {
    let mut chance = Chance(11);
    let spans = (0..count).map(|number| {
        let (time, trace) = (time(&mut chance), chance.one(&TRACES).to_owned());
        Event::Span(Box::new(SpanEvent {
            parent_span_id: chance.some(&["0000000000000001", "00000000000000ab"]),
            name: chance.one(&["GET /documents", "chat llama", "ocr page", "Timeout"]).to_owned(),
            kind: SpanKind::ALL[chance.below(SpanKind::ALL.len())],
            status: SpanStatus::ALL[chance.below(SpanStatus::ALL.len())],
            status_message: (chance.below(4) == 0).then(|| chance.text()),
            events: occurrences(&mut chance),
            dropped_events: (chance.below(3) == 0).then(|| chance.below(9) as u64),
            flaws: flaws(&mut chance),
            duration_ns: [0, 999, 250_000_000, 1_000_000_000, 5_000_000_001, u64::MAX][chance.below(6)],
            conventions: conventions(&mut chance),
            attributes: chance.attributes(OWN),
            ..SpanEvent::new(time, trace, format!("{number:016x}"), origin(&mut chance))
        }))
    });
    spans.collect()
}

/// What is kept as attributes of what is audited, for want of columns.
const OF_AUDITS: &[(&str, &[&str])] = &[
    ("level", &["info", "warn", "error"]),
    ("severity", &["ERROR", "Warn"]),
    ("dropped_attributes", &["2", "17"]),
    ("otel.scope.name", &["ocr.pages", "http"]),
    ("otel.scope.version", &["1.0", "1.1"]),
    ("process.pid", &["3", "7"]),
    ("http.request.method", &["GET", "POST"]),
    ("http.response.status_code", &["200", "404", "503"]),
    ("gen_ai.usage.input_tokens", &["7", "70"]),
    ("exception.message", &["timed out", "retry", "x"]),
    ("zone", &["eu-1", "us"]),
];

pub(crate) fn audits(count: usize) -> Vec<Event> {
    let mut chance = Chance(13);
    let audits = (0..count).map(|number| {
        let mut attributes = chance.attributes(OWN);
        attributes.extend(chance.attributes(OF_AUDITS));
        Event::Audit(Box::new(AuditEvent {
            time: time(&mut chance),
            event_id: format!("a{number}"),
            action: chance.one(&["document.delete", "login", "retry", "job-7"]).to_owned(),
            category: AuditCategory::ALL[chance.below(AuditCategory::ALL.len())],
            outcome: (chance.below(2) == 0).then(|| AuditOutcome::ALL[chance.below(AuditOutcome::ALL.len())]),
            user_id: chance.some(&["ada", "bob"]),
            target: chance.some(&["doc-7", "doc-8"]),
            message: (chance.below(3) > 0).then(|| chance.text()),
            client_ip: chance.some(&["192.0.2.7", "192.0.2.8"]),
            tenant: chance.some(&TENANTS),
            service: chance.some(&SERVICES),
            host: chance.some(&HOSTS),
            job_id: chance.some(&["doc-7", "doc-8", "j"]),
            document_id: None,
            request_id: None,
            trace_id: chance.some(&TRACES),
            attributes,
        }))
    });
    audits.collect()
}

/// Conditions that both kinds of records know.
const TERMS: [&str; 88] = [
    "*",
    "timed",
    "TIMEOUT",
    "retry",
    "für",
    "ΟΔΟΣ",
    "οδος",
    "job_7",
    "nothing",
    "\"timed out\"",
    "\"retry job\"",
    "\"api v1\"",
    "time*",
    "*out",
    "db?",
    "job-*",
    "tim*-out",
    "/timed? out/",
    "/RETRY/",
    "/retry/i",
    "/^job/",
    "service:ocr",
    "service:OCR",
    "service:ocr*",
    "service:*cr",
    "service:o?r-2",
    "service:\"llm gateway\"",
    "service:/^ocr(-\\d)?$/",
    "service!=ocr",
    "service>=ocr",
    "service:(asr OR ocr)",
    "service:*",
    "host:db7",
    "host:gpu-*",
    "host<gpu-2",
    "svc:asr",
    "scope:http",
    "time>=-15m",
    "time:[-30m TO -10m}",
    "time<-59m",
    "time:2025-08-01",
    "trace_id:4bf92f3577b34da6a3ce929d0e0e4736",
    "trace_id:4bf9*",
    "trace_id:4BF9*",
    "trace_id:*abc",
    "job_id:doc-7",
    "job_id>doc-7",
    "job_id:*",
    "http.response.status_code:>=500",
    "http.response.status_code:404",
    "http.response.status_code:500..599",
    "http.status_code:503",
    "http.status_code>400",
    "http.request.method:GET",
    "http.route:/doc/",
    "user.id:ada",
    "user_id:bob",
    "gen_ai.usage.input_tokens>50",
    "http.request.body.size>1MiB",
    "http.request.body.size:512",
    "process.pid>4",
    "tenant:acme",
    "tenant_id:acme",
    "attributes.tenant:acme",
    "resource.tenant:acme",
    "tenant:*",
    "colour:red",
    "colour:*red",
    "colour>blue",
    "colour:\"\"",
    "attempts>3",
    "attempts:1..10",
    "waited>300ms",
    "since<now",
    "flaws:text_cut",
    "flaws:\"time_missing depth_cut\"",
    "-flaws:*",
    "environment:production",
    "pid>4",
    "pid:7",
    "deployment.environment:test",
    "service.version>1.0",
    "scope_name:http",
    "http_status_code>=500",
    "http_method:GET",
    "gen_ai.usage.prompt_tokens>50",
    "gen_ai_input_tokens:1..50",
    "llm.request.type:chat",
];
const OF_LOGS: [&str; 19] = [
    "level:error",
    "level>=warn",
    "level<info",
    "level:[warn TO error]",
    "level!=warn",
    "level:*",
    "message:retry",
    "message=\"x\"",
    "observed_time:*",
    "duration>1s",
    "logger:ocr.pages",
    "zone:eu-*",
    "severity_text:ERROR",
    "severity_number>16",
    "event_name:cache*",
    "event.name:timeout",
    "event_id:l7",
    "dropped_attributes>2",
    "scope_version>1.0",
];
const OF_SPANS: [&str; 17] = [
    "duration>1s",
    "duration:250ms",
    "duration:[1s TO 6s}",
    "duration<1us",
    "name:Timeout",
    "name:chat*",
    "operation:/GET/",
    "kind:server",
    "status:error",
    "status_message:retry",
    "parent_span_id:*",
    "cached:true",
    "kind:SERVER",
    "event:exception",
    "events:\"gen_ai choice\"",
    "event.name:/choice/",
    "dropped_events>2",
];

/// A query over records of a kind.
pub(crate) fn query_of(kind: Kind) -> impl Strategy<Value = String> {
    let own: &[&str] = if kind == Kind::Logs { &OF_LOGS } else { &OF_SPANS };
    let (both, own) = (select(TERMS.to_vec()), select(own.to_vec()));
    let term = prop_oneof![4 => both, 1 => own].prop_map(str::to_owned);
    term.prop_recursive(3, 10, 3, |inner| {
        let some = proptest::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            some.clone().prop_map(|parts| format!("({})", parts.join(" "))),
            some.prop_map(|parts| format!("({})", parts.join(" OR "))),
            inner.prop_map(|part| format!("-({part})")),
        ]
    })
}
