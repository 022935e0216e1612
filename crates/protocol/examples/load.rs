//! Load for `make bench`: series of sixteen kinds, as monitoring has them, sent by Prometheus remote write
//! over one connection, every request answered before the next. The same arguments give the same samples.
//!
//! usage: load ADDRESS PATH SERIES STEPS JITTER_MS

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
}

impl Series {
    fn new(index: usize) -> Self {
        let kind = index % KINDS.len();
        let instance = format!("10.0.{}.{}:9100", index / KINDS.len() / 250, index / KINDS.len() % 250);
        let pairs = [
            ("instance", instance.as_str()),
            ("job", "bench"),
            ("region", if index.is_multiple_of(3) { "eu-central-1" } else { "us-east-2" }),
        ];
        let random = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self { labels: Labels::metric(KINDS[kind], &pairs), kind, value: (index % 1000) as f64, random }
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
    let [address, path, series, steps, jitter] = arguments.as_slice() else {
        return Err("usage: load ADDRESS PATH SERIES STEPS JITTER_MS".into());
    };
    let (steps, jitter): (i64, u64) = (steps.parse()?, jitter.parse()?);
    let mut all: Vec<Series> = (0..series.parse()?).map(Series::new).collect();
    let mut connection = BufReader::new(TcpStream::connect(address)?);
    connection.get_ref().set_nodelay(true)?;
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let start = (now - steps * STEP_MS) / STEP_MS * STEP_MS;
    for step in 0..steps {
        for some in all.chunks_mut(BATCH) {
            // What one target exposes is scraped at one time.
            let shift = some[0].below(2 * jitter + 1) as i64 - i64::try_from(jitter)?;
            let mut batch = MetricBatch::new();
            for one in some {
                let sample = Sample { time_ms: start + step * STEP_MS + shift, value: one.next() };
                batch.push(one.labels.as_ref(), &[sample]);
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
