//! How well and how fast secrets are found: `cargo run --release --package ingest --example redaction -- FILE`.
//!
//! FILE holds lines with labels, as `corpus.txt`, `fresh.txt` and `held_out.txt` of `tests/redaction` do; the head of
//! the first says how they are written. Printed are precision and recall of each detector, and how many MB a second of a
//! core are looked through. With `--json` the same is printed as JSON, for the benchmark; of `held_out.txt` print
//! nothing else, for without it each fault is shown.

#![allow(clippy::print_stdout, reason = "an example prints")]

#[path = "../tests/redaction/measure.rs"]
mod measure;

use std::collections::BTreeMap;
use std::process::ExitCode;

use ingest::{Location, Redaction, Redactor};
use measure::{Line, Score};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

/// How long each speed is measured, in seconds of CPU.
const SECONDS: f64 = 1.0;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (flags, files): (Vec<&String>, Vec<&String>) =
        arguments.iter().partition(|argument| argument.starts_with("--"));
    let [file] = files.as_slice() else {
        println!("usage: redaction FILE [--json]");
        return ExitCode::from(2);
    };
    let read = std::fs::read_to_string(file).map_err(|error| error.to_string());
    let lines = match read.and_then(|corpus| measure::parse(&corpus)) {
        Ok(lines) => lines,
        Err(fault) => {
            println!("{file}: {fault}");
            return ExitCode::from(1);
        }
    };
    let (scores, faults) = measure::measure(&measure::redactor(), &lines);
    let speeds = speeds(&lines);
    if flags.iter().any(|flag| *flag == "--json") {
        println!("{}", in_json(&scores, &speeds));
    } else {
        show(&scores, &faults, &speeds);
    }
    ExitCode::SUCCESS
}

/// Texts of one kind, and how many MB of them a core looks through in a second.
fn speeds(lines: &[Line]) -> [(&'static str, f64); 3] {
    let redactor = Redactor::new(&Redaction::default()).expect("the shipped detectors");
    let of = |is_wanted: fn(&Line) -> bool| -> Vec<&str> {
        lines.iter().filter(|line| is_wanted(line)).map(|line| line.text.as_str()).collect()
    };
    let plain: Vec<String> = (0..1000).map(plain_line).collect();
    let plain: Vec<&str> = plain.iter().map(String::as_str).collect();
    [
        ("lines of a pipeline's log, no secrets", speed(&redactor, &plain)),
        ("lines that look like secrets and are none", speed(&redactor, &of(|line| line.secrets.is_empty()))),
        ("lines with secrets", speed(&redactor, &of(|line| !line.secrets.is_empty()))),
    ]
}

/// A line as pipelines write them, in JSON.
fn plain_line(number: usize) -> String {
    // Ids that look made by chance, the same in each run.
    let id = |salt: u64| (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(salt as u32 * 7);
    json!({
        "timestamp": format!("2025-08-01T{:02}:{:02}:{:02}.{:03}Z", number / 3600 % 24, number / 60 % 60, number % 60, number),
        "level": "INFO",
        "service": "ocr",
        "worker_id": format!("ocr-worker-{}", number % 8),
        "trace_id": format!("{:016x}{:016x}", id(1), id(2)),
        "span_id": format!("{:016x}", id(3)),
        "document_id": format!("{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}", id(4) >> 32, id(5) >> 48, id(6) >> 52, id(7) >> 52, id(8) >> 16),
        "stage": "extract",
        "message": format!("page {} of {} done in {}.{:02}s", number % 300, 300, number % 7, number % 100),
        "duration_ms": id(9) % 10_000,
        "input_tokens": id(10) % 4096,
        "file": "/srv/app/worker/pages.py",
    })
    .to_string()
}

fn speed(redactor: &Redactor, lines: &[&str]) -> f64 {
    let bytes: usize = lines.iter().map(|line| line.len()).sum();
    let began = cpu();
    let mut rounds = 0;
    while cpu() - began < SECONDS {
        for line in lines {
            std::hint::black_box(redactor.clean(Location::LOG_MESSAGE, line, |_, _| ()));
        }
        rounds += 1;
    }
    (bytes * rounds) as f64 / 1e6 / (cpu() - began)
}

/// Seconds of CPU of this thread.
fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn show(scores: &BTreeMap<String, Score>, faults: &[String], speeds: &[(&str, f64)]) {
    faults.iter().for_each(|fault| println!("{fault}"));
    println!(
        "{:<18} {:>7} {:>7} {:>12} {:>10} {:>7}",
        "detector", "secrets", "found", "false alarms", "precision", "recall"
    );
    let all =
        scores.iter().map(|(name, score)| (name.as_str(), *score)).chain([("all", measure::total(scores))]);
    for (name, score) in all {
        println!(
            "{name:<18} {:>7} {:>7} {:>12} {:>10.3} {:>7.3}",
            score.found + score.missed,
            score.found,
            score.false_alarms,
            score.precision(),
            score.recall()
        );
    }
    for (what, speed) in speeds {
        println!("{what}: {speed:.0} MB a second of a core");
    }
}

fn in_json(scores: &BTreeMap<String, Score>, speeds: &[(&str, f64)]) -> Value {
    let all =
        scores.iter().map(|(name, score)| (name.as_str(), *score)).chain([("all", measure::total(scores))]);
    let detectors: Vec<Value> = all
        .map(|(name, score)| {
            json!({
                "detector": name,
                "secrets": score.found + score.missed,
                "found": score.found,
                "false_alarms": score.false_alarms,
                "precision": score.precision(),
                "recall": score.recall(),
            })
        })
        .collect();
    let speeds: Vec<Value> =
        speeds.iter().map(|(what, speed)| json!({ "what": what, "mb_per_core_second": speed })).collect();
    json!({ "detectors": detectors, "speeds": speeds })
}
