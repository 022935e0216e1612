use jiff::tz::TimeZone;
use model::Timestamp;
use model::event::{Flaw, Level, LogEvent};
use std::sync::Arc;

use super::*;

fn options() -> LogOptions {
    LogOptions::new(TimeZone::UTC)
}

fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-30T12:00:00Z").expect("a time")
}

/// The records of a text.
fn records(options: LogOptions, text: impl AsRef<[u8]>) -> (Vec<Record>, Counts) {
    let (mut lines, mut reader) = (Lines::default(), LogReader::new(Arc::new(options)));
    reader.set_now(now());
    let mut found = Vec::new();
    lines.feed(text.as_ref(), |line| reader.line(line, &mut |record| found.push(record)));
    lines.finish(|line| reader.line(line, &mut |record| found.push(record)));
    reader.flush(&mut |record| found.push(record));
    assert_eq!(reader.passed(), lines.offset());
    let counts = reader.take_counts();
    (found, counts)
}

fn one(text: &str) -> LogEvent {
    let (mut found, _) = records(options(), text);
    assert_eq!(found.len(), 1, "{found:?}");
    *found.remove(0).log
}

fn messages(text: &str) -> Vec<String> {
    records(options(), text).0.into_iter().filter_map(|record| record.log.message).collect()
}

#[test]
fn lines_of_common_loggers_are_taken_apart() {
    // The line, its time, its level, its logger, its message.
    let cases = [
        (
            "2026-11-30 08:00:00,123 - app.worker - ERROR - job failed",
            "08:00:00.123",
            Some(Level::Error),
            Some("app.worker"),
            "job failed",
        ),
        (
            "2026-11-30 08:00:00,123 - seadragon - INFO - Request started: GET /x (ID: 1)",
            "08:00:00.123",
            Some(Level::Info),
            Some("seadragon"),
            "Request started: GET /x (ID: 1)",
        ),
        (
            "2026-11-30 08:00:00,123 INFO app.worker: job started",
            "08:00:00.123",
            Some(Level::Info),
            Some("app.worker"),
            "job started",
        ),
        (
            "2026-11-30 08:00:00,123 [WARNING] llm: slow",
            "08:00:00.123",
            Some(Level::Warn),
            Some("llm"),
            "slow",
        ),
        (
            "08:00:00.123 [main] ERROR com.example.Store - gone",
            "08:00:00.123",
            Some(Level::Error),
            Some("com.example.Store"),
            "gone",
        ),
        (
            "[2026-11-30 08:00:00 +0000] [42] [INFO] Booting worker with pid: 42",
            "08:00:00",
            Some(Level::Info),
            None,
            "Booting worker with pid: 42",
        ),
        (
            "[2026-11-30 08:00:00,123: INFO/MainProcess] Task ocr[1] succeeded",
            "08:00:00.123",
            Some(Level::Info),
            None,
            "Task ocr[1] succeeded",
        ),
        (
            "2026-11-30 08:00:00.123 | INFO     | app.ocr:run:12 - page done",
            "08:00:00.123",
            Some(Level::Info),
            Some("app.ocr:run:12"),
            "page done",
        ),
        (
            "2026-11-30T08:00:00.123456Z  WARN my_crate::queue: full depth=7",
            "08:00:00.123456",
            Some(Level::Warn),
            Some("my_crate::queue"),
            "full depth=7",
        ),
        (
            "[2026-11-30T08:00:00Z ERROR my_crate::x] boom",
            "08:00:00",
            Some(Level::Error),
            Some("my_crate::x"),
            "boom",
        ),
        (
            "2026-11-30 08:00:00.123  INFO 77 --- [main] c.e.App : Started",
            "08:00:00.123",
            Some(Level::Info),
            Some("c.e.App"),
            "Started",
        ),
        (
            "2026-11-30 08:00:00,123 [main] INFO com.x.Y - ready",
            "08:00:00.123",
            Some(Level::Info),
            Some("com.x.Y"),
            "ready",
        ),
        ("2026/11/30 08:00:00 listening on :80", "08:00:00", None, None, "listening on :80"),
        (
            "2026/11/30 08:00:00 [error] 12#12: *1 open() failed",
            "08:00:00",
            Some(Level::Error),
            None,
            "12#12: *1 open() failed",
        ),
        (
            "2026-11-30 08:00:00.123 UTC [9] LOG:  checkpoint complete",
            "08:00:00.123",
            Some(Level::Info),
            None,
            "checkpoint complete",
        ),
        ("9:M 30 Nov 2026 08:00:00.123 * Ready", "08:00:00.123", Some(Level::Info), None, "Ready"),
        (
            "[Mon Nov 30 08:00:00.123 2026] [core:error] [pid 7] AH1: no",
            "08:00:00.123",
            Some(Level::Error),
            None,
            "[pid 7] AH1: no",
        ),
        ("Nov 30 08:00:00 box sshd[77]: Accepted key", "08:00:00", None, Some("sshd"), "Accepted key"),
        ("2026-11-30T08:00:00+00:00 box cron[7]: ran", "08:00:00", None, Some("cron"), "ran"),
        (
            "I1130 08:00:00.123456    7 server.go:12] up",
            "08:00:00.123456",
            Some(Level::Info),
            Some("server.go:12"),
            "up",
        ),
        ("WARNING:root:low disk", "12:00:00", Some(Level::Warn), Some("root"), "low disk"),
        (
            "INFO:     Application startup complete.",
            "12:00:00",
            Some(Level::Info),
            None,
            "Application startup complete.",
        ),
        ("2026-11-30 08:00:00 Got an ERROR from it", "08:00:00", None, None, "Got an ERROR from it"),
        ("2026-11-30 08:00:00 error in line 3", "08:00:00", None, None, "error in line 3"),
        (
            "2026-11-30 08:00:00 INFO Processing: a.pdf",
            "08:00:00",
            Some(Level::Info),
            None,
            "Processing: a.pdf",
        ),
        ("Task extraction completed in 12.5s", "12:00:00", None, None, "Task extraction completed in 12.5s"),
    ];
    for (line, time, level, logger, message) in cases {
        let log = one(line);
        assert_eq!(log.time.to_string(), format!("2026-11-30T{time}Z"), "{line}");
        assert_eq!(log.level, level, "{line}");
        assert_eq!(log.origin.scope_name.as_deref(), logger, "{line}");
        assert_eq!(log.message.as_deref(), Some(message), "{line}");
    }
}

#[test]
fn the_structure_of_the_seeds_has_its_fields() {
    let log = one(
        r#"{"timestamp": "2025-08-01T21:30:00.000Z", "level": "INFO", "service": "telegram-bot", "request_id": "req-12345",
        "user_id": "user-67890", "message": "File upload received", "details": {"file_size": 10485760, "file_type": "audio/mp3"}}"#
            .replace('\n', "")
            .as_str(),
    );
    assert_eq!(log.time.as_millis(), 1_754_083_800_000);
    assert_eq!(
        (log.level, log.severity_number, log.severity_text.as_deref()),
        (Some(Level::Info), Some(9), Some("INFO"))
    );
    assert_eq!(log.origin.service.as_deref(), Some("telegram-bot"));
    assert_eq!(log.message.as_deref(), Some("File upload received"));
    assert_eq!(log.conventions.request_id.as_deref(), Some("req-12345"));
    assert_eq!(log.conventions.user_id.as_deref(), Some("user-67890"));
    let attributes: Vec<_> =
        log.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(attributes, [("details.file_size", "10485760"), ("details.file_type", "audio/mp3")]);
    assert_eq!(log.flaws, model::event::Flaws::NONE);
}

#[test]
fn a_stack_trace_in_json_says_what_was_thrown() {
    let python = r#"Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    g()\nKeyError: 'x'\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File \"a.py\", line 3, in f\n    h()\napp.Broken: the page is torn"#;
    let java = r"java.io.IOException: disk full\n\tat a.B.c(B.java:1)\nCaused by: java.lang.Error: x\n\tat d.E.f(E.java:2)";
    let told = |line: &str| {
        let fields = one(line).conventions;
        (fields.exception_type.unwrap_or_default(), fields.exception_message.unwrap_or_default())
    };
    let of = |kind: &str, message: &str| (kind.to_owned(), message.to_owned());
    for key in ["exc_info", "exception", "exc_text", "stack_trace"] {
        assert_eq!(
            told(&format!(r#"{{"message": "m", "level": "error", "{key}": "{python}"}}"#)),
            of("app.Broken", "the page is torn"),
            "{key}"
        );
    }
    assert_eq!(
        told(&format!(r#"{{"message": "m", "stack_trace": "{java}"}}"#)),
        of("java.io.IOException", "disk full")
    );
    // What the line says itself holds.
    assert_eq!(
        told(&format!(r#"{{"message": "m", "exception.type": "Other", "exc_info": "{python}"}}"#)).0,
        "Other"
    );
    assert_eq!(
        told(r#"{"message": "m", "error": {"type": "E", "message": "why", "stack_trace": "at x"}}"#),
        of("E", "why")
    );
}

#[test]
fn json_of_other_libraries_is_understood() {
    let pino = one(
        r#"{"level":50,"time":1754083800000,"pid":7,"name":"api","msg":"no","err":{"type":"E","message":"m","stack":"s"}}"#,
    );
    assert_eq!((pino.level, pino.time.as_millis()), (Some(Level::Error), 1_754_083_800_000));
    assert_eq!((pino.message.as_deref(), pino.origin.scope_name.as_deref()), (Some("no"), Some("api")));
    assert_eq!(pino.conventions.exception_type.as_deref(), Some("E"));
    assert_eq!(pino.conventions.exception_stacktrace.as_deref(), Some("s"));
    let tracing = one(
        r#"{"timestamp":"2026-11-30T08:00:00Z","level":"WARN","fields":{"message":"full","depth":7},"target":"q"}"#,
    );
    assert_eq!((tracing.message.as_deref(), tracing.origin.scope_name.as_deref()), (Some("full"), Some("q")));
    assert_eq!(tracing.attributes.get("depth").map(String::as_str), Some("7"));
    let structlog = one(
        r#"{"event":"done","level":"info","timestamp":"2026-11-30T08:00:00Z","trace_id":"000102030405060708090a0b0c0d0e0f"}"#,
    );
    assert_eq!(structlog.message.as_deref(), Some("done"));
    assert_eq!(structlog.trace_id.as_deref(), Some("000102030405060708090a0b0c0d0e0f"));
    let odd = one(r#"{"level":"info","msg":"x","trace_id":"nope","otelSpanID":"0"}"#);
    assert_eq!((odd.trace_id, odd.span_id), (None, None));
    assert_eq!(odd.flaws, [Flaw::TraceId, Flaw::NoTime].into_iter().collect());
}

#[test]
fn logfmt_and_access_logs_are_understood_and_texts_with_signs_are_not() {
    let log = one(r#"time="2026-11-30T08:00:00Z" level=warning msg="say \"no\"" job_id=7 empty="#);
    assert_eq!((log.level, log.message.as_deref()), (Some(Level::Warn), Some("say \"no\"")));
    assert_eq!(log.conventions.job_id.as_deref(), Some("7"));
    let text = one("a=b is what it says");
    assert_eq!(text.message.as_deref(), Some("a=b is what it says"));
    let access =
        one(r#"10.0.0.7 - anna [30/Nov/2026:08:00:00 +0000] "GET /api/x?a=1 HTTP/1.1" 502 157 "-" "curl/8""#);
    assert_eq!(access.time.to_string(), "2026-11-30T08:00:00Z");
    assert_eq!(access.level, None, "a status is none");
    let fields = &access.conventions;
    assert_eq!((fields.http_method.as_deref(), fields.http_status_code), (Some("GET"), Some(502)));
    assert_eq!(fields.url_path.as_deref(), Some("/api/x"));
    let kept = |name: &str| access.attributes.get(name).map(String::as_str);
    assert_eq!((kept("client.address"), kept("user_agent.original")), (Some("10.0.0.7"), Some("curl/8")));
    assert_eq!(kept("http.response.body.size"), Some("157"));
    let uvicorn = one(r#"INFO:     127.0.0.1:5000 - "POST /jobs HTTP/1.1" 201 Created"#);
    assert_eq!((uvicorn.level, uvicorn.conventions.http_status_code), (Some(Level::Info), Some(201)));
}

const CHAINED: &str = r#"2026-11-30 08:00:00,123 - worker - ERROR - job 7 failed
Traceback (most recent call last):
  File "a.py", line 1, in f
    g()
ValueError: bad page

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 3, in <module>
    raise JobError("gave up") from e
app.errors.JobError: gave up
2026-11-30 08:00:01,000 - worker - INFO - next
"#;

#[test]
fn a_traceback_belongs_to_the_record_that_logged_it_chained_ones_too() {
    let (found, counts) = records(options(), CHAINED);
    assert_eq!((found.len(), counts.records, counts.lines), (2, 2, 13));
    let log = &found[0].log;
    assert_eq!((log.message.as_deref(), log.level), (Some("job 7 failed"), Some(Level::Error)));
    let fields = &log.conventions;
    assert_eq!(fields.exception_type.as_deref(), Some("app.errors.JobError"));
    assert_eq!(fields.exception_message.as_deref(), Some("gave up"));
    let trace = fields.exception_stacktrace.as_deref().expect("a trace");
    let (_, rest) = CHAINED.split_once('\n').expect("lines");
    let (expected, _) = rest.split_once("\n2026").expect("a record follows");
    assert_eq!(trace, expected);
    assert_eq!(found[1].log.message.as_deref(), Some("next"));
    assert_eq!(found[1].end, CHAINED.len() as u64);
    assert!(CHAINED[..found[0].end as usize].ends_with("gave up\n"));
}

#[test]
fn traces_of_other_languages_are_joined() {
    let cases = [
        (
            "2026-11-30 08:00:00,123 [main] ERROR com.x.Y - no\njava.io.IOException: gone\n\tat a.B.c(B.java:1)\nCaused by: java.lang.X: y\n\t... 3 more\n",
            "java.io.IOException",
            "gone",
        ),
        (
            "2026-11-30 08:00:00,123 ERROR api: java.io.IOException: gone\n\tat a.B.c(B.java:1)\n",
            "java.io.IOException",
            "gone",
        ),
        ("panic: no\n\ngoroutine 1 [running]:\nmain.f(0x1)\n\t/a.go:1 +0x1\nexit status 2\n", "panic", "no"),
        (
            "thread 'main' panicked at src/main.rs:1:5:\nno\nnote: run with `RUST_BACKTRACE=1`\n",
            "panic",
            "no",
        ),
        ("TypeError: no\n    at f (a.js:1:2)\n    at g (a.js:3:4)\n", "TypeError", "no"),
        ("Traceback (most recent call last):\n  File \"a\", line 1\nKeyError: 'x'\n", "KeyError", "'x'"),
    ];
    for (text, kind, message) in cases {
        let log = one(text);
        assert_eq!(log.conventions.exception_type.as_deref(), Some(kind), "{text}");
        assert_eq!(log.conventions.exception_message.as_deref(), Some(message), "{text}");
        assert_eq!(log.level, Some(Level::Error), "{text}");
        assert!(log.conventions.exception_stacktrace.is_some(), "{text}");
    }
}

#[test]
fn the_host_and_the_process_of_a_line_are_what_its_record_comes_from() {
    let with_host = || {
        let mut options = options();
        options.origin.host = Some("here".to_owned());
        options.origin.service = Some("db".to_owned());
        options
    };
    let (found, _) = records(
        with_host(),
        "Nov 30 08:00:00 myhost cron[811]: job done\nNov 30 08:00:01 kernel booted\n2026-11-30 08:00:02 INFO x\n",
    );
    let whence = |place: usize| {
        let origin = &found[place].log.origin;
        (origin.host.as_deref(), origin.pid, origin.scope_name.as_deref(), origin.service.as_deref())
    };
    assert_eq!(whence(0), (Some("myhost"), Some(811), Some("cron"), Some("db")));
    assert!(found[0].log.attributes.is_empty(), "{:?}", found[0].log.attributes);
    let last = found.len() - 1;
    assert_eq!(
        whence(last),
        (Some("here"), None, None, Some("db")),
        "a line says nothing of those before it"
    );
}

#[test]
fn what_is_indented_belongs_to_the_record_before_and_what_is_not_stands_alone() {
    assert_eq!(
        messages("2026-11-30 08:00:00 INFO a\n  b\n\tc\nplain\nother\n"),
        ["a\n  b\n\tc", "plain", "other"]
    );
    assert_eq!(messages("one\n\ntwo\n"), ["one", "two"]);
    let dump = "2026-11-30 08:00:00 INFO config {\n  \"a\": 1\n}\n2026-11-30 08:00:01 INFO b\n";
    assert_eq!(messages(dump), ["config {\n  \"a\": 1\n}", "b"]);
}

#[test]
fn settings_say_what_a_line_is_and_where_a_record_begins() {
    let pattern = r"^(?<time>\S+) <(?<level>\w+)> job=(?<job_id>\d+) (?<message>.*)$";
    let with = |pattern: &str| LogOptions {
        format: LogFormat::Pattern,
        pattern: Some(LinePattern::new(pattern).expect("a pattern")),
        ..options()
    };
    let (found, counts) = records(with(pattern), "2026-11-30T08:00:00Z <error> job=7 no\n  more\nelse\n");
    let log = &found[0].log;
    assert_eq!((log.level, log.message.as_deref()), (Some(Level::Error), Some("no\n  more")));
    assert_eq!(log.conventions.job_id.as_deref(), Some("7"));
    assert_eq!((found.len(), counts.unparsed), (2, 1));
    let start = LogOptions { multiline: Multiline::start("^>").expect("a pattern"), ..options() };
    let (found, _) = records(start, "> a\nb\n> c\n");
    let texts: Vec<_> = found.iter().filter_map(|record| record.log.message.as_deref()).collect();
    assert_eq!(texts, ["> a\nb", "> c"]);
    let off = LogOptions { multiline: Multiline::Off, format: LogFormat::Plain, ..options() };
    assert_eq!(records(off, "a\n  b\n").0.len(), 2);
    assert!(matches!(LinePattern::new("("), Err(PatternError::Regex { .. })));
    assert!(matches!(LinePattern::new("a+"), Err(PatternError::NoGroups(_))));
}

#[test]
fn bytes_that_are_no_text_are_replaced_marked_and_counted() {
    let (found, counts) = records(options(), b"INFO:x:a\xff\xfeb\nINFO:x:c\0d\nINFO:x:\x1b[31me\x1b[0m\n");
    let texts: Vec<_> = found.iter().filter_map(|record| record.log.message.as_deref()).collect();
    assert_eq!(texts, ["a\u{fffd}\u{fffd}b", "c\u{fffd}d", "e"]);
    assert_eq!(counts.binary, 2);
    assert!(found[0].log.flaws.contains(Flaw::Binary) && !found[2].log.flaws.contains(Flaw::Binary));
}

#[test]
fn a_record_of_any_number_of_lines_is_bounded_and_says_so() {
    let mut text = "2026-11-30 08:00:00 INFO a\n".to_owned();
    for _ in 0..3 * MAX_JOINED_LINES {
        text.push_str("  more\n");
    }
    text.push_str("2026-11-30 08:00:01 INFO b\n");
    let (found, counts) = records(options(), &text);
    assert_eq!((found.len(), counts.cut), (2, 1));
    let log = &found[0].log;
    assert_eq!(log.message.as_ref().map(|message| message.lines().count()), Some(MAX_JOINED_LINES));
    assert!(log.flaws.contains(Flaw::Text) && found[1].log.flaws.is_empty());
}

/// Marks of a private key, and a line of it.
const BEGIN: &str = concat!("-----BEGIN ", "PRIVATE KEY-----");
const END: &str = "-----END PRIVATE KEY-----";
const BASE64: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";

#[test]
fn a_private_key_is_of_one_record_with_what_leads_to_it() {
    let key = format!("{BEGIN}\nProc-Type: 4,ENCRYPTED\n\n{BASE64}\n{BASE64}\n8Hw==\n{END}");
    let alone = format!("a\n{key}\nb\n");
    assert_eq!(messages(&alone), ["a", key.as_str(), "b"]);
    let logged = format!("2026-11-30 08:00:00 INFO loaded {key}\n2026-11-30 08:00:01 INFO b\n");
    assert_eq!(messages(&logged), [format!("loaded {key}").as_str(), "b"]);
    let cut = format!("{BEGIN}\n{BASE64}\nAb==\nnot of it\nplain\n");
    assert_eq!(messages(&cut), [format!("{BEGIN}\n{BASE64}\nAb==").as_str(), "not of it", "plain"]);
    let start = LogOptions { multiline: Multiline::start("^").expect("a pattern"), ..options() };
    assert_eq!(records(start, format!("{key}\nb\n")).0.len(), 2);
    let off = LogOptions { multiline: Multiline::Off, ..options() };
    assert_eq!(records(off, format!("{BEGIN}\n{BASE64}\n{END}\n")).0.len(), 3);
}

#[test]
fn lines_that_only_look_like_a_key_stay_records_of_their_own() {
    let sentence = format!("expected {BEGIN} but found nothing");
    let headed = format!("2026-11-30 08:00:00 INFO {BASE64}");
    for text in [
        format!("a\n{BASE64}\n{BASE64}\n"),
        format!("{sentence}\n{BASE64}\nb\n"),
        format!("{BEGIN}\nstarted\nstopped\n"),
        format!("{BEGIN}\n{headed}\n{headed}\n"),
    ] {
        assert_eq!(messages(&text).len(), 3, "{text}");
    }
}

#[test]
fn what_of_a_key_is_beyond_the_bounds_of_a_record_is_in_no_other() {
    let mut text = format!("{BEGIN}\n");
    for _ in 0..2 * MAX_JOINED_LINES {
        text.push_str(BASE64);
        text.push('\n');
    }
    text.push_str("no line of a key\n");
    let (found, counts) = records(options(), &text);
    let texts: Vec<_> = found.iter().filter_map(|record| record.log.message.as_deref()).collect();
    assert_eq!((texts.len(), counts.cut), (2, 1));
    assert_eq!((texts[0].lines().count(), texts[1]), (MAX_JOINED_LINES, "no line of a key"));
}

#[test]
fn records_of_the_same_origin_share_it_whichever_stands_between_them() {
    let line = |service: &str, logger: &str| {
        format!(
            r#"{{"time":"2026-11-30T08:00:00Z","service":"{service}","logger":"{logger}","message":"x"}}"#
        )
    };
    let lines = [line("a", "one"), line("a", "one"), line("b", "one"), line("a", "two"), line("a", "one")];
    let (found, _) = records(options(), lines.join("\n"));
    let origins: Vec<_> = found.iter().map(|record| &record.log.origin).collect();
    let told: Vec<_> = origins
        .iter()
        .map(|origin| (origin.service.as_deref().unwrap_or(""), origin.scope_name.as_deref().unwrap_or("")))
        .collect();
    assert_eq!(told, [("a", "one"), ("a", "one"), ("b", "one"), ("a", "two"), ("a", "one")]);
    for other in [1, 4] {
        assert!(Arc::ptr_eq(origins[0], origins[other]), "{other}");
    }
    assert!(!Arc::ptr_eq(origins[0], origins[2]) && !Arc::ptr_eq(origins[0], origins[3]));
}

#[test]
fn what_is_wrong_with_a_line_is_said_of_the_record_that_it_is_of() {
    let lines: [&[u8]; 4] = [
        b"{\"time\":\"2026-11-30T08:00:00Z\",\"message\":\"whole \xff\"}",
        b"2026-11-30 08:00:00,123 INFO open",
        b"  goes on \xff",
        b"2026-11-30 08:00:01,123 INFO sound",
    ];
    for multiline in [Multiline::Auto, Multiline::Off] {
        let joins = matches!(multiline, Multiline::Auto);
        let (found, counts) = records(LogOptions { multiline, ..options() }, lines.join(&b'\n'));
        let binary: Vec<_> = found.iter().map(|record| record.log.flaws.contains(Flaw::Binary)).collect();
        assert_eq!(binary, if joins { vec![true, true, false] } else { vec![true, false, true, false] });
        assert_eq!((counts.binary, counts.records), (2, binary.len() as u64));
    }
}
