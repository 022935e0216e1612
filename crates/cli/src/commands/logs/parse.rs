//! `watchkeeper logs parse`: how the lines of a log are read, before a configuration says so. No server is asked.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use collect::{Joining, LineFormat, LogsConfig};
use model::Timestamp;
use model::event::LogEvent;
use protocol::logs::{Counts, Lines, LogReader, Record};
use serde_json::{Map, Value, json};

use crate::causes;
use crate::exit::Failure;

/// How much of a file is read at a time.
const PIECE_BYTES: usize = 64 << 10;

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Parse {
    /// The file; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How lines look: auto, json, logfmt, text, access, plain or pattern
    #[arg(long, value_name = "FORMAT", default_value = "auto", value_parser = format)]
    format: LineFormat,
    /// A regular expression with named groups: time, level, logger, message, and others for attributes
    #[arg(long, value_name = "REGEX")]
    pattern: Option<String>,
    /// A regular expression that matches the first line of each record
    #[arg(long, value_name = "REGEX")]
    multiline_start: Option<String>,
    /// Take each line for a record
    #[arg(long, conflicts_with = "multiline_start")]
    no_multiline: bool,
    /// The zone of times that are written without one [default: that of this machine]
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Show so many records; 0 shows all
    #[arg(long, value_name = "N", default_value_t = 20)]
    lines: usize,
    /// Print a JSON object a line
    #[arg(long)]
    json: bool,
}

fn format(text: &str) -> Result<LineFormat, String> {
    serde_json::from_value(Value::from(text)).map_err(|error| error.to_string())
}

pub(super) fn run(command: &Parse) -> Result<(), Failure> {
    let config = LogsConfig {
        format: command.format,
        pattern: command.pattern.clone(),
        multiline: if command.no_multiline { Joining::Off } else { Joining::Auto },
        multiline_start: command.multiline_start.clone(),
        time_zone: command.time_zone.clone(),
        ..LogsConfig::default()
    };
    let options = config.options().map_err(|error| Failure::Usage(anyhow::anyhow!(causes::told(&error))))?;
    let mut reader = LogReader::new(Arc::new(options));
    reader.set_now(Timestamp::now());
    let input = open(&command.file)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let printed = parse(input, reader, command, &mut out).and_then(|()| out.flush().map_err(Stop::Write));
    match printed {
        Err(Stop::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(Stop::Write(error)) => Err(Failure::from(anyhow::anyhow!(error).context("writing"))),
        Err(Stop::Read(error)) => {
            let what = format!("cannot read {}", command.file.display());
            Err(Failure::from(anyhow::anyhow!(error).context(what)))
        }
        Ok(()) => Ok(()),
    }
}

/// Why no more is read.
enum Stop {
    Read(io::Error),
    Write(io::Error),
}

fn open(file: &Path) -> anyhow::Result<Box<dyn Read>> {
    if file == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    let opened = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(Box::new(opened))
}

fn parse(
    mut input: impl Read,
    mut reader: LogReader,
    command: &Parse,
    out: &mut impl Write,
) -> Result<(), Stop> {
    let most = if command.lines == 0 { usize::MAX } else { command.lines };
    let (mut lines, mut shown) = (Lines::default(), 0);
    let (mut buffer, mut records) = (vec![0; PIECE_BYTES], Vec::new());
    let mut is_over = false;
    while !is_over && shown < most {
        let length = input.read(&mut buffer).map_err(Stop::Read)?;
        is_over = length == 0;
        if is_over {
            lines.finish(|line| reader.line(line, &mut |record| records.push(record)));
            reader.flush(&mut |record| records.push(record));
        } else {
            lines.feed(&buffer[..length], |line| reader.line(line, &mut |record| records.push(record)));
        }
        for record in records.drain(..).take(most - shown) {
            shown += 1;
            let written = if command.json {
                writeln!(out, "{}", as_json(&record))
            } else {
                out.write_all(for_people(&record).as_bytes())
            };
            written.map_err(Stop::Write)?;
        }
    }
    if !command.json {
        writeln!(out, "{}", summary(shown, reader.take_counts())).map_err(Stop::Write)?;
    }
    Ok(())
}

fn summary(shown: usize, counts: Counts) -> String {
    let mut said = format!("{shown} records shown; read: {} lines, {} records", counts.lines, counts.records);
    let notes = [
        (counts.unparsed, "not of the format, kept as they are"),
        (counts.cut, "too long, cut"),
        (counts.binary, "with bytes that are no text"),
    ];
    for (count, what) in notes.into_iter().filter(|(count, _)| *count > 0) {
        said.push_str(&format!(", {count} {what}"));
    }
    said
}

/// The fields of a record that have names of their own.
fn fields(log: &LogEvent) -> Vec<(&'static str, String)> {
    let known = &log.conventions;
    let text = |field: &Option<String>| field.clone();
    let count = |field: Option<u64>| field.map(|number| number.to_string());
    let all = [
        ("service", text(&log.origin.service)),
        ("logger", text(&log.origin.scope_name)),
        ("host", text(&log.origin.host)),
        ("pid", count(log.origin.pid)),
        ("event_name", text(&log.event_name)),
        ("trace_id", text(&log.trace_id)),
        ("span_id", text(&log.span_id)),
        ("job_id", text(&known.job_id)),
        ("stage", text(&known.stage)),
        ("document_id", text(&known.document_id)),
        ("tenant", text(&known.tenant)),
        ("worker_id", text(&known.worker_id)),
        ("user_id", text(&known.user_id)),
        ("request_id", text(&known.request_id)),
        ("http_method", text(&known.http_method)),
        ("http_status_code", count(known.http_status_code)),
        ("url_path", text(&known.url_path)),
        ("error_type", text(&known.error_type)),
        ("exception_type", text(&known.exception_type)),
        ("exception_message", text(&known.exception_message)),
        ("exception_stacktrace", text(&known.exception_stacktrace)),
        ("flaws", Some(log.flaws.to_string()).filter(|flaws| !flaws.is_empty())),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn as_json(Record { log, end }: &Record) -> Value {
    let mut object = Map::new();
    object.insert("time".to_owned(), json!(log.time));
    object.insert("level".to_owned(), json!(log.level.map(model::event::Level::as_str)));
    object.insert("severity_text".to_owned(), json!(log.severity_text));
    object.insert("message".to_owned(), json!(log.message));
    object.extend(fields(log).into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))));
    object.insert("attributes".to_owned(), json!(log.attributes));
    object.insert("end".to_owned(), json!(end));
    Value::Object(object)
}

fn for_people(Record { log, .. }: &Record) -> String {
    let level = log.level.map_or("-", model::event::Level::as_str);
    let message = log.message.as_deref().unwrap_or_default();
    let mut shown = format!("{}  {level:5}  {}\n", log.time, message.replace('\n', "\n    "));
    let attributes = log.attributes.iter().map(|(name, value)| (name.as_str(), value.clone()));
    for (name, value) in fields(log).into_iter().chain(attributes) {
        shown.push_str(&format!("    {name} = {}\n", value.replace('\n', "\n      ")));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str, json: bool, lines: usize) -> String {
        let command = Parse {
            file: "-".into(),
            format: LineFormat::Auto,
            pattern: None,
            multiline_start: None,
            no_multiline: false,
            time_zone: Some("UTC".to_owned()),
            lines,
            json,
        };
        let config = LogsConfig { time_zone: command.time_zone.clone(), ..LogsConfig::default() };
        let reader = LogReader::new(Arc::new(config.options().expect("options")));
        let mut out = Vec::new();
        assert!(parse(text.as_bytes(), reader, &command, &mut out).is_ok());
        String::from_utf8(out).expect("UTF-8")
    }

    const TEXT: &str = "2026-11-30 08:00:00,123 - ocr - ERROR - no\nTraceback (most recent call last):\n  \
        File \"a\"\nKeyError: 'x'\n2026-11-30 08:00:01,000 - ocr - INFO - next\n";

    #[test]
    fn records_are_shown_with_what_was_understood_of_them() {
        let shown = printed(TEXT, false, 20);
        assert!(shown.starts_with("2026-11-30T08:00:00.123Z  error  no\n    logger = ocr\n"), "{shown}");
        assert!(shown.contains("    exception_type = KeyError\n"), "{shown}");
        assert!(shown.ends_with("2 records shown; read: 5 lines, 2 records\n"), "{shown}");
    }

    #[test]
    fn json_has_an_object_a_record_and_no_more_than_asked_for() {
        let shown = printed(TEXT, true, 1);
        let record: Value = serde_json::from_str(&shown).expect("one object");
        assert_eq!((&record["level"], &record["message"]), (&json!("error"), &json!("no")));
        assert_eq!(record["logger"], "ocr");
        assert_eq!(printed(TEXT, true, 0).lines().count(), 2);
    }
}
