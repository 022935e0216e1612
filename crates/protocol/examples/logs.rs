//! Records of logs for `make bench`, sent by OTLP over HTTP, every request answered before the next of its
//! connection. The same number gives the same records, but for their times: the last day before now.
//!
//! usage: logs ADDRESS RECORDS CONNECTIONS
//!
//! They are what a pipeline of documents writes: 1,200 streams (twelve services on a hundred hosts), some forty forms
//! of messages, a trace of its own on each record, and some 420 bytes a record when it is written as a line of JSON.
//! What was sent is told as JSON: how many bytes such lines have, what can be looked for, and how many seconds it took to
//! send them. All requests are made before the first is sent, and lie in files meanwhile: to make a record takes a
//! third of what it takes to store it.

mod otlp;

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read as _, Seek as _, Write as _};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, any_value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message as _;

use crate::otlp::{Connection, Failure, attribute, text};

const DAY_NS: u64 = 86_400_000_000_000;
const SERVICES: [&str; 12] = [
    "api",
    "intake",
    "ocr",
    "layout",
    "tables",
    "chunker",
    "embedder",
    "llm-worker",
    "indexer",
    "export",
    "billing",
    "scheduler",
];
const HOSTS: u64 = 100;
/// Streams in one request, and records of each.
const STREAMS: u64 = 40;
const RECORDS: u64 = 50;
const MESSAGES: [&str; 12] = [
    "stage {stage} of document {document} completed in {ms} ms with confidence 0.{small}",
    "received document {document} from tenant {tenant}, {large} bytes, application/pdf",
    "calling model llama3.1:70b for page {small} of document {document}, {ms} tokens in the prompt",
    "model answered after {ms} ms: {small} tokens, finish reason stop",
    "page {small} of document {document} has no text layer, falling back to optical recognition",
    "wrote {small} chunks of document {document} to the vector store in {ms} ms",
    "heartbeat of worker {host}: {small} active tasks, resident memory {large} bytes",
    "queue depth of extraction is {ms}, oldest task waits for {small} s",
    "retrying task of document {document} after TimeoutError: the backend did not answer within {small} s",
    "cache miss for embedding {document}, computing it anew",
    "released connection {small} to postgres after {ms} ms",
    "table with {small} rows and {small} columns found on page {small} of document {document}",
];
const FAILURES: [&str; 4] = [
    "document {document} failed in stage {stage}: ValueError: the file is encrypted",
    "connection to redis was refused after {ms} ms, attempt {small} of 5",
    "worker {host} was killed: out of memory at {large} bytes",
    "model backend answered 503 after {ms} ms: overloaded",
];
const STAGES: [&str; 6] = ["extract", "layout", "ocr", "chunk", "embed", "store"];

/// What makes the records of one connection.
struct Maker {
    random: u64,
    /// The line of JSON that a record would be; only its length is told.
    line: String,
    raw_bytes: u64,
}

impl Maker {
    fn next(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn message(&mut self, form: &str, host: u64) -> String {
        let mut text = String::with_capacity(form.len() + 32);
        let mut rest = form;
        while let Some((before, (name, after))) =
            rest.split_once('{').and_then(|(before, after)| Some((before, after.split_once('}')?)))
        {
            text.push_str(before);
            let written = match name {
                "stage" => text.write_str(STAGES[self.below(6) as usize]),
                "document" => write!(text, "doc-{:08x}", self.below(200_000)),
                "tenant" => write!(text, "tenant-{}", self.below(40)),
                "host" => write!(text, "gpu-{host:03}"),
                "ms" => write!(text, "{}", self.below(30_000)),
                "large" => write!(text, "{}", self.below(9_000_000_000)),
                _ => write!(text, "{}", self.below(100)),
            };
            written.expect("a string takes what it is given");
            rest = after;
        }
        text.push_str(rest);
        text
    }

    fn record(&mut self, service: &str, host: u64, time_ns: u64) -> LogRecord {
        let (number, level, form) = match self.below(1000) {
            0..20 => (17, "ERROR", FAILURES[self.below(4) as usize]),
            20..70 => (13, "WARN", MESSAGES[8]),
            70..270 => (5, "DEBUG", MESSAGES[self.below(12) as usize]),
            _ => (9, "INFO", MESSAGES[self.below(12) as usize]),
        };
        let message = self.message(form, host);
        let (trace, span) = ([self.next(), self.next()], self.next());
        let (job, duration) = (self.below(1_000_000), self.below(60_000_000) as f64 / 1e3);
        let (stage, attempt) = (STAGES[self.below(6) as usize], self.below(3) as i64);
        self.line.clear();
        let written = write!(
            self.line,
            r#"{{"timestamp":"2026-01-01T00:00:00.000000000Z","level":"{level}","service":"{service}","host":"gpu-{host:03}","environment":"production","logger":"pipeline.{stage}","message":"{message}","trace_id":"{:016x}{:016x}","span_id":"{span:016x}","job_id":"job-{job:06}","stage":"{stage}","duration_ms":{duration},"attempt":{attempt}}}"#,
            trace[0], trace[1],
        );
        written.expect("a string takes what it is given");
        self.raw_bytes += self.line.len() as u64 + 1;
        LogRecord {
            time_unix_nano: time_ns,
            observed_time_unix_nano: time_ns + 1_000_000,
            severity_number: number,
            severity_text: level.to_owned(),
            body: Some(AnyValue { value: Some(any_value::Value::StringValue(message)) }),
            attributes: vec![
                text("job.id", format!("job-{job:06}")),
                text("stage", stage),
                text("logger", format!("pipeline.{stage}")),
                attribute("duration_ms", any_value::Value::DoubleValue(duration)),
                attribute("attempt", any_value::Value::IntValue(attempt)),
            ],
            trace_id: trace.iter().flat_map(|half| half.to_be_bytes()).collect(),
            span_id: span.to_be_bytes().to_vec(),
            ..LogRecord::default()
        }
    }

    fn request(&mut self, first: u64, from_ns: u64, step_ns: u64) -> ExportLogsServiceRequest {
        let streams = (0..STREAMS).map(|stream| {
            let place = (first / RECORDS + stream) * 7;
            let (service, host) = (SERVICES[(place % 12) as usize], place / 12 % HOSTS);
            let records = (0..RECORDS).map(|record| {
                let time_ns = from_ns + (first + record * STREAMS + stream) * step_ns;
                self.record(service, host, time_ns)
            });
            ResourceLogs {
                scope_logs: vec![ScopeLogs {
                    log_records: records.collect(),
                    scope: Some(InstrumentationScope { name: "pipeline".to_owned(), ..Default::default() }),
                    ..ScopeLogs::default()
                }],
                resource: Some(Resource {
                    attributes: vec![
                        text("service.name", service),
                        text("host.name", format!("gpu-{host:03}")),
                        text("deployment.environment.name", "production"),
                    ],
                    ..Resource::default()
                }),
                ..ResourceLogs::default()
            }
        });
        ExportLogsServiceRequest { resource_logs: streams.collect() }
    }
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, records, connections] = arguments.as_slice() else {
        return Err("usage: logs ADDRESS RECORDS CONNECTIONS".into());
    };
    let (records, connections): (u64, u64) = (records.parse()?, connections.parse()?);
    let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos())?;
    let (from, step) = (now - DAY_NS, DAY_NS / records.max(1));
    let made =
        on_each(0..connections, |connection| make_all(records, (connection, connections), (from, step)))?;
    let count: u64 = made.iter().map(|made| made.records).sum();
    let raw_bytes: u64 = made.iter().map(|made| made.raw_bytes).sum();
    let begun = Instant::now();
    on_each(made, |made| send_all(address, made.requests))?;
    let seconds = begun.elapsed().as_secs_f64();
    let told = format!(
        r#"{{"records": {count}, "raw_bytes": {raw_bytes}, "from_ns": {from}, "to_ns": {now}, "seconds": {seconds}}}"#
    );
    writeln!(std::io::stdout(), "{told}")?;
    Ok(())
}

/// Does the same with each at once, each on a thread.
fn on_each<T: Send, R: Send>(
    all: impl IntoIterator<Item = T>,
    work: impl Fn(T) -> Result<R, Failure> + Sync,
) -> Result<Vec<R>, Failure> {
    let work = &work;
    std::thread::scope(|scope| {
        let all: Vec<_> = all.into_iter().map(|one| scope.spawn(move || work(one))).collect();
        all.into_iter().map(|one| one.join().map_err(|_| "a thread panicked")?).collect()
    })
}

/// The requests of one connection.
struct Made {
    records: u64,
    /// How many bytes the records would have as JSON.
    raw_bytes: u64,
    /// The bodies, each after its length in four bytes.
    requests: File,
}

/// Makes each request whose turn it is on one connection.
fn make_all(
    records: u64,
    (connection, connections): (u64, u64),
    (from_ns, step_ns): (u64, u64),
) -> Result<Made, Failure> {
    let random = (connection + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut maker = Maker { random, line: String::new(), raw_bytes: 0 };
    let mut requests = BufWriter::new(tempfile::tempfile()?);
    let per_request = STREAMS * RECORDS;
    let mut count = 0;
    for request in (connection..records / per_request).step_by(connections as usize) {
        let body = maker.request(request * per_request, from_ns, step_ns).encode_to_vec();
        requests.write_all(&u32::try_from(body.len())?.to_le_bytes())?;
        requests.write_all(&body)?;
        count += per_request;
    }
    let mut requests = requests.into_inner()?;
    requests.rewind()?;
    Ok(Made { records: count, raw_bytes: maker.raw_bytes, requests })
}

/// Sends the requests of one connection.
fn send_all(address: &str, requests: File) -> Result<(), Failure> {
    let mut to = Connection::open(address, "/v1/logs")?;
    let mut requests = BufReader::new(requests);
    let (mut length, mut body) = ([0; 4], Vec::new());
    while requests.read_exact(&mut length).is_ok() {
        body.resize(u32::from_le_bytes(length) as usize, 0);
        requests.read_exact(&mut body)?;
        to.send(&body)?;
    }
    Ok(())
}
