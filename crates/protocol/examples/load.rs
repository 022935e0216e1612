//! Load for `make bench`, sent by Prometheus remote write over one connection, every request answered before
//! the next. The same arguments give the same samples.
//!
//! usage: load ADDRESS PATH SET FROM_STEP STEPS JITTER_MS
//!
//! SET is a number of series of sixteen kinds, as monitoring has them; or `services:100`, a hundred services
//! of fifty series each to ask queries of. Steps are 15 s; the last one of all is
//! now, and FROM_STEP says how many steps ago the first one is.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{SystemTime, UNIX_EPOCH};

use model::{Labels, MetricBatch, Sample};

type Failure = Box<dyn std::error::Error>;

/// Series in one request.
const BATCH: usize = 5_000;
const STEP_MS: i64 = 15_000;
const KINDS: [&str; 16] = [
    "http_requests_total",
    "cpu_seconds_total",
    "bytes_received_total",
    "errors_total",
    "request_duration_seconds_sum",
    "request_duration_seconds_count",
    "queue_depth",
    "memory_bytes",
    "open_files",
    "temperature_celsius",
    "usage_ratio",
    "latency_seconds",
    "up",
    "start_time_seconds",
    "config_generation",
    "noise",
];

struct Series {
    labels: Labels,
    kind: usize,
    value: f64,
    random: u64,
    /// Series with the same number are of one target, which is scraped at one time.
    target: usize,
}

const COUNTER: usize = 0;
const SECONDS: usize = 1;
const QUEUE: usize = 6;
const LIMIT: usize = 13;

impl Series {
    /// Fifty series of a service.
    fn of_service(service: usize) -> impl Iterator<Item = Self> {
        let make = move |place: usize, kind: usize, name: &str, pairs: &[(&str, &str)]| {
            let instance = format!("service-{service:02}:9100");
            let mut all = vec![("instance", instance.as_str()), ("job", "services")];
            all.extend_from_slice(pairs);
            let random = ((service * 50 + place) as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            Self { labels: Labels::metric(name, &all), kind, value: 0.0, random, target: service }
        };
        (0..50).map(move |place| {
            let number = (place % 10).to_string();
            match place / 10 {
                0 => {
                    let (path, code) =
                        (format!("/path/{}", place % 5), if place < 5 { "200" } else { "500" });
                    make(place, COUNTER, "http_requests_total", &[("code", code), ("path", &path)])
                }
                1 => {
                    let bounds = ["0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "+Inf"];
                    make(place, COUNTER, "request_seconds_bucket", &[("le", bounds[place % 10])])
                }
                2 => make(place, QUEUE, "queue_depth", &[("queue", &number)]),
                3 => make(place, LIMIT, "queue_limit", &[("queue", &number)]),
                _ => make(place, SECONDS, "cpu_seconds_total", &[("mode", &number)]),
            }
        })
    }

    fn new(index: usize) -> Self {
        let kind = index % KINDS.len();
        let instance = format!("10.0.{}.{}:9100", index / KINDS.len() / 250, index / KINDS.len() % 250);
        let pairs = [
            ("instance", instance.as_str()),
            ("job", "bench"),
            ("region", if index.is_multiple_of(3) { "eu-central-1" } else { "us-east-2" }),
        ];
        let random = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (labels, target) = (Labels::metric(KINDS[kind], &pairs), index / BATCH);
        Self { labels, kind, value: (index % 1000) as f64, random, target }
    }

    /// A number below `bound`.
    fn below(&mut self, bound: u64) -> f64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % bound) as f64
    }

    fn next(&mut self) -> f64 {
        let round = |value: f64, digits: f64| (value * digits).round() / digits;
        self.value = match self.kind {
            0 | 5 => self.value + self.below(50),
            1 => round(self.value + self.below(1500) / 100.0, 100.0),
            2 => self.value + self.below(1_000_000),
            3 => self.value + f64::from(self.below(50) < 1.0),
            4 => round(self.value + self.below(100_000) / 1000.0, 1000.0),
            6 => (self.value + self.below(11) - 5.0).clamp(0.0, 1000.0),
            7 => self.value.max(1e9) + (self.below(513) - 256.0) * 4096.0,
            8 => (self.value + self.below(3) - 1.0).clamp(10.0, 2000.0),
            9 => round((self.value + (self.below(21) - 10.0) / 10.0).clamp(20.0, 90.0), 10.0),
            10 => round(self.below(1000) / 1000.0, 1000.0),
            11 => round(0.05 + self.below(1000) / 20_000.0, 100_000.0),
            12 => 1.0,
            13 => 1_760_000_000.0,
            14 => self.value.floor() + f64::from(self.below(500) < 1.0),
            _ => self.below(1 << 52) / (1u64 << 52) as f64,
        };
        self.value
    }
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, path, set, from, steps, jitter] = arguments.as_slice() else {
        return Err("usage: load ADDRESS PATH SET FROM_STEP STEPS JITTER_MS".into());
    };
    let (from, steps, jitter): (i64, i64, u64) = (from.parse()?, steps.parse()?, jitter.parse()?);
    let mut all: Vec<Series> = match set.strip_prefix("services:") {
        Some(services) => (0..services.parse()?).flat_map(Series::of_service).collect(),
        None => (0..set.parse()?).map(Series::new).collect(),
    };
    let mut connection = BufReader::new(TcpStream::connect(address)?);
    connection.get_ref().set_nodelay(true)?;
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let start = now / STEP_MS * STEP_MS - from * STEP_MS;
    // Few series send many steps at once, as an agent does that has been away.
    let stride = (BATCH / all.len().max(1)).max(1);
    for first in (0..steps).step_by(stride) {
        let last = steps.min(first + stride as i64);
        for some in all.chunks_mut(BATCH) {
            let mut batch = MetricBatch::new();
            for target in some.chunk_by_mut(|a, b| a.target == b.target) {
                let mut shift =
                    || target[0].below(2 * jitter + 1) as i64 - i64::try_from(jitter).unwrap_or(0);
                let times: Vec<i64> = (first..last).map(|step| start + step * STEP_MS + shift()).collect();
                for one in target {
                    let samples: Vec<Sample> =
                        times.iter().map(|time_ms| Sample { time_ms: *time_ms, value: one.next() }).collect();
                    batch.push(one.labels.as_ref(), &samples);
                }
            }
            send(&mut connection, address, path, &protocol::remote_write::encode(&batch))?;
        }
    }
    Ok(())
}

fn send(
    connection: &mut BufReader<TcpStream>,
    address: &str,
    path: &str,
    body: &[u8],
) -> Result<(), Failure> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/x-protobuf\r\nContent-Encoding: snappy\r\n\
         X-Prometheus-Remote-Write-Version: 0.1.0\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    connection.get_mut().write_all(head.as_bytes())?;
    connection.get_mut().write_all(body)?;
    let mut status = String::new();
    connection.read_line(&mut status)?;
    let (mut length, mut line) = (0, String::new());
    loop {
        line.clear();
        connection.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse()?;
        }
    }
    let mut answer = vec![0; length];
    connection.read_exact(&mut answer)?;
    let is_good = status.split(' ').nth(1).is_some_and(|code| code.starts_with('2'));
    if is_good { Ok(()) } else { Err(format!("{status}{}", String::from_utf8_lossy(&answer)).into()) }
}
