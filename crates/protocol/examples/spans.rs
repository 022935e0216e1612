//! Spans for `make bench`, sent by OTLP over HTTP, every request answered before the next of its connection. The same
//! number gives the same spans, but for their times: the last day before now.
//!
//! usage: spans ADDRESS SPANS CONNECTIONS
//!
//! They are what a pipeline of documents sends: traces of ten spans, each a document that is uploaded, queued and worked
//! on in six stages, with a call of a model and one of a database. The id of a trace follows from its number, as
//! `trace_id` says, so that whoever asks for any of them need not be told them. What was sent is told as JSON.

mod otlp;

use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message as _;

use crate::otlp::{Connection, Failure, attribute, text};

const DAY_NS: u64 = 86_400_000_000_000;
/// The longest that a trace takes: the last one ends before now.
const LONGEST_NS: u64 = 60_000_000_000;
/// Traces in one request.
const TRACES: u64 = 100;
const HOSTS: u64 = 100;
const SERVICES: [&str; 2] = ["api", "worker"];

/// A span of each trace: between which thousandths of the trace it runs, and the place of the one that it is a part of.
struct Part {
    service: &'static str,
    name: &'static str,
    kind: SpanKind,
    parent: Option<usize>,
    from: u64,
    to: u64,
}

const fn part(
    service: &'static str,
    (name, kind): (&'static str, SpanKind),
    parent: Option<usize>,
    (from, to): (u64, u64),
) -> Part {
    Part { service, name, kind, parent, from, to }
}

const JOB: usize = 2;
const CALL: usize = 8;
const PARTS: [Part; 10] = [
    part("api", ("POST /documents", SpanKind::Server), None, (0, 40)),
    part("api", ("send extraction", SpanKind::Producer), Some(0), (10, 20)),
    part("worker", ("process extraction", SpanKind::Consumer), Some(1), (100, 1000)),
    part("worker", ("extract", SpanKind::Internal), Some(JOB), (110, 300)),
    part("worker", ("layout", SpanKind::Internal), Some(JOB), (300, 400)),
    part("worker", ("ocr", SpanKind::Internal), Some(JOB), (400, 600)),
    part("worker", ("chunk", SpanKind::Internal), Some(JOB), (600, 650)),
    part("worker", ("embed", SpanKind::Internal), Some(JOB), (650, 900)),
    part("worker", ("chat llama3.1:70b", SpanKind::Client), Some(7), (660, 890)),
    part("worker", ("INSERT chunks", SpanKind::Client), Some(JOB), (910, 990)),
];

/// A trace, by its number.
struct Trace {
    number: u64,
    start_ns: u64,
    length_ns: u64,
    is_failed: bool,
}

impl Trace {
    fn of(number: u64, start_ns: u64) -> Self {
        let random = mix(!number);
        let length_ns = 1_000_000_000 + random % (LONGEST_NS - 1_000_000_000);
        Self { number, start_ns, length_ns, is_failed: random.is_multiple_of(50) }
    }

    fn span(&self, place: usize, part: &Part) -> Span {
        let at = |thousandths: u64| self.start_ns + self.length_ns / 1000 * thousandths;
        // The model did not answer, and with it the job failed.
        let status = if self.is_failed && matches!(place, JOB | CALL) {
            Status { code: StatusCode::Error as i32, message: "the model backend answered 503".to_owned() }
        } else {
            Status::default()
        };
        Span {
            trace_id: trace_id(self.number),
            span_id: span_id(self.number, place),
            parent_span_id: part.parent.map_or_else(Vec::new, |parent| span_id(self.number, parent)),
            name: part.name.to_owned(),
            kind: part.kind as i32,
            start_time_unix_nano: at(part.from),
            end_time_unix_nano: at(part.to),
            attributes: self.attributes(place),
            status: Some(status),
            ..Span::default()
        }
    }

    fn attributes(&self, place: usize) -> Vec<KeyValue> {
        let random = mix(self.number ^ ((place as u64) << 56));
        let number = |key: &str, value: u64| attribute(key, Value::IntValue(value as i64));
        let (message, document) =
            (format!("job-{:08}", self.number), format!("doc-{:08x}", random % 200_000));
        match place {
            0 => vec![
                text("http.request.method", "POST"),
                text("http.route", "/documents"),
                number("http.response.status_code", 202),
                number("http.request.body.size", random % 9_000_000),
                text("tenant", format!("tenant-{}", random % 40)),
            ],
            1 | JOB => vec![
                text("messaging.system", "redis"),
                text("messaging.destination.name", "extraction"),
                text("messaging.operation.type", if place == JOB { "process" } else { "send" }),
                text("messaging.message.id", message),
            ],
            CALL => vec![
                text("gen_ai.operation.name", "chat"),
                text("gen_ai.provider.name", "ollama"),
                text("gen_ai.request.model", "llama3.1:70b"),
                number("gen_ai.usage.input_tokens", random % 8_000),
                number("gen_ai.usage.output_tokens", random % 1_000),
            ],
            9 => vec![
                text("db.system.name", "postgresql"),
                text("db.operation.name", "INSERT"),
                text("db.collection.name", "chunks"),
            ],
            _ => vec![text("document.id", document), number("pages", random % 300)],
        }
    }
}

/// A number that looks like chance, another one for each (the end of splitmix64).
fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The id of a trace; bench/traces.py says the same.
fn trace_id(number: u64) -> Vec<u8> {
    [mix(2 * number), mix(2 * number + 1)].iter().flat_map(|half| half.to_be_bytes()).collect()
}

fn span_id(number: u64, place: usize) -> Vec<u8> {
    mix((1 << 63) | (number << 4) | place as u64).to_be_bytes().to_vec()
}

fn request(first: u64, (from_ns, step_ns): (u64, u64)) -> ExportTraceServiceRequest {
    let of_service = |service: &str| {
        let mut spans = Vec::with_capacity(TRACES as usize * PARTS.len());
        for number in first..first + TRACES {
            let trace = Trace::of(number, from_ns + number * step_ns);
            for (place, part) in PARTS.iter().enumerate().filter(|(_, part)| part.service == service) {
                spans.push(trace.span(place, part));
            }
        }
        let host = first / TRACES % HOSTS;
        ResourceSpans {
            resource: Some(Resource {
                attributes: vec![
                    text("service.name", service),
                    text("host.name", format!("gpu-{host:03}")),
                    text("deployment.environment.name", "production"),
                ],
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans {
                scope: Some(InstrumentationScope { name: "pipeline".to_owned(), ..Default::default() }),
                spans,
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }
    };
    ExportTraceServiceRequest { resource_spans: SERVICES.into_iter().map(of_service).collect() }
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, spans, connections] = arguments.as_slice() else {
        return Err("usage: spans ADDRESS SPANS CONNECTIONS".into());
    };
    let (spans, connections): (u64, u64) = (spans.parse()?, connections.parse()?);
    let requests = spans / (TRACES * PARTS.len() as u64);
    let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos())?;
    let (from, step) = (now - DAY_NS, (DAY_NS - LONGEST_NS) / (requests * TRACES).max(1));
    let sent: Vec<Result<u64, Failure>> = std::thread::scope(|scope| {
        let one = |connection| move || send_all(address, requests, (connection, connections), (from, step));
        let all: Vec<_> = (0..connections).map(|connection| scope.spawn(one(connection))).collect();
        all.into_iter().map(|one| one.join().map_err(|_| "a connection panicked")?).collect()
    });
    let mut bytes = 0;
    for one in sent {
        bytes += one?;
    }
    let traces = requests * TRACES;
    let count = traces * PARTS.len() as u64;
    let told = format!(
        r#"{{"spans": {count}, "traces": {traces}, "bytes": {bytes}, "from_ns": {from}, "to_ns": {now}}}"#
    );
    writeln!(std::io::stdout(), "{told}")?;
    Ok(())
}

/// Sends each request whose turn it is on one connection; how many bytes they were.
fn send_all(
    address: &str,
    requests: u64,
    (connection, connections): (u64, u64),
    times: (u64, u64),
) -> Result<u64, Failure> {
    let mut to = Connection::open(address, "/v1/traces")?;
    let mut bytes = 0;
    for number in (connection..requests).step_by(connections as usize) {
        let body = request(number * TRACES, times).encode_to_vec();
        to.send(&body)?;
        bytes += body.len() as u64;
    }
    Ok(bytes)
}
